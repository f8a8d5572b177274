/* SPDX-License-Identifier: MIT */
/* A bus that comes late, goes and comes again, stands still or is flooded: boards go on, memory
 * does not grow, and whoever looks afterwards sees what is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "bed/bed-private.h"
#include "bed/enclosure.h"
#include "bed/stage.h"

#define NOBODY 65534
/* Far more than a service at work has, and far less than a queue without end. */
#define RESIDENT_MAX_KIB (24 * 1024)

static void expect_little_memory(struct stage *stage, const char *what)
{
	long resident = bed_figure(stage->bed, "VmHWM");

	assert_true(resident > 0);
	print_message("# figure: most resident memory, %s: %ld KiB\n", what, resident);
#ifndef __SANITIZE_ADDRESS__
	assert_in_range(resident, 0, RESIDENT_MAX_KIB);
#endif
}

static struct bed_unit *plug_at(struct stage *stage, const char *serial, bool is_paced)
{
	static char places[64][12];
	static unsigned n;
	char *place = places[n++ % ARRAY_SIZE(places)];

	snprintf(place, sizeof(places[0]), "1-8.%u", n);
	return bed_plug(stage->bed,
		&(struct bed_board){.serial = serial, .path = place, .is_paced = is_paced});
}

/* -------------------------------------------------------------------------- comes and goes */

static void a_bus_that_comes_late_is_taken(void **state)
{
	struct stage *stage = *state;
	char path[200];

	stage_end_bus(stage);
	snprintf(path, sizeof(path), "%s/bus", bed_directory(stage->bed));
	(void)unlink(path);
	scene_start(stage->bed);
	expect_outcome(plug_at(stage, "A1", false), "updated");
	stage_begin_bus(stage);
	assert_true(peer_wait_name(stage->peer, BED_LONG, BUS_NAME, true));
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "LastOutcome", "updated");
	expect_outcome(plug_at(stage, "A2", false), "updated");
	assert_true(peer_wait_count(stage->peer, BED_LONG, "JobRemoved", NULL, 1));
}

/* Its socket is still there, and nobody is behind it. */
static void a_bus_that_was_restarted_in_mid_update_has_the_job_again(void **state)
{
	struct stage *stage = *state;
	struct bed_unit *unit;
	char job[1024];

	stage_start(stage);
	unit = plug_at(stage, "A1", true);
	assert_true(bed_wait_command(unit, BED_LONG, ERASE, 1));
	stage_end_bus(stage);
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 2));
	stage_begin_bus(stage);
	assert_true(peer_wait_name(stage->peer, BED_LONG, BUS_NAME, true));
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "State", "working");
	peer_property(stage->peer, BRIDGE_1, BUS_BRIDGE, "Job", job);
	expect_property(stage, job, BUS_JOB, "Bridge", BRIDGE_1);
	expect_outcome(unit, "updated");
	assert_true(peer_wait_count(stage->peer, BED_LONG, "JobRemoved", NULL, 1));
	expect_told(stage, BRIDGE_1, "LastOutcome", "updated");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

static void whoever_watches_sees_the_service_go_and_come(void **state)
{
	struct stage *stage = *state;
	struct bed_unit *unit;

	stage_start(stage);
	unit = plug_at(stage, "A1", false);
	expect_outcome(unit, "updated");
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "State", "done");
	expect_good_stop(stage->bed);
	assert_true(peer_wait_count(stage->peer, BED_LONG, "NameOwnerChanged", NULL, 2));
	assert_true(peer_wait_name(stage->peer, BED_LONG, BUS_NAME, false));
	peer_forget(stage->peer);
	stage_start(stage);
	assert_true(peer_wait_count(stage->peer, BED_LONG, "NameOwnerChanged", NULL, 1));
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "Board", "gate");
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "LastOutcome", "current");
}

/* `systemctl start plugflashd && plugflash pause`: the second finds it. */
static void who_is_told_that_it_is_ready_finds_it_on_the_bus(void **state)
{
	struct stage *stage = *state;

	bed_start_service(stage->bed, 0);
	assert_true(bed_wait_ready(stage->bed, BED_LONG));
	assert_true(peer_wait_name(stage->peer, 0, BUS_NAME, true));
	expect_good_stop(stage->bed);
	/* A bus that does not answer is waited for half a second, and no longer. */
	kill(stage->daemon.pid, SIGSTOP);
	bed_start_service(stage->bed, 0);
	assert_true(bed_wait_ready(stage->bed, BED_LONG));
	kill(stage->daemon.pid, SIGCONT);
	assert_true(peer_wait_name(stage->peer, BED_LONG, BUS_NAME, true));
}

