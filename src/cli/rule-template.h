/* SPDX-License-Identifier: MIT */
/* rule-template.h - a [board] section for a bridge without a rule, which its owner completes. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "rules/facts.h"

/* Room for one value; a longer one is cut and ends in "*", since a line of INI text is bounded. */
#define RULE_TEMPLATE_VALUE_MAX 120

/*
 * The glob that fits exactly this text and stays itself when it is read as a value: special
 * characters are escaped, and what no INI line can hold (control characters, bytes that are not
 * UTF-8, a blank at an end) becomes "?". Returns `to`.
 */
char *rule_template_glob(const char *text, char to[static RULE_TEMPLATE_VALUE_MAX]);

/*
 * Writes the section, with a comment that says what is left to do. It fits all bridges of that id
 * and product; a user who wants it for this bridge alone takes in the serial (where the bridge has
 * one of its own) or the socket, which are comments. Without a product the socket is a key: the
 * name of its slot, or the path where it has none (`slot` ""). 0 or -errno.
 */
int rule_template_write(const struct facts *facts, const char *slot, const char *name,
	bool has_own_serial, FILE *to);
