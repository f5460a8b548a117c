// SPDX-License-Identifier: Apache-2.0
#include "storage/qcow2.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"

// Ours: cluster 0 is the header, 1 the refcount table, 2 its only block, the L1 table from 3 on.
enum {
	CLUSTER_BITS = 16,
	CLUSTER_SIZE = 1 << CLUSTER_BITS,
	L1_CLUSTER = 3,
	HEADER_SIZE_V2 = 72,
	HEADER_SIZE_V3 = 104,
	BACKING_LENGTH_MAX = 1023,
	L1_SIZE_MAX = 32 << 20,      // QEMU's own limit
	REFCOUNT_SIZE_MAX = 8 << 20, // this too
	SNAPSHOTS_MAX = 65536,
};

static const uint8_t magic[4] = {'Q', 'F', 'I', 0xfb};

enum field {
	FIELD_VERSION = 4,
	FIELD_BACKING_OFFSET = 8,
	FIELD_BACKING_LENGTH = 16,
	FIELD_CLUSTER_BITS = 20,
	FIELD_SIZE = VG_QCOW2_SIZE_AT,
	FIELD_CRYPT_METHOD = 32,
	FIELD_L1_ENTRIES = 36,
	FIELD_L1_OFFSET = 40,
	FIELD_REFCOUNT_OFFSET = 48,
	FIELD_REFCOUNT_CLUSTERS = 56,
	FIELD_SNAPSHOTS = 60,
	FIELD_INCOMPATIBLE = 72,
	FIELD_AUTOCLEAR = 88,
	FIELD_REFCOUNT_ORDER = 96,
	FIELD_HEADER_LENGTH = 100,
	FIELD_COMPRESSION_TYPE = 104, // of one byte, where the header is as long
};

enum extension {
	EXTENSION_END = 0,
	EXTENSION_DATA_FILE = 0x44415441,
	EXTENSION_ENCRYPTION = 0x0537be77,
};
static const uint32_t extension_backing_format = 0xe2792aca;

// Incompatible features, as numbers of bits.
enum feature {
	FEATURE_DIRTY,
	FEATURE_CORRUPT,
	FEATURE_DATA_FILE,
	FEATURE_COMPRESSION_TYPE,
	FEATURE_EXTENDED_L2,
	N_FEATURES,
};

static void put(uint8_t *at, size_t size, uint64_t value)
{
	for (size_t i = size; i > 0; i--, value >>= 8)
		at[i - 1] = (uint8_t)value;
}

static uint64_t get(const uint8_t *at, size_t size)
{
	uint64_t value = 0;
	for (size_t i = 0; i < size; i++)
		value = value << 8 | at[i];
	return value;
}

static uint32_t get32(const uint8_t *header, enum field field)
{
	return (uint32_t)get(header + field, 4);
}

static uint64_t get64(const uint8_t *header, enum field field)
{
	return get(header + field, 8);
}

static uint64_t divide_up(uint64_t value, uint64_t by)
{
	return value / by + (value % by != 0);
}

static struct vg_error *check_wish(const struct vg_qcow2_wish *wish)
{
	if (wish->size == 0 || wish->size % VG_SECTOR_SIZE)
		return vg_error_new("a disk of %" PRIu64
				    " bytes: its size must be a multiple of %d",
			wish->size, VG_SECTOR_SIZE);
	if (wish->size > VG_DISK_SIZE_MAX)
		return vg_error_new(
			"a disk of %" PRIu64 " bytes: at most 64TiB are possible", wish->size);
	if (!wish->backing_path)
		return NULL;
	// QEMU takes what stands before a colon for a protocol, unless the path begins with a
	// slash.
	if (wish->backing_path[0] != '/' || strlen(wish->backing_path) > BACKING_LENGTH_MAX)
		return vg_error_new("'%s' must be an absolute path of at most %d bytes",
			wish->backing_path, BACKING_LENGTH_MAX);
	return NULL;
}

static void put_backing(uint8_t *header, const struct vg_qcow2_wish *wish)
{
	uint8_t *at = header + HEADER_SIZE_V3;
	size_t length = strlen(wish->backing_format);
	put(at, 4, extension_backing_format);
	put(at + 4, 4, length);
	memcpy(at + 8, wish->backing_format, length);
	at += 8 + divide_up(length, 8) * 8;
	at += 8; // the extension that ends them: zeros
	put(header + FIELD_BACKING_OFFSET, 8, (uint64_t)(at - header));
	put(header + FIELD_BACKING_LENGTH, 4, strlen(wish->backing_path));
	memcpy(at, wish->backing_path, strlen(wish->backing_path));
}

struct vg_error *vg_qcow2_make(const struct vg_qcow2_wish *wish, void **ret_bytes, size_t *ret_size)
{
	struct vg_error *error = check_wish(wish);
	if (error)
		return error;
	uint64_t per_cluster = CLUSTER_SIZE / 8;
	uint64_t room = wish->backing_path ? wish->size : VG_DISK_SIZE_MAX;
	uint64_t l1_clusters = divide_up(room, CLUSTER_SIZE * per_cluster * per_cluster);
	size_t size = (size_t)(L1_CLUSTER + l1_clusters) * CLUSTER_SIZE;
	uint8_t *bytes = vg_alloc(size);

