/* SPDX-License-Identifier: MIT */
/*
 * test-cli-screen.c - the screen of `status` and `monitor`, line by line. The command's objects are
 * in no archive: its files are part of this.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/util.h"
#include "cli/screen-head.c"
#include "cli/screen-text.c"
#include "cli/screen.c"
#include "cli/terminal.c"
#include "unit/mirror-made.h"

/* 2026-11-25 09:46:40 UTC */
#define NOW 1795600000000

struct fixture {
	struct mirror mirror;
	struct dict *manager;
	struct state state;
	struct screen screen;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	setenv("TZ", "UTC", 1);
	tzset();
	fixture->manager = made_manager(&fixture->mirror, "running");
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	screen_done(&fixture->screen);
	state_done(&fixture->state);
	mirror_done(&fixture->mirror);
	free(fixture);
	return 0;
}

static void show(struct fixture *fixture, enum client_presence presence, struct screen_look look)
{
	screen_done(&fixture->screen);
	state_done(&fixture->state);
	assert_int_equal(state_make(&fixture->mirror, presence,
				 "plugflashd does not run; systemctl start plugflashd", NOW,
				 &fixture->state),
		0);
	assert_int_equal(screen_make(&fixture->state, &look, &fixture->screen), 0);
}

static void expect_lines(const struct fixture *fixture, const char *const lines[], size_t n_lines)
{
	for (size_t i = 0; i < fixture->screen.n_lines && i < n_lines; i++)
		assert_string_equal(fixture->screen.lines[i], lines[i]);
	assert_int_equal(fixture->screen.n_lines, n_lines);
}

#define EXPECT(fixture, ...)                                         \
	do {                                                         \
		static const char *const lines_[] = {__VA_ARGS__};   \
		expect_lines((fixture), lines_, ARRAY_SIZE(lines_)); \
	} while (0)

static struct dict *working(struct mirror *mirror, unsigned number)
{
	struct dict *bridge = made_bridge(mirror, number, "working"), *job;
	char id[16];

	snprintf(id, sizeof(id), "a%u", number);
	job = made_job(mirror, bridge, id);
	dict_set_text(job, "Phase", "write");
	dict_set_share(job, "Progress", 0.42);
	dict_set_long(job, "StartTime", NOW - 7000);
	dict_set_number(job, "Attempt", 1);
	return job;
}

static struct dict *ended(struct mirror *mirror, unsigned number, const char *outcome)
{
	struct dict *bridge = made_bridge(mirror, number, "done");

	dict_set_text(bridge, "LastOutcome", outcome);
	dict_set_long(bridge, "LastTime", NOW - 60000);
	dict_set_long(bridge, "Since", NOW - 60000);
	return bridge;
}

/* One of each light, with what is known of each. */
static void make_station(struct fixture *fixture)
{
	struct mirror *mirror = &fixture->mirror;
	CLEANUP(dict_done) struct dict counters = {0};
	struct dict *bridge;

	dict_set_long(&counters, "first-pass", 110);
	dict_set_long(&counters, "retried", 3);
	dict_set_long(&counters, "bad", 12);
	dict_set_counts(fixture->manager, "Counters", &counters);
	dict_set_text(fixture->manager, "CountersDay", "2026-11-25");
	dict_set_text(fixture->manager, "BatchBoard", "gate");
	dict_set_number(fixture->manager, "BatchCount", 500);
	dict_set_number(fixture->manager, "BatchDone", 120);
	dict_set_number(fixture->manager, "Rules", 1);
	dict_set_number(fixture->manager, "Bridges", 6);
	dict_set_number(fixture->manager, "JobsRunning", 1);
	bridge = ended(mirror, 1, "updated");
	dict_set_text(bridge, "Unit", "0123456789abcdef01234567");
	dict_set_long(working(mirror, 2), "ExpectedEndTime", NOW + 12500);
	bridge = ended(mirror, 3, "no-sync");
	dict_set_text(bridge, "LastReason",
		"no boot loader answered at 115200 and 57600 baud in 3 passes; check wiring = direct, BOOT0 and power");
	bridge = made_bridge(mirror, 4, "done");
	dict_set_text(bridge, "Match", "none");
	dict_set_text(bridge, "Board", "");
	dict_set_long(bridge, "Since", NOW - 86400000);
	bridge = made_bridge(mirror, 5, "held");
	dict_set_text(bridge, "LastOutcome", "write-failed");
	dict_set_text(bridge, "LastReason", "block at 0x08001000 was not taken");
	dict_set_long(bridge, "HeldUntil", NOW + 30000);
	made_bridge(mirror, 6, "waiting");
	made_slot(mirror, 1, "A1", BUS_PATH_BRIDGE "/1");
	made_slot(mirror, 2, "A2", BUS_PATH_BRIDGE "/2");
	made_slot(mirror, 3, "left-of-the-press", BUS_PATH_BRIDGE "/3");
	made_slot(mirror, 4, "A4", "/");
}

