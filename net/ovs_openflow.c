// SPDX-License-Identifier: Apache-2.0
#include "net/ovs_openflow.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <openflow/openflow.h>
#include <openvswitch/match.h>
#include <openvswitch/ofp-bundle.h>
#include <openvswitch/ofp-errors.h>
#include <openvswitch/ofp-flow.h>
#include <openvswitch/ofp-meter.h>
#include <openvswitch/ofp-msgs.h>
#include <openvswitch/ofp-protocol.h>
#include <openvswitch/ofp-util.h>
#include <openvswitch/ofpbuf.h>
#include <openvswitch/vlog.h>
#include <pthread.h>
#include <string.h>

#include "base/text.h"

enum { BUNDLE_ID = 1, KILO = 1000 };

static const enum ofp_version version = OFP14_VERSION; // the first with bundles

struct vg_openflow {
	struct vg_ovs_wire *wire;
	uint64_t deadline;
};

static void ofpbuf_auto_free(struct ofpbuf **buffer)
{
	ofpbuf_delete(*buffer);
}

// The library would log foreign messages that it cannot read to standard error and syslog; what
// matters comes back as an error.
static void silence(void)
{
	vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
}

static enum ofputil_protocol protocol(void)
{
	return ofputil_protocol_from_ofp_version(version);
}

static struct vg_error *send_message(struct vg_openflow *openflow, struct ofpbuf *message)
{
	ofpmsg_update_length(message);
	return vg_ovs_wire_send(openflow->wire, message->data, message->size, openflow->deadline);
}

static struct vg_error *read_whole(struct vg_openflow *openflow, void *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		size_t n = 0;
		struct vg_error *error = vg_ovs_wire_receive(
			openflow->wire, (char *)bytes + done, size - done, openflow->deadline, &n);
		if (error)
			return error;
		done += n;
	}
	return NULL;
}

static struct vg_error *receive_any(struct vg_openflow *openflow, struct ofpbuf **ret_message)
{
	struct ofp_header header;
	struct vg_error *error = read_whole(openflow, &header, sizeof(header));
	if (error)
		return error;
	size_t size = ntohs(header.length);
	if (size < sizeof(header))
		return vg_error_new("it does not speak OpenFlow");
	_auto(ofpbuf) struct ofpbuf *message = ofpbuf_new(size);
	ofpbuf_put(message, &header, sizeof(header));
	error = read_whole(
		openflow, ofpbuf_put_uninit(message, size - sizeof(header)), size - sizeof(header));
	if (!error)
		*ret_message = vg_take(message);
	return error;
}

// The next message that is for us; an error message is an error, and *ret_code its number.
static struct vg_error *receive(struct vg_openflow *openflow, enum ofptype *ret_type,
	struct ofpbuf **ret_message, enum ofperr *ret_code)
{
	for (;;) {
		_auto(ofpbuf) struct ofpbuf *message = NULL;
		enum ofptype type;
		struct vg_error *error = receive_any(openflow, &message);
		if (error)
			return error;
		const struct ofp_header *header = message->data;
		if (ofptype_decode(&type, header))
			continue;
		if (type == OFPTYPE_ECHO_REQUEST) {
			_auto(ofpbuf) struct ofpbuf *reply = ofputil_encode_echo_reply(header);
			error = send_message(openflow, reply);
			if (error)
				return error;
			continue;
		}
		if (type == OFPTYPE_ERROR) {
			*ret_code = ofperr_decode_msg(header, NULL);
			return vg_error_new("the switch refuses: %s", ofperr_to_string(*ret_code));
		}
		*ret_type = type;
		*ret_message = vg_take(message);
		return NULL;
	}
}

static struct vg_error *await(
	struct vg_openflow *openflow, enum ofptype wanted, struct ofpbuf **ret_message)
{
	for (;;) {
		_auto(ofpbuf) struct ofpbuf *message = NULL;
		enum ofptype type;
		enum ofperr code;
		struct vg_error *error = receive(openflow, &type, &message, &code);
		if (error)
			return error;
		if (type == wanted) {
			*ret_message = vg_take(message);
			return NULL;
		}
	}
}

