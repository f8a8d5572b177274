/* SPDX-License-Identifier: MIT */
/*
 * library-rollout.h - which of the files of a rule are not for every unit yet, by the rollouts that
 * stand beside them. For library.c only.
 */
#pragma once

#include "image/library-list.h"

/*
 * Passes over the candidates whose rollout the query's unit takes no part in at this time (µs of
 * the wall clock), unless it holds that very file by its manifest's sha256: nobody is taken back by
 * a rollout. Without a unit they get a remark. One whose rollout cannot be understood is refused
 * (`why`): it may be for nobody, and an older one was not asked for. Sets the span: which units
 * get the same. 0 or -errno with the reason.
 */
int library_roll_out(const struct library_query *query, int root, int64_t now_usec,
	struct library_list *list, struct rollout_span *ret, struct reason *reason);

/*
 * Whether the unit gets none of what is left, of which `meant` is the highest: a higher one is
 * withheld from it, and what it holds is newer than this. Where a version is taken back step by
 * step, the units whose step has not come keep theirs.
 */
bool library_rollout_keeps(const struct library_query *query, const struct library_list *list,
	const struct library_candidate *meant);
