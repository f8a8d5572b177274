/* SPDX-License-Identifier: MIT */
/*
 * protocol-keys.h - keys that only a protocol whose addresses are offsets in an SPI flash has a use
 * for, and the defaults of others with it. For config-keys.c only.
 */
#pragma once

#include "rules/board.h"

/* As in struct ini_key, for a field of the type named. */
int parse_partition(const char *value, void *field, const char **ret_expected); /* char * */
int parse_otadata(const char *value, void *field, const char **ret_expected);	/* board_otadata */

/* The words of `wiring`, where the rule says nothing of its lines. 0 or -ENOMEM. */
int protocol_keys_set_wiring(const struct board *board, struct wiring_keys *wiring);

/* The ladder of `baud`, where the rule has none. 0 or -ENOMEM. */
int protocol_keys_set_baud(const struct ini_section *section, struct board *board);

/* Adds a problem for each key that has no meaning with the protocol. 0 or -ENOMEM. */
int protocol_keys_check(const struct ini_section *section, const struct board *board,
	struct ini_problems *problems);
