/* SPDX-License-Identifier: MIT */
/*
 * library-access.h - whether the service can read what it would flash. For library.c only.
 */
#pragma once

#include "image/library-files.h"
#include "image/library-list.h"

/*
 * Whether the candidate's files and folders can be read: by the query's reader, else by this
 * process. 0, LIBRARY_REFUSED with the candidate's `why`, or -ENOMEM.
 */
int library_access(const struct library_query *query, int root, const struct library_files *files,
	struct library_candidate *candidate);
