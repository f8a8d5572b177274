/* SPDX-License-Identifier: MIT */
/*
 * reading.h - a file in memory through image_read(), and what came out. Include after cmocka.h.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "image/image.h"

#define BYTES_16      "\0\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf"
#define BYTES_NEXT_16 "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"

struct good_segment {
	uint32_t address;
	const char *data;
	size_t n_data;
};

#define SEGMENT(address_, data_)                       \
	{                                              \
		(address_), (data_), sizeof(data_) - 1 \
	}

/* From memory that ends where the file ends, so that a sanitizer sees a step beyond. */
static inline int read_exact(const char *name, const void *bytes, size_t n_bytes,
	uint32_t max_bytes, struct image *ret, struct reason *reason)
{
	const struct image_options options = {.max_bytes = max_bytes};
	CLEANUP(freep) uint8_t *copy = malloc(n_bytes);

	assert_non_null(copy);
	memcpy(copy, bytes, n_bytes);
	return image_read(name, copy, n_bytes, &options, ret, reason);
}

/* The reason begins with the file and then with what is expected. */
static inline void assert_refused(const char *name, const void *bytes, size_t n_bytes,
	uint32_t max_bytes, const char *expected)
{
	struct image image = {.n_segments = 77};
	struct reason reason = {};
	int r = read_exact(name, bytes, n_bytes, max_bytes, &image, &reason);
	const char *seen = strstr(reason.text, "': ");

	assert_int_equal(r, IMAGE_REFUSED);
	assert_int_equal(image.n_segments, 77);
	assert_non_null(strstr(reason.text, name));
	if (!seen || strncmp(seen + 3, expected, strlen(expected)) != 0)
		fail_msg("expected '%s', got '%s'", expected, reason.text);
}

/* `segments` end with one of no data, or with `n_segments`. */
static inline void assert_read(const char *name, const void *bytes, size_t n_bytes,
	uint32_t max_bytes, const struct good_segment *segments, size_t n_segments)
{
	struct image image = {};
	struct reason reason = {};
	int r = read_exact(name, bytes, n_bytes, max_bytes, &image, &reason);

	if (r != IMAGE_OK)
		fail_msg("got %d, '%s'", r, reason.text);
	while (n_segments > 0 && segments[n_segments - 1].n_data == 0)
		n_segments--;
	assert_int_equal(image.n_segments, n_segments);
	for (size_t i = 0; i < n_segments; i++) {
		assert_int_equal(image.segments[i].address, segments[i].address);
		assert_int_equal(image.segments[i].size, segments[i].n_data);
		assert_memory_equal(image.segments[i].data, segments[i].data, segments[i].n_data);
	}
	image_done(&image);
}
