/* SPDX-License-Identifier: MIT */
/*
 * complete-values.c - the values that options and words take, out of what this machine has: its
 * bridges, its configuration, its images, its store. Opens no port, and says nothing of what it
 * cannot read: who asks is in the middle of a word.
 */
#include <string.h>

#include "base/names.h"
#include "base/outcome.h"
#include "chip/chips.h"
#include "chip/family.h"
#include "cli/bridges.h"
#include "cli/circuits.h"
#include "cli/complete.h"
#include "cli/units.h"
#include "cli/when.h"
#include "image/library.h"
#include "records/store.h"

/* Of units and jobs; whoever looks for an older unit types the beginning of its id. */
#define NEWEST_MOST 200

/* The configuration that is asked, an empty one where it cannot be read. For config_done(). */
static struct config load_configuration(const struct complete_answers *answers)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	struct config config = {0};

	config_load(options_configuration(&answers->place->before), &config, &problems);
	return config;
}

static void add_ports(struct complete_answers *answers)
{
	CLEANUP(config_done) struct config config = load_configuration(answers);
	CLEANUP(bridges_done) struct bridges bridges = {0};

	bridges_load(&config, &bridges);
	for (size_t i = 0; i < bridges.n_items; i++) {
		const struct facts *facts = bridges.items[i].facts;

		complete_add(answers, basename(facts->port), facts->product);
	}
}

/* Those that have a name by it, the others of the bridges present by their places. */
static void add_slots(struct complete_answers *answers)
{
	CLEANUP(config_done) struct config config = load_configuration(answers);
	CLEANUP(bridges_done) struct bridges bridges = {0};

	for (size_t i = 0; i < config.n_slots; i++)
		complete_add(answers, config.slots[i].name, config.slots[i].path);
	bridges_load(&config, &bridges);
	for (size_t i = 0; i < bridges.n_items; i++) {
		const struct bridge *bridge = &bridges.items[i];

		if (!*bridge->slot && bridge->facts->usb_path)
			complete_add(answers, bridge->facts->usb_path, bridge->facts->product);
	}
}

static void add_boards(struct complete_answers *answers)
{
	CLEANUP(config_done) struct config config = load_configuration(answers);

	for (size_t i = 0; i < config.n_boards; i++)
		complete_add(answers, config.boards[i].name, config.boards[i].image);
}

/* A word that a rule takes has no blank in it. */
static void add_chip(struct complete_answers *answers, const struct chip *chip)
{
	char id[16];

	snprintf(id, sizeof(id), "0x%03x", chip->product_id);
	complete_add(answers, id, chip->name);
	if (!strchr(chip->name, ' '))
		complete_add(answers, chip->name, id);
	for (size_t i = 0; i < chip->n_aliases; i++)
		complete_add(answers, chip->aliases[i], chip->name);
}

static void add_chips(struct complete_answers *answers)
{
	const char *directory = options_configuration(&answers->place->before);
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(chip_table_done) struct chip_table table = {0};
	CLEANUP(freep) char *chips_dir = NULL;

	if (text_format(&chips_dir, "%s/" NAME_CHIPS, directory) == 0)
		chip_table_load(chip_families, options_chips(), chips_dir, &table, &problems);
	for (size_t i = 0; i < table.n_items; i++)
		if (!table.items[i].refusal)
			add_chip(answers, &table.items[i]);
}

/* Those that the rule of --board would find, without it those of all rules; else any file. */
static void add_images(struct complete_answers *answers)
{
	CLEANUP(config_done) struct config config = load_configuration(answers);
	const char *wanted = answers->place->before.board;

	for (size_t i = 0; i < config.n_boards; i++) {
		const struct board *board = &config.boards[i];
		struct library_query query = library_query_for(&config, board);
		CLEANUP(library_list_done) struct library_list list = {0};
		CLEANUP(library_choice_done) struct library_choice choice = {0};
		struct reason reason;

		if (!wanted || strcmp(board->name, wanted) == 0)
			library_list(&query, &list, &choice, &reason);
		for (size_t j = 0; j < list.n_items; j++) {
			CLEANUP(freep) char *path = NULL;

			if (text_format(&path, "%s/%s", config.service.image_dir,
				    list.items[j].name) == 0)
				complete_add(answers, path, board->name);
		}
	}
	if (answers->n_items == 0)
		complete_add(answers, COMPLETE_FILES, NULL);
}

/* NULL: it cannot be read, or there is none. */
static struct store *open_store(void)
{
	const char *environment = getenv(ENV_STATE);
	struct store *store = NULL;
	struct reason reason;
	int r = store_open_to_read(
		environment && *environment ? environment : PATH_STATE, &store, &reason);

	return r == 0 ? store : NULL;
}

static int add_unit(void *userdata, const struct store_unit *unit)
{
	if (unit->unit[0])
		complete_add(userdata, unit->unit, unit->board);
	return 0;
}

static void add_units(struct complete_answers *answers)
{
	const struct store_filter filter = {
		.unit = answers->place->typed + answers->place->n_stays, .limit = NEWEST_MOST};
	struct store *store = open_store();
	struct reason reason;

	if (store)
		store_list_units(store, &filter, add_unit, answers, &reason);
	store_close(store);
}

