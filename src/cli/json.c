/* SPDX-License-Identifier: MIT */
#include "cli/json.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "cli/units.h"
#include "cli/when.h"

/* What is not UTF-8 cannot be carried; as long as it has to be. */
static json_t *escaped(const char *from, char *(*escape)(const char *from, char *to, size_t size))
{
	size_t size = 4 * strlen(from) + 1;
	CLEANUP(freep) char *to = malloc(size);

	return to ? json_string(escape(from, to, size)) : NULL;
}

/* Ours, or what a report or the store has escaped already. JSON carries quotes and controls by
 * itself.
 */
static json_t *text(const char *from)
{
	if (!from || !from[0])
		return json_null();
	return text_is_utf8(from, strlen(from)) ? json_string(from) : escaped(from, text_show);
}

/* Of a descriptor: a backslash of its own must not pass for one of an escape, so that two that
 * differ are never the same. */
static json_t *descriptor(const char *from)
{
	if (!from || !from[0] || (text_is_utf8(from, strlen(from)) && !strchr(from, '\\')))
		return text(from);
	return escaped(from, text_cell);
}

static json_t *hexadecimal(bool is_known, unsigned digits, uint32_t value)
{
	return is_known ? json_sprintf("0x%0*" PRIx32, (int)digits, value) : json_null();
}

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

/* What 0 stands for not known. */
static json_t *known_number(uint64_t value)
{
	return value ? number(value) : json_null();
}

static json_t *usb_id(const struct facts *facts)
{
	if (facts->vendor_id == 0)
		return json_null();
	return json_sprintf("%04x:%04x", facts->vendor_id, facts->product_id);
}

static json_t *port(const char *node)
{
	char name[TEXT_MAX];

	return text(node ? units_port(node, name, sizeof(name)) : NULL);
}

/* Consumes every value; NULL where one could not be made. */
struct pair {
	const char *key;
	json_t *value;
};

static json_t *object_of(const struct pair *pairs, size_t n_pairs)
{
	json_t *object = json_object();
	bool is_whole = object != NULL;

	for (size_t i = 0; i < n_pairs; i++)
		if (json_object_set_new(object, pairs[i].key, pairs[i].value) < 0)
			is_whole = false;
	if (is_whole)
		return object;
	json_decref(object);
	return NULL;
}

/* ASCII alone, so that nothing invisible or misleading is shown; of that, DEL is left. */
static int write_ascii(const char *bytes, size_t n_bytes, void *to)
{
	for (size_t i = 0; i < n_bytes; i++)
		if (bytes[i] == 0x7F ? fputs("\\u007f", to) == EOF : fputc(bytes[i], to) == EOF)
			return -1;
	return 0;
}

static int write_json(const json_t *object, size_t flags, FILE *to)
{
	return json_dump_callback(object, write_ascii, to, flags | JSON_ENSURE_ASCII);
}

static int print(json_t *object, FILE *to)
{
	if (!object)
		return -ENOMEM;
	if (write_json(object, JSON_INDENT(2), to) < 0 || fputc('\n', to) == EOF || fflush(to) != 0)
		return -EIO;
	return 0;
}

/* ------------------------------------------------------------------ a job */

static json_t *phases_of(const struct report *report)
{
	json_t *phases = json_object();
	bool is_whole = phases != NULL;

	for (enum phase phase = PHASE_NONE + 1; phase < PHASE_MAX; phase++)
		if (report->phase_ms[phase] > 0)
			is_whole &= json_object_set_new(phases, phase_to_string(phase),
					    number(report->phase_ms[phase])) == 0;
	if (is_whole)
		return phases;
	json_decref(phases);
	return NULL;
}

static json_t *bootloader_version(const struct report *report)
{
	if (report->bootloader_version == 0)
		return json_null();
	return json_sprintf(
		"%u.%u", report->bootloader_version >> 4, report->bootloader_version & 0xF);
}

