/* SPDX-License-Identifier: MIT */
#include "cli/service.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/outcome.h"
#include "base/util.h"
#include "cli/units.h"

/* A service that does not answer in this time hangs, or its host does. */
#define ANSWER_MSEC 5000
/* From the kernel's event to the bridge on the bus, with a margin for a slow host. */
#define BRIDGE_MSEC 2000
/* A bridge that nobody works on is free at once; a wait that people notice is told. */
#define NOTICE_MSEC 300

bool service_open(const struct client_callbacks *callbacks, void *userdata, struct service *ret,
	struct reason *why, bool *ret_is_silent)
{
	static const struct client_callbacks none = {0};
	enum client_presence presence;
	int r;

	*ret = (struct service){.hold = -1};
	*ret_is_silent = false;
	r = client_open(callbacks ? callbacks : &none, userdata, ANSWER_MSEC, &ret->client);
	if (r < 0) {
		reason_set(why, "the bus cannot be asked: %s", strerror(-r));
		return false;
	}
	presence = client_presence(ret->client);
	if (presence == CLIENT_THERE)
		return true;
	*ret_is_silent = presence == CLIENT_ASKING || presence == CLIENT_REFUSED;
	reason_set(why, "%s",
		presence == CLIENT_ASKING
			? "the service does not answer: systemctl status plugflashd"
			: client_why(ret->client));
	ret->client = client_free(ret->client);
	return false;
}

void service_close(struct service *service)
{
	if (service->hold >= 0)
		close(service->hold);
	service->hold = -1;
	service->client = client_free(service->client);
}

/* ---------------------------------------------------------------------------- the bridge */

struct search {
	const struct client *client;
	const char *port;
	const struct client_object *found;
};

static bool is_found(void *userdata)
{
	struct search *search = userdata;
	const struct client_object *bridge = NULL;

	while ((bridge = client_next(search->client, CLIENT_BRIDGE, bridge)))
		if (strcmp(dict_text(&bridge->properties, "Port"), search->port) == 0)
			break;
	search->found = bridge;
	return bridge || client_presence(search->client) != CLIENT_THERE;
}

const struct client_object *service_find_bridge(struct service *service, const char *port)
{
	struct search search = {service->client, port, NULL};

	if (client_wait(service->client, BRIDGE_MSEC, -1, is_found, &search) != 0)
		return NULL;
	return search.found;
}

/* ------------------------------------------------------------------------------ the hold */

struct holding {
	struct service *service;
	struct reason *reason;
	bool is_answered;
	int result; /* enum service_hold */
};

static void on_hold(void *userdata, struct client_answer *answer)
{
	struct holding *holding = userdata;

	holding->is_answered = true;
	switch (answer->result) {
	case CLIENT_DONE:
		holding->service->hold = answer->fd;
		answer->fd = -1;
		holding->result = SERVICE_HELD;
		return;
	case CLIENT_NOT_FOUND:
	case CLIENT_AWAY:
		holding->result = SERVICE_HOLD_NOT_NEEDED;
		return;
	case CLIENT_NOT_PERMITTED:
		holding->result = SERVICE_HOLD_NOT_PERMITTED;
		return;
	case CLIENT_BUSY:
	case CLIENT_NOT_POSSIBLE:
	case CLIENT_INVALID_ARGUMENT:
	case CLIENT_SILENT:
	case CLIENT_FAILED:
	case CLIENT_RESULT_MAX:
		break;
	}
	holding->result = answer->result == CLIENT_BUSY ? SERVICE_HOLD_BUSY : SERVICE_HOLD_REFUSED;
	service_refusal(answer, holding->reason);
}

static bool is_answered(void *userdata)
{
	return ((struct holding *)userdata)->is_answered;
}

/* The answer comes once no worker has the bridge; whoever waits is told, and may go. */
static int wait_for_hold(struct holding *holding, const char *name)
{
	struct client *client = holding->service->client;
	struct interrupt interrupt;
	int r = client_wait(client, NOTICE_MSEC, -1, is_answered, holding);

	if (r != CLIENT_WAIT_TIMEOUT)
		return r;
	r = interrupt_open(&interrupt);
	if (r < 0)
		return r;
	fprintf(stderr, "%s: %s: waiting for its end\n", name,
		*dict_text(client_manager(client), "StoppedUnits")
			? "the owner of the port is being stopped"
			: "the service works on the board");
	r = client_wait(client, UINT64_MAX, interrupt.fd, is_answered, holding);
	/* A signal that was not taken would end the process now. */
	(void)interrupt_asked(&interrupt);
	interrupt_close(&interrupt);
	return r;
}

