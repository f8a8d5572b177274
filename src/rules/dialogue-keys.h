/* SPDX-License-Identifier: MIT */
/*
 * dialogue-keys.h - values of the keys that say how to speak with an application or with the menu
 * of a boot loader, and what those keys need of one another. For config-keys.c only.
 */
#pragma once

#include "rules/board.h"

/* As in struct ini_key, for a field of the type named. */
int parse_text(const char *value, void *field, const char **ret_expected);    /* dialogue_text */
int parse_pattern(const char *value, void *field, const char **ret_expected); /* char * */
int parse_steps(const char *value, void *field, const char **ret_expected);   /* dialogue */
int parse_menu(const char *value, void *field, const char **ret_expected);    /* board_menu */
int parse_baud(const char *value, void *field, const char **ret_expected);    /* uint32_t */
int parse_format(const char *value, void *field, const char **ret_expected); /* bool: even parity */
int parse_blocks(const char *value, void *field, const char **ret_expected); /* board_blocks */
int parse_patience(const char *value, void *field, const char **ret_expected); /* uint64_t */
int parse_room(const char *value, void *field, const char **ret_expected);     /* uint32_t */

/* 0 or -ENOMEM. */
void dialogue_keys_set_defaults(struct board *board);

/*
 * Checks the keys against one another, and settles what follows from them. `add` adds a problem at
 * the key. 0 or -ENOMEM.
 */
int dialogue_keys_settle(const struct ini_section *section, struct board *board,
	int (*add)(const struct ini_section *section, const char *key, const char *expected,
		struct ini_problems *problems),
	struct ini_problems *problems);
