/* SPDX-License-Identifier: MIT */
/* check-rules.c - warnings: files, rules and a program that do nothing, or not what was meant. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "base/names.h"
#include "base/text.h"
#include "cli/check.h"

/* ------------------------------------------------------------------ files that are not read */

/* A file that a person, an editor or dpkg put aside: nobody expects it to be read. */
static bool is_put_aside(const char *name)
{
	static const char *const endings[] = {"~", ".bak", ".old", ".orig", ".off", ".disabled",
		".example", ".sample", ".swp", ".dpkg-old", ".dpkg-dist", ".dpkg-new", ".ucf-dist"};

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (text_ends_with(name, endings[i]))
			return true;
	return name[0] == '.' || strncmp(name, "README", 6) == 0;
}

/*
 * Warns of files that nobody reads: in boards.d and chips.d those that do not end in .conf, in the
 * folder above (`is_above`) those that do.
 */
static int check_folder(struct check *check, const char *directory, bool is_above)
{
	CLEANUP(closedirp) DIR *folder = opendir(directory);
	const struct dirent *entry;
	int r = 0;

	while (r == 0 && folder && (entry = readdir(folder))) {
		const char *name = entry->d_name;
		bool is_conf = text_ends_with(name, ".conf");
		CLEANUP(freep) char *path = NULL;
		struct stat status;

		if (is_put_aside(name) || is_conf != is_above ||
			strcmp(name, NAME_SERVICE_CONFIGURATION) == 0 ||
			fstatat(dirfd(folder), name, &status, 0) < 0 || !S_ISREG(status.st_mode))
			continue;
		r = text_format(&path, "%s/%s", directory, name);
		if (r == 0)
			r = ini_problem_add(&check->warnings, path, 0, NULL, NULL, "%s",
				is_above
					? "is not read: rules are read from boards.d, chips from chips.d"
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

		r = text_format(&path, "%s/%s", configuration, folders[i]);
		if (r == 0)
			r = check_folder(check, path, false);
	}
	return r;
}

/* ------------------------------------------------------------------ rules */

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

static bool has_slot(const struct board *board, const char *name)
{
	for (size_t i = 0; i < board->n_slot; i++)
		if (strcmp(board->slot[i], name) == 0)
			return true;
	return false;
}

/* Both name a slot, and one and the same; or neither does. */
static bool slots_meet(const struct board *a, const struct board *b)
{
	if (!a->slot || !b->slot)
		return !a->slot == !b->slot;
	for (size_t i = 0; i < a->n_slot; i++)
		if (has_slot(b, a->slot[i]))
			return true;
	return false;
}

/* The same keys with the same globs: a bridge that fits one rule fits the other as well. */
static bool always_tie(const struct board *a, const struct board *b)
{
	const char *const globs[][2] = {
		{a->serial, b->serial},
		{a->product, b->product},
		{a->manufacturer, b->manufacturer},
		{a->path, b->path},
		{a->interface, b->interface},
	};

	for (size_t i = 0; i < ARRAY_SIZE(globs); i++)
		if (!globs[i][0] != !globs[i][1] ||
			(globs[i][0] && strcmp(globs[i][0], globs[i][1]) != 0))
			return false;
	return slots_meet(a, b) && ids_meet(&a->usb_id, &b->usb_id);
}

/* One warning a rule, not one a pair: nobody reads five thousand for a hundred equal rules. */
static int check_ties(struct check *check)
{
	const struct config *config = &check->config;

	for (size_t i = 1; i < config->n_boards; i++)
		for (size_t j = 0; j < i; j++) {
			const struct board *board = &config->boards[i], *other = &config->boards[j];

			if (!always_tie(board, other))
				continue;
			if (ini_section_problem(board->source, NULL, &check->warnings,
				    "'%s' and '%s' fit the same bridges, which is 'ambiguous' and flashes nothing: give one of them another key, like serial, path or slot",
				    other->name, board->name) < 0)
				return -ENOMEM;
			break;
		}
	return 0;
}

/* A rule may ask for more than the place; whether a board has that is not known here. */
static bool may_reach(const struct board *board, const struct slot *slot)
{
	if (board->slot)
		return has_slot(board, slot->name);
	return !board->path || fnmatch(board->path, slot->path, 0) == 0;
}

/* A name that was left out of a rule: whatever is plugged in there fits no rule. */
static int check_reach(struct check *check)
{
	const struct config *config = &check->config;
	int r = 0;

	for (size_t i = 0; i < config->n_slots && r == 0; i++) {
		const struct slot *slot = &config->slots[i];
		size_t k = 0;

		while (k < config->n_boards && !may_reach(&config->boards[k], slot))
			k++;
		if (k == config->n_boards)
			r = ini_problem_add(&check->warnings, slot->file, slot->line, NULL, NULL,
				"no rule reaches [slot %s]: nothing is flashed there; a rule names it by slot = %s",
				slot->name, slot->name);
	}
	return r;
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
	if (text_format(&file, "%s/" NAME_SERVICE_CONFIGURATION, configuration) < 0)
		return -ENOMEM;
	return ini_problem_add(&check->warnings, file, 0, "service", "on-outcome",
		"'%s' cannot be run: %s", text_escape(program, shown, sizeof(shown)), why);
}

/* ------------------------------------------------------------------ the owners of the port */

/* systemd.unit(5), "Unit File Load Path", of the system. */
static const char *const unit_folders[] = {"/etc/systemd/system", "/run/systemd/system",
	"/run/systemd/transient", "/run/systemd/generator", "/run/systemd/generator.early",
	"/run/systemd/generator.late", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
	"/lib/systemd/system"};

static bool has_file(const char *name)
{
	char path[512];

	for (size_t i = 0; i < ARRAY_SIZE(unit_folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", unit_folders[i], name);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

/* An instance has the file of its template, unless it has one of its own. */
static bool is_there(const char *unit)
{
	const char *at = strchr(unit, '@'), *type = strrchr(unit, '.');
	char template[300];

	if (has_file(unit))
		return true;
	if (!at || !type)
		return false;
	snprintf(template, sizeof(template), "%.*s%s", (int)(at + 1 - unit), unit, type);
	return has_file(template);
}

/* Letters of a name that one slip makes wrong, and those that are looked for at all. */
#define NEAR	  2
#define NAMES_MAX 256

/* The unit of this host whose name is nearest, of the same type; "" where none is near. Of an
 * instance its template is looked for. Returns `to`. */
static const char *find_nearest(const char *unit, char to[static NAMES_MAX])
{
	const char *type = strrchr(unit, '.'), *at = strchr(unit, '@');
	size_t least = NEAR + 1;
	char typed[NAMES_MAX];

	to[0] = '\0';
	if (!type || (size_t)(type - unit) >= sizeof(typed))
		return to;
	snprintf(typed, sizeof(typed), "%.*s", (int)(at && at < type ? at + 1 - unit : type - unit),
		unit);
	for (size_t i = 0; i < ARRAY_SIZE(unit_folders); i++) {
		CLEANUP(closedirp) DIR *folder = opendir(unit_folders[i]);
		const struct dirent *entry;

		while (folder && (entry = readdir(folder))) {
			char name[NAMES_MAX];
			size_t distance;

			if (!text_ends_with(entry->d_name, type))
				continue;
			snprintf(name, sizeof(name), "%.*s",
				(int)(strlen(entry->d_name) - strlen(type)), entry->d_name);
			distance = text_distance(name, typed);
			if (distance >= least)
				continue;
			least = distance;
			text_escape(entry->d_name, to, NAMES_MAX);
		}
	}
	return to;
}

/* A rule may name all that could own the port. One of which nothing is there has a name that is
 * wrong, and the port would be busy at the first update. */
static int check_owners(struct check *check)
{
	int r = 0;

	for (size_t i = 0; i < check->config.n_boards && r == 0; i++) {
		const struct board *board = &check->config.boards[i];
		bool has_one = board->n_port_owner == 0;
		char section[80], nearest[NAMES_MAX] = "";

		snprintf(section, sizeof(section), "board %s", board->name);
		for (size_t k = 0; k < board->n_port_owner && !has_one; k++)
			has_one = is_there(board->port_owner[k]);
		for (size_t k = 0; k < board->n_port_owner && !has_one && !*nearest; k++)
			find_nearest(board->port_owner[k], nearest);
		if (!has_one)
			r = ini_problem_add(&check->warnings, board->file, board->line, section,
				"port-owner",
				"this host has no unit '%s'%s: nobody is stopped for the board%s%s%s",
				board->port_owner[0],
				board->n_port_owner > 1 ? ", nor the others" : "",
				*nearest ? "; did you mean '" : "", nearest, *nearest ? "'?" : "");
	}
	return r;
}

int check_rules(struct check *check, const char *configuration)
{
	int r = check_files(check, configuration);

	if (r == 0 && check->config.n_boards == 0)
		r = ini_problem_add(&check->warnings, configuration, 0, NULL, NULL,
			"no rules: nothing will be flashed");
	if (r == 0)
		r = check_ties(check);
	if (r == 0 && check->config.n_boards > 0)
		r = check_reach(check);
	if (r == 0)
		r = check_owners(check);
	return r < 0 ? r : check_program(check, configuration);
}
