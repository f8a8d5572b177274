/* SPDX-License-Identifier: MIT */
/* Sticks that are always plugged in, whose application says what it is and leads into its loader.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/scene.h"
#include "sim/gbl.h"
#include "sim/stick.h"

#define RULE                                                                               \
	"[board stick]\nserial = Z*\nprotocol = xmodem\nentry = ezsp\nimage = ncp-*.gbl\n" \
	"retries = 0\n"

#define STICK                                                                               \
	&(struct bed_board)                                                                 \
	{                                                                                   \
		.serial = "Z1", .circuit = SIM_CIRCUIT_NONE, .resident = SIM_RESIDENT_GECKO \
	}

/* A stick that runs this version already. */
static struct bed_unit *plug_stick(struct bed *bed, const char *version)
{
	struct bed_unit *unit = bed_plug(bed, STICK);
	uint8_t *bytes = stick_application(sim_chip_find("f103c8"), "ezsp", version, 115200);
	uint32_t size;

	memcpy(bed_flash(unit, &size) + RESIDENT_BYTES, bytes, STICK_APPLICATION_BYTES);
	free(bytes);
	bed_unplug(unit);
	bed_replug(unit, NULL);
	return unit;
}

/* A file whose application says `version`. */
static void put_gbl(struct bed *bed, const char *name, const char *version)
{
	uint8_t *bytes = stick_application(sim_chip_find("f103c8"), "ezsp", version, 115200);
	uint8_t *file = malloc(GBL_BYTES(STICK_APPLICATION_BYTES));

	assert_non_null(file);
	gbl_make(file, bytes, STICK_APPLICATION_BYTES);
	bed_put_bytes(bed, name, file, GBL_BYTES(STICK_APPLICATION_BYTES));
	free(file);
	free(bytes);
}

static void a_stick_is_updated_through_its_application_and_then_left_alone(void **state)
{
	const struct journal_entry *entry;
	struct bed_unit *unit;

	bed_configure(*state, "", RULE);
	put_gbl(*state, "ncp-8.0.2.gbl", "8.0.2.0");
	unit = plug_stick(*state, "7.4.3.0");
	scene_start(*state);
	entry = expect_outcome(unit, "updated");
	expect_field(entry, FIELD_ENTERED, "ezsp");
	expect_field(entry, FIELD_APPLICATION, "ezsp");
	expect_field(entry, FIELD_APP_VERSION, "8.0.2.0");
	expect_field(entry, FIELD_APP_BAUD, "115200");
	expect_field(entry, FIELD_PROOF, "confirm");
	assert_int_equal(bed_counters(unit).files, 1);
	bed_unplug(unit);
	bed_replug(unit, NULL);
	entry = expect_outcome(unit, "current");
	expect_field(entry, FIELD_PROOF, "version");
	assert_int_equal(bed_counters(unit).files, 1);
	assert_int_equal(bed_counters(unit).application_commands, 1);
	assert_int_equal(bed_state(unit), SIM_APPLICATION);
}

/* Cut off in the transfer, it stays in its loader: the next plug-in completes it from there. */
static void a_stick_that_was_cut_off_is_completed(void **state)
{
	const struct sim_faults cut = {.vanish_received = 2000}, none = {0};
	const struct journal_entry *entry;
	struct bed_unit *unit;

	bed_configure(*state, "", RULE);
	put_gbl(*state, "ncp-8.0.2.gbl", "8.0.2.0");
	unit = plug_stick(*state, "7.4.3.0");
	bed_set_faults(unit, &cut);
	scene_start(*state);
	expect_outcome(unit, "port-gone");
	assert_true(bed_wait_unplugged(unit, BED_LONG));
	bed_set_faults(unit, &none);
	bed_replug(unit, NULL);
	entry = expect_outcome(unit, "updated");
	expect_field(entry, FIELD_ENTERED, "direct");
	expect_field(entry, FIELD_APP_VERSION, "8.0.2.0");
}

