/* SPDX-License-Identifier: MIT */
/*
 * retry.c - the verb: has the running service try units again that failed. The service alone
 * writes the store, and knows what is plugged in.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/outcome.h"
#include "base/util.h"
#include "cli/cli.h"
#include "cli/names.h"
#include "cli/objects.h"
#include "cli/service.h"
#include "cli/store-reader.h"

#define PATH_ROOM 4096

/* 0, or the exit code after a sentence. */
static int add_value(const char *option, const char *value, struct dict *to)
{
	if (!value)
		return 0;
	if (*value && strlen(value) < TEXT_MAX && !strchr(value, '\n')) {
		if (dict_set_text(to, option, value) == 0)
			return 0;
		fprintf(stderr, "plugflash retry: %s\n", strerror(ENOMEM));
		return outcome_to_exit_code(OUTCOME_FAILED);
	}
	fprintf(stderr, "plugflash retry: --%s is empty, too long, or has a line break in it\n",
		option);
	return EXIT_USAGE;
}

/* They are of kinds of chips: no unit is meant. */
static int read_trials(const struct options *options, struct dict *to)
{
	if (options->unit || options->board || options->slot || options->port) {
		fputs("plugflash retry: --trials is about kinds of chips: it goes with no unit, rule, slot or port\n",
			stderr);
		return EXIT_USAGE;
	}
	if (dict_set_flag(to, "trials", true) == 0)
		return 0;
	fprintf(stderr, "plugflash retry: %s\n", strerror(ENOMEM));
	return outcome_to_exit_code(OUTCOME_FAILED);
}

static int read_filter(const struct options *options, struct dict *to)
{
	char room[PATH_ROOM], escaped[PATH_ROOM];
	const char *port = NULL;
	int r = options->trials ? read_trials(options, to) : add_value("unit", options->unit, to);

	if (r == 0)
		r = add_value("board", options->board, to);
	if (r == 0)
		r = add_value("slot", options->slot, to);
	if (options->port)
		port = store_reader_port_node(options->port, room, sizeof(room));
	if (r == 0)
		r = add_value("port", port, to);
	/* Without the port, the unit that is meant cannot be tried again. */
	if (r != 0 || !port || access(port, F_OK) == 0 || errno != ENOENT)
		return r;
	fprintf(stderr,
		"plugflash retry: there is no '%s'; plugflash list shows the bridges present\n",
		text_escape(port, escaped, sizeof(escaped)));
	return outcome_to_exit_code(OUTCOME_PORT_GONE);
}

static int tell(const struct options *options, uint64_t n_units)
{
	if (options->json)
		return json_print_retry(options->trials, n_units, stdout) == 0
			       ? 0
			       : outcome_to_exit_code(OUTCOME_FAILED);
	if (options->trials)
		printf("faster ways that were turned off and are on trial again: %" PRIu64 "\n",
			n_units);
	else if (!options->port)
		printf("units that failed and are tried again: %" PRIu64 "\n", n_units);
	else if (n_units > 0)
		puts("tried again; the outcome will be in the journal and in plugflash history");
	else
		puts("the service was asked; no failure is on record for a unit at this port");
	return 0;
}

int verb_retry(const struct options *options)
{
	CLEANUP(client_answer_done) struct client_answer answer = {.fd = -1};
	CLEANUP(service_close) struct service service = {.hold = -1};
	CLEANUP(dict_done) struct dict filter = {0};
	const struct client_call call = {
		.method = "Retry", .options = &filter, .may_ask = service_may_ask()};
	int r = read_filter(options, &filter);

	if (r == 0)
		r = service_open_for("retry", &service);
	if (r != 0)
		return r;
	r = client_call_wait(service.client, &call, &answer, "");
	r = service_check_answer("retry", r, &answer);
	if (r == 0 && answer.number == 0 && !options->trials)
		names_warn("retry", options);
	return r == 0 ? tell(options, answer.number) : r;
}
