/* SPDX-License-Identifier: MIT */
#include "cli/tries.h"

#include <string.h>

#include "cli/units.h"

/* The options of a probe at the same bridge by this circuit. */
static void take_options(
	struct tries *tries, const struct options *options, const struct circuit *circuit)
{
	tries->options = (struct options){
		.config = options->config,
		.port = options->port,
		.slot = options->slot,
		.baud = options->baud,
		.direct = options->direct,
		.json = options->json,
	};
	circuit_take(circuit, &tries->options);
}

/* The session of the next probe; all of them have one transcript. */
static bool open_next(const char *verb, struct tries *tries)
{
	struct session *session = &tries->work.session;
	struct recorder recorder = session->recorder;
	bool is_open;

	session->recorder = (struct recorder){.fd = -1};
	session_done(session);
	is_open = session_open(verb, &tries->options, FLASH_PROBE, true, session);
	session->recorder = recorder;
	return is_open;
}

static void tell_end(const struct report *report)
{
	const char *text = "no answer";

	if (report->is_still_inside)
		text = "a boot loader answers, but this is not the way out of it";
	else if (outcome_to_exit_code(report->outcome) == 0)
		text = *report->application ? "an application answers" : "a boot loader answers";
	else if (report->outcome == OUTCOME_WRONG_CHIP)
		text = "another kind of chip speaks";
	else if (report->outcome != OUTCOME_NO_SYNC)
		text = outcome_to_string(report->outcome);
	else if (report->heard == HEARD_TEXT)
		text = "no answer, an application speaks";
	else if (report->heard == HEARD_BYTES)
		text = "no answer, bytes that are no text";
	fprintf(stderr, "    %s\n", text);
}

static void try_one(struct tries *tries, const struct circuit *circuit)
{
	struct session *session = &tries->work.session;
	char port[64], keys[TEXT_MAX];

	circuit_keys(circuit, ", ", keys, sizeof(keys));
	fprintf(stderr, "%s: trying %s: %s%s%s%s\n",
		units_port(session->assignment.port, port, sizeof(port)), circuit->name,
		circuit->what, *keys ? " (" : "", keys, *keys ? ")" : "");
	session->assignment.is_guess = true;
	session->assignment.board.retries = 0;
	session_run(session);
	tell_end(&session->report);
	finder_take(&tries->finder, circuit, &session->report);
}

/* Where none was found, the report is about all of them: what the last one met is no phase of
 * theirs. */
static void conclude(struct tries *tries)
{
	struct report *report = &tries->work.session.report;

	if (finder_found(&tries->finder) || tries->work.session.is_wrong_use)
		return;
	*report = (struct report){.outcome = tries->finder.ending, .error = report->error};
	finder_explain(&tries->finder, &report->reason);
}

void tries_run(const char *verb, const struct options *options, const struct circuit_list *list,
	struct tries *ret)
{
	struct tries *tries = ret;
	const struct circuit *circuit;
	bool is_open;

	*tries = (struct tries){.work.service.hold = -1};
	finder_begin(&tries->finder, list);
	circuit = finder_next(&tries->finder);
	take_options(tries, options, circuit);
	tries->options.transcript = options->transcript;
	tries->options.transcript_image = options->transcript_image;
	is_open = work_open(verb, &tries->options, FLASH_PROBE, &tries->work) &&
		  work_take(&tries->work);
	while (is_open) {
		try_one(tries, circuit);
		circuit = finder_next(&tries->finder);
		if (!circuit) {
			conclude(tries);
			return;
		}
		take_options(tries, options, circuit);
		is_open = open_next(verb, tries);
	}
}

void tries_done(struct tries *tries)
{
	work_done(&tries->work);
}
