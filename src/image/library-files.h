/* SPDX-License-Identifier: MIT */
/*
 * library-files.h - an image and the files that stand beside it, as they are on the disk. For
 * library.c and library-load.c only.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

enum {
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

/* Those of the image `path` below the open directory. 0, -ENOENT (no image) or -errno. */
int library_files_look(int root, const char *path, struct library_files *ret);

/* The same, `name` having no folders in it, in the folder that is open. */
int library_files_look_in(int folder, const char *name, struct library_files *ret);

/* A text that is another when any of them is. 0 or -ENOMEM. */
int library_files_identity(const struct library_files *files, char **ret);

/*
 * For how long, in microseconds, none of them was written, renamed into place or given another
 * mode. UINT64_MAX where the clock was set back since, or the file system has a clock of its own.
 */
uint64_t library_files_age(const struct library_files *files);
