/* SPDX-License-Identifier: MIT */
/*
 * transcript.h - what was said on a port, when, and by whom, as text: plugflash-transcript(5) is
 * its form.
 *
 * Written into memory and to a file only once the port is closed, so that no disk delays a
 * deadline. Nothing here fails: what finds no room is left out, and the closing lines count it.
 * Each function takes NULL for "nothing is recorded", which costs one comparison.
 *
 * Bytes of the flash are cut out unless they are asked for. A port does not know them, so whoever
 * sends or reads them says so around it: transcript_begin(), transcript_end().
 *
 * Times are µs on the clock of the port.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"

#define TRANSCRIPT_FORMAT "plugflash-transcript 1"

/* Bytes on one line, and how closely those that were read must follow one another for that: two
 * frames of a full-speed bus. The time of the line is that of the last. */
#define TRANSCRIPT_LINE_BYTES 32
#define TRANSCRIPT_CLOSE_USEC 2000

/* The least that `most_bytes` may be: room for head and closing lines. */
#define TRANSCRIPT_LEAST (64 * 1024)

struct transcript;

/* `most_bytes` of text; `with_image`: bytes of the flash stay in. 0 or -ENOMEM. */
int transcript_new(size_t most_bytes, bool with_image, struct transcript **ret);

struct transcript *transcript_free(struct transcript *transcript);

bool transcript_has_image(const struct transcript *transcript);

/* What is to be written, with which flash that is read is compared; borrowed, NULL for none. */
void transcript_set_image(struct transcript *transcript, const struct image *image);

/* A line without a time: of the head, or at the end. Texts from outside are escaped already. */
void transcript_note(struct transcript *transcript, const char *format, ...) PRINTF_LIKE(2, 3);

/* The same, of the end: there is room for it in any case. */
void transcript_close(struct transcript *transcript, const char *format, ...) PRINTF_LIKE(2, 3);

/* The last lines: whether something was left out. Nothing may follow. */
void transcript_end_text(struct transcript *transcript);

/* ------------------------------------------------------------------ for the port */

/* Something that happened; the first one is time 0. */
void transcript_event(struct transcript *transcript, uint64_t now, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* Bytes that were sent, and the result of it: 0 or -errno. */
void transcript_sent(
	struct transcript *transcript, uint64_t now, const uint8_t *bytes, size_t n_bytes, int r);

/* The same of bytes that were read; -ETIMEDOUT: none came by the deadline. */
void transcript_heard(
	struct transcript *transcript, uint64_t now, const uint8_t *bytes, size_t n_bytes, int r);

/* The lines as they are from now on. */
void transcript_lines(struct transcript *transcript, uint64_t now, unsigned lines, int r);

void transcript_rate(
	struct transcript *transcript, uint64_t now, uint32_t baud, bool has_even_parity, int r);

/* Another call of the port, "wait 100000". */
void transcript_called(struct transcript *transcript, uint64_t now, int r, const char *format, ...)
	PRINTF_LIKE(4, 5);

/* ------------------------------------------------------------------ for loaders */

enum transcript_matter {
	TRANSCRIPT_FLASH,     /* bytes of the flash, in whatever frames they travel: cut out */
	TRANSCRIPT_FLASH_RAW, /* the same, one after the other from the address on */
	TRANSCRIPT_UNIT,      /* what tells this unit from another: marked */
	TRANSCRIPT_MATTER_MAX,
};

/*
 * Until the end, all that is sent and read is this. `n_bytes` of the matter at the address are
 * meant, not of the line. Where one begins within another, the outer one counts.
 */
void transcript_begin(struct transcript *transcript, enum transcript_matter matter,
	uint32_t address, size_t n_bytes);
void transcript_end(struct transcript *transcript);

/* Whether bytes of the flash are sent or read now, and which. */
bool transcript_is_in_flash(
	const struct transcript *transcript, uint32_t *ret_address, size_t *ret_n);

/* ------------------------------------------------------------------ at the end */

/* Whether nothing was recorded. */
bool transcript_is_empty(const struct transcript *transcript);

/* The text; it lives as long as the transcript, and grows no more. */
const char *transcript_text(const struct transcript *transcript, size_t *ret_n);

/* Writes the text. 0 or -errno. */
int transcript_write(const struct transcript *transcript, int fd);
