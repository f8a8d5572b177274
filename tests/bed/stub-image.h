/* SPDX-License-Identifier: MIT */
/*
 * stub-image.h - an image that is large enough for the program in the RAM to be worth its while,
 * and a chip table that names that program for the board of the scene. After cmocka.h.
 */
#pragma once

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "bed/scene.h"

#define STUB_IMAGE_BYTES 16384
#define STUB_IMAGE	 "gate-2.0.0.bin"

/* It begins as an application does, and goes on with bytes that look like none. */
static inline void stub_image_make(uint8_t to[STUB_IMAGE_BYTES])
{
	static const uint8_t vectors[] = {0x00, 0x50, 0x00, 0x20, 0x01, 0x01, 0x00, 0x08};
	uint32_t state = 7;

	for (size_t i = 0; i < STUB_IMAGE_BYTES; i++) {
		state = state * 1664525 + 1013904223;
		to[i] = (uint8_t)(state >> 24);
	}
	memcpy(to, vectors, sizeof(vectors));
}

/* The row of the shipped table, with a program where it has none yet. */
static inline void stub_row_put(struct bed *bed)
{
	CLEANUP(fclosep) FILE *from = fopen("config/chips.ini", "re");
	bool is_in = false, has_stub = false;
	char line[300], text[4096] = "";
	size_t n = 0;

	assert_non_null(from);
	while (fgets(line, sizeof(line), from)) {
		if (line[0] == '[')
			is_in = strcmp(line, "[chip 0x410]\n") == 0;
		if (!is_in)
			continue;
		has_stub = has_stub || strncmp(line, "stub ", 5) == 0;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", line);
		assert_true(n < sizeof(text) - 32);
	}
	if (!has_stub)
		snprintf(text + n, sizeof(text) - n, "stub = f1\n");
	bed_write_config(bed, "chips.d/10.conf", text);
}

/* Behind scene_configure(), before the service is started. */
static inline void stub_image_put(struct bed *bed)
{
	uint8_t bytes[STUB_IMAGE_BYTES];

	stub_image_make(bytes);
	bed_put_bytes(bed, STUB_IMAGE, bytes, sizeof(bytes));
	stub_row_put(bed);
}

static inline bool stub_image_is_in(struct bed_unit *unit)
{
	uint8_t bytes[STUB_IMAGE_BYTES];
	uint32_t size;

	stub_image_make(bytes);
	return memcmp(bed_flash(unit, &size), bytes, sizeof(bytes)) == 0;
}
