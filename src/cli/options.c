/* SPDX-License-Identifier: MIT */
/*
 * options.c - one table of options, from which getopt_long(), the help and the suggestions are
 * made.
 *
 * A verb takes the rows whose sets it names. The command line comes first, then the environment
 * fills
 * --port and --baud where the verb has them, then combinations are checked that no verb can use.
 */
#include "cli/options.h"

#include <getopt.h>
#include <limits.h>
#include <string.h>

#include "base/names.h"
#include "base/text.h"
#include "base/util.h"
#include "rules/wiring.h"

#define FIELD(name) offsetof(struct options, name)

static const struct option_row rows[] = {
	{'p', "port", "PORT", OPTIONS_BRIDGE, FIELD(port),
		"the bridge, as /dev/ttyUSB0 or ttyUSB0; may be left out\n"
		"where one bridge alone has a rule (" ENV_PORT ")"},
	{0, "slot", "NAME", OPTIONS_BRIDGE, FIELD(slot),
		"the bridge in this slot, by its name or its place in\nthe USB tree; in place of --port"},
	{'b', "baud", "LIST", OPTIONS_BRIDGE, FIELD(baud),
		"rates to try, first to last, in place of the rule's\n(" ENV_BAUD ")"},
	{0, "board", "NAME", OPTIONS_BRIDGE, FIELD(board),
		"take this rule, whatever the bridge says of itself"},
	{0, "chip", "LIST", OPTIONS_BRIDGE, FIELD(chip),
		"no rule: the board is described here; product ids\n"
		"(0x414) or names of the chip table"},
	{0, "protocol", "NAME", OPTIONS_BRIDGE, FIELD(protocol),
		"with --chip, or alone where no image is needed: stm32,\nesp, bsl"},
	{0, "backdoor-pin", "DIO", OPTIONS_GUARD, FIELD(backdoor_pin),
		"with --protocol bsl: leads into its boot loader"},
	{0, "application", "LIST", OPTIONS_PROBE, FIELD(application),
		"what the application speaks: ezsp, cpc, spinel, zwave,\nmt; alone, nothing is reset"},
	{0, "wiring", "NAME", OPTIONS_BRIDGE, FIELD(wiring),
		"with --chip, or alone where no image is needed:\n" WIRING_NAMES
		"; for probe auto as well"},
	{0, "reset", "LINE", OPTIONS_BRIDGE, FIELD(reset),
		"with --chip: line that resets: dtr, rts, none, or not-dtr\nand not-rts, which a rule may write as !dtr"},
	{0, "boot", "LINE", OPTIONS_BRIDGE, FIELD(boot),
		"with --chip: line that selects the boot loader"},
	{0, "enter", "STEPS", OPTIONS_BRIDGE, FIELD(enter),
		"with --chip: raw steps, such as 'rts=1,dtr=1 100ms dtr=0 50ms'"},
	{0, "leave", "STEPS", OPTIONS_BRIDGE, FIELD(leave),
		"with --chip: raw steps back to the application"},
	{0, "direct", NULL, OPTIONS_BRIDGE, FIELD(direct),
		"in this process, also where the service runs"},
	{0, "transcript", "FILE", OPTIONS_BRIDGE | OPTIONS_SETUP, FIELD(transcript),
		"write all that is said on the port to this new file, in\nthis process, without the image's bytes"},
	{0, "transcript-image", NULL, OPTIONS_BRIDGE | OPTIONS_SETUP, FIELD(transcript_image),
		"with --transcript: with them, too"},
	{0, "image", "FILE", OPTIONS_IMAGE, FIELD(image),
		"this file, in place of the one the rule finds"},
	{0, "plug", NULL, OPTIONS_SETUP, FIELD(plug),
		"the bridge that is plugged in next: unplug it, and plug it\nin again"},
	{0, "try", "LIST", OPTIONS_SETUP, FIELD(tries),
		"circuits to try, in place of all: stm32-direct,\nstm32-plain, stm32-swapped, stm32-inverted,\nstm32-one-key, stm32-esp, esp, ti, application;\nstm32 is all of the first six"},
	{0, "image", "FILE", OPTIONS_SETUP, FIELD(image),
		"the first image; a copy goes below image-dir"},
	{0, "image-version", "VERSION", OPTIONS_SETUP, FIELD(image_version),
		"where the name of the file does not say it: the copy's\nname will"},
	{0, "address", "ADDRESS", OPTIONS_IMAGE | OPTIONS_SETUP, FIELD(address),
		"where a raw image belongs"},
	{0, "name", "NAME", OPTIONS_SETUP, FIELD(name),
		"of the rule; else it is made of the image's name"},
	{0, "only", "KEY", OPTIONS_SETUP, FIELD(only),
		"a rule for this unit alone (serial), or for this socket\n(path), not for all boards of the kind"},
	{0, "dry-run", NULL, OPTIONS_DRY_RUN, FIELD(dry_run),
		"decide, and erase and write nothing"},
	{0, "address", "ADDRESS", OPTIONS_RANGE, FIELD(address),
		"first byte to read, with --size; else the whole flash"},
	{0, "size", "BYTES", OPTIONS_RANGE, FIELD(size), "bytes to read; K and M are understood"},
	{0, "force", NULL, OPTIONS_RANGE, FIELD(force), "replace the file where it exists"},
	{0, "pages", "LIST", OPTIONS_ERASE, FIELD(pages),
		"numbers of pages and ranges of them, such as 4,6-9"},
	{0, "range", "ADDRESS+SIZE", OPTIONS_ERASE, FIELD(range),
		"these bytes, such as 0x08004000+16K, which are whole pages"},
	{0, "whole-pages", NULL, OPTIONS_ERASE, FIELD(whole_pages),
		"with --range: also the rest of pages that it cuts"},
	{0, "with-kept", NULL, OPTIONS_ERASE, FIELD(with_kept),
		"also pages with a part of the rule's `keep`, and of a\nchip of TI the page of its settings (CCFG)"},
	{0, "address", "ADDRESS", OPTIONS_START, FIELD(start),
		"by the boot loader, at this address of the flash"},
	{0, "dry-run", NULL, OPTIONS_SETUP, FIELD(dry_run),
		"find the circuit, show the rule, and write nothing"},
	{0, "yes", NULL, OPTIONS_YES, FIELD(yes),
		"do it without a question, also without a terminal"},
	{0, "unit", "ID", OPTIONS_UNITS, FIELD(unit), "unique id of the chip, or its beginning"},
	{0, "board", "NAME", OPTIONS_UNITS, FIELD(board), "rule that they had"},
	{0, "slot", "NAME", OPTIONS_UNITS | OPTIONS_SETUP, FIELD(slot),
		"name of a slot, or place in the USB tree, as list shows it"},
	{'p', "port", "PORT", OPTIONS_UNITS | OPTIONS_SETUP, FIELD(port),
		"the bridge, as /dev/ttyUSB0 or ttyUSB0"},
	{0, "trials", NULL, OPTIONS_TRIALS, FIELD(trials),
		"not units: faster ways of writing that are turned off"},
	{0, "outcome", "WORD", OPTIONS_ATTEMPTS, FIELD(outcome), "how they ended"},
	{0, "since", "TIME", OPTIONS_ATTEMPTS, FIELD(since),
		"2025-06-01, '2025-06-01 14:30', today, or 90min, 2h, 3d ago"},
	{0, "until", "TIME", OPTIONS_ATTEMPTS, FIELD(until), "before that"},
	{0, "limit", "NUMBER", OPTIONS_ATTEMPTS, FIELD(limit),
		"the newest so many, 0: all; 100 where it is not given"},
	{0, "units", NULL, OPTIONS_ATTEMPTS, FIELD(units),
		"units and what they hold, not attempts"},
	{0, "counts", NULL, OPTIONS_ATTEMPTS, FIELD(counts),
		"units that are good and bad, by day, rule and slot, and the yield"},
	{0, "csv", NULL, OPTIONS_ATTEMPTS, FIELD(csv), "comma-separated values with a heading"},
	{0, "count", "NUMBER", OPTIONS_BATCH, FIELD(count),
		"with start: boards that are to succeed"},
	{0, "count", "NUMBER", OPTIONS_STUB, FIELD(count),
		"updates at each of the two rates; 20 where it is not given"},
	{0, "transcript", "FILE", OPTIONS_REPORT, FIELD(transcript),
		"this one goes in, in place of what the service kept"},
	{0, "with-ids", NULL, OPTIONS_REPORT, FIELD(with_ids),
		"serial numbers and ids of units stay as they are"},
	{0, "config", "DIRECTORY", OPTIONS_COMMON | OPTIONS_SETUP | OPTIONS_REPORT, FIELD(config),
		"in place of " PATH_CONFIGURATION},
	{0, "json", NULL, OPTIONS_COMMON | OPTIONS_MACHINE, FIELD(json),
		"one JSON object on standard output"},
};

