/* SPDX-License-Identifier: MIT */
/*
 * words.h - what a chip itself says of how it started, as its loader reads it from the text that
 * the ROM prints behind each reset. The text may be switched off: that it is missing proves
 * nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for the advice, which stands in a reason behind the result of the try. */
#define HEARD_ADVICE_MAX 330

/* In the order of how much each tells of a loader that does not answer. */
enum loader_start {
	LOADER_START_UNHEARD, /* not one byte came */
	LOADER_START_OTHER,   /* bytes came, and none of the ROM's words */
	LOADER_START_ODD,     /* the ROM started in a mode that is neither flash nor loader */
	LOADER_START_FLASH,   /* it went to the flash */
	LOADER_START_FAILED,  /* it did, and finds nothing to start, or starts again and again */
	LOADER_START_LOADER,  /* it is in its boot loader */
};

#define LOADER_WORDS_LINE 128

/* Begins as {0}; the loader's hear() adds to it. */
struct loader_words {
	enum loader_start start; /* by the last words that tell */
	bool is_waiting;	 /* and the loader listens by now */
	unsigned n_starts;	 /* resets that the ROM told of */
	unsigned n_complaints;	 /* lines that name a reason why nothing starts */
	unsigned n_of_rom;	 /* those of the ROM */
	size_t n_bytes, n_letters;
	uint32_t baud;		      /* that it was heard at, set by the listener; 0: not told */
	char said[LOADER_WORDS_LINE]; /* the line that tells most; "" none yet. Not escaped */
	/* For a probe: which ROM it is, and how it says that it started last; likewise. */
	char rom[LOADER_WORDS_LINE], boot[LOADER_WORDS_LINE];
	char last[LOADER_WORDS_LINE]; /* the last whole line: the application's, where one runs */
	char line[LOADER_WORDS_LINE]; /* that is not over yet */
	size_t n_line;
};
