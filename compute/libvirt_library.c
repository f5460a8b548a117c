// SPDX-License-Identifier: Apache-2.0
#include "compute/libvirt_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "base/memory.h"

struct vg_libvirt_table vg_libvirt;

static struct vg_error *missing(void)
{
	const char *words = dlerror();
	return vg_error_hint(vg_error_new("libvirt's client library cannot be used: %s",
				     words ? words : "it is not there"),
		"sudo apt-get install -y --no-install-recommends libvirt0");
}

static struct vg_error *load(struct vg_libvirt_table *table)
{
	// Never closed: libvirt's threads and their data last as long as the process.
	void *libvirt = dlopen("libvirt.so.0", RTLD_NOW | RTLD_LOCAL);
	void *qemu = libvirt ? dlopen("libvirt-qemu.so.0", RTLD_NOW | RTLD_LOCAL) : NULL;
	void *found;
	if (!qemu)
		return missing();
#define FIND(library, name)                                                                        \
	found = dlsym(library, #name);                                                             \
	if (!found)                                                                                \
		return missing();                                                                  \
	memcpy(&table->name, &found, sizeof(found));
#define X(name) FIND(libvirt, name)
	VG_LIBVIRT_FUNCTIONS(X)
#undef X
#define X(name) FIND(qemu, name)
	VG_LIBVIRT_QEMU_FUNCTIONS(X)
#undef X
#undef FIND
	return NULL;
}

struct vg_error *vg_libvirt_load(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static bool is_loaded;
	struct vg_libvirt_table table = {0};
	struct vg_error *error = NULL;
	pthread_mutex_lock(&lock);
	if (!is_loaded)
		error = load(&table);
	if (!is_loaded && !error) {
		vg_libvirt = table;
		is_loaded = true;
	}
	pthread_mutex_unlock(&lock);
	return error;
}
