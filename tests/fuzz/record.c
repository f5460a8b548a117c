// SPDX-License-Identifier: Apache-2.0
//
// Records: JSON from a store → record. What is read can be written, and reads back as the same.
#include "tests/fuzz/fuzz.h"

#include "base/json.h"
#include "orchestrator/state/record.h"

static struct vg_record *read_record(const char *bytes, size_t size)
{
	_auto(vg_json) struct vg_json *json = NULL;
	struct vg_record *record = NULL;
	_auto(vg_error) struct vg_error *error = vg_json_read(bytes, size, &json);
	if (error)
		return NULL;
	free(vg_json_write_canonical(json));
	_auto(vg_error) struct vg_error *refused = vg_record_from_json(json, &record);
	fuzz_must(!refused == (record != NULL));
	return record;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_auto(vg_record) struct vg_record *record = read_record((const char *)bytes, size);
	if (!record)
		return 0;
	_auto(vg_json) struct vg_json *json = vg_record_to_json(record);
	_auto(vg_string) char *text = vg_json_write_pretty(json);
	_auto(vg_record) struct vg_record *copy = read_record(text, strlen(text));
	fuzz_must(copy);
	_auto(vg_json) struct vg_json *again = vg_record_to_json(copy);
	_auto(vg_string) char *same = vg_json_write_pretty(again);
	fuzz_must(strcmp(text, same) == 0);
	return 0;
}