static void a_name_that_somebody_else_has_comes_when_he_goes(void **state)
{
	struct stage *stage = *state;
	struct peer *thief = peer_new(stage->peers);

	assert_true(sd_bus_request_name(peer_bus(thief), BUS_NAME, 0) >= 0);
	scene_start(stage->bed);
	expect_outcome(plug_at(stage, "A1", false), "updated");
	assert_non_null(bed_wait_journal(stage->bed, BED_LONG,
		BED_MATCH(
			"MESSAGE=the system bus: another process has the name " BUS_NAME
			": it is taken when that process ends; boards are flashed, but status, monitor and page do not see it")));
	peer_free(thief);
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "LastOutcome", "updated");
}

/* ----------------------------------------------------------------------- does not read */

/* Of many boards, each plugged in anew a few times: less than is taken for a bad contact. */
#define BOARDS 6
#define TIMES  4

static void plug_many(struct stage *stage)
{
	struct bed_unit *units[BOARDS];

	for (unsigned i = 0; i < BOARDS; i++) {
		units[i] = plug_at(stage, "A1", false);
		expect_outcome(units[i], "updated");
	}
	for (unsigned i = 0; i < BOARDS * (TIMES - 1); i++) {
		bed_unplug(units[i % BOARDS]);
		bed_replug(units[i % BOARDS], NULL);
		expect_outcome(units[i % BOARDS], "current");
	}
}

/* What is sent waits in the service, and not in its socket. */
static void start_with_small_sockets(struct stage *stage)
{
	setenv("BED_SMALL_SOCKETS", "1", 1);
	stage_start(stage);
	unsetenv("BED_SMALL_SOCKETS");
}

static void a_bus_that_stands_still_costs_one_difference(void **state)
{
	struct stage *stage = *state;

	start_with_small_sockets(stage);
	kill(stage->daemon.pid, SIGSTOP);
	plug_many(stage);
	expect_outcome(plug_at(stage, "A2", true), "updated");
	expect_little_memory(stage, "while the bus stood still");
	kill(stage->daemon.pid, SIGCONT);
	/* Then what is, and not what was: of the bridges that came and went in between nothing. */
	assert_true(peer_wait_count(stage->peer, BED_LONG, "JobRemoved", NULL, 1));
	expect_property(stage, BUS_PATH_BRIDGE "/25", BUS_BRIDGE, "LastOutcome", "updated");
	expect_property(stage, BUS_PATH, BUS_MANAGER, "Bridges", "7");
	expect_told(stage, BUS_PATH, "Bridges", "7");
}

static void a_service_ends_beside_a_bus_that_stands_still(void **state)
{
	struct stage *stage = *state;

	start_with_small_sockets(stage);
	kill(stage->daemon.pid, SIGSTOP);
	plug_many(stage);
	expect_good_stop(stage->bed);
	kill(stage->daemon.pid, SIGCONT);
	assert_true(peer_wait_name(stage->peer, BED_LONG, BUS_NAME, false));
}

struct flood {
	const char *interface, *method, *types;
	bool is_reading;
};

/* Calls all the time, and reads the answers or does not. Never comes back. */
static int be_flood(void *userdata)
{
	const struct flood *flood = userdata;
	uint64_t cookie; /* without one no answer is sent */
	sd_bus *bus;

	if (sd_bus_open_system(&bus) < 0)
		return 1;
	for (;;) {
		CLEANUP(sd_bus_message_unrefp) sd_bus_message *call = NULL;
		int r = sd_bus_message_new_method_call(
			bus, &call, BUS_NAME, BUS_PATH, flood->interface, flood->method);

		if (r >= 0 && *flood->types == 't')
			r = sd_bus_message_append(call, flood->types, UINT64_C(0), 200, 0);
		else if (r >= 0 && *flood->types)
			r = sd_bus_message_append(call, flood->types, 0);
		if (r >= 0)
			r = sd_bus_send(bus, call, &cookie);
		if (r >= 0)
			r = sd_bus_flush(bus);
		while (r >= 0 && flood->is_reading)
			if ((r = sd_bus_process(bus, NULL)) == 0)
				break;
		/* The bus throws out who does not read: he comes again. */
		if (r < 0) {
			sd_bus_close_unref(bus);
			bus = NULL;
			if (sd_bus_open_system(&bus) < 0)
				return 1;
		}
	}
}

