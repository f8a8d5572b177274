/* SPDX-License-Identifier: MIT */
/*
 * What Home Assistant finds: an entity of each unit, with the version that it should have, and a
 * button where one may be pressed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fleet/command.h"
#include "unit/up-bench.h"

#define HOME_1	   "homeassistant/update/plugflash_gw__aa01/config"
#define HOME_PLACE "homeassistant/update/plugflash_gw__usb-2/config"

static void home_assistant_finds_a_unit(void **state)
{
	(void)state;
	bench.settings.home_assistant = true;
	begin();
	up_set_latest(bench.up, "gate", "1.3.0");
	up_set_latest(bench.up, "another", "9");
	quiet();
	assert_text(UNIT_1, "version", "1.2.0");
	assert_text(UNIT_1, "latest_version", "1.3.0");
	assert_non_null(strstr(at_broker(HOME_1), "\"state_topic\": \"" UNIT_1 "\""));
	assert_null(strstr(at_broker(HOME_1), "command_topic"));
	up_set_latest(bench.up, "gate", "");
	quiet();
	assert_text(UNIT_1, "latest_version", "1.2.0");
	bench.n_units = 0;
	dict_done(&bench.units[0]);
	changed(bridge(1), CLIENT_BRIDGE);
	quiet();
	assert_string_equal(at_broker(HOME_1), "");
	assert_string_equal(at_broker(UNIT_1), "");
}

static void its_button_is_there_where_retry_is_allowed(void **state)
{
	(void)state;
	kill_process();
	bench.settings.home_assistant = true;
	bench.settings.commands = 1U << COMMAND_RETRY;
	start_process();
	begin();
	assert_non_null(
		strstr(at_broker(HOME_1), "\"command_topic\": \"plugflash/gw/cmd/home-aa01\""));
}

/* A command that nobody answers would be a button that does nothing. */
static void a_name_that_is_too_long_for_a_command_has_no_button(void **state)
{
	char place[COMMAND_ID_SIZE + 1] = {0};

	(void)state;
	memset(place, 'a', COMMAND_ID_SIZE);
	kill_process();
	bench.settings.home_assistant = true;
	bench.settings.commands = 1U << COMMAND_RETRY;
	dict_set_text(&bench.units[0], "unit", "");
	dict_set_text(&bench.units[0], "usb_path", place);
	start_process();
	begin();
	for (size_t i = 0; i < bench.n_retained; i++)
		assert_null(strstr(at_broker(bench.retained[i].topic), "command_topic"));
	assert_int_equal(bench.n_retained, 5);
}

/* Left of a bad contact at that place: the board there has an id meanwhile, and an entity. */
static void a_place_of_which_nothing_is_known_is_no_entity(void **state)
{
	(void)state;
	kill_process();
	bench.settings.home_assistant = true;
	dict_set_text(&bench.units[0], "unit", "");
	dict_set_text(&bench.units[0], "usb_path", "usb-2");
	dict_set_text(&bench.units[0], "usb_serial", "A1");
	dict_set_text(&bench.units[0], "state", "");
	dict_set_number(&bench.units[0], "failures", 1);
	start_process();
	begin();
	assert_non_null(strstr(at_broker(HOME_PLACE), "\"unique_id\""));
	dict_set_number(&bench.units[0], "failures", 0);
	changed(bridge(1), CLIENT_BRIDGE);
	quiet();
	assert_string_equal(at_broker(HOME_PLACE), "");
	assert_text(UNIT_PLACE, "usb_serial", "A1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(home_assistant_finds_a_unit),
		TEST(its_button_is_there_where_retry_is_allowed),
		TEST(a_name_that_is_too_long_for_a_command_has_no_button),
		TEST(a_place_of_which_nothing_is_known_is_no_entity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
