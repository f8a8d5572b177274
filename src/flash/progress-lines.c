/* SPDX-License-Identifier: MIT */
#include "flash/progress-lines.h"

#include "api/report-lines.h"
#include "base/clock.h"
#include "base/util.h"

#define LEAST_USEC (250 * USEC_PER_MSEC)
#define MOST_USEC  (5 * USEC_PER_SEC)

void progress_lines_tell(struct progress_lines *lines, const struct progress *progress, FILE *to)
{
	uint64_t now = monotonic_usec(), since = now - lines->last_usec;
	unsigned percent = progress_percent(progress);
	bool is_news = percent != lines->last_percent && since >= LEAST_USEC;
	bool is_end = percent == 100 && lines->last_percent != 100;

	if (progress->phase == lines->last.phase && !is_news && !is_end && since < MOST_USEC)
		return;
	*lines = (struct progress_lines){*progress, now, percent};
	/* Where the service is gone, the board is finished all the same. */
	(void)progress_write(progress, to);
	(void)fflush(to);
}
