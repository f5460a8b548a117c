// SPDX-License-Identifier: Apache-2.0
#include "box/accelerator.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "base/text.h"
#include "box/boot_sector.h"
#include "box/box.h"
#include "box/probe.h"

enum {
	RACE_MS = 30 * 1000,  // nobody has finished: the race is off
	GRACE_MS = 2 * 1000,  // for the loser, after the winner
	CPU_SECONDS_MAX = 60, // should we die, the kernel ends a racer that hangs
	CACHE_VERSION = 1,
	CACHE_SIZE_MAX = 64 * 1024,
	CPUINFO_SIZE_MAX = 16 * 1024 * 1024,
	OUTPUT_SIZE_MAX = 4096,
	// A machine of 2020 emulates the boot sector in NOMINAL_MS of a CPU's time, and boots a
	// small Linux guest NOMINAL_SLOWNESS times slower than with hardware acceleration. CPU
	// time, so that a verdict that is kept does not depend on what else the machine did
	// meanwhile.
	NOMINAL_MS = 250,
	NOMINAL_SLOWNESS = 5,
	SLOWNESS_MIN = 4, // of emulation
	SLOWNESS_MAX = 20,
};

void vg_race_free(struct vg_race *race)
{
	if (!race)
		return;
	free(race->reason);
	free(race);
}

unsigned vg_accelerator_slowness(bool is_kvm, uint64_t cpu_ms)
{
	if (is_kvm)
		return 1;
	uint64_t slowness = (cpu_ms * NOMINAL_SLOWNESS + NOMINAL_MS / 2) / NOMINAL_MS;
	if (cpu_ms == 0 || slowness > SLOWNESS_MAX)
		return SLOWNESS_MAX;
	return slowness < SLOWNESS_MIN ? SLOWNESS_MIN : (unsigned)slowness;
}

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// One emulator that runs the boot sector under one accelerator.
struct racer {
	const char *accelerator;
	pid_t pid;       // 0: not started, or reaped
	int out;         // its output, until it has ended; else -1
	uint64_t ms;     // until the word; 0: not yet
	uint64_t cpu_ms; // that it took in all, once reaped
	struct vg_text said;
};

static uint64_t in_ms(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_usec / 1000;
}

static void racer_stop(struct racer *racer)
{
	if (racer->pid <= 0)
		return;
	struct rusage usage = {0};
	kill(racer->pid, SIGKILL);
	while (wait4(racer->pid, NULL, 0, &usage) < 0 && errno == EINTR)
		;
	racer->cpu_ms = in_ms(usage.ru_utime) + in_ms(usage.ru_stime);
	racer->pid = 0;
}

static void racer_done(struct racer *racer)
{
	racer_stop(racer);
	if (racer->out >= 0)
		close(racer->out);
	vg_text_done(&racer->said);
	*racer = (struct racer){.out = -1};
}

// The boot sector is its standard input, COM1 its standard output: so no path of the user's,
// whatever is in it, has to be spelled in QEMU's language, and no file is left behind.
static struct vg_error *racer_start(struct racer *racer, int sector)
{
	_auto(vg_string) char *machine = vg_format("pc,accel=%s", racer->accelerator);
	const char *const argv[] = {"qemu-system-x86_64", "-nodefaults", "-no-user-config",
		"-display", "none", "-monitor", "none", "-machine", machine, "-m", "16",
		"-no-reboot", "-boot", "order=a", "-drive",
		"format=raw,if=floppy,readonly=on,file=/proc/self/fd/0", "-serial",
		"file:/proc/self/fd/1", "-device", "isa-debug-exit,iobase=0xf4,iosize=4", NULL};
	int output[2];
	if (pipe2(output, O_CLOEXEC) < 0)
		return vg_error_errno(errno, "making a pipe");
	struct vg_error *error = vg_process_start(
		argv, NULL, (struct vg_process_files){sector, output[1], output[1]}, &racer->pid);
	close(output[1]);
	if (error) {
		close(output[0]);
		racer->pid = 0;
		return vg_error_hint(error, "%s", vg_probe_packages());
	}
	racer->out = output[0];
	const struct rlimit limit = {CPU_SECONDS_MAX, CPU_SECONDS_MAX};
	if (prlimit(racer->pid, RLIMIT_CPU, &limit, NULL) < 0)
		return vg_error_errno(errno, "limiting process %d", (int)racer->pid);
	return NULL;
}

