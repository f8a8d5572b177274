/* SPDX-License-Identifier: MIT */
/*
 * protocol-keys.h - keys that one protocol alone has a use for: whose addresses are offsets in an
 * SPI flash, or whose chips look at a CCFG; and the defaults of other keys with them. For
 * config-keys.c only.
 */
#pragma once

#include "rules/board.h"

/* As in struct ini_key, for a field of the type named. */
int parse_partition(const char *value, void *field, const char **ret_expected); /* char * */
int parse_otadata(const char *value, void *field, const char **ret_expected);	/* board_otadata */

int parse_backdoor_level(const char *value, void *field, const char **ret_expected); /* bool */
int parse_secondary_ieee(
	const char *value, void *field, const char **ret_expected); /* board_secondary_ieee */
int parse_bank_erase(
	const char *value, void *field, const char **ret_expected); /* board_bank_erase */

/* For the two fields of a struct board. */
int parse_backdoor_pin(const char *value, void *field, const char **ret_expected);
int parse_cap_array(const char *value, void *field, const char **ret_expected);

/* The words of `wiring`, where the rule says nothing of its lines. 0 or -ENOMEM. */
int protocol_keys_set_wiring(const struct board *board, struct wiring_keys *wiring);

/* The ladder of `baud`, where the rule has none. 0 or -ENOMEM. */
int protocol_keys_set_baud(const struct ini_section *section, struct board *board);

/* Adds a problem for each key that has no meaning with the protocol. 0 or -ENOMEM. */
int protocol_keys_check(const struct ini_section *section, const struct board *board,
	struct ini_problems *problems);
