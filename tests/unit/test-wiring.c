/* SPDX-License-Identifier: MIT */
/*
 * test-wiring.c - keys to steps, and the steps on models of the circuits they are for.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/wiring.h"
#include "unit/rows.h"

/* "dr" are the lines a step sets, capital where asserted, then its wait in ms. */
static void steps_to_text(const struct wiring_steps *steps, char *to, size_t size)
{
	to[0] = '\0';
	for (size_t i = 0; i < steps->n_items; i++) {
		const struct wiring_step *step = &steps->items[i];
		size_t n = strlen(to);

		assert_int_equal(step->lines & ~step->mask, 0);
		snprintf(to + n, size - n, "%s%s%s %g", i > 0 ? " | " : "",
			!(step->mask & LINE_DTR) ? "-"
			: step->lines & LINE_DTR ? "D"
						 : "d",
			!(step->mask & LINE_RTS) ? "-"
			: step->lines & LINE_RTS ? "R"
						 : "r",
			(double)step->wait_usec / 1000);
	}
}

struct steps_row {
	const char *name;
	struct wiring_keys keys;
	const char *enter;
	const char *leave;
	unsigned rest;
};

/* clang-format off */
#define SIXTEEN "dtr=0 dtr=1 dtr=0 dtr=1 dtr=0 dtr=1 dtr=0 dtr=1 " \
	"dtr=0 dtr=1 dtr=0 dtr=1 dtr=0 dtr=1 dtr=0 dtr=1"
/* clang-format on */

static const struct steps_row steps_rows[] = {
	{"wiring: nothing given", {0}, "DR 100 | dR 0", "Dr 100 | dr 0", 0},
	{"wiring: direct", {.wiring = "direct"}, "DR 100 | dR 0", "Dr 100 | dr 0", 0},
	{"wiring: RTS straight at BOOT0", {.reset = "dtr", .boot = "!rts"}, "Dr 100 | dr 0",
		"DR 100 | dR 0", LINE_RTS},
	{"wiring: the same, as a shell takes it", {.boot = "not-rts"}, "Dr 100 | dr 0",
		"DR 100 | dR 0", LINE_RTS},
	{"wiring: both inverted", {.reset = "!dtr", .boot = "!rts"}, "dr 100 | Dr 0",
		"dR 100 | DR 0", LINE_DTR | LINE_RTS},
	{"wiring: lines swapped", {.reset = "rts", .boot = "dtr"}, "DR 100 | Dr 0", "dR 100 | dr 0",
		0},
	{"wiring: no boot line", {.reset = "!rts", .boot = "none"}, "-r 100 | -R 0",
		"-r 100 | -R 0", LINE_RTS},
	{"wiring: no reset line", {.reset = "none", .boot = "rts"}, "-R 0", "-r 0", 0},
	{"wiring: no reset line, boot inverted", {.reset = "none", .boot = "!dtr"}, "d- 0", "D- 0",
		LINE_DTR},
	{"wiring: no line at all", {.reset = "none", .boot = "none"}, "", "", 0},
	{"wiring: one-key", {.wiring = "one-key"}, "dR 100 | DR 0", "dR 100 | dr 0", 0},
	{"wiring: esp", {.wiring = "esp"}, "dr 0 | dR 100 | Dr 50 | dr 0", "dR 100 | dr 0", 0},
	{"wiring: raw steps",
		{.enter = "rts=1,dtr=1 100ms dtr=0 50ms", .leave = "rts=0\tdtr=1 1.5ms  dtr=0"},
		"DR 100 | d- 50", "-r 0 | D- 1.5 | d- 0", 0},
	{"wiring: a wait before the first step", {.enter = "20ms dtr=1", .leave = "dtr=0,rts=1"},
		"-- 20 | D- 0", "dR 0", LINE_RTS},
	{"wiring: a wait of nothing", {.enter = "dtr=1 0 dtr=0", .leave = "dtr=0 10s"},
		"D- 0 | d- 0", "d- 10000", 0},
	{"wiring: sixteen steps", {.enter = SIXTEEN, .leave = "dtr=1"},
		"d- 0 | D- 0 | d- 0 | D- 0 | d- 0 | D- 0 | d- 0 | D- 0 | "
		"d- 0 | D- 0 | d- 0 | D- 0 | d- 0 | D- 0 | d- 0 | D- 0",
		"D- 0", LINE_DTR},
	{"wiring: raw enter, leave from the circuit", {.wiring = "esp", .enter = "dtr=1"}, "D- 0",
		"dR 100 | dr 0", 0},
	{"wiring: raw leave, enter from the lines",
		{.reset = "rts", .boot = "dtr", .leave = "rts=1"}, "DR 100 | Dr 0", "-R 0",
		LINE_RTS},
	{"wiring: a string of stm32flash, translated",
		{.enter = "dtr=0,rts=1 200ms dtr=1 100ms", .leave = "dtr=0,rts=1 200ms rts=0"},
		"dR 200 | D- 100", "dR 200 | -r 0", 0},
};

