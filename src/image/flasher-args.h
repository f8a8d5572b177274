/* SPDX-License-Identifier: MIT */
/*
 * flasher-args.h - flasher_args.json, by which ESP-IDF's build says which of its files belong where
 * in the flash.
 *
 * It knows this one text. The files themselves are looked at and read by library-look.h and
 * library-parts.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "image/image.h"

/* By this ending of its name a file of the image directory is taken for one. */
#define FLASHER_ARGS_SUFFIX    ".json"
#define FLASHER_ARGS_NAME      "flasher_args.json"

#define FLASHER_ARGS_MAX_BYTES (64 * 1024)

/* ESP-IDF writes three or four; each partition of a table can have one of its own. */
#define FLASHER_ARGS_MAX_PARTS 32

/* Of the name of a part, with its folders and the NUL. */
#define FLASHER_ARGS_NAME_MAX 256

/* The smallest piece of the flash that can be erased: no two parts may share one. */
#define FLASHER_ARGS_SECTOR 4096

struct flasher_args {
	struct image_part *parts; /* in rising order of address; sizes are 0 until they are known */
	size_t n_parts;
	char *chip; /* "esp32c3"; NULL: not said */
};

/* Whether a file of this name, with folders or without, is taken for one. */
bool flasher_args_is_name(const char *path);

/*
 * The path whose last part may have the version: that of the folder where all builds give the file
 * the same name, so "gate-1.2.0" of "gate-1.2.0/flasher_args.json"; else the path itself. At most
 * `size` bytes go to `to`. Returns what is to be looked at.
 */
const char *flasher_args_version_path(const char *path, char *to, size_t size);

/*
 * Reads the text. All of it must be understood: what it asks of esptool and is not done here, such
 * as encryption, is refused, and so are parts whose names lead out of its folder, whose addresses
 * are not those of sectors, or that are there twice. 0, IMAGE_REFUSED or -ENOMEM; the reason goes
 * on after a name and a colon. Free with flasher_args_done().
 */
int flasher_args_read(
	const char *text, size_t n_text, struct flasher_args *ret, struct reason *reason);

/* Whether the parts, whose sizes are known now, have places of their own. 0 or IMAGE_REFUSED. */
int flasher_args_check_sizes(const struct flasher_args *args, struct reason *reason);

/* Bytes of all parts. */
size_t flasher_args_bytes(const struct flasher_args *args);

void flasher_args_done(struct flasher_args *args);
