/* SPDX-License-Identifier: MIT */
/*
 * commands-run.c - what a command asks of the service. Retry, pause and resume are one call. Verify
 * and identify are a job at each bridge that fits, and are done when the last of them has ended.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/outcome.h"
#include "base/util.h"
#include "fleet/commands-private.h"

#define CALL_TIMEOUT_MS 25000

/* A part of what the command is to do failed. */
static void note_failure(struct held *held, const char *where, const char *why)
{
	char shown[TEXT_MAX];

	if (held->n_failed++ == 0)
		reason_set(&held->first, "%s%s%s", text_cell(where, shown, sizeof(shown)),
			*where ? ": " : "", why);
}

static void end_if_done(struct held *held)
{
	struct reason reason;

	if (held->n_calls > 0 || held->n_jobs > 0)
		return;
	if (held->n_failed == 0)
		return command_end(held, true, NULL);
	if (held->n_failed + held->n_well == 1)
		return command_end(held, false, held->first.text);
	reason_set(&reason, "%" PRIu32 " of %" PRIu32 " boards failed; the first: %s",
		held->n_failed, held->n_failed + held->n_well, held->first.text);
	command_end(held, false, reason.text);
}

static const char *why_failed(const struct client_answer *answer)
{
	if (answer->result == CLIENT_NOT_PERMITTED)
		return "plugflashd does not let plugflash-fleet steer; a rule of polkit has to allow org.plugflash1.operate";
	return answer->reason ? answer->reason : "plugflashd did not do it";
}

static int take_options(const struct command *command, struct dict *options)
{
	int r = 0;

	if (*command->unit)
		r = dict_set_text(options, "unit", command->unit);
	if (r == 0 && *command->slot)
		r = dict_set_text(options, "slot", command->slot);
	if (r == 0 && *command->board)
		r = dict_set_text(options, "board", command->board);
	return r;
}

static void on_steered(void *userdata, struct client_answer *answer)
{
	struct held *held = userdata;

	held->n_calls--;
	if (answer->result != CLIENT_DONE)
		return command_end(held, false, why_failed(answer));
	held->n_well = (uint32_t)answer->number;
	if (held->command.verb == COMMAND_RETRY && answer->number == 0)
		return command_end(held, false, "nothing that fits failed or is in quarantine");
	command_end(held, true, NULL);
}

static int call_retry(struct held *held)
{
	CLEANUP(dict_done) struct dict options = {0};
	const struct client_call call = {
		.method = "Retry", .options = &options, .timeout_ms = CALL_TIMEOUT_MS};
	int r = take_options(&held->command, &options);

	return r < 0 ? r : client_call(held->commands->client, &call, on_steered, held, "");
}

static int call_pause(struct held *held)
{
	const struct client_call call = {.method = "Pause", .timeout_ms = CALL_TIMEOUT_MS};
	const char *why = *held->command.why ? held->command.why : "paused by the fleet";

	return client_call(held->commands->client, &call, on_steered, held, "s", why);
}

static int call_resume(struct held *held)
{
	const struct client_call call = {.method = "Resume", .timeout_ms = CALL_TIMEOUT_MS};

	return client_call(held->commands->client, &call, on_steered, held, "");
}

/* What it asks for goes to the service, in one call. */
static void steer(struct held *held)
{
	int (*const calls[COMMAND_VERB_MAX])(struct held *) = {
		[COMMAND_RETRY] = call_retry,
		[COMMAND_PAUSE] = call_pause,
		[COMMAND_RESUME] = call_resume,
	};
	int r = calls[held->command.verb](held);

	if (r < 0)
		command_end(held, false, strerror(-r));
	else
		held->n_calls++;
}

static void pause_wish(struct held *held)
{
	const struct commands *commands = held->commands;
	struct reason reason = {""};
	int r = commands->callbacks.pause_wish(commands->userdata, held->command.board,
		held->command.verb == COMMAND_PAUSE, &reason);

	command_end(held, r == 0, r == 0 ? NULL : reason.text);
}

/* ------------------------------------------------------------------------------------ jobs */

static void on_job(void *userdata, struct client_answer *answer)
{
	struct held *held = userdata;
	char **jobs;

	held->n_calls--;
	if (answer->result != CLIENT_DONE || !answer->text) {
		note_failure(held, "", why_failed(answer));
		return end_if_done(held);
	}
	jobs = room_for_one(held->jobs, held->n_jobs, sizeof(*jobs));
	if (!jobs) {
		note_failure(held, "", strerror(ENOMEM));
		return end_if_done(held);
	}
	held->jobs = jobs;
	held->jobs[held->n_jobs++] = TAKE_PTR(answer->text);
}

