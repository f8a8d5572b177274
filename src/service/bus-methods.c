/* SPDX-License-Identifier: MIT */
/*
 * bus-methods.c - a method that changes something is called twice: first to check what was sent,
 * before anybody is asked for a password, then to do it, once the sender is known to be one who
 * may. What it is about is looked up each time: it may have gone meanwhile.
 *
 * An inhibitor is a pipe. The caller has the one end, and the hold lasts until it is closed,
 * however he ends; ours says so by EPOLLHUP. One that is for a bridge is given once no worker has
 * that bridge, so that whoever has it may open the port.
 */
#include "service/bus-methods.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/names.h"
#include "base/parse.h"
#include "base/util.h"
#include "image/version.h"
#include "service/batch.h"
#include "service/bus-lists.h"
#include "service/bus-objects.h"
#include "service/bus-options.h"
#include "service/steering.h"

enum step {
	STEP_CHECK, /* is it sound? */
	STEP_ACT,
};

/* A list of images that somebody waits for. */
struct listing {
	TAILQ_ENTRY(listing) link;
	struct methods *methods;
	sd_bus_message *call; /* NULL: the bus went */
};

/* --------------------------------------------------------------------------------- arguments */

/* The text behind the prefix and its slash; NULL: it is another path. */
static const char *behind(const char *path, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(path, prefix, n) == 0 && path[n] == '/' ? path + n + 1 : NULL;
}

/* The number of the bridge of that object. */
static int find_bridge(
	struct methods *methods, const char *path, struct bridge **ret, sd_bus_error *error)
{
	const char *text = behind(path, BUS_PATH_BRIDGE);
	uint64_t number = 0;

	if (!text || parse_digits(&text, 10, &number) < 0 || *text)
		return sd_bus_error_setf(error, BUS_ERROR_INVALID,
			"%s is no bridge: bridges are " BUS_PATH_BRIDGE "/N", path);
	*ret = dispatcher_find_number(methods->parts.dispatcher, number);
	if (!*ret)
		return sd_bus_error_setf(
			error, BUS_ERROR_NOT_FOUND, "%s: no such bridge is plugged in", path);
	return 0;
}

static int read_no_options(sd_bus_message *call, sd_bus_error *error)
{
	static const struct option_row rows[] = {{NULL}};

	return options_read(call, rows, error);
}

/* Of outside text that is kept or shown: its room, with the end. */
static int check_length(const char *what, const char *text, size_t size, sd_bus_error *error)
{
	if (strlen(text) < size)
		return 0;
	return sd_bus_error_setf(
		error, BUS_ERROR_INVALID, "%s is too long: at most %zu bytes", what, size - 1);
}

static int set_reason(sd_bus_error *error, const char *name, const struct reason *reason)
{
	return sd_bus_error_setf(error, name, "%s", reason->text);
}

/* Whoever has the answer finds what he asked for: it is told before. */
static int answer(struct methods *methods, sd_bus_message *call)
{
	methods->parts.on_done(methods->parts.done_userdata);
	return sd_bus_reply_method_return(call, NULL);
}

/* ------------------------------------------------------------------------ work at a bridge */

static int ask(struct methods *methods, sd_bus_message *call, enum step step, sd_bus_error *error,
	enum attempt_operation operation)
{
	struct ask wish = {.operation = operation};
	const char *path, *board = "";
	const struct option_row rows[] = {
		{"board", OPTION_TEXT, &board},
		{operation == OPERATION_FLASH ? "force" : NULL, OPTION_FLAG, &wish.force},
		{NULL},
	};
	char id[33], job[VIEW_PATH_MAX];
	struct reason reason = {0};
	struct bridge *bridge = NULL;
	int r = sd_bus_message_read(call, "o", &path);

	if (r >= 0)
		r = options_read(call, rows, error);
	if (r >= 0)
		r = check_length("board", board, sizeof(wish.board), error);
	if (r >= 0)
		r = find_bridge(methods, path, &bridge, error);
	if (r < 0 || step == STEP_CHECK)
		return r;
	text_copy(wish.board, sizeof(wish.board), board);
	r = dispatcher_ask(methods->parts.dispatcher, bridge, &wish, id, &reason);
	if (r == ASK_BUSY)
		return set_reason(error, BUS_ERROR_BUSY, &reason);
	if (r == ASK_IMPOSSIBLE)
		return set_reason(error, BUS_ERROR_NOT_POSSIBLE, &reason);
	if (r < 0)
		return r;
	view_job_path(id, job);
	methods->parts.on_done(methods->parts.done_userdata);
	return sd_bus_reply_method_return(call, "o", job);
}

