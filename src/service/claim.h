/* SPDX-License-Identifier: MIT */
/*
 * claim.h - what a worker may say, by what it asked before.
 *
 * A worker reads the answers of a stranger's board, and may be taken over by one: its report is
 * believed only as far as the questions before it allow. A board that was not to be erased was not
 * updated, one that was is not `current`, and all is said of one unit and one image. A worker that
 * contradicts itself is ended, and its attempt has failed, whatever it says. A check (verify,
 * probe, identify) asks whether it may open the port and how fast it may read, and nothing else,
 * and erases and writes nothing. Pure.
 */
#pragma once

#include <stdbool.h>

#include "api/report.h"
#include "flash/question.h"
#include "records/attempt.h"
#include "rules/provision.h"

/* Facts of the attempt that the service has without its worker. */
struct claim_bounds {
	const char *image;	 /* its name, NULL: any */
	const char *version;	 /* NULL or "": any */
	const char *sha256;	 /* NULL or "": any */
	const char *held_sha256; /* file that the unit is known to hold since it came; NULL or "" */
	bool is_stopped;	 /* the worker was asked to stop */
};

/* The questions of one worker, and the answers to them. Begins as all zero but for the first. */
struct claim {
	enum attempt_operation operation;
	bool has_asked[QUESTION_MAX];
	bool has_left; /* an answer ended the job, with this outcome and reason */
	enum outcome left_outcome;
	struct reason left_reason;
	bool may_erase; /* the erase was granted */
	bool has_unit; /* the next three were said when it was asked what is to be done, or later */
	char family[16];
	uint32_t product_id;
	char unit[25];
	char sha256[DIGEST_HEX_SIZE];
	char unit_data[PROVISION_SHOWN_MAX]; /* what the answers gave it, "" nothing */
};

/* NULL where the question may come now, else what is wrong with it. */
const char *claim_check_question(
	const struct claim *claim, enum question question, const struct report *so_far);

/* Notes a question that may come, and its answer. */
void claim_note(struct claim *claim, enum question question, const struct report *so_far,
	const struct answer *answer);

/* The job was let go on, and is ended by this answer after all, to the same question. */
void claim_note_leave(struct claim *claim, const struct answer *answer);

/* NULL where the report follows from the questions, else what contradicts it. */
const char *claim_check_report(
	const struct claim *claim, const struct claim_bounds *bounds, const struct report *report);