static void a_station_fits_80_columns(void **state)
{
	struct fixture *fixture = *state;

	make_station(fixture);
	show(fixture, CLIENT_THERE, (struct screen_look){.width = 80, .height = 24});
	EXPECT(fixture, " RUNNING  1 working, 0 waiting; 1 rule, 6 bridges; plugflashd 0.1",
		"2026-11-25: 110 good at once, 3 after a retry, 12 bad; first-pass yield 88 %",
		"batch of gate: 120 of 500 good [#####-------------------]", "",
		"  slot         board unit      state       last                            since",
		"+ A1           gate  01234567~ good        updated                      09:45:40",
		"> A2           gate  -         working     write 42 % 12 s left              7 s",
		"X left-of-the~ gate  -         BAD         no-sync                      09:45:40",
		"    no boot loader answered at 115200 and 57600 baud in 3 passes; check wiring =",
		"    direct, BOOT0 and power",
		"    next: check that the board has power and sits well, then plug it in again",
		". A4           -     -         idle        empty",
		"! ttyUSB3      -     -         WRONG BOARD no-match                        11-24",
		"    next: plug in another board: there is no rule for this one",
		"= ttyUSB4      gate  -         held        write-failed, until 09:47:10",
		"    block at 0x08001000 was not taken",
		"    next: leave it plugged in: it is tried again by itself",
		"~ ttyUSB5      gate  -         waiting");
	assert_true(fixture->screen.counts_seconds);
}

/* Rows are ranked, the head is short, and the last line says what is not there. */
static void a_small_terminal_shows_the_bad_ones_first(void **state)
{
	struct fixture *fixture = *state;

	make_station(fixture);
	show(fixture, CLIENT_THERE, (struct screen_look){.width = 40, .height = 8});
	EXPECT(fixture, " RUNNING  1 working, 0 waiting; 1 rule,~",
		"110 good, 3 retried, 12 bad; yield 88 %", "batch of gate: 120 of 500 good",
		"X left-of-~ BAD         no-sync", "! ttyUSB3   WRONG BOARD no-match",
		"> A2        working     write 42 %", "= ttyUSB4   held        write-failed, u~",
		"3 more below: 1 waiting, 1 good, 1 idle");
}

/* All rows have room, not all reasons: slots keep their order, and the bad ones get the room. */
static void reasons_get_the_room_that_is_left(void **state)
{
	struct fixture *fixture = *state;

	make_station(fixture);
	show(fixture, CLIENT_THERE, (struct screen_look){.width = 80, .height = 12});
	assert_int_equal(fixture->screen.n_lines, 12);
	assert_int_equal(strncmp(fixture->screen.lines[3], "+ A1", 4), 0);
	assert_int_equal(strncmp(fixture->screen.lines[5], "X left", 6), 0);
	assert_int_equal(strncmp(fixture->screen.lines[6], "    no boot loader", 18), 0);
	assert_int_equal(strncmp(fixture->screen.lines[8], ". A4", 4), 0);
	assert_int_equal(strncmp(fixture->screen.lines[11], "~ ttyUSB5", 9), 0);
}

static void a_wide_terminal_shows_names_in_full(void **state)
{
	struct fixture *fixture = *state;

	make_station(fixture);
	show(fixture, CLIENT_THERE, (struct screen_look){.width = 200, .height = 60});
	assert_non_null(strstr(fixture->screen.lines[5], "0123456789abcdef01234567"));
	assert_non_null(strstr(fixture->screen.lines[7], "X left-of-the-press gate"));
	assert_non_null(strstr(fixture->screen.lines[8], "wiring = direct, BOOT0 and power"));
}