static void racer_listen(struct racer *racer, uint64_t start)
{
	char buffer[256];
	ssize_t got = read(racer->out, buffer, sizeof(buffer));
	if (got < 0 && errno == EINTR)
		return;
	if (got > 0 && racer->said.length < OUTPUT_SIZE_MAX)
		vg_text_add_bytes(&racer->said, buffer, (size_t)got);
	if (got > 0 && !racer->ms && strstr(racer->said.bytes, VG_BOOT_SECTOR_WORD))
		racer->ms = now_ms() - start + 1;
	if (got <= 0) {
		close(racer->out);
		racer->out = -1;
	}
}

// Until each has finished or ended, or the winner has waited long enough.
static void watch(struct racer *racers, size_t n_racers)
{
	uint64_t start = now_ms(), end = start + RACE_MS;
	for (;;) {
		struct pollfd ready[2] = {0};
		size_t n_running = 0;
		bool has_winner = false;
		for (size_t i = 0; i < n_racers; i++) {
			bool is_running = racers[i].out >= 0 && !racers[i].ms;
			ready[i] = (struct pollfd){
				.fd = is_running ? racers[i].out : -1, .events = POLLIN};
			n_running += is_running;
			has_winner |= racers[i].ms > 0;
		}
		uint64_t now = now_ms();
		if (has_winner && end > now + GRACE_MS)
			end = now + GRACE_MS;
		if (n_running == 0 || now >= end)
			return;
		poll(ready, n_racers, (int)(end - now));
		for (size_t i = 0; i < n_racers; i++) {
			if (ready[i].revents)
				racer_listen(&racers[i], start);
		}
	}
}

// Why a racer that did not win lost, in one line.
static char *explain(const struct racer *loser, const struct racer *winner)
{
	if (loser->ms)
		return vg_format("%s needed %llu ms, %s %llu ms", loser->accelerator,
			(unsigned long long)loser->ms, winner->accelerator,
			(unsigned long long)winner->ms);
	if (loser->out < 0 && loser->said.length)
		return vg_format("%.*s", (int)strcspn(loser->said.bytes, "\n"), loser->said.bytes);
	return vg_format("%s had not finished %d ms after %s (%llu ms)", loser->accelerator,
		GRACE_MS, winner->accelerator, (unsigned long long)winner->ms);
}

static struct vg_error *judge(
	const struct racer *tcg, const struct racer *kvm, int kvm_code, struct vg_race **ret_race)
{
	if (!tcg->ms && !kvm->ms)
		return vg_error_new("qemu-system-x86_64 did not run a guest: %s",
			tcg->said.length ? tcg->said.bytes : "it said nothing");
	struct vg_race *race = vg_new(struct vg_race);
	race->tcg_ms = tcg->ms;
	race->kvm_ms = kvm->ms;
	race->is_kvm = kvm->ms && (!tcg->ms || kvm->ms <= tcg->ms);
	race->slowness = vg_accelerator_slowness(race->is_kvm, tcg->cpu_ms);
	if (kvm_code)
		race->reason = vg_format("/dev/kvm: %s", strerror(kvm_code));
	else
		race->reason = race->is_kvm ? explain(tcg, kvm) : explain(kvm, tcg);
	*ret_race = race;
	return NULL;
}

static struct vg_error *open_sector(int *ret_fd)
{
	_auto(vg_fd) int fd = memfd_create("vgrid-boot-sector", MFD_CLOEXEC);
	if (fd < 0)
		return vg_error_errno(errno, "making a file in memory");
	struct vg_error *error =
		vg_file_write_all(fd, "the boot sector", vg_boot_sector, VG_BOOT_SECTOR_SIZE);
	if (!error)
		*ret_fd = vg_take_fd(&fd);
	return error;
}

