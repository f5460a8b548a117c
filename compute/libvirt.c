// SPDX-License-Identifier: Apache-2.0
#include "compute/libvirt.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "base/tag.h"
#include "base/text.h"
#include "compute/domain_xml.h"

// A libvirtd of this machine may still be starting; one far away is there or not.
enum { OPEN_TIMEOUT_S = 30, OPEN_REMOTE_TIMEOUT_S = 10, KEEPALIVE_S = 5, KEEPALIVE_COUNT = 3 };

int vg_libvirt_code(void)
{
	const virError *last = vg_libvirt.virGetLastError();
	return last ? last->code : VIR_ERR_OK;
}

static enum vg_error_kind kind_of(int code)
{
	switch (code) {
	case VIR_ERR_NO_DOMAIN:
		return VG_ERROR_NOT_FOUND;
	case VIR_ERR_AGENT_UNRESPONSIVE:
	case VIR_ERR_AGENT_UNSYNCED:
	case VIR_ERR_OPERATION_TIMEOUT:
		return VG_ERROR_TIMEOUT;
	default:
		return VG_ERROR_FAILED;
	}
}

struct vg_error *vg_libvirt_error(
	const struct vg_compute *compute, virDomainPtr domain, const char *doing)
{
	const virError *last = vg_libvirt.virGetLastError();
	enum vg_error_kind kind = last ? kind_of(last->code) : VG_ERROR_FAILED;
	_auto(vg_string) char *words =
		vg_strdup(last && last->message ? last->message : "libvirt does not say why");
	struct vg_error *error = vg_error_of(kind, "%s: %s", doing, words);
	const char *name = domain ? vg_libvirt.virDomainGetName(domain) : NULL;
	if (name)
		error = vg_error_while(error, "machine '%s'", name);
	return vg_error_while(error, "host '%s'", compute->host);
}

