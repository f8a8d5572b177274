/* SPDX-License-Identifier: MIT */
/*
 * made.h - files and folders that are there in full or not at all: each is made whole under a name
 * that nobody reads, gets its own name last, and never replaces another. What was made can be taken
 * back.
 */
#pragma once

#include <stddef.h>

struct made {
	char **paths; /* in the order in which they were made */
	size_t n_paths;
};

enum made_result {
	MADE_OTHER = 1, /* another file of this name is there, with other contents */
};

/* A folder of mode 755, and those above it; one that is there is left as it is. 0 or -errno. */
int made_folder(struct made *made, const char *path);

/* A file of mode 644 with these bytes. 0, also where it is there already with the same; MADE_OTHER
 * or -errno. */
int made_file(struct made *made, const char *path, const void *data, size_t n_data);

/*
 * The same with the bytes of the file `from` below `directory`, which somebody may own who must not
 * have other files read: it is a regular one, no link, and in no folder outside (folder_open()).
 * Also -ELOOP, -EXDEV and -EINVAL.
 */
int made_copy(struct made *made, const char *path, const char *directory, const char *from);

/* Removes all of it again, the last first; folders that others use by now stay. */
void made_undo(struct made *made);

/* It stays. */
void made_done(struct made *made);
