/* SPDX-License-Identifier: MIT */
/*
 * outcome.h - the one word in which a job ends, its exit code, and the phases a job goes through.
 * People and scripts rely on the words and numbers: they never change their meaning.
 */
#pragma once

enum outcome {
	OUTCOME_UPDATED,
	OUTCOME_CURRENT,
	OUTCOME_FAILED,
	OUTCOME_BAD_CONFIG,
	OUTCOME_NO_MATCH,
	OUTCOME_AMBIGUOUS,
	OUTCOME_NO_IMAGE,
	OUTCOME_BAD_IMAGE,
	OUTCOME_PORT_BUSY,
	OUTCOME_PORT_GONE,
	OUTCOME_NO_SYNC,
	OUTCOME_WRONG_CHIP,
	OUTCOME_PROTECTED,
	OUTCOME_ERASE_FAILED,
	OUTCOME_WRITE_FAILED,
	OUTCOME_VERIFY_DIFFERS,
	OUTCOME_VERIFY_IMPOSSIBLE,
	OUTCOME_NOT_CONFIRMED,
	OUTCOME_NOT_STARTED, /* proved, and the chip itself says that it does not start */
	OUTCOME_CANCELLED,
	OUTCOME_QUARANTINED,
	OUTCOME_MAX,
};

enum phase {
	PHASE_NONE,
	PHASE_IMAGE,
	PHASE_OPEN,
	PHASE_ENTER,
	PHASE_SYNC,
	PHASE_IDENTIFY,
	PHASE_COMPARE,
	PHASE_ERASE,
	PHASE_WRITE,
	PHASE_VERIFY,
	PHASE_PROTECT,
	PHASE_LEAVE,
	PHASE_CONFIRM,
	PHASE_READ,
	PHASE_MAX,
};

/* "updated", "wrong-chip", ... */
const char *outcome_to_string(enum outcome outcome);

/* The outcome of that name, or -EINVAL. */
int outcome_from_string(const char *text);

/* 0 for updated and current, else the number of the design's table. */
int outcome_to_exit_code(enum outcome outcome);

/* "open", "enter", "sync", ...; "none" before the first. */
const char *phase_to_string(enum phase phase);

/* The phase of that name, or -EINVAL. */
int phase_from_string(const char *text);

/* Wrong use of the command, beside the outcomes' exit codes. */
#define EXIT_USAGE 2
