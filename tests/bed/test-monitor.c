/* SPDX-License-Identifier: MIT */
/*
 * test-monitor.c - `status` and `monitor` beside the real service: in a pipe, as JSON, and on a
 * terminal, of which tmux says what stands on it and in which state it is left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/util.h"
#include "bed/bus-daemon.h"
#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/logind.h"
#include "bed/scene.h"
#include "cli/state-exit.h"

#define PLACE_A1 "pci-0000:00:14.0-usb-0:1:1.0"
#define PLACE_A2 "pci-0000:00:14.0-usb-0:2:1.0"

static const char slots[] = "[slot A1]\npath = " PLACE_A1 "\n[slot A2]\npath = " PLACE_A2 "\n";

/* ---------------------------------------------------------------------------- in a pipe */

/*
 * What the shell makes of the text; $COMMAND is plugflash, with the libraries before it that it is
 * built for, and its files are in $BED. The shell and tmux are the distribution's.
 */
static int shell(struct bed *bed, const char *text)
{
	char command[800];
	int status = -1;
	pid_t pid;

	snprintf(command, sizeof(command), "env 'LD_PRELOAD=%s' %s/plugflash", enclosure_preload(),
		enclosure_build());
	setenv("COMMAND", command, 1);
	setenv("BED", bed_directory(bed), 1);
	setenv("TMUX_TMPDIR", bed_directory(bed), 1);
	command_set_directory(ENV_STATE, bed, "state");
	pid = bed_spawn(bed, BED_MATCH("sh", "-c", text));
	assert_true(bed_wait_child(bed, BED_LONG, pid, &status));
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Until the command says yes. It looks at another process, which tells nobody what it does. */
static void wait_for(struct bed *bed, const char *command)
{
	char text[1200];

	snprintf(text, sizeof(text), "timeout 60 sh -c 'until %s; do sleep 0.05; done'", command);
	if (shell(bed, text) != 0) {
		shell(bed, "cat $BED/out $BED/err >&2; tmux -L bed capture-pane -p >&2");
		fail_msg("not in time: %s", command);
	}
}

static unsigned file_lines(struct bed *bed, const char *part)
{
	return command_lines(bed, part);
}

static json_t *read_document(struct bed *bed)
{
	char path[400];
	json_t *document;

	snprintf(path, sizeof(path), "%s/out", bed_directory(bed));
	document = json_load_file(path, 0, NULL);
	assert_non_null(document);
	return document;
}

static const char *slot_text(json_t *document, size_t i, const char *name)
{
	json_t *value =
		json_object_get(json_array_get(json_object_get(document, "slots"), i), name);

	assert_non_null(value);
	return json_is_null(value) ? "" : json_string_value(value);
}

static void configure_slots(struct bed *bed)
{
	scene_configure(bed, "", slots);
}

/* ------------------------------------------------------------------------------- status */

static void status_says_what_is_not_there(void **state)
{
	struct bed *bed = *state;
	struct logind *bus;
	struct bed_unit *unit;

	setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/run/bed/no-bus", 1);
	assert_int_equal(command_run(bed, "status"), EXIT_NOT_KNOWN);
	assert_int_equal(file_lines(bed, "there is no system bus"), 1);
	assert_int_equal(file_lines(bed, "= NOT KNOWN ="), 1);
	assert_int_equal(file_lines(bed, "last attempts"), 0);
	bus = logind_new(bed, false);
	assert_int_equal(command_run(bed, "status"), EXIT_NOT_RUNNING);
	assert_int_equal(file_lines(bed, "plugflashd does not run"), 1);
	assert_int_equal(file_lines(bed, "= NO SERVICE ="), 1);
	assert_int_equal(command_run(bed, "status --json"), EXIT_NOT_RUNNING);
	assert_int_equal(file_lines(bed, "\"there\": false"), 1);

	/* Of what was done before, the store knows. */
	configure_slots(bed);
	scene_start(bed);
	unit = bed_plug(bed, GATE);
	expect_outcome(unit, "updated");
	expect_good_stop(bed);
	assert_int_equal(command_run(bed, "status"), EXIT_NOT_RUNNING);
	assert_int_equal(file_lines(bed, "The last attempts"), 1);
	assert_int_equal(file_lines(bed, " A1 "), 1);
	assert_int_equal(file_lines(bed, " updated "), 1);
	logind_free(bus);
}

static void status_shows_every_slot(void **state)
{
	struct bed *bed = *state;
	struct logind *bus = logind_new(bed, false);
	struct bed_unit *good, *wrong, *stranger;
	json_t *document;

	configure_slots(bed);
	scene_start(bed);
	assert_int_equal(command_run(bed, "status"), 0);
	assert_int_equal(file_lines(bed, ". A1 "), 1);
	assert_int_equal(file_lines(bed, ". A2 "), 1);
	good = bed_plug(bed, GATE);
	expect_outcome(good, "updated");
	stranger = bed_plug(bed, &(struct bed_board){.serial = "X1", .path = "1-7"});
	assert_non_null(bed_wait_outcome(stranger, BED_LONG));
	wrong = bed_plug(bed, &(struct bed_board){.serial = "A2", .chip = "f103xc", .path = "1-2"});
	expect_outcome(wrong, "wrong-chip");
	/* The journal has an outcome before the bus, which tells counts at most four times a
	 * second. */
	wait_for(bed, "eval $COMMAND status | grep -q \"0 after a retry, 1 bad\"");
	assert_int_equal(command_run(bed, "status"), 0);
	assert_int_equal(file_lines(bed, "RUNNING"), 1);
	assert_int_equal(file_lines(bed, "+ A1 "), 1);
	assert_int_equal(file_lines(bed, "! A2 "), 1);
	assert_int_equal(file_lines(bed, "next: take this board out"), 1);
	assert_int_equal(file_lines(bed, "no-match"), 1);
	assert_int_equal(file_lines(bed, "1 good at once, 0 after a retry, 1 bad"), 1);
	assert_int_equal(file_lines(bed, "\033"), 0);

	assert_int_equal(command_run(bed, "status --json"), 0);
	document = read_document(bed);
	assert_int_equal(json_array_size(json_object_get(document, "slots")), 3);
	assert_string_equal(slot_text(document, 0, "slot"), "A1");
	assert_string_equal(slot_text(document, 0, "light"), "good");
	assert_string_equal(slot_text(document, 0, "port"), bed_port(good));
	assert_string_equal(slot_text(document, 1, "light"), "wrong-board");
	assert_string_equal(slot_text(document, 1, "outcome"), "wrong-chip");
	assert_string_equal(slot_text(document, 2, "serial"), "X1");
	assert_string_equal(slot_text(document, 2, "match"), "none");
	json_decref(document);
	expect_good_stop(bed);
	logind_free(bus);
}

/* --------------------------------------------------------------------------- a terminal */

#define SCREEN	    "tmux -L bed capture-pane -p"
#define SHOWS(text) SCREEN " | grep -qF \"" text "\""

/* In a shell, which says afterwards how it found the terminal. */
static void begin_screen(struct bed *bed, unsigned columns, unsigned lines)
{
	char text[600];

	snprintf(text, sizeof(text),
		"tmux -L bed -f /dev/null new-session -d -x %u -y %u 'exec sh' && "
		"tmux -L bed send-keys 'eval $COMMAND monitor; echo ended $?; stty | grep -c -e -echo' Enter",
		columns, lines);
	assert_int_equal(shell(bed, text), 0);
}

static void end_screen(struct bed *bed)
{
	/* The next one is no server's that is about to end. */
	shell(bed,
		"P=$(tmux -L bed display -p \"#{pid}\" 2>/dev/null) && tmux -L bed kill-server && "
		"while grep -qs \"^State:[^Z]*$\" /proc/$P/status; do sleep 0.05; done");
}

/* Its own screen again, a cursor, and an echo. */
static void expect_good_terminal(struct bed *bed, const char *ended)
{
	char text[200];

	snprintf(text, sizeof(text), SCREEN " | grep -q \"ended %s$\"", ended);
	wait_for(bed, text);
	wait_for(bed, SCREEN " | grep -q \"^[#$ ]*0$\"");
	wait_for(bed,
		"[ \"$(tmux -L bed display -p \"#{alternate_on} #{cursor_flag}\")\" = \"0 1\" ]");
}

/* ------------------------------------------------------------------------ lines of events */

static void begin_lines(struct bed *bed, const char *options)
{
	char text[300];

	snprintf(text, sizeof(text),
		"eval exec $COMMAND monitor %s >$BED/out 2>$BED/err & echo $! >$BED/pid", options);
	assert_int_equal(shell(bed, text), 0);
}

static void end_lines(struct bed *bed)
{
	shell(bed, "kill $(cat $BED/pid)");
}

static void each_event_is_one_line(void **state)
{
	struct bed *bed = *state;
	struct logind *bus = logind_new(bed, false);
	struct bed_unit *good, *wrong;

	configure_slots(bed);
	begin_lines(bed, "");
	wait_for(bed, "grep -q \"plugflashd does not run\" $BED/out");
	scene_start(bed);
	wait_for(bed, "grep -q \"service running\" $BED/out");
	good = bed_plug(bed, GATE_PACED);
	expect_outcome(good, "updated");
	wait_for(bed, "grep -q \"A1 (ttyUSB0): updated\" $BED/out");
	wrong = bed_plug(bed, &(struct bed_board){.serial = "A2", .chip = "f103xc", .path = "1-2"});
	expect_outcome(wrong, "wrong-chip");
	wait_for(bed, "grep -q \"A2 (ttyUSB1): wrong-chip: the chip is .* next: take\" $BED/out");
	bed_unplug(good);
	wait_for(bed, "grep -q \"A1 (ttyUSB0): unplugged\" $BED/out");
	/* One after the other, each once. */
	assert_int_equal(file_lines(bed, "A1 (ttyUSB0): flash begins: gate"), 1);
	assert_int_equal(file_lines(bed, "A1 (ttyUSB0): erase"), 1);
	assert_int_equal(file_lines(bed, "A1 (ttyUSB0): updated"), 1);
	assert_int_equal(file_lines(bed, "A2 (ttyUSB1): wrong-chip"), 1);
	assert_int_equal(file_lines(bed, "\033"), 0);
	expect_good_stop(bed);
	wait_for(bed, "[ $(grep -c \"does not run\" $BED/out) = 2 ]");
	/* Nobody has pulled the other one. */
	assert_int_equal(file_lines(bed, "unplugged"), 1);
	scene_start(bed);
	wait_for(bed, "[ $(grep -c \"service running\" $BED/out) = 2 ]");
	expect_good_stop(bed);
	end_lines(bed);
	logind_free(bus);
}

/* Service and monitor take the bus again by themselves. */
static void a_bus_that_restarts_is_waited_for(void **state)
{
	struct bed *bed = *state;
	struct bus_daemon bus;

	bus_daemon_init(&bus, bed);
	bus_daemon_start(&bus);
	configure_slots(bed);
	scene_start(bed);
	begin_lines(bed, "");
	begin_screen(bed, 80, 24);
	wait_for(bed, "grep -q \"service running\" $BED/out");
	wait_for(bed, SHOWS(". A1 "));
	bus_daemon_end(&bus);
	wait_for(bed, "grep -q \"there is no system bus\" $BED/out");
	wait_for(bed, SHOWS("= NOT KNOWN ="));
	bus_daemon_start(&bus);
	wait_for(bed, "[ $(grep -c \"service running\" $BED/out) = 2 ]");
	wait_for(bed, SHOWS(". A1 "));
	expect_outcome(bed_plug(bed, GATE), "updated");
	wait_for(bed, SHOWS("+ A1 "));
	expect_good_stop(bed);
	end_lines(bed);
	end_screen(bed);
	bus_daemon_done(&bus);
}

/* What is pulled in the middle is told by its job alone: its bridge is gone. */
static void an_end_by_unplugging_is_told(void **state)
{
	struct bed *bed = *state;
	struct logind *bus = logind_new(bed, false);
	struct bed_unit *unit;

	configure_slots(bed);
	scene_start(bed);
	begin_lines(bed, "");
	wait_for(bed, "grep -q \"service running\" $BED/out");
	unit = bed_plug(bed, GATE_PACED);
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 2));
	bed_unplug(unit);
	wait_for(bed, "grep -q \"A1 (ttyUSB0): port-gone\" $BED/out");
	wait_for(bed, "grep -q \"A1 (ttyUSB0): unplugged\" $BED/out");
	assert_int_equal(file_lines(bed, "port-gone"), 1);
	expect_good_stop(bed);
	end_lines(bed);
	logind_free(bus);
}

