/* SPDX-License-Identifier: MIT */
/*
 * commands.c - the life of a command.
 *
 *   init came            "executing" is published in its place         ANNOUNCED
 *   that came back       the service is asked                          RUNNING
 *   the service is done  "successful" or "failed" is published         ANSWERED
 *   that came back       it is forgotten
 *
 * We subscribe to the topics we answer at, so the broker sends each answer back to us, in order. It
 * is waited for, because it tells two things that no acknowledgement tells:
 *
 * - Before the service is asked, the broker holds "executing" and "init" no more. After a crash the
 *   command is not done a second time: a retained "executing" of which nothing is known here was
 *   left by it, and becomes "failed". A broker that does not let us write never comes that far.
 * - After the last answer came back, an "init" is a new one. One that the broker delivers twice
 *   comes before, and finds the command still held.
 *
 * An empty payload takes a command back: it is not begun, or nobody wants its answer. What was
 * asked of the service goes on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "fleet/commands-private.h"

/* Until an answer comes back from the broker, and how often it is published before that. */
#define ECHO_USEC (30 * USEC_PER_SEC)
#define ECHO_MOST 3

/* Until the end of all jobs that a command began; they may wait for others. */
#define RUN_USEC	    (3600 * USEC_PER_SEC)

#define TIMER_ACCURACY_USEC USEC_PER_SEC

/* --------------------------------------------------------------------------------- helpers */

static struct held *find(struct commands *commands, const char *id)
{
	for (size_t i = 0; i < commands->n_helds; i++)
		if (strcmp(commands->helds[i]->id, id) == 0)
			return commands->helds[i];
	return NULL;
}

