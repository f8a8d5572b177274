/* SPDX-License-Identifier: MIT */
/* brought.h - the list of images that this process brought into the fleet's folder, as it is kept
 * in the state directory. It is shelf.c's; others see its items. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "fleet/desired.h"
#include "fleet/wish.h"
#include "image/rollout.h"

/* One image that this process brought. */
struct shelf_item {
	char image[WISH_IMAGE_MAX];
	char board[WISH_BOARD_MAX];    /* of the wish that offered it last */
	char group[DESIRED_GROUP_MAX]; /* of that wish's topic; "": the gateway's own */
	bool has_group;		       /* it is known: older versions did not keep it */
	char version[VERSION_NAME_MAX];
	char sha256[DIGEST_HEX_SIZE];
	uint64_t size;
	bool is_placed;		/* false: it was begun, and is not there */
	struct rollout rollout; /* what stands beside it; 100 percent where nothing does */
};

struct brought {
	int state; /* the open directory, borrowed */
	struct shelf_item *items;
	size_t n_items;
};

/* 0, also where there is no list or none that can be understood: what it would have named is found
 * again by shelf_claim(). -errno with the reason. */
int brought_read(struct brought *brought, int state, struct reason *reason);
void brought_done(struct brought *brought);

struct shelf_item *brought_find(const struct brought *brought, const char *image);

/* All are on the disk when they return. The item is good until the next of the others. 0 or
 * -errno. */
int brought_give(
	struct brought *brought, struct shelf_item *item, const char *board, const char *group);
int brought_add(struct brought *brought, const struct wish *wish, struct shelf_item **ret);
int brought_remove(struct brought *brought, struct shelf_item *item);
