/* SPDX-License-Identifier: MIT */
/*
 * library-look.h - looking at the files of one image, on the disk. For the choice and the load.
 *
 * No image is opened but one that names others, which is a short text.
 */
#pragma once

#include "image/folder.h"
#include "image/library-files.h"
#include "image/library-list.h"

/* The folder of whoever brings images by himself, below the image directory. */
#define LIBRARY_FLEET "fleet"

/*
 * Whose files are taken from the open image directory. Where images must be signed, root may give
 * the folder "fleet" in it to somebody: what he brings is his, and the signature decides what it
 * is. Nobody else could put a file of his there.
 */
struct folder_owners library_owners(const struct library_query *query, int root);

/*
 * Those of the image `path` below the open directory. 0, -ENOENT (no image), -ENOMEM or another
 * -errno; library_files_done() after each. A file that names parts and cannot be read or understood
 * is no failure: `fault` says it.
 */
int library_files_look(int root, const char *path, struct library_files *ret);

/* The same, `name` having no folders in it, in the folder that is open. */
int library_files_look_in(int folder, const char *name, struct library_files *ret);

/*
 * Opens the folder of a part, and sets `ret_name` to its name in there. The folder is below that of
 * the image, which is open. The descriptor or -errno, as folder_open().
 */
int library_look_open(int folder, const char *part, const char **ret_name);
