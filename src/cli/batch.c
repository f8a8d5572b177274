/* SPDX-License-Identifier: MIT */
/*
 * batch.c - the verb: so many boards of one rule are to succeed, then the service pauses.
 *
 *	plugflash batch				shows the one that runs
 *	plugflash batch start RULE --count N	begins one
 *	plugflash batch stop			ends it; boards are flashed on
 */
#include <inttypes.h>
#include <string.h>

#include "api/json.h"
#include "base/outcome.h"
#include "base/parse.h"
#include "base/util.h"
#include "cli/cli.h"
#include "cli/service.h"
#include "cli/when.h"
#include "records/batch.h"

#define PROPERTY_MSEC 2000

enum action { BATCH_SHOW, BATCH_START, BATCH_STOP };

static int wrong(const char *sentence)
{
	fprintf(stderr, "plugflash batch: %s; see plugflash batch --help\n", sentence);
	return EXIT_USAGE;
}

/* 0, or the exit code after a sentence. */
static int read_command(const struct options *options, enum action *ret, uint32_t *ret_count)
{
	const char *word = options->argument;
	char most[64];

	if (word && strcmp(word, "start") != 0 && strcmp(word, "stop") != 0)
		return wrong("expected start, stop, or nothing, which shows the batch");
	*ret = !word ? BATCH_SHOW : word[2] == 'a' ? BATCH_START : BATCH_STOP;
	if (*ret != BATCH_START)
		return options->argument2 ? wrong("a rule belongs to start alone")
		       : options->count	  ? wrong("--count belongs to start alone")
					  : 0;
	if (!options->argument2)
		return wrong("the rule is missing: plugflash batch start RULE --count NUMBER");
	if (!options->count)
		return wrong("--count is missing: plugflash batch start RULE --count NUMBER");
	snprintf(most, sizeof(most), "--count: expected a number from 1 to %d", BATCH_MOST);
	if (parse_u32(options->count, ret_count) < 0 || *ret_count == 0 || *ret_count > BATCH_MOST)
		return wrong(most);
	return 0;
}

/* ------------------------------------------------------------------------------ it is told */

static int tell_json(const struct dict *manager)
{
	const char *board = dict_text(manager, "BatchBoard");
	struct json *object = json_new_object(), *batch;

	if (*board) {
		batch = json_new_object();
		json_add_text(batch, "board", board);
		json_add_number(batch, "count", dict_number(manager, "BatchCount"));
		json_add_number(batch, "done", dict_number(manager, "BatchDone"));
		json_add_number(batch, "started_ms", dict_long(manager, "BatchStartTime"));
		json_add(object, "batch", batch);
	} else {
		json_add_null(object, "batch");
	}
	return json_print(object, stdout);
}

static int tell(const struct options *options, const struct dict *manager)
{
	const char *board = dict_text(manager, "BatchBoard");
	char name[TEXT_MAX], since[64];

	if (options->json)
		return tell_json(manager) == 0 ? 0 : outcome_to_exit_code(OUTCOME_FAILED);
	if (!*board) {
		puts("no batch runs; plugflash batch start RULE --count NUMBER begins one");
		return 0;
	}
	if (strcmp(dict_text(manager, "State"), "paused") == 0)
		fprintf(stderr,
			"plugflash batch: the service is paused, and begins with no board before plugflash resume: %s\n",
			text_show(dict_text(manager, "PauseReason"), name, sizeof(name)));
	printf("batch of '%s': %" PRIu32 " of %" PRIu32 " done, since %s\n",
		text_escape(board, name, sizeof(name)), dict_number(manager, "BatchDone"),
		dict_number(manager, "BatchCount"),
		when_format((int64_t)dict_long(manager, "BatchStartTime"), since, sizeof(since)));
	return 0;
}

/* ---------------------------------------------------------------------------- it is asked for */

struct expected {
	struct client *client;
	const char *board;
};

static bool is_so(void *userdata)
{
	const struct expected *expected = userdata;

	return strcmp(dict_text(client_manager(expected->client), "BatchBoard"), expected->board) ==
	       0;
}

static int ask(struct service *service, const char *board, uint32_t count)
{
	CLEANUP(client_answer_done) struct client_answer answer = {.fd = -1};
	const struct client_call call = {
		.method = board ? "StartBatch" : "StopBatch", .may_ask = service_may_ask()};
	struct expected expected = {service->client, board ? board : ""};
	int r = board ? client_call_wait(service->client, &call, &answer, "su", board, count)
		      : client_call_wait(service->client, &call, &answer, "");

	r = service_check_answer("batch", r, &answer);
	if (r == 0)
		(void)client_wait(service->client, PROPERTY_MSEC, -1, is_so, &expected);
	return r;
}

/* Afterwards the service knows nothing of it any more. */
static int stop(const struct options *options, struct service *service)
{
	const struct dict *manager = client_manager(service->client);
	uint32_t done = dict_number(manager, "BatchDone"),
		 count = dict_number(manager, "BatchCount");
	char board[TEXT_MAX];
	int r;

	text_escape(dict_text(manager, "BatchBoard"), board, sizeof(board));
	r = ask(service, NULL, 0);
	if (r != 0 || options->json)
		return r != 0 ? r : tell(options, client_manager(service->client));
	printf("batch of '%s' stopped: %" PRIu32 " of %" PRIu32 " done\n", board, done, count);
	return 0;
}

int verb_batch(const struct options *options)
{
	CLEANUP(service_close) struct service service = {.hold = -1};
	enum action action;
	uint32_t count = 0;
	int r = read_command(options, &action, &count);

	if (r == 0)
		r = service_open_for("batch", &service);
	if (r == 0 && action == BATCH_STOP)
		return stop(options, &service);
	if (r == 0 && action == BATCH_START)
		r = ask(&service, options->argument2, count);
	return r == 0 ? tell(options, client_manager(service.client)) : r;
}