struct vg_error *vg_openflow_open(
	struct vg_ovs_wire *wire, uint64_t deadline, struct vg_openflow **ret_openflow)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, silence);
	_auto(vg_openflow) struct vg_openflow *openflow = vg_new(struct vg_openflow);
	*openflow = (struct vg_openflow){wire, deadline};
	_auto(ofpbuf) struct ofpbuf *hello = ofputil_encode_hello(1u << version), *answer = NULL;
	struct vg_error *error = send_message(openflow, hello);
	uint32_t versions = 0;
	if (!error)
		error = await(openflow, OFPTYPE_HELLO, &answer);
	if (!error &&
		(!ofputil_decode_hello(answer->data, &versions) || !(versions & 1u << version)))
		error = vg_error_new("the bridge does not speak OpenFlow 1.4");
	if (!error)
		*ret_openflow = vg_take(openflow);
	return error;
}

void vg_openflow_free(struct vg_openflow *openflow)
{
	if (!openflow)
		return;
	vg_ovs_wire_free(openflow->wire);
	free(openflow);
}

static int compare_cookies(const void *a, const void *b)
{
	const uint64_t *first = a, *second = b;
	return *first < *second ? -1 : *first > *second;
}

// One of the pieces that an answer of many flows comes in.
static struct vg_error *read_cookies(
	struct ofpbuf *message, struct ofpbuf *actions, uint64_t **cookies, size_t *n_cookies)
{
	for (;;) {
		struct ofputil_flow_stats flow;
		ofpbuf_clear(actions);
		int status = ofputil_decode_flow_stats_reply(&flow, message, true, actions);
		if (status == EOF)
			return NULL;
		if (status != 0)
			return vg_error_new("its list of flows cannot be read: %s",
				ofperr_to_string((enum ofperr)status));
		vg_append(*cookies, *n_cookies) = be64toh(flow.cookie);
	}
}

struct vg_error *vg_openflow_cookies(
	struct vg_openflow *openflow, uint32_t group, uint64_t **ret_cookies, size_t *ret_n_cookies)
{
	struct ofputil_flow_stats_request request = {
		.cookie = htobe64((uint64_t)group << 32),
		.cookie_mask = htobe64(0xffffffff00000000),
		.out_port = OFPP_ANY,
		.out_group = OFPG_ANY,
		.table_id = OFPTT_ALL,
	};
	match_init_catchall(&request.match);
	_auto(ofpbuf) struct ofpbuf *question =
		ofputil_encode_flow_stats_request(&request, protocol());
	_auto(ofpbuf) struct ofpbuf *actions = ofpbuf_new(256);
	uint64_t *cookies = NULL;
	size_t n_cookies = 0;
	bool has_more = true;
	struct vg_error *error = send_message(openflow, question);
	while (!error && has_more) {
		_auto(ofpbuf) struct ofpbuf *message = NULL;
		error = await(openflow, OFPTYPE_FLOW_STATS_REPLY, &message);
		if (error)
			break;
		has_more = ofpmp_more(message->data);
		error = read_cookies(message, actions, &cookies, &n_cookies);
	}
	if (error) {
		free(cookies);
		return error;
	}
	if (n_cookies)
		qsort(cookies, n_cookies, sizeof(*cookies), compare_cookies);
	*ret_cookies = cookies;
	*ret_n_cookies = n_cookies;
	return NULL;
}

static struct vg_error *send_control(struct vg_openflow *openflow, uint16_t type)
{
	struct ofputil_bundle_ctrl_msg control = {
		.bundle_id = BUNDLE_ID, .type = type, .flags = OFPBF_ATOMIC | OFPBF_ORDERED};
	_auto(ofpbuf) struct ofpbuf *message =
		ofputil_encode_bundle_ctrl_request(version, &control);
	return send_message(openflow, message);
}

static struct vg_error *add_to_bundle(struct vg_openflow *openflow, int command, const char *text)
{
	struct ofputil_flow_mod flow;
	enum ofputil_protocol usable;
	_auto(vg_string) char *fault =
		parse_ofp_flow_mod_str(&flow, text, NULL, NULL, command, &usable);
	if (fault)
		return vg_error_new("the flow '%s' cannot be written: %s", text, fault);
	_auto(ofpbuf) struct ofpbuf *inner = ofputil_encode_flow_mod(&flow, protocol());
	minimatch_destroy(&flow.match);
	free(flow.ofpacts);
	ofpmsg_update_length(inner);
	struct ofputil_bundle_add_msg item = {
		.bundle_id = BUNDLE_ID, .flags = OFPBF_ATOMIC | OFPBF_ORDERED, .msg = inner->data};
	_auto(ofpbuf) struct ofpbuf *message = ofputil_encode_bundle_add(version, &item);
	return send_message(openflow, message);
}

