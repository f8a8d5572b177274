/* SPDX-License-Identifier: MIT */
/*
 * parse.h - numbers, sizes, durations and lists out of text. All return 0, -EINVAL (not of that
 * form) or -ERANGE (too large), and leave the result alone on failure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of a hexadecimal digit of either case; 16: it is none. */
unsigned digit_value(char c);

/* The digits of that base (2 to 16) at `*text`, at least one; `*text` goes behind them. */
int parse_digits(const char **text, unsigned base, uint64_t *ret);

/* "0x08000000" or "1234"; nothing may stand before or after. */
int parse_u32(const char *text, uint32_t *ret);

/* The same, but no zeros before a decimal number: 08004000 is meant as 0x08004000. */
int parse_address(const char *text, uint32_t *ret);

/* Bytes: as above, or with K or M for 1024 and 1024 * 1024. */
int parse_size(const char *text, uint32_t *ret);

/* "500ms", "2s", "1.227ms", "40us", "1min"; a bare number but 0 is refused: its unit is a guess. */
int parse_duration_usec(const char *text, uint64_t *ret);

/* yes, no, true, false, 1, 0, on, off. */
int parse_bool(const char *text, bool *ret);

/*
 * Splits at white space and commas. `ret` is NULL-terminated, to be freed with parse_list_free().
 * -ENOMEM besides; an empty list is no error.
 */
int parse_list(const char *text, char ***ret, size_t *ret_n);
/* A copy of the first `n`, as parse_list() gives one. 0 or -ENOMEM. */
int parse_list_copy(char *const *list, size_t n, char ***ret);
void parse_list_free(char **list);
void parse_list_freep(char ***list);
