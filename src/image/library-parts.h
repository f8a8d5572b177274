/* SPDX-License-Identifier: MIT */
/*
 * library-parts.h - the files that an image names, below its folder: their paths, owners and bytes.
 * For the choice and the load.
 */
#pragma once

#include "image/digest.h"
#include "image/flasher-args.h"
#include "image/folder.h"
#include "image/library-files.h"
#include "image/library-list.h"

/* The paths of the parts below the directory, NULL-terminated; parse_list_free(). 0 or -ENOMEM. */
int library_parts_paths(const char *image, const struct library_files *files, char ***ret);

/* Tells the query's `on_folder` of each folder of a part that is there, and of those above it. */
void library_parts_tell_folders(int root, const char *image, const struct library_files *files,
	const struct library_query *query);

/*
 * Whether all parts, which are there, are regular files, and whether none but the owners can have
 * written them and put them where they are. 0,
 * LIBRARY_REFUSED with the reason, or -errno.
 */
int library_parts_check(int root, const char *image, const struct library_files *files,
	struct folder_owners owners, struct reason *reason);

/* The open folder of an image, and how its parts are read. */
struct library_parts_place {
	int root;
	int folder;
	const char *image; /* its path, for messages */
	size_t max_bytes;  /* of the image and all its parts */
	struct folder_owners owners;
};

/*
 * `file` is the image, read whole: reads the parts that it names behind its bytes, in rising order
 * of address, and sets their sizes. Each is a regular file, opened below the folder and through no
 * link but to a folder that stays there. 0; LIBRARY_REFUSED or -errno with the reason, and -ENOMEM.
 * Then flasher_args_done() for `ret`.
 */
int library_parts_read(const struct library_parts_place *place, struct folder_file *file,
	struct flasher_args *ret, struct reason *reason);

/*
 * The digests of such an image: of a text that has the SHA-256 of the JSON and then of each part, a
 * line each. Of all bytes in a row they would not say where one part ends and the next begins: data
 * that go to the end of the one before would keep them. 0 or -ENOMEM.
 */
int library_parts_digest(
	const struct folder_file *file, const struct flasher_args *args, struct digests *ret);