static void expect_boards_under_flood(struct stage *stage, const struct flood *flood)
{
	struct peer *other = stage->peer;
	uint64_t begun;
	pid_t pids[3];
	int status;

	stage_start(stage);
	for (unsigned i = 0; i < 5; i++)
		expect_outcome(plug_at(stage, "A9", false), "updated");
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		pids[i] = peers_fork(stage->peers, NOBODY, be_flood, (void *)flood);
	bed_run(stage->bed, 500);
	begun = bed_now();
	expect_outcome(plug_at(stage, "A1", true), "updated");
	print_message("# figure: a paced update while three call %s all the time: %llu ms\n",
		flood->method, (unsigned long long)((bed_now() - begun) / 1000000));
	expect_little_memory(stage, "under a flood");
	assert_true(bed_is_running(stage->bed));
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		kill(pids[i], SIGKILL);
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
	}
	/* Others are answered, and what they are told is what is. */
	expect_property(stage, BUS_PATH_BRIDGE "/6", BUS_BRIDGE, "LastOutcome", "updated");
	assert_true(peer_wait_count(other, BED_LONG, "JobRemoved", NULL, 1));
}

static void a_flood_of_calls_delays_no_board(void **state)
{
	static const struct flood flood = {BUS_MANAGER, "Resume", "a{sv}", true};

	expect_boards_under_flood(*state, &flood);
}

static void lists_that_nobody_reads_do_not_pile_up(void **state)
{
	static const struct flood flood = {BUS_MANAGER, "ListAttempts", "tua{sv}", false};

	expect_boards_under_flood(*state, &flood);
}

/* The bus stops with its calls in our socket: the answers do not become a queue of megabytes. */
static void a_bus_that_stops_in_mid_flood_costs_no_memory(void **state)
{
	static const struct flood flood = {OBJECTS, "GetManagedObjects", "", false};
	struct stage *stage = *state;
	pid_t pids[3];
	int status;

	stage_start(stage);
	for (unsigned i = 0; i < 30; i++)
		(void)plug_at(stage, "X1", false);
	expect_property(stage, BUS_PATH, BUS_MANAGER, "Bridges", "30");
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		pids[i] = peers_fork(stage->peers, NOBODY, be_flood, (void *)&flood);
	bed_run(stage->bed, 500);
	kill(stage->daemon.pid, SIGSTOP);
	expect_outcome(plug_at(stage, "A1", true), "updated");
	expect_little_memory(stage, "with a bus that stopped in mid flood");
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		kill(pids[i], SIGKILL);
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
	}
	kill(stage->daemon.pid, SIGCONT);
	expect_property(stage, BUS_PATH_BRIDGE "/31", BUS_BRIDGE, "LastOutcome", "updated");
}

static void a_message_of_megabytes_is_refused_and_its_room_given_back(void **state)
{
	enum { BYTES = 20 * 1000 * 1000 };
	struct stage *stage = *state;
	char *text = malloc(BYTES + 1);
	long resident;

	assert_non_null(text);
	memset(text, 'x', BYTES);
	text[BYTES] = '\0';
	stage_start(stage);
	for (unsigned i = 0; i < 5; i++)
		expect_error(peer_call(stage->peer, BUS_PATH, NULL, "Pause", "sa{sv}", text, 0),
			BUS_ERROR_INVALID, "too long");
	free(text);
	expect_property(stage, BUS_PATH, BUS_MANAGER, "State", "running");
	resident = bed_figure(stage->bed, "VmRSS");
	print_message("# figure: resident memory after messages of 20 MB: %ld KiB\n", resident);
#ifndef __SANITIZE_ADDRESS__
	assert_in_range(resident, 1, RESIDENT_MAX_KIB / 2);
#endif
}

/* Hears everything, reads nothing. */
static int be_deaf(void *userdata)
{
	sd_bus *bus;

	(void)userdata;
	if (sd_bus_open_system(&bus) < 0 ||
		sd_bus_add_match(bus, NULL, "type='signal'", NULL, NULL) < 0)
		return 1;
	for (;;)
		pause();
}