struct vg_error *vg_openflow_replace(struct vg_openflow *openflow, const uint32_t *groups,
	size_t n_groups, const char *const *flows, size_t n_flows)
{
	_auto(ofpbuf) struct ofpbuf *opened = NULL, *committed = NULL;
	struct vg_error *error = send_control(openflow, OFPBCT_OPEN_REQUEST);
	if (!error)
		error = await(openflow, OFPTYPE_BUNDLE_CONTROL, &opened);
	for (size_t i = 0; i < n_groups && !error; i++) {
		_auto(vg_string) char *old = vg_format(
			"cookie=0x%" PRIx64 "/0xffffffff00000000", (uint64_t)groups[i] << 32);
		error = add_to_bundle(openflow, OFPFC_DELETE, old);
	}
	for (size_t i = 0; i < n_flows && !error; i++)
		error = add_to_bundle(openflow, OFPFC_ADD, flows[i]);
	if (!error)
		error = send_control(openflow, OFPBCT_COMMIT_REQUEST);
	if (!error)
		error = await(openflow, OFPTYPE_BUNDLE_CONTROL, &committed);
	return error;
}

struct vg_error *vg_openflow_count_meters(struct vg_openflow *openflow, uint32_t *ret_n_meters)
{
	_auto(ofpbuf) struct ofpbuf *question =
		ofputil_encode_meter_request(version, OFPUTIL_METER_FEATURES, 0);
	_auto(ofpbuf) struct ofpbuf *answer = NULL;
	struct vg_error *error = send_message(openflow, question);
	if (!error)
		error = await(openflow, OFPTYPE_METER_FEATURES_STATS_REPLY, &answer);
	if (error)
		return error;
	struct ofputil_meter_features features;
	ofputil_decode_meter_features(answer->data, &features);
	bool has_drop = features.band_types & 1u << OFPMBT13_DROP;
	*ret_n_meters = has_drop ? features.max_meters : 0;
	return NULL;
}

// Sends the change and a barrier: an answer to the barrier alone means that it was done.
static struct vg_error *change_meter(
	struct vg_openflow *openflow, const struct ofputil_meter_mod *change, enum ofperr *ret_code)
{
	_auto(ofpbuf) struct ofpbuf *message = ofputil_encode_meter_mod(version, change);
	_auto(ofpbuf) struct ofpbuf *barrier = ofputil_encode_barrier_request(version);
	struct vg_error *error = send_message(openflow, message), *refusal = NULL;
	if (!error)
		error = send_message(openflow, barrier);
	for (bool is_done = false; !error && !is_done;) {
		_auto(ofpbuf) struct ofpbuf *answer = NULL;
		enum ofptype type = OFPTYPE_ERROR;
		*ret_code = 0;
		error = receive(openflow, &type, &answer, ret_code);
		is_done = type == OFPTYPE_BARRIER_REPLY;
		if (error && *ret_code) { // and the barrier's answer is still to come
			refusal = vg_take(error);
			error = await(openflow, OFPTYPE_BARRIER_REPLY, &answer);
			is_done = true;
		}
	}
	if (error) {
		vg_error_free(refusal);
		return error;
	}
	return refusal;
}

struct vg_error *vg_openflow_set_meter(
	struct vg_openflow *openflow, uint32_t id, uint64_t rate, uint64_t burst)
{
	struct ofputil_meter_band band = {.type = OFPMBT13_DROP,
		.rate = rate < KILO ? 1 : (uint32_t)(rate / KILO),
		.burst_size = burst < KILO ? 1 : (uint32_t)(burst / KILO)};
	struct ofputil_meter_mod change = {.command = OFPMC13_ADD,
		.meter = {.meter_id = id,
			.flags = OFPMF13_KBPS | OFPMF13_BURST,
			.n_bands = 1,
			.bands = &band}};
	enum ofperr code = 0;
	struct vg_error *error = change_meter(openflow, &change, &code);
	if (error && code == OFPERR_OFPMMFC_METER_EXISTS) {
		vg_error_ignore(error);
		change.command = OFPMC13_MODIFY;
		error = change_meter(openflow, &change, &code);
	}
	return error;
}

struct vg_error *vg_openflow_remove_meter(struct vg_openflow *openflow, uint32_t id)
{
	struct ofputil_meter_mod change = {.command = OFPMC13_DELETE, .meter = {.meter_id = id}};
	enum ofperr code = 0;
	struct vg_error *error = change_meter(openflow, &change, &code);
	if (error &&
		(code == OFPERR_OFPMMFC_UNKNOWN_METER || code == OFPERR_OFPMMFC_INVALID_METER)) {
		vg_error_ignore(error);
		return NULL;
	}
	return error;
}
