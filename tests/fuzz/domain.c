// SPDX-License-Identifier: Apache-2.0
//
// The XML of domains, which anybody may have defined, and what stands in its metadata: the tag, and
// what was applied.
#include "tests/fuzz/fuzz.h"

#include "base/tag.h"
#include "compute/domain_read.h"
#include "orchestrator/plan/applied.h"

static const char wanted[] =
	"{\"cpu\":1,\"cpu-limit\":0,\"disks\":[],\"env\":null,\"files\":null,\"generator\":1,"
	"\"grid\":\"g\",\"image\":\"d\",\"memory\":268435456,\"nics\":[],\"node\":\"n\","
	"\"role\":\"n\",\"setup\":null}";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_auto(vg_domain_seen) struct vg_domain_seen domain = {0};
	_auto(vg_error) struct vg_error *error = vg_domain_read((const char *)bytes, size, &domain);
	if (error)
		return 0;
	struct vg_tag tag;
	if (vg_tag_read(domain.tag, &tag)) {
		fuzz_must(strlen(tag.store) < sizeof(tag.store) && *tag.store);
		fuzz_must(strlen(tag.grid) < sizeof(tag.grid) && *tag.grid);
		fuzz_must(tag.path > domain.tag && tag.path <= domain.tag + strlen(domain.tag));
	}
	struct vg_applied_difference difference = vg_applied_compare(domain.applied, wanted);
	fuzz_must(difference.text || difference.effect == VG_EFFECT_NONE);
	free(difference.text);
	return 0;
}