static void each_event_is_an_object(void **state)
{
	static const char *const words[] = {
		"state", "service", "bridge", "job-new", "phase", "job-removed"};
	struct bed *bed = *state;
	struct logind *bus = logind_new(bed, false);
	unsigned n_events[ARRAY_SIZE(words)] = {0};
	struct bed_unit *unit;
	char path[400], *line = NULL;
	size_t size = 0, n_lines = 0;
	FILE *from;

	configure_slots(bed);
	scene_start(bed);
	begin_lines(bed, "--json");
	wait_for(bed, "grep -q \"^{.event.: .state.\" $BED/out");
	unit = bed_plug(bed, GATE_PACED);
	expect_outcome(unit, "updated");
	wait_for(bed, "grep -q \"job-removed.*.outcome.: .updated.\" $BED/out");
	expect_good_stop(bed);
	wait_for(bed, "[ $(grep -c \"^{.event.: .state.\" $BED/out) = 2 ]");
	end_lines(bed);
	snprintf(path, sizeof(path), "%s/out", bed_directory(bed));
	from = fopen(path, "r");
	assert_non_null(from);
	for (; getline(&line, &size, from) > 0; n_lines++) {
		json_t *event = json_loads(line, 0, NULL);
		const char *word = json_string_value(json_object_get(event, "event"));
		size_t i = 0;

		assert_non_null(word);
		assert_true(json_is_integer(json_object_get(event, "time_ms")));
		while (i < ARRAY_SIZE(words) && strcmp(words[i], word) != 0)
			i++;
		assert_true(i < ARRAY_SIZE(words));
		n_events[i]++;
		assert_true(n_lines > 0 || i == 0);
		json_decref(event);
	}
	fclose(from);
	free(line);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (n_events[i] == 0)
			fail_msg("no event %s", words[i]);
	assert_int_equal(n_events[3], 1);
	assert_int_equal(n_events[5], 1);
	logind_free(bus);
}

