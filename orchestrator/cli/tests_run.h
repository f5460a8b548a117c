// SPDX-License-Identifier: Apache-2.0
//
// Runs a template's tests on a grid by the guest agent: commands on every node of a role, and
// reachability matrices of networks. Used by `vgrid test`, which prints the results.
#pragma once

#include "base/text.h"
#include "orchestrator/run/session.h"

// How it went on one node.
struct vg_test_outcome {
	const struct vg_node *node;
	bool is_good;
	char *why;    // NULL if it is good
	char *output; // of the last try, standard output and error; NULL if there was none
	unsigned n_tries;
};

struct vg_test_result {
	const struct vg_test *test;
	bool is_good;
	uint64_t took_ms;
	const char *probed;               // of a matrix: what its second ping was; NULL: not known
	struct vg_test_outcome *outcomes; // one a node
	size_t n_outcomes;
};

// One a test of the template, in its order, one after the other; the nodes of a test in parallel.
// Failed tests are results; an error is for Ctrl-C alone.
struct vg_error *vg_tests_run(
	struct vg_session *session, struct vg_test_result **ret_results) VG_MUST_CHECK;
void vg_tests_done(struct vg_test_result *results, size_t n_results);

// Does `expect`, a POSIX extended regular expression with ^ and $ at line ends, match? False with
// *ret_why (malloc'ed) when not, or when it is no expression.
bool vg_test_matches(const char *expect, const char *output, char **ret_why);
// Reads what the probe of a matrix prints (foreign bytes): `df` or `nodf` first, then a line for
// each peer that was not reached, and `end`. The reason of the failure, malloc'ed, or NULL when all
// were reached.
char *vg_test_read_reach(const char *output, const char **ret_probed);
