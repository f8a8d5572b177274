/* SPDX-License-Identifier: MIT */
#include "cli/ask.h"

#include <string.h>
#include <unistd.h>

#include "base/outcome.h"
#include "base/text.h"

#define ANSWER_MAX_BYTES 16

bool ask_may(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

bool ask_read(char *to, size_t size)
{
	CLEANUP(freep) char *line = NULL;
	size_t n_line = 0, n_blanks;
	ssize_t n;

	fflush(stderr);
	n = getline(&line, &n_line, stdin);
	if (n < 0)
		return false;
	while (n > 0 && strchr(" \t\r\n", line[n - 1]))
		line[--n] = '\0';
	n_blanks = strspn(line, " \t");
	text_copy(to, size, line + n_blanks);
	return true;
}

bool ask_text(const char *question, const char *usual, char *to, size_t size)
{
	fprintf(stderr, "%s%s%s%s: ", question, *usual ? " [" : "", usual, *usual ? "]" : "");
	if (!ask_read(to, size))
		return false;
	if (!to[0])
		text_copy(to, size, usual);
	return true;
}

/* Ctrl-D is an answer as well, and not "yes". */
static bool is_yes(void)
{
	char line[ANSWER_MAX_BYTES];

	return ask_read(line, sizeof(line)) && strcmp(line, "yes") == 0;
}

bool ask_yes(const struct options *options, const char *verb, const char *sentence, int *ret_exit)
{
	if (options->yes)
		return true;
	if (!ask_may()) {
		fprintf(stderr,
			"plugflash %s: %s; there is no terminal to ask at: say --yes to have it done\n",
			verb, sentence);
		*ret_exit = EXIT_USAGE;
		return false;
	}
	fprintf(stderr, "plugflash %s: %s.\nGo on? Type yes: ", verb, sentence);
	if (is_yes())
		return true;
	fprintf(stderr, "plugflash %s: nothing was done\n", verb);
	*ret_exit = outcome_to_exit_code(OUTCOME_CANCELLED);
	return false;
}
