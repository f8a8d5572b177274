/* SPDX-License-Identifier: MIT */
/*
 * listing.h - what one folder of the image directory holds, by its names: the entries that fit a
 * part of a glob, all manifests and rollouts, and what does not fit. Nothing is opened. For
 * library-search.c only.
 */
#pragma once

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "image/manifest.h"
#include "image/rollout.h"

struct listing_entry {
	char *name;
	bool is_known; /* to be of this type */
	mode_t type;
};

/* Names of files that stand beside images, in order once all are there. */
struct listing_names {
	char **items;
	size_t n_items;
};

struct listing {
	struct listing_entry *entries; /* that fit, in no order */
	size_t n_entries;
	struct listing_names manifests, rollouts;
	size_t n_seen; /* of any kind */
	char *unlike;  /* of the files that do not fit the last by name, or NULL */
	size_t n_unlike;
	char *passed_by; /* one that fits but for an ending that is never taken, or NULL */
};

enum listing_result {
	LISTING_OK,
	LISTING_FULL, /* more than `most` entries of any kind */
};

/*
 * Reads the folder to its end. Not taken, whatever the part: hidden names, copies under way, and
 * the files that stand beside images. 0, LISTING_FULL or -errno; listing_done() after each.
 */
int listing_read(DIR *directory, const char *part, size_t most, struct listing *listing);

void listing_done(struct listing *listing);

/* What stands beside one entry, as far as names tell. */
struct listing_beside {
	bool may_have_manifest, may_have_rollout;
	char stray[NAME_MAX + sizeof(MANIFEST_SUFFIX)]; /* named as if it were one; "": none */
};

/* Asking the folder for each of thousands would take longer than all the rest. */
void listing_look_beside(
	const struct listing *listing, const char *name, struct listing_beside *ret);