	memcpy(bytes, magic, sizeof(magic));
	put(bytes + FIELD_VERSION, 4, 3);
	put(bytes + FIELD_CLUSTER_BITS, 4, CLUSTER_BITS);
	put(bytes + FIELD_SIZE, 8, wish->size);
	put(bytes + FIELD_L1_ENTRIES, 4, l1_clusters * per_cluster);
	put(bytes + FIELD_L1_OFFSET, 8, L1_CLUSTER * CLUSTER_SIZE);
	put(bytes + FIELD_REFCOUNT_OFFSET, 8, 1 * CLUSTER_SIZE);
	put(bytes + FIELD_REFCOUNT_CLUSTERS, 4, 1);
	put(bytes + FIELD_REFCOUNT_ORDER, 4, 4);
	put(bytes + FIELD_HEADER_LENGTH, 4, HEADER_SIZE_V3);
	if (wish->backing_path)
		put_backing(bytes, wish);
	put(bytes + 1 * CLUSTER_SIZE, 8, 2 * CLUSTER_SIZE);
	for (uint64_t i = 0; i < L1_CLUSTER + l1_clusters; i++)
		put(bytes + 2 * CLUSTER_SIZE + 2 * i, 2, 1);
	*ret_bytes = bytes;
	*ret_size = size;
	return NULL;
}

void vg_qcow2_facts_done(struct vg_qcow2_facts *facts)
{
	free(facts->backing_path);
	*facts = (struct vg_qcow2_facts){0};
}

bool vg_qcow2_is_magic(const void *bytes, size_t size)
{
	return size >= sizeof(magic) && memcmp(bytes, magic, sizeof(magic)) == 0;
}

static struct vg_error *read_features(
	const uint8_t *header, size_t size, uint64_t *ret_end, struct vg_qcow2_facts *facts)
{
	if (facts->version == 2) {
		*ret_end = HEADER_SIZE_V2;
		return NULL;
	}
	uint64_t length = get32(header, FIELD_HEADER_LENGTH);
	if (length < HEADER_SIZE_V3 || length % 8 || length > UINT64_C(1) << facts->cluster_bits)
		return vg_error_new("its header claims a length of %" PRIu64 " bytes", length);
	if (length > size)
		return vg_error_new("its header is cut off");
	if (get32(header, FIELD_REFCOUNT_ORDER) > 6)
		return vg_error_new("its header claims refcounts of 2^%" PRIu32 " bits",
			get32(header, FIELD_REFCOUNT_ORDER));
	uint64_t incompatible = get64(header, FIELD_INCOMPATIBLE);
	facts->is_dirty = incompatible >> FEATURE_DIRTY & 1;
	facts->is_corrupt = incompatible >> FEATURE_CORRUPT & 1;
	facts->has_data_file = incompatible >> FEATURE_DATA_FILE & 1;
	if (incompatible >> FEATURE_EXTENDED_L2 & 1)
		facts->l2_entry_size = 16;
	facts->unknown_incompatible = incompatible >> N_FEATURES << N_FEATURES;
	// QEMU refuses a type that is not the usual one without the feature, and the other way
	// round.
	unsigned compression = length > FIELD_COMPRESSION_TYPE ? header[FIELD_COMPRESSION_TYPE] : 0;
	if ((incompatible >> FEATURE_COMPRESSION_TYPE & 1) != (compression != 0) || compression > 1)
		return vg_error_new("its header contradicts itself about compression");
	facts->has_bitmaps = get64(header, FIELD_AUTOCLEAR) & 1;
	*ret_end = length;
	return NULL;
}

// Walks the extensions between the header and the backing path or the end of the first cluster.
static struct vg_error *read_extensions(const uint8_t *header, uint64_t size, uint64_t at,
	uint64_t end, struct vg_qcow2_facts *facts)
{
	while (at + 8 <= end) {
		if (at + 8 > size)
			return vg_error_new("its header is cut off");
		uint64_t type = get(header + at, 4), length = get(header + at + 4, 4);
		if (type == EXTENSION_END)
			return NULL;
		if (type == EXTENSION_DATA_FILE)
			facts->has_data_file = true;
		if (type == EXTENSION_ENCRYPTION)
			facts->is_encrypted = true;
		at += 8;
		if (length > end - at)
			return vg_error_new("a header extension claims %" PRIu64 " bytes", length);
		at += divide_up(length, 8) * 8;
	}
	return NULL;
}

