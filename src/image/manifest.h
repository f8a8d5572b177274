/* SPDX-License-Identifier: MIT */
/*
 * manifest.h - NAME.ini beside an image: what its maker says of it.
 *
 * Everything in it is optional, and whatever is in it must hold. It knows no chip table.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ini.h"
#include "base/text.h"
#include "image/digest.h"
#include "image/folder.h"

#define MANIFEST_SUFFIX	   ".ini"
#define MANIFEST_MAX_BYTES (64 * 1024)

/* NULL, 0 and false: not said. */
struct manifest {
	char *version;
	char **board; /* rules it is for, NULL-terminated */
	size_t n_board;
	char **chip; /* product ids or names of the chip table, NULL-terminated */
	size_t n_chip;
	char *sha256; /* lower case */
	bool has_size;
	uint32_t size;
	bool has_address;
	uint32_t address;
	char *requires; /* the lowest version that may be updated from */
	char *notes;
	struct ini_section *source; /* for the lines of messages */
};

enum manifest_result {
	MANIFEST_OK,
	MANIFEST_REFUSED, /* the reason begins with file and line */
};

/*
 * Reads the text; `name` stands for the file in the reason. 0, MANIFEST_REFUSED (syntax, another
 * section than [image], an unknown key, a bad value), -ENOMEM.
 */
int manifest_read(const char *name, const char *text, size_t n_text, struct manifest *ret,
	struct reason *reason);

/*
 * The same for the manifest of the image `path`, which lies in the open folder. Where `ret_file` is
 * not NULL it gets the bytes. -ENOENT besides: there is none; other -errno with the reason.
 */
int manifest_load(int folder, const char *path, struct folder_owners owners, struct manifest *ret,
	struct folder_file *ret_file, struct reason *reason);

void manifest_done(struct manifest *manifest);

/* Whether it is for this rule: names it, or names none. */
bool manifest_is_for(const struct manifest *manifest, const char *board);

/* Size and digest against those of the bytes. 0 or MANIFEST_REFUSED. */
int manifest_check_bytes(const struct manifest *manifest, size_t n_data,
	const char sha256[DIGEST_HEX_SIZE], struct reason *reason);

/* Sets a reason about one key: "FILE:LINE: [image] KEY: ..."; returns MANIFEST_REFUSED. */
int manifest_refuse(const struct manifest *manifest, const char *key, struct reason *reason,
	const char *format, ...) PRINTF_LIKE(4, 5);
