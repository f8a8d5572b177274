/* SPDX-License-Identifier: MIT */
/*
 * work.c - who does it?
 *
 *	the service runs, and its rules say all that is needed	the service (job.c)
 *	the service runs, the options say something else	here, the bridge is taken from it
 *	--direct						the same; the lock of the port alone
 *								where this user may not take it
 *	no service						here
 *
 * So the two never fight for a port, and what the service does is in its store.
 */
#include "cli/work.h"

#include <string.h>

#include "base/names.h"
#include "base/outcome.h"
#include "cli/job.h"
#include "cli/units.h"

/* Whether the configuration of this command is the one that the service has read. Who may not see
 * which that is takes it for the usual one. */
static bool is_of_service(const struct options *options)
{
	const char *own = options_configuration(options);
	CLEANUP(freep) char *path = NULL;
	CLEANUP(fclosep) FILE *note = NULL;
	const char *runtime = getenv(ENV_RUNTIME);
	char line[4096];

	if (text_format(&path, "%s/" NAME_LOADED, runtime && *runtime ? runtime : PATH_RUNTIME) < 0)
		return false;
	note = fopen(path, "re");
	if (!note || !fgets(line, sizeof(line), note))
		return strcmp(own, PATH_CONFIGURATION) == 0;
	line[strcspn(line, "\n")] = '\0';
	return strcmp(line, own) == 0;
}

/* Jobs that the service has on its bus. */
static bool is_served(enum flash_action action)
{
	return action == FLASH_UPDATE || action == FLASH_VERIFY || action == FLASH_PROBE ||
	       action == FLASH_IDENTIFY;
}

/* The service knows its own rules and images, and no others. */
static bool can_be_served(const struct options *options, enum flash_action action)
{
	return !options->direct && !options->dry_run && !options->transcript && !options->image &&
	       !options->address && !options->baud && !options_have_board(options) &&
	       is_served(action) && is_of_service(options);
}

bool work_open(
	const char *verb, const struct options *options, enum flash_action action, struct work *ret)
{
	struct work *work = ret;
	struct reason why = {0};
	bool is_silent, may_serve = can_be_served(options, action);

	*work = (struct work){.service.hold = -1};
	if (may_serve)
		work->job = job_new(&work->session);
	if (!service_open(work->job ? &job_callbacks : NULL, work->job, &work->service, &why,
		    &is_silent)) {
		work->job = job_free(work->job);
		if (is_silent)
			fprintf(stderr,
				"plugflash %s: %s; working without it, with the lock of the port alone\n",
				verb, why.text);
	}
	return session_open(verb, options, action, !work->job, &work->session);
}

static void fail(struct session *session, enum outcome outcome)
{
	session->report.outcome = outcome;
}

/* What the service has on record of the unit is not so afterwards. */
static bool changes_flash(const struct assignment *assignment)
{
	return !assignment->dry_run &&
	       (assignment->action == FLASH_UPDATE || assignment->action == FLASH_ERASE ||
		       assignment->action == FLASH_UNPROTECT);
}

/* False: the report says why the bridge was not to be had. */
static bool take_bridge(struct work *work)
{
	struct session *session = &work->session;
	struct reason *reason = &session->report.reason;
	char port[64];
	int r;

	units_port(session->assignment.port, port, sizeof(port));
	r = service_hold_bridge(&work->service, session->verb, port, session->assignment.port,
		changes_flash(&session->assignment), reason);
	switch (r) {
	case SERVICE_HELD:
		fprintf(stderr, "%s: the service leaves this bridge alone until the command ends\n",
			port);
		return true;
	case SERVICE_HOLD_NOT_NEEDED:
		return true;
	case SERVICE_HOLD_NOT_PERMITTED:
		if (session->options->direct) {
			fprintf(stderr,
				"%s: this user may not take the bridge from the service (group " GROUP_OPERATORS
				"): the lock of the port alone keeps the two apart\n",
				port);
			return true;
		}
		reason_set(reason,
			"this user may not take the bridge from the running service: be a member of the group " GROUP_OPERATORS
			", or say --direct to rely on the lock of the port");
		break;
	case SERVICE_HOLD_BUSY:
		fail(session, OUTCOME_PORT_BUSY);
		return false;
	case SERVICE_HOLD_INTERRUPTED:
		reason_set(reason,
			"as asked, while the service worked on the board; nothing was begun here");
		fail(session, OUTCOME_CANCELLED);
		return false;
	default:
		if (r < 0)
			session->report.error = -r;
	}
	fail(session, OUTCOME_FAILED);
	return false;
}

bool work_take(struct work *work)
{
	return !work->service.client || take_bridge(work);
}

void work_run(struct work *work)
{
	if (work->job)
		job_run(work->job, &work->service);
	else if (work_take(work))
		session_run(&work->session);
}

int work_reload(const char *verb, const struct options *options)
{
	CLEANUP(client_answer_done) struct client_answer answer = {.fd = -1};
	CLEANUP(service_close) struct service service;
	struct reason why = {0};
	bool is_silent;
	int r;

	if (!service_open(NULL, NULL, &service, &why, &is_silent)) {
		fprintf(stderr,
			"plugflash %s: %s; this process does it alone; systemctl enable --now plugflashd has boards flashed as they are plugged in\n",
			verb, why.text);
		return 0;
	}
	if (!is_of_service(options)) {
		fprintf(stderr,
			"plugflash %s: the service has another configuration, and is not told\n",
			verb);
		return 0;
	}
	r = client_call_wait(service.client,
		&(struct client_call){.method = "Reload", .may_ask = service_may_ask()}, &answer,
		"");
	return service_check_answer(verb, r, &answer);
}

void work_done(struct work *work)
{
	service_close(&work->service);
	work->job = job_free(work->job);
	session_done(&work->session);
}
