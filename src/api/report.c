/* SPDX-License-Identifier: MIT */
#include "api/report.h"

#include <string.h>

unsigned progress_percent(const struct progress *progress)
{
	if (progress->done >= progress->total)
		return 100;
	/* Totals are of flash sizes; one beyond that loses precision, not correctness. */
	if (progress->total > UINT64_MAX / 100)
		return (unsigned)(progress->done / (progress->total / 100));
	return (unsigned)(progress->done * 100 / progress->total);
}

bool report_unit_is_told(const char *unit)
{
	size_t n = strlen(unit);

	return n > 0 && strspn(unit, "0") < n && strspn(unit, "f") < n;
}

bool report_tells_stub(const struct report *report)
{
	static const char unused[] = "not used";

	return *report->stub && strncmp(report->stub, unused, strlen(unused)) != 0;
}

void report_name_image(struct report *report)
{
	const struct reason why = report->reason;

	if (report->image[0])
		reason_set(&report->reason, "image '%s': %s", report->image, why.text);
}
