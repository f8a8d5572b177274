/* SPDX-License-Identifier: MIT */
/* progress-lines.h - which progress of a worker becomes a line for the service, and when. */
#pragma once

#include "api/report.h"

struct progress_lines {
	struct progress last;
	uint64_t last_usec;
	unsigned last_percent;
};

/* Before the first. */
#define PROGRESS_LINES_NONE ((struct progress_lines){.last_percent = 100})

/* Writes it, where it is news: at most four lines a second, for people, and at least one in five
 * seconds, as a sign of life. */
void progress_lines_tell(struct progress_lines *lines, const struct progress *progress, FILE *to);
