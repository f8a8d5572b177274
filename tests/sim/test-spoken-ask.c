/* SPDX-License-Identifier: MIT */
/*
 * test-spoken-ask.c - what plugflash asks of the running applications of sticks, against the
 * simulated ones, which know its code as little as it knows theirs: the version, the way into the
 * boot loader, and both where one frame of either side is lost, broken, cut off or late.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "application/application-protocol.h"
#include "sim/spoken-line.h"
#include "unit/rows.h"

/* As long as the procedure gives (ti-bsl.md 15.1). */
#define ASK_USEC   (2 * USEC_PER_SEC)
#define ENTER_USEC (5 * USEC_PER_SEC)

struct stick_row {
	const char *name, *protocol, *version;
	uint32_t baud;
	enum application_protocol asked;
	const char *said;
};

static const struct stick_row sticks[] = {
	{"ezsp 7.4", "ezsp", "7.4.3.0", 115200, APPLICATION_EZSP, "7.4.3.0"},
	{"ezsp 8.0", "ezsp", "8.0.2.0", 115200, APPLICATION_EZSP, "8.0.2.0"},
	{"ezsp 6.7", "ezsp", "6.7.8.0", 115200, APPLICATION_EZSP, "6.7.8.0"},
	{"ezsp 6.6", "ezsp", "6.6.3.0", 230400, APPLICATION_EZSP, "6.6.3.0"},
	{"cpc", "cpc", "4.4.3", 460800, APPLICATION_CPC, "4.4.3"},
	{"spinel", "spinel", "2.4.4.0", 460800, APPLICATION_SPINEL,
		"SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4"},
	{"zwave", "zwave", "7.18.1.140", 115200, APPLICATION_ZWAVE, "7.18.1 firmware 1.40"},
};

struct talk {
	struct expect expect;
	struct application_link link;
	char version[APPLICATION_VERSION_BYTES];
};

static void begin_link(struct talk *talk, uint64_t usec)
{
	*talk = (struct talk){.expect.port = port};
	assert_int_equal(expect_forget(&talk->expect), 0);
	talk->link = (struct application_link){
		.expect = &talk->expect, .deadline = port_now(port) + usec};
}

static int ask(struct talk *talk, enum application_protocol protocol)
{
	int r;

	begin_link(talk, ASK_USEC);
	r = application_protocol_of(protocol)->ask(&talk->link, talk->version);
	assert_true(port_now(port) <= talk->link.deadline + 100 * USEC_PER_MSEC);
	return r;
}

static int enter(struct talk *talk, enum application_protocol protocol)
{
	int r;

	begin_link(talk, ENTER_USEC);
	r = application_protocol_of(protocol)->enter_loader(&talk->link);
	assert_true(port_now(port) <= talk->link.deadline + 100 * USEC_PER_MSEC);
	return r;
}

static void version_and_loader(void **state)
{
	const struct stick_row *stick = *state;
	struct talk talk;

	begin(stick->protocol, stick->version, stick->baud, NULL);
	assert_int_equal(ask(&talk, stick->asked), APPLICATION_OK);
	assert_string_equal(talk.version, stick->said);
	assert_int_equal(sim_state(sim), SIM_APPLICATION);
	assert_int_equal(enter(&talk, stick->asked), APPLICATION_OK);
	assert_int_equal(port_wait(port, USEC_PER_SEC), 0);
	assert_int_equal(sim_state(sim), SIM_LOADER);
	end();
}

/* The menu that comes at the application's own rate is there for the caller. */
static void menu_is_left_to_the_caller(void **state)
{
	struct talk talk;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sticks); i++) {
		if (sticks[i].baud != 115200)
			continue;
		begin(sticks[i].protocol, sticks[i].version, sticks[i].baud, NULL);
		assert_int_equal(enter(&talk, sticks[i].asked), APPLICATION_OK);
		assert_int_equal(
			expect_text(&talk.expect, "BL > ", port_now(port) + ENTER_USEC, NULL, 0),
			EXPECT_OK);
		end();
	}
}

/* One frame of a conversation, either side's, in each way that the knobs have. */
static void one_frame_costs_nothing(void **state)
{
	const struct stick_row *stick = *state;

	for (uint64_t n = 1; n <= 8; n++) {
		const struct sim_spoken_faults faults[] = {
			{.drop_heard = n},
			{.spoil_heard = n},
			{.drop_said = n},
			{.spoil_said = n},
			{.cut_said = n},
			{.talks = true, .drop_said = n},
		};

		for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
			struct talk talk;
			int r;

			begin(stick->protocol, stick->version, stick->baud, &faults[i]);
			r = ask(&talk, stick->asked);
			/* Of Z-Wave the number of the firmware is given up sooner than the rest. */
			if (r != APPLICATION_OK ||
				strncmp(talk.version, stick->said,
					stick->asked == APPLICATION_ZWAVE ? strlen("7.18") : 64) !=
					0)
				fail_msg("%s, frame %u, fault %zu: %d '%s' '%s'", stick->name,
					(unsigned)n, i, r, talk.version, talk.link.reason.text);
			end();
		}
	}
}

