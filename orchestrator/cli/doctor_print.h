// SPDX-License-Identifier: Apache-2.0
//
// Verdicts as a table for people, where what holds for several hosts stands once, with the remedies
// below, each to be copied. Used by `doctor`.
#pragma once

#include "orchestrator/doctor/verdict.h"

// n_hosts of the site that was looked at; 0: this machine, and there is no column of hosts.
void vg_doctor_print(const struct vg_verdicts *verdicts, size_t n_hosts);
