/* SPDX-License-Identifier: MIT */
/*
 * folder.h - opening and reading below a directory that others write to, with no way out of it.
 *
 * A folder may be a link that stays inside; a file is read only where it is a regular one itself,
 * once, and whole. The owners whose files are trusted are decided here. It knows nothing of globs
 * or images.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/text.h"

enum folder_result {
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

/* Whose files are taken, beside those of root and of the user this process runs as. */
struct folder_owners {
	bool any;   /* everybody's, and of any mode: somebody named the file himself */
	uid_t also; /* this user's; 0: nobody's */
};

/*
 * Whether none but these can have written it: owner and mode. Otherwise `why` holds the rest of a
 * sentence that begins with the name.
 */
bool folder_is_trusted(
	const struct stat *status, struct folder_owners owners, char *why, size_t size);

/*
 * The same for the folder and all those above it up to `root`. FOLDER_REFUSED with the reason, or
 * -errno.
 */
int folder_check(int root, int folder, struct folder_owners owners, struct reason *reason);

/* A part of a file. */
struct folder_part {
	uint64_t offset;
	uint64_t size;
};

#define FOLDER_MAX_PARTS 64

/* How much is read. */
struct folder_limit {
	size_t max_bytes; /* a file of at most so many is kept whole */
	size_t max_large; /* of one of at most so many, parts are kept */
	/*
	 * Which parts, by the file's first bytes; `max_bytes` all together. Returns how many; 0:
	 * the file is too large. NULL: each is that has more than `max_bytes`.
	 */
	size_t (*pick)(const uint8_t *head, size_t n_head, uint64_t n_file, size_t max_bytes,
		struct folder_part parts[FOLDER_MAX_PARTS]);
	/* Gets all bytes of the file in turn, kept or not; NULL: nobody does. */
	void (*take)(void *userdata, const uint8_t *bytes, size_t n_bytes);
	void *userdata;
};

/* The name of the user that this process runs as, as far as the environment says it, or the number.
 * Returns `to`. */
#define FOLDER_USER_MAX 48
char *folder_user(char to[static FOLDER_USER_MAX]);

/* The sentence for an image directory that cannot be opened. Returns the error. */
int folder_explain_directory(int error, const char *directory, struct reason *reason);

/* The contents of a file, or parts of them. */
struct folder_file {
	uint8_t *data; /* zeros where nothing was kept: these cost no memory */
	size_t n_data;
	bool is_whole;
	struct stat status;
};

/*
 * Reads the file of that name, which has no slash: looked at before it is opened, O_NONBLOCK, at
 * most `max_bytes`, and refused when size or time changed while it was read. It must be trusted.
 * The reason begins with `label` ("image 'gate.hex'"). 0, FOLDER_REFUSED, or -errno, without a
 * reason for -ENOENT alone.
 */
int folder_read(int folder, const char *name, const char *label, size_t max_bytes,
	struct folder_owners owners, struct folder_file *ret, struct reason *reason);

/* The same, for files that may be large and of which little is needed. */
int folder_read_parts(int folder, const char *name, const char *label,
	const struct folder_limit *limit, struct folder_owners owners, struct folder_file *ret,
	struct reason *reason);

void folder_file_done(struct folder_file *file);
