/* SPDX-License-Identifier: MIT */
/* find.c - the image of each rule, found and checked by the same code as in a job. */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "cli/find.h"
#include "cli/reader.h"
#include "cli/wait-for-copy.h"
#include "flash/assignment.h"

/* The steps of a job that come before it opens its port. */
static void check_image(
	const struct config *config, const char *chips, const char *chips_dir, struct find *find)
{
	const struct assignment assignment = {
		.action = FLASH_UPDATE,
		.image_dir = config->service.image_dir,
		.image = find->choice.name,
		.version = find->choice.version,
		.stamp = find->choice.stamp,
		.require_signature = config->service.require_signature,
		.accept_legacy_signatures = config->service.accept_legacy_signatures,
		.trusted_keys = config->service.trusted_keys,
		.chips = (char *)chips,
		.chips_dir = (char *)chips_dir,
		.board = *find->board, /* borrowed, as all of these */
	};

	find->outcome = assignment_check(&assignment, &find->report);
}

int finds_load(
	const struct config *config, const char *chips, const char *chips_dir, struct finds *ret)
{
	CLEANUP(finds_done) struct finds finds = {0};
	uint64_t left_usec = COPY_COMMAND_USEC;
	struct reader reader;
	const struct library_reader *rights = reader_find(&reader);

	finds.items = calloc(config->n_boards + 1, sizeof(*finds.items));
	if (!finds.items)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_boards; i++) {
		struct library_query query = library_query_for(config, &config->boards[i]);
		struct find *find = &finds.items[finds.n_items++];

		find->board = &config->boards[i];
		query.reader = rights;
		query.rest_usec = COPY_REST_USEC;
		do {
			library_list_done(&find->list);
			library_choice_done(&find->choice);
			find->result = library_list(
				&query, &find->list, &find->choice, &find->report.reason);
		} while (wait_for_copy(&left_usec, find->result, &find->choice));
		if (find->result == LIBRARY_OK)
			check_image(config, chips, chips_dir, find);
		else if (find->result == LIBRARY_REFUSED || find->result == LIBRARY_AWAITED)
			find->outcome = OUTCOME_BAD_IMAGE;
		else
			find->outcome = OUTCOME_NO_IMAGE;
	}
	*ret = finds;
	finds = (struct finds){0};
	return 0;
}

void finds_done(struct finds *finds)
{
	for (size_t i = 0; i < finds->n_items; i++) {
		library_list_done(&finds->items[i].list);
		library_choice_done(&finds->items[i].choice);
	}
	free(finds->items);
	*finds = (struct finds){0};
}

const char *find_state(const struct find *find, const struct library_candidate *candidate)
{
	switch (candidate->state) {
	case LIBRARY_CANDIDATE_OLDER:
		return candidate->hides_version ? "unsure" : "older";
	case LIBRARY_CANDIDATE_EQUAL:
		return "equal";
	case LIBRARY_CANDIDATE_PASSED_OVER:
		return "passed over";
	case LIBRARY_CANDIDATE_MEANT:
		break;
	}
	if (find->result == LIBRARY_AWAITED)
		return "awaited";
	return find->outcome == OUTCOME_MAX ? "chosen" : "refused";
}

const char *find_why(const struct find *find, const struct library_candidate *candidate)
{
	if (candidate->why || candidate->state != LIBRARY_CANDIDATE_MEANT)
		return candidate->why;
	return find->outcome == OUTCOME_MAX ? NULL : find->report.reason.text;
}
