/* SPDX-License-Identifier: MIT */
/*
 * procedure.h - one pass as a table of steps, of which there are two: for loaders of ranges and
 * for loaders of files.
 */
#pragma once

#include "flash/run.h"

/* For which jobs a step is taken. A dry run is a job of its own kind: it stops after the decision.
 */
enum step_jobs {
	STEP_UPDATE = 1 << 0,
	STEP_DRY_RUN = 1 << 1,
	STEP_VERIFY = 1 << 2,
	STEP_READ = 1 << 3,
	STEP_PROBE = 1 << 4,
	STEP_ERASE = 1 << 5,
	STEP_START = 1 << 6,
	STEP_PROTECT = 1 << 7,
	STEP_UNPROTECT = 1 << 8,
	STEP_WRITE_UNPROTECT = 1 << 9,
	STEP_OPTIONS = 1 << 10,
	/* What a person orders of the chip itself. */
	STEP_ORDER = STEP_ERASE | STEP_START | STEP_PROTECT | STEP_UNPROTECT |
		     STEP_WRITE_UNPROTECT | STEP_OPTIONS,
	STEP_BUT_PROBE = STEP_UPDATE | STEP_DRY_RUN | STEP_VERIFY | STEP_READ,
	STEP_ALWAYS = STEP_BUT_PROBE | STEP_PROBE | STEP_ORDER,
};

/* A table ends with {0}. */
struct step {
	enum phase phase; /* entered before the step; PHASE_NONE: the step does so where it works */
	unsigned jobs;	  /* of enum step_jobs */
	/* GO_ON, or the outcome that ends the pass. */
	enum outcome (*run)(struct run *run);
};

extern const struct step procedure_range[]; /* procedure-range.c */
extern const struct step procedure_file[];  /* procedure-file.c */

/*
 * Runs a pass by the table of this job's loader. Returns its outcome, never GO_ON: after the
 * last step an update and a dry run are UPDATED, all else is CURRENT.
 */
enum outcome procedure_run(struct run *run);

/* Whether the chip that answered is one of the rule. */
enum outcome procedure_check_chip(struct run *run);

/*
 * Lifts the read-out protection of the chip that answered, which wipes its flash, and enters it
 * once more: GO_ON where it is off then.
 */
enum outcome procedure_lift_protection(struct run *run);

/* The first step of both tables: into the boot loader, with the identity in the report. */
enum outcome procedure_enter(struct run *run);
