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
			strcmp(name, NAME_FLEET_CONFIGURATION) == 0 ||
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

/* The same keys with the same globs, and ids and slots in common: such a bridge fits both. */
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

/* What is a glob for fnmatch(), and what hides one. */
#define GLOB_SIGNS "*?[\\"

/* Whether each text that the narrow glob fits is one that the wide one fits, as far as that is
 * certain by looking. Both are given, or neither is. */
static bool covers_glob(const char *wide, const char *narrow)
{
	size_t n = wide ? strcspn(wide, GLOB_SIGNS) : 0;

	if (!wide || !narrow)
		return !wide == !narrow;
	if (strcmp(wide, narrow) == 0)
		return true;
	if (!strpbrk(narrow, GLOB_SIGNS))
		return fnmatch(wide, narrow, 0) == 0;
	return strcmp(wide + n, "*") == 0 && strncmp(wide, narrow, n) == 0;
}

static bool covers_ids(const struct usb_ids *wide, const struct usb_ids *narrow)
{
	size_t n_found = 0;

	if (wide->n_items == 0 || narrow->n_items == 0)
		return wide->n_items == narrow->n_items;
	for (size_t i = 0; i < narrow->n_items; i++) {
		const struct usb_ids one = {&narrow->items[i], 1};

		n_found += ids_meet(wide, &one);
	}
	return n_found == narrow->n_items;
}

static bool covers_slots(const struct board *wide, const struct board *narrow)
{
	if (!wide->slot || !narrow->slot)
		return !wide->slot == !narrow->slot;
	for (size_t i = 0; i < narrow->n_slot; i++)
		if (!has_slot(wide, narrow->slot[i]))
			return false;
	return true;
}

/* By the same keys: the narrow rule never wins, since both have as many. */
static bool covers(const struct board *wide, const struct board *narrow)
{
	return covers_glob(wide->serial, narrow->serial) &&
	       covers_glob(wide->product, narrow->product) &&
	       covers_glob(wide->manufacturer, narrow->manufacturer) &&
	       covers_glob(wide->path, narrow->path) &&
	       covers_glob(wide->interface, narrow->interface) && covers_slots(wide, narrow) &&
	       covers_ids(&wide->usb_id, &narrow->usb_id);
}

/* 1: a warning was added; 0 or -ENOMEM. */
static int check_pair(struct check *check, const struct board *board, const struct board *other)
{
	bool is_narrow = covers(other, board), is_wide = covers(board, other);
	const struct board *narrow = is_narrow ? board : other, *wide = is_narrow ? other : board;
	int r;

	if (is_narrow != is_wide)
		r = ini_section_problem(narrow->source, NULL, &check->warnings,
			"'%s' fits each bridge that '%s' fits, by as many keys, which is 'ambiguous' and flashes nothing: give '%s' one key more",
			wide->name, narrow->name, narrow->name);
	else if (always_tie(board, other))
		r = ini_section_problem(board->source, NULL, &check->warnings,
			"'%s' and '%s' fit the same bridges, which is 'ambiguous' and flashes nothing: give one of them another key, like serial, path or slot",
			other->name, board->name);
	else
		return 0;
	return r < 0 ? r : 1;
}

/* One warning a rule, not one a pair: nobody reads five thousand for a hundred equal rules. */
static int check_ties(struct check *check)
{
	const struct config *config = &check->config;
	int r = 0;

	for (size_t i = 1; i < config->n_boards && r >= 0; i++) {
		r = 0;
		for (size_t j = 0; j < i && r == 0; j++)
			r = check_pair(check, &config->boards[i], &config->boards[j]);
	}
	return r < 0 ? r : 0;
}

/* ------------------------------------------------------------------ rules that fit no bridge */

/*
 * ID_PATH of a tty, as udev's path_id builtin makes it:
 * "...-usb-BUS:SOCKETS:CONFIGURATION.INTERFACE". "0:1.2" has sockets alone.
 */
static bool ends_in_interface(const char *path)
{
	const char *last = strrchr(path, ':'), *usb = strstr(path, "-usb-");
	const char *first = usb ? strchr(usb, ':') : NULL;
	size_t n = last ? strspn(last + 1, "0123456789") : 0;

	return first && first < last && n > 0 && last[1 + n] == '.' && last[2 + n] &&
	       !last[2 + n + strspn(last + 2 + n, "0123456789")];
}

/* Why there is no such place, or NULL: names of udev and the kernel that look like one. */
static const char *place_fault(const char *path)
{
	if (path[0] == '/' || strncmp(path, "tty", 3) == 0)
		return "a port is no place: its number goes by the order of plugging in";
	if (strstr(path, "-usbv2-") || strstr(path, "-usbv3-"))
		return "'-usbv2-' and '-usbv3-' are of links in /dev/serial/by-path: PATH has '-usb-'";
	if (strpbrk(path, GLOB_SIGNS) || ends_in_interface(path))
		return NULL;
	if (strstr(path, "-port"))
		return "'-port0' at the end is of links in /dev/serial/by-path, and not of PATH";
	return "PATH ends in the interface, like ':1.0'";
}

static bool fits_an_interface(const char *glob)
{
	char number[8];

	for (unsigned i = 0; i <= UINT8_MAX; i++) {
		snprintf(number, sizeof(number), "%u", i);
		if (fnmatch(glob, number, 0) == 0)
			return true;
	}
	return false;
}

#define NEVER "fits no bridge, ever: "
#define LOOK  "; plugflash list shows the PATH of each bridge"

static int check_fits(struct check *check)
{
	const struct config *config = &check->config;
	int r = 0;

	for (size_t i = 0; i < config->n_boards && r == 0; i++) {
		const struct board *board = &config->boards[i];
		const char *fault = board->path ? place_fault(board->path) : NULL;

		if (fault)
			r = ini_section_problem(
				board->source, "path", &check->warnings, NEVER "%s" LOOK, fault);
		if (r == 0 && board->interface && !fits_an_interface(board->interface))
			r = ini_section_problem(board->source, "interface", &check->warnings,
				NEVER "interfaces are numbers, 0 to 3 of a CP210x");
	}
	for (size_t i = 0; i < config->n_slots && r == 0; i++) {
		const struct slot *slot = &config->slots[i];
		const char *fault = place_fault(slot->path);
		char section[SLOT_NAME_SIZE + 8];

		snprintf(section, sizeof(section), "slot %s", slot->name);
		if (fault)
			r = ini_problem_add(&check->warnings, slot->file, slot->line, section,
				"path", NEVER "%s" LOOK, fault);
	}
	return r;
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

/* ------------------------------------------------------------------ a board that shows itself */

static int check_identify(struct check *check)
{
	int r = 0;

	for (size_t i = 0; i < check->config.n_boards && r == 0; i++) {
		const struct board *board = &check->config.boards[i];

		if (board->has_lines && wiring_meets(&board->wiring, &board->identify))
			r = ini_section_problem(board->source, "identify", &check->warnings,
				"moves a line that also resets the chip or selects its boot loader: what runs there may be stopped or started anew each time");
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
		r = ini_problem_add(&check->notes, configuration, 0, NULL, NULL,
			"no rules: nothing will be flashed");
	if (r == 0)
		r = check_ties(check);
	if (r == 0)
		r = check_fits(check);
	if (r == 0 && check->config.n_boards > 0)
		r = check_reach(check);
	if (r == 0)
		r = check_identify(check);
	if (r == 0)
		r = check_owners(check);
	return r < 0 ? r : check_program(check, configuration);
}