static void steps_row_holds(void **state)
{
	const struct steps_row *row = *state;
	struct wiring wiring;
	const char *key;
	const char *expected;
	char text[300];

	assert_int_equal(wiring_compile(&row->keys, &wiring, &key, &expected), 0);
	steps_to_text(&wiring.enters[0], text, sizeof(text));
	assert_string_equal(text, row->enter);
	assert_int_equal(wiring.n_enters, 1);
	steps_to_text(&wiring.leave, text, sizeof(text));
	assert_string_equal(text, row->leave);
	assert_int_equal(wiring.rest, row->rest);
}

struct refusal_row {
	const char *name;
	struct wiring_keys keys;
	const char *key;
	const char *expected;
};

#define EXPECTED_LINE  "dtr, rts, !dtr, !rts or none"
#define EXPECTED_STEPS "steps like 'rts=1,dtr=1 100ms dtr=0 50ms'"

static const struct refusal_row refusals[] = {
	{"refused: another wiring", {.wiring = "inverted"}, "wiring", "direct, one-key or esp"},
	{"refused: an empty wiring", {.wiring = ""}, "wiring", "direct, one-key or esp"},
	{"refused: another line", {.reset = "cts"}, "reset", EXPECTED_LINE},
	{"refused: twice inverted", {.boot = "!!rts"}, "boot", EXPECTED_LINE},
	{"refused: none inverted", {.boot = "!none"}, "boot", EXPECTED_LINE},
	{"refused: inverted in two ways", {.boot = "not-!rts"}, "boot", EXPECTED_LINE},
	{"refused: capitals", {.reset = "DTR"}, "reset", EXPECTED_LINE},
	{"refused: an empty line", {.reset = ""}, "reset", EXPECTED_LINE},
	{"refused: one line for both", {.reset = "rts", .boot = "!rts"}, "boot",
		"another line than that of reset"},
	{"refused: one line for both by default", {.boot = "dtr"}, "boot",
		"another line than that of reset"},
	{"refused: reset beside one-key", {.wiring = "one-key", .reset = "dtr"}, "reset",
		"nothing: only wiring = direct has a line for it"},
	{"refused: boot beside esp", {.wiring = "esp", .boot = "rts"}, "boot",
		"nothing: only wiring = direct has a line for it"},
	{"refused: raw steps and a circuit", {.wiring = "esp", .enter = "dtr=1", .leave = "dtr=0"},
		"wiring", "nothing: enter and leave say it all"},
	{"refused: raw steps and a line", {.boot = "rts", .enter = "dtr=1", .leave = "dtr=0"},
		"boot", "nothing: enter and leave say it all"},
	{"refused: how to leave is nowhere", {.enter = "dtr=1"}, "leave",
		"steps, or one of wiring, reset and boot beside it: enter has raw ones, and no wiring says how to leave"},
	{"refused: how to enter is nowhere", {.leave = "dtr=1"}, "enter",
		"steps, because leave has raw ones and no wiring says how to enter"},
	{"refused: no steps", {.enter = "", .leave = "dtr=0"}, "enter", EXPECTED_STEPS},
	{"refused: only a wait", {.enter = "100ms", .leave = "dtr=0"}, "enter", EXPECTED_STEPS},
	{"refused: another level", {.enter = "dtr=1", .leave = "dtr=2"}, "leave", EXPECTED_STEPS},
	{"refused: two digits", {.enter = "dtr=11", .leave = "dtr=0"}, "enter", EXPECTED_STEPS},
	{"refused: another line in a step", {.enter = "cts=1", .leave = "dtr=0"}, "enter",
		EXPECTED_STEPS},
	{"refused: a line twice in a step", {.enter = "dtr=1,dtr=0", .leave = "dtr=0"}, "enter",
		EXPECTED_STEPS},
	{"refused: a comma at the end", {.enter = "dtr=1, rts=0", .leave = "dtr=0"}, "enter",
		EXPECTED_STEPS},
	{"refused: a wait without a unit", {.enter = "dtr=1 100", .leave = "dtr=0"}, "enter",
		EXPECTED_STEPS},
	{"refused: two waits in a row", {.enter = "dtr=1 1s 1s", .leave = "dtr=0"}, "enter",
		EXPECTED_STEPS},
	{"refused: a wait that is too long", {.enter = "dtr=1 10.001s", .leave = "dtr=0"}, "enter",
		"waits of at most 10s"},
	{"refused: seventeen steps", {.enter = SIXTEEN " rts=1", .leave = "dtr=0"}, "enter",
		"at most 16 steps"},
	{"refused: sixteen steps and a wait first", {.enter = "1s " SIXTEEN, .leave = "dtr=0"},
		"enter", "at most 16 steps"},
	{"refused: what stm32flash would read", {.enter = "rts,-dtr,dtr", .leave = "-rts"}, "enter",
		EXPECTED_STEPS},
};

