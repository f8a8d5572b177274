/* SPDX-License-Identifier: MIT */
/*
 * complete.c - the verb for completion by a shell: prints a line for each answer, the word and
 * behind a tab what it is.
 */
#include <string.h>

#include "base/text.h"
#include "cli/complete.h"

/* More than that nobody reads, and each is compared with those before. */
#define ANSWERS_MOST 1000

/* A shell that waits for a directory on a network that is gone is worse than one without
 * completion. */
#define SECONDS_MOST 2

/* What a person can type, and a line of the answer can hold. */
static bool can_be_typed(const char *word)
{
	for (const char *c = word; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return text_is_utf8(word, strlen(word));
}

static bool is_there(const struct complete_answers *answers, const char *word)
{
	for (size_t i = 0; i < answers->n_items; i++)
		if (strcmp(answers->items[i].word, word) == 0)
			return true;
	return false;
}

void complete_add(struct complete_answers *answers, const char *value, const char *what)
{
	const struct complete_place *place = answers->place;
	bool is_word = value[0] != ':';
	CLEANUP(freep) char *word = NULL, *shown = NULL;
	char escaped[TEXT_MAX];
	struct complete_answer *grown;

	if (!can_be_typed(value) || answers->n_items >= ANSWERS_MOST ||
		text_format(&word, "%.*s%s", is_word ? (int)place->n_stays : 0, place->typed,
			value) < 0 ||
		(is_word && strncmp(word, place->typed, strlen(place->typed)) != 0) ||
		is_there(answers, word) ||
		text_duplicate(text_cell(what, escaped, sizeof(escaped)), &shown) < 0)
		return;
	grown = room_for_one(answers->items, answers->n_items, sizeof(*grown));
	if (!grown)
		return;
	answers->items = grown;
	answers->items[answers->n_items++] =
		(struct complete_answer){.word = TAKE_PTR(word), .what = TAKE_PTR(shown)};
}

void complete_answers_done(struct complete_answers *answers)
{
	for (size_t i = 0; i < answers->n_items; i++) {
		free(answers->items[i].word);
		free(answers->items[i].what);
	}
	free(answers->items);
	answers->items = NULL;
	answers->n_items = 0;
}

static void add_verbs(struct complete_answers *answers)
{
	for (size_t i = 0; i < n_verbs; i++)
		if (!(verbs[i].options & OPTIONS_HIDDEN))
			complete_add(answers, verbs[i].name, verbs[i].summary);
	complete_add(answers, "--help", "lists the verbs and the exit codes");
	complete_add(answers, "--version", "tells the version");
}

/* Whether it stands on the command line already. */
static bool is_given(const struct complete_place *place, const struct option_row *row)
{
	const char *field = (const char *)&place->before + row->offset;

	return row->value ? *(const char *const *)field != NULL : *(const bool *)field;
}

static void add_options(struct complete_answers *answers)
{
	const struct complete_place *place = answers->place;

	for (const struct option_row *row = NULL; (row = options_next(place->verb, row));) {
		char name[64], what[TEXT_MAX];

		snprintf(name, sizeof(name), "--%s", row->name);
		snprintf(what, sizeof(what), "%s", row->help);
		for (char *c = what; (c = strchr(c, '\n'));)
			*c = ' ';
		if (!is_given(place, row))
			complete_add(answers, name, what);
	}
	complete_add(answers, "--help", "options and examples");
}

int verb_complete(const struct options *options)
{
	struct complete_place place;
	CLEANUP(complete_answers_done) struct complete_answers answers = {.place = &place};

	alarm(SECONDS_MOST);
	complete_find_place(verbs, n_verbs, (const char *const *)options->arguments,
		options->n_arguments, &place);
	switch (place.kind) {
	case COMPLETE_NOTHING:
		break;
	case COMPLETE_VERB:
		add_verbs(&answers);
		break;
	case COMPLETE_OPTION:
		add_options(&answers);
		break;
	case COMPLETE_VALUE:
		complete_add_values(&answers);
		break;
	case COMPLETE_WORD:
		if (!complete_add_values(&answers))
			add_options(&answers);
		break;
	}
	for (size_t i = 0; i < answers.n_items; i++)
		printf("%s\t%s\n", answers.items[i].word, answers.items[i].what);
	return 0;
}
