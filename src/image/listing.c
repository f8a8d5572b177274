/* SPDX-License-Identifier: MIT */
#include "image/listing.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "image/copy.h"
#include "image/flasher-args.h"
#include "image/signature.h"

static void names_done(struct listing_names *names)
{
	for (size_t i = 0; i < names->n_items; i++)
		free(names->items[i]);
	free(names->items);
}

void listing_done(struct listing *listing)
{
	for (size_t i = 0; i < listing->n_entries; i++)
		free(listing->entries[i].name);
	free(listing->entries);
	names_done(&listing->manifests);
	names_done(&listing->rollouts);
	free(listing->unlike);
	free(listing->passed_by);
}

/*
 * Endings of files that stand beside images. A JSON file may be an image of ESP-IDF: it is taken
 * where the part of the glob has the ending itself, since a build has many others beside it.
 */
static const char *const passed_by[] = {SIGNATURE_SUFFIX, ".md5", ".sha1", ".sha256", ".sha256sum",
	".sha512", ".asc", ".gpg", ".sig", ".map", ".lst", ".txt", ".md", ".json"};

/* ------------------------------------------------------------------ reading */

static int take_entry(struct listing *listing, const struct dirent *from)
{
	struct listing_entry *grown =
		room_for_one(listing->entries, listing->n_entries, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	listing->entries = grown;
	grown += listing->n_entries;
	*grown = (struct listing_entry){
		.name = strdup(from->d_name),
		.is_known = from->d_type != DT_UNKNOWN,
		.type = DTTOIF(from->d_type),
	};
	if (!grown->name)
		return -ENOMEM;
	listing->n_entries++;
	return 0;
}

static int take_name(struct listing_names *names, const char *name)
{
	char **grown = room_for_one(names->items, names->n_items, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	names->items = grown;
	grown[names->n_items] = strdup(name);
	if (!grown[names->n_items])
		return -ENOMEM;
	names->n_items++;
	return 0;
}

/* "gate-1.2.0.bin.txt": of those that a person may have meant, "*.bin" fits without the last
 * ending. */
static int note_passed_by(struct listing *listing, const char *part, const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');
	CLEANUP(freep) char *stem = NULL;

	if (listing->passed_by || !dot || dot == entry->d_name || entry->d_type == DT_DIR)
		return 0;
	stem = strndup(entry->d_name, (size_t)(dot - entry->d_name));
	if (!stem)
		return -ENOMEM;
	if (fnmatch(part, entry->d_name, FNM_PERIOD) != 0 && fnmatch(part, stem, FNM_PERIOD) != 0)
		return 0;
	listing->passed_by = strdup(entry->d_name);
	return listing->passed_by ? 0 : -ENOMEM;
}

static int take(struct listing *listing, const char *part, const struct dirent *entry)
{
	const char *name = entry->d_name;
	bool is_passed_by = copy_name_is_unfinished(name);
	char *copy;

	for (size_t i = 0; i < ARRAY_SIZE(passed_by) && !is_passed_by; i++)
		is_passed_by = text_ends_with(name, passed_by[i]) &&
			       !(flasher_args_is_name(name) && flasher_args_is_name(part));
	if (text_ends_with(name, MANIFEST_SUFFIX))
		return take_name(&listing->manifests, name);
	if (text_ends_with(name, ROLLOUT_SUFFIX))
		return take_name(&listing->rollouts, name);
	if (is_passed_by)
		return note_passed_by(listing, part, entry);
	if (fnmatch(part, name, FNM_PATHNAME | FNM_PERIOD) == 0)
		return take_entry(listing, entry);
	if (entry->d_type != DT_REG)
		return 0;
	listing->n_unlike++;
	if (listing->unlike && strverscmp(name, listing->unlike) < 0)
		return 0;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	free(listing->unlike);
	listing->unlike = copy;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_names(struct listing_names *names)
{
	if (names->n_items > 0)
		qsort(names->items, names->n_items, sizeof(*names->items), compare_names);
}

static bool has_name(const struct listing_names *names, const char *name)
{
	return names->n_items > 0 &&
	       bsearch(&name, names->items, names->n_items, sizeof(*names->items), compare_names);
}

int listing_read(DIR *directory, const char *part, size_t most, struct listing *listing)
{
	for (;;) {
		const struct dirent *entry;
		int r;

		errno = 0;
		entry = readdir(directory);
		if (!entry && errno != 0)
			return -errno;
		if (!entry)
			break;
		if (++listing->n_seen > most)
			return LISTING_FULL;
		r = take(listing, part, entry);
		if (r < 0)
			return r;
	}
	sort_names(&listing->manifests);
	sort_names(&listing->rollouts);
	return LISTING_OK;
}

void listing_look_beside(
	const struct listing *listing, const char *name, struct listing_beside *ret)
{
	const char *dot = strrchr(name, '.');
	int n_stem = dot && dot > name ? (int)(dot - name) : (int)strlen(name);
	char beside[NAME_MAX + 16];

	*ret = (struct listing_beside){.may_have_manifest = false};
	snprintf(beside, sizeof(beside), "%s" ROLLOUT_SUFFIX, name);
	ret->may_have_rollout = has_name(&listing->rollouts, beside);
	snprintf(beside, sizeof(beside), "%s" MANIFEST_SUFFIX, name);
	ret->may_have_manifest = has_name(&listing->manifests, beside);
	snprintf(ret->stray, sizeof(ret->stray), "%.*s" MANIFEST_SUFFIX, n_stem, name);
	if (ret->may_have_manifest || !has_name(&listing->manifests, ret->stray))
		ret->stray[0] = '\0';
}
