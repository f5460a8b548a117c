// SPDX-License-Identifier: Apache-2.0
//
// The table of the language: one row a field. Reading, refusal, `vgrid explain`, the JSON Schema
// and docs/template-language.md all come from it. The plan takes the effect of a change from it.
#pragma once

#include <stdio.h>

#include "base/error.h"

enum vg_field_effect {
	VG_EFFECT_NONE,     // the record alone changes
	VG_EFFECT_LIVE,     // applied to what runs
	VG_EFFECT_RESTART,  // the node is stopped and started
	VG_EFFECT_RECREATE, // the node's root disk (or the disk, or the network) is made anew
};

const char *vg_field_effect_name(enum vg_field_effect effect);

// The effect of changing a field, named by its path in the language: "roles.*.memory",
// "roles.*.disks.*.size". An unknown path is a programming mistake.
enum vg_field_effect vg_field_effect(const char *path);

// `vgrid explain roles.worker.memory`: `worker` matches `*`. "" explains the top. A usage error
// with a "did you mean" for an unknown field.
struct vg_error *vg_language_explain(const char *path, FILE *out) VG_MUST_CHECK;
// `site.hosts.libvirt`: `site` in front means the language of site files.
// The JSON Schema (draft 2020-12) of a template, and of a site file.
struct vg_json *vg_language_schema(void);
struct vg_json *vg_site_language_schema(void);
// docs/template-language.md and docs/site-language.md.
void vg_language_write_markdown(FILE *out);
void vg_site_language_write_markdown(FILE *out);