static struct vg_error *read_backing(
	const uint8_t *header, uint64_t size, struct vg_qcow2_facts *facts)
{
	uint64_t offset = get64(header, FIELD_BACKING_OFFSET);
	uint64_t length = get32(header, FIELD_BACKING_LENGTH);
	if (offset == 0)
		return NULL;
	facts->has_backing = true;
	if (length > BACKING_LENGTH_MAX || offset > UINT64_C(1) << facts->cluster_bits ||
		offset > size || length > size - offset)
		return vg_error_new("its backing path lies outside of the header");
	facts->backing_path = vg_strndup((const char *)header + offset, (size_t)length);
	return NULL;
}

static struct vg_error *read_tables(const uint8_t *header, struct vg_qcow2_facts *facts)
{
	facts->l1_offset = get64(header, FIELD_L1_OFFSET);
	facts->l1_entries = get32(header, FIELD_L1_ENTRIES);
	facts->l2_entries = (UINT64_C(1) << facts->cluster_bits) / facts->l2_entry_size;
	facts->refcount_offset = get64(header, FIELD_REFCOUNT_OFFSET);
	facts->n_snapshots = get32(header, FIELD_SNAPSHOTS);
	if (facts->size > INT64_MAX)
		return vg_error_new("its header claims %" PRIu64 " bytes", facts->size);
	uint64_t covered = facts->l2_entries << facts->cluster_bits;
	uint64_t refcount_clusters = get32(header, FIELD_REFCOUNT_CLUSTERS);
	if (facts->l1_entries > L1_SIZE_MAX / 8 || facts->n_snapshots > SNAPSHOTS_MAX ||
		refcount_clusters > (uint64_t)REFCOUNT_SIZE_MAX >> facts->cluster_bits)
		return vg_error_new("its header claims tables of an absurd size");
	if (facts->l1_entries < divide_up(facts->size, covered))
		return vg_error_new("its L1 table of %" PRIu64 " entries is too small for %" PRIu64
				    " bytes",
			facts->l1_entries, facts->size);
	if (!refcount_clusters || !facts->refcount_offset ||
		facts->refcount_offset % (UINT64_C(1) << facts->cluster_bits) ||
		facts->refcount_offset > INT64_MAX)
		return vg_error_new("its header has no refcount table, or at an impossible place");
	if (facts->l1_offset % (UINT64_C(1) << facts->cluster_bits) ||
		facts->l1_offset > INT64_MAX - L1_SIZE_MAX)
		return vg_error_new(
			"its L1 table lies at an impossible place, %" PRIu64, facts->l1_offset);
	return NULL;
}

struct vg_error *vg_qcow2_read(const void *bytes, size_t size, struct vg_qcow2_facts *ret_facts)
{
	const uint8_t *header = bytes;
	if (!vg_qcow2_is_magic(bytes, size))
		return vg_error_new("it is no qcow2 image");
	if (size < HEADER_SIZE_V3)
		return vg_error_new("its header is cut off");
	_auto(vg_qcow2_facts) struct vg_qcow2_facts facts = {.l2_entry_size = 8};
	facts.version = get32(header, FIELD_VERSION);
	if (facts.version != 2 && facts.version != 3)
		return vg_error_new("its qcow2 version is %u; 2 and 3 are known", facts.version);
	facts.cluster_bits = get32(header, FIELD_CLUSTER_BITS);
	if (facts.cluster_bits < 9 || facts.cluster_bits > 21)
		return vg_error_new("its header claims clusters of 2^%u bytes", facts.cluster_bits);
	facts.size = get64(header, FIELD_SIZE);
	facts.is_encrypted = get32(header, FIELD_CRYPT_METHOD) != 0;

	uint64_t header_end = 0;
	struct vg_error *error = read_features(header, size, &header_end, &facts);
	if (!error)
		error = read_backing(header, size, &facts);
	uint64_t end = facts.has_backing ? get64(header, FIELD_BACKING_OFFSET)
					 : UINT64_C(1) << facts.cluster_bits;
	if (!error)
		error = read_extensions(header, size, header_end, end, &facts);
	if (!error)
		error = read_tables(header, &facts);
	if (error)
		return error;
	*ret_facts = facts;
	facts.backing_path = NULL;
	return NULL;
}

struct vg_error *vg_qcow2_grow(
	const struct vg_qcow2_facts *facts, uint64_t size, uint8_t ret_field[8])
{
	_auto(vg_string) char *now = vg_units_write_size(facts->size);
	_auto(vg_string) char *wanted = vg_units_write_size(size);
	if (size < facts->size)
		return vg_error_new("it has %s and cannot shrink to %s", now, wanted);
	struct vg_error *error = check_wish(&(struct vg_qcow2_wish){.size = size});
	if (error)
		return error;
	if (facts->is_corrupt || facts->is_dirty || facts->unknown_incompatible)
		return vg_error_new("it is damaged or was not closed cleanly");
	if (facts->n_snapshots || facts->has_bitmaps)
		return vg_error_new("it holds snapshots or bitmaps of its present size");
	if (divide_up(size, facts->l2_entries << facts->cluster_bits) > facts->l1_entries)
		return vg_error_new("its tables have no room for %s", wanted);
	put(ret_field, 8, size);
	return NULL;
}
