/* SPDX-License-Identifier: MIT */
/* station-rollback.c - units that did not confirm an image, and go back to the one before. */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "service/journal.h"
#include "service/station.h"

/* Names stand in the store as they are told: fit for a sentence. */
static bool has_told_name(const struct library_candidate *candidate, const char *told)
{
	char shown[TEXT_MAX];

	return strcmp(text_escape(candidate->name, shown, sizeof(shown)), told) == 0;
}

/*
 * The file that is most likely the image to go back to: the one of its name, else any but the one
 * that failed. Its digest is the worker's to check, and to find where the name is another now. NULL
 * where there is none.
 */
static const struct library_candidate *find_candidate(
	const struct library_list *list, const struct memory_rollback *rollback)
{
	const struct library_candidate *other = NULL;

	for (size_t i = 0; i < list->n_items; i++) {
		const struct library_candidate *candidate = &list->items[i];

		if (candidate->state == LIBRARY_CANDIDATE_PASSED_OVER)
			continue;
		if (has_told_name(candidate, rollback->image))
			return candidate;
		if (!has_told_name(candidate, rollback->failed))
			other = candidate;
	}
	return other;
}

/* The attempt's own names: those of the image it is about. 0, -ENOENT, another -errno. */
static int take_previous(
	struct job *job, const struct library_list *list, const struct memory_rollback *rollback)
{
	const struct library_candidate *candidate = find_candidate(list, rollback);
	char *image, *version;

	if (!candidate)
		return -ENOENT;
	image = strdup(candidate->name);
	version = strdup(rollback->version);
	if (!image || !version) {
		free(image);
		free(version);
		return -ENOMEM;
	}
	free(job->image);
	job->image = image;
	free(job->version);
	job->version = version;
	return 0;
}

static void give_up(struct station *station, struct job *job, int error, struct reason *reason)
{
	struct report report = {.outcome = OUTCOME_NOT_CONFIRMED};
	unsigned n_failures;

	snprintf(report.unit, sizeof(report.unit), "%s", job->unit);
	/* What is wrong with the image that failed is not why there is no other. */
	if (error == -ENOENT || !*reason->text)
		reason_set(reason, "%s",
			error == -ENOENT ? "the image directory has no other image for the rule"
					 : strerror(-error));
	journal_no_rollback(job, reason);
	if (memory_end_rollback(station->memory, job, &n_failures))
		journal_quarantined(job, &report, n_failures);
}

void station_begin_rollback(struct station *station, struct job *job)
{
	const struct board *board = config_find_board(&station->config, job->board);
	CLEANUP(library_choice_done) struct library_choice choice = {0};
	CLEANUP(library_list_done) struct library_list list = {0};
	struct memory_rollback *rollback = &job->rollback;
	struct library_query query;
	struct reason reason = {0};
	int r = -ENOENT;

	if (board) {
		query = library_query_for(&station->config, board);
		r = library_list(&query, &list, &choice, &reason);
	}
	if (r >= 0 && find_candidate(&list, rollback)) {
		journal_rollback(job);
		r = take_previous(job, &list, rollback);
	} else if (r >= 0) {
		r = -ENOENT;
	}
	if (r < 0) {
		give_up(station, job, r, &reason);
		return;
	}
	rollback->is_begun = true;
	job->again_usec = 1;
}

bool station_goes_back(struct job *job, const struct shelf *shelf)
{
	const char *identity = shelf->choice.identity;

	if (!job->identity || !identity || strcmp(job->identity, identity) != 0)
		job->rollback = (struct memory_rollback){0};
	return job->rollback.is_begun;
}