/* ------------------------------------------------------------------------- the screen */

static void the_screen_follows_the_service(void **state)
{
	struct bed *bed = *state;
	struct logind *bus = logind_new(bed, false);
	struct bed_unit *unit;

	configure_slots(bed);
	begin_screen(bed, 80, 24);
	wait_for(bed, SHOWS("NO SERVICE"));
	scene_start(bed);
	wait_for(bed, SHOWS(". A1 "));
	unit = bed_plug(bed, GATE_PACED);
	wait_for(bed, SHOWS("> A1 "));
	wait_for(bed, SHOWS("write "));
	expect_outcome(unit, "updated");
	wait_for(bed, SHOWS("+ A1 "));
	/* The last column of a whole line is there, too. */
	wait_for(bed, SCREEN " | grep -q \"^+ A1.*[0-9]:[0-9][0-9]:[0-9][0-9]$\"");
	/* Whatever is left of lines that were longer. */
	assert_int_equal(shell(bed, SCREEN " | grep -q SERVICE"), 1);
	bed_unplug(unit);
	wait_for(bed, SHOWS(". A1 "));
	expect_good_stop(bed);
	wait_for(bed, SHOWS("NO SERVICE"));
	assert_int_equal(shell(bed, SHOWS("A1")), 1);
	assert_int_equal(shell(bed, "tmux -L bed send-keys q"), 0);
	expect_good_terminal(bed, "0");
	end_screen(bed);
	logind_free(bus);
}

