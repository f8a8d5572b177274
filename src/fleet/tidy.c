/* SPDX-License-Identifier: MIT */
/*
 * tidy.c - the shelf says of each image which wish offered it last. Images that are not wished any
 * more are judged by that:
 *
 *   1. The wish in force for the board is none, or cannot be understood: nobody gets the image.
 *   2. The wish in force names the image: its errand says who gets it, where it can offer it as
 *      wished. Else nobody does.
 *   3. The wish in force names another image. One of a higher version is removed once that is
 *      offered, for the service would choose it. One that was for all units stays for those that
 *      do not get the wished one yet, unless its own topic was taken back or says otherwise. Nobody
 *      else gets the image.
 *
 * To give an image to nobody is always safe, and does not wait for the service. To remove one waits
 * for fresh facts.
 */
#include "fleet/tidy.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "image/version.h"

static bool is_for_all(const struct shelf_item *item)
{
	return item->is_placed && item->rollout.percent == 100 && item->rollout.until_s == 0;
}

/* ------------------------------------------------------------------ given to nobody */

/* To all units, now and without end; a clock that is not set says nothing of now. */
static bool says_all(const struct wish *wish)
{
	int64_t now_s = realtime_usec() / (int64_t)USEC_PER_SEC;
	bool is_early = now_s >= CLOCK_LEAST && wish->not_before_s > now_s;

	return !wish->paused && wish->percent == 100 && !wish->window.is_given && !is_early;
}

/* Older versions did not keep the group: then any wish for the board will do. */
static bool stays_for_all(const struct desired *desired, const struct shelf_item *item)
{
	const struct desired_item *last;

	if (!is_for_all(item) || !item->has_group)
		return is_for_all(item);
	last = desired_find_in(desired, item->group, item->board);
	return last && last->is_good &&
	       (strcmp(last->wish.image, item->image) != 0 || says_all(&last->wish));
}

static bool is_in_the_way(const struct household *house, const struct errand *errand,
	const struct desired_item *wished, const struct shelf_item *item)
{
	return errand->decision.state == WISH_STATE_OFFERED &&
	       facts_age(house->facts) == FACTS_FRESH &&
	       version_compare(item->version, wished->wish.version) > 0;
}

static bool withdraw(struct shelf *shelf, const struct shelf_item *item)
{
	char image[WISH_IMAGE_MAX];
	int r;

	text_copy(image, sizeof(image), item->image);
	r = shelf_withdraw(shelf, image);
	if (r == SHELF_MISSING)
		log_warning(
			"%s: removed: its rollout file cannot be written, and no unit is to get it: is the disk full?",
			image);
	else if (r < 0)
		log_warning("%s: its rollout file cannot be written: %s", image, strerror(-r));
	return r >= 0;
}

bool tidy_withdraw(struct household *house, const struct errand *errand,
	const struct desired_item *wished, const struct shelf_item *item)
{
	if (!errand || !wished || !wished->is_good)
		return withdraw(house->shelf, item);
	if (strcmp(wished->wish.image, item->image) == 0)
		return errand->is_offering || withdraw(house->shelf, item);
	if (is_in_the_way(house, errand, wished, item))
		return shelf_remove(house->shelf, item->image) == 0;
	return stays_for_all(&house->desired, item) || withdraw(house->shelf, item);
}

/* ------------------------------------------------------------------ removed */

/* A unit holds it, or would go back to it. */
static bool is_held(const struct unit_list *units, const char *sha256)
{
	for (size_t i = 0; i < units->n_items; i++)
		if (strcmp(units->items[i].sha256, sha256) == 0 ||
			strcmp(units->items[i].previous_sha256, sha256) == 0)
			return true;
	return false;
}

/* The highest of the board that is for all units: one that comes tomorrow gets it. */
static bool is_for_newcomers(const struct shelf *shelf, const struct shelf_item *mine)
{
	if (!is_for_all(mine))
		return false;
	for (size_t i = 0; i < shelf_count(shelf); i++) {
		const struct shelf_item *item = shelf_at(shelf, i);

		if (strcmp(item->board, mine->board) == 0 && is_for_all(item) &&
			version_compare(item->version, mine->version) > 0)
			return false;
	}
	return true;
}

void tidy_remove(struct household *house)
{
	struct shelf *shelf = house->shelf;

	if (facts_age(house->facts) != FACTS_FRESH)
		return;
	for (size_t i = shelf_count(shelf); i-- > 0;) {
		const struct shelf_item *item = shelf_at(shelf, i);
		char image[WISH_IMAGE_MAX];

		if (desired_names(&house->desired, item->image) ||
			is_held(facts_units(house->facts), item->sha256) ||
			is_for_newcomers(shelf, item))
			continue;
		text_copy(image, sizeof(image), item->image);
		if (shelf_remove(shelf, image) == 0)
			log_info("%s: taken away: no unit holds it, and no wish names it", image);
	}
}
