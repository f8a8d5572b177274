/* SPDX-License-Identifier: MIT */
#include "cli/objects.h"

#include <errno.h>

#include "api/fields.h"
#include "api/json.h"
#include "cli/units.h"
#include "cli/when.h"
#include "records/store-dict.h"

static void add_usb_id(struct json *to, const struct facts *facts)
{
	char id[16] = "";

	if (facts->vendor_id != 0)
		snprintf(id, sizeof(id), "%04x:%04x", facts->vendor_id, facts->product_id);
	json_add_text(to, "usb_id", id);
}

/* The name alone: "ttyUSB0". */
static void add_port(struct json *to, const char *node)
{
	char name[TEXT_MAX];

	json_add_text(to, "port", node ? units_port(node, name, sizeof(name)) : NULL);
}

static void add_time(struct json *to, const char *key, int64_t msec)
{
	char exact[64];

	json_add_text(to, key, when_format_exact(msec, exact, sizeof(exact)));
}

/* ------------------------------------------------------------------ a job */

/* The option bytes of a chip; no bytes and no values where they could not be read. */
static struct json *options_object(const struct chip_options *read)
{
	const struct option_layout *layout = read->layout;
	char hex[2 * OPTION_BYTES_MAX + 1] = "", address[16] = "";
	struct json *object = json_new_object(), *values = json_new_object();

	for (size_t i = 0; i < read->n_bytes; i++)
		snprintf(hex + 2 * i, 3, "%02x", read->bytes[i]);
	if (read->n_bytes > 0)
		snprintf(address, sizeof(address), "0x%08x", read->address);
	json_add_text(object, "address", address);
	json_add_text(object, "bytes", hex);
	for (size_t i = 0; layout && i < layout->n_fields; i++)
		if (option_is_within(layout, &layout->fields[i], read->n_bytes))
			json_add_number(values, layout->fields[i].name,
				option_get(layout, &layout->fields[i], read->bytes));
	json_add(object, "values", values);
	return object;
}

int json_print_session(const struct session *session, FILE *to)
{
	const struct report *report = &session->report;
	const struct assignment *assignment = &session->assignment;
	const struct facts *bridge = &session->bridge;
	bool has_file = assignment->action == FLASH_READ;
	struct json *object = json_new_object();

	json_add_text(object, "verb", session->verb);
	json_add_number(object, "exit_code", (uint64_t)outcome_to_exit_code(report->outcome));
	json_add_bool(object, "dry_run", assignment->dry_run);
	json_add_text(object, "board", assignment->board.name);
	add_port(object, bridge->port);
	add_usb_id(object, bridge);
	json_add_descriptor(object, "usb_serial", bridge->serial);
	json_add_text(object, "usb_path", bridge->usb_path);
	json_add_text(object, "slot", config_slot_name(&session->config, bridge->usb_path));
	json_add_text(object, "file", has_file ? session->options->argument : NULL);
	json_add_report(object, report, FOR_JSON);
	if (assignment->action == FLASH_OPTIONS)
		json_add(object, "option_bytes", options_object(&session->options_read));
	return json_print(object, to);
}

/* ------------------------------------------------------------------ bridges and their rules */

static const char *result_text(enum match_result result, bool is_good)
{
	if (!is_good)
		return NULL;
	switch (result) {
	case MATCH_ONE:
		return "one";
	case MATCH_NONE:
		return "none";
	case MATCH_AMBIGUOUS:
		return "ambiguous";
	}
	return NULL;
}

static struct json *bridge_object(const struct bridge *bridge, bool is_good)
{
	const struct facts *facts = bridge->facts;
	struct json *object = json_new_object(), *rules = json_new_list();

	add_port(object, facts->port);
	json_add_text(object, "node", facts->port);
	add_usb_id(object, facts);
	json_add_descriptor(object, "product", facts->product);
	json_add_descriptor(object, "manufacturer", facts->manufacturer);
	json_add_descriptor(object, "usb_serial", facts->serial);
	json_add_text(object, "usb_path", facts->usb_path);
	json_add_text(object, "slot", bridge->slot);
	if (facts->interface < 0)
		json_add_null(object, "interface");
	else
		json_add_number(object, "interface", (uint64_t)facts->interface);
	json_add_text(object, "match", result_text(bridge->result, is_good));
	if (bridge->result != MATCH_NONE)
		json_add_text(rules, NULL, bridge->match.board->name);
	if (bridge->result == MATCH_AMBIGUOUS)
		json_add_text(rules, NULL, bridge->match.other->name);
	json_add(object, "boards", rules);
	return object;
}

