/* SPDX-License-Identifier: MIT */
/*
 * question.h - what a job asks whoever remembers units, and the words of it on the pipes between
 * worker and service.
 *
 * The worker sends the report as far as it goes, then "ask WORD"; the service sends the fields it
 * sets in the answer, then "answer WORD".
 */
#pragma once

#include <stdbool.h>

#include "api/report.h"
#include "rules/provision.h"

enum question {
	QUESTION_OPEN,	 /* the image is known, the port untouched: may it be opened? */
	QUESTION_DECIDE, /* the unit is known as well as it can be: what is to be done with it? */
	QUESTION_TRUST,	 /* the chip is known, no faster way of working tried: which may be? */
	QUESTION_ERASE,	 /* from the answer on it holds nothing whole: may it be erased? */
	QUESTION_MAX,
};

enum answer_word {
	ANSWER_GO, /* yes; to QUESTION_DECIDE: by the rule alone */
	ANSWER_COMPARE,
	ANSWER_FINGERPRINT, /* compare a few blocks in place of all */
	ANSWER_WRITE,	    /* without comparing */
	ANSWER_LEAVE,	    /* neither; the job ends with this outcome and reason */
	ANSWER_MAX,
};

struct answer {
	enum answer_word word;
	enum outcome outcome; /* the two of ANSWER_LEAVE */
	struct reason reason;
	uint8_t data[PROVISION_MOST]; /* what the unit has for itself, where it is known */
	size_t n_data;
	/* To QUESTION_ERASE: what a unit had before an update that was not finished, as the report
	 * of that one has it (`kept`); "" nothing is known. */
	char kept[REPORT_KEPT_MAX];
	/* To QUESTION_TRUST. */
	bool has_trusts;
	struct trusts trusts;
};

/* "open", "decide", "trust", "erase". */
const char *question_word(enum question question);

/* Writes the report so far, then the question. 0 or -errno. */
int question_write(enum question question, const struct report *so_far, FILE *to);

/* Whether the line is a question. */
bool question_read(const char *line, enum question *ret);

/* 0 or -errno. */
int answer_write(const struct answer *answer, FILE *to);

enum answer_line {
	ANSWER_LINE_PART, /* taken, and more follows */
	ANSWER_LINE_END,  /* the answer is complete */
	ANSWER_LINE_UNKNOWN,
};

/* Takes one line without its newline. Returns an enum answer_line. */
int answer_read_line(struct answer *answer, const char *line);

/* What the service writes to a worker that is to stop; it may come in place of an answer. */
#define CANCEL_LINE "cancel"

/*
 * The worker's side: asks on `output` and waits for the answer on `input`, no longer than
 * `wait_usec`. Where none comes, because the service is gone, wants the job to stop or is broken,
 * the answer is ANSWER_LEAVE: without a word nothing is erased.
 */
void question_ask(int input, FILE *output, enum question question, const struct report *so_far,
	uint64_t wait_usec, struct answer *ret);