static void refusal_row_holds(void **state)
{
	const struct refusal_row *row = *state;
	struct wiring wiring = {.rest = 77};
	const char *key = NULL;
	const char *expected = NULL;

	assert_int_equal(wiring_compile(&row->keys, &wiring, &key, &expected), -EINVAL);
	assert_string_equal(key, row->key);
	assert_string_equal(expected, row->expected);
	assert_int_equal(wiring.rest, 77);
}

/* The pins of the chip, as a circuit makes them of the lines. */
struct pins {
	bool in_reset;
	bool boot0;
};

static struct pins circuit_plain(unsigned lines)
{
	return (struct pins){lines & LINE_DTR, !(lines & LINE_RTS)};
}

static struct pins circuit_boot_transistor(unsigned lines)
{
	return (struct pins){lines & LINE_DTR, lines & LINE_RTS};
}

static struct pins circuit_two_transistors(unsigned lines)
{
	return (struct pins){!(lines & LINE_DTR), lines & LINE_RTS};
}

static struct pins circuit_swapped(unsigned lines)
{
	return (struct pins){lines & LINE_RTS, lines & LINE_DTR};
}

static struct pins circuit_inverted(unsigned lines)
{
	return (struct pins){!(lines & LINE_DTR), !(lines & LINE_RTS)};
}

/* Facts 5: NRST low while DTR# is high and RTS# low, BOOT0 high while RTS# is low. */
static struct pins circuit_one_key(unsigned lines)
{
	return (struct pins){lines == LINE_RTS, lines & LINE_RTS};
}

static struct pins circuit_esp(unsigned lines)
{
	return (struct pins){lines == LINE_RTS, lines == LINE_DTR};
}

struct circuit_row {
	const char *name;
	struct wiring_keys keys;
	struct pins (*circuit)(unsigned lines);
};