static int do_flash(
	struct methods *methods, sd_bus_message *call, enum step step, sd_bus_error *error)
{
	return ask(methods, call, step, error, OPERATION_FLASH);
}

static int do_verify(
	struct methods *methods, sd_bus_message *call, enum step step, sd_bus_error *error)
{
	return ask(methods, call, step, error, OPERATION_VERIFY);
}

static int do_probe(
	struct methods *methods, sd_bus_message *call, enum step step, sd_bus_error *error)
{
	return ask(methods, call, step, error, OPERATION_PROBE);
}

static int do_identify(
	struct methods *methods, sd_bus_message *call, enum step step, sd_bus_error *error)
{
	return ask(methods, call, step, error, OPERATION_IDENTIFY);
}

static int do_cancel(
	struct methods *methods, sd_bus_message *call, enum step step, sd_bus_error *error)
{
	const char *id = behind(sd_bus_message_get_path(call), BUS_PATH_JOB);
	struct reason reason = {0};
	int r = read_no_options(call, error);

	if (r < 0 || step == STEP_CHECK)
		return r;
	r = dispatcher_cancel(methods->parts.dispatcher, id ? id : "", &reason);
	if (r == CANCEL_NO_JOB)
		return sd_bus_error_setf(
			error, BUS_ERROR_NOT_FOUND, "job %s: it has ended", id ? id : "");
	if (r == CANCEL_TOO_LATE)
		return set_reason(error, BUS_ERROR_NOT_POSSIBLE, &reason);
	return r < 0 ? r : answer(methods, call);
}

static int do_retry(
	struct methods *methods, sd_bus_message *call, enum step step, sd_bus_error *error)
{
	struct retry_filter filter = {0};
	struct field {
		const char *name;
		char *to;
		const char *from;
	} fields[] = {
		{"unit", filter.unit, ""},
		{"board", filter.board, ""},
		{"slot", filter.slot, ""},
		{"port", filter.port, ""},
	};
	struct option_row rows[ARRAY_SIZE(fields) + 2] = {{NULL}};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		rows[i] = (struct option_row){fields[i].name, OPTION_TEXT, &fields[i].from};
	rows[ARRAY_SIZE(fields)] = (struct option_row){"trials", OPTION_FLAG, &filter.trials};
	r = options_read(call, rows, error);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(fields); i++) {
		r = check_length(fields[i].name, fields[i].from, TEXT_MAX, error);
		if (r >= 0)
			text_copy(fields[i].to, TEXT_MAX, fields[i].from);
		if (r >= 0 && filter.trials && *fields[i].from)
			r = sd_bus_error_setf(error, BUS_ERROR_INVALID,
				"trials is about kinds of chips, and goes with no %s",
				fields[i].name);
	}
	if (r < 0 || step == STEP_CHECK)
		return r;
	r = methods->parts.on_retry(methods->parts.userdata, &filter);
	if (r < 0)
		return sd_bus_error_setf(error, BUS_ERROR_NOT_POSSIBLE,
			"the store cannot be written, so all stays as it is on record: %s",
			strerror(-r));
	return sd_bus_reply_method_return(call, "u", (uint32_t)r);
}

/* -------------------------------------------------------------------------- pause and inhibit */

static int do_pause(
	struct methods *methods, sd_bus_message *call, enum step step, sd_bus_error *error)
{
	struct reason reason = {0};
	const char *why;
	int r = sd_bus_message_read(call, "s", &why);

	if (r >= 0)
		r = read_no_options(call, error);
	if (r >= 0)
		r = check_length("the reason", why, HOLDS_TEXT, error);
	if (r < 0 || step == STEP_CHECK)
		return r;
	r = dispatcher_pause(methods->parts.dispatcher, why, &reason);
	if (r > 0)
		return set_reason(error, BUS_ERROR_INVALID, &reason);
	return r < 0 ? r : answer(methods, call);
}

static int do_resume(
	struct methods *methods, sd_bus_message *call, enum step step, sd_bus_error *error)
{
	int r = read_no_options(call, error);

	if (r < 0 || step == STEP_CHECK)
		return r;
	(void)dispatcher_resume(methods->parts.dispatcher);
	return answer(methods, call);
}