static void the_screen_follows_its_size(void **state)
{
	struct bed *bed = *state;
	struct logind *bus = logind_new(bed, false);

	configure_slots(bed);
	scene_start(bed);
	begin_screen(bed, 80, 24);
	wait_for(bed, SHOWS("slot board unit"));
	assert_int_equal(shell(bed, "tmux -L bed resize-window -x 40 -y 3"), 0);
	wait_for(bed, SHOWS("2 more below: 2 idle"));
	assert_int_equal(shell(bed, "tmux -L bed resize-window -x 100 -y 30"), 0);
	wait_for(bed, SHOWS("slot board unit"));
	assert_int_equal(shell(bed, SHOWS("more below")), 1);
	assert_int_equal(shell(bed, "tmux -L bed send-keys C-c"), 0);
	expect_good_terminal(bed, "0");
	expect_good_stop(bed);
	end_screen(bed);
	logind_free(bus);
}

/* The child of the terminal's shell waits for its own child, which draws. */
#define OUTER "$(pgrep -P $(tmux -L bed display -p \"#{pane_pid}\"))"
#define INNER "$(pgrep -P " OUTER ")"

static void whatever_ends_it_the_terminal_is_put_right(void **state)
{
	static const struct {
		const char *how, *ended;
	} rows[] = {
		{"tmux -L bed send-keys C-c", "0"},
		{"kill -TERM " OUTER, "0"},
		{"kill -TERM " INNER, "0"},
		{"kill -KILL " INNER, "137"},
		{"kill -ABRT " INNER, "134"},
	};
	struct bed *bed = *state;
	struct logind *bus = logind_new(bed, false);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin_screen(bed, 80, 24);
		wait_for(bed, SHOWS("NO SERVICE"));
		wait_for(bed,
			"[ \"$(tmux -L bed display -p \"#{alternate_on} #{cursor_flag}\")\" = \"1 0\" ]");
		print_message("# %s\n", rows[i].how);
		assert_int_equal(shell(bed, rows[i].how), 0);
		expect_good_terminal(bed, rows[i].ended);
		end_screen(bed);
	}
	logind_free(bus);
}

