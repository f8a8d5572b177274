/* SPDX-License-Identifier: MIT */
/*
 * setup-rule.c - the rule: its name, its text, and its file, which is there once the whole
 * configuration is good with it and means this bridge and this image by it.
 */
#include <errno.h>
#include <string.h>

#include "base/names.h"
#include "base/outcome.h"
#include "cli/ask.h"
#include "cli/check.h"
#include "cli/setup.h"
#include "rules/match.h"

/* ------------------------------------------------------------------ its name */

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

/* It is that of a file and of a folder as well. */
static bool name_is_fit(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n < SETUP_NAME_MAX && name[0] != '-' && strspn(name, NAME_CHARACTERS) == n;
}

static int rule_file(const struct setup *setup, const char *name, char **ret)
{
	return text_format(ret, "%s/" NAME_BOARDS "/%s.conf", setup->directory, name);
}

static bool is_taken(const struct setup *setup, const char *name)
{
	CLEANUP(freep) char *path = NULL;

	if (config_find_board(&setup->config, name) || rule_file(setup, name, &path) < 0)
		return true;
	return access(path, F_OK) == 0;
}

/* What the image's name begins with, up to its version: "gate" of "gate-1.2.0.hex". */
static void usual_name(const struct setup *setup, char to[static SETUP_NAME_MAX])
{
	const struct setup_image *image = &setup->image;
	const char *file = image->is_of_several ? "" : image->file;
	const char *version = strstr(file, image->version);
	size_t n = strspn(file, NAME_CHARACTERS);
	char base[SETUP_NAME_MAX - 8];

	if (version && (size_t)(version - file) < n)
		n = (size_t)(version - file);
	/* "gate-v" of "gate-v1.2.0", and "gate-" */
	if (n > 1 && (file[n - 1] == 'v' || file[n - 1] == 'V') && strchr("-_", file[n - 2]))
		n--;
	while (n > 0 && strchr("-_", file[n - 1]))
		n--;
	snprintf(base, sizeof(base), "%.*s", (int)n, file);
	if (!name_is_fit(base))
		snprintf(base, sizeof(base), "board");
	snprintf(to, SETUP_NAME_MAX, "%s", base);
	for (unsigned i = 2; is_taken(setup, to) && i < 1000; i++)
		snprintf(to, SETUP_NAME_MAX, "%s-%u", base, i);
}

static bool name_is_free(const struct setup *setup, const char *name, struct reason *reason)
{
	char escaped[TEXT_MAX];

	text_escape(name, escaped, sizeof(escaped));
	if (!name_is_fit(name))
		reason_set(reason,
			"'%s' is no name for a rule: letters, digits, '-' and '_', at most %d",
			escaped, SETUP_NAME_MAX - 1);
	else if (is_taken(setup, name))
		reason_set(reason, "a rule or a file '%s' is there already, and is not replaced",
			escaped);
	else
		return true;
	return false;
}

int setup_check_name(struct setup *setup)
{
	struct reason reason = {0};

	return !setup->options->name || name_is_free(setup, setup->options->name, &reason)
		       ? 0
		       : setup_refuse("%s", reason.text);
}

int setup_choose_name(struct setup *setup)
{
	const char *given = setup->options->name;
	struct reason reason = {0};
	char usual[SETUP_NAME_MAX];

	usual_name(setup, usual);
	text_copy(setup->name, sizeof(setup->name), given ? given : usual);
	while (!given && setup->may_ask && !setup->options->yes) {
		if (!ask_text("Name of the rule", usual, setup->name, sizeof(setup->name)))
			return setup_fail(OUTCOME_CANCELLED, "no name was given; nothing was done");
		if (name_is_free(setup, setup->name, &reason))
			break;
		fprintf(stderr, "  %s\n", reason.text);
	}
	return rule_file(setup, setup->name, &setup->rule_file) < 0
		       ? setup_fail(OUTCOME_FAILED, "no memory")
		       : 0;
}

/* ------------------------------------------------------------------ its text */

