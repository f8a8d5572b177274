/* SPDX-License-Identifier: MIT */
/*
 * config.c - sections to service and boards, as a whole or not at all.
 */
#include "rules/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/names.h"
#include "base/outcome.h"
#include "base/text.h"
#include "rules/config-keys.h"

#define MAX_NAME_BYTES 63
_Static_assert(MAX_NAME_BYTES < SLOT_NAME_SIZE, "the name of a slot has room where it is kept");

void config_done(struct config *config)
{
	free(config->service.image_dir);
	free(config->service.trusted_keys);
	free(config->service.on_outcome);
	for (size_t i = 0; i < config->n_boards; i++)
		board_done(&config->boards[i]);
	free(config->boards);
	for (size_t i = 0; i < config->n_slots; i++)
		slot_done(&config->slots[i]);
	free(config->slots);
	*config = (struct config){0};
}

const struct board *config_find_board(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_boards; i++)
		if (strcmp(config->boards[i].name, name) == 0)
			return &config->boards[i];
	return NULL;
}

/* Names end up in journal fields and on command lines. */
static bool name_is_fit(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i]))
			return false;
	return n > 0 && n <= MAX_NAME_BYTES;
}

static int check_name(const struct ini_section *section, struct ini_problems *problems)
{
	char expected[128];

	snprintf(expected, sizeof(expected),
		"a name of 1 to 63 letters, digits, '.', '_' or '-' after '%s'", section->kind);
	return name_is_fit(section->name) ? 0
					  : ini_section_expect(section, NULL, expected, problems);
}

static int board_from_section(
	const struct ini_section *section, struct board *ret, struct ini_problems *problems)
{
	struct board made CLEANUP(board_done) = {0};
	int r;

	if (check_name(section, problems) < 0)
		return -ENOMEM;
	r = board_read(section, &made, problems);
	if (r < 0)
		return r;
	made.name = strdup(section->name);
	made.file = strdup(section->file);
	made.line = section->line;
	if (!made.name || !made.file || ini_section_copy(section, &made.source) < 0)
		return -ENOMEM;
	*ret = made;
	made = (struct board){0};
	return 0;
}

/* ----------------------------------------------------------------------------------- slots */

const struct slot *config_find_slot(const struct config *config, const char *name_or_path)
{
	for (size_t i = 0; i < config->n_slots; i++)
		if (strcmp(config->slots[i].name, name_or_path) == 0)
			return &config->slots[i];
	for (size_t i = 0; i < config->n_slots; i++)
		if (config->slots[i].path && strcmp(config->slots[i].path, name_or_path) == 0)
			return &config->slots[i];
	return NULL;
}

const char *config_slot_name(const struct config *config, const char *usb_path)
{
	for (size_t i = 0; usb_path && i < config->n_slots; i++)
		if (config->slots[i].path && strcmp(config->slots[i].path, usb_path) == 0)
			return config->slots[i].name;
	return "";
}

/* Two names for one socket: which of them would be shown? */
static int check_place(const struct ini_section *section, const struct config *config,
	size_t n_before, struct ini_problems *problems)
{
	const struct slot *slot = &config->slots[n_before];

	for (size_t i = 0; i < n_before && slot->path; i++) {
		const struct slot *other = &config->slots[i];

		if (!other->path || strcmp(other->path, slot->path) != 0)
			continue;
		return ini_section_problem(section, "path", problems,
			"is the place of [slot %s] already, which stands in %s, line %u",
			other->name, other->file, other->line);
	}
	return 0;
}

static int slot_from_section(
	const struct ini_section *section, struct config *config, struct ini_problems *problems)
{
	int r = check_name(section, problems);

	if (r == 0)
		r = slot_read(section, &config->slots[config->n_slots], problems);
	if (r == 0)
		r = check_place(section, config, config->n_slots, problems);
	config->n_slots++;
	return r;
}

/* "a1" and "A 1" are slips of "A1". `far`: how far the nearest one was, and is then. */
static const char *nearer(const char *name, const char *known, const char *nearest, size_t *far)
{
	size_t distance = strcasecmp(name, known) == 0 ? 0 : text_distance(name, known);

	if (nearest && distance >= *far)
		return nearest;
	*far = distance;
	return known;
}

const char *config_nearest_slot(const struct config *config, const char *name)
{
	const char *nearest = NULL;
	size_t far = 0;

	for (size_t i = 0; i < config->n_slots; i++)
		nearest = nearer(name, config->slots[i].name, nearest, &far);
	return nearest;
}

const char *config_nearest_board(const struct config *config, const char *name)
{
	const char *nearest = NULL;
	size_t far = 0;

	for (size_t i = 0; i < config->n_boards; i++)
		nearest = nearer(name, config->boards[i].name, nearest, &far);
	return nearest;
}

static int refuse_slot(const struct board *board, const struct config *config, const char *name,
	struct ini_problems *problems)
{
	const char *nearest = config_nearest_slot(config, name);
	char shown[TEXT_MAX];

	text_escape(name, shown, sizeof(shown));
	if (nearest)
		return ini_section_problem(board->source, "slot", problems,
			"there is no [slot %s]; the nearest name is '%s'", shown, nearest);
	return ini_section_problem(board->source, "slot", problems,
		"there is no [slot %s]: a slot is a section of its own, whose `path` is that of `plugflash list`",
		shown);
}

/* A name that stands twice is a slip: it stands where another was meant. */
static bool is_named_before(const struct board *board, size_t k)
{
	for (size_t i = 0; i < k; i++)
		if (strcmp(board->slot[i], board->slot[k]) == 0)
			return true;
	return false;
}

