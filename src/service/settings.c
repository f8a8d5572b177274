/* SPDX-License-Identifier: MIT */
#include "service/settings.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/names.h"
#include "base/util.h"
#include "chip/rule-check.h"

/* Enough to mend a file by; the command `check-config` shows all. */
#define PROBLEMS_SHOWN 20

/* Those that fit whole. */
static void list_problems(const struct ini_problems *problems, char *to, size_t size)
{
	char text[1024];
	size_t used = 0;

	for (size_t i = 0; i < problems->n_items; i++) {
		size_t n;

		ini_problem_format(&problems->items[i], text, sizeof(text));
		n = strlen(text);
		if (n + 2 > size - used)
			break;
		used += (size_t)snprintf(to + used, size - used, "%s%s", used ? "\n" : "", text);
	}
}

static void log_problems(const struct ini_problems *problems)
{
	char text[1024];

	for (size_t i = 0; i < problems->n_items && i < PROBLEMS_SHOWN; i++)
		log_event(LOG_ERR, MESSAGE_CONFIG_REJECTED, NULL, "%s",
			ini_problem_format(&problems->items[i], text, sizeof(text)));
	if (problems->n_items > PROBLEMS_SHOWN)
		log_event(LOG_ERR, MESSAGE_CONFIG_REJECTED, NULL,
			"... and %zu more: 'plugflash check-config' shows them all",
			problems->n_items - PROBLEMS_SHOWN);
}

static int load(
	const struct settings_source *source, struct config *ret, struct ini_problems *problems)
{
	CLEANUP(config_done) struct config config = {0};
	int r;

	r = config_load(source->directory, &config, problems);
	if (r != 0)
		return r;
	r = config_check_chips(&config, source->chips, source->chips_dir, problems, NULL);
	if (r != 0)
		return r;
	*ret = config;
	config = (struct config){0};
	return 0;
}

int settings_load(const struct settings_source *source, const char *consequence, struct config *ret,
	char *told, size_t n_told)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	int r = load(source, ret, &problems);

	told[0] = '\0';
	if (r == 0)
		return 0;
	list_problems(&problems, told, n_told);
	if (r < 0)
		snprintf(told, n_told, "%s", strerror(-r));
	log_problems(&problems);
	if (r < 0)
		log_event(LOG_ERR, MESSAGE_CONFIG_REJECTED, NULL,
			"the configuration in %s could not be read: %s; %s", source->directory,
			strerror(-r), consequence);
	else
		log_event(LOG_ERR, MESSAGE_CONFIG_REJECTED, NULL,
			"the configuration in %s was refused, %zu %s; %s", source->directory,
			problems.n_items, problems.n_items == 1 ? "mistake" : "mistakes",
			consequence);
	return r;
}

void settings_note_loaded(const char *runtime, const char *directory)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(closep) int fd = -1;

	if (text_format(&path, "%s/" NAME_LOADED, runtime) < 0)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || fchmod(fd, 0644) < 0 || dprintf(fd, "%s\n", directory) < 0)
		log_debug("%s cannot be written", path);
}
