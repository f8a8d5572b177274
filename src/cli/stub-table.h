/* SPDX-License-Identifier: MIT */
/*
 * stub-table.h - what `plugflash stub-test` has seen, as a table to send in. Pure.
 */
#pragma once

#include <stdio.h>

#include "api/json.h"
#include "api/report.h"

/* At the rate of the boot loader, and at the highest that the program and the bridge find. */
enum stub_stage {
	STUB_STAGE_SLOW,
	STUB_STAGE_FAST,
	STUB_STAGE_MAX,
};

/* The updates of one stage. Begins as all zero. */
struct stub_stage_tally {
	uint32_t n_runs;
	uint32_t n_passed;	    /* both proofs agree */
	uint32_t n_failed;	    /* they do not, or the program was given up behind the erase */
	uint32_t n_unused;	    /* it was not used, or given up before: nothing was learnt */
	char used[REPORT_STUB_MAX]; /* what the report of the last that passed says of the program
				     */
	uint64_t least_ms, most_ms, sum_ms; /* of those that passed: erase, write and both proofs */
	uint64_t write_ms;		    /* sum, of erase and write alone */
	char first_failure[600];
};

struct stub_table {
	struct stub_stage_tally stages[STUB_STAGE_MAX];
	struct report last; /* for chip, boot loader and program */
	char bridge[TEXT_MAX];
};

/* Counts one update. */
void stub_table_add(struct stub_table *table, enum stub_stage stage, const struct report *report);

/* Whether each stage had as many updates as were wanted, and all of them passed. */
bool stub_table_is_good(const struct stub_table *table, uint32_t n_wanted);

/* The table for people. `version` is that of plugflash, `kernel` of the host. */
void stub_table_print(const struct stub_table *table, uint32_t n_wanted, const char *version,
	const char *kernel, FILE *to);

/* The same as one object; NULL without memory. */
struct json *stub_table_json(
	const struct stub_table *table, uint32_t n_wanted, const char *version, const char *kernel);
