// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/report/progress.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "orchestrator/report/frame.h"

enum { TICK_MS = 125 };

struct vg_progress {
	FILE *out;
	enum vg_progress_style style;
	bool has_colour, is_utf8;
	pthread_mutex_t mutex;
	pthread_cond_t ending;
	pthread_t ticker;
	bool has_ticker, is_ending, is_paused, is_changed;
	struct vg_frame_step *steps; // running, and ended ones that are still shown
	size_t n_steps;
	unsigned last_number;
	size_t n_folded, done, total;
	size_t n_drawn; // lines on the terminal that the next picture replaces
	unsigned text_width;
};

static uint64_t clock_ms(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

struct vg_progress *vg_progress_new(FILE *out, enum vg_progress_style style)
{
	struct vg_progress *progress = vg_new(struct vg_progress);
	const char *no_colour = getenv("NO_COLOR");
	progress->out = out;
	progress->style = style;
	progress->has_colour = !no_colour || !*no_colour;
	progress->is_utf8 = MB_CUR_MAX > 1;
	pthread_mutex_init(&progress->mutex, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&progress->ending, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return progress;
}

static void drop_step(struct vg_progress *progress, size_t i)
{
	free(progress->steps[i].text);
	free(progress->steps[i].note);
	memmove(&progress->steps[i], &progress->steps[i + 1],
		(--progress->n_steps - i) * sizeof(*progress->steps));
}

static struct vg_frame frame_of(struct vg_progress *progress)
{
	struct winsize size = {0};
	if (ioctl(fileno(progress->out), TIOCGWINSZ, &size) < 0 || !size.ws_col || !size.ws_row)
		size = (struct winsize){.ws_col = 80, .ws_row = 24};
	return (struct vg_frame){
		.steps = progress->steps,
		.n_steps = progress->n_steps,
		.n_folded = progress->n_folded,
		.done = progress->done,
		.total = progress->total,
		.now_ms = clock_ms(),
		.width = size.ws_col,
		.height = size.ws_row,
		.text_width = progress->text_width,
		.has_colour = progress->has_colour,
		.is_utf8 = progress->is_utf8,
	};
}

// Writes a picture over the last one, in one go so that nothing flickers.
static void put(struct vg_progress *progress, const char *kept, const char *live, size_t n_live)
{
	_auto(vg_text) struct vg_text text = {0};
	if (progress->n_drawn)
		vg_text_addf(&text, "\033[%zuA\r", progress->n_drawn);
	vg_text_add(&text, kept);
	vg_text_add(&text, live);
	if (progress->n_drawn)
		vg_text_add(&text, "\033[J");
	progress->n_drawn = n_live;
	if (text.length)
		fwrite(text.bytes, 1, text.length, progress->out);
	fflush(progress->out);
}

static bool has_running(const struct vg_progress *progress)
{
	for (size_t i = 0; i < progress->n_steps; i++) {
		if (progress->steps[i].state == VG_FRAME_RUNNING)
			return true;
	}
	return false;
}

// Folds ended steps until the rest fits: good ones first, oldest first.
static void fold(struct vg_progress *progress)
{
	static const enum vg_frame_state order[] = {VG_FRAME_GOOD, VG_FRAME_BAD};
	struct vg_frame frame = frame_of(progress);
	for (size_t k = 0; k < VG_LENGTH(order); k++) {
		for (size_t i = 0;
			i < progress->n_steps && frame.n_steps > vg_frame_room(&frame);) {
			if (progress->steps[i].state != order[k]) {
				i++;
				continue;
			}
			progress->n_folded += order[k] == VG_FRAME_GOOD;
			drop_step(progress, i);
			frame.n_folded = progress->n_folded;
			frame.n_steps = progress->n_steps;
		}
	}
}

static void draw(struct vg_progress *progress, const char *said)
{
	_auto(vg_text) struct vg_text live = {0};
	fold(progress);
	struct vg_frame frame = frame_of(progress);
	size_t n_live = vg_frame_draw(&frame, &live);
	put(progress, said, live.bytes ? live.bytes : "", n_live);
	progress->is_changed = false;
}

// Leaves what has ended on the terminal for good and takes the rest away.
static void settle(struct vg_progress *progress)
{
	if (progress->style != VG_PROGRESS_LIVE)
		return;
	fold(progress);
	struct vg_frame frame = frame_of(progress);
	struct vg_frame_step *running = NULL, *ended = NULL;
	size_t n_running = 0, n_ended = 0;
	for (size_t i = 0; i < progress->n_steps; i++) {
		if (progress->steps[i].state == VG_FRAME_RUNNING)
			vg_append(running, n_running) = progress->steps[i];
		else
			vg_append(ended, n_ended) = progress->steps[i];
	}
	frame.steps = ended;
	frame.n_steps = n_ended;
	frame.total = 0;
	_auto(vg_text) struct vg_text kept = {0};
	vg_frame_draw(&frame, &kept);
	put(progress, kept.bytes ? kept.bytes : "", "", 0);
	for (size_t i = 0; i < n_ended; i++) {
		free(ended[i].text);
		free(ended[i].note);
	}
	free(ended);
	free(progress->steps);
	progress->steps = running;
	progress->n_steps = n_running;
	progress->n_folded = 0;
}

static void *tick(void *data)
{
	struct vg_progress *progress = data;
	pthread_mutex_lock(&progress->mutex);
	while (!progress->is_ending) {
		if (!progress->is_paused && (progress->is_changed || has_running(progress)))
			draw(progress, "");
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += TICK_MS * 1000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&progress->ending, &progress->mutex, &until);
	}
	pthread_mutex_unlock(&progress->mutex);
	return NULL;
}

// Signals are the main thread's.
static void start_ticker(struct vg_progress *progress)
{
	if (progress->has_ticker || progress->style != VG_PROGRESS_LIVE)
		return;
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	progress->has_ticker = pthread_create(&progress->ticker, NULL, tick, progress) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void vg_progress_free(struct vg_progress *progress)
{
	if (!progress)
		return;
	pthread_mutex_lock(&progress->mutex);
	progress->is_ending = true;
	pthread_cond_signal(&progress->ending);
	pthread_mutex_unlock(&progress->mutex);
	if (progress->has_ticker)
		pthread_join(progress->ticker, NULL);
	for (size_t i = 0; i < progress->n_steps; i++) {
		if (progress->steps[i].state != VG_FRAME_RUNNING)
			continue;
		progress->steps[i].state = VG_FRAME_STOPPED;
		progress->steps[i].ended_ms = clock_ms();
	}
	settle(progress);
	while (progress->n_steps)
		drop_step(progress, progress->n_steps - 1);
	free(progress->steps);
	pthread_cond_destroy(&progress->ending);
	pthread_mutex_destroy(&progress->mutex);
	free(progress);
}

static void lock(struct vg_progress *progress)
{
	pthread_mutex_lock(&progress->mutex);
	progress->is_paused = false;
	progress->is_changed = true;
}

void vg_progress_say(struct vg_progress *progress, const char *format, ...)
{
	if (progress->style == VG_PROGRESS_QUIET)
		return;
	va_list arguments;
	va_start(arguments, format);
	_auto(vg_string) char *line = vg_vformat(format, arguments);
	va_end(arguments);
	lock(progress);
	if (progress->style != VG_PROGRESS_LIVE) {
		fprintf(progress->out, "%s\n", line);
		fflush(progress->out);
	} else {
		if (!has_running(progress))
			settle(progress);
		_auto(vg_string) char *said = vg_format("%s\033[K\n", line);
		draw(progress, said);
	}
	pthread_mutex_unlock(&progress->mutex);
}

unsigned vg_progress_begin(struct vg_progress *progress, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	_auto(vg_string) char *text = vg_vformat(format, arguments);
	va_end(arguments);
	lock(progress);
	unsigned number = ++progress->last_number, columns = vg_frame_columns(text);
	if (columns > progress->text_width)
		progress->text_width = columns;
	if (progress->style == VG_PROGRESS_VERBOSE)
		fprintf(progress->out, "%s ...\n", text);
	vg_append(progress->steps, progress->n_steps) = (struct vg_frame_step){
		.number = number, .text = vg_take(text), .begun_ms = clock_ms()};
	start_ticker(progress);
	pthread_mutex_unlock(&progress->mutex);
	return number;
}

static struct vg_frame_step *find(struct vg_progress *progress, unsigned number)
{
	for (size_t i = 0; i < progress->n_steps; i++) {
		if (progress->steps[i].number == number)
			return &progress->steps[i];
	}
	return NULL;
}

void vg_progress_note(struct vg_progress *progress, unsigned number, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	_auto(vg_string) char *note = vg_vformat(format, arguments);
	va_end(arguments);
	lock(progress);
	struct vg_frame_step *step = find(progress, number);
	if (step) {
		free(step->note);
		step->note = vg_take(note);
	}
	pthread_mutex_unlock(&progress->mutex);
}

void vg_progress_end(struct vg_progress *progress, unsigned number, bool is_good)
{
	lock(progress);
	struct vg_frame_step *step = find(progress, number);
	if (step) {
		step->state = is_good ? VG_FRAME_GOOD : VG_FRAME_BAD;
		step->ended_ms = clock_ms();
	}
	if (step && progress->style != VG_PROGRESS_LIVE) {
		_auto(vg_string) char *time = vg_frame_time(step->ended_ms - step->begun_ms);
		if (progress->style != VG_PROGRESS_QUIET)
			fprintf(progress->out, "%s%s (%s)\n", step->text, is_good ? "" : ": failed",
				time);
		fflush(progress->out);
		drop_step(progress, (size_t)(step - progress->steps));
	}
	pthread_mutex_unlock(&progress->mutex);
}

void vg_progress_count(struct vg_progress *progress, size_t done, size_t total)
{
	lock(progress);
	progress->done = done;
	progress->total = total;
	pthread_mutex_unlock(&progress->mutex);
}

void vg_progress_pause(struct vg_progress *progress)
{
	pthread_mutex_lock(&progress->mutex);
	settle(progress);
	progress->is_paused = true;
	pthread_mutex_unlock(&progress->mutex);
}
