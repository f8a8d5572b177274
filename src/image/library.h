/* SPDX-License-Identifier: MIT */
/*
 * library.h - the image directory: which file a rule gets, and the bytes of that file with what its
 * manifest and signature say of them.
 *
 * Files are taken of root, of the user this process runs as, and of the owner of the folder "fleet"
 * where images must be signed (library-look.h).
 *
 * To choose, names and manifests are read, and no image. To load, the image is read once, into
 * memory, so that the bytes that were hashed and checked are the bytes that are used.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/digest.h"
#include "image/flasher-args.h"
#include "image/library-list.h"
#include "image/manifest.h"
#include "rules/config.h"

struct library_query library_query_for(const struct config *config, const struct board *board);

/* ------------------------------------------------------------------ choosing */

/*
 * Of the files that fit the glob the one with the highest version; equal versions, and names
 * without any: the last by name, digits as numbers. Above them all is one that may have any
 * version: without one in its name and with a manifest that is wrong, or, where there are several
 * files, with a name from which the version is not certain (version-name.h) and no manifest that
 * says it; so is a date among versions of other kinds. Such a one is refused. Not looked at, unless
 * the glob's part for them has no wildcard: names that begin with a dot, copies under way
 * ("*.part", "*.tmp", "*~") and what stands beside images ("*.ini", "*.minisig", "*.sha256",
 * "*.map", "*.txt" and the like). Passed over: folders, links and other things that are no files
 * unless a version stands in their names, files whose manifest names other boards.
 *
 * An older file is never taken because the highest may not be used: that would be a downgrade
 * nobody asked for. 0, LIBRARY_NONE, LIBRARY_REFUSED (its manifest is wrong, it is not signed, its
 * owner or mode; all that fits was passed over; the glob leaves the directory), LIBRARY_AWAITED, or
 * -errno for the directory or one below it; each but 0 with the reason. `ret` is set (name and
 * stamp NULL where no file is meant) unless -errno; free with library_choice_done().
 */
int library_choose(
	const struct library_query *query, struct library_choice *ret, struct reason *reason);

/* The same choice, with all files that fit. Free with library_list_done(). */
int library_list(const struct library_query *query, struct library_list *ret,
	struct library_choice *ret_choice, struct reason *reason);

/* ------------------------------------------------------------------ loading */

/* An image with all that is known of it. */
struct library_item {
	uint8_t *data; /* of a large file the parts that image_read() reads, and zeros between them
			*/
	size_t n_data;
	struct flasher_args args; /* of an image of several files: which bytes of `data` are whose
				     (flasher-args.c); no parts: it is one file */
	char sha256[DIGEST_HEX_SIZE];
	char *version; /* signed, else the manifest's, else the one in its name, else "" */
	bool has_manifest;
	struct manifest manifest; /* holds for the bytes and the board; chips are not checked */
	char signer[96];	  /* "release (KEY ID)"; "": no good signature */
};

/*
 * An image of at most `max_bytes` is kept whole, and of a larger one, up to 512 MiB, the parts that
 * are loaded.
 *
 * Reads image, manifest and signature out of one open folder, each once, and checks them against
 * one another: board, size and digest of the manifest; where a signature is required, the one over
 * the manifest, which must then say version, board and sha256, or where there is no manifest the
 * one over the image, whose trusted comment must say version and board. A file that names others
 * (flasher-args.h) is one image with these: size, digest and bound are those of all of them, one
 * behind the other, and the signature must be over a manifest. 0, LIBRARY_REFUSED, or
 * -errno, each with the reason; -ESTALE, where a choice is loaded (`stamp`): to be chosen again,
 * for one of the files is another than it was, or gone, or they do not fit one another and have
 * come so lately that the rest of a copy may follow.
 */
int library_load(const struct library_query *query, const char *name, size_t max_bytes,
	struct library_item *ret, struct reason *reason);

/*
 * The same for the image with this digest: `name`, or where that is another by now the first that
 * has it of those that fit the query's glob. Sets `ret_name`, to be freed. Beside the results
 * above: LIBRARY_NONE, none has it.
 */
int library_load_digest(const struct library_query *query, const char *name, const char *sha256,
	size_t max_bytes, struct library_item *ret, char **ret_name, struct reason *reason);

void library_item_done(struct library_item *item);

/* One file, read whole, with the parts that it names. */
struct library_file {
	uint8_t *data;
	size_t n_data;
	struct flasher_args args;
	char sha256[DIGEST_HEX_SIZE];
};

/*
 * Reads `name` below `directory` by itself, of any owner, at most `max_bytes`. 0,
 * LIBRARY_REFUSED or -errno, with the reason.
 */
int library_read(const char *directory, const char *name, size_t max_bytes,
	struct library_file *ret, struct reason *reason);

void library_file_done(struct library_file *file);