static const struct circuit_row circuits[] = {
	{"circuit: nothing between", {.reset = "dtr", .boot = "!rts"}, circuit_plain},
	{"circuit: transistor at BOOT0", {.reset = "dtr", .boot = "rts"}, circuit_boot_transistor},
	{"circuit: transistors at both", {.reset = "!dtr", .boot = "rts"}, circuit_two_transistors},
	{"circuit: lines swapped", {.reset = "rts", .boot = "dtr"}, circuit_swapped},
	{"circuit: both inverted", {.reset = "!dtr", .boot = "!rts"}, circuit_inverted},
	{"circuit: one-key", {.wiring = "one-key"}, circuit_one_key},
	{"circuit: esp", {.wiring = "esp"}, circuit_esp},
};

/*
 * Runs the steps; the chip looks at BOOT0 as reset is released, by when the lines of the same
 * request have settled. Returns what it saw last, -1 when it was never reset for as long as is
 * needed.
 */
static int run_steps(
	const struct wiring_steps *steps, struct pins (*circuit)(unsigned lines), unsigned *lines)
{
	int booted = -1;
	uint64_t held_usec = 0;

	for (size_t i = 0; i < steps->n_items; i++) {
		const struct wiring_step *step = &steps->items[i];
		bool was_in_reset = circuit(*lines).in_reset;
		struct pins now;

		*lines = (*lines & ~step->mask) | step->lines;
		now = circuit(*lines);
		if (was_in_reset && !now.in_reset && held_usec >= 10000)
			booted = now.boot0;
		held_usec = now.in_reset ? held_usec + step->wait_usec : 0;
	}
	return booted;
}

/* By one line, so that no state in between is one of a reset, however the bridge sets its pins. */
static void let_go(
	const struct wiring_step *step, struct pins (*circuit)(unsigned lines), unsigned *lines)
{
	assert_true(step->mask != (LINE_DTR | LINE_RTS));
	assert_int_equal(step->lines & ~step->mask, 0);
	*lines = (*lines & ~step->mask) | step->lines;
	assert_false(circuit(*lines).in_reset);
	assert_false(circuit(*lines).boot0);
}

static void circuit_row_holds(void **state)
{
	const struct circuit_row *row = *state;
	struct wiring wiring;
	const char *key;
	const char *expected;

	assert_int_equal(wiring_compile(&row->keys, &wiring, &key, &expected), 0);
	for (unsigned before = 0; before < 4; before++) {
		unsigned lines = before;

		assert_int_equal(run_steps(&wiring.enters[0], row->circuit, &lines), 1);
		assert_false(row->circuit(lines).in_reset);
		assert_false(wiring.may_keep_pin);
		let_go(&wiring.let_go, row->circuit, &lines);
		/* A next time begins from there. */
		assert_int_equal(run_steps(&wiring.enters[0], row->circuit, &lines), 1);
		let_go(&wiring.let_go, row->circuit, &lines);
		assert_int_equal(run_steps(&wiring.leave, row->circuit, &lines), 0);
		assert_int_equal(lines, wiring.rest);
		assert_false(row->circuit(lines).in_reset);
		assert_false(row->circuit(lines).boot0);
	}
}

/* Nobody here knows how, or there is need of the pin once more. */
static void the_boot_pin_is_not_let_go_of_blindly(void **state)
{
	static const struct {
		struct wiring_keys keys;
		bool may_keep_pin;
	} rows[] = {
		{{.enter = "dtr=0,rts=1 100ms dtr=1", .leave = "dtr=0 100ms rts=0"}, true},
		{{.wiring = "one-key", .enter = "dtr=0,rts=1 100ms dtr=1"}, true},
		{{.reset = "dtr", .boot = "rts", .enter = "dtr=1,rts=1 100ms dtr=0"}, true},
		{{.reset = "none", .boot = "rts"}, true},
		{{.reset = "dtr", .boot = "none"}, true},
		{{.wiring = "esp"}, false},
		{{.wiring = "direct", .ways = WIRING_WAYS_BSL}, false},
		{{.wiring = "esp direct", .ways = WIRING_WAYS_BSL}, false},
	};
	struct wiring wiring;
	const char *key, *expected;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(wiring_compile(&rows[i].keys, &wiring, &key, &expected), 0);
		assert_int_equal(wiring.let_go.mask, 0);
		assert_int_equal(wiring.may_keep_pin, rows[i].may_keep_pin);
	}
}