/* The name of the new file promises more than its application: back to the one before. */
static void a_version_that_is_not_that_of_the_image_leads_back(void **state)
{
	const struct journal_entry *entry;
	struct bed_unit *unit;

	bed_configure(*state, "", RULE "rollback = yes\nquarantine-after = 1\n");
	put_gbl(*state, "ncp-7.4.3.gbl", "7.4.3.0");
	unit = plug_stick(*state, "6.10.3.0");
	scene_start(*state);
	expect_outcome(unit, "updated");
	bed_unplug(unit);
	put_gbl(*state, "ncp-8.1.0.gbl", "8.0.2.0");
	bed_mark(*state);
	bed_replug(unit, NULL);
	entry = bed_wait_journal(*state, BED_LONG, BED_MATCH("PLUGFLASH_OUTCOME=not-confirmed"));
	assert_non_null(entry);
	expect_text(entry, "MESSAGE", "ezsp 8.0.2.0 at 115200 baud");
	expect_text(entry, "MESSAGE", "'8.1.0'");
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_ROLLED_BACK)));
	assert_int_equal(bed_counters(unit).files, 3);
}

static void a_command_says_which_application_runs(void **state)
{
	struct bed_unit *unit;
	uint32_t size;

	bed_configure(*state, "", RULE);
	unit = plug_stick(*state, "7.4.3.0");
	assert_int_equal(command_run(*state, "probe -p ttyUSB0 --application ezsp,spinel,mt"), 0);
	assert_int_equal(command_lines(*state, "application  ezsp 7.4.3.0 at 115200 baud"), 1);
	assert_int_equal(command_run(*state, "probe -p ttyUSB0"), 0);
	assert_int_equal(command_lines(*state, "application  ezsp 7.4.3.0 at 115200 baud"), 1);
	assert_int_equal(command_lines(*state, "(in a rule: entry = ezsp)"), 1);
	assert_int_equal(bed_counters(unit).application_commands, 0);
	assert_int_equal(bed_state(unit), SIM_APPLICATION);
	/* Without an application it waits in its loader, and that is told as well. */
	memset(bed_flash(unit, &size) + RESIDENT_BYTES, 0xFF, STICK_APPLICATION_BYTES);
	bed_unplug(unit);
	bed_replug(unit, NULL);
	assert_int_equal(command_run(*state, "probe -p ttyUSB0"), 0);
	assert_int_equal(command_lines(*state, "entered      direct"), 1);
	assert_int_equal(command_lines(*state, "application "), 0);
}

/* The service asks, and tells both the journal and who has asked it. */
static void the_service_says_which_application_runs(void **state)
{
	const struct journal_entry *entry;
	struct bed_unit *unit;

	bed_configure(*state, "", RULE);
	put_gbl(*state, "ncp-7.4.3.gbl", "7.4.3.0");
	unit = plug_stick(*state, "7.4.3.0");
	command_start_service(*state);
	expect_outcome(unit, "current");
	bed_mark(*state);
	assert_int_equal(command_run(*state, "probe -p ttyUSB0"), 0);
	assert_int_equal(command_lines(*state, "application  ezsp 7.4.3.0 at 115200 baud"), 1);
	entry = bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_CHECKED));
	assert_non_null(entry);
	expect_text(entry, "MESSAGE", "its application answers: ezsp 7.4.3.0 at 115200 baud");
	expect_field(entry, FIELD_APP_VERSION, "7.4.3.0");
	assert_int_equal(command_run(*state, "verify -p ttyUSB0"), 0);
	assert_int_equal(bed_counters(unit).application_commands, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_stick_is_updated_through_its_application_and_then_left_alone),
		SCENE_TEST(a_stick_that_was_cut_off_is_completed),
		SCENE_TEST(a_version_that_is_not_that_of_the_image_leads_back),
		COMMAND_TEST(a_command_says_which_application_runs),
		COMMAND_TEST(the_service_says_which_application_runs),
	};

	enclosure_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