static int do_inhibit(
	struct methods *methods, sd_bus_message *call, enum step step, sd_bus_error *error)
{
	struct inhibit_wish wish = {0};
	const char *path = NULL;
	const struct option_row rows[] = {{"bridge", OPTION_PATH, &path},
		{"stop-owners", OPTION_FLAG, &wish.stops_owners},
		{"changes-flash", OPTION_FLAG, &wish.changes_flash}, {NULL}};
	struct bridge *bridge = NULL;
	struct reason reason = {0};
	int r = sd_bus_message_read(call, "ss", &wish.who, &wish.why);

	if (r >= 0)
		r = options_read(call, rows, error);
	if (r >= 0)
		r = check_length("who", wish.who, HOLDS_TEXT, error);
	if (r >= 0)
		r = check_length("why", wish.why, HOLDS_TEXT, error);
	if (r >= 0 && path)
		r = find_bridge(methods, path, &bridge, error);
	if (r < 0 || step == STEP_CHECK)
		return r;
	wish.bridge = bridge ? bridge->number : 0;
	r = inhibits_take(&methods->inhibits, &wish, call, &reason);
	if (r > 0)
		return set_reason(
			error, r == HOLDS_FULL ? BUS_ERROR_BUSY : BUS_ERROR_INVALID, &reason);
	return r < 0 ? r : 1;
}

/* -------------------------------------------------------------------------------------- batch */

static const char *batch_error(int r)
{
	switch ((enum batch_result)r) {
	case BATCH_RUNS:
		return BUS_ERROR_BUSY;
	case BATCH_NO_RULE:
	case BATCH_NO_COUNT:
		return BUS_ERROR_INVALID;
	case BATCH_NO_STORE:
		return BUS_ERROR_NOT_POSSIBLE;
	case BATCH_NONE:
		return BUS_ERROR_NOT_FOUND;
	}
	return BUS_ERROR_NOT_POSSIBLE;
}

static int do_start_batch(
	struct methods *methods, sd_bus_message *call, enum step step, sd_bus_error *error)
{
	struct reason reason = {0};
	const char *board;
	uint32_t count;
	int r = sd_bus_message_read(call, "su", &board, &count);

	if (r >= 0)
		r = read_no_options(call, error);
	if (r < 0 || step == STEP_CHECK)
		return r;
	r = batch_start(methods->parts.dispatcher, board, count, &reason);
	if (r > 0)
		return set_reason(error, batch_error(r), &reason);
	return r < 0 ? r : answer(methods, call);
}

static int do_stop_batch(
	struct methods *methods, sd_bus_message *call, enum step step, sd_bus_error *error)
{
	struct reason reason = {0};
	int r = read_no_options(call, error);

	if (r < 0 || step == STEP_CHECK)
		return r;
	r = batch_stop(methods->parts.dispatcher, &reason);
	if (r > 0)
		return set_reason(error, batch_error(r), &reason);
	return r < 0 ? r : answer(methods, call);
}

/* ------------------------------------------------------------------------------ configuration */

static int do_reload(
	struct methods *methods, sd_bus_message *call, enum step step, sd_bus_error *error)
{
	const char *why = "";
	int r = read_no_options(call, error);

	if (r < 0 || step == STEP_CHECK)
		return r;
	r = methods->parts.on_reload(methods->parts.userdata, &why);
	if (r != 0)
		return sd_bus_error_setf(error, BUS_ERROR_NOT_POSSIBLE,
			"the configuration was refused, the one before stays in force: %s", why);
	return answer(methods, call);
}

/* ------------------------------------------------------------------------------------- images */

static void forget_listing(struct listing *listing)
{
	TAILQ_REMOVE(&listing->methods->listings, listing, link);
	sd_bus_message_unref(listing->call);
	free(listing);
}

static void on_images(void *userdata, int error, const struct reason *reason,
	const struct dict *items, size_t n_items)
{
	struct listing *listing = userdata;
	int r = 0;

	if (listing->call && error < 0)
		r = sd_bus_reply_method_errorf(
			listing->call, BUS_ERROR_NOT_POSSIBLE, "%s", reason->text);
	else if (listing->call)
		r = lists_reply(listing->call, items, n_items);
	if (r < 0)
		log_debug("a list of images cannot be sent: %s", strerror(-r));
	forget_listing(listing);
}

