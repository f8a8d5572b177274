/* SPDX-License-Identifier: MIT */
/*
 * report-lines.h - a report and progress as lines of text on the worker's pipe, and back.
 */
#pragma once

#include "api/report.h"

/* One line, "progress write 4096 262144\n". 0 or -errno. */
int progress_write(const struct progress *progress, FILE *to);

/* Room for any line with its newline and NUL; the longest are the details with every byte escaped.
 */
#define REPORT_LINE_BYTES 2000

/* The whole report as lines "NAME VALUE\n", closed by "end\n"; values escaped. 0 or -errno. */
int report_write(const struct report *report, FILE *to);

/* The fields alone, without the end, for a question of the worker. The caller asks ferror(). */
void report_write_fields(const struct report *report, FILE *to);

enum report_line {
	REPORT_LINE_FIELD,    /* a field was taken into the report */
	REPORT_LINE_PROGRESS, /* `ret_progress` was set */
	REPORT_LINE_END,      /* the report is complete */
	REPORT_LINE_UNKNOWN,  /* not one of ours: the worker is broken */
};

/*
 * Takes one line without its newline. Every value is checked and bounded. The caller begins with a
 * report of OUTCOME_FAILED, so that a worker that breaks off does not report success.
 */
enum report_line report_read_line(
	struct report *report, struct progress *ret_progress, const char *line);