/* A rule may stand before the slots that it names, and in another file. */
static int check_slots(const struct config *config, struct ini_problems *problems)
{
	for (size_t i = 0; i < config->n_boards; i++) {
		const struct board *board = &config->boards[i];

		for (size_t k = 0; k < board->n_slot; k++) {
			const struct slot *slot = config_find_slot(config, board->slot[k]);
			char shown[TEXT_MAX];

			if (is_named_before(board, k)) {
				if (ini_section_problem(board->source, "slot", problems,
					    "'%s' stands there twice: is another slot meant?",
					    text_escape(board->slot[k], shown, sizeof(shown))) < 0)
					return -ENOMEM;
				continue;
			}
			if (slot && strcmp(slot->name, board->slot[k]) == 0)
				continue;
			if (refuse_slot(board, config, board->slot[k], problems) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

/* ----------------------------------------------------------------------------------- files */

/* A version that nobody signed could be any: such images raise no floor. */
static int check_floors(const struct config *config, struct ini_problems *problems)
{
	int r = 0;

	for (size_t i = 0; i < config->n_boards && r == 0 && !config->service.require_signature;
		i++)
		if (config->boards[i].anti_rollback)
			r = ini_section_expect(config->boards[i].source, "anti-rollback",
				"no, or require-signature = yes in [service]", problems);
	return r;
}

/* A slip of one or two fingers is told what was meant. */
static int refuse_section(const struct ini_section *section, struct ini_problems *problems)
{
	static const char *const kinds[] = {"service", "slot", "board"};
	const char *nearest = NULL;
	size_t far = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		nearest = nearer(section->kind, kinds[i], nearest, &far);
	if (far > 2 || strcmp(section->kind, nearest) == 0)
		return ini_section_expect(
			section, NULL, "[service], [slot NAME] or [board NAME]", problems);
	return ini_section_problem(section, NULL, problems,
		"expected [service], [slot NAME] or [board NAME]; is it '%s'?", nearest);
}

static int config_from_ini(const struct ini *ini, struct config *ret, struct ini_problems *problems)
{
	struct config made CLEANUP(config_done) = {0};

	made.boards = calloc(ini->n_sections + 1, sizeof(*made.boards));
	made.slots = calloc(ini->n_sections + 1, sizeof(*made.slots));
	if (!made.boards || !made.slots || service_set_defaults(&made.service) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < ini->n_sections; i++) {
		const struct ini_section *section = &ini->sections[i];
		int r;

		if (strcmp(section->kind, "service") == 0 && section->name[0] == '\0')
			r = service_read(section, &made.service, problems);
		else if (strcmp(section->kind, "board") == 0)
			r = board_from_section(section, &made.boards[made.n_boards++], problems);
		else if (strcmp(section->kind, "slot") == 0)
			r = slot_from_section(section, &made, problems);
		else
			r = refuse_section(section, problems);
		if (r < 0)
			return r;
	}
	if (check_slots(&made, problems) < 0 || check_floors(&made, problems) < 0)
		return -ENOMEM;
	*ret = made;
	made = (struct config){0};
	return 0;
}

/*
 * Both halves below one open directory: when it is replaced meanwhile, old and new do not mix.
 * Missing is a mistake of the configuration, unreadable one of the environment.
 */
static int load_files(const char *directory, struct ini *ini, struct ini_problems *problems)
{
	int fd CLEANUP(closep) = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : 0;
	int boards;

	if (r < 0) {
		if (ini_problem_add(problems, directory, 0, NULL, NULL,
			    "the configuration directory cannot be opened: %s%s", strerror(-r),
			    r == -ENOENT
				    ? ": installing plugflash creates it, --config names another"
				    : "") < 0)
			return -ENOMEM;
		return r == -ENOENT ? 0 : r;
	}
	r = ini_load_file_at(ini, fd, directory, NAME_SERVICE_CONFIGURATION, problems);
	if (r == -ENOMEM)
		return r;
	boards = ini_load_directory_at(ini, fd, directory, NAME_BOARDS, problems);
	if (boards == -ENOMEM || r == 0 || r == -ENOENT)
		return boards;
	return r;
}

int config_load(const char *directory, struct config *ret, struct ini_problems *problems)
{
	struct ini ini CLEANUP(ini_done) = {0};
	struct config made CLEANUP(config_done) = {0};
	size_t n_before = problems->n_items;
	int read = load_files(directory, &ini, problems);
	int r;

	if (read == -ENOMEM)
		return read;
	r = config_from_ini(&ini, &made, problems);
	if (r < 0)
		return r;
	if (read < 0)
		return read;
	if (problems->n_items > n_before)
		return OUTCOME_BAD_CONFIG;
	*ret = made;
	made = (struct config){0};
	return 0;
}

int config_read_board(const struct ini *ini, struct board *ret, struct ini_problems *problems)
{
	struct board made CLEANUP(board_done) = {0};
	const struct ini_section *found = NULL;
	size_t n_before = problems->n_items;
	int r = 0;

	for (size_t i = 0; i < ini->n_sections; i++) {
		const struct ini_section *section = &ini->sections[i];

		if (strcmp(section->kind, "board") != 0)
			continue;
		if (found && ini_section_expect(section, NULL, "one board only", problems) < 0)
			return -ENOMEM;
		found = section;
	}
	r = found ? board_from_section(found, &made, problems)
		  : ini_problem_add(problems, NULL, 0, NULL, NULL, "there is no [board NAME]");
	if (r < 0)
		return r;
	if (problems->n_items > n_before)
		return OUTCOME_BAD_CONFIG;
	*ret = made;
	made = (struct board){0};
	return 0;
}

int config_write_board(const struct board *board, FILE *to)
{
	return ini_section_write(board->source, to);
}
