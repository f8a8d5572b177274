/* SPDX-License-Identifier: MIT */
/* images.c - the verb: for each rule the files that fit it, the one it gets, and why. */
#include "cli/find.h"

#include <string.h>

#include "base/names.h"
#include "base/outcome.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/objects.h"
#include "cli/table.h"
#include "cli/units.h"

/* Old versions pile up; nobody reads hundreds of lines. */
#define ROWS_SHOWN 20

/* That of a file without one in its name is known once it was read. */
static const char *version_of(
	const struct survey *survey, const struct library_candidate *candidate)
{
	bool was_read = candidate->state == LIBRARY_CANDIDATE_MEANT &&
			survey->outcome == OUTCOME_MAX && survey->report.version[0];

	return was_read ? survey->report.version : candidate->version;
}

static int print_rows(const struct survey *survey, size_t n_shown)
{
	CLEANUP(table_done) struct table table = {.n_columns = 4};
	int r = table_add_row(
		&table, (const char *const[]){"  STATE", "VERSION", "FILE SIZE", "IMAGE"});

	for (size_t i = 0; i < n_shown && r == 0; i++) {
		const struct library_candidate *candidate = &survey->list.items[i];
		char state[32], size[32] = "";

		snprintf(state, sizeof(state), "  %s", survey_state(survey, candidate));
		if (candidate->size > 0)
			units_bytes(candidate->size, size, sizeof(size));
		r = table_add_row(
			&table, (const char *const[]){state, version_of(survey, candidate), size,
					candidate->name});
	}
	if (r == 0)
		table_print(&table, table_room(stdout), stdout);
	return r;
}

static void print_reasons(const struct survey *survey, size_t n_shown)
{
	for (size_t i = 0; i < n_shown; i++) {
		const struct library_candidate *candidate = &survey->list.items[i];
		const char *why = survey_why(survey, candidate);

		if (why)
			printf("  %s: %s\n", survey_state(survey, candidate), why);
		if (candidate->remark && candidate->state == LIBRARY_CANDIDATE_MEANT)
			printf("  note: %s\n", candidate->remark);
	}
}

/* The files of which the digest is, besides the one that names them. */
static void print_parts(const struct library_choice *choice)
{
	size_t n_folder = choice->name ? (size_t)(basename(choice->name) - choice->name) : 0;
	char shown[TEXT_MAX];

	for (char *const *part = choice->parts; part && *part; part++)
		printf("%s'%s'", part == choice->parts ? "  with its parts: " : ", ",
			text_escape(*part + n_folder, shown, sizeof(shown)));
	if (choice->parts)
		putchar('\n');
}

static int print_find(const struct survey *survey)
{
	const struct report *report = &survey->report;
	size_t n = survey->list.n_items, n_shown = n < ROWS_SHOWN ? n : ROWS_SHOWN;
	char board[TEXT_MAX], glob[TEXT_MAX];

	printf("[board %s] image = %s\n", text_escape(survey->board->name, board, sizeof(board)),
		text_escape(survey->board->image, glob, sizeof(glob)));
	if (n == 0) {
		printf("  no image: %s\n", report->reason.text);
		return 0;
	}
	if (print_rows(survey, n_shown) < 0)
		return -1;
	if (n > n_shown)
		printf("  ... and %zu more, which --json lists\n", n - n_shown);
	print_parts(&survey->choice);
	if (report->sha256[0])
		printf("  sha256: %s\n", report->sha256);
	if (report->image_says[0])
		printf("  says: %s\n", report->image_says);
	if (report->signer[0])
		printf("  signed by: %s\n", report->signer);
	if (survey->choice.requires)
		printf("  requires: %s\n", survey->choice.requires);
	print_reasons(survey, n_shown);
	if (survey->list.note)
		printf("  note: %s\n", survey->list.note);
	return 0;
}

static int print_text(const struct finds *finds)
{
	if (finds->n_items == 0)
		fputs("the configuration has no rules\n", stderr);
	for (size_t i = 0; i < finds->n_items; i++) {
		if (i > 0)
			putchar('\n');
		if (print_find(&finds->items[i]) < 0)
			return -1;
	}
	return 0;
}

int verb_images(const struct options *options)
{
	CLEANUP(config_done) struct config config = {0};
	CLEANUP(finds_done) struct finds finds = {0};
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(freep) char *chips_dir = NULL;
	const char *directory = options_configuration(options);
	char escaped[TEXT_MAX];
	int r = config_load(directory, &config, &problems);

	ini_problems_print(&problems, stderr);
	if (r == 0)
		r = text_format(&chips_dir, "%s/" NAME_CHIPS, directory);
	if (r == 0)
		r = finds_load(&config, options_chips(), chips_dir, &finds);
	if (r != 0) {
		fprintf(stderr, "the configuration in '%s' was refused\n",
			text_escape(directory, escaped, sizeof(escaped)));
		return outcome_to_exit_code(OUTCOME_BAD_CONFIG);
	}
	r = options->json ? json_print_finds(&finds, config.service.image_dir, stdout)
			  : print_text(&finds);
	if (r < 0)
		return outcome_to_exit_code(OUTCOME_FAILED);
	/* The first rule that has no image tells the exit code. */
	for (size_t i = 0; i < finds.n_items; i++)
		if (finds.items[i].outcome != OUTCOME_MAX)
			return outcome_to_exit_code(finds.items[i].outcome);
	return 0;
}