static int list_images(struct methods *methods, sd_bus_message *call, sd_bus_error *error)
{
	const struct config *config = dispatcher_config(methods->parts.dispatcher);
	const struct board *board;
	struct listing *listing;
	const char *name;
	char shown[TEXT_MAX];
	int r = sd_bus_message_read(call, "s", &name);

	if (r >= 0)
		r = read_no_options(call, error);
	if (r >= 0)
		r = lists_refuse_flood(call, error);
	if (r < 0)
		return r;
	board = config_find_board(config, name);
	if (!board)
		return sd_bus_error_setf(error, BUS_ERROR_NOT_FOUND, "there is no rule '%s'",
			text_escape(name, shown, sizeof(shown)));
	listing = calloc(1, sizeof(*listing));
	if (!listing)
		return -ENOMEM;
	*listing = (struct listing){.methods = methods, .call = sd_bus_message_ref(call)};
	TAILQ_INSERT_TAIL(&methods->listings, listing, link);
	r = image_list_start(methods->images, config, board, on_images, listing);
	if (r >= 0)
		return 1;
	forget_listing(listing);
	return r == -EBUSY ? sd_bus_error_setf(error, BUS_ERROR_BUSY,
				     "images are listed for so many already: call again later")
			   : r;
}

static int do_set_floor(
	struct methods *methods, sd_bus_message *call, enum step step, sd_bus_error *error)
{
	const char *board, *version;
	char shown[TEXT_MAX];
	int r = sd_bus_message_read(call, "ss", &board, &version);

	if (r >= 0)
		r = read_no_options(call, error);
	if (r >= 0 && !config_find_board(dispatcher_config(methods->parts.dispatcher), board))
		return sd_bus_error_setf(error, BUS_ERROR_NOT_FOUND, "there is no rule '%s'",
			text_escape(board, shown, sizeof(shown)));
	if (r >= 0 && *version && !version_is_fit(version))
		return sd_bus_error_setf(error, BUS_ERROR_INVALID,
			"'%s' is no version like 1.2.3, nor empty for none",
			text_escape(version, shown, sizeof(shown)));
	if (r < 0 || step == STEP_CHECK)
		return r;
	r = records_set_floor(methods->parts.records, board, version);
	if (r < 0)
		return sd_bus_error_setf(error, BUS_ERROR_NOT_POSSIBLE,
			"the store cannot be written, so the floor stays as it is: %s",
			strerror(-r));
	return answer(methods, call);
}

/* --------------------------------------------------------------------------------- the table */

static const struct method {
	const char *member;
	const char *action;
	int (*act)(
		struct methods *methods, sd_bus_message *call, enum step step, sd_bus_error *error);
} table[] = {
	{"Flash", BUS_ACTION_OPERATE, do_flash},
	{"Verify", BUS_ACTION_OPERATE, do_verify},
	{"Probe", BUS_ACTION_OPERATE, do_probe},
	{"Identify", BUS_ACTION_OPERATE, do_identify},
	{"Cancel", BUS_ACTION_OPERATE, do_cancel},
	{"Retry", BUS_ACTION_OPERATE, do_retry},
	{"Pause", BUS_ACTION_OPERATE, do_pause},
	{"Resume", BUS_ACTION_OPERATE, do_resume},
	{"Inhibit", BUS_ACTION_OPERATE, do_inhibit},
	{"StartBatch", BUS_ACTION_OPERATE, do_start_batch},
	{"StopBatch", BUS_ACTION_OPERATE, do_stop_batch},
	{"Reload", BUS_ACTION_CONFIGURE, do_reload},
	{"SetFloor", BUS_ACTION_CONFIGURE, do_set_floor},
};

static const struct method *method_of(sd_bus_message *call)
{
	const char *member = sd_bus_message_get_member(call);

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strcmp(table[i].member, member) == 0)
			return &table[i];
	return NULL;
}

static int act(void *userdata, sd_bus_message *call, sd_bus_error *error)
{
	const struct method *method = method_of(call);
	int r = sd_bus_message_rewind(call, true);

	return r < 0 ? r : method->act(userdata, call, STEP_ACT, error);
}

static int on_method(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const struct object *object = userdata;
	struct methods *methods = object->owner;
	const struct method *method = method_of(call);
	int r = method ? method->act(methods, call, STEP_CHECK, error) : -EBADR;

	return r < 0 ? r
		     : authority_ask(
			       &methods->authority, call, method->action, act, methods, error);
}

static int on_list_attempts(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const struct object *object = userdata;
	struct methods *methods = object->owner;

	return lists_attempts(methods->parts.records, call, error);
}

static int on_list_units(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const struct object *object = userdata;
	struct methods *methods = object->owner;

	return lists_units(methods->parts.records, call, error);
}

