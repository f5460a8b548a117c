// SPDX-License-Identifier: Apache-2.0
//
// bench-define-start URI N_THREADS FILE.xml…: defines and starts the domains with so many threads
// on one connection, by libvirt's C API and nothing else, and prints the seconds of that: what no
// tool that uses libvirt can be quicker than.
#include <libvirt/libvirt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/file.h"
#include "base/memory.h"
#include "bench/timer.h"

enum { XML_MAX = 1 << 20 };

static virConnectPtr connection;
static char **documents;
static size_t n_documents;
static atomic_size_t next_document;
static atomic_bool has_failed;

static void *work(void *data)
{
	(void)data;
	for (size_t i; (i = atomic_fetch_add(&next_document, 1)) < n_documents;) {
		virDomainPtr domain = virDomainDefineXML(connection, documents[i]);
		if (!domain || virDomainCreate(domain) < 0)
			atomic_store(&has_failed, true);
		if (domain)
			virDomainFree(domain);
	}
	return NULL;
}

int main(int argc, char *argv[])
{
	if (argc < 4) {
		fprintf(stderr, "usage: %s URI N_THREADS FILE.xml...\n", argv[0]);
		return 2;
	}
	size_t n_threads = strtoul(argv[2], NULL, 10);
	pthread_t threads[64];
	if (n_threads < 1 || n_threads > VG_LENGTH(threads))
		return 2;
	n_documents = (size_t)argc - 3;
	documents = vg_alloc(n_documents * sizeof(char *));
	for (size_t i = 0; i < n_documents; i++)
		bench_must(vg_file_read(argv[i + 3], XML_MAX, &documents[i], NULL));
	connection = virConnectOpen(argv[1]);
	if (!connection)
		return 1;
	double begun = bench_now();
	for (size_t i = 0; i < n_threads; i++) {
		if (pthread_create(&threads[i], NULL, work, NULL))
			abort();
	}
	for (size_t i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
	printf("%.6f\n", bench_now() - begun);
	virConnectClose(connection);
	for (size_t i = 0; i < n_documents; i++)
		free(documents[i]);
	free(documents);
	return atomic_load(&has_failed);
}