static void sixty_bridges_are_all_printed_without_a_height(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned i = 1; i <= 60; i++)
		ended(&fixture->mirror, i, "updated");
	show(fixture, CLIENT_THERE, (struct screen_look){.width = 80});
	assert_int_equal(fixture->screen.n_lines, 1 + 2 + 60);
	show(fixture, CLIENT_THERE, (struct screen_look){.width = 80, .height = 24});
	assert_int_equal(fixture->screen.n_lines, 24);
	assert_string_equal(fixture->screen.lines[23], "40 more below: 40 good");
	assert_false(fixture->screen.counts_seconds);
}

static void a_pause_is_in_the_second_line(void **state)
{
	struct fixture *fixture = *state;

	dict_set_text(fixture->manager, "State", "paused");
	dict_set_text(fixture->manager, "PauseReason", "lunch; maria: rewiring of the fixture");
	made_bridge(&fixture->mirror, 1, "waiting");
	show(fixture, CLIENT_THERE, (struct screen_look){.width = 80, .height = 24});
	EXPECT(fixture,
		"==================================== PAUSED ====================================",
		"0 working, 0 waiting; 0 rules, 0 bridges; plugflashd 0.1",
		"nothing begins: lunch; maria: rewiring of the fixture", "",
		"  slot    board unit state       last                                      since",
		"= ttyUSB0 gate  -    held        waiting",
		"    next: it begins once the service is resumed");
}

static void a_refused_configuration_is_told(void **state)
{
	struct fixture *fixture = *state;

	dict_set_flag(fixture->manager, "ConfigStale", true);
	dict_set_text(fixture->manager, "ConfigError", "gate.conf:3: there is no key 'chipp'");
	show(fixture, CLIENT_THERE, (struct screen_look){.width = 80, .height = 24});
	EXPECT(fixture, " RUNNING  0 working, 0 waiting; 0 rules, 0 bridges; plugflashd 0.1",
		"the configuration on disk is refused, the one before is in force: gate.conf:3:",
		"    there is no key 'chipp'", "",
		"no bridge is plugged in, and the configuration has no slot");
}

static void without_a_service_it_says_so(void **state)
{
	struct fixture *fixture = *state;

	show(fixture, CLIENT_NO_SERVICE, (struct screen_look){.width = 80});
	EXPECT(fixture,
		"================================== NO SERVICE ==================================",
		"plugflashd does not run; systemctl start plugflashd");
	show(fixture, CLIENT_NO_BUS, (struct screen_look){.width = 50, .is_live = true});
	EXPECT(fixture, "=================== NOT KNOWN ====================",
		"plugflashd does not run; systemctl start", "    plugflashd; it is waited for");
	show(fixture, CLIENT_NO_SERVICE,
		(struct screen_look){.width = 50, .height = 8, .is_live = true});
	EXPECT(fixture, "=================== NO SERVICE ===================",
		"plugflashd does not run; systemctl start", "    plugflashd; it is waited for");
}

static void a_retry_and_a_verify_say_so(void **state)
{
	struct fixture *fixture = *state;

	dict_set_number(working(&fixture->mirror, 1), "Attempt", 2);
	dict_set_text(working(&fixture->mirror, 2), "Operation", "verify");
	show(fixture, CLIENT_THERE, (struct screen_look){.width = 80});
	assert_non_null(strstr(fixture->screen.lines[3], "write 42 %, retry ["));
	assert_non_null(strstr(fixture->screen.lines[4], "verify: write 42 % ["));
}

static void what_was_asked_for_is_told_while_it_waits(void **state)
{
	struct fixture *fixture = *state;
	struct dict *bridge = made_bridge(&fixture->mirror, 1, "waiting");

	dict_set_text(bridge, "LastOutcome", "updated");
	dict_set_text(made_job(&fixture->mirror, bridge, "a1"), "Operation", "verify");
	show(fixture, CLIENT_THERE, (struct screen_look){.width = 80});
	assert_string_equal(
		fixture->screen.lines[3], "~ ttyUSB0 gate  -    waiting     verify asked for");
}

