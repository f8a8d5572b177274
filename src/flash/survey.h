/* SPDX-License-Identifier: MIT */
/*
 * survey.h - what a rule finds in the image directory: all files that fit it, the one it gets, and
 * why none of the others. The command shows it; for the bus the worker program makes it, since the
 * event loop of the service reads no directory.
 */
#pragma once

#include <stdio.h>

#include "flash/assignment.h"
#include "image/library.h"

/* The argument that the worker program is started with. */
#define SURVEY_ARGUMENT "list"

/* Files that one answer has at most, the highest first. */
#define SURVEY_FILES_MAX 500

/* One rule. */
struct survey {
	const struct board *board; /* borrowed */
	struct library_list list;
	struct library_choice choice;
	int result;	      /* of library_list() */
	enum outcome outcome; /* OUTCOME_MAX: the image that was chosen is good */
	struct report report; /* of that image; the reason where there is none to be had */
};

void survey_done(struct survey *survey);

/* Looks at names and manifests; may be called again. Sets all but the outcome. */
void survey_look(const struct library_query *query, struct survey *survey);

/* Reads the image that was chosen and checks it as a job does before it opens its port. Of the
 * assignment image, version and stamp are not looked at. Sets the outcome. */
void survey_check(const struct assignment *assignment, struct survey *survey);

/* "chosen", "refused", "awaited", "older", "equal", "unsure", "passed over". */
const char *survey_state(const struct survey *survey, const struct library_candidate *candidate);

/* Why the candidate is not to be had, or NULL. */
const char *survey_why(const struct survey *survey, const struct library_candidate *candidate);

/*
 * The answer of the worker program, lines "KEY VALUE", each value one line of UTF-8: for each file
 * "image", "version", "bytes", "state", and as known "requires", "reason", "remark", "sha256",
 * "signer", closed by "end 0". Where no file fits the rule it is one entry without "image", whose
 * state is "none". The last line is "done N" with the number of all files. 0 or -errno.
 */
int survey_write(const struct survey *survey, FILE *to);

/* Reads one assignment, makes its survey and writes it. 0 or -errno. */
int survey_run(FILE *from, FILE *to);

/*
 * Whether the worker program is to look at images, for many rules ("choose", finding.h) or all of
 * one rule ("list"); and the process that does so, confined and without a port, between its
 * standard input and output. Returns its exit status.
 */
bool survey_is_asked(const char *argument);
int survey_process(const char *argument);
