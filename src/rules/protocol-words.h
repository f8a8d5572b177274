/* SPDX-License-Identifier: MIT */
/*
 * protocol-words.h - the words of the key `protocol`, and which other keys have a meaning with
 * each. What a protocol does stands in loader/loader.h.
 */
#pragma once

#include "rules/board.h"

struct protocol_word {
	const char *text;
	const char *family;  /* of the chips that it leads to; NULL: of any, or not known */
	bool takes_file;     /* a boot loader that takes a file: menu, confirm ..., and no chip */
	bool takes_packages; /* files of a boot loader's own format: Silicon Labs' take XMODEM */
	bool has_headers;    /* closing-header */
	bool sends_back;     /* menu-upload: it can be made to send its flash */
	enum board_blocks blocks; /* block-size, where the rule has none */
};

/* Of that row of the table; never NULL. */
const struct protocol_word *protocol_word_of(enum board_protocol protocol);

/* As in struct ini_key, for an enum board_protocol. */
int parse_protocol(const char *value, void *field, const char **ret_expected);
