/* SPDX-License-Identifier: MIT */
/* check-config.c - the verb: everything that is wrong with the configuration, or what it says. */
#include <string.h>

#include "base/outcome.h"
#include "base/text.h"
#include "cli/check.h"
#include "cli/cli.h"
#include "cli/objects.h"
#include "cli/table.h"

#define LINE_SIZE 1024

/* "product, serial": the keys by which a rule tells its bridges. */
static void match_keys(const struct board *board, char *to, size_t size)
{
	const struct {
		const char *name;
		bool is_given;
	} keys[] = {
		{"usb-id", ini_section_find(board->source, "usb-id") != NULL},
		{"serial", board->serial != NULL},
		{"product", board->product != NULL},
		{"manufacturer", board->manufacturer != NULL},
		{"path", board->path != NULL},
		{"slot", board->slot != NULL},
		{"interface", board->interface != NULL},
	};
	size_t used = 0;

	snprintf(to, size, "any bridge");
	for (size_t i = 0; i < ARRAY_SIZE(keys) && used < size; i++)
		if (keys[i].is_given)
			used += (size_t)snprintf(
				to + used, size - used, "%s%s", used ? ", " : "", keys[i].name);
}

static int print_boards(const struct check *check)
{
	CLEANUP(table_done) struct table table = {.n_columns = 5};
	int r = table_add_row(
		&table, (const char *const[]){"BOARD", "MATCHES BY", "CHIP", "IMAGE", "FOUND NOW"});

	for (size_t i = 0; i < check->config.n_boards && r == 0; i++) {
		const struct board *board = &check->config.boards[i];
		char keys[TEXT_MAX], chips[TEXT_MAX] = "";
		size_t used = 0;

		match_keys(board, keys, sizeof(keys));
		for (size_t k = 0; k < board->n_chip && used < sizeof(chips); k++)
			used += (size_t)snprintf(chips + used, sizeof(chips) - used, "%s%s",
				k ? ", " : "", board->chip[k]);
		r = table_add_row(&table, (const char *const[]){board->name, keys, chips,
						  board->image, check->images[i].name});
	}
	if (r == 0)
		table_print(&table, table_room(stdout), stdout);
	return r;
}

static int print_slots(const struct config *config)
{
	CLEANUP(table_done) struct table table = {.n_columns = 2};
	int r = table_add_row(&table, (const char *const[]){"SLOT", "PATH"});

	for (size_t i = 0; i < config->n_slots && r == 0; i++)
		r = table_add_row(&table,
			(const char *const[]){config->slots[i].name, config->slots[i].path});
	if (r == 0)
		table_print(&table, table_room(stdout), stdout);
	return r;
}

/* The configuration is good all the same, and an image may come later. */
static void print_warnings(const struct check *check)
{
	char line[LINE_SIZE];

	for (size_t i = 0; i < check->notes.n_items; i++)
		fprintf(stderr, "note: %s\n",
			ini_problem_format(&check->notes.items[i], line, sizeof(line)));
	for (size_t i = 0; i < check->warnings.n_items; i++)
		fprintf(stderr, "warning: %s\n",
			ini_problem_format(&check->warnings.items[i], line, sizeof(line)));
	if (check->keys.text[0])
		fprintf(stderr, "warning: [service] trusted-keys: %s\n", check->keys.text);
	for (size_t i = 0; i < check->config.n_boards; i++) {
		char name[TEXT_MAX];

		if (!check->images[i].name)
			fprintf(stderr, "warning: [board %s] image: %s\n",
				text_escape(check->config.boards[i].name, name, sizeof(name)),
				check->images[i].reason.text);
	}
}

static int print_text(const struct check *check, const char *directory)
{
	size_t n = check->config.n_boards;

	char escaped[TEXT_MAX];

	if (!check->is_good) {
		ini_problems_print(&check->problems, stderr);
		fprintf(stderr, "the configuration in '%s' was refused: %zu problem%s\n",
			text_escape(directory, escaped, sizeof(escaped)), check->problems.n_items,
			check->problems.n_items == 1 ? "" : "s");
		return 0;
	}
	printf("configuration is good: %zu rule%s\n", n, n == 1 ? "" : "s");
	if (n > 0 && print_boards(check) < 0)
		return -1;
	if (check->config.n_slots > 0 && print_slots(&check->config) < 0)
		return -1;
	print_warnings(check);
	return 0;
}

int verb_check_config(const struct options *options)
{
	CLEANUP(check_done) struct check check = {0};
	const char *directory = options_configuration(options);
	char escaped[TEXT_MAX];
	int r = check_load(directory, options_chips(), &check);

	if (r < 0) {
		fprintf(stderr, "the configuration in '%s' cannot be read: %s\n",
			text_escape(directory, escaped, sizeof(escaped)), strerror(-r));
		return outcome_to_exit_code(OUTCOME_BAD_CONFIG);
	}
	r = options->json ? json_print_check(&check, stdout) : print_text(&check, directory);
	if (r < 0)
		return outcome_to_exit_code(OUTCOME_FAILED);
	return check.is_good ? 0 : outcome_to_exit_code(OUTCOME_BAD_CONFIG);
}