static void one_who_never_reads_takes_nothing_from_others(void **state)
{
	struct stage *stage = *state;
	pid_t pid;
	int status;

	stage_start(stage);
	pid = peers_fork(stage->peers, NOBODY, be_deaf, NULL);
	plug_many(stage);
	assert_true(peer_wait_count(stage->peer, BED_LONG, "JobRemoved", NULL, BOARDS * TIMES));
	expect_little_memory(stage, "with one who never reads");
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* Twenty at once, of which eight wait for polkit; the exit status is how many were refused. */
static int be_asker(void *userdata)
{
	unsigned n_answers = 0, n_busy = 0;
	uint64_t cookie; /* without one no answer is sent */
	sd_bus *bus;

	(void)userdata;
	if (sd_bus_open_system(&bus) < 0)
		return 100;
	for (unsigned i = 0; i < 20; i++) {
		CLEANUP(sd_bus_message_unrefp) sd_bus_message *call = NULL;

		if (sd_bus_message_new_method_call(
			    bus, &call, BUS_NAME, BUS_PATH, BUS_MANAGER, "Resume") < 0 ||
			sd_bus_message_append(call, "a{sv}", 0) < 0 ||
			sd_bus_send(bus, call, &cookie) < 0)
			return 101;
	}
	while (n_answers < 20) {
		CLEANUP(sd_bus_message_unrefp) sd_bus_message *message = NULL;
		int r = sd_bus_process(bus, &message);

		if (r < 0)
			return 102;
		if (r == 0)
			sd_bus_wait(bus, UINT64_MAX);
		if (message && sd_bus_message_is_method_error(message, BUS_ERROR_BUSY))
			n_busy++;
		n_answers += message && sd_bus_message_is_method_error(message, NULL);
	}
	return (int)n_busy;
}

static bool has_asked(void *userdata)
{
	return polkit_asked(userdata) == 8;
}

static void questions_to_polkit_are_bounded(void **state)
{
	struct stage *stage = *state;
	struct polkit *polkit = polkit_new(stage->peers);
	int status;
	pid_t pid;

	stage_start(stage);
	polkit_say(polkit, POLKIT_MUTE);
	pid = peers_fork(stage->peers, NOBODY, be_asker, NULL);
	if (!bed_wait(stage->bed, BED_LONG, has_asked, polkit))
		fail_msg("polkit was asked %u times", polkit_asked(polkit));
	/* Boards do not wait for people. */
	expect_outcome(plug_at(stage, "A1", false), "updated");
	polkit_say(polkit, POLKIT_NO);
	polkit_answer_all(polkit);
	assert_true(bed_wait_child(stage->bed, BED_LONG, pid, &status));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 12);
	assert_int_equal(polkit_asked(polkit), 8);
	polkit_free(polkit);
}

#define CONNECTIONS 8

/* As many calls as one connection may have, over each of eight; they stay open. */
static int be_crowd(void *userdata)
{
	uint64_t cookie; /* without one no answer is sent */

	(void)userdata;
	for (unsigned i = 0; i < CONNECTIONS * 8; i++) {
		static sd_bus *bus[CONNECTIONS];
		CLEANUP(sd_bus_message_unrefp) sd_bus_message *call = NULL;
		sd_bus **to = &bus[i % CONNECTIONS];

		if ((!*to && sd_bus_open_system(to) < 0) ||
			sd_bus_message_new_method_call(
				*to, &call, BUS_NAME, BUS_PATH, BUS_MANAGER, "Resume") < 0 ||
			sd_bus_message_append(call, "a{sv}", 0) < 0 ||
			sd_bus_send(*to, call, &cookie) < 0 || sd_bus_flush(*to) < 0)
			return 100;
	}
	for (;;)
		pause();
}

static bool has_asked_for_crowd(void *userdata)
{
	return polkit_asked(userdata) >= 32;
}

/* One who lets polkit wait for his password has half of the places: the others are for others. */
static void one_user_does_not_keep_others_from_steering(void **state)
{
	struct stage *stage = *state;
	struct polkit *polkit = polkit_new(stage->peers);
	int status;
	pid_t pid;

	stage_start(stage);
	polkit_say(polkit, POLKIT_MUTE);
	pid = peers_fork(stage->peers, NOBODY, be_crowd, NULL);
	if (!bed_wait(stage->bed, BED_LONG, has_asked_for_crowd, polkit))
		fail_msg("polkit was asked %u times", polkit_asked(polkit));
	/* All of the crowd's calls are there before this one is answered. */
	bed_run(stage->bed, 200);
	expect_good(peer_call(stage->peer, BUS_PATH, NULL, "Pause", "sa{sv}", "fire", 0));
	assert_int_equal(polkit_asked(polkit), 32);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	polkit_free(polkit);
}

static const struct CMUnitTest tests[] = {
	STAGE_TEST(a_bus_that_comes_late_is_taken),
	STAGE_TEST(a_bus_that_was_restarted_in_mid_update_has_the_job_again),
	STAGE_TEST(whoever_watches_sees_the_service_go_and_come),
	STAGE_TEST(who_is_told_that_it_is_ready_finds_it_on_the_bus),
	STAGE_TEST(a_name_that_somebody_else_has_comes_when_he_goes),
	STAGE_TEST(a_bus_that_stands_still_costs_one_difference),
	STAGE_TEST(a_service_ends_beside_a_bus_that_stands_still),
	STAGE_TEST(a_flood_of_calls_delays_no_board),
	STAGE_TEST(lists_that_nobody_reads_do_not_pile_up),
	STAGE_TEST(a_bus_that_stops_in_mid_flood_costs_no_memory),
	STAGE_TEST(a_message_of_megabytes_is_refused_and_its_room_given_back),
	STAGE_TEST(one_who_never_reads_takes_nothing_from_others),
	STAGE_TEST(questions_to_polkit_are_bounded),
	STAGE_TEST(one_user_does_not_keep_others_from_steering),
};

SCENE_MAIN(tests)