#define LETTER_HELP 'h'
/* getopt_long() answers with this plus the row's number. */
#define ROW_FIRST 256
/* The letters of each row with their colon, and those that are always there. */
#define LETTERS_MAX (2 * ARRAY_SIZE(rows) + 8)

static enum options_result wrong(const struct verb *verb, const char *what, const char *text)
{
	char escaped[TEXT_MAX];

	fprintf(stderr, "plugflash %s: %s '%s'; plugflash %s --help lists what there is\n",
		verb->name, what, text_escape(text, escaped, sizeof(escaped)), verb->name);
	return OPTIONS_WRONG;
}

static void build_tables(const struct verb *verb, char letters[static LETTERS_MAX],
	struct option longs[static ARRAY_SIZE(rows) + 2])
{
	/* A leading colon tells a missing value from an unknown option. */
	char *letter = stpcpy(letters, ":hv");
	struct option *option = longs;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct option_row *row = &rows[i];

		if (!(row->sets & verb->options))
			continue;
		*option++ = (struct option){row->name, row->value ? required_argument : no_argument,
			NULL, ROW_FIRST + (int)i};
		if (row->letter) {
			*letter++ = row->letter;
			if (row->value)
				*letter++ = ':';
		}
	}
	*letter = '\0';
	*option++ = (struct option){"help", no_argument, NULL, LETTER_HELP};
	*option = (struct option){0};
}

