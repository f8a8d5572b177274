/* SPDX-License-Identifier: MIT */
/*
 * test-web-metrics.c - the metrics, read back by a parser that takes what the text format 0.0.4 of
 * Prometheus allows and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <string.h>

#include "web/metrics.c"

struct sample {
	char family[64];
	char label[32], value[128]; /* "" without a label */
	double number;
};

struct reading {
	struct sample samples[256];
	size_t n_samples;
	char helped[64], typed[64]; /* the family that HELP and TYPE announced last */
	char seen[64][64];	    /* all families: each has its lines in one place */
	size_t n_seen;
};

/* [a-zA-Z_:][a-zA-Z0-9_:]* */
static const char *read_name(const char *at, char *to, size_t size, bool is_label)
{
	size_t n = 0;

	assert_true(isalpha(*at) || *at == '_' || (!is_label && *at == ':'));
	while (isalnum(*at) || *at == '_' || (!is_label && *at == ':')) {
		assert_true(n + 1 < size);
		to[n++] = *at++;
	}
	to[n] = '\0';
	return at;
}

static const char *read_label(const char *at, struct sample *sample)
{
	size_t n = 0;

	at = read_name(at, sample->label, sizeof(sample->label), true);
	assert_int_equal(*at++, '=');
	assert_int_equal(*at++, '"');
	while (*at != '"') {
		char c = *at++;

		assert_true(c != '\0' && c != '\n');
		if (c == '\\') {
			c = *at++;
			assert_true(c == '\\' || c == '"' || c == 'n');
			c = c == 'n' ? '\n' : c;
		}
		assert_true(n + 1 < sizeof(sample->value));
		sample->value[n++] = c;
	}
	sample->value[n] = '\0';
	return at + 1;
}

static void read_comment(struct reading *reading, const char *line)
{
	char name[64];
	bool is_help = strncmp(line, "# HELP ", 7) == 0;
	const char *at;

	assert_true(is_help || strncmp(line, "# TYPE ", 7) == 0);
	at = read_name(line + 7, name, sizeof(name), false);
	assert_int_equal(*at++, ' ');
	if (is_help) {
		for (size_t i = 0; i < reading->n_seen; i++)
			assert_string_not_equal(reading->seen[i], name);
		assert_true(reading->n_seen < ARRAY_SIZE(reading->seen));
		strcpy(reading->seen[reading->n_seen++], name);
		assert_true(strlen(at) > 10);
		assert_null(strchr(at, '\\'));
		strcpy(reading->helped, name);
	} else {
		assert_string_equal(name, reading->helped);
		assert_string_equal(at, "gauge");
		/* A gauge is no counter, and its name must not say so. */
		assert_false(text_ends_with(name, "_total"));
		strcpy(reading->typed, name);
	}
}

static void read_sample(struct reading *reading, const char *line)
{
	struct sample *sample = &reading->samples[reading->n_samples++];
	char *end;
	const char *at;

	assert_true(reading->n_samples <= ARRAY_SIZE(reading->samples));
	at = read_name(line, sample->family, sizeof(sample->family), false);
	assert_string_equal(sample->family, reading->typed);
	if (*at == '{') {
		at = read_label(at + 1, sample);
		assert_int_equal(*at++, '}');
	}
	assert_int_equal(*at++, ' ');
	sample->number = strtod(at, &end);
	assert_true(end > at && *end == '\0');
	for (size_t i = 0; i + 1 < reading->n_samples; i++)
		assert_false(strcmp(reading->samples[i].family, sample->family) == 0 &&
			     strcmp(reading->samples[i].value, sample->value) == 0);
}

static void read_metrics(const struct state *state, struct reading *ret)
{
	CLEANUP(freep) char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);
	char *at, *end;

	assert_non_null(to);
	metrics_write(state, to);
	assert_int_equal(fclose(to), 0);
	*ret = (struct reading){0};
	assert_true(n > 0 && text[n - 1] == '\n');
	for (at = text; *at; at = end + 1) {
		end = strchr(at, '\n');
		*end = '\0';
		if (*at == '#')
			read_comment(ret, at);
		else
			read_sample(ret, at);
	}
}

static double value_of(const struct reading *reading, const char *family, const char *value)
{
	for (size_t i = 0; i < reading->n_samples; i++)
		if (strcmp(reading->samples[i].family, family) == 0 &&
			strcmp(reading->samples[i].value, value) == 0)
			return reading->samples[i].number;
	fail_msg("there is no %s of '%s'", family, value);
	return 0;
}

static bool has(const struct reading *reading, const char *family)
{
	for (size_t i = 0; i < reading->n_samples; i++)
		if (strcmp(reading->samples[i].family, family) == 0)
			return true;
	return false;
}

static struct state make_state(const struct dict *counters)
{
	return (struct state){
		.presence = CLIENT_THERE,
		.why = "",
		.state = "paused",
		.pause_reason = "",
		.version = "0.1",
		.config_error = "",
		.image_dir = "",
		.day = "2026-11-28",
		.counters = counters,
		.yield_percent = -1,
		.batch_board = "",
	};
}

