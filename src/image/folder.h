/* SPDX-License-Identifier: MIT */
/*
 * folder.h - opening and reading below a directory that others write to, with no way out of it.
 *
 * A folder may be a link that stays inside; a file is read only where it is a regular one itself,
 * once, and whole. Whose files are trusted is decided here. It knows nothing of globs or images.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/text.h"

enum {
	FOLDER_OK,
	FOLDER_REFUSED, /* the file's own fault; the reason says what */
};

/* Whether the path is relative and has no ".." in it. */
bool folder_path_is_beneath(const char *path);

/*
 * Opens a folder below the open directory (O_PATH). Links are followed where they are relative and
 * stay inside, but not on kernels and in sandboxes without openat2(). The descriptor or -errno:
 * -EXDEV and -ELOOP where a link leads out, is absolute, or may not be followed.
 */
int folder_open(int root, const char *path);

/*
 * Whether none but root, or the user this process runs as, can have written it: owner and mode.
 * Otherwise `why` holds the rest of a sentence that begins with the name.
 */
bool folder_is_trusted(const struct stat *status, char *why, size_t size);

/*
 * The same for the folder and all those above it up to `root`. FOLDER_REFUSED with the reason, or
 * -errno.
 */
int folder_check(int root, int folder, struct reason *reason);

/* What is read of a file. */
struct folder_file {
	uint8_t *data;
	size_t n_data;
	struct stat status;
};

/*
 * Reads the file of that name, which has no slash: looked at before it is opened, O_NONBLOCK, at
 * most `max_bytes`, and refused when size or time changed while it was read. Unless `any_owner`,
 * it must be trusted. The reason begins with `label` ("image 'gate.hex'"). 0, FOLDER_REFUSED, or
 * -errno, without a reason for -ENOENT alone.
 */
int folder_read(int folder, const char *name, const char *label, size_t max_bytes, bool any_owner,
	struct folder_file *ret, struct reason *reason);

void folder_file_done(struct folder_file *file);
