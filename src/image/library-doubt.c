/* SPDX-License-Identifier: MIT */
/*
 * library-doubt.c - no guess at a version decides which file is flashed.
 *
 * A file whose version is not certain may be the newest, or the oldest. To pass over it may be a
 * downgrade, and so may be to take it: it is refused, and with it the rule has no image until
 * somebody has said which version it is.
 */
#include "image/library-doubt.h"

#include <stdio.h>
#include <string.h>

#include "image/manifest.h"
#include "image/version.h"

static bool counts(const struct library_candidate *candidate)
{
	return candidate->state != LIBRARY_CANDIDATE_PASSED_OVER;
}

static int refuse(struct library_candidate *candidate, const char *why)
{
	char name[TEXT_MAX / 2];

	candidate->hides_version = true;
	if (candidate->why)
		return 0;
	return library_tell_why(candidate, 0,
		"%s: put 'version = ...' into '%s" MANIFEST_SUFFIX
		"', or version-in-name into the rule",
		why, text_escape(basename(candidate->name), name, sizeof(name)));
}

int library_doubt(const struct library_query *query, struct library_list *list)
{
	const struct library_candidate *numbers = NULL;
	char why[TEXT_MAX], name[TEXT_MAX / 2];
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < list->n_items; i++) {
		n += counts(&list->items[i]);
		if (counts(&list->items[i]) && list->items[i].kind == VERSION_NAME_NUMBERS)
			numbers = &list->items[i];
	}
	if (n <= 1 && !query->needs_version)
		return 0;
	for (size_t i = 0; i < list->n_items && r == 0; i++)
		if (counts(&list->items[i]) && list->items[i].doubt)
			r = refuse(&list->items[i], list->items[i].doubt);
	if (r < 0 || !numbers)
		return r;
	/* A date is above every version of another kind, whenever that was made. */
	snprintf(why, sizeof(why), "its version is a date, and '%s' has one that is none",
		text_escape(numbers->name, name, sizeof(name)));
	for (size_t i = 0; i < list->n_items && r == 0; i++)
		if (counts(&list->items[i]) && list->items[i].kind == VERSION_NAME_DATE)
			r = refuse(&list->items[i], why);
	return r;
}

/* ------------------------------------------------------------------ notes */

/* Marks those with the version of `meant`; the first of them, or NULL. */
static const struct library_candidate *mark_equal(
	struct library_list *list, const struct library_candidate *meant)
{
	const struct library_candidate *first = NULL;

	for (size_t i = 0; i < list->n_items; i++) {
		struct library_candidate *candidate = &list->items[i];

		if (candidate == meant || !counts(candidate) || candidate->hides_version ||
			version_compare(candidate->version, meant->version) != 0)
			continue;
		candidate->state = LIBRARY_CANDIDATE_EQUAL;
		first = first ? first : candidate;
	}
	return first;
}

int library_note(const struct library_query *query, struct library_list *list,
	const struct library_candidate *meant)
{
	const struct library_candidate *other;
	char shown[TEXT_MAX], shown_other[TEXT_MAX];

	if (meant->hides_version)
		return 0;
	text_escape(meant->name, shown, sizeof(shown));
	other = mark_equal(list, meant);
	if (other) {
		text_escape(other->name, shown_other, sizeof(shown_other));
		if (meant->version[0])
			return text_format(&list->note,
				"'%s' and '%s' have the same version: the first is taken by the order of names; give them different versions, or take one away",
				shown, shown_other);
		return text_format(&list->note,
			"neither '%s' nor '%s' has a version in its name: the first is taken by the order of names; put versions into names or manifests, or take one away",
			shown, shown_other);
	}
	if (meant->doubt)
		return text_format(&list->note,
			"'%s' is the only file, but its version is not certain (%s): put that into a manifest, or version-in-name into the rule",
			shown, meant->doubt);
	if (!meant->version[0] && query->needs_version)
		return text_format(&list->note,
			"'%s' has no version, and with update = newer it is put on no unit that holds another image: put one into its name or a manifest",
			shown);
	if (!meant->version[0] && query->asks_version)
		return text_format(&list->note,
			"'%s' has no version in its name or a manifest: where the file itself says none, that of the application is compared with nothing, and the file is written again at each plug-in; put one there",
			shown);
	for (size_t i = 0; i < list->n_items; i++)
		if (&list->items[i] != meant && counts(&list->items[i]) &&
			list->items[i].kind == VERSION_NAME_NONE)
			return text_format(&list->note,
				"'%s' has no version in its name, and counts as older than all that have one",
				text_escape(list->items[i].name, shown_other, sizeof(shown_other)));
	return 0;
}