int json_print_bridges(const struct bridges *bridges, bool is_good, FILE *to)
{
	struct json *object = json_new_object(), *list = json_new_list();

	for (size_t i = 0; i < bridges->n_items; i++)
		json_add(list, NULL, bridge_object(&bridges->items[i], is_good));
	json_add_bool(object, "configuration_is_good", is_good);
	json_add(object, "bridges", list);
	return json_print(object, to);
}

/* ------------------------------------------------------------------ images */

static struct json *candidate_object(
	const struct survey *survey, const struct library_candidate *candidate)
{
	struct json *object = json_new_object();

	json_add_text(object, "image", candidate->name);
	json_add_text(object, "version", candidate->version);
	json_add_known_number(object, "bytes", candidate->size);
	json_add_text(object, "requires", candidate->requires);
	json_add_text(object, "state", survey_state(survey, candidate));
	json_add_text(object, "reason", survey_why(survey, candidate));
	json_add_text(object, "remark", candidate->remark);
	return object;
}

static struct json *find_object(const struct survey *survey)
{
	const struct report *report = &survey->report;
	bool is_good = survey->outcome == OUTCOME_MAX;
	struct json *object = json_new_object(), *list = json_new_list();

	json_add_text(object, "board", survey->board->name);
	json_add_text(object, "image_glob", survey->board->image);
	json_add_text(object, "image", is_good ? survey->choice.name : NULL);
	json_add_text(object, "version", is_good ? report->version : NULL);
	json_add_text(object, "sha256", report->sha256);
	json_add_text(object, "signer", report->signer);
	json_add_text(object, "image_says", report->image_says);
	json_add_text(object, "outcome", is_good ? NULL : outcome_to_string(survey->outcome));
	json_add_text(object, "reason", report->reason.text);
	json_add_text(object, "note", survey->list.note);
	for (size_t i = 0; i < survey->list.n_items; i++)
		json_add(list, NULL, candidate_object(survey, &survey->list.items[i]));
	json_add(object, "candidates", list);
	return object;
}

int json_print_finds(const struct finds *finds, const char *directory, FILE *to)
{
	struct json *object = json_new_object(), *boards = json_new_list();

	for (size_t i = 0; i < finds->n_items; i++)
		json_add(boards, NULL, find_object(&finds->items[i]));
	json_add_text(object, "image_dir", directory);
	json_add(object, "boards", boards);
	return json_print(object, to);
}

/* ------------------------------------------------------------------ the past */

int json_list_begin(struct json_list *list, const char *key, FILE *to)
{
	*list = (struct json_list){.to = to};
	return fprintf(to, "{\n  \"%s\": [", key) < 0 ? -EIO : 0;
}

/* Takes the object, and prints it on a line of its own. */
static int add_item(struct json_list *list, struct json *object)
{
	if (fputs(list->n_items++ > 0 ? ",\n    " : "\n    ", list->to) == EOF) {
		json_free(object);
		return -EIO;
	}
	return json_print_line(object, list->to);
}

/* Of an attempt or a unit: times as people and scripts read them. */
static void add_store_fields(struct json *to, const struct store_field *fields, const void *row)
{
	char shown[STORE_SHOWN_MAX];

	for (; fields->name; fields++) {
		switch (fields->kind) {
		case STORE_NUMBER:
		case STORE_ID:
			json_add_number(to, fields->name, store_field_number(fields, row));
			break;
		case STORE_TIME:
			add_time(to, fields->name, (int64_t)store_field_number(fields, row));
			break;
		case STORE_TEXT:
		case STORE_DESCRIPTOR:
		case STORE_PORT:
		case STORE_WORD:
			json_add_text(to, fields->name, store_field_text(fields, row, shown));
			break;
		}
	}
}

/* One that runs has no outcome yet. */
int json_list_attempt(struct json_list *list, const struct store_attempt *attempt)
{
	struct json *object = json_new_object();

	add_store_fields(object, attempt_fields, attempt);
	json_add_report(object, &attempt->report, FOR_STORE);
	if (attempt->ended_ms == 0)
		json_add_null(object, "outcome");
	return add_item(list, object);
}

static struct json *outcomes_object(const struct day_counts *counts)
{
	struct json *object = json_new_object();

	for (enum outcome outcome = 0; outcome < OUTCOME_MAX; outcome++)
		if (counts->outcomes[outcome] > 0)
			json_add_number(
				object, outcome_to_string(outcome), counts->outcomes[outcome]);
	return object;
}

int json_list_count(struct json_list *list, const struct count_cell *cell)
{
	const struct day_counts *counts = &cell->counts;
	struct json *object = json_new_object();

	json_add_text(object, "day", counts->day);
	json_add_text(object, "board", cell->board);
	json_add_text(object, "slot", cell->slot);
	json_add_text(object, "usb_path", cell->usb_path);
	json_add_number(object, "first_pass", counts->first_pass);
	json_add_number(object, "retried", counts->retried);
	json_add_number(object, "bad", counts->bad);
	json_add_number(object, "yield_percent", (uint64_t)day_counts_yield(counts) / 10);
	json_add(object, "outcomes", outcomes_object(counts));
	add_time(object, "last", cell->last_ms);
	return add_item(list, object);
}

