/* SPDX-License-Identifier: MIT */
#include "web/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "base/names.h"
#include "base/outcome.h"
#include "base/util.h"

/* --------------------------------------------------------------------------------- writing */

static void family(FILE *to, const char *name, const char *help)
{
	fprintf(to, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

/* A label's value: backslash, quote and end of line are escaped; the rest is UTF-8. */
static void label(FILE *to, const char *name, const char *value)
{
	fprintf(to, "{%s=\"", name);
	for (; *value; value++) {
		if (*value == '\n')
			fputs("\\n", to);
		else if (*value == '\\' || *value == '"')
			fprintf(to, "\\%c", *value);
		else
			fputc(*value, to);
	}
	fputs("\"}", to);
}

static void number(FILE *to, const char *name, const char *help, uint64_t value)
{
	family(to, name, help);
	fprintf(to, "%s %" PRIu64 "\n", name, value);
}

static void labelled(
	FILE *to, const char *name, const char *label_name, const char *label_value, uint64_t value)
{
	fputs(name, to);
	label(to, label_name, label_value);
	fprintf(to, " %" PRIu64 "\n", value);
}

static void info(
	FILE *to, const char *name, const char *help, const char *label_name, const char *value)
{
	family(to, name, help);
	labelled(to, name, label_name, value, 1);
}

/* ----------------------------------------------------------------------------- the service */

static void write_service(const struct state *state, FILE *to)
{
	static const char *const states[] = {"running", "paused", "stopping"};
	const char *name = "plugflash_state";

	info(to, "plugflash_build_info", "Version of the service.", "version", state->version);
	family(to, name, "What the service does: 1 for the state it is in.");
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		labelled(to, name, "state", states[i], strcmp(state->state, states[i]) == 0);
	number(to, "plugflash_jobs_running", "Boards that are worked on now.", state->jobs_running);
	number(to, "plugflash_jobs_waiting", "Boards that wait for their turn.",
		state->jobs_waiting);
	number(to, "plugflash_rules", "Rules of the configuration in force.", state->rules);
	number(to, "plugflash_bridges", "Bridges that are plugged in.", state->bridges);
	number(to, "plugflash_config_stale",
		"1: the configuration on disk is not the one in force.", state->is_config_stale);
	number(to, "plugflash_config_refused",
		"1: the configuration on disk was refused, the one before is in force.",
		state->config_error[0] != '\0');
}

static void write_batch(const struct state *state, FILE *to)
{
	const char *target = "plugflash_batch_target_boards", *done = "plugflash_batch_done_boards";

	number(to, "plugflash_batch_active", "1: a batch is under way.",
		state->batch_board[0] != '\0');
	if (!state->batch_board[0])
		return;
	family(to, target, "Boards that the batch is to make.");
	labelled(to, target, "board", state->batch_board, state->batch_count);
	family(to, done, "Boards that the batch has made.");
	labelled(to, done, "board", state->batch_board, state->batch_done);
}

/* ---------------------------------------------------------------------------------- counts */

static void write_counts(const struct state *state, FILE *to)
{
	const char *boards = "plugflash_today_boards", *jobs = "plugflash_today_jobs",
		   *yield = "plugflash_today_first_pass_yield_ratio";
	uint64_t all = state->first_pass + state->retried + state->bad;

	info(to, "plugflash_today_info", "The day that the counts of today are of, local time.",
		"day", state->day);
	family(to, boards,
		"Boards of today: good at the first try, good after a failed one, bad. Begins anew at midnight.");
	labelled(to, boards, "result", "first_pass", state->first_pass);
	labelled(to, boards, "result", "retried", state->retried);
	labelled(to, boards, "result", "bad", state->bad);
	family(to, jobs, "Jobs of today by outcome. Begins anew at midnight.");
	for (enum outcome outcome = 0; outcome < OUTCOME_MAX; outcome++)
		labelled(to, jobs, "outcome", outcome_to_string(outcome),
			dict_long(state->counters, outcome_to_string(outcome)));
	if (all == 0)
		return;
	family(to, yield,
		"Share of the boards of today that were good at the first try; not there before the first board.");
	fprintf(to, "%s %.6f\n", yield, (double)state->first_pass / (double)all);
}

/* ----------------------------------------------------------------------------------- slots */

/* The named slots, and the bridges that are in none. */
static void write_slots(const struct state *state, FILE *to)
{
	static const char *const states[] = {
		"empty", "settling", "waiting", "working", "done", "held", "flapping"};
	const char *by_state = "plugflash_slots", *by_light = "plugflash_lights";

	family(to, by_state, "Slots by the state of what is plugged in there.");
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		uint64_t n = 0;

		for (size_t slot = 0; slot < state->n_slots; slot++)
			n += strcmp(state->slots[slot].state, states[i]) == 0;
		labelled(to, by_state, "state", states[i], n);
	}
	family(to, by_light, "Slots by the light that the page shows there.");
	for (enum light light = 0; light < LIGHT_MAX; light++) {
		uint64_t n = 0;

		for (size_t slot = 0; slot < state->n_slots; slot++)
			n += state->slots[slot].light == light;
		labelled(to, by_light, "light", light_to_string(light), n);
	}
}

void metrics_write(const struct state *state, FILE *to)
{
	bool is_there = state->presence == CLIENT_THERE;

	info(to, "plugflash_web_build_info", "Version of plugflash-web.", "version",
		PLUGFLASH_VERSION);
	number(to, "plugflash_up", "1: the service is there, and tells its state.", is_there);
	if (!is_there)
		return;
	write_service(state, to);
	write_slots(state, to);
	write_counts(state, to);
	write_batch(state, to);
}
