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
int parse_format(const char *value, void *field, const char **ret_expected); /* bool: even parity */

/* 0 or -ENOMEM. */
void dialogue_keys_set_defaults(struct board *board);

/*
 * Checks the keys against one another, and settles what follows from them. 0 or -ENOMEM.
 */
int dialogue_keys_settle(
	const struct ini_section *section, struct board *board, struct ini_problems *problems);
