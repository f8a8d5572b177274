/* SPDX-License-Identifier: MIT */
/*
 * gecko-error.h - what the codes mean that Silicon Labs' boot loaders print when they have refused
 * a file (gecko.md 2). Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What follows from an error (gecko.md 3). */
enum gecko_cause {
	GECKO_CAUSE_UNKNOWN,
	GECKO_CAUSE_LINE,    /* bytes were lost or changed: once again */
	GECKO_CAUSE_FLASH,   /* once again */
	GECKO_CAUSE_DAMAGED, /* its sum was wrong there: once again */
	GECKO_CAUSE_KEY,     /* never again with this file, and so are the next two */
	GECKO_CAUSE_DEVICE,  /* it is for another one, or older than the loader allows */
	GECKO_CAUSE_FORMAT,  /* this loader does not know such files */
};

/*
 * Finds the last "error 0x..." in a text without control characters but line ends, and fills
 * `ret_words` with what it means and what there is to do: "the file is signed with another key
 * (file error 0x45): ...". "" and GECKO_CAUSE_UNKNOWN where there is none.
 */
enum gecko_cause gecko_error_read(const char *text, char *ret_words, size_t size);

/* Whether another try with the same file would end in the same way. */
bool gecko_cause_is_final(enum gecko_cause cause);
