/* SPDX-License-Identifier: MIT */
#include "fleet/results.h"

#include <string.h>

#include "image/rollout.h"

/*
 * Outcomes that may be the image's doing: each may leave a unit without its application, or with
 * one that does not run. A port that was taken, a chip that is silent or another, and what the
 * configuration forbids happen with any image.
 */
static bool blames_image(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_FAILED:
	case OUTCOME_BAD_IMAGE:
	case OUTCOME_ERASE_FAILED:
	case OUTCOME_WRITE_FAILED:
	case OUTCOME_VERIFY_DIFFERS:
	case OUTCOME_NOT_CONFIRMED:
	case OUTCOME_NOT_STARTED:
		return true;
	case OUTCOME_UPDATED:
	case OUTCOME_CURRENT:
	case OUTCOME_BAD_CONFIG:
	case OUTCOME_NO_MATCH:
	case OUTCOME_AMBIGUOUS:
	case OUTCOME_NO_IMAGE:
	case OUTCOME_PORT_BUSY:
	case OUTCOME_PORT_GONE:
	case OUTCOME_NO_SYNC:
	case OUTCOME_WRONG_CHIP:
	case OUTCOME_PROTECTED:
	case OUTCOME_VERIFY_IMPOSSIBLE:
	case OUTCOME_CANCELLED:
	case OUTCOME_QUARANTINED:
	case OUTCOME_MAX:
		break;
	}
	return false;
}

void results_count(const struct unit_list *units, const char *board, const char *sha256,
	unsigned percent, struct results *ret)
{
	unsigned below = percent * (ROLLOUT_SHARES / 100);
	struct results results = {};

	for (size_t i = 0; i < units->n_items; i++) {
		const struct unit_facts *unit = &units->items[i];

		if (unit->is_shadow || strcmp(unit->board, board) != 0)
			continue;
		results.n_units++;
		results.n_chosen += unit->share < below;
		if (unit->is_whole && strcmp(unit->sha256, sha256) == 0)
			results.n_have++;
		else if (strcmp(unit->failed_sha256, sha256) == 0 &&
			 blames_image(unit->failed_with))
			results.n_failed++;
	}
	*ret = results;
}

/* Failures that the owner knows of count neither as failures nor as tries. */
bool results_are_bad(const struct results *results, const struct fleet_rollout *limit,
	unsigned n_tolerated, struct reason *reason)
{
	unsigned n_failed = results->n_failed > n_tolerated ? results->n_failed - n_tolerated : 0;
	unsigned n_tried = results->n_have + n_failed;
	bool is_one_of_many = n_tried == 1 && results->n_chosen > 1;

	if (n_failed == 0)
		return false;
	if (limit->pause_after > 0 && n_failed >= limit->pause_after) {
		reason_set(reason,
			"%u %s with this image, and pause-after is %u: look at 'plugflash history', then publish another image, or resume",
			n_failed, n_failed == 1 ? "unit failed" : "units failed",
			limit->pause_after);
		return true;
	}
	if (limit->pause_share > 0 && !is_one_of_many &&
		(uint64_t)n_failed * 100 >= (uint64_t)n_tried * limit->pause_share) {
		reason_set(reason,
			"%u of %u %s failed with this image, and pause-share is %u %%: look at 'plugflash history', then publish another image, or resume",
			n_failed, n_tried, n_tried == 1 ? "unit" : "units", limit->pause_share);
		return true;
	}
	return false;
}