/* A slot is named, or by its place, as for Retry. */
static bool fits(const struct command *command, const struct dict *bridge)
{
	return (!*command->unit || strcmp(command->unit, dict_text(bridge, "Unit")) == 0) &&
	       (!*command->slot || strcmp(command->slot, dict_text(bridge, "Slot")) == 0 ||
		       strcmp(command->slot, dict_text(bridge, "Path")) == 0) &&
	       (!*command->board || strcmp(command->board, dict_text(bridge, "Board")) == 0);
}

/* A job at each bridge that fits. */
static void begin_jobs(struct held *held)
{
	struct client *client = held->commands->client;
	const struct client_call call = {
		.method = held->command.verb == COMMAND_VERIFY ? "Verify" : "Identify",
		.timeout_ms = CALL_TIMEOUT_MS,
	};
	const struct client_object *bridge = NULL;

	while ((bridge = client_next(client, CLIENT_BRIDGE, bridge))) {
		int r;

		if (!fits(&held->command, &bridge->properties))
			continue;
		r = client_call(client, &call, on_job, held, "o", bridge->path);
		if (r < 0)
			note_failure(held, dict_text(&bridge->properties, "Slot"), strerror(-r));
		else
			held->n_calls++;
	}
	if (held->n_calls == 0 && held->n_failed == 0)
		note_failure(held, "", "no board that fits is plugged in");
	end_if_done(held);
}

/* Takes the job out of those that are waited for; whether it was one of them. */
static bool take_job(struct held *held, const char *path)
{
	for (size_t i = 0; i < held->n_jobs; i++) {
		if (strcmp(held->jobs[i], path) != 0)
			continue;
		free(held->jobs[i]);
		held->jobs[i] = held->jobs[--held->n_jobs];
		return true;
	}
	return false;
}

/* Where the job is, for a person: its slot, else its port. The object goes after the call. */
static const char *place_of(const struct client *client, const char *path)
{
	const struct client_object *job = client_find(client, path);
	const struct client_object *bridge =
		job ? client_find(client, dict_text(&job->properties, "Bridge")) : NULL;
	const char *slot = bridge ? dict_text(&bridge->properties, "Slot") : "";
	const char *port = bridge ? dict_text(&bridge->properties, "Port") : "";
	const char *name = strrchr(port, '/');

	return *slot ? slot : name ? name + 1 : port;
}

static void take_end(
	struct held *held, const char *place, const char *outcome, const struct dict *report)
{
	int word = outcome_from_string(outcome);
	const char *why = dict_text(report, "reason");
	struct reason reason;
	char shown[TEXT_MAX];

	if (word >= 0 && outcome_to_exit_code((enum outcome)word) == 0) {
		held->n_well++;
	} else {
		reason_set(&reason, "%s%s%s", text_cell(outcome, shown, sizeof(shown)),
			*why ? ": " : "", why);
		note_failure(held, place, reason.text);
	}
	end_if_done(held);
}

/* Two commands may wait for one job: who asks for what is under way gets that. */
void commands_job_removed(
	struct commands *commands, const char *path, const char *outcome, const struct dict *report)
{
	const char *place = place_of(commands->client, path);

	for (size_t i = commands->n_helds; i > 0; i--) {
		struct held *held = commands->helds[i - 1];

		if (held->state == HELD_RUNNING && take_job(held, path))
			take_end(held, place, outcome, report);
	}
}

/* ------------------------------------------------------------------------------------- run */

void command_run(struct held *held)
{
	const struct client *client = held->commands->client;
	enum command_verb verb = held->command.verb;

	/* A wish is the gateway's own: it is paused without the service. */
	if ((verb == COMMAND_PAUSE || verb == COMMAND_RESUME) && *held->command.board)
		return pause_wish(held);
	/* A command that waited at the broker comes as soon as we do. */
	held->waits_for_service = client_presence(client) == CLIENT_ASKING;
	if (held->waits_for_service)
		return;
	if (client_presence(client) != CLIENT_THERE)
		return command_end(held, false, client_why(client));
	switch (verb) {
	case COMMAND_RETRY:
	case COMMAND_PAUSE:
	case COMMAND_RESUME:
		return steer(held);
	case COMMAND_VERIFY:
	case COMMAND_IDENTIFY:
		return begin_jobs(held);
	case COMMAND_VERB_MAX:
		return;
	}
}

/* Calls are answered by the client itself; jobs end with the service, and nobody tells how. */
void commands_presence(struct commands *commands, enum client_presence presence)
{
	for (size_t i = commands->n_helds; i > 0; i--) {
		struct held *held = commands->helds[i - 1];

		if (held->state != HELD_RUNNING)
			continue;
		if (held->waits_for_service)
			command_run(held);
		else if (presence != CLIENT_THERE && held->n_jobs > 0)
			command_end(held, false, "plugflashd ended before the job did");
	}
}
