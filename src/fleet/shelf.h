/* SPDX-License-Identifier: MIT */
/*
 * shelf.h - the fleet's folder below the image directory: images are put there as anybody would
 * bring them, and taken away when nobody needs them.
 *
 * Manifest, signature and rollout file first, the image last, each by rename: whoever looks, and
 * whenever the process is killed, an image that is there is whole, and offered as its rollout says.
 * What this process brought is written down beside its state before the first of the files is
 * there; no other file is ever replaced, changed or taken away.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "fleet/brought.h"
#include "fleet/wish.h"
#include "image/rollout.h"

struct shelf;

enum shelf_result {
	SHELF_OK,
	SHELF_MISSING,
	SHELF_MORE,    /* shelf_fill(): call it again */
	SHELF_REFUSED, /* the reason says what stands against it, and what to do */
};

/*
 * Opens the folder, which must be there, and reads what was brought; files that are not whole are
 * removed. `state` is the open state directory, borrowed. 0; -errno with the reason.
 */
int shelf_open(const char *folder, int state, struct shelf **ret, struct reason *reason);
struct shelf *shelf_free(struct shelf *shelf);
void shelf_freep(struct shelf **shelf);

/*
 * Whether the image of the wish lies there with manifest and signature, all of it as wished; one
 * that this user brought before the state was lost is written down again. SHELF_OK; SHELF_MISSING;
 * SHELF_REFUSED: its name stands for other bytes, or for somebody else's file. -errno. The last
 * two with the reason.
 */
int shelf_claim(struct shelf *shelf, const struct wish *wish, struct reason *reason);

/*
 * Begins to place the image of the wish from the bytes of `fd`, which it takes. A placing that is
 * under way is given up. SHELF_MORE: shelf_fill() goes on; SHELF_OK: it is there already;
 * SHELF_REFUSED as above, or -errno, with the reason.
 */
int shelf_begin(struct shelf *shelf, const struct wish *wish, int fd, const struct rollout *rollout,
	struct reason *reason);

/*
 * Does a part of it, some milliseconds of work. SHELF_MORE; SHELF_OK: it is placed, and on the
 * disk; SHELF_REFUSED (the bytes are others than wished) or -errno, with the reason: it is given
 * up.
 */
int shelf_fill(struct shelf *shelf, struct reason *reason);

/* Gives up what is under way. */
void shelf_abort(struct shelf *shelf);

/*
 * Puts beside an image which units get it; nothing is done where it stands there already. From then
 * on the image is that board's, by the topic of that group, "": the gateway's own. 0; -errno, and
 * no unit more gets it than did (-ENOENT: this process did not bring one of that name);
 * SHELF_MISSING: the file cannot be written, on a full disk, and further units would have got the
 * image, so that it was removed: this needs no room.
 */
int shelf_offer(struct shelf *shelf, const char *image, const char *board, const char *group,
	const struct rollout *rollout);

/* The same for nobody; whose it is stays. */
int shelf_withdraw(struct shelf *shelf, const char *image);

/* Good until an image is placed or removed. NULL: this process did not bring one of that name. */
const struct shelf_item *shelf_find(const struct shelf *shelf, const char *image);

size_t shelf_count(const struct shelf *shelf);
const struct shelf_item *shelf_at(const struct shelf *shelf, size_t i);

/*
 * Takes an image and what stands beside it away, the image first, and forgets it. A file that was
 * changed since it was brought stays, and is forgotten. 0 or -errno.
 */
int shelf_remove(struct shelf *shelf, const char *image);
