/* SPDX-License-Identifier: MIT */
/*
 * config-rows.h - a rule in plugflash.conf: one that is taken, and rows of rules with the problems
 * that people shall read of each. Include after cmocka.h.
 */
#pragma once

#include "base/outcome.h"
#include "chip/rule-check.h"
#include "rules/config.h"
#include "unit/configuration.h"
#include "unit/problems.h"
#include "unit/rows.h"
#include "unit/shipped-chips.h"

/* How a problem of the rule `a` begins: the line of the file, and the key. */
#define AT(line, key) "/plugflash.conf:" line ": [board a] " key ": "

/* A test that is called `name`: plugflash.conf, and its problems, one a line. */
struct config_row {
	const char *name, *text, *problems;
};

/* Reads plugflash.conf, in which there is no mistake; the caller frees the configuration. */
static inline void load(const char *text, struct config *ret)
{
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	char *refused CLEANUP(freep) = NULL;

	put_configuration(text, NULL);
	if (config_load(folder, ret, &problems) == 0)
		return;
	refused = dump_problems(&problems, folder);
	fail_msg("%s", refused);
}

/* For a row with a mistake: the file is refused, with these problems alone. */
static inline void bad_row_holds(void **state)
{
	const struct config_row *row = *state;
	struct config config = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	char *refused CLEANUP(freep) = NULL;

	put_configuration(row->text, NULL);
	assert_int_equal(config_load(folder, &config, &problems), OUTCOME_BAD_CONFIG);
	refused = dump_problems(&problems, folder);
	assert_string_equal(refused, row->problems);
}

/* For a row that is read without a mistake: the chip table that is installed refuses its rules
 * with these problems alone, and takes them where there is none. */
static inline void chip_row_holds(void **state)
{
	const struct config_row *row = *state;
	struct config config CLEANUP(config_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	char *refused CLEANUP(freep) = NULL;
	int r;

	load(row->text, &config);
	r = config_check_chips(&config, CHIPS_INI, NULL, &problems, NULL);
	refused = dump_problems(&problems, folder);
	assert_string_equal(refused, row->problems);
	assert_int_equal(r, row->problems[0] ? OUTCOME_BAD_CONFIG : 0);
}
