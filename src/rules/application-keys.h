/* SPDX-License-Identifier: MIT */
/*
 * application-keys.h - the keys of a rule about what the running application speaks: `entry`, and
 * `application`.
 */
#pragma once

#include "base/ini.h"
#include "rules/board.h"

/* The word of a rule: "ezsp"; as it stands in reports and messages. */
const char *application_protocol_to_string(enum application_protocol protocol);

/* Whether an `entry` may be by the protocol of this word. */
bool application_protocol_leads(const char *word);

/* Adds all protocols of `applications` as "cpc, ezsp or spinel". Returns `to`. */
char *application_protocols_list(unsigned applications, char *to, size_t size);

/*
 * As struct ini_key has it. parse_entry() fills `entry` and, where the entry is by application,
 * `applications` of a struct board; parse_applications() fills `applications`.
 */
int parse_entry(const char *value, void *field, const char **ret_expected);
int parse_applications(const char *value, void *field, const char **ret_expected);

/*
 * Looks at these keys together with all others, before dialogue_keys_settle(): what contradicts
 * them is a problem, and what follows from them is filled in: the menu of the Gecko boot loader.
 * 0 or -errno.
 */
int application_keys_settle(
	const struct ini_section *section, struct board *board, struct ini_problems *problems);
