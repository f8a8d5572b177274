/* SPDX-License-Identifier: MIT */
#include "service/bus-lists.h"

#include <errno.h>
#include <string.h>

#include "api/message.h"
#include "base/ini.h"
#include "base/names.h"
#include "base/util.h"
#include "records/count.h"
#include "records/store-dict.h"
#include "service/bus-options.h"

/* Answers that may wait to be sent before a list is refused: each may have LISTS_MOST rows. */
#define QUEUE_MOST 4

/* Attempts that counts are made of: a year of a busy station takes longer than anybody may wait. */
#define COUNTED_MOST 20000

static int add_row(sd_bus_message *reply, struct dict *row, int r)
{
	if (r >= 0)
		r = message_append_dict(reply, row);
	dict_done(row);
	return r < 0 ? r : 0;
}

static int on_attempt(void *userdata, const struct store_attempt *attempt)
{
	struct dict row = {0};

	return add_row(userdata, &row, attempt_to_dict(attempt, &row));
}

static int on_unit(void *userdata, const struct store_unit *unit)
{
	struct dict row = {0};

	return add_row(userdata, &row, unit_to_dict(unit, &row));
}

/* The options, and what stands before them in the message by then. */
static int read_filter(
	sd_bus_message *call, uint64_t after, struct store_filter *filter, sd_bus_error *error)
{
	uint64_t since = 0, until = 0;
	bool is_newest = false;
	const struct option_row rows[] = {
		{"board", OPTION_TEXT, &filter->board},
		{"slot", OPTION_TEXT, &filter->slot},
		{"since", OPTION_NUMBER, &since},
		{"until", OPTION_NUMBER, &until},
		{filter->by_id ? "unit" : NULL, OPTION_TEXT, &filter->unit},
		{"newest", OPTION_FLAG, &is_newest},
		{"port", OPTION_TEXT, &filter->port},
		{"outcome", OPTION_TEXT, &filter->outcome},
		{NULL},
	};
	int r = options_read(call, rows, error);

	if (r < 0)
		return r;
	if (after > INT64_MAX || since > INT64_MAX || until > INT64_MAX)
		return sd_bus_error_setf(error, BUS_ERROR_INVALID, "ids and times are below 2^63");
	if (is_newest && after > 0)
		return sd_bus_error_setf(error, BUS_ERROR_INVALID,
			"option 'newest': the newest are not those after an id, which is to be 0");
	if (is_newest)
		filter->by_id = false;
	filter->after_id = (int64_t)after;
	filter->since_ms = (int64_t)since;
	filter->until_ms = (int64_t)until;
	return 0;
}

int lists_refuse_flood(sd_bus_message *call, sd_bus_error *error)
{
	uint64_t n = 0;

	(void)sd_bus_get_n_queued_write(sd_bus_message_get_bus(call), &n);
	if (n <= QUEUE_MOST)
		return 0;
	return sd_bus_error_setf(error, BUS_ERROR_BUSY,
		"answers of before still wait to be sent: read them, then call again");
}

static int check_store(struct records *records, sd_bus_message *call, sd_bus_error *error)
{
	int r = lists_refuse_flood(call, error);

	if (r < 0 || records_open_store(records))
		return r;
	return sd_bus_error_setf(error, BUS_ERROR_NOT_POSSIBLE,
		"the store in %s cannot be read; the journal says why", records->directory);
}

static int begin(struct records *records, sd_bus_message *call, struct store_filter *filter,
	sd_bus_message **reply, sd_bus_error *error)
{
	uint64_t after = 0;
	int r;

	*filter = (struct store_filter){.by_id = true};
	r = sd_bus_message_read(call, "tu", &after, &filter->limit);
	if (r >= 0)
		r = read_filter(call, after, filter, error);
	if (r >= 0)
		r = check_store(records, call, error);
	if (r < 0)
		return r;
	if (filter->limit == 0 || filter->limit > LISTS_MOST)
		filter->limit = LISTS_MOST;
	r = sd_bus_message_new_method_return(call, reply);
	return r < 0 ? r : sd_bus_message_open_container(*reply, 'a', "a{sv}");
}

static int end(sd_bus_message *reply, int r, const struct reason *reason, sd_bus_error *error)
{
	if (r < 0 && *reason->text)
		return sd_bus_error_setf(error, BUS_ERROR_NOT_POSSIBLE, "%s", reason->text);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	return r < 0 ? r : 1;
}

