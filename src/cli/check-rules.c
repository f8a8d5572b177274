/* SPDX-License-Identifier: MIT */
/* check-rules.c - what is no mistake of a configuration, and does nothing or not what was meant. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/names.h"
#include "base/text.h"
#include "cli/check.h"

/* ------------------------------------------------------------------ files that are not read */

static bool ends_with(const char *name, const char *ending)
{
	size_t n = strlen(name), n_ending = strlen(ending);

	return n >= n_ending && strcmp(name + n - n_ending, ending) == 0;
}

/* Put aside by a person, an editor or dpkg: nobody takes those for rules in force. */
static bool is_put_aside(const char *name)
{
	static const char *const endings[] = {"~", ".bak", ".old", ".orig", ".off", ".disabled",
		".example", ".sample", ".swp", ".dpkg-old", ".dpkg-dist", ".dpkg-new", ".ucf-dist"};

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (ends_with(name, endings[i]))
			return true;
	return name[0] == '.' || strncmp(name, "README", 6) == 0;
}

static int warn_file(struct check *check, const char *directory, const char *name, const char *why)
{
	CLEANUP(freep) char *path = NULL;

	if (asprintf(&path, "%s/%s", directory, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return ini_problem_add(&check->warnings, path, 0, NULL, NULL, "%s", why);
}

/* What is not read of a folder whose *.conf are; of the one above them, those are at fault. */
static int check_folder(struct check *check, const char *directory, bool is_above)
{
	CLEANUP(closedirp) DIR *folder = opendir(directory);
	const struct dirent *entry;
	int r = 0;

	while (r == 0 && folder && (entry = readdir(folder))) {
		const char *name = entry->d_name;
		bool is_conf = ends_with(name, ".conf");
		struct stat status;

		if (is_put_aside(name) || is_conf != is_above ||
			strcmp(name, NAME_SERVICE_CONFIGURATION) == 0 ||
			fstatat(dirfd(folder), name, &status, 0) < 0 || !S_ISREG(status.st_mode))
			continue;
		r = warn_file(check, directory, name,
			is_above ? "is not read: rules are read from boards.d, chips from chips.d"
				 : "is not read: its name must end in .conf");
	}
	return r;
}

static int check_files(struct check *check, const char *configuration)
{
	static const char *const folders[] = {NAME_BOARDS, NAME_CHIPS};
	int r = check_folder(check, configuration, true);

	for (size_t i = 0; i < ARRAY_SIZE(folders) && r == 0; i++) {
		CLEANUP(freep) char *path = NULL;

		if (asprintf(&path, "%s/%s", configuration, folders[i]) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = check_folder(check, path, false);
	}
	return r;
}

/* ------------------------------------------------------------------ rules */

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool ids_meet(const struct usb_ids *a, const struct usb_ids *b)
{
	if (a->n_items == 0 || b->n_items == 0)
		return a->n_items == b->n_items;
	for (size_t i = 0; i < a->n_items; i++)
		for (size_t j = 0; j < b->n_items; j++)
			if (a->items[i].vendor == b->items[j].vendor &&
				a->items[i].product == b->items[j].product)
				return true;
	return false;
}

/* The same keys with the same globs: whichever bridge one fits, the other fits as well. */
static bool always_tie(const struct board *a, const struct board *b)
{
	return ids_meet(&a->usb_id, &b->usb_id) && is_same(a->serial, b->serial) &&
	       is_same(a->product, b->product) && is_same(a->manufacturer, b->manufacturer) &&
	       is_same(a->path, b->path) && is_same(a->interface, b->interface);
}

/* One warning a rule: of a hundred that are alike nobody reads five thousand. */
static int check_ties(struct check *check)
{
	const struct config *config = &check->config;

	for (size_t i = 1; i < config->n_boards; i++)
		for (size_t j = 0; j < i; j++) {
			const struct board *board = &config->boards[i], *other = &config->boards[j];
			char title[INI_LINE_BYTES + 1];

			if (!always_tie(board, other))
				continue;
			ini_section_title(board->source, title, sizeof(title));
			if (ini_problem_add(&check->warnings, board->file, board->line, title, NULL,
				    "'%s' and '%s' fit the same bridges, which is 'ambiguous' and flashes nothing: give one of them another key, like serial or path",
				    other->name, board->name) < 0)
				return -ENOMEM;
			break;
		}
	return 0;
}

/* ------------------------------------------------------------------ the program of on-outcome */

static int check_program(struct check *check, const char *configuration)
{
	const char *program = check->config.service.on_outcome;
	CLEANUP(freep) char *file = NULL;
	char shown[TEXT_MAX];
	struct stat status;
	const char *why;

	if (!program)
		return 0;
	if (stat(program, &status) < 0)
		why = strerror(errno);
	else if (!S_ISREG(status.st_mode))
		why = "no file";
	else if (!(status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) || access(program, X_OK) < 0)
		why = "not executable (chmod 755)";
	else
		return 0;
	if (asprintf(&file, "%s/" NAME_SERVICE_CONFIGURATION, configuration) < 0) {
		file = NULL;
		return -ENOMEM;
	}
	return ini_problem_add(&check->warnings, file, 0, "service", "on-outcome",
		"'%s' cannot be run: %s", text_escape(program, shown, sizeof(shown)), why);
}

int check_rules(struct check *check, const char *configuration)
{
	int r = check_files(check, configuration);

	if (r == 0 && check->config.n_boards == 0)
		r = ini_problem_add(&check->warnings, configuration, 0, NULL, NULL,
			"no rules: nothing will be flashed");
	if (r == 0)
		r = check_ties(check);
	return r < 0 ? r : check_program(check, configuration);
}
