/* SPDX-License-Identifier: MIT */
/*
 * dialogue.h - what is said to a board and what it must answer, as data: menus of boot loaders,
 * commands and questions for an application.
 *
 * Knows texts and patterns (POSIX extended regular expressions), touches no port.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Any bytes, NUL among them; one more NUL, not counted, follows them. */
struct dialogue_text {
	char *bytes;
	size_t n_bytes;
};

enum dialogue_kind {
	DIALOGUE_SEND,
	DIALOGUE_EXPECT, /* a pattern */
	DIALOGUE_WAIT,
};

struct dialogue_step {
	enum dialogue_kind kind;
	struct dialogue_text text;
	uint64_t wait_usec;
};

struct dialogue {
	struct dialogue_step *items;
	size_t n_items;
};

#define DIALOGUE_MAX_STEPS 16
#define DIALOGUE_MAX_TEXT  256

/*
 * Replaces C escapes: \r \n \t \a \b \f \v \e \0 \\ \" \' \xNN and up to three octal digits. 0,
 * -ENOMEM, or -EINVAL: unknown escape, none at all behind the backslash, longer than
 * DIALOGUE_MAX_TEXT.
 */
int dialogue_unescape(const char *from, size_t n_from, struct dialogue_text *ret);
void dialogue_text_done(struct dialogue_text *text);

/*
 * Steps out of text: `send "1"`, `expect "BL >"` (C escapes in both) and durations, with blanks and
 * perhaps a semicolon between. 0, -ENOMEM, or -EINVAL with what was expected in `ret_expected`.
 */
int dialogue_parse(const char *text, struct dialogue *ret, const char **ret_expected);
void dialogue_done(struct dialogue *dialogue);

/* The conversation with a loader around a transfer, each part as text for dialogue_parse(). */
struct dialogue_menu {
	const char *name;
	const char *before; /* up to the loader's waiting for the file */
	const char *after;  /* its word that the file is in the flash */
	const char *upload; /* up to its waiting for a receiver of its flash; NULL: it cannot */
	const char *start;  /* starts the application */
};

/* The preset of that name, or NULL. */
const struct dialogue_menu *dialogue_find_menu(const char *name);