static void say_nothing(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

// Timers, keepalives and streams of all connections live on this thread. It only ever waits for
// descriptors and ends with the process.
static void *run_events(void *data)
{
	(void)data;
	for (;;) {
		if (vg_libvirt.virEventRunDefaultImpl() < 0)
			vg_libvirt.virResetLastError();
	}
	return NULL;
}

static void start_events(void)
{
	vg_libvirt.virSetErrorFunc(NULL, say_nothing);
	pthread_t thread;
	if (vg_libvirt.virEventRegisterDefaultImpl() < 0 ||
		pthread_create(&thread, NULL, run_events, NULL) != 0)
		abort();
	pthread_detach(thread);
}

// A connection being opened by a thread of its own, since nothing else bounds the time that a hung
// libvirtd takes to greet. Whoever comes last frees it.
struct opening {
	char *uri;
	int namespace_fd; // -1: opened where we are
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool is_done, is_abandoned;
	virConnectPtr connection;
	char *words; // libvirt's, when it failed
};

static void opening_free(struct opening *opening)
{
	if (opening->connection)
		vg_libvirt.virConnectClose(opening->connection);
	if (opening->namespace_fd >= 0)
		close(opening->namespace_fd);
	pthread_cond_destroy(&opening->done);
	pthread_mutex_destroy(&opening->lock);
	free(opening->words);
	free(opening->uri);
	free(opening);
}

// The thread is the opening's own, and ends in the namespace that it enters. A socket *is* its
// namespace: the connection is then used from anywhere.
static virConnectPtr open_inside(struct opening *opening, char **ret_words)
{
	virConnectAuth nobody_to_ask = {0};
	if (opening->namespace_fd >= 0 && setns(opening->namespace_fd, CLONE_NEWNET) < 0) {
		*ret_words = vg_format(
			"entering the network namespace of its underlay: %s", strerror(errno));
		return NULL;
	}
	virConnectPtr connection = vg_libvirt.virConnectOpenAuth(opening->uri, &nobody_to_ask, 0);
	if (!connection)
		*ret_words = vg_strdup(vg_libvirt.virGetLastErrorMessage());
	return connection;
}

static void *run_opening(void *data)
{
	struct opening *opening = data;
	char *words = NULL;
	virConnectPtr connection = open_inside(opening, &words);
	pthread_mutex_lock(&opening->lock);
	opening->connection = connection;
	opening->words = words;
	opening->is_done = true;
	bool is_abandoned = opening->is_abandoned;
	pthread_cond_signal(&opening->done);
	pthread_mutex_unlock(&opening->lock);
	if (is_abandoned)
		opening_free(opening);
	return NULL;
}

static struct vg_error *wait_for_opening(struct opening *opening, const char *host)
{
	int timeout_s = vg_libvirt_is_remote(opening->uri) ? OPEN_REMOTE_TIMEOUT_S : OPEN_TIMEOUT_S;
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += timeout_s;
	int code = 0;
	pthread_mutex_lock(&opening->lock);
	while (!opening->is_done && code == 0)
		code = pthread_cond_timedwait(&opening->done, &opening->lock, &end);
	opening->is_abandoned = !opening->is_done;
	bool is_abandoned = opening->is_abandoned;
	pthread_mutex_unlock(&opening->lock);
	if (is_abandoned)
		return vg_error_of(VG_ERROR_TIMEOUT,
			"host '%s': its libvirtd did not answer within %d s", host, timeout_s);
	if (opening->connection)
		return NULL;
	_auto(vg_string) char *remedy = vg_libvirt_explain(opening->uri, opening->words);
	struct vg_error *error =
		vg_error_new("host '%s': connecting to its libvirtd: %s", host, opening->words);
	return remedy ? vg_error_hint(error, "%s", remedy) : error;
}

static struct vg_error *connect_to(const struct vg_compute *compute, virConnectPtr *ret)
{
	struct opening *opening = vg_new(struct opening);
	opening->uri = vg_strdup(compute->uri);
	opening->namespace_fd =
		compute->namespace_fd < 0 ? -1 : fcntl(compute->namespace_fd, F_DUPFD_CLOEXEC, 0);
	pthread_mutex_init(&opening->lock, NULL);
	pthread_cond_init(&opening->done, NULL);
	pthread_t thread;
	int code = pthread_create(&thread, NULL, run_opening, opening);
	if (code != 0) {
		opening_free(opening);
		return vg_error_errno(code, "host '%s': starting a thread", compute->host);
	}
	pthread_detach(thread);
	struct vg_error *error = wait_for_opening(opening, compute->host);
	if (error && vg_error_kind(error) == VG_ERROR_TIMEOUT)
		return error; // the thread frees it
	if (!error)
		*ret = vg_take(opening->connection);
	opening_free(opening);
	if (!error && vg_libvirt.virConnectSetKeepAlive(*ret, KEEPALIVE_S, KEEPALIVE_COUNT) < 0)
		vg_libvirt.virResetLastError(); // a local driver has no connection that could hang
	return error;
}

static virConnectPtr take_idle(struct vg_compute *compute)
{
	virConnectPtr found = NULL;
	pthread_mutex_lock(&compute->lock);
	while (!found && compute->n_idle > 0) {
		virConnectPtr connection = compute->idle[--compute->n_idle];
		if (vg_libvirt.virConnectIsAlive(connection) == 1)
			found = connection;
		else
			vg_libvirt.virConnectClose(connection);
	}
	pthread_mutex_unlock(&compute->lock);
	return found;
}

struct vg_error *vg_libvirt_take(struct vg_compute *compute, struct vg_libvirt_hold *ret_hold)
{
	struct vg_libvirt_hold hold = {compute, take_idle(compute), NULL};
	struct vg_error *error = hold.connection ? NULL : connect_to(compute, &hold.connection);
	if (!error)
		*ret_hold = hold;
	return error;
}

void vg_libvirt_hold_done(struct vg_libvirt_hold *hold)
{
	if (hold->domain)
		vg_libvirt.virDomainFree(hold->domain);
	if (hold->connection) {
		struct vg_compute *compute = hold->compute;
		pthread_mutex_lock(&compute->lock);
		vg_append(compute->idle, compute->n_idle) = hold->connection;
		pthread_mutex_unlock(&compute->lock);
	}
	*hold = (struct vg_libvirt_hold){0};
}

static void close_host(struct vg_compute *compute)
{
	if (!compute)
		return;
	for (size_t i = 0; i < compute->n_idle; i++)
		vg_libvirt.virConnectClose(compute->idle[i]);
	pthread_mutex_destroy(&compute->lock);
	if (compute->namespace_fd >= 0)
		close(compute->namespace_fd);
	free(compute->idle);
	free(compute->host);
	free(compute->uri);
	free(compute->folder);
	free(compute->folder_seen);
	free(compute);
}

// Opens a first connection at once, so that a host that cannot be reached is told here.
static struct vg_error *open_host(const struct vg_compute_target *target, struct vg_compute **ret)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct vg_error *error = vg_libvirt_load();
	if (error)
		return error;
	pthread_once(&once, start_events);
	struct vg_compute *compute = vg_new(struct vg_compute);
	compute->host = vg_strdup(target->host);
	compute->uri = vg_strdup(target->uri);
	compute->folder = target->folder ? vg_strdup(target->folder) : NULL;
	compute->folder_seen = target->folder_seen ? vg_strdup(target->folder_seen) : NULL;
	compute->namespace_fd =
		target->namespace_fd > 0 ? fcntl(target->namespace_fd, F_DUPFD_CLOEXEC, 0) : -1;
	pthread_mutex_init(&compute->lock, NULL);
	struct vg_libvirt_hold hold = {0};
	error = vg_libvirt_take(compute, &hold);
	vg_libvirt_hold_done(&hold);
	if (error)
		close_host(compute);
	else
		*ret = compute;
	return error;
}