static int add_job(void *userdata, const struct store_attempt *attempt)
{
	char when[64], what[TEXT_MAX];

	snprintf(what, sizeof(what), "%s, %.60s, %s",
		when_format(attempt->started_ms, when, sizeof(when)), attempt->board,
		attempt->ended_ms > 0 ? outcome_to_string(attempt->report.outcome) : "running");
	complete_add(userdata, attempt->job, what);
	return 0;
}

static void add_jobs(struct complete_answers *answers)
{
	const struct store_filter filter = {.limit = NEWEST_MOST};
	struct store *store = open_store();
	struct reason reason;

	if (store)
		store_list_attempts(store, &filter, add_job, answers, &reason);
	store_close(store);
}

/* Without a rule a probe tries them all, too. */
static void add_wirings(struct complete_answers *answers)
{
	complete_add(answers, "direct", NULL);
	complete_add(answers, "one-key", NULL);
	complete_add(answers, "esp", NULL);
	if (answers->place->verb->options & OPTIONS_PROBE)
		complete_add(answers, "auto", "all circuits in turn");
}

static void add_circuits(struct complete_answers *answers)
{
	const char *kind = "";

	for (size_t i = 0; i < n_circuits; i++) {
		const struct circuit *circuit = &circuits[i];

		if (strcmp(circuit->kind, kind) != 0 && strcmp(circuit->kind, circuit->name) != 0)
			complete_add(answers, circuit->kind, "all circuits of that kind");
		kind = circuit->kind;
		complete_add(answers, circuit->name, circuit->what);
	}
}

static void add_outcomes(struct complete_answers *answers)
{
	for (enum outcome outcome = 0; outcome < OUTCOME_MAX; outcome++) {
		char what[32];

		snprintf(what, sizeof(what), "exit code %d", outcome_to_exit_code(outcome));
		complete_add(answers, outcome_to_string(outcome), what);
	}
}

/* Where a value comes from: a function, or a list of words that are always the same. */
struct source {
	const char *name;
	void (*add)(struct complete_answers *answers);
	const char *words;
};

static const struct source option_sources[] = {
	{"port", add_ports, NULL},
	{"slot", add_slots, NULL},
	{"board", add_boards, NULL},
	{"chip", add_chips, NULL},
	{"image", add_images, NULL},
	{"unit", add_units, NULL},
	{"outcome", add_outcomes, NULL},
	{"protocol", NULL, "stm32 esp bsl"},
	{"application", NULL, "ezsp cpc spinel zwave mt"},
	{"wiring", add_wirings, NULL},
	{"try", add_circuits, NULL},
	{"only", NULL, "serial path"},
	{"reset", NULL, "dtr rts not-dtr not-rts none"},
	{"boot", NULL, "dtr rts not-dtr not-rts none"},
	{"baud", NULL, "9600 57600 115200 230400 460800 500000 921600"},
	{"since", NULL, "today yesterday 1h 1d 7d"},
	{"until", NULL, "today yesterday 1h 1d 7d"},
	{"config", NULL, COMPLETE_DIRECTORIES},
	{"transcript", NULL, COMPLETE_FILES},
};

/* The words behind a verb: the first, or any later one. */
static const struct {
	const char *verb;
	size_t n_before;
	struct source source;
} word_sources[] = {
	{"read", 0, {"FILE", NULL, COMPLETE_FILES}},
	{"report", 0, {"FILE", NULL, COMPLETE_FILES}},
	{"report", 1, {"JOB", add_jobs, NULL}},
	{"erase", 0, {"all", NULL, "all"}},
	{"option-bytes", 0, {"set", NULL, "set"}},
	{"batch", 0, {"start or stop", NULL, "start stop"}},
	{"batch", 1, {"RULE", add_boards, NULL}},
	{"floor", 0, {"RULE", add_boards, NULL}},
	{"floor", 1, {"a version, or none", NULL, "none"}},
};

static void add_words(struct complete_answers *answers, const char *words)
{
	for (size_t n; *words; words += n + strspn(words + n, " ")) {
		char word[32];

		n = strcspn(words, " ");
		snprintf(word, sizeof(word), "%.*s", (int)n, words);
		complete_add(answers, word, NULL);
	}
}

static const struct source *find_source(const struct complete_place *place)
{
	if (place->kind == COMPLETE_VALUE) {
		for (size_t i = 0; i < ARRAY_SIZE(option_sources); i++)
			if (strcmp(option_sources[i].name, place->option->name) == 0)
				return &option_sources[i];
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(word_sources); i++)
		if (strcmp(word_sources[i].verb, place->verb->name) == 0 &&
			word_sources[i].n_before == place->n_words)
			return &word_sources[i].source;
	return NULL;
}

bool complete_add_values(struct complete_answers *answers)
{
	const struct source *source = find_source(answers->place);

	if (source && source->add)
		source->add(answers);
	else if (source)
		add_words(answers, source->words);
	return source != NULL;
}