static int ask_for_hold(struct holding *holding, const struct client_object *bridge,
	const char *name, const char *verb, bool changes_flash)
{
	char why[64];
	struct client *client = holding->service->client;
	CLEANUP(dict_done) struct dict options = {0};
	const struct client_call call = {
		.method = "Inhibit",
		.options = &options,
		.may_ask = service_may_ask(),
		.timeout_ms = UINT64_MAX,
	};
	int r = dict_set_text(&options, "bridge", bridge->path);

	snprintf(why, sizeof(why), "plugflash %s works on the board", verb);

	if (r == 0)
		r = dict_set_flag(&options, "stop-owners", true);
	if (r == 0 && changes_flash)
		r = dict_set_flag(&options, "changes-flash", true);
	if (r == 0)
		r = client_call(client, &call, on_hold, holding, "ss", "plugflash", why);
	if (r == 0)
		r = wait_for_hold(holding, name);
	/* This is gone before an answer that still comes. */
	client_forget(client, holding);
	return r;
}

int service_hold_bridge(struct service *service, const char *verb, const char *name,
	const char *port, bool changes_flash, struct reason *reason)
{
	const struct client_object *bridge = service_find_bridge(service, port);
	struct holding holding = {.service = service, .reason = reason};
	int r;

	if (!bridge)
		return SERVICE_HOLD_NOT_NEEDED;
	r = ask_for_hold(&holding, bridge, name, verb, changes_flash);
	if (r < 0)
		reason_set(reason, "the service cannot be asked for the bridge: %s", strerror(-r));
	if (r == CLIENT_WAIT_INTERRUPTED)
		return SERVICE_HOLD_INTERRUPTED;
	return r < 0 ? r : holding.result;
}

/* ------------------------------------------------------------------------------- answers */

void service_refusal(const struct client_answer *answer, struct reason *reason)
{
	const char *why = answer->reason && *answer->reason ? answer->reason : NULL;
	char shown[TEXT_MAX];

	switch (answer->result) {
	case CLIENT_NOT_PERMITTED:
		reason_set(reason,
			"this user may not ask the service for it: be root, or where polkit runs a member of the group " GROUP_OPERATORS);
		return;
	case CLIENT_AWAY:
		reason_set(reason,
			"the service went away before it answered: systemctl status plugflashd");
		return;
	case CLIENT_SILENT:
		reason_set(reason, "the service does not answer: systemctl status plugflashd");
		return;
	case CLIENT_DONE:
	case CLIENT_NOT_FOUND:
	case CLIENT_BUSY:
	case CLIENT_NOT_POSSIBLE:
	case CLIENT_INVALID_ARGUMENT:
	case CLIENT_FAILED:
	case CLIENT_RESULT_MAX:
		break;
	}
	reason_set(reason, "%s",
		why ? text_show(why, shown, sizeof(shown))
		    : "the service refuses, and does not say why: journalctl -t plugflashd");
}

int service_open_for(const char *verb, struct service *ret)
{
	struct reason why = {0};
	bool is_silent;

	if (service_open(NULL, NULL, ret, &why, &is_silent))
		return 0;
	fprintf(stderr, "plugflash %s: %s\n", verb, why.text);
	return outcome_to_exit_code(OUTCOME_FAILED);
}

int service_check_answer(const char *verb, int r, const struct client_answer *answer)
{
	struct reason reason = {0};

	if (r == 0 && answer->result == CLIENT_DONE)
		return 0;
	if (r < 0)
		reason_set(&reason, "the service cannot be asked: %s", strerror(-r));
	else
		service_refusal(answer, &reason);
	fprintf(stderr, "plugflash %s: %s\n", verb, reason.text);
	return r == 0 && answer->result == CLIENT_INVALID_ARGUMENT
		       ? EXIT_USAGE
		       : outcome_to_exit_code(OUTCOME_FAILED);
}

bool service_may_ask(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}
