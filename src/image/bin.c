/* SPDX-License-Identifier: MIT */
/*
 * bin.c - raw images: the bytes of the flash from the configured address on.
 */
#include <inttypes.h>

#include "image/image.h"

/* Nothing that starts is shorter: a Cortex-M begins with stack pointer and reset vector. */
#define SHORTEST 8

static int bin_read(const uint8_t *data, size_t n_data, const struct image_options *options,
	struct image *ret, struct reason *reason)
{
	if (n_data < SHORTEST) {
		reason_set(reason,
			"offset %zu: the file ends, but a raw image has at least the %d bytes of "
			"stack pointer and reset vector: was it cut off?",
			n_data, SHORTEST);
		return IMAGE_REFUSED;
	}
	if (n_data > options->max_bytes) {
		reason_set(reason,
			"offset %" PRIu32 ": %zu bytes, but at most %" PRIu32 " fit the flash",
			options->max_bytes, n_data, options->max_bytes);
		return IMAGE_REFUSED;
	}
	return image_add(ret, options->address, data, n_data, options->max_bytes, reason);
}

const struct image_format image_format_bin = {
	.name = "raw binary",
	.suffixes = (const char *const[]){".bin", ".raw", ".img", NULL},
	.is_raw = true,
	.read = bin_read,
};