static void arm(struct commands *commands)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < commands->n_helds; i++)
		if (commands->helds[i]->due_usec < due)
			due = commands->helds[i]->due_usec;
	(void)sd_event_source_set_time(commands->timer, due);
	(void)sd_event_source_set_enabled(
		commands->timer, due == UINT64_MAX ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

/* Whether a line may be written: anybody who may publish commands could fill the journal. */
static bool takes_line(struct commands *commands)
{
	static const struct budget_rate rate = {10, 6 * USEC_PER_SEC};

	return budget_take(&commands->lines, rate, monotonic_usec());
}

static void free_held(struct held *held)
{
	for (size_t i = 0; i < held->n_jobs; i++)
		free(held->jobs[i]);
	free(held->jobs);
	free(held->payload);
	free(held);
}

static void forget(struct held *held)
{
	struct commands *commands = held->commands;

	size_t i = 0;

	client_forget(commands->client, held);
	while (commands->helds[i] != held)
		i++;
	commands->n_helds--;
	memmove(&commands->helds[i], &commands->helds[i + 1],
		(commands->n_helds - i) * sizeof(commands->helds[0]));
	free_held(held);
	arm(commands);
}

/* NULL where there is no room. */
static struct held *hold(struct commands *commands, const char *id, const struct command *command)
{
	struct held *held;

	if (commands->n_helds >= COMMANDS_MOST)
		return NULL;
	held = calloc(1, sizeof(*held));
	if (!held)
		return NULL;
	held->commands = commands;
	held->command = *command;
	held->due_usec = UINT64_MAX;
	text_copy(held->id, sizeof(held->id), id);
	commands->helds[commands->n_helds++] = held;
	return held;
}

/* ------------------------------------------------------------------------------ the answer */

void commands_pump(struct commands *commands)
{
	for (size_t i = 0; i < commands->n_helds; i++) {
		struct held *held = commands->helds[i];
		int r;

		if (held->is_handed || !held->payload)
			continue;
		r = commands->callbacks.publish(
			commands->userdata, held->id, held->payload, held->n_payload);
		held->is_too_large = r == MQTT_TOO_LARGE;
		if (r != 0 && !held->is_too_large)
			break;
		held->is_handed = true;
		held->n_handed++;
		/* Given up by the timer: whoever calls may be going through the list. */
		if (held->is_too_large)
			held->due_usec = 0;
		else if (held->state != HELD_RUNNING)
			held->due_usec = monotonic_usec() + ECHO_USEC;
	}
	arm(commands);
}

/* Without memory the topic keeps what it has, and nothing is done: the next start says so. */
static void say(struct held *held, enum held_state state, const struct command_answer *answer)
{
	char *payload = NULL;
	size_t n = 0;

	if (command_answer_to_json(&held->command, answer, &payload, &n) < 0) {
		forget(held);
		return;
	}
	free(held->payload);
	held->payload = payload;
	held->n_payload = n;
	held->state = state;
	held->is_handed = false;
	held->n_handed = 0;
	held->due_usec = UINT64_MAX;
	commands_pump(held->commands);
}

void command_end(struct held *held, bool is_well, const char *reason)
{
	const struct command_answer answer = {
		.status = is_well ? COMMAND_SUCCESSFUL : COMMAND_FAILED,
		.reason = reason,
		.units = held->n_well,
	};

	client_forget(held->commands->client, held);
	if (takes_line(held->commands))
		log_event(is_well ? LOG_INFO : LOG_WARNING, NULL, NULL, "command '%s': %s%s%s",
			held->id, command_status_to_string(answer.status), reason ? ": " : "",
			reason ? reason : "");
	say(held, HELD_ANSWERED, &answer);
}

/* One that is not begun. */
static void refuse(struct commands *commands, const char *id, const struct command *command,
	const char *reason)
{
	struct held *held = hold(commands, id, command);

	if (held)
		command_end(held, false, reason);
	else if (takes_line(commands))
		log_warning("command '%s': not answered; %d others are under way: publish it again",
			id, COMMANDS_MOST);
}

/* --------------------------------------------------------------------------------- life */

static void begin(struct held *held)
{
	struct commands *commands = held->commands;

	held->state = HELD_RUNNING;
	held->due_usec = monotonic_usec() + RUN_USEC;
	if (takes_line(commands))
		log_info("command '%s': %s begins", held->id,
			command_verb_to_string(held->command.verb));
	/* What ends at once is forgotten where there is no memory for its answer. */
	command_run(held);
	arm(commands);
}

static void announce(struct commands *commands, const char *id, const struct command *command)
{
	static const struct command_answer executing = {.status = COMMAND_EXECUTING};
	struct reason reason;
	struct held *held;

	if (!(commands->allowed & 1U << command->verb)) {
		reason_set(&reason,
			"%s: not allowed on this gateway; its fleet.conf lists what is (allow of [commands])",
			command_verb_to_string(command->verb));
		return refuse(commands, id, command, reason.text);
	}
	held = hold(commands, id, command);
	if (held)
		say(held, HELD_ANNOUNCED, &executing);
	else
		refuse(commands, id, command, "plugflash-fleet has no memory");
}

static void take_new(
	struct commands *commands, const char *id, const char *payload, size_t n, bool is_retained)
{
	struct command command;
	struct reason reason;
	int r = command_parse(payload, n, &command, &reason);

	if (r == COMMAND_REFUSED)
		refuse(commands, id, &command, reason.text);
	else if (r != COMMAND_OK)
		return;
	else if (command.status == COMMAND_INIT)
		announce(commands, id, &command);
	else if (command.status == COMMAND_EXECUTING && is_retained)
		refuse(commands, id, &command,
			"plugflash-fleet was started anew before the command ended; what became of it is not known");
}

void commands_take(
	struct commands *commands, const char *id, const char *payload, size_t n, bool is_retained)
{
	struct held *held = find(commands, id);

	if (!command_id_is_valid(id)) {
		char shown[TEXT_MAX];

		if (n > 0 && takes_line(commands))
			log_warning(
				"command '%s': ignored; an id has 1 to %d letters, digits, '.', '_' and '-'",
				text_escape(id, shown, sizeof(shown)), COMMAND_ID_SIZE - 1);
		return;
	}
	if (n == 0 && held)
		return forget(held);
	if (n == 0)
		return;
	if (!held)
		return take_new(commands, id, payload, n, is_retained);
	if (n != held->n_payload || memcmp(payload, held->payload, n) != 0)
		return;
	if (held->state == HELD_ANNOUNCED)
		begin(held);
	else if (held->state == HELD_ANSWERED)
		forget(held);
}

void commands_connected(struct commands *commands)
{
	for (size_t i = 0; i < commands->n_helds; i++) {
		struct held *held = commands->helds[i];

		held->is_handed = false;
		held->n_handed = 0;
		if (held->state != HELD_RUNNING)
			held->due_usec = UINT64_MAX;
	}
	commands_pump(commands);
}

/* The wait of its state is over. */
static void give_up(struct held *held)
{
	if (held->is_too_large) {
		if (takes_line(held->commands))
			log_warning(
				"command '%s': its answer of %zu bytes is not sent, for `message-size` allows less; raise it, or name less in the command",
				held->id, held->n_payload);
		return forget(held);
	}
	if (held->state == HELD_RUNNING)
		return command_end(held, false, "its jobs did not end within an hour; they go on");
	if (held->n_handed < ECHO_MOST) {
		held->is_handed = false;
		held->due_usec = UINT64_MAX;
		return commands_pump(held->commands);
	}
	if (takes_line(held->commands))
		log_warning(
			"command '%s': the broker does not send its answer back, %s; let this gateway write at the topic of commands",
			held->id,
			held->state == HELD_ANNOUNCED ? "and it is not begun"
						      : "which may be lost");
	forget(held);
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct commands *commands = userdata;
	uint64_t now = monotonic_usec();

	(void)source;
	(void)usec;
	/* From the last one on: the one that is given up may leave the list. */
	for (size_t i = commands->n_helds; i > 0; i--)
		if (commands->helds[i - 1]->due_usec <= now)
			give_up(commands->helds[i - 1]);
	arm(commands);
	return 0;
}

void commands_allow(struct commands *commands, unsigned allowed)
{
	commands->allowed = allowed;
}

int commands_new(sd_event *event, struct client *client, const struct commands_callbacks *callbacks,
	void *userdata, struct commands **ret)
{
	CLEANUP(commands_freep) struct commands *commands = calloc(1, sizeof(*commands));
	int r;

	if (!commands)
		return -ENOMEM;
	commands->client = client;
	commands->callbacks = *callbacks;
	commands->userdata = userdata;
	r = sd_event_add_time(event, &commands->timer, CLOCK_MONOTONIC, UINT64_MAX,
		TIMER_ACCURACY_USEC, on_time, commands);
	if (r >= 0)
		r = sd_event_source_set_enabled(commands->timer, SD_EVENT_OFF);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(commands);
	return 0;
}

struct commands *commands_free(struct commands *commands)
{
	if (!commands)
		return NULL;
	for (size_t i = 0; i < commands->n_helds; i++) {
		client_forget(commands->client, commands->helds[i]);
		free_held(commands->helds[i]);
	}
	sd_event_source_disable_unref(commands->timer);
	free(commands);
	return NULL;
}

void commands_freep(struct commands **commands)
{
	*commands = commands_free(*commands);
}