/* esp-rom.md 2.2: the ways into an ESP's ROM, in the order in which they are tried. */
static const char *const rom_ways[] = {
	"dr 0 | DR 0 | dR 100 | Dr 50 | dr 0 | d- 0",
	"dr 0 | DR 0 | dR 100 | Dr 550 | dr 0 | d- 0",
	"d- 0 | -R 100 | D- 0 | -r 50 | d- 0",
	"d- 0 | -R 100 | D- 0 | -r 550 | d- 0",
};

static const char *const rom_ways_acm[] = {
	"dr 0 | DR 0 | dR 100 | Dr 50 | Dr 0",
	"dr 0 | DR 0 | dR 100 | Dr 550 | Dr 0",
	"d- 0 | -R 100 | D- 0 | -r 50",
	"d- 0 | -R 100 | D- 0 | -r 550",
};

static void compile_rom(const struct wiring_keys *given, struct wiring *ret)
{
	struct wiring_keys keys = *given;
	const char *key, *expected;

	keys.ways = WIRING_WAYS_ESP;
	assert_int_equal(wiring_compile(&keys, ret, &key, &expected), 0);
}

static void assert_ways(const struct wiring *wiring, const char *const ways[static 4])
{
	char text[300];

	assert_int_equal(wiring->n_enters, 4);
	for (size_t i = 0; i < 4; i++) {
		steps_to_text(&wiring->enters[i], text, sizeof(text));
		assert_string_equal(text, ways[i]);
	}
}

static void an_esp_has_four_ways_in(void **state)
{
	struct wiring wiring;
	char text[300];

	(void)state;
	compile_rom(&(struct wiring_keys){.wiring = (char *)"esp"}, &wiring);
	assert_ways(&wiring, rom_ways);
	steps_to_text(&wiring.leave, text, sizeof(text));
	assert_string_equal(text, "dR 100 | dr 0");
	assert_int_equal(wiring.rest, 0);
}

/* A rule's own steps are the one way, and so is any other circuit. */
static void other_wirings_have_one_way_in(void **state)
{
	static const struct wiring_keys others[] = {
		{.wiring = "esp", .enter = "dtr=1"},
		{.wiring = "one-key"},
		{.wiring = "direct"},
		{.enter = "dtr=1", .leave = "dtr=0"},
	};
	struct wiring wiring, suited;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		compile_rom(&others[i], &wiring);
		assert_int_equal(wiring.n_enters, 1);
		suited = wiring;
		wiring_suit_acm(&suited);
		assert_memory_equal(&suited, &wiring, sizeof(wiring));
	}
}

/* esp-rom.md 2.4: a CP2102C drops RTS, and so resets the chip, while DTR is released. */
static void behind_a_cp2102c_dtr_stays_asserted(void **state)
{
	struct wiring wiring;
	char text[300];

	(void)state;
	compile_rom(&(struct wiring_keys){.wiring = (char *)"esp"}, &wiring);
	wiring_suit_acm(&wiring);
	assert_ways(&wiring, rom_ways_acm);
	steps_to_text(&wiring.leave, text, sizeof(text));
	assert_string_equal(text, "d- 0 | -R 100 | D- 100 | -r 0");
	assert_int_equal(wiring.rest, LINE_DTR);
	/* A rule's own way out stays. */
	compile_rom(&(struct wiring_keys){.wiring = (char *)"esp", .leave = (char *)"rts=1,dtr=0"},
		&wiring);
	wiring_suit_acm(&wiring);
	assert_ways(&wiring, rom_ways_acm);
	assert_int_equal(wiring.leave.n_items, 1);
	assert_int_equal(wiring.rest, LINE_RTS);
}

