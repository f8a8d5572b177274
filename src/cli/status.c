/* SPDX-License-Identifier: MIT */
/*
 * status.c - `plugflash status`: what the service does now, once; without a service, how the last
 * attempts ended, by its store.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/names.h"
#include "base/util.h"
#include "cli/cli.h"
#include "cli/screen.h"
#include "cli/state-exit.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "cli/units.h"
#include "cli/when.h"
#include "records/store.h"

/* A bus or a service that has not answered by then does not. */
#define TIMEOUT_MS    5000
#define ATTEMPTS_MOST 10

int state_exit_code(enum client_presence presence)
{
	switch (presence) {
	case CLIENT_THERE:
		return 0;
	case CLIENT_NO_SERVICE:
		return EXIT_NOT_RUNNING;
	case CLIENT_ASKING:
	case CLIENT_NO_BUS:
	case CLIENT_REFUSED:
	case CLIENT_PRESENCE_MAX:
		break;
	}
	return EXIT_NOT_KNOWN;
}

static int print_screen(const struct state *state, FILE *to)
{
	CLEANUP(screen_done) struct screen screen = {0};
	struct screen_look look = {
		.width = terminal_width(to),
		.has_colours = terminal_has_colours(to),
	};
	int r = screen_make(state, &look, &screen);

	for (size_t i = 0; r == 0 && i < screen.n_lines; i++)
		fprintf(to, "%s\n", screen.lines[i]);
	return r;
}

/* ----------------------------------------------------------------------------- the store */

static int add_attempt(void *userdata, const struct store_attempt *attempt)
{
	const struct report *report = &attempt->report;
	char when[32], port[64];
	const char *cells[] = {when_format(attempt->started_ms, when, sizeof(when)),
		attempt->slot[0] ? attempt->slot : units_port(attempt->port, port, sizeof(port)),
		attempt->board, report->unit,
		attempt->ended_ms > 0 ? outcome_to_string(report->outcome) : "not ended",
		report->reason.text};

	return table_add_row(userdata, cells);
}

/* What cannot be read is passed over: the reader asked for the service, and was told of it. */
static void print_store(FILE *to)
{
	static const char *const heading[] = {"TIME", "SLOT", "BOARD", "UNIT", "OUTCOME", "REASON"};
	const char *environment = getenv(ENV_STATE);
	struct store_filter filter = {.limit = ATTEMPTS_MOST};
	CLEANUP(table_done) struct table table = {.n_columns = ARRAY_SIZE(heading)};
	struct reason reason = {0};
	struct store *store;

	if (store_open_to_read(
		    environment && *environment ? environment : PATH_STATE, &store, &reason) < 0)
		return;
	if (table_add_row(&table, heading) == 0 &&
		store_list_attempts(store, &filter, add_attempt, &table, &reason) == 0 &&
		table.n_cells > table.n_columns) {
		fputs("\nThe last attempts, newest first:\n", to);
		table_print(&table, table_room(to), to);
	}
	store_close(store);
}

/* -------------------------------------------------------------------------------- verb */

static int print_state(const struct options *options, const struct client *client)
{
	CLEANUP(state_done) struct state state = {0};
	int r = state_of(client, wall_clock_msec(), &state);

	if (r < 0)
		return r;
	if (options->json) {
		r = json_print_line(state_json(&state), stdout);
		putchar('\n');
		return r;
	}
	r = print_screen(&state, stdout);
	if (r == 0 && state.presence != CLIENT_THERE)
		print_store(stdout);
	return r;
}

int verb_status(const struct options *options)
{
	CLEANUP(client_freep) struct client *client = NULL;
	int r = client_open(NULL, NULL, TIMEOUT_MS, &client);

	if (r == 0)
		r = print_state(options, client);
	if (r == 0 && fflush(stdout) != 0)
		r = -errno;
	if (r < 0) {
		fprintf(stderr, "plugflash status: %s\n", strerror(-r));
		return outcome_to_exit_code(OUTCOME_FAILED);
	}
	return state_exit_code(client_presence(client));
}