static int write_text(struct setup *setup)
{
	const struct rule_template_board board = {
		.circuit = setup->circuit,
		.report = &setup->report,
		.image = setup->image.glob,
		.address = setup->options->address,
	};
	const struct rule_template template = {
		.facts = &setup->bridge,
		.slot = config_slot_name(&setup->config, setup->bridge.usb_path),
		.name = setup->name,
		.has_own_serial = setup->has_own_serial,
		.only = setup->only,
		.board = &board,
	};
	FILE *to = open_memstream(&setup->rule, &setup->n_rule);
	int r;

	if (!to)
		return -errno;
	fprintf(to, "; made by plugflash setup, which found the circuit '%s'\n",
		setup->circuit->name);
	if (setup->is_in_doubt)
		fputs("; other circuits answered in the same way, empty as the chip was\n", to);
	r = rule_template_write(&template, to);
	return fclose(to) != 0 && r == 0 ? -errno : r;
}

/* What the configuration's own parser makes of it. */
int setup_make_rule(struct setup *setup)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(ini_done) struct ini ini = {0};
	int r = write_text(setup);

	if (r == 0)
		r = ini_load_text(&ini, setup->rule_file, setup->rule, setup->n_rule, &problems);
	if (r == 0)
		r = config_read_board(&ini, &setup->board, &problems);
	if (r == 0)
		return 0;
	ini_problems_print(&problems, stderr);
	return r < 0 ? setup_fail(OUTCOME_FAILED, "the rule cannot be made: %s", strerror(-r))
		     : setup_fail(OUTCOME_BAD_CONFIG,
			       "the rule would be refused: see above; --address and --name are in it");
}

/* ------------------------------------------------------------------ its file */

static int check_match(const struct setup *setup, const struct check *check)
{
	struct match match = {0};
	enum match_result result = match_board(&check->config, &setup->bridge, &match);
	char names[2][TEXT_MAX];

	if (result == MATCH_ONE && strcmp(match.board->name, setup->name) == 0)
		return 0;
	if (result == MATCH_NONE)
		return setup_fail(OUTCOME_NO_MATCH, "the rule would not fit its own bridge");
	return setup_fail(OUTCOME_AMBIGUOUS,
		"the rule '%s' (%s:%u) fits the bridge %s: --only serial or --only path makes a narrower one",
		text_escape(match.board->name, names[0], sizeof(names[0])),
		text_escape(match.board->file, names[1], sizeof(names[1])), match.board->line,
		result == MATCH_ONE ? "better than the new one would"
				    : "as well as the new one would");
}

static int check_image(const struct setup *setup, const struct check *check)
{
	char name[TEXT_MAX];

	for (size_t i = 0; i < check->config.n_boards; i++) {
		const struct check_image *image = &check->images[i];

		if (strcmp(check->config.boards[i].name, setup->name) != 0)
			continue;
		if (!image->name)
			return setup_fail(OUTCOME_NO_IMAGE, "the rule would not get its image: %s",
				image->reason.text);
		if (strcmp(image->name, setup->image.copy) == 0)
			return 0;
		return setup_fail(OUTCOME_NO_IMAGE,
			"the rule would get '%s' in place of the new image, for it is the highest version there: another name for the rule (--name) makes a folder of its own",
			text_escape(image->name, name, sizeof(name)));
	}
	return setup_fail(OUTCOME_FAILED, "the rule is not in the configuration");
}

/* All of it, as plugflash check-config. */
static int check_all(const struct setup *setup)
{
	CLEANUP(check_done) struct check check = {0};
	int r = check_load(setup->directory, options_chips(), &check);

	if (r < 0)
		return setup_fail(
			OUTCOME_FAILED, "the configuration cannot be read: %s", strerror(-r));
	if (!check.is_good) {
		ini_problems_print(&check.problems, stderr);
		return setup_fail(OUTCOME_BAD_CONFIG,
			"with the new rule the configuration would be refused: see above");
	}
	r = check_match(setup, &check);
	return r == 0 ? check_image(setup, &check) : r;
}

int setup_write_rule(struct setup *setup)
{
	CLEANUP(freep) char *folder = NULL;
	char escaped[TEXT_MAX];
	int r = text_format(&folder, "%s/" NAME_BOARDS, setup->directory);

	if (r == 0)
		r = made_folder(&setup->made, folder);
	if (r == 0)
		r = made_file(&setup->made, setup->rule_file, setup->rule, setup->n_rule);
	text_escape(setup->rule_file, escaped, sizeof(escaped));
	if (r == MADE_OTHER)
		return setup_fail(
			OUTCOME_FAILED, "'%s' is there by now, and is not replaced", escaped);
	if (r < 0)
		return setup_fail(
			OUTCOME_FAILED, "'%s' cannot be written: %s", escaped, strerror(-r));
	return check_all(setup);
}
