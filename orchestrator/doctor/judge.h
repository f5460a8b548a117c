// SPDX-License-Identifier: Apache-2.0
//
// What is good, what is missing and how it is mended, by the facts of a site. Pure: facts →
// verdicts. Used by `doctor --site`.
#pragma once

#include "orchestrator/doctor/facts.h"
#include "orchestrator/doctor/verdict.h"

// Verdicts of all hosts, in the site's order, then what lies between them. They borrow names from
// the facts.
void vg_doctor_judge(const struct vg_site_facts *facts, struct vg_verdicts *ret_verdicts);