static void take(int answer, const char *value, struct options *options)
{
	const struct option_row *row = rows;
	char *field;

	if (answer >= ROW_FIRST)
		row += answer - ROW_FIRST;
	else
		while (row->letter != answer)
			row++;
	field = (char *)options + row->offset;
	if (row->value)
		*(const char **)field = value;
	else
		*(bool *)field = true;
}

static const char *not_empty(const char *value)
{
	return value && value[0] ? value : NULL;
}

/* How many words may stand behind the verb: as many as its usage names. */
static int words_of(const struct verb *verb)
{
	const char *blank = verb->argument ? strchr(verb->argument, ' ') : NULL;

	if (verb->argument && strstr(verb->argument, "..."))
		return INT_MAX;
	return !verb->argument ? 0 : blank ? 2 : 1;
}

static enum options_result take_argument(
	const struct verb *verb, int n_left, char *left[], struct options *options)
{
	int most = words_of(verb);

	if (n_left > most && verb->options & OPTIONS_BRIDGE)
		return wrong(verb,
			"the port is given with --port, an image with --image; unexpected",
			left[most]);
	if (n_left > most && most == 1)
		return wrong(verb, "a text with blanks is put in quotes; unexpected", left[most]);
	if (n_left > most)
		return wrong(verb, "unexpected", left[most]);
	if (most > 0 && n_left == 0 && verb->argument[0] != '[') {
		fprintf(stderr, "plugflash %s: %s is missing; see plugflash %s --help\n",
			verb->name, verb->argument, verb->name);
		return OPTIONS_WRONG;
	}
	options->argument = n_left > 0 ? left[0] : NULL;
	options->argument2 = n_left > 1 ? left[1] : NULL;
	options->arguments = left;
	options->n_arguments = (size_t)n_left;
	return OPTIONS_RUN;
}

static enum options_result check_together(const struct verb *verb, const struct options *options)
{
	const char *message = NULL;

	if (options->chip && options->board)
		message = "--chip describes a board without a rule: it does not go with --board";
	else if (options->board && options_have_board(options))
		message =
			"--protocol, --backdoor-pin, --application, --wiring, --reset, --boot, --enter and --leave do not go with --board: the rule has them";
	else if (options->port && options->slot && (verb->options & OPTIONS_BRIDGE))
		message = "--port and --slot both say which bridge: give one of them";
	else if ((verb->options & OPTIONS_SETUP) &&
		 (options->port != NULL) + (options->slot != NULL) + options->plug > 1)
		message = "--port, --slot and --plug all say which bridge: give one of them";
	else if ((options->address != NULL) != (options->size != NULL) &&
		 (verb->options & OPTIONS_RANGE))
		message = "--address and --size go together";
	else if ((options->argument != NULL) + (options->pages != NULL) +
				 (options->range != NULL) !=
			 1 &&
		 (verb->options & OPTIONS_ERASE))
		message =
			"say what is to be erased by one of these: all, --pages LIST or --range ADDRESS+SIZE";
	else if (options->transcript_image && !options->transcript)
		message = "--transcript-image goes with --transcript FILE";
	else if (options->whole_pages && !options->range)
		message = "--whole-pages goes with --range";
	if (!message)
		return OPTIONS_RUN;
	fprintf(stderr, "plugflash %s: %s\n", verb->name, message);
	return OPTIONS_WRONG;
}

/*
 * Says which word getopt_long() did not take: `at`, or one letter of it. For a long option the
 * nearest one of the verb is named, where two slips of the finger lead to it.
 */
