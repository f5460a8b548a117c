// SPDX-License-Identifier: Apache-2.0
//
// The judgement of the ways between hosts: do packets get there, and as large as the site says? A
// part of judge.c.
#pragma once

#include "orchestrator/doctor/facts.h"
#include "orchestrator/doctor/verdict.h"

// Of the ways from one host to the others. One verdict where all of them are good, else one for
// each that is not.
void vg_doctor_judge_paths(
	const struct vg_site_facts *facts, size_t host, struct vg_verdicts *verdicts);
