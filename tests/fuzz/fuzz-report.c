/* SPDX-License-Identifier: MIT */
/* What a worker says: any lines; a report made of them is written and read to the same text. */
#include "api/report-lines.h"
#include "fuzz.h"

static char *write_report(const struct report *report)
{
	char *text = NULL;
	size_t n_text = 0;
	FILE *to = open_memstream(&text, &n_text);

	MUST(to);
	MUST(report_write(report, to) == 0);
	MUST(fclose(to) == 0);
	return text;
}

/* Takes lines until the end or one that is not ours; ends them by NULs on the way. */
static int read_lines(char *text, struct report *report)
{
	int r = REPORT_LINE_UNKNOWN;

	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		struct progress progress = {.phase = PHASE_NONE};

		*end = '\0';
		r = report_read_line(report, &progress, line);
		MUST(r >= REPORT_LINE_FIELD && r <= REPORT_LINE_UNKNOWN);
		MUST((int)progress.phase >= 0 && progress.phase < PHASE_MAX);
		if (r == REPORT_LINE_END || r == REPORT_LINE_UNKNOWN)
			return r;
	}
	return r;
}

static void must_be_bounded(const struct report *report)
{
	MUST((int)report->outcome >= 0 && report->outcome < OUTCOME_MAX);
	MUST((int)report->phase >= 0 && report->phase < PHASE_MAX);
	MUST(report->error >= 0);
	MUST(memchr(report->chip, '\0', sizeof(report->chip)));
	MUST(memchr(report->unit, '\0', sizeof(report->unit)));
	MUST(memchr(report->other_unit, '\0', sizeof(report->other_unit)));
	MUST(memchr(report->image, '\0', sizeof(report->image)));
	MUST(memchr(report->version, '\0', sizeof(report->version)));
	MUST(memchr(report->sha256, '\0', sizeof(report->sha256)));
	MUST(memchr(report->bridge, '\0', sizeof(report->bridge)));
	MUST(memchr(report->reason.text, '\0', sizeof(report->reason.text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report report = {.outcome = OUTCOME_FAILED}, again = {.outcome = OUTCOME_FAILED};
	CLEANUP(freep) char *text = strndup((const char *)data, size);
	CLEANUP(freep) char *written = NULL;
	CLEANUP(freep) char *lines = NULL;
	CLEANUP(freep) char *written_again = NULL;

	MUST(text);
	read_lines(text, &report);
	must_be_bounded(&report);

	written = write_report(&report);
	lines = strdup(written);
	MUST(lines);
	MUST(read_lines(lines, &again) == REPORT_LINE_END);
	written_again = write_report(&again);
	MUST(strcmp(written, written_again) == 0);
	return 0;
}
