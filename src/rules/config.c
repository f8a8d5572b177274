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
#include "rules/config-keys.h"

#define MAX_NAME_BYTES 63

void config_done(struct config *config)
{
	free(config->service.image_dir);
	free(config->service.trusted_keys);
	free(config->service.on_outcome);
	for (size_t i = 0; i < config->n_boards; i++)
		board_done(&config->boards[i]);
	free(config->boards);
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

static int board_from_section(
	const struct ini_section *section, struct board *ret, struct ini_problems *problems)
{
	struct board made CLEANUP(board_done) = {0};
	int r;

	if (!name_is_fit(section->name) &&
		ini_section_expect(section, NULL,
			"a name of 1 to 63 letters, digits, '.', '_' or '-' after 'board'",
			problems) < 0)
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

static int config_from_ini(const struct ini *ini, struct config *ret, struct ini_problems *problems)
{
	struct config made CLEANUP(config_done) = {0};

	made.boards = calloc(ini->n_sections + 1, sizeof(*made.boards));
	if (!made.boards || service_set_defaults(&made.service) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < ini->n_sections; i++) {
		const struct ini_section *section = &ini->sections[i];
		int r;

		if (strcmp(section->kind, "service") == 0 && section->name[0] == '\0')
			r = service_read(section, &made.service, problems);
		else if (strcmp(section->kind, "board") == 0)
			r = board_from_section(section, &made.boards[made.n_boards++], problems);
		else
			r = ini_section_expect(
				section, NULL, "[service] or [board NAME]", problems);
		if (r < 0)
			return r;
	}
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
			    r == -ENOENT ? ": make install creates it, --config names another"
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
