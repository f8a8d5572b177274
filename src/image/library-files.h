/* SPDX-License-Identifier: MIT */
/*
 * library-files.h - an image and the files that stand beside it, as they are on the disk.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum library_file_kind {
	LIBRARY_FILE_IMAGE,
	LIBRARY_FILE_MANIFEST,
	LIBRARY_FILE_SIGNATURE,
	LIBRARY_FILE_MANIFEST_SIGNATURE,
	LIBRARY_FILE_MAX,
};

struct library_file_status {
	bool exists;
	char name[NAME_MAX + 32]; /* without folders */
	struct stat status;
};

struct library_files {
	struct stat folder;
	struct library_file_status items[LIBRARY_FILE_MAX];
};

/* The ending by which the file's name differs from the image's. */
const char *library_file_suffix(size_t file);

/* The signature that counts: over the manifest where there is one, else over the image. */
size_t library_files_signature(const struct library_files *files);

/* Those of the image `path` below the open directory. 0, -ENOENT (no image) or -errno. */
int library_files_look(int root, const char *path, struct library_files *ret);

/* The same, `name` having no folders in it, in the folder that is open. */
int library_files_look_in(int folder, const char *name, struct library_files *ret);

/* A text that is another when any of them is. 0 or -ENOMEM. */
int library_files_stamp(const struct library_files *files, char **ret);
