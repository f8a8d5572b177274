/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what the fuzz targets share: libFuzzer's two entry points, and what must hold whatever
 * the bytes are. A target ends the process where it does not; libFuzzer keeps the bytes.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

/* Called by libFuzzer with bytes of exactly that size. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Changes the bytes at random, up to `max_size`; libFuzzer calls ours where there is one. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* assert(), but never compiled out. */
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* Small, so that the bound is met; the firmware of tests/firmware fits. */
#define FUZZ_MAX_BYTES 8192

/* One line of printable UTF-8 that says something. */
void fuzz_must_be_sentence(const char *text);

/* In order, none empty, none touching the next, not more than allowed. */
void fuzz_must_be_image(const struct image *image);

/* Reads by that format alone, holds the result to the above; for readers' targets. */
void fuzz_read(const struct image_format *format, const uint8_t *data, size_t size);

/* Corrects lengths (`lengths`) and sums of all lines that look like records, so that changes get
 * past these checks. */
void fuzz_mend_ihex(uint8_t *data, size_t size, bool lengths);
void fuzz_mend_srec(uint8_t *data, size_t size, bool lengths);

/* Makes the last four bytes the CRC-32 of the rest, inverted as zlib has it or not. */
void fuzz_mend_crc(uint8_t *data, size_t size, bool is_inverted);