static void one_frame_does_not_bar_the_loader(void **state)
{
	const struct stick_row *stick = *state;

	for (uint64_t n = 1; n <= 6; n++) {
		const struct sim_spoken_faults faults[] = {
			{.drop_said = n},
			{.spoil_said = n},
			{.cut_said = n},
		};

		for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
			struct talk talk;

			begin(stick->protocol, stick->version, stick->baud, &faults[i]);
			assert_int_equal(enter(&talk, stick->asked), APPLICATION_OK);
			assert_int_equal(port_wait(port, USEC_PER_SEC), 0);
			if (sim_state(sim) != SIM_LOADER)
				fail_msg("%s, frame %u, fault %zu", stick->name, (unsigned)n, i);
			end();
		}
	}
}

/* What the application does not do is said, or, where nothing is said, left to the menu's wait. */
static void refusals_are_said(void **state)
{
	static const struct {
		const char *stick;
		struct sim_spoken_faults faults;
		int result;
		const char *reason;
	} rows[] = {
		{"ezsp 7.4", {.launch_error = 0x70}, APPLICATION_REFUSED,
			"it answers launchStandaloneBootloader with status 0x70"},
		{"ezsp 7.4", {.is_locked = true}, APPLICATION_OK, ""},
		{"ezsp 7.4", {.is_mute = true}, APPLICATION_SILENT, ""},
		{"cpc", {.launch_error = 13}, APPLICATION_REFUSED,
			"it answers the request to start its boot loader with CPC status 13"},
		{"cpc", {.has_no_command = true}, APPLICATION_REFUSED,
			"it answers the request to start its boot loader with CPC status 13"},
		{"cpc", {.is_mute = true}, APPLICATION_SILENT, ""},
		{"spinel", {.launch_error = 2}, APPLICATION_REFUSED,
			"it answers the request to start its boot loader with Spinel status 2"},
		{"spinel", {.has_no_command = true}, APPLICATION_REFUSED,
			"it starts again in place of its boot loader: it was built without the way into that"},
		{"zwave", {.is_mute = true}, APPLICATION_SILENT, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t k = 0; k < ARRAY_SIZE(sticks); k++) {
			struct talk talk;
			int r;

			if (strcmp(sticks[k].name, rows[i].stick) != 0)
				continue;
			begin(sticks[k].protocol, sticks[k].version, sticks[k].baud,
				&rows[i].faults);
			r = enter(&talk, sticks[k].asked);
			if (r != rows[i].result ||
				strcmp(talk.link.reason.text, rows[i].reason) != 0)
				fail_msg("row %zu: %d '%s'", i, r, talk.link.reason.text);
			end();
		}
}

/* 0x27 would put it into a mode that nothing but its power ends. */
static void an_old_controller_is_not_sent_there(void **state)
{
	struct talk talk;

	(void)state;
	begin("zwave", "6.7.0.100", 115200, NULL);
	assert_int_equal(enter(&talk, APPLICATION_ZWAVE), APPLICATION_REFUSED);
	assert_int_equal(ask(&talk, APPLICATION_ZWAVE), APPLICATION_OK);
	assert_string_equal(talk.version, "6.07 firmware 1.0");
	end();
}

/* Each protocol asked of each other application, at its rate: silence, and it goes on as before. */
static void strangers_are_silent(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sticks); i++)
		for (enum application_protocol p = 0; p < APPLICATION_PROTOCOL_MAX; p++) {
			struct talk talk;

			if (p == sticks[i].asked)
				continue;
			begin(sticks[i].protocol, sticks[i].version, sticks[i].baud, NULL);
			assert_int_equal(ask(&talk, p), APPLICATION_SILENT);
			assert_int_equal(sim_state(sim), SIM_APPLICATION);
			assert_int_equal(ask(&talk, sticks[i].asked), APPLICATION_OK);
			assert_string_equal(talk.version, sticks[i].said);
			end();
		}
}

/* A menu is asked, by all: it stays a menu, and nothing is uploaded or started. */
static void a_menu_is_not_moved(void **state)
{
	struct talk talk;

	(void)state;
	begin("ezsp", "7.4.3.0", 115200, NULL);
	assert_int_equal(enter(&talk, APPLICATION_EZSP), APPLICATION_OK);
	assert_int_equal(port_wait(port, USEC_PER_SEC), 0);
	for (enum application_protocol p = 0; p < APPLICATION_PROTOCOL_MAX; p++) {
		assert_int_equal(ask(&talk, p), APPLICATION_SILENT);
		assert_int_equal(sim_state(sim), SIM_LOADER);
		assert_int_equal(sim_counters(sim)->files, 0);
		/* Its key "3" is still one of a menu. */
		begin_link(&talk, ASK_USEC);
		assert_int_equal(expect_say(&talk.expect, "3", 1), 0);
		assert_int_equal(
			expect_text(&talk.expect, "BL > ", port_now(port) + ASK_USEC, NULL, 0),
			EXPECT_OK);
	}
	end();
}

int main(void)
{
	struct CMUnitTest tests[48];
	size_t n = 0;

	ADD_ROWS(tests, n, sticks, version_and_loader);
	ADD_TEST(tests, n, menu_is_left_to_the_caller);
	ADD_ROWS(tests, n, sticks, one_frame_costs_nothing);
	ADD_ROWS(tests, n, sticks, one_frame_does_not_bar_the_loader);
	ADD_TEST(tests, n, refusals_are_said);
	ADD_TEST(tests, n, an_old_controller_is_not_sent_there);
	ADD_TEST(tests, n, strangers_are_silent);
	ADD_TEST(tests, n, a_menu_is_not_moved);
	return RUN_TESTS("spoken-ask", tests, n);
}
