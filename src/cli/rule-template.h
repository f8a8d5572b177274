/* SPDX-License-Identifier: MIT */
/*
 * rule-template.h - a [board] section for a bridge without a rule: whole where its board was met,
 * else one that its owner completes.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "api/report.h"
#include "cli/circuits.h"
#include "rules/facts.h"

/* Room for one value; a longer one is cut and ends in "*", since a line of INI text is bounded. */
#define RULE_TEMPLATE_VALUE_MAX 120

/*
 * The glob that fits exactly this text and stays itself when it is read as a value: special
 * characters are escaped, and what no INI line can hold (control characters, bytes that are not
 * UTF-8, a blank at an end) becomes "?". Returns `to`.
 */
char *rule_template_glob(const char *text, char to[static RULE_TEMPLATE_VALUE_MAX]);

/* What narrows a rule, beside the kind of bridge. */
enum rule_template_only {
	RULE_TEMPLATE_KIND,   /* nothing: serial and socket are comments, to be taken in by hand */
	RULE_TEMPLATE_SERIAL, /* this unit alone */
	RULE_TEMPLATE_PATH,   /* this socket alone */
};

/* What is known of a board beside its bridge. */
struct rule_template_board {
	const struct circuit *circuit;
	const struct report *report; /* of the probe by it */
	const char *image;	     /* the glob */
	const char *address;	     /* of a raw image; NULL: none is said */
};

struct rule_template {
	const struct facts *facts;
	const char *slot; /* name of its slot, "" none */
	const char *name;
	bool has_own_serial; /* the bridge tells itself by it from others */
	enum rule_template_only only;
	const struct rule_template_board *board; /* NULL: nothing is known, and a comment says how
						    it is found out */
};

/*
 * Writes the section. It fits all bridges of that id and product, unless `only` narrows it. Without
 * a product the socket is a key: the name of its slot, or the path where it has none. 0 or -errno.
 */
int rule_template_write(const struct rule_template *template, FILE *to);
