/* SPDX-License-Identifier: MIT */
#include "cli/names.h"

#include <stdio.h>
#include <string.h>

#include "rules/config.h"

static void warn(const char *verb, const char *kind, const char *name, const char *nearest)
{
	char shown[TEXT_MAX];

	text_escape(name, shown, sizeof(shown));
	if (nearest)
		fprintf(stderr,
			"plugflash %s: warning: the configuration has no [%s %s]; the nearest name is '%s'\n",
			verb, kind, shown, nearest);
	else
		fprintf(stderr, "plugflash %s: warning: the configuration has no [%s %s]\n", verb,
			kind, shown);
}

void names_warn(const char *verb, const struct options *options)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(config_done) struct config config = {0};
	const char *slot = options->slot, *board = options->board;

	if ((!slot && !board) ||
		config_load(options_configuration(options), &config, &problems) != 0)
		return;
	/* A place in the USB tree needs no name. */
	if (slot && !config_find_slot(&config, slot) && !strstr(slot, "-usb-"))
		warn(verb, "slot", slot, config_nearest_slot(&config, slot));
	if (board && !config_find_board(&config, board))
		warn(verb, "board", board, config_nearest_board(&config, board));
}
