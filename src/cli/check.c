/* SPDX-License-Identifier: MIT */
/*
 * check.c - gathers everything that is to be said of a configuration, not only the first problem.
 * Rules and chip table are both read whatever the other is like; images, keys and lists are looked
 * up only as far as the rules are good.
 */
#include "cli/check.h"

#include <errno.h>
#include <string.h>

#include "base/names.h"
#include "chip/rule-check.h"
#include "cli/reader.h"
#include "image/signature.h"
#include "records/provision-file.h"

static int find_images(struct check *check)
{
	struct reader reader;
	const struct library_reader *rights = reader_find(&reader);
	int r = 0;

	check->images = calloc(check->config.n_boards + 1, sizeof(*check->images));
	if (!check->images)
		return -ENOMEM;
	for (size_t i = 0; i < check->config.n_boards && r == 0; i++) {
		const struct board *board = &check->config.boards[i];
		struct library_query query = library_query_for(&check->config, board);
		CLEANUP(library_choice_done) struct library_choice choice = {0};
		CLEANUP(library_list_done) struct library_list list = {0};
		struct check_image *image = &check->images[i];

		query.reader = rights;
		if (library_list(&query, &list, &choice, &image->reason) != 0)
			continue;
		image->name = TAKE_PTR(choice.name);
		image->version = TAKE_PTR(choice.version);
		if (list.note)
			r = ini_section_problem(
				board->source, "image", &check->warnings, "%s", list.note);
	}
	return r;
}

/* A list of values changes without its rule: a bad list is a warning, not a problem of the rule. */
static int check_lists(struct check *check)
{
	int r = 0;

	for (size_t i = 0; i < check->config.n_boards && r == 0; i++) {
		const struct board *board = &check->config.boards[i];
		CLEANUP(provision_file_done) struct provision_file file = {0};
		struct reason reason = {""};

		if (!board->serialize.file[0])
			continue;
		r = provision_file_load(&board->serialize, &file, &reason);
		if (r == -EINVAL)
			r = ini_section_problem(
				board->source, "serialize", &check->warnings, "%s", reason.text);
	}
	return r;
}

static bool stands_behind(const struct ini_problem *a, const struct ini_problem *b)
{
	int files = strcmp(a->file ? a->file : "", b->file ? b->file : "");

	return files > 0 || (files == 0 && a->line > b->line);
}

/*
 * As they stand in each file, for who mends them from top to bottom: they were found check by
 * check. Of one line the first found stays the first, and that there are more (INI_MAX_PROBLEMS)
 * stays the last.
 */
static void sort_problems(struct ini_problems *problems)
{
	struct ini_problem *items = problems->items;

	for (size_t i = 1; i < problems->n_items && i < INI_MAX_PROBLEMS; i++) {
		struct ini_problem moved = items[i];
		size_t k = i;

		for (; k > 0 && stands_behind(&items[k - 1], &moved); k--)
			items[k] = items[k - 1];
		items[k] = moved;
	}
}

/* The chip table is read whatever the rules are like: all problems at once. */
static int load_both(const char *configuration, const char *chips, struct check *check)
{
	CLEANUP(freep) char *chips_dir = NULL;
	int rules, table;

	if (text_format(&chips_dir, "%s/" NAME_CHIPS, configuration) < 0)
		return -ENOMEM;
	rules = config_load(configuration, &check->config, &check->problems);
	table = config_check_chips(
		&check->config, chips, chips_dir, &check->problems, &check->warnings);
	if (check->problems.n_items > 0)
		return 0;
	return rules < 0 ? rules : table;
}

int check_load(const char *configuration, const char *chips, struct check *ret)
{
	CLEANUP(check_done) struct check check = {0};
	CLEANUP(signature_keys_done) struct signature_keys keys = {0};
	const struct service_config *service;
	int r = load_both(configuration, chips, &check);

	if (r < 0)
		return r;
	sort_problems(&check.problems);
	check.is_good = check.problems.n_items == 0;
	r = find_images(&check);
	if (r < 0)
		return r;
	service = &check.config.service;
	if (check.is_good && service->require_signature)
		(void)signature_keys_load(service->trusted_keys, &keys, &check.keys);
	r = check_lists(&check);
	if (r == 0 && check.is_good)
		r = check_rules(&check, configuration);
	if (r < 0)
		return r;
	*ret = check;
	check = (struct check){0};
	return 0;
}

void check_done(struct check *check)
{
	for (size_t i = 0; check->images && i < check->config.n_boards; i++) {
		free(check->images[i].name);
		free(check->images[i].version);
	}
	free(check->images);
	config_done(&check->config);
	ini_problems_done(&check->problems);
	ini_problems_done(&check->warnings);
	ini_problems_done(&check->notes);
	*check = (struct check){0};
}