int json_list_unit(struct json_list *list, const struct store_unit *unit)
{
	struct json *object = json_new_object();

	add_store_fields(object, unit_fields, unit);
	return add_item(list, object);
}

int json_list_end(struct json_list *list)
{
	return fputs("\n  ]\n}\n", list->to) == EOF || fflush(list->to) != 0 ? -EIO : 0;
}

int json_print_retry(bool is_trials, size_t n, FILE *to)
{
	struct json *object = json_new_object();

	json_add_number(object, is_trials ? "kinds" : "units", n);
	/* Of the time when a part could fail; now the whole fails, and prints nothing. */
	if (!is_trials)
		json_add_number(object, "held", 0);
	return json_print(object, to);
}

/* ------------------------------------------------------------------ a configuration */

static struct json *problem_object(const struct ini_problem *problem)
{
	struct json *object = json_new_object();
	char line[1024];

	json_add_text(object, "file", problem->file);
	json_add_known_number(object, "line", problem->line);
	json_add_text(object, "section", problem->section);
	json_add_text(object, "key", problem->key);
	json_add_text(object, "message", problem->message);
	json_add_text(object, "text", ini_problem_format(problem, line, sizeof(line)));
	return object;
}

static struct json *problems_of(const struct ini_problems *problems)
{
	struct json *list = json_new_list();

	for (size_t i = 0; i < problems->n_items; i++)
		json_add(list, NULL, problem_object(&problems->items[i]));
	return list;
}

static struct json *board_object(const struct board *board, const struct check_image *image)
{
	struct json *object = json_new_object(), *chips = json_new_list();
	struct json *slots = json_new_list();

	for (size_t i = 0; i < board->n_chip; i++)
		json_add_text(chips, NULL, board->chip[i]);
	for (size_t i = 0; i < board->n_slot; i++)
		json_add_text(slots, NULL, board->slot[i]);
	json_add_text(object, "board", board->name);
	json_add_text(object, "file", board->file);
	json_add_number(object, "line", board->line);
	json_add(object, "slots", slots);
	json_add(object, "chip", chips);
	json_add_text(object, "image_glob", board->image);
	json_add_text(object, "image", image->name);
	json_add_text(object, "version", image->version);
	json_add_text(object, "warning", image->reason.text);
	return object;
}

static struct json *slot_object(const struct slot *slot)
{
	struct json *object = json_new_object();

	json_add_text(object, "slot", slot->name);
	json_add_text(object, "usb_path", slot->path);
	json_add_text(object, "file", slot->file);
	json_add_number(object, "line", slot->line);
	return object;
}

static struct json *finding_object(const struct finding *finding)
{
	struct json *object = json_new_object(), *mend = json_new_list();

	json_add_text(object, "level", finding_level_to_string(finding->level));
	json_add_text(object, "about", finding->about);
	json_add_text(object, "what", finding->what);
	json_add_text(object, "why", finding->why);
	for (size_t i = 0; i < finding->n_mend; i++)
		json_add_text(mend, NULL, finding->mend[i]);
	json_add(object, "mend", mend);
	return object;
}

int json_print_findings(const struct findings *findings, FILE *to)
{
	struct json *object = json_new_object(), *list = json_new_list();

	for (size_t i = 0; i < findings->n_items; i++)
		json_add(list, NULL, finding_object(&findings->items[i]));
	json_add_text(object, "worst", finding_level_to_string(findings_worst(findings)));
	json_add_number(object, "errors", findings_count(findings, FINDING_ERROR));
	json_add_number(object, "warnings", findings_count(findings, FINDING_WARNING));
	json_add_number(object, "notes", findings_count(findings, FINDING_NOTE));
	json_add(object, "findings", list);
	return json_print(object, to);
}

int json_print_check(const struct check *check, FILE *to)
{
	struct json *object = json_new_object(), *boards = json_new_list();
	struct json *slots = json_new_list();

	for (size_t i = 0; i < check->config.n_slots; i++)
		json_add(slots, NULL, slot_object(&check->config.slots[i]));
	for (size_t i = 0; i < check->config.n_boards; i++)
		json_add(boards, NULL, board_object(&check->config.boards[i], &check->images[i]));
	json_add_bool(object, "configuration_is_good", check->is_good);
	json_add(object, "problems", problems_of(&check->problems));
	json_add(object, "warnings", problems_of(&check->warnings));
	json_add(object, "notes", problems_of(&check->notes));
	json_add(object, "slots", slots);
	json_add(object, "boards", boards);
	return json_print(object, to);
}
