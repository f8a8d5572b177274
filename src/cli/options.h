/* SPDX-License-Identifier: MIT */
/*
 * options.h - the options of all verbs as one table: their names, which verbs take them, their
 * help.
 *
 * Values stay text here, and point into the command line or the environment. The verb that needs a
 * number or a rule out of a value parses it and says what is wrong with it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The defaults of --port and --baud. */
#define ENV_PORT "PLUGFLASH_PORT"
#define ENV_BAUD "PLUGFLASH_BAUD"

/* The groups a verb takes its options from. */
enum option_set {
	OPTIONS_COMMON = 1 << 0, /* --json, --config, --help */
	OPTIONS_BRIDGE = 1 << 1, /* which bridge, which rule or none */
	OPTIONS_IMAGE = 1 << 2,	 /* which image */
	OPTIONS_DRY_RUN = 1 << 3,
	OPTIONS_RANGE = 1 << 4,	   /* a part of the flash, and a file to write */
	OPTIONS_UNITS = 1 << 5,	   /* which units */
	OPTIONS_ATTEMPTS = 1 << 6, /* which attempts, and how they are told */
	OPTIONS_BATCH = 1 << 7,	   /* how many boards */
	OPTIONS_MACHINE = 1 << 8,  /* --json and --help alone, of OPTIONS_COMMON */
	OPTIONS_YES = 1 << 9,	   /* no question before it is done */
	OPTIONS_ERASE = 1 << 10,   /* which pages */
	OPTIONS_START = 1 << 11,   /* at which address */
	OPTIONS_PROBE = 1 << 12,   /* what of it is asked */
	OPTIONS_GUARD = 1 << 13,   /* what an image must leave as it is */
	OPTIONS_TRIALS = 1 << 16,  /* what is off, not units */
	OPTIONS_STUB = 1 << 17,	   /* how many updates */
	OPTIONS_HIDDEN = 1 << 18,  /* none; the verb is for programs, and in no list of verbs */
	OPTIONS_SETUP = 1 << 20,   /* the answers to all that setup asks */
	OPTIONS_REPORT = 1 << 21,  /* what goes into a report; --config of OPTIONS_COMMON */
};

/* NULL and false: not given. */
struct options {
	const char *config;
	const char *port;
	const char *baud;
	const char *board;
	const char *chip;
	const char *protocol;
	const char *backdoor_pin;
	const char *application;
	const char *wiring;
	const char *reset;
	const char *boot;
	const char *enter;
	const char *leave;
	const char *transcript;
	bool transcript_image;
	bool with_ids;
	const char *build; /* of this program: the main says it */
	const char *image;
	const char *address;
	const char *size;
	const char *argument; /* the first of the words behind the verb */
	const char *argument2;
	char *const *arguments; /* all of them; NULL: none */
	size_t n_arguments;
	const char *count;
	const char *unit;
	const char *slot;
	const char *outcome;
	const char *since;
	const char *until;
	const char *limit;
	bool trials;
	bool units;
	bool counts;
	bool csv;
	bool json;
	bool dry_run;
	bool force;
	bool direct;
	bool yes;
	const char *pages;
	const char *range;
	bool whole_pages;
	bool with_kept;
	const char *start; /* --address of OPTIONS_START */
	bool plug;
	const char *tries;
	const char *image_version;
	const char *name;
	const char *only;
};

/* How people use a verb. */
struct verb_example {
	const char *line; /* as it is typed, with quotes where a shell needs them */
	const char *what; /* what it does, for whom or when */
};

#define VERB_EXAMPLES 2

/* A verb as main() and the help see it. */
struct verb {
	const char *name;
	/* The words behind it: "FILE", "[REASON]" where it may be left out, at most two, or any
	 * number of them, "WORD..."; NULL: none. */
	const char *argument;
	const char *summary;
	unsigned options; /* enum option_set, those it takes */
	int (*run)(const struct options *options);
	struct verb_example examples[VERB_EXAMPLES];
};

/* An option as the help has it. */
struct option_row {
	char letter; /* 0: only the long name */
	const char *name;
	const char *value; /* what its value is called in the help; NULL: a switch */
	unsigned sets;	   /* enum option_set */
	size_t offset;	   /* of the field in struct options */
	const char *help;
};

/* The option behind `before` (NULL: the first) of those that the verb takes; NULL: none. */
const struct option_row *options_next(const struct verb *verb, const struct option_row *before);

enum options_result {
	OPTIONS_RUN,
	OPTIONS_HELP,  /* help was asked for */
	OPTIONS_WRONG, /* standard error got a sentence that says what is wrong */
};

/*
 * Parses the words behind the verb; `argv[0]` is the verb itself. `ret` is untouched unless
 * OPTIONS_RUN. Environment variables are taken where the verb has their option.
 */
enum options_result options_parse(
	const struct verb *verb, int argc, char *argv[], struct options *ret);

/* The verb's usage with every option it takes, and its examples. */
void options_print_help(const struct verb *verb, FILE *to);

/* --config, else where systemd's environment says, else /etc/plugflash. */
const char *options_configuration(const struct options *options);

/* The chip table: $PLUGFLASH_CHIPS or the installed one. */
const char *options_chips(void);

/* Whether the command line describes the board itself, in place of a rule. */
bool options_have_board(const struct options *options);
