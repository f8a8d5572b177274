/* SPDX-License-Identifier: MIT */
/*
 * image-cache.h - the image that each rule finds in the image directory, while that changes.
 *
 * The worker program looks it up, in a process of its own, for all rules at once that are asked
 * for: the event loop reads no directory and waits for no mount. A wait for an image, and the loss
 * of one, are logged here, once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "flash/finding.h"
#include "rules/config.h"
#include "service/watch.h"

/*
 * One rule, for a unit and all others with the same choice: one entry, unless a rollout divides
 * them. Or a unit of it that goes back, where `previous` is set.
 */
struct image_entry {
	char *board;
	char *previous, *failed;
	struct rollout_unit unit; /* for which it was asked */
	struct finding found;
	int error;	/* -errno: the program failed, and `found` has the reason alone */
	bool is_wanted; /* to be looked up in the next run */
	bool is_asked;	/* by the run under way */
	unsigned look;	/* number of the look it is of, and when it came */
	uint64_t asked_usec, found_usec;
	uint64_t waits_since_usec; /* for a file, whichever; 0: for none */
	char *said; /* file that is being waited for, "" for one that went away; NULL: nothing */
};

/* Parts that the cache works with: all are the caller's, and outlive the cache. */
struct image_cache_parts {
	sd_event *event;
	const struct config *config;
	const char *worker; /* the program */
	const char *chips;
	struct watch *watch; /* NULL: changes are noticed at the next plug-in only */
	/* The answers that were waited for are there. Never from within the cache's functions. */
	void (*on_answer)(void *userdata);
	void *userdata;
};

struct image_cache {
	struct image_cache_parts parts;
	struct image_entry *items;
	size_t n_items;
	unsigned n_looks;
	sd_event_source *start; /* of a run, in the next round of the loop */
	struct image_run *run;	/* under way, or NULL */
};

enum image_cache_result {
	IMAGE_CACHE_FOUND,
	IMAGE_CACHE_ASKED, /* on_answer() follows: ask again then */
};

/* Forgets all entries, and ends the run under way; the parts stay. */
void image_cache_clear(struct image_cache *cache);

/* After a change: each entry is looked up again when it is asked for. */
void image_cache_look_again(struct image_cache *cache);

/*
 * The image that the rule finds for the unit. If something changed since it was looked up, or that
 * is more than a second ago (a network mount tells of no change), the program is asked; but an
 * answer that was asked for at or after `since_usec`, a moment ago, is good whatever has changed.
 * The entry is the cache's, and good until the next call. -ENOMEM besides. A change after the
 * look-up is found when the image is loaded.
 */
int image_cache_find(struct image_cache *cache, const struct board *board,
	const struct rollout_unit *unit, uint64_t since_usec, const struct image_entry **ret);

/* The same for the image that a unit held before the one that failed, by their names in messages.
 */
int image_cache_find_previous(struct image_cache *cache, const struct board *board,
	const char *previous, const char *failed, uint64_t since_usec,
	const struct image_entry **ret);

/* Whether the rule's image is being looked up; the board may be NULL. */
bool image_cache_is_asking(const struct image_cache *cache, const char *board);

/* -errno where nothing is known of the images: the program failed, or the host is short of memory
 * or descriptors; else 0. */
int image_entry_failure(const struct image_entry *entry);

/* Logs once that the rule's image is not there any more. */
void image_cache_tell_loss(struct image_cache *cache, const struct image_entry *entry);
