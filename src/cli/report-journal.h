/* SPDX-License-Identifier: MIT */
/* report-journal.h - the entries of one job, out of the journal of this host. */
#pragma once

#include <stdio.h>

/*
 * Writes a line for each entry that has this id, its own fields below it; how many in `ret_n`. Who
 * may not read the journal finds none. 0 or -errno.
 */
int report_journal_write(const char *job, FILE *to, unsigned *ret_n);
