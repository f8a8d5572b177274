/* SPDX-License-Identifier: MIT */
/* plugflash.c - the command: its verbs, and nothing else. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/outcome.h"
#include "base/text.h"
#include "base/util.h"
#include "cli/cli.h"

static void print_help(FILE *to, bool is_asked)
{
	fputs("plugflash VERB [OPTIONS]\n\n", to);
	for (size_t i = 0; i < n_verbs; i++)
		if (!(verbs[i].options & OPTIONS_HIDDEN))
			fprintf(to, "  %-16s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\nplugflash VERB --help lists its options, plugflash --version tells the version.\n",
		to);
	fputs(is_asked ? "Exit codes (status and doctor have their own, see plugflash(1)):\n"
		       : "plugflash --help lists the exit codes.\n",
		to);
	if (!is_asked)
		return;
	for (int code = 0; code <= UINT8_MAX; code++) {
		if (code == EXIT_USAGE)
			fprintf(to, "  %2d wrong use\n", code);
		for (enum outcome outcome = 0; outcome < OUTCOME_MAX; outcome++)
			if (outcome_to_exit_code(outcome) == code)
				fprintf(to, "  %2d %s\n", code, outcome_to_string(outcome));
	}
}

/* Refuses an option in the place of the verb. */
static int refuse_option(const char *typed)
{
	static const char *const known[] = {"--help", "--version"};
	char escaped[TEXT_MAX];

	fprintf(stderr, "plugflash: there is no option '%s' before the verb",
		text_escape(typed, escaped, sizeof(escaped)));
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (text_distance(typed, known[i]) <= 2) {
			fprintf(stderr, "; did you mean '%s'?\n", known[i]);
			return EXIT_USAGE;
		}
	fputs("; plugflash --help lists the verbs, --version tells the version\n", stderr);
	return EXIT_USAGE;
}

static int refuse_verb(const char *typed)
{
	const struct verb *nearest = verb_nearest(verbs, n_verbs, typed);
	char escaped[TEXT_MAX];

	fprintf(stderr, "plugflash: there is no verb '%s'",
		text_escape(typed, escaped, sizeof(escaped)));
	if (nearest)
		fprintf(stderr, "; did you mean '%s'?\n", nearest->name);
	else
		fputs("; plugflash --help lists them\n", stderr);
	return EXIT_USAGE;
}

int main(int argc, char *argv[])
{
	const struct verb *verb;
	struct options options;

	if (argc < 2) {
		print_help(stderr, false);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
		strcmp(argv[1], "help") == 0) {
		print_help(stdout, true);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		puts("plugflash " PLUGFLASH_BUILD);
		return 0;
	}
	verb = verb_find(verbs, n_verbs, argv[1]);
	if (!verb)
		return argv[1][0] == '-' ? refuse_option(argv[1]) : refuse_verb(argv[1]);
	switch (options_parse(verb, argc - 1, argv + 1, &options)) {
	case OPTIONS_RUN:
		options.build = PLUGFLASH_BUILD;
		return verb->run(&options);
	case OPTIONS_HELP:
		options_print_help(verb, stdout);
		return 0;
	case OPTIONS_WRONG:
		break;
	}
	return EXIT_USAGE;
}
