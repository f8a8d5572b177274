/* SPDX-License-Identifier: MIT */
/*
 * pause.c - the verbs pause and resume: whether the service begins with boards.
 *
 * Somebody else may hold boards back as well (Inhibit); so what is told is not what was asked for,
 * but what the service says of itself then.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "api/json.h"
#include "base/outcome.h"
#include "base/util.h"
#include "cli/cli.h"
#include "cli/service.h"

/* From the answer to the property that follows it. */
#define PROPERTY_MSEC 2000
#define REASON_BYTES  200

struct expected {
	struct client *client;
	const char *reason; /* of the pause that begins; NULL: one ends */
	char *before;	    /* why nothing began before that */
};

/* The pause is to be seen, or gone: somebody else may still hold boards back, with his reason. */
static bool is_so(void *userdata)
{
	const struct expected *expected = userdata;
	const struct dict *manager = client_manager(expected->client);
	const char *now = dict_text(manager, "PauseReason");

	if (expected->reason)
		return strncmp(now, expected->reason, strlen(expected->reason)) == 0;
	return strcmp(dict_text(manager, "State"), "running") == 0 ||
	       strcmp(now, expected->before) != 0;
}

/* People see who stopped the line. */
static void default_reason(char *to, size_t size)
{
	char name[64];

	if (getlogin_r(name, sizeof(name)) == 0)
		snprintf(to, size, "by %s", name);
	else
		snprintf(to, size, "by user %u", (unsigned)getuid());
}

static int tell_json(const struct dict *manager)
{
	const char *reason = dict_text(manager, "PauseReason");
	struct json *object = json_new_object();

	json_add_text(object, "state", dict_text(manager, "State"));
	json_add_text(object, "pause_reason", reason);
	json_add_number(object, "jobs_running", dict_number(manager, "JobsRunning"));
	json_add_number(object, "jobs_waiting", dict_number(manager, "JobsWaiting"));
	return json_print(object, stdout);
}

static void tell_paused(const struct dict *manager)
{
	uint32_t n = dict_number(manager, "JobsRunning");
	char reason[TEXT_MAX];

	printf("paused: %s\n",
		text_show(dict_text(manager, "PauseReason"), reason, sizeof(reason)));
	if (n > 0)
		printf("%" PRIu32 " %s worked on, and finished first\n", n,
			n == 1 ? "board is" : "boards are");
	puts("plugflash resume goes on");
}

static void tell_resumed(const struct dict *manager)
{
	const char *held = dict_text(manager, "PauseReason");
	uint32_t n = dict_number(manager, "JobsWaiting");
	char reason[TEXT_MAX];

	if (*held)
		printf("the pause is over, but nothing begins yet: %s\n",
			text_show(held, reason, sizeof(reason)));
	else
		printf("the service goes on; boards that wait: %" PRIu32 "\n", n);
}

/* Whether the service still holds back is told, and is no failure: the pause itself is over. */
static int ask(
	const char *verb, const struct options *options, const char *method, const char *reason)
{
	CLEANUP(client_answer_done) struct client_answer answer = {.fd = -1};
	CLEANUP(service_close) struct service service = {.hold = -1};
	const struct client_call call = {.method = method, .may_ask = service_may_ask()};
	CLEANUP(freep) char *before = NULL;
	struct expected expected;
	const struct dict *manager;
	int r = service_open_for(verb, &service);

	if (r == 0)
		before = strdup(dict_text(client_manager(service.client), "PauseReason"));
	if (r != 0 || !before)
		return r != 0 ? r : outcome_to_exit_code(OUTCOME_FAILED);
	r = reason ? client_call_wait(service.client, &call, &answer, "s", reason)
		   : client_call_wait(service.client, &call, &answer, "");
	r = service_check_answer(verb, r, &answer);
	if (r != 0)
		return r;
	expected = (struct expected){service.client, reason, before};
	(void)client_wait(service.client, PROPERTY_MSEC, -1, is_so, &expected);
	manager = client_manager(service.client);
	if (options->json)
		return tell_json(manager) == 0 ? 0 : outcome_to_exit_code(OUTCOME_FAILED);
	if (reason)
		tell_paused(manager);
	else
		tell_resumed(manager);
	return 0;
}

int verb_pause(const struct options *options)
{
	const char *reason = options->argument;
	char made[100];

	if (reason && (!*reason || strlen(reason) > REASON_BYTES ||
			      !text_is_utf8(reason, strlen(reason)))) {
		fprintf(stderr,
			"plugflash pause: the reason has 1 to %d bytes, as text that can be shown\n",
			REASON_BYTES);
		return EXIT_USAGE;
	}
	if (!reason) {
		default_reason(made, sizeof(made));
		reason = made;
	}
	return ask("pause", options, "Pause", reason);
}

int verb_resume(const struct options *options)
{
	return ask("resume", options, "Resume", NULL);
}