static void a_service_at_work(void **state)
{
	CLEANUP(dict_done) struct dict counters = {0};
	struct state_slot slots[] = {
		{.state = "empty", .light = LIGHT_IDLE},
		{.state = "working", .light = LIGHT_WORKING},
		{.state = "done", .light = LIGHT_BAD},
		{.state = "done", .light = LIGHT_GOOD},
	};
	struct state plain = make_state(&counters);
	struct reading reading;

	(void)state;
	assert_int_equal(dict_set_long(&counters, "updated", 10), 0);
	assert_int_equal(dict_set_long(&counters, "no-sync", 3), 0);
	plain.slots = slots;
	plain.n_slots = ARRAY_SIZE(slots);
	plain.jobs_running = 1;
	plain.jobs_waiting = 2;
	plain.rules = 3;
	plain.bridges = 4;
	plain.is_config_stale = true;
	plain.config_error = "x";
	plain.first_pass = 9;
	plain.retried = 1;
	plain.bad = 2;
	read_metrics(&plain, &reading);
	assert_true(value_of(&reading, "plugflash_up", "") == 1);
	assert_true(value_of(&reading, "plugflash_build_info", "0.1") == 1);
	assert_true(value_of(&reading, "plugflash_state", "paused") == 1);
	assert_true(value_of(&reading, "plugflash_state", "running") == 0);
	assert_true(value_of(&reading, "plugflash_jobs_running", "") == 1);
	assert_true(value_of(&reading, "plugflash_jobs_waiting", "") == 2);
	assert_true(value_of(&reading, "plugflash_rules", "") == 3);
	assert_true(value_of(&reading, "plugflash_bridges", "") == 4);
	assert_true(value_of(&reading, "plugflash_config_stale", "") == 1);
	assert_true(value_of(&reading, "plugflash_config_refused", "") == 1);
	assert_true(value_of(&reading, "plugflash_slots", "done") == 2);
	assert_true(value_of(&reading, "plugflash_slots", "empty") == 1);
	assert_true(value_of(&reading, "plugflash_slots", "held") == 0);
	assert_true(value_of(&reading, "plugflash_lights", "bad") == 1);
	assert_true(value_of(&reading, "plugflash_lights", "wrong-board") == 0);
	assert_true(value_of(&reading, "plugflash_today_info", "2026-11-28") == 1);
	assert_true(value_of(&reading, "plugflash_today_boards", "first_pass") == 9);
	assert_true(value_of(&reading, "plugflash_today_boards", "retried") == 1);
	assert_true(value_of(&reading, "plugflash_today_boards", "bad") == 2);
	assert_true(value_of(&reading, "plugflash_today_jobs", "updated") == 10);
	assert_true(value_of(&reading, "plugflash_today_jobs", "no-sync") == 3);
	assert_true(value_of(&reading, "plugflash_today_jobs", "quarantined") == 0);
	assert_true(value_of(&reading, "plugflash_today_first_pass_yield_ratio", "") == 0.75);
	assert_true(value_of(&reading, "plugflash_batch_active", "") == 0);
	assert_false(has(&reading, "plugflash_batch_done_boards"));
}

/* The name of a rule, and what a service of a later version says, are text from outside. */
static void texts_are_escaped(void **state)
{
	static const char nasty[] = "a\"b\\c\nplugflash_up 0\n} \xce\xb1";
	CLEANUP(dict_done) struct dict counters = {0};
	struct state plain = make_state(&counters);
	struct reading reading;

	(void)state;
	plain.batch_board = nasty;
	plain.batch_count = 500;
	plain.batch_done = 120;
	plain.version = nasty;
	read_metrics(&plain, &reading);
	assert_true(value_of(&reading, "plugflash_batch_target_boards", nasty) == 500);
	assert_true(value_of(&reading, "plugflash_batch_done_boards", nasty) == 120);
	assert_true(value_of(&reading, "plugflash_build_info", nasty) == 1);
	assert_true(value_of(&reading, "plugflash_up", "") == 1);
}

static void a_day_without_a_board_has_no_yield(void **state)
{
	CLEANUP(dict_done) struct dict counters = {0};
	struct state plain = make_state(&counters);
	struct reading reading;

	(void)state;
	read_metrics(&plain, &reading);
	assert_false(has(&reading, "plugflash_today_first_pass_yield_ratio"));
	assert_true(value_of(&reading, "plugflash_today_boards", "bad") == 0);
}

static void without_a_service_only_that_is_told(void **state)
{
	CLEANUP(dict_done) struct dict counters = {0};
	struct state plain = make_state(&counters);
	struct reading reading;

	(void)state;
	plain.presence = CLIENT_NO_SERVICE;
	read_metrics(&plain, &reading);
	assert_int_equal(reading.n_samples, 2);
	assert_true(value_of(&reading, "plugflash_up", "") == 0);
	assert_true(value_of(&reading, "plugflash_web_build_info", PLUGFLASH_VERSION) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_at_work),
		cmocka_unit_test(texts_are_escaped),
		cmocka_unit_test(a_day_without_a_board_has_no_yield),
		cmocka_unit_test(without_a_service_only_that_is_told),
	};

	return cmocka_run_group_tests_name("web metrics", tests, NULL, NULL);
}