/* The one that draws notices, and puts the terminal right itself. */
static void nobody_need_wait_for_it(void **state)
{
	struct bed *bed = *state;
	struct logind *bus = logind_new(bed, false);

	begin_screen(bed, 80, 24);
	wait_for(bed, SHOWS("NO SERVICE"));
	assert_int_equal(shell(bed, "kill -KILL " OUTER), 0);
	wait_for(bed,
		"[ \"$(tmux -L bed display -p \"#{alternate_on} #{cursor_flag}\")\" = \"0 1\" ]");
	assert_int_equal(shell(bed, "tmux -L bed send-keys 'stty | grep -c -e -echo' Enter"), 0);
	wait_for(bed, SCREEN " | grep -q \"^[#$ ]*0$\"");
	end_screen(bed);
	logind_free(bus);
}

static void it_stops_and_goes_on(void **state)
{
	struct bed *bed = *state;
	struct logind *bus = logind_new(bed, false);

	begin_screen(bed, 80, 24);
	wait_for(bed, SHOWS("NO SERVICE"));
	assert_int_equal(shell(bed, "tmux -L bed send-keys C-z"), 0);
	wait_for(bed,
		"[ \"$(tmux -L bed display -p \"#{alternate_on} #{cursor_flag}\")\" = \"0 1\" ]");
	wait_for(bed, SHOWS("Stopped"));
	assert_int_equal(shell(bed, "tmux -L bed send-keys fg Enter"), 0);
	wait_for(bed, SHOWS("NO SERVICE"));
	assert_int_equal(shell(bed, "tmux -L bed send-keys q"), 0);
	wait_for(bed,
		"[ \"$(tmux -L bed display -p \"#{alternate_on} #{cursor_flag}\")\" = \"0 1\" ]");
	end_screen(bed);
	logind_free(bus);
}

static void colours_are_for_terminals_that_want_them(void **state)
{
	static const struct {
		const char *environment;
		bool has_colours;
	} rows[] = {{"TERM=screen", true}, {"TERM=screen NO_COLOR=1", false},
		{"TERM=screen NO_COLOR=", true}};
	struct bed *bed = *state;
	struct logind *bus = logind_new(bed, false);
	char text[400];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(text, sizeof(text),
			"tmux -L bed -f /dev/null new-session -d -x 80 -y 24 'eval exec env %s $COMMAND monitor'",
			rows[i].environment);
		assert_int_equal(shell(bed, text), 0);
		wait_for(bed, SHOWS("NO SERVICE"));
		assert_int_equal(
			shell(bed,
				"tmux -L bed capture-pane -p -e | grep -q \"\033\\[[0-9;]*31m\""),
			rows[i].has_colours ? 0 : 1);
		end_screen(bed);
	}
	/* On a terminal that cannot be drawn on, lines. */
	assert_int_equal(
		shell(bed,
			"tmux -L bed -f /dev/null new-session -d -x 80 -y 24 'eval exec env TERM=dumb $COMMAND monitor'"),
		0);
	wait_for(bed, SHOWS("plugflashd does not run"));
	assert_int_equal(shell(bed, SHOWS("NO SERVICE")), 1);
	end_screen(bed);
	logind_free(bus);
}

static void idle_it_sleeps(void **state)
{
	struct bed *bed = *state;
	struct logind *bus = logind_new(bed, false);
	struct bed_unit *unit;

	configure_slots(bed);
	scene_start(bed);
	unit = bed_plug(bed, GATE);
	expect_outcome(unit, "updated");
	begin_screen(bed, 80, 24);
	wait_for(bed, SHOWS("+ A1 "));
	bed_run(bed, 500);
	assert_int_equal(shell(bed, "grep voluntary /proc/" INNER "/status >$BED/before; sleep 4; "
				    "grep voluntary /proc/" INNER "/status >$BED/after; "
				    "cmp $BED/before $BED/after"),
		0);
	expect_good_stop(bed);
	end_screen(bed);
	logind_free(bus);
}

/* A test that fails leaves its terminal behind, and what runs on it. */
static int tear_down(void **state)
{
	end_screen(*state);
	return scene_tear_down(state);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(status_says_what_is_not_there),
		TEST(status_shows_every_slot),
		TEST(each_event_is_one_line),
		TEST(a_bus_that_restarts_is_waited_for),
		TEST(an_end_by_unplugging_is_told),
		TEST(each_event_is_an_object),
		TEST(the_screen_follows_the_service),
		TEST(the_screen_follows_its_size),
		TEST(whatever_ends_it_the_terminal_is_put_right),
		TEST(nobody_need_wait_for_it),
		TEST(it_stops_and_goes_on),
		TEST(colours_are_for_terminals_that_want_them),
		TEST(idle_it_sleeps),
	};

	enclosure_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