static int on_list_counts(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const struct object *object = userdata;
	struct methods *methods = object->owner;

	return lists_counts(methods->parts.records, call, error);
}

static int on_list_boards(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const struct object *object = userdata;
	struct methods *methods = object->owner;

	return lists_boards(
		dispatcher_config(methods->parts.dispatcher), methods->parts.records, call, error);
}

static int on_list_images(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const struct object *object = userdata;

	return list_images(object->owner, call, error);
}

/* Arguments in pairs of type and name. */
#define METHOD(name, args, result)                                                       \
	SD_BUS_METHOD_WITH_ARGS(name, SD_BUS_ARGS args, SD_BUS_RESULT result, on_method, \
		SD_BUS_VTABLE_UNPRIVILEGED)
#define LIST(name, args, handler)                                                               \
	SD_BUS_METHOD_WITH_ARGS(name, SD_BUS_ARGS args, SD_BUS_RESULT("aa{sv}", rows), handler, \
		SD_BUS_VTABLE_UNPRIVILEGED)
#define NOTHING (NULL)

const sd_bus_vtable methods_of_manager[] = {
	METHOD("Flash", ("o", bridge, "a{sv}", options), ("o", job)),
	METHOD("Verify", ("o", bridge, "a{sv}", options), ("o", job)),
	METHOD("Probe", ("o", bridge, "a{sv}", options), ("o", job)),
	METHOD("Identify", ("o", bridge, "a{sv}", options), ("o", job)),
	METHOD("Retry", ("a{sv}", units), ("u", number)),
	METHOD("Pause", ("s", reason, "a{sv}", options), NOTHING),
	METHOD("Resume", ("a{sv}", options), NOTHING),
	METHOD("Inhibit", ("s", who, "s", why, "a{sv}", options), ("h", fd)),
	METHOD("StartBatch", ("s", rule, "u", count, "a{sv}", options), NOTHING),
	METHOD("StopBatch", ("a{sv}", options), NOTHING),
	METHOD("Reload", ("a{sv}", options), NOTHING),
	METHOD("SetFloor", ("s", rule, "s", version, "a{sv}", options), NOTHING),
	LIST("ListAttempts", ("t", after_id, "u", max, "a{sv}", filter), on_list_attempts),
	LIST("ListUnits", ("t", after_id, "u", max, "a{sv}", filter), on_list_units),
	LIST("ListImages", ("s", rule, "a{sv}", options), on_list_images),
	LIST("ListCounts", ("a{sv}", filter), on_list_counts),
	LIST("ListBoards", ("a{sv}", filter), on_list_boards),
	SD_BUS_SIGNAL_WITH_ARGS("JobNew", SD_BUS_ARGS("o", job), 0),
	SD_BUS_SIGNAL_WITH_ARGS(
		"JobRemoved", SD_BUS_ARGS("o", job, "s", outcome, "a{sv}", report), 0),
	SD_BUS_VTABLE_END,
};

const sd_bus_vtable methods_of_job[] = {
	METHOD("Cancel", ("a{sv}", options), NOTHING),
	SD_BUS_VTABLE_END,
};

/* ----------------------------------------------------------------------------- begin and end */

int methods_init(struct methods *methods, const struct methods_parts *parts)
{
	*methods = (struct methods){.parts = *parts};
	authority_init(&methods->authority);
	inhibits_init(&methods->inhibits, parts->event, parts->dispatcher);
	TAILQ_INIT(&methods->listings);
	return image_lists_new(&parts->images, &methods->images);
}

void methods_put(struct methods *methods, sd_bus *bus)
{
	authority_put(&methods->authority, bus);
}

void methods_drop(struct methods *methods)
{
	struct listing *listing;

	authority_drop(&methods->authority);
	inhibits_drop(&methods->inhibits);
	TAILQ_FOREACH(listing, &methods->listings, link)
	{
		listing->call = sd_bus_message_unref(listing->call);
	}
}

void methods_turn(struct methods *methods)
{
	inhibits_turn(&methods->inhibits);
}

void methods_done(struct methods *methods)
{
	struct listing *listing = TAILQ_FIRST(&methods->listings), *next;

	authority_drop(&methods->authority);
	inhibits_done(&methods->inhibits);
	/* It calls nobody any more. */
	image_lists_free(methods->images);
	for (; listing; listing = next) {
		next = TAILQ_NEXT(listing, link);
		forget_listing(listing);
	}
}
