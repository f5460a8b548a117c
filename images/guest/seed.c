// SPDX-License-Identifier: Apache-2.0
//
// Reads the plain form of the seed (compute/seed_format.h) and applies it line by line. The
// seed's author put the lines into the right order.
#include "images/guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOUNT_POINT "/run/vgrid/seed"
enum { FIELDS_MAX = 4 };

static const char *instance = "";
static bool is_new; // the root disk has not seen this seed yet: files are written

static int hexadecimal(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void unescape(char *field)
{
	char *to = field;
	for (const char *from = field; *from; to++) {
		int high = *from == '%' ? hexadecimal(from[1]) : -1;
		int low = high >= 0 ? hexadecimal(from[2]) : -1;
		*to = low >= 0 ? (char)(high << 4 | low) : *from;
		from += low >= 0 ? 3 : 1;
	}
	*to = '\0';
}

static char *content_read(const char *name, size_t *ret_size)
{
	char path[128];
	snprintf(path, sizeof(path), MOUNT_POINT "/" VG_SEED_FOLDER "/%s", name);
	char *bytes = strchr(name, '/') ? NULL : file_read(path, ret_size);
	if (!bytes)
		fault("reading '%s' of the seed: %s", name, strerror(errno));
	return bytes;
}

static void apply_instance(char **fields, struct setup *setup)
{
	(void)setup;
	char *seen = file_read(VG_STATE_FOLDER "/instance", NULL);
	instance = strdup(fields[1]);
	is_new = !seen || strcmp(seen, instance) != 0;
	free(seen);
}

static void apply_hostname(char **fields, struct setup *setup)
{
	(void)setup;
	if (sethostname(fields[1], strlen(fields[1])) < 0)
		fault("setting the hostname '%s': %s", fields[1], strerror(errno));
	char line[128];
	int n = snprintf(line, sizeof(line), "%.64s\n", fields[1]);
	file_write("/etc/hostname", 0644, line, (size_t)n);
}

static void apply_entropy(char **fields, struct setup *setup)
{
	(void)setup;
	size_t size;
	char *bytes = content_read(fields[1], &size);
	struct rand_pool_info *pool = bytes ? malloc(sizeof(*pool) + size) : NULL;
	int fd = open("/dev/random", O_RDWR | O_CLOEXEC);
	if (pool) {
		pool->entropy_count = (int)(size * 8);
		pool->buf_size = (int)size;
		memcpy(pool->buf, bytes, size);
		if (ioctl(fd, RNDADDENTROPY, pool) < 0)
			fault("seeding the random number generator: %s", strerror(errno));
		explicit_bzero(pool, sizeof(*pool) + size);
		explicit_bzero(bytes, size);
	}
	free(pool);
	free(bytes);
	if (fd >= 0)
		close(fd);
}

static void apply_nic(char **fields, struct setup *setup)
{
	(void)setup;
	net_configure(fields[1], fields[2], fields[3]);
}

static void apply_environment(char **fields, struct setup *setup)
{
	(void)setup;
	setenv(fields[1], fields[2], 1);
}

static void apply_file(char **fields, struct setup *setup)
{
	(void)setup;
	size_t size;
	if (!is_new)
		return;
	char *bytes = content_read(fields[3], &size);
	if (!bytes)
		return;
	make_parents(fields[2]);
	if (!file_write(fields[2], (mode_t)strtoul(fields[1], NULL, 8) & 07777, bytes, size))
		fault("writing '%s': %s", fields[2], strerror(errno));
	explicit_bzero(bytes, size);
	free(bytes);
}

static void apply_disk(char **fields, struct setup *setup)
{
	(void)setup;
	mount_data_disk(fields[1], fields[2]);
}

static void apply_setup(char **fields, struct setup *setup)
{
	setup->script = content_read(fields[1], &setup->size);
}

static void apply_version(char **fields, struct setup *setup)
{
	(void)setup;
	if (atoi(fields[1]) != VG_SEED_VERSION)
		fault("the seed's version is %s, this image knows %d: build the image anew",
			fields[1], VG_SEED_VERSION);
}

static const struct {
	const char *name;
	size_t n_fields;
	void (*apply)(char **fields, struct setup *setup);
} lines[] = {
	{"vgrid-seed", 2, apply_version},
	{"instance", 2, apply_instance},
	{"hostname", 2, apply_hostname},
	{"entropy", 2, apply_entropy},
	{"nic", 4, apply_nic},
	{"env", 3, apply_environment},
	{"file", 4, apply_file},
	{"disk", 3, apply_disk},
	{"setup", 2, apply_setup},
};

static void apply_line(char *line, struct setup *setup)
{
	char *fields[FIELDS_MAX] = {0}, *rest = line;
	size_t n_fields = 0;
	while (rest && n_fields < FIELDS_MAX)
		unescape(fields[n_fields++] = strsep(&rest, " "));
	for (size_t i = 0; i < LENGTH(lines); i++) {
		if (strcmp(fields[0], lines[i].name) != 0)
			continue;
		if (n_fields == lines[i].n_fields && !rest) {
			lines[i].apply(fields, setup);
			return;
		}
	}
	fault("the seed has a line '%s' that this image does not know: build the image anew",
		fields[0]);
}

bool seed_apply(struct setup *ret_setup)
{
	const char *device = disk_find(VG_SEED_SERIAL);
	if (!device)
		return false;
	mkdir(MOUNT_POINT, 0700);
	if (mount(device, MOUNT_POINT, "iso9660", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		    NULL) < 0) {
		fault("mounting the seed: %s", strerror(errno));
		return true;
	}
	char *index = content_read(VG_SEED_INDEX, NULL), *rest = index, *line;
	bool is_whole = false;
	while (rest && !is_whole && (line = strsep(&rest, "\n"))) {
		is_whole = strcmp(line, "end") == 0;
		if (!is_whole && rest)
			apply_line(line, ret_setup);
	}
	if (index && !is_whole)
		fault("the seed is cut off");
	umount2(MOUNT_POINT, MNT_DETACH);
	rmdir(MOUNT_POINT);
	return true;
}

void seed_remember(void)
{
	if (!is_new)
		return;
	sync(); // the files before the mark that says they are there
	make_folders(VG_STATE_FOLDER, 0755);
	file_write(VG_STATE_FOLDER "/instance", 0644, instance, strlen(instance));
}
