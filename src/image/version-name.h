/* SPDX-License-Identifier: MIT */
/*
 * version-name.h - the version in the name of an image file, where it is certain.
 *
 * The choice among files, and `update = newer`, depend on it: a wrong version is a downgrade that
 * nobody asked for. So a name in which several numbers may be the version has none that is certain.
 */
#pragma once

#include <regex.h>
#include <stdbool.h>

#include "base/text.h"

#define VERSION_NAME_MAX 64 /* with the NUL: what version_is_fit() takes */

enum version_name_kind {
	VERSION_NAME_NONE,    /* no number that may be a version */
	VERSION_NAME_NUMBERS, /* 1.2.0, 7 */
	VERSION_NAME_DATE,    /* 20240131: not to be compared with numbers of the other kind */
	VERSION_NAME_UNSURE,  /* several, or one that may be something else; `why` says which */
};

struct version_name {
	enum version_name_kind kind;
	char version[VERSION_NAME_MAX]; /* "" unless the kind is NUMBERS or DATE */
	char why[200];			/* the rest of a sentence that begins with the file */
};

/* The rule's `version-in-name`. */
struct version_pattern {
	bool is_given;
	regex_t compiled;
};

/* `text` may be NULL. 0, -ENOMEM, or -EINVAL: no pattern that the C library takes. */
int version_pattern_init(struct version_pattern *pattern, const char *text);
void version_pattern_done(struct version_pattern *pattern);

/*
 * Looks at the last part of the path alone. With a pattern: its first group, or where it has none
 * all that it fits, is the version; "_" between numbers is read as ".". A name that the pattern
 * does not fit is UNSURE.
 *
 * Without one, the name is cut into words. In falling order: numbers joined by dots, or three and
 * more joined by "_", or behind "v", "ver", "version", "fw", "sw", "rel", "release" two and more;
 * one number behind such a word, one letter behind it or not; a date; one bare number. The highest
 * that occurs is the version if it occurs once. Bare numbers and dates beside joined numbers do not
 * count, any other second number makes the name UNSURE. What follows "hw", "pcb", "rev" and the
 * like is no version, nor are the usual baud rates and numbers with letters at them ("f103", "64k",
 * "3v3", "b77"). Marks of early releases (version.h) and what `git describe` adds ("-5-g1a2b3c")
 * belong to the version.
 */
void version_from_name(
	const struct version_pattern *pattern, const char *path, struct version_name *ret);
