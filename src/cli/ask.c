/* SPDX-License-Identifier: MIT */
#include "cli/ask.h"

#include <string.h>
#include <unistd.h>

#include "base/outcome.h"

#define ANSWER_MAX_BYTES 16

/* Ctrl-D is an answer as well, and not "yes". */
static bool is_yes(FILE *from)
{
	char line[ANSWER_MAX_BYTES] = "";

	if (!fgets(line, sizeof(line), from))
		return false;
	line[strcspn(line, "\r\n")] = '\0';
	return strcmp(line, "yes") == 0;
}

bool ask_yes(const struct options *options, const char *verb, const char *sentence, int *ret_exit)
{
	if (options->yes)
		return true;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		fprintf(stderr,
			"plugflash %s: %s; there is no terminal to ask at: say --yes to have it done\n",
			verb, sentence);
		*ret_exit = EXIT_USAGE;
		return false;
	}
	fprintf(stderr, "plugflash %s: %s.\nGo on? Type yes: ", verb, sentence);
	fflush(stderr);
	if (is_yes(stdin))
		return true;
	fprintf(stderr, "plugflash %s: nothing was done\n", verb);
	*ret_exit = outcome_to_exit_code(OUTCOME_CANCELLED);
	return false;
}