/*
 * The circuit with a capacitor at EN that takes `rise_usec`: the chip looks at its boot pin once EN
 * has risen. 1: the loader, 0: the flash, -1: no reset.
 */
static int run_slowly(const struct wiring_steps *steps, uint64_t rise_usec)
{
	unsigned lines = 0;
	uint64_t low_usec = 0, high_usec = 0;
	int booted = -1;

	for (size_t i = 0; i < steps->n_items; i++) {
		const struct wiring_step *step = &steps->items[i];
		struct pins pins;

		lines = (lines & ~step->mask) | step->lines;
		pins = circuit_esp(lines);
		if (pins.in_reset) {
			low_usec += step->wait_usec;
			high_usec = 0;
			booted = -1;
			continue;
		}
		high_usec += step->wait_usec;
		if (booted < 0 && low_usec > 0 && high_usec > rise_usec)
			booted = pins.boot0;
	}
	return booted < 0 && low_usec > 0 ? 0 : booted;
}

static void the_second_way_outlasts_a_large_capacitor(void **state)
{
	struct wiring wiring;

	(void)state;
	compile_rom(&(struct wiring_keys){.wiring = (char *)"esp"}, &wiring);
	assert_int_equal(run_slowly(&wiring.enters[0], 12000), 1);
	assert_int_equal(run_slowly(&wiring.enters[0], 120000), 0);
	assert_int_equal(run_slowly(&wiring.enters[1], 120000), 1);
	assert_int_equal(run_slowly(&wiring.enters[2], 12000), 1);
	assert_int_equal(run_slowly(&wiring.enters[3], 120000), 1);
	assert_int_equal(run_slowly(&wiring.leave, 120000), 0);
}

/* Lines that the way into the loader or out of it moves, and others. */
static void steps_meet_the_lines_of_a_wiring(void **state)
{
	static const struct {
		struct wiring_keys keys;
		const char *steps;
		bool meets;
	} rows[] = {
		{{.wiring = "direct"}, "rts=1 1s rts=0", true},
		{{.reset = "dtr", .boot = "none"}, "rts=1 1s rts=0", false},
		{{.reset = "dtr", .boot = "none"}, "rts=1,dtr=1 1s rts=0", true},
		{{.reset = "none", .boot = "none"}, "rts=1,dtr=1 1s rts=0", false},
		{{.enter = "dtr=1", .leave = "rts=1"}, "rts=0 1s", true},
	};
	struct wiring wiring;
	struct wiring_steps steps;
	const char *key, *expected;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(wiring_compile(&rows[i].keys, &wiring, &key, &expected), 0);
		assert_int_equal(wiring_parse_identify(rows[i].steps, &steps, &expected), 0);
		assert_int_equal(wiring_meets(&wiring, &steps), rows[i].meets);
		assert_false(wiring_meets(&wiring, &(struct wiring_steps){.n_items = 0}));
	}
}

int main(void)
{
	struct CMUnitTest tests[96];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, steps_rows, steps_row_holds);
	ADD_ROWS(tests, n_tests, refusals, refusal_row_holds);
	ADD_ROWS(tests, n_tests, circuits, circuit_row_holds);
	ADD_TEST(tests, n_tests, the_boot_pin_is_not_let_go_of_blindly);
	ADD_TEST(tests, n_tests, an_esp_has_four_ways_in);
	ADD_TEST(tests, n_tests, other_wirings_have_one_way_in);
	ADD_TEST(tests, n_tests, behind_a_cp2102c_dtr_stays_asserted);
	ADD_TEST(tests, n_tests, the_second_way_outlasts_a_large_capacitor);
	ADD_TEST(tests, n_tests, steps_meet_the_lines_of_a_wiring);
	return RUN_TESTS("wiring", tests, n_tests);
}
