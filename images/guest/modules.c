// SPDX-License-Identifier: Apache-2.0
#include "images/guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void load_modules(void)
{
	char *list = file_read("/modules/list", NULL), *rest = list, *name;
	if (!list)
		return; // an initrd whose kernel has all it needs
	while ((name = strsep(&rest, "\n"))) {
		char path[256];
		if (!*name)
			continue;
		snprintf(path, sizeof(path), "/modules/%s", name);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
			fault("loading module '%s': %s", name, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	free(list);
}
