// SPDX-License-Identifier: Apache-2.0
//
// Results of tests as text: for people, as TAP 14 and as JUnit XML. Pure.
#pragma once

#include "orchestrator/cli/tests_run.h"

void vg_tests_add_table(struct vg_text *text, const struct vg_test_result *results, size_t n);
// Test Anything Protocol 14 (testanything.org), with YAML blocks for what failed.
void vg_tests_add_tap(struct vg_text *text, const struct vg_test_result *results, size_t n);
// One suite named after the grid, one case a test and node.
void vg_tests_add_junit(
	struct vg_text *text, const char *grid, const struct vg_test_result *results, size_t n);
