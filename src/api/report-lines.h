/* SPDX-License-Identifier: MIT */
/*
 * report-lines.h - a report and progress as lines of text on the worker's pipe, and back.
 */
#pragma once

#include "api/report.h"

/* One line, "progress write 4096 262144\n". 0 or -errno. */
int progress_write(const struct progress *progress, FILE *to);

/* What a line needs at most, newline and NUL included: the reason with every byte escaped. */
#define REPORT_LINE_BYTES 1700

/* The whole report as lines "NAME VALUE\n", closed by "end\n"; values escaped. 0 or -errno. */
int report_write(const struct report *report, FILE *to);

/* The same without the end: what is known so far. Errors are those of the stream. */
void report_write_fields(const struct report *report, FILE *to);

enum {
	REPORT_LINE_FIELD,    /* a field was taken into the report */
	REPORT_LINE_PROGRESS, /* `ret_progress` was set */
	REPORT_LINE_END,      /* the report is complete */
	REPORT_LINE_UNKNOWN,  /* not one of ours: the worker is broken */
};

/*
 * Takes one line without its newline. Every value is checked and bounded. Begin with a report whose
 * outcome is OUTCOME_FAILED: what a broken worker leaves out must not read as success.
 */
int report_read_line(struct report *report, struct progress *ret_progress, const char *line);