int lists_attempts(struct records *records, sd_bus_message *call, sd_bus_error *error)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct store_filter filter;
	struct reason reason = {0};
	int r = begin(records, call, &filter, &reply, error);

	if (r < 0)
		return r;
	r = store_list_attempts(records->store, &filter, on_attempt, reply, &reason);
	return end(reply, r, &reason, error);
}

int lists_units(struct records *records, sd_bus_message *call, sd_bus_error *error)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct store_filter filter;
	struct reason reason = {0};
	int r = begin(records, call, &filter, &reply, error);

	if (r < 0)
		return r;
	r = store_list_units(records->store, &filter, on_unit, reply, &reason);
	return end(reply, r, &reason, error);
}

int lists_reply(sd_bus_message *call, const struct dict *rows, size_t n_rows)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(call, &reply);

	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "a{sv}");
	for (size_t i = 0; r >= 0 && i < n_rows; i++)
		r = message_append_dict(reply, &rows[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	return r < 0 ? r : 1;
}

int lists_counts(struct records *records, sd_bus_message *call, sd_bus_error *error)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	CLEANUP(count_cells_done) struct count_cells cells = {0};
	struct store_filter filter = {0};
	struct reason reason = {0};
	int r = read_filter(call, 0, &filter, error);

	if (r >= 0)
		r = check_store(records, call, error);
	if (r < 0)
		return r;
	filter.limit = LISTS_MOST;
	r = store_count(records->store, &filter, COUNTED_MOST, &cells, &reason);
	if (r >= 0)
		r = sd_bus_message_new_method_return(call, &reply);
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "a{sv}");
	for (size_t i = 0; r >= 0 && i < cells.n_items; i++) {
		struct dict row = {0};

		r = add_row(reply, &row, count_cell_to_dict(&cells.items[i], &row));
	}
	return end(reply, r, &reason, error);
}

/* The rule's own words. */
static const char *word_of(const struct board *board, const char *key)
{
	const struct ini_entry *entry = ini_section_find(board->source, key);

	return entry ? entry->value : "";
}

static int board_to_dict(const struct config *config, struct records *records,
	const struct board *board, struct dict *ret)
{
	const struct service_config *service = &config->service;
	struct store_floor floor;
	const struct {
		const char *key, *value;
	} texts[] = {
		{"board", board->name},
		{"image", board->image},
		{"version_in_name", board->version_in_name},
		{"image_dir", service->image_dir},
		{"trusted_keys", service->trusted_keys},
		{"protocol", word_of(board, "protocol")},
		{"chip", word_of(board, "chip")},
		{"update", word_of(board, "update")},
		{"floor", floor.version},
	};
	const struct {
		const char *key;
		bool value;
	} flags[] = {
		{"require_signature", service->require_signature},
		{"accept_legacy_signatures", service->accept_legacy_signatures},
		{"rollback", board->rollback},
		{"anti_rollback", board->anti_rollback},
		{"confirms", board_confirms(board)},
	};
	int r = 0;

	records_find_floor(records, board->name, &floor);
	for (size_t i = 0; i < ARRAY_SIZE(texts) && r == 0; i++)
		r = dict_set_text(ret, texts[i].key, texts[i].value);
	for (size_t i = 0; i < ARRAY_SIZE(flags) && r == 0; i++)
		r = dict_set_flag(ret, flags[i].key, flags[i].value);
	return r;
}

int lists_boards(const struct config *config, struct records *records, sd_bus_message *call,
	sd_bus_error *error)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *name = NULL;
	const struct option_row rows[] = {{"board", OPTION_TEXT, &name}, {NULL}};
	const struct reason none = {0};
	int r = options_read(call, rows, error);

	if (r >= 0)
		r = lists_refuse_flood(call, error);
	if (r >= 0)
		r = sd_bus_message_new_method_return(call, &reply);
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "a{sv}");
	for (size_t i = 0; r >= 0 && i < config->n_boards; i++) {
		const struct board *board = &config->boards[i];
		struct dict row = {0};

		if (!name || strcmp(name, board->name) == 0)
			r = add_row(reply, &row, board_to_dict(config, records, board, &row));
	}
	return end(reply, r, &none, error);
}