static enum options_result refuse(const struct verb *verb, int answer, const char *at)
{
	char letter[] = {'-', (char)optopt, '\0'}, name[TEXT_MAX], escaped[TEXT_MAX];
	bool is_letter = optopt > 0 && optopt < ROW_FIRST;
	const char *nearest = NULL;
	size_t least = 3;

	if (answer == 'v') {
		fprintf(stderr,
			"plugflash %s: -v means verify to some and verbose to others, so it is not taken: flash always verifies, plugflash verify compares, plugflash --version tells the version\n",
			verb->name);
		return OPTIONS_WRONG;
	}
	if (answer == ':')
		return wrong(verb, "a value is missing behind", is_letter ? letter : at);
	if (is_letter)
		return wrong(verb, "unknown option", letter);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, "="), at);
	for (size_t i = 0; i < ARRAY_SIZE(rows) && strncmp(name, "--", 2) == 0; i++) {
		size_t distance = rows[i].sets & verb->options
					  ? text_distance(name + 2, rows[i].name)
					  : least;

		if (distance < least) {
			nearest = rows[i].name;
			least = distance;
		}
	}
	if (!nearest)
		return wrong(verb, "unknown option", at);
	fprintf(stderr, "plugflash %s: unknown option '%s'; did you mean '--%s'?\n", verb->name,
		text_escape(name, escaped, sizeof(escaped)), nearest);
	return OPTIONS_WRONG;
}

const struct option_row *options_next(const struct verb *verb, const struct option_row *before)
{
	for (size_t i = before ? (size_t)(before - rows) + 1 : 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].sets & verb->options)
			return &rows[i];
	return NULL;
}

enum options_result options_parse(
	const struct verb *verb, int argc, char *argv[], struct options *ret)
{
	struct option longs[ARRAY_SIZE(rows) + 2];
	char letters[LETTERS_MAX];
	struct options options = {0};
	enum options_result r;
	int answer;

	build_tables(verb, letters, longs);
	opterr = 0;
	optind = 0;
	while ((answer = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (answer == LETTER_HELP)
			return OPTIONS_HELP;
		if (answer == 'v' || answer == '?' || answer == ':')
			return refuse(verb, answer, argv[optind - 1]);
		take(answer, optarg, &options);
	}
	r = take_argument(verb, argc - optind, argv + optind, &options);
	if (r != OPTIONS_RUN)
		return r;
	if (verb->options & OPTIONS_BRIDGE) {
		if (!options.port && !options.slot)
			options.port = not_empty(getenv(ENV_PORT));
		options.baud = options.baud ? options.baud : not_empty(getenv(ENV_BAUD));
	}
	r = check_together(verb, &options);
	if (r != OPTIONS_RUN)
		return r;
	*ret = options;
	return OPTIONS_RUN;
}

static void print_row(const struct option_row *row, FILE *to)
{
	char left[48];
	const char *help = row->help;

	snprintf(left, sizeof(left), "%c%c%s --%s%s%s", row->letter ? '-' : ' ',
		row->letter ? row->letter : ' ', row->letter ? "," : " ", row->name,
		row->value ? " " : "", row->value ? row->value : "");
	/* A long one has a line of its own. */
	fprintf(to, strlen(left) > 24 ? "  %s\n  %-24s " : "  %-24s%s ", left, "");
	for (const char *end; (end = strchr(help, '\n')); help = end + 1)
		fprintf(to, "%.*s\n  %-24s ", (int)(end - help), help, "");
	fprintf(to, "%s\n", help);
}

void options_print_help(const struct verb *verb, FILE *to)
{
	fprintf(to, "plugflash %s [OPTIONS]%s%s\n\n%s\n\n", verb->name, verb->argument ? " " : "",
		verb->argument ? verb->argument : "", verb->summary);
	for (const struct option_row *row = NULL; (row = options_next(verb, row));)
		print_row(row, to);
	fprintf(to, "  %-24s %s\n", "-h, --help", "this text");
	for (size_t i = 0; i < VERB_EXAMPLES && verb->examples[i].line; i++)
		fprintf(to, "\n%s:\n  %s\n", verb->examples[i].what, verb->examples[i].line);
}

const char *options_configuration(const struct options *options)
{
	const char *environment = not_empty(getenv(ENV_CONFIGURATION));

	if (options->config)
		return options->config;
	return environment ? environment : PATH_CONFIGURATION;
}

const char *options_chips(void)
{
	const char *environment = not_empty(getenv(ENV_CHIPS));

	return environment ? environment : PATH_CHIPS;
}

bool options_have_board(const struct options *options)
{
	return options->chip || options->protocol || options->backdoor_pin ||
	       options->application || options->wiring || options->reset || options->boot ||
	       options->enter || options->leave;
}