int json_print_session(const struct session *session, FILE *to)
{
	const struct report *report = &session->report;
	const struct assignment *assignment = &session->assignment;
	const struct facts *bridge = &session->bridge;
	const struct pair pairs[] = {
		{"verb", text(session->verb)},
		{"outcome", text(outcome_to_string(report->outcome))},
		{"exit_code", json_integer(outcome_to_exit_code(report->outcome))},
		{"phase", text(phase_to_string(report->phase))},
		{"reason", text(report->reason.text)},
		{"error", text(report->error ? strerrorname_np(report->error) : NULL)},
		{"dry_run", json_boolean(assignment->dry_run)},
		{"board", text(assignment->board.name)},
		{"port", port(bridge->port)},
		{"usb_id", usb_id(bridge)},
		{"usb_serial", descriptor(bridge->serial)},
		{"usb_path", text(bridge->path)},
		{"bridge", text(report->bridge)},
		{"chip", text(report->chip)},
		{"product_id", hexadecimal(report->has_product_id, 3, report->product_id)},
		{"bootloader_version", bootloader_version(report)},
		{"protected", json_boolean(report->is_protected)},
		{"flash_bytes", known_number(report->flash_bytes)},
		{"unit", text(report->unit)},
		{"unit_data", text(report->unit_data)},
		{"image", text(report->image)},
		{"version", text(report->version)},
		{"sha256", text(report->sha256)},
		{"signer", text(report->signer)},
		{"file",
			text(assignment->action == FLASH_READ ? session->options->argument : NULL)},
		{"bytes", number(report->bytes)},
		{"pages_erased", number(report->pages_erased)},
		{"mass_erased", json_boolean(report->mass_erased)},
		{"address", hexadecimal(report->has_address, 8, report->address)},
		{"expected", hexadecimal(report->has_address, 2, report->expected)},
		{"got", hexadecimal(report->has_address, 2, report->got)},
		{"baud", known_number(report->baud)},
		{"attempts", number(report->attempts)},
		{"entered", text(report->entered)},
		{"proof", text(proof_to_string(report->proof))},
		{"duration_ms", number(report->duration_ms)},
		{"phase_ms", phases_of(report)},
	};
	CLEANUP(json_decrefp) json_t *object = object_of(pairs, ARRAY_SIZE(pairs));

	return print(object, to);
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

static json_t *rules_of(const struct bridge *bridge)
{
	json_t *rules = json_array();
	bool is_whole = rules != NULL;

	if (bridge->result != MATCH_NONE)
		is_whole &= json_array_append_new(rules, text(bridge->match.board->name)) == 0;
	if (bridge->result == MATCH_AMBIGUOUS)
		is_whole &= json_array_append_new(rules, text(bridge->match.other->name)) == 0;
	if (is_whole)
		return rules;
	json_decref(rules);
	return NULL;
}

static json_t *bridge_object(const struct bridge *bridge, bool is_good)
{
	const struct facts *facts = bridge->facts;
	const struct pair pairs[] = {
		{"port", port(facts->port)},
		{"node", text(facts->port)},
		{"usb_id", usb_id(facts)},
		{"product", descriptor(facts->product)},
		{"manufacturer", descriptor(facts->manufacturer)},
		{"usb_serial", descriptor(facts->serial)},
		{"usb_path", text(facts->path)},
		{"interface", facts->interface < 0 ? json_null() : json_integer(facts->interface)},
		{"match", text(result_text(bridge->result, is_good))},
		{"boards", rules_of(bridge)},
	};

	return object_of(pairs, ARRAY_SIZE(pairs));
}

int json_print_bridges(const struct bridges *bridges, bool is_good, FILE *to)
{
	json_t *list = json_array();
	bool is_whole = list != NULL;

	for (size_t i = 0; i < bridges->n_items; i++)
		is_whole &= json_array_append_new(
				    list, bridge_object(&bridges->items[i], is_good)) == 0;

	const struct pair pairs[] = {
		{"configuration_is_good", json_boolean(is_good)},
		{"bridges", list},
	};
	CLEANUP(json_decrefp) json_t *object = object_of(pairs, ARRAY_SIZE(pairs));

	return is_whole ? print(object, to) : -ENOMEM;
}

/* ------------------------------------------------------------------ images */

static json_t *candidate_object(const struct find *find, const struct library_candidate *candidate)
{
	const struct pair pairs[] = {
		{"image", text(candidate->name)},
		{"version", text(candidate->version)},
		{"bytes", known_number(candidate->size)},
		{"requires", text(candidate->requires)},
		{"state", text(find_state(find, candidate))},
		{"reason", text(find_why(find, candidate))},
		{"remark", text(candidate->remark)},
	};

	return object_of(pairs, ARRAY_SIZE(pairs));
}

static json_t *candidates_of(const struct find *find)
{
	json_t *list = json_array();
	bool is_whole = list != NULL;

	for (size_t i = 0; i < find->list.n_items; i++)
		is_whole &= json_array_append_new(
				    list, candidate_object(find, &find->list.items[i])) == 0;
	if (is_whole)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *find_object(const struct find *find)
{
	const struct report *report = &find->report;
	bool is_good = find->outcome == OUTCOME_MAX;
	const struct pair pairs[] = {
		{"board", text(find->board->name)},
		{"image_glob", text(find->board->image)},
		{"image", text(is_good ? find->choice.name : NULL)},
		{"version", text(is_good ? report->version : NULL)},
		{"sha256", text(report->sha256)},
		{"signer", text(report->signer)},
		{"outcome", text(is_good ? NULL : outcome_to_string(find->outcome))},
		{"reason", text(report->reason.text)},
		{"note", text(find->list.note)},
		{"candidates", candidates_of(find)},
	};

	return object_of(pairs, ARRAY_SIZE(pairs));
}

int json_print_finds(const struct finds *finds, const char *directory, FILE *to)
{
	json_t *boards = json_array();
	bool is_whole = boards != NULL;

	for (size_t i = 0; i < finds->n_items; i++)
		is_whole &= json_array_append_new(boards, find_object(&finds->items[i])) == 0;

	const struct pair pairs[] = {
		{"image_dir", text(directory)},
		{"boards", boards},
	};
	CLEANUP(json_decrefp) json_t *object = object_of(pairs, ARRAY_SIZE(pairs));

	return is_whole ? print(object, to) : -ENOMEM;
}

/* ------------------------------------------------------------------ the past */

static json_t *time_of(int64_t msec)
{
	char exact[64];

	return text(when_format_exact(msec, exact, sizeof(exact)));
}

int json_list_begin(struct json_list *list, const char *key, FILE *to)
{
	*list = (struct json_list){.to = to};
	return fprintf(to, "{\n  \"%s\": [", key) < 0 ? -EIO : 0;
}

/* Consumes the object; it stands on a line of its own. */
static int add_item(struct json_list *list, json_t *made)
{
	CLEANUP(json_decrefp) json_t *object = made;

	if (!object)
		return -ENOMEM;
	if (fputs(list->n_items++ > 0 ? ",\n    " : "\n    ", list->to) == EOF ||
		write_json(object, 0, list->to) < 0)
		return -EIO;
	return 0;
}

int json_list_attempt(struct json_list *list, const struct store_attempt *attempt)
{
	const struct report *report = &attempt->report;
	bool has_ended = attempt->ended_ms > 0;
	const struct pair pairs[] = {
		{"started", time_of(attempt->started_ms)},
		{"ended", time_of(attempt->ended_ms)},
		{"job", text(attempt->job)},
		{"board", text(attempt->board)},
		{"port", port(attempt->port)},
		{"usb_serial", descriptor(attempt->serial)},
		{"usb_path", text(attempt->path)},
		{"chip", text(report->chip)},
		{"unit", text(report->unit)},
		{"unit_data", text(report->unit_data)},
		{"image", text(report->image)},
		{"version", text(report->version)},
		{"sha256", text(report->sha256)},
		{"cause", text(attempt->cause)},
		{"outcome", text(has_ended ? outcome_to_string(report->outcome) : NULL)},
		{"phase", text(phase_to_string(report->phase))},
		{"bytes", number(report->bytes)},
		{"baud", known_number(report->baud)},
		{"duration_ms", number(report->duration_ms)},
		{"phases_ms", phases_of(report)},
		{"reason", text(report->reason.text)},
	};

	return add_item(list, object_of(pairs, ARRAY_SIZE(pairs)));
}

int json_list_count(struct json_list *list, const struct store_count *count)
{
	const struct pair pairs[] = {
		{"board", text(count->board)},
		{"usb_path", text(count->path)},
		{"updated", number(count->updated)},
		{"current", number(count->current)},
		{"bad", number(count->bad)},
		{"last", time_of(count->last_ms)},
	};

	return add_item(list, object_of(pairs, ARRAY_SIZE(pairs)));
}

int json_list_unit(struct json_list *list, const struct store_unit *unit)
{
	bool has_failed = unit->failures > 0;
	const struct pair pairs[] = {
		{"seen", time_of(unit->seen_ms)},
		{"board", text(unit->board)},
		{"usb_serial", descriptor(unit->serial)},
		{"usb_path", text(unit->path)},
		{"chip", text(unit->chip)},
		{"unit", text(unit->unit)},
		{"state", text(unit->has_state ? unit_state_to_string(unit->state) : NULL)},
		{"image", text(unit->image)},
		{"version", text(unit->version)},
		{"sha256", text(unit->sha256)},
		{"failures", number(unit->failures)},
		{"failed_with", text(has_failed ? outcome_to_string(unit->failed_outcome) : NULL)},
		{"rollback", text(unit_rollback_to_string(unit->rollback))},
		{"again", time_of(unit->not_before_ms)},
	};

	return add_item(list, object_of(pairs, ARRAY_SIZE(pairs)));
}

int json_list_end(struct json_list *list)
{
	return fputs("\n  ]\n}\n", list->to) == EOF || fflush(list->to) != 0 ? -EIO : 0;
}

int json_print_retry(size_t n_units, size_t n_held, FILE *to)
{
	const struct pair pairs[] = {{"units", number(n_units)}, {"held", number(n_held)}};
	CLEANUP(json_decrefp) json_t *object = object_of(pairs, ARRAY_SIZE(pairs));

	return print(object, to);
}

/* ------------------------------------------------------------------ a configuration */

static json_t *problem_object(const struct ini_problem *problem)
{
	char line[1024];
	const struct pair pairs[] = {
		{"file", text(problem->file)},
		{"line", known_number(problem->line)},
		{"section", text(problem->section)},
		{"key", text(problem->key)},
		{"message", text(problem->message)},
		{"text", text(ini_problem_format(problem, line, sizeof(line)))},
	};

	return object_of(pairs, ARRAY_SIZE(pairs));
}

static json_t *chips_of(const struct board *board)
{
	json_t *chips = json_array();
	bool is_whole = chips != NULL;

	for (size_t i = 0; i < board->n_chip; i++)
		is_whole &= json_array_append_new(chips, text(board->chip[i])) == 0;
	if (is_whole)
		return chips;
	json_decref(chips);
	return NULL;
}

static json_t *board_object(const struct board *board, const struct check_image *image)
{
	const struct pair pairs[] = {
		{"board", text(board->name)},
		{"file", text(board->file)},
		{"line", number(board->line)},
		{"chip", chips_of(board)},
		{"image_glob", text(board->image)},
		{"image", text(image->name)},
		{"version", text(image->version)},
		{"warning", text(image->reason.text)},
	};

	return object_of(pairs, ARRAY_SIZE(pairs));
}

static json_t *problems_of(const struct ini_problems *problems)
{
	json_t *list = json_array();
	bool is_whole = list != NULL;

	for (size_t i = 0; i < problems->n_items; i++)
		is_whole &= json_array_append_new(list, problem_object(&problems->items[i])) == 0;
	if (is_whole)
		return list;
	json_decref(list);
	return NULL;
}

int json_print_check(const struct check *check, FILE *to)
{
	json_t *boards = json_array();
	bool is_whole = boards != NULL;

	for (size_t i = 0; i < check->config.n_boards; i++)
		is_whole &= json_array_append_new(boards,
				    board_object(&check->config.boards[i], &check->images[i])) == 0;

	const struct pair pairs[] = {
		{"configuration_is_good", json_boolean(check->is_good)},
		{"problems", problems_of(&check->problems)},
		{"warnings", problems_of(&check->warnings)},
		{"boards", boards},
	};
	CLEANUP(json_decrefp) json_t *object = object_of(pairs, ARRAY_SIZE(pairs));

	return is_whole ? print(object, to) : -ENOMEM;
}
