/* SPDX-License-Identifier: MIT */
/* find.c - the image of each rule, found and checked by the same code as in a job. */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "cli/find.h"
#include "cli/reader.h"
#include "cli/wait-for-copy.h"
#include "flash/assignment.h"

/* All in it is borrowed. */
static void check_image(const struct config *config, const char *chips, const char *chips_dir,
	struct survey *survey)
{
	const struct assignment assignment = {
		.action = FLASH_UPDATE,
		.image_dir = config->service.image_dir,
		.require_signature = config->service.require_signature,
		.accept_legacy_signatures = config->service.accept_legacy_signatures,
		.trusted_keys = config->service.trusted_keys,
		.chips = (char *)chips,
		.chips_dir = (char *)chips_dir,
		.board = *survey->board,
	};

	survey_check(&assignment, survey);
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
		struct survey *survey = &finds.items[finds.n_items++];

		survey->board = &config->boards[i];
		query.reader = rights;
		query.rest_usec = COPY_REST_USEC;
		do
			survey_look(&query, survey);
		while (wait_for_copy(&left_usec, survey->result, &survey->choice));
		check_image(config, chips, chips_dir, survey);
	}
	*ret = finds;
	finds = (struct finds){0};
	return 0;
}

void finds_done(struct finds *finds)
{
	for (size_t i = 0; i < finds->n_items; i++)
		survey_done(&finds->items[i]);
	free(finds->items);
	*finds = (struct finds){0};
}
