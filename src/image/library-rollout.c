/* SPDX-License-Identifier: MIT */
/*
 * library-rollout.c - rollouts, applied to the files of a rule.
 *
 * A choice is kept for all units that would get the same, so each rollout narrows the span of
 * shares, also where another file is chosen in the end: that costs a look-up, and no wrong answer.
 */
#include "image/library-rollout.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "image/library-look.h"
#include "image/version.h"

/* 0, ROLLOUT_REFUSED with the reason, -ENOENT (it is gone by now), or another -errno with the
 * reason. */
static int load(const struct library_query *query, int root, const char *image, struct rollout *ret,
	struct reason *reason)
{
	CLEANUP(folder_file_done) struct folder_file file = {};
	CLEANUP(freep) char *path = NULL, *above = NULL;
	CLEANUP(closep) int folder = -1;
	char shown[TEXT_MAX], label[TEXT_MAX + 16];
	int r;

	if (text_format(&path, "%s" ROLLOUT_SUFFIX, image) < 0 ||
		text_format(&above, "%.*s", (int)(basename(image) - image), image) < 0)
		return -ENOMEM;
	snprintf(label, sizeof(label), "rollout '%s'", text_escape(path, shown, sizeof(shown)));
	folder = folder_open(root, above);
	if (folder < 0)
		return folder;
	r = folder_read(folder, basename(path), label, ROLLOUT_MAX_BYTES,
		library_owners(query, root), &file, reason);
	if (r == FOLDER_OK)
		return rollout_read(path, (const char *)file.data, file.n_data, ret, reason);
	return r < 0 ? r : ROLLOUT_REFUSED;
}

/* Units on either side of the bound have other candidates left. */
static void narrow(struct rollout_span *span, unsigned below, unsigned share)
{
	if (share < below && below < span->below)
		span->below = below;
	if (share >= below && below > span->from)
		span->from = below;
}

static int withhold(
	struct library_candidate *candidate, const struct rollout *rollout, unsigned below)
{
	candidate->state = LIBRARY_CANDIDATE_PASSED_OVER;
	candidate->is_withheld = true;
	if (below > 0)
		return library_tell_why(
			candidate, 0, "not yet for this unit: rollout of %u %%", rollout->percent);
	return library_tell_why(candidate, 0, "%s",
		rollout->percent == 0 ? "its rollout is held: no unit gets it for now"
				      : "the time of its rollout is over: no unit gets it for now");
}

static int apply(const struct rollout_unit *unit, const struct rollout *rollout, int64_t now_s,
	struct library_candidate *candidate, struct rollout_span *span)
{
	unsigned below = rollout_below(rollout, now_s);

	if (!unit)
		return candidate->remark || below == ROLLOUT_SHARES
			       ? 0
			       : text_format(&candidate->remark,
					 "rollout to %u %% of the units: the others get the next lower version",
					 below / (ROLLOUT_SHARES / 100));
	if (rollout->until_s > now_s && (span->until_s == 0 || rollout->until_s < span->until_s))
		span->until_s = rollout->until_s;
	if (below == ROLLOUT_SHARES)
		return 0;
	narrow(span, below, unit->share);
	span->is_of_held = true;
	if (unit->share < below ||
		(candidate->sha256 && strcmp(candidate->sha256, unit->sha256) == 0))
		return 0;
	return withhold(candidate, rollout, below);
}

int library_roll_out(const struct library_query *query, int root, int64_t now_usec,
	struct library_list *list, struct rollout_span *ret, struct reason *reason)
{
	struct rollout_span span = {.below = ROLLOUT_SHARES};
	char shown[TEXT_MAX];

	for (size_t i = 0; i < list->n_items; i++) {
		struct library_candidate *candidate = &list->items[i];
		struct rollout rollout = {0};
		struct reason why = {0};
		int r;

		if (!candidate->may_have_rollout ||
			candidate->state == LIBRARY_CANDIDATE_PASSED_OVER)
			continue;
		r = load(query, root, candidate->name, &rollout, &why);
		if (r == ROLLOUT_OK)
			r = apply(query->unit, &rollout, now_usec / (int64_t)USEC_PER_SEC,
				candidate, &span);
		else if (r == ROLLOUT_REFUSED && !candidate->why)
			r = library_tell_why(candidate, 0, "%s", why.text);
		if (r < 0 && r != -ENOENT)
			return reason_refuse(r, reason, "image '%s': its rollout: %s",
				text_escape(candidate->name, shown, sizeof(shown)), strerror(-r));
	}
	*ret = span;
	return 0;
}

bool library_rollout_keeps(const struct library_query *query, const struct library_list *list,
	const struct library_candidate *meant)
{
	bool is_withheld = false;

	for (size_t i = 0; i < list->n_items; i++)
		is_withheld |= list->items[i].is_withheld &&
			       version_compare(list->items[i].version, meant->version) > 0;
	return is_withheld && *query->unit->version &&
	       version_compare(meant->version, query->unit->version) < 0;
}
