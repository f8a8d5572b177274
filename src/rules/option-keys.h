/* SPDX-License-Identifier: MIT */
/*
 * option-keys.h - `option-bytes`: settings of the chip that its boot loader writes, by the names of
 * its reference manual, and how much danger the rule accepts.
 *
 * Which names and values a chip has is not known here: chip/option-bytes.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Room for the name of a setting, with its NUL. */
#define OPTION_NAME_SIZE 24

/* What a value may do to the chip; the larger accepts the smaller. */
enum option_danger {
	OPTION_SAFE,
	OPTION_RISK,	 /* it may shut the boot loader out, or stop the application */
	OPTION_FOR_EVER, /* nothing undoes it */
};

/* The words by which a rule, or the command, accepts a danger. */
#define OPTION_WORD_RISK     "i-know-the-risk"
#define OPTION_WORD_FOR_EVER "i-know-it-is-for-ever"

struct option_setting {
	char name[OPTION_NAME_SIZE];
	uint32_t value;
};

/* Begins as {0}: no setting. */
struct option_list {
	struct option_setting *items;
	size_t n_items;
	enum option_danger accepted;
};

void option_list_done(struct option_list *list);

/*
 * "nBOOT_SEL=0 BORR_LEV=0 i-know-the-risk" into the struct option_list, which owns its items. As in
 * struct ini_key; a name that stands twice is refused.
 */
int parse_option_list(const char *value, void *field, const char **ret_expected);
