/* SPDX-License-Identifier: MIT */
/*
 * library-files.h - an image and the files that stand beside it, as they are on the disk: its
 * manifest, signatures, and the parts of an image of several files.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/text.h"

enum library_file_kind {
	LIBRARY_FILE_IMAGE,
	LIBRARY_FILE_MANIFEST,
	LIBRARY_FILE_SIGNATURE,
	LIBRARY_FILE_MANIFEST_SIGNATURE,
	LIBRARY_FILE_MAX,
};

struct library_file_status {
	bool exists;
	char name[NAME_MAX + 32]; /* without folders; that of a part as its image has it */
	struct stat status;
};

struct library_files {
	struct stat folder;
	struct library_file_status items[LIBRARY_FILE_MAX];

	/* Of an image of several files. */
	bool has_parts;			   /* by its name it is one, even where it names none */
	struct reason fault;		   /* why it cannot be read, "": it can */
	struct library_file_status *parts; /* in rising order of their addresses */
	size_t n_parts;
};

/* The ending by which the file's name differs from the image's. */
const char *library_file_suffix(size_t file);

/* All of them, the parts behind the others. */
static inline size_t library_files_count(const struct library_files *files)
{
	return LIBRARY_FILE_MAX + files->n_parts;
}

static inline const struct library_file_status *library_files_at(
	const struct library_files *files, size_t i)
{
	return i < LIBRARY_FILE_MAX ? &files->items[i] : &files->parts[i - LIBRARY_FILE_MAX];
}

/* Bytes of the image with its parts. */
uint64_t library_files_bytes(const struct library_files *files);

/* The first part that is not there, or NULL. */
const struct library_file_status *library_files_missing(const struct library_files *files);

/*
 * The signature that counts: over the manifest where there is one, else over the image. An image
 * with parts has no other than that over the manifest, whose sha256 is of all of them: a signature
 * over the file that names them says nothing of the parts.
 */
size_t library_files_signature(const struct library_files *files);

void library_files_done(struct library_files *files);

/* A text that is another when any of them is. 0 or -ENOMEM. */
int library_files_stamp(const struct library_files *files, char **ret);
