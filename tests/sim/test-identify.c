/* SPDX-License-Identifier: MIT */
/*
 * test-identify.c - a board shows which one it is: its lines move as the rule says, and rest
 * afterwards; its boot loader is not entered, and nothing is said to it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "orders.h"

#define LAMP "chip = F103xC\nreset = dtr\nboot = none\n"

/* "dr" are the lines, capital where asserted, then how long they stayed so, in ms, rounded down to
 * hundreds; from the opened port to the closed one. */
static const char *lines_moved(char *to, size_t size)
{
	const struct port_sim_record *record = port_sim_record(BENCH_PORT);
	size_t used = 0;

	to[0] = '\0';
	/* The kernel's own at the open, and those of rest. */
	for (size_t i = 2; i < record->n_lines && used < size; i++) {
		const struct port_sim_lines *at = &record->lines[i];
		uint64_t nsec = i + 1 < record->n_lines ? at[1].at_nsec - at->at_nsec : 0;

		used += (size_t)snprintf(to + used, size - used, "%s%c%c %u", used > 0 ? " | " : "",
			at->lines & LINE_DTR ? 'D' : 'd', at->lines & LINE_RTS ? 'R' : 'r',
			(unsigned)(nsec / 100000000) * 100);
	}
	return to;
}

struct row {
	const char *steps, *moved;
};

static void lines_move_as_the_rule_says(void **state)
{
	static const struct row rows[] = {
		/* Begun once more while 10 s are not over. */
		{"rts=1 3s rts=0 1s",
			"dR 3000 | dr 1000 | dR 3000 | dr 1000 | dR 3000 | dr 1000 | dr 0"},
		{"rts=1 5s rts=0 5s", "dR 5000 | dr 5000 | dr 0"},
		{"rts=1 200ms rts=0 10s", "dR 200 | dr 10000 | dr 0"},
		{"1s rts=1 10s rts=0,dtr=1 10s dtr=0 9s", "dR 10000 | Dr 10000 | dr 9000 | dr 0"},
		/* Left asserted, and yet at rest behind it. */
		{"rts=1 10s", "dR 10000 | dr 0"},
	};
	char text[300], rule[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench;

		snprintf(rule, sizeof(rule), LAMP "identify = %s\n", rows[i].steps);
		bench = f103(NULL, rule);
		must_be(bench, FLASH_IDENTIFY, OUTCOME_CURRENT);
		assert_string_equal(lines_moved(text, sizeof(text)), rows[i].moved);
		assert_int_equal(port_sim_record(BENCH_PORT)->n_sent, 0);
		assert_int_equal(bench->report.phase, PHASE_IDENTIFY);
		assert_int_equal(bench->report.entries, 0);
		assert_true(holds(bench, 0, sim_flash_size(bench->sim), CONTENT));
		bench_free(bench);
	}
}

/* The lines that are asserted while nobody uses the port are so behind it. */
static void lines_come_back_to_a_rest_that_is_asserted(void **state)
{
	struct bench *bench = f103(
		NULL, "chip = F103xC\nreset = !dtr\nboot = none\nidentify = rts=1 6s rts=0 6s\n");
	char text[100];

	(void)state;
	must_be(bench, FLASH_IDENTIFY, OUTCOME_CURRENT);
	assert_string_equal(lines_moved(text, sizeof(text)), "DR 6000 | Dr 6000 | Dr 0");
	bench_free(bench);
}

static void without_the_key_the_port_stays_closed(void **state)
{
	struct bench *bench = f103(NULL, LAMP);

	(void)state;
	must_be(bench, FLASH_IDENTIFY, OUTCOME_BAD_CONFIG);
	reason_has(bench, "does not say how its board shows which one it is: add `identify`");
	assert_int_equal(port_sim_record(BENCH_PORT)->opens, 0);
	bench_free(bench);
}

static bool is_late(void *userdata)
{
	return bench_msec(userdata) >= 4000;
}

/* In the middle of a step: a worker that is told to end has seconds. */
static void somebody_who_cancels_is_heard(void **state)
{
	struct bench *bench = f103(NULL, LAMP "identify = rts=1 10s rts=0 1s\n");
	char text[100];

	(void)state;
	bench->is_cancelled = is_late;
	bench->userdata = bench;
	must_be(bench, FLASH_IDENTIFY, OUTCOME_CANCELLED);
	assert_string_equal(lines_moved(text, sizeof(text)), "dR 4000 | dr 0");
	bench_free(bench);
}

static void a_bridge_that_goes_ends_it(void **state)
{
	struct bench *bench = f103(NULL, LAMP "identify = rts=1 1s rts=0 1s\n");

	(void)state;
	port_sim_set_options(BENCH_PORT, &(struct port_sim_options){.unplug_after_lines = 4});
	bench->goes_away = true;
	must_be(bench, FLASH_IDENTIFY, OUTCOME_PORT_GONE);
	reason_has(bench, "the bridge went away during identify");
	bench_free(bench);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_move_as_the_rule_says),
		cmocka_unit_test(lines_come_back_to_a_rest_that_is_asserted),
		cmocka_unit_test(without_the_key_the_port_stays_closed),
		cmocka_unit_test(somebody_who_cancels_is_heard),
		cmocka_unit_test(a_bridge_that_goes_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