static struct vg_error *run(int kvm_code, struct vg_race **ret_race)
{
	struct racer racers[] = {
		{.accelerator = "tcg", .out = -1}, {.accelerator = "kvm", .out = -1}};
	_auto(vg_fd) int sector = -1;
	struct vg_error *error = open_sector(&sector);
	size_t n_racers = kvm_code ? 1 : 2;
	for (size_t i = 0; i < n_racers && !error; i++)
		error = racer_start(&racers[i], sector);
	if (!error) {
		watch(racers, n_racers);
		for (size_t i = 0; i < n_racers; i++)
			racer_stop(&racers[i]);
		error = judge(&racers[0], &racers[1], kvm_code, ret_race);
	}
	for (size_t i = 0; i < VG_LENGTH(racers); i++)
		racer_done(&racers[i]);
	return error;
}

// What a verdict holds for: kernel, CPU, the emulator, and whether /dev/kvm opens. malloc'ed.
static char *describe_machine(int kvm_code)
{
	struct utsname kernel = {0};
	uname(&kernel);
	_auto(vg_string) char *cpu = NULL;
	vg_error_ignore(vg_file_read("/proc/cpuinfo", CPUINFO_SIZE_MAX, &cpu, NULL));
	const char *model = cpu ? strstr(cpu, "model name") : NULL;
	struct stat emulator = {0};
	// Its file names a version as well as its word does, and need not be started for it.
	if (stat("/usr/bin/qemu-system-x86_64", &emulator) < 0)
		emulator = (struct stat){0};
	return vg_format("%s %s | %.*s | %lld bytes of %lld | %d", kernel.release, kernel.version,
		model ? (int)strcspn(model, "\n") : 0, model ? model : "",
		(long long)emulator.st_size, (long long)emulator.st_mtime, kvm_code);
}

static bool read_cache(const char *path, const char *machine, struct vg_race **ret_race)
{
	_auto(vg_string) char *bytes = NULL;
	size_t size;
	_auto(vg_json) struct vg_json *json = NULL;
	struct vg_error *error = vg_file_read(path, CACHE_SIZE_MAX, &bytes, &size);
	if (!error)
		error = vg_json_read(bytes, size, &json);
	vg_error_ignore(error);
	const char *reason = vg_json_get_string(json, "reason", NULL);
	if (vg_json_get_integer(json, "version", 0) != CACHE_VERSION || !reason ||
		!vg_text_equal(vg_json_get_string(json, "machine", NULL), machine))
		return false;
	struct vg_race *race = vg_new(struct vg_race);
	race->is_kvm = vg_json_get_boolean(json, "is-kvm", false);
	race->tcg_ms = (uint64_t)vg_json_get_integer(json, "tcg-ms", 0);
	race->kvm_ms = (uint64_t)vg_json_get_integer(json, "kvm-ms", 0);
	race->reason = vg_strdup(reason);
	race->slowness = (unsigned)vg_json_get_integer(json, "slowness", SLOWNESS_MAX);
	*ret_race = race;
	return true;
}

static struct vg_error *write_cache(
	const char *path, const char *machine, const struct vg_race *race)
{
	_auto(vg_json) struct vg_json *json = vg_json_object();
	vg_json_set_integer(json, "version", CACHE_VERSION);
	vg_json_set_string(json, "machine", machine);
	vg_json_set_boolean(json, "is-kvm", race->is_kvm);
	vg_json_set_integer(json, "tcg-ms", (int64_t)race->tcg_ms);
	vg_json_set_integer(json, "kvm-ms", (int64_t)race->kvm_ms);
	vg_json_set_integer(json, "slowness", race->slowness);
	vg_json_set_string(json, "reason", race->reason);
	_auto(vg_string) char *text = vg_json_write_pretty(json);
	return vg_file_write(path, 0644, text, strlen(text));
}

struct vg_error *vg_accelerator_race(const char *home, bool use_cache, struct vg_race **ret_race)
{
	_auto(vg_string) char *folder = vg_format("%s/cache", home);
	_auto(vg_string) char *path = vg_format("%s/accelerator.json", folder);
	int kvm_code = vg_probe_device("/dev/kvm");
	_auto(vg_string) char *machine = describe_machine(kvm_code);
	if (use_cache && read_cache(path, machine, ret_race))
		return NULL;
	_auto(vg_race) struct vg_race *race = NULL;
	struct vg_error *error = run(kvm_code, &race);
	if (!error)
		error = vg_folder_make(folder, 0700);
	if (!error)
		error = write_cache(path, machine, race);
	if (error)
		return vg_error_while(error, "racing the accelerators");
	*ret_race = vg_take(race);
	return NULL;
}
