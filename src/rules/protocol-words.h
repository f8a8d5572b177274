/* SPDX-License-Identifier: MIT */
/*
 * protocol-words.h - the words of the key `protocol`, and which other keys have a meaning with
 * each. The protocols themselves are behind loader/loader.h.
 */
#pragma once

#include "rules/board.h"

struct protocol_word {
	const char *text;
	const char *family;    /* of the chips that it leads to; NULL: of any, or not known */
	enum wiring_ways ways; /* by which the words of `wiring` lead to it */
	bool has_ccfg;	       /* backdoor-pin and what else the end of the flash decides */
	bool has_option_bytes; /* option-bytes: settings beside the flash that the loader writes */
	bool tells_start;      /* the chip says itself that it does not start what it holds */
	bool takes_file;       /* a boot loader that takes a file: menu, confirm ..., and no chip */
	bool takes_packages;   /* files of a boot loader's own format: Silicon Labs' take XMODEM */
	bool has_headers;      /* closing-header */
	bool sends_back;       /* menu-upload: it can be made to send its flash */
	enum board_blocks blocks; /* block-size, where the rule has none */
	const char *wiring;	  /* wiring, where the rule says nothing of lines; NULL: direct */
	const uint32_t *bauds;	  /* baud, where the rule has none; `n_bauds` 0: 115200 */
	size_t n_bauds;
	/* Addresses are offsets in an SPI flash, erased by pages of so many bytes; 0: they are not.
	 */
	uint32_t page_bytes;
	uint32_t flash_bytes; /* that offsets reach */
	/* accept-unverified: files, and chips whose loader proves nothing (chip.h, proves_nothing).
	 */
	bool has_unverified;
	/*
	 * verify: the least that a rule may be content with, the most that the loader can give, and
	 * the default, the strongest at a sensible price. A loader of ranges verifies before it
	 * writes what makes the flash startable, so that no word of a loader or an application is
	 * enough there; to read STM32 flash back takes as long as to write it, and nothing else is
	 * there. A file is sent back only by a loader that has a `menu-upload`, and often in part,
	 * so that the application's word is what all of them can have.
	 */
	enum proof least, most, usual;
	const char *verify_words; /* of the rule, as in a message */
};

/* Of that row of the table; never NULL. */
const struct protocol_word *protocol_word_of(enum board_protocol protocol);

/* Whether the application's version tells that an image is there, since the loader cannot. */
bool protocol_compares_versions(const struct board *board);

/* The word of the protocol that leads to chips of that family, or NULL. */
const char *protocol_word_of_family(const char *family);

/* The word of the boot loader into which applications of sticks lead: Silicon Labs' Gecko. */
const char *protocol_word_of_sticks(void);

/* As in struct ini_key, for an enum board_protocol. */
int parse_protocol(const char *value, void *field, const char **ret_expected);