static struct vg_error *read_tag(struct vg_compute *compute, virDomainPtr domain, char **ret_tag)
{
	_auto(vg_string) char *metadata = vg_libvirt.virDomainGetMetadata(domain,
		VIR_DOMAIN_METADATA_ELEMENT, VG_DOMAIN_NAMESPACE, VIR_DOMAIN_AFFECT_CURRENT);
	if (!metadata && vg_libvirt_code() != VIR_ERR_NO_DOMAIN_METADATA)
		return vg_libvirt_error(compute, domain, "reading its tag");
	_auto(vg_domain_seen) struct vg_domain_seen seen = {0};
	struct vg_error *error =
		metadata ? vg_domain_read(metadata, strlen(metadata), &seen) : NULL;
	struct vg_tag tag;
	if (!error && !vg_tag_read(seen.tag, &tag))
		error = vg_error_new("it has no tag of vgrid, and is left alone");
	if (error)
		return vg_error_while(error, "host '%s': domain '%s'", compute->host,
			vg_libvirt.virDomainGetName(domain));
	*ret_tag = vg_take(seen.tag);
	return NULL;
}

struct vg_error *vg_libvirt_find(struct vg_compute *compute, const char *uuid,
	struct vg_libvirt_hold *ret_hold, char **ret_tag)
{
	_auto(vg_libvirt_hold) struct vg_libvirt_hold hold = {0};
	_auto(vg_string) char *tag = NULL;
	struct vg_error *error = vg_libvirt_take(compute, &hold);
	if (error)
		return error;
	hold.domain = vg_libvirt.virDomainLookupByUUIDString(hold.connection, uuid);
	if (!hold.domain) {
		_auto(vg_string) char *doing = vg_format("machine '%s'", uuid);
		return vg_libvirt_error(compute, NULL, doing);
	}
	error = read_tag(compute, hold.domain, &tag);
	if (error)
		return error;
	if (ret_tag)
		*ret_tag = vg_take(tag);
	*ret_hold = hold;
	hold = (struct vg_libvirt_hold){0};
	return NULL;
}

struct vg_error *vg_libvirt_read(struct vg_compute *compute, virDomainPtr domain, unsigned flags,
	struct vg_domain_seen *ret_seen)
{
	_auto(vg_string) char *xml = vg_libvirt.virDomainGetXMLDesc(domain, flags);
	if (!xml)
		return vg_libvirt_error(compute, domain, "reading it");
	return vg_error_while(vg_domain_read(xml, strlen(xml), ret_seen), "host '%s': domain '%s'",
		compute->host, vg_libvirt.virDomainGetName(domain));
}

const struct vg_compute_driver vg_compute_libvirt = {
	.name = "libvirt",
	.open = open_host,
	.close = close_host,
	.observe = vg_libvirt_observe,
	.state = vg_libvirt_state,
	.define = vg_libvirt_define,
	.start = vg_libvirt_start,
	.stop = vg_libvirt_stop,
	.remove = vg_libvirt_remove,
	.agent = vg_libvirt_agent,
	.console_log = vg_libvirt_console_log,
	.open_stream = vg_libvirt_open_stream,
	.facts = vg_libvirt_facts,
};
