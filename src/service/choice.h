/* SPDX-License-Identifier: MIT */
/*
 * choice.h - what the next attempt at a bridge gets: the image that its rule finds, or the one that
 * its unit held before, and the rule as it is now.
 *
 * Owns what was found in the image directory, and counts its changes. Starts nothing.
 */
#pragma once

#include <stdbool.h>

#include "flash/assignment.h"
#include "rules/config.h"
#include "service/bridge.h"
#include "service/image-cache.h"
#include "service/records.h"

/* Begins as all zero but for what is borrowed. */
struct chooser {
	struct records *records; /* NULL: nothing is kept of units */
	const char *chips_dir;
	struct image_cache cache;
	unsigned images_seq; /* goes up with each change in the image directory */
};

enum choice {
	CHOICE_WAIT = 1, /* the image is being copied; a change of the images ends that */
	CHOICE_NONE,	 /* there is no image, or none that may be used */
	CHOICE_ASKED,	 /* the cache looks it up, and says when it has: choose again then */
};

void chooser_done(struct chooser *chooser);

/* The configuration is another: all of it may name other images. */
void chooser_config_changed(struct chooser *chooser);

/* Something changed in the image directory. */
void chooser_images_changed(struct chooser *chooser);

/*
 * Chooses for the attempt that begins, and notes the choice and the rule's policy in the bridge. 0
 * and the assignment, which borrows from bridge and board; CHOICE_WAIT; CHOICE_NONE and the end of
 * the attempt; CHOICE_ASKED; -errno where the host is short of something.
 */
int chooser_choose(struct chooser *chooser, struct bridge *bridge, const struct board *board,
	struct assignment *ret, struct report *ret_end);

/*
 * Chooses for a check that somebody asked for, by the same results. Nothing is noted in the bridge
 * of what it is to get: that another image is there is news for the service after it, too. The
 * assignment borrows what was found as well, which is there until the cache is asked again.
 */
int chooser_choose_check(struct chooser *chooser, struct bridge *bridge, const struct board *board,
	struct assignment *ret, struct report *ret_end);

/*
 * A unit that failed when the service ran last waits on behind the bridge that was found at the
 * start: how long, 0 where it does not. The bridge, for which an image was chosen, counts as failed
 * then.
 */
uint64_t chooser_resume_rest(
	const struct chooser *chooser, struct bridge *bridge, const struct board *board);

/*
 * Whether the image that the attempt has is not for the unit that answered, and was chosen for the
 * one that was there before, or for one that nobody knew.
 */
bool chooser_chose_for_another(
	const struct chooser *chooser, const struct bridge *bridge, const struct report *so_far);

/*
 * Looks after a change of the images whether the bridge is to be worked on with another one, and
 * says where there is none any more. The bridge counts as looked at,
 * unless that is still being looked up.
 */
bool chooser_review(struct chooser *chooser, struct bridge *bridge);

/*
 * The unit behind the bridge is to go back to the image it held before: its next attempt, which is
 * due at once, gets that, where the image directory has another image than the one that failed.
 * Else an entry says so, and the unit counts as tried. While that
 * is still being looked up nothing happens.
 */
void chooser_begin_rollback(struct chooser *chooser, struct bridge *bridge);
