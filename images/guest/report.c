// SPDX-License-Identifier: Apache-2.0
#include "images/guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int console = 1;
static char first_fault[512];
static bool is_known;

void console_open(void)
{
	// Not blocking: a stopped terminal must not stop process 1.
	int fd = open("/dev/console", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		console = fd;
}

static void print(const char *text, size_t size)
{
	static const struct timespec nap = {.tv_nsec = 1000000};
	for (int tries = 0; size > 0 && tries < 200;) {
		ssize_t done = write(console, text, size);
		if (done > 0) {
			text += done;
			size -= (size_t)done;
			continue;
		}
		if (done < 0 && errno != EAGAIN && errno != EINTR)
			return;
		nanosleep(&nap, NULL);
		tries++;
	}
}

static void vsay(const char *format, va_list arguments)
{
	char line[600] = "vgrid: ";
	size_t used = strlen(line);
	int n = vsnprintf(line + used, sizeof(line) - used - 1, format, arguments);
	used += n < 0 ? 0 : (size_t)n;
	if (used > sizeof(line) - 2)
		used = sizeof(line) - 2;
	for (size_t i = 0; i < used; i++)
		if ((unsigned char)line[i] < ' ')
			line[i] = ' ';
	line[used++] = '\n';
	print(line, used);
}

void say(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsay(format, arguments);
	va_end(arguments);
}

void fault(const char *format, ...)
{
	va_list arguments;
	char text[sizeof(first_fault)];
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (!first_fault[0])
		memcpy(first_fault, text, sizeof(text));
	else
		say("also: %s", text);
}

void report_outcome(void)
{
	if (is_known)
		return;
	is_known = true;
	if (first_fault[0]) {
		char line[sizeof(first_fault) + 1];
		int n = snprintf(line, sizeof(line), "%s\n", first_fault);
		file_write(VG_FAILED_PATH, 0644, line, (size_t)n);
		say("failed: %s", first_fault);
		return;
	}
	file_write(VG_READY_PATH, 0644, "ready\n", 6);
	say("ready");
}

bool outcome_is_known(void)
{
	return is_known;
}
