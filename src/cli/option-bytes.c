/* SPDX-License-Identifier: MIT */
/*
 * option-bytes.c - the verb: the settings that a chip has beside its flash, shown by their names,
 * and set.
 *
 * They are always written by this process, never by the service: a rule's `option-bytes` is what
 * the service keeps to. `set` asks before it writes, since a wrong one may need a programmer to
 * undo; a value that shuts plugflash out is refused, as in a rule, without the word that accepts
 * it.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/summary.h"
#include "cli/units.h"
#include "cli/work.h"

#define VERB "option-bytes"

static int wrong_use(const char *sentence, const char *text)
{
	char escaped[TEXT_MAX];

	fprintf(stderr, "plugflash " VERB ": '%s' %s\n",
		text_escape(text, escaped, sizeof(escaped)), sentence);
	return EXIT_USAGE;
}

/* The words behind `set` as one text, as a rule has them. NULL without memory. */
static char *join(char *const *words, size_t n_words)
{
	CLEANUP(freep) char *text = strdup("");

	for (size_t i = 0; i < n_words && text; i++) {
		char *longer = NULL;

		if (text_format(&longer, "%s%s%s", text, i > 0 ? " " : "", words[i]) < 0)
			return NULL;
		free(text);
		text = longer;
	}
	return TAKE_PTR(text);
}

/* 0, EXIT_USAGE or another exit code. `ret` stays empty where they are only shown. */
static int take_words(const struct options *options, struct option_list *ret)
{
	CLEANUP(freep) char *text = NULL;
	char escaped[TEXT_MAX];
	const char *expected;
	int r;

	if (options->n_arguments == 0)
		return 0;
	if (strcmp(options->arguments[0], "set") != 0)
		return wrong_use(
			"is not known here: set NAME=VALUE ... writes settings, without a word they are shown",
			options->arguments[0]);
	text = join(options->arguments + 1, options->n_arguments - 1);
	if (!text)
		return 1;
	r = parse_option_list(text, ret, &expected);
	if (r == 0)
		return 0;
	fprintf(stderr, "plugflash " VERB ": expected %s, got '%s'\n", expected,
		text_escape(text, escaped, sizeof(escaped)));
	return EXIT_USAGE;
}

/* ------------------------------------------------------------------ what is shown */

static void print_hex(const struct chip_options *read)
{
	for (size_t i = 0; i < read->n_bytes; i++) {
		if (i % 16 == 0)
			printf("0x%08" PRIx32, read->address + (uint32_t)i);
		printf(" %02x%s", read->bytes[i],
			i % 16 == 15 || i + 1 == read->n_bytes ? "\n" : "");
	}
}

static void print_fields(const struct chip_options *read)
{
	const struct option_layout *layout = read->layout;

	for (size_t i = 0; i < layout->n_fields; i++) {
		const struct option_field *field = &layout->fields[i];
		bool is_written = field->use == OPTION_USE_SET &&
				  option_is_within(layout, field, layout->n_written);
		uint32_t value;

		if (!option_is_within(layout, field, read->n_bytes))
			continue;
		value = option_get(layout, field, read->bytes);
		printf("%-20s ", field->name);
		if (field->n_bits > 3)
			printf("0x%0*" PRIx32, (field->n_bits + 3) / 4, value);
		else
			printf("%" PRIu32, value);
		if (option_is_dangerous(field, value))
			printf("  (%s)\n", option_reason(field));
		else
			puts(is_written				      ? ""
				: field->use == OPTION_USE_PROTECTION ? "  (read-out protection)"
								      : "  (shown, not written)");
	}
}

static int tell(const struct session *session)
{
	const struct chip_options *read = &session->options_read;
	bool is_read = read->n_bytes > 0 && outcome_to_exit_code(session->report.outcome) == 0;

	bool is_shown = is_read && !session->options->json;

	if (is_shown && read->layout)
		print_fields(read);
	if (is_shown && !read->layout)
		print_hex(read);
	return summary_tell(session, stderr);
}

/* ------------------------------------------------------------------ the verb */

/* Whether to go on; else the exit code, after a sentence. */
static bool ask(const struct options *options, const struct assignment *assignment, int *ret_exit)
{
	char sentence[2 * TEXT_MAX], port[64], rule[TEXT_MAX];

	snprintf(sentence, sizeof(sentence),
		"the board behind %s (%s) gets other option bytes: they decide how its chip starts, and a power cut while they are written may leave it read-out protected, which only a wipe undoes",
		units_port(assignment->port, port, sizeof(port)),
		text_escape(assignment->board.name, rule, sizeof(rule)));
	return ask_yes(options, VERB, sentence, ret_exit);
}

int verb_option_bytes(const struct options *options)
{
	CLEANUP(option_list_done) struct option_list wanted = {0};
	CLEANUP(work_done) struct work work = {.service.hold = -1};
	struct session *session = &work.session;
	int r = take_words(options, &wanted);

	if (r != 0)
		return r;
	if (work_open(VERB, options, FLASH_OPTIONS, &work)) {
		if (wanted.n_items > 0 && !ask(options, &session->assignment, &r))
			return r;
		session->assignment.options = wanted;
		wanted = (struct option_list){0};
		work_run(&work);
	}
	return tell(session);
}