/* Sequences that come from outside do nothing, and what is cut stays within its cell. */
static void text_from_outside_is_escaped(void **state)
{
	struct fixture *fixture = *state;
	struct dict *bridge = ended(&fixture->mirror, 1, "no-sync");

	dict_set_text(bridge, "Slot",
		"\033[2Jbr\xc3\xbc"
		"cke");
	dict_set_text(bridge, "Unit", "\xff\xfe");
	dict_set_text(bridge, "LastReason", "\033]0;owned\007 \nnext line");
	dict_set_text(fixture->manager, "Version", "\033[31m");
	show(fixture, CLIENT_THERE, (struct screen_look){.width = 80});
	for (size_t i = 0; i < fixture->screen.n_lines; i++)
		assert_null(strpbrk(fixture->screen.lines[i], "\033\007\n\xff"));
	assert_non_null(strstr(fixture->screen.lines[4], "\\x1b]0;owned\\x07 \\x0anext line"));
}

/* No size makes a line too long, or more lines than there are. */
static void every_size_holds(void **state)
{
	struct fixture *fixture = *state;

	make_station(fixture);
	for (unsigned width = 1; width <= 220; width++)
		for (unsigned height = 1; height <= 40; height += 3) {
			show(fixture, CLIENT_THERE,
				(struct screen_look){.width = width, .height = height});
			assert_true(fixture->screen.n_lines <= height);
			for (size_t i = 0; width >= 40 && i < fixture->screen.n_lines; i++)
				if (screen_columns(fixture->screen.lines[i]) > width)
					fail_msg("%u columns: '%s'", width,
						fixture->screen.lines[i]);
		}
}

/* Without its colours a screen is the same text. */
static void colours_change_no_text(void **state)
{
	struct fixture *fixture = *state;
	struct screen plain;
	bool has_any = false;

	make_station(fixture);
	show(fixture, CLIENT_THERE, (struct screen_look){.width = 80, .height = 24});
	plain = fixture->screen;
	fixture->screen = (struct screen){0};
	show(fixture, CLIENT_THERE,
		(struct screen_look){.width = 80, .height = 24, .has_colours = true});
	assert_int_equal(fixture->screen.n_lines, plain.n_lines);
	for (size_t i = 0; i < plain.n_lines; i++) {
		char text[400], *to = text;

		for (const char *from = fixture->screen.lines[i]; *from; from++) {
			if (*from == '\033') {
				has_any = true;
				from = strchr(from, 'm');
			} else {
				*to++ = *from;
			}
		}
		while (to > text && to[-1] == ' ')
			to--;
		*to = '\0';
		assert_string_equal(text, plain.lines[i]);
	}
	assert_true(has_any);
	screen_done(&plain);
}

static void durations_and_times_fit_their_cell(void **state)
{
	static const struct {
		int64_t msec;
		const char *text;
	} rows[] = {{-1, ""}, {0, "0 s"}, {59999, "59 s"}, {60000, "1m 00s"}, {3599000, "59m 59s"},
		{3600000, "1h 00m"}, {86400000, "24h 00m"}, {INT64_MAX, "25620477"}};
	char text[SCREEN_TIME_COLUMNS + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(screen_duration(rows[i].msec, text), rows[i].text);
	assert_string_equal(screen_time(0, NOW, text), "");
	assert_string_equal(screen_time(NOW, NOW, text), "09:46:40");
	assert_string_equal(screen_time(NOW - 86400000, NOW, text), "11-24");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_station_fits_80_columns),
		TEST(a_small_terminal_shows_the_bad_ones_first),
		TEST(reasons_get_the_room_that_is_left),
		TEST(a_wide_terminal_shows_names_in_full),
		TEST(sixty_bridges_are_all_printed_without_a_height),
		TEST(a_pause_is_in_the_second_line),
		TEST(a_refused_configuration_is_told),
		TEST(without_a_service_it_says_so),
		TEST(a_retry_and_a_verify_say_so),
		TEST(what_was_asked_for_is_told_while_it_waits),
		TEST(text_from_outside_is_escaped),
		TEST(every_size_holds),
		TEST(colours_change_no_text),
		TEST(durations_and_times_fit_their_cell),
	};

	return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}
