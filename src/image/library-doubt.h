/* SPDX-License-Identifier: MIT */
/*
 * library-doubt.h - what is said where versions do not decide among the files of a rule: names that
 * may be read in two ways, ties, names without a version. For library.c only.
 */
#pragma once

#include "image/library-list.h"

/*
 * Refuses the candidates whose place among the others is not certain (`why`, `hides_version`):
 * where there are several files, or the rule must know whether the one is newer. 0 or -ENOMEM.
 */
int library_doubt(const struct library_query *query, struct library_list *list);

/* Sets the list's note, and the state of those with the version of `meant`. 0 or -ENOMEM. */
int library_note(const struct library_query *query, struct library_list *list,
	const struct library_candidate *meant);
