/* SPDX-License-Identifier: MIT */
/*
 * test-setup.c - `plugflash setup`: boards with circuits nobody has told of, from a configuration
 * without a rule to their first update; and what is refused, of which nothing may stay.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/image-directory.h"
#include "tools/esp-make.h"

#define NEW_IMAGE "tests/firmware/firmware-1.0.0.hex"
#define ONE_KEY                                                                          \
	&(struct bed_board)                                                              \
	{                                                                                \
		.serial = "B1", .product = "Front gate", .circuit = SIM_CIRCUIT_ONE_KEY, \
	}

static int set_up(void **state)
{
	command_set_up(state);
	bed_configure(*state, "", NULL);
	return 0;
}

#define SETUP_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, command_tear_down)

static bool is_there(struct bed *bed, const char *name)
{
	char path[400];
	struct stat status;

	snprintf(path, sizeof(path), "%s/%s", bed_directory(bed), name);
	return stat(path, &status) == 0;
}

static void expect_mode(struct bed *bed, const char *name, mode_t mode)
{
	char path[400];
	struct stat status;

	snprintf(path, sizeof(path), "%s/%s", bed_directory(bed), name);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, mode);
}

static void read_text(struct bed *bed, const char *name, char to[2000])
{
	char path[400];
	CLEANUP(fclosep) FILE *from = NULL;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", bed_directory(bed), name);
	from = fopen(path, "re");
	if (!from)
		fail_msg("%s: %s", path, strerror(errno));
	n = fread(to, 1, 1999, from);
	to[n] = '\0';
}

static void expect_rule(struct bed *bed, const char *name, const char *line)
{
	char text[2000];

	read_text(bed, name, text);
	if (!strstr(text, line))
		fail_msg("no '%s' in:\n%s", line, text);
}

/* What the command said goes to the log of the test. */
static int run_setup(struct bed *bed, const char *arguments)
{
	char line[600], text[2000];
	int r;

	snprintf(line, sizeof(line), "setup %s", arguments);
	r = command_run_all(bed, line);
	read_text(bed, "out", text);
	/* The text may be cut, and the next line of TAP begins a line. */
	printf("# plugflash %s: %d\n%s\n", line, r, text);
	return r;
}

/* No rule, no image, and no trace of either. */
static void expect_nothing_written(struct bed *bed)
{
	assert_false(is_there(bed, "config/boards.d/firmware.conf"));
	assert_false(is_there(bed, "images/firmware"));
	assert_int_equal(command_run(bed, "check-config"), 0);
	assert_int_equal(command_lines(bed, "configuration is good: 0 rules"), 1);
}

/* ------------------------------------------------------------------ to the first update */

static void a_board_is_set_up_and_updated(struct bed *bed, struct bed_unit *unit)
{
	assert_int_equal(run_setup(bed, "-p ttyUSB0 --image " NEW_IMAGE " --yes"), 0);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	assert_true(command_lines(bed, "ttyUSB0: updated: firmware-1.0.0.hex") == 1);
	expect_rule(bed, "config/boards.d/firmware.conf", "[board firmware]\n");
	expect_rule(bed, "config/boards.d/firmware.conf", "\nproduct = Front gate\n");
	expect_rule(bed, "config/boards.d/firmware.conf", "\n# serial = B1 ; only this unit\n");
	expect_rule(bed, "config/boards.d/firmware.conf", "\nwiring = one-key\n");
	expect_rule(bed, "config/boards.d/firmware.conf", "\nchip = 0x410 ; ");
	expect_rule(bed, "config/boards.d/firmware.conf", "\nimage = firmware/*.hex\n");
	expect_mode(bed, "config/boards.d/firmware.conf", 0644);
	expect_mode(bed, "images/firmware", 0755);
	expect_mode(bed, "images/firmware/firmware-1.0.0.hex", 0644);
	expect_at_rest(unit);
}

static void a_one_key_board_is_set_up_with_the_service(void **state)
{
	struct bed *bed = *state;
	struct bed_unit *unit;

	command_start_service(bed);
	unit = bed_plug(bed, ONE_KEY);
	expect_stranger_told(bed);
	bed_mark(bed);
	a_board_is_set_up_and_updated(bed, unit);
	assert_non_null(bed_wait_journal(bed, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_UPDATED)));
	/* From now on the service does it alone, for the next board of the kind as well. */
	unit = bed_plug(bed,
		&(struct bed_board){
			.serial = "B2", .product = "Front gate", .circuit = SIM_CIRCUIT_ONE_KEY});
	expect_outcome(unit, "updated");
	/* And what was set up once is not set up again. */
	assert_int_equal(run_setup(bed, "-p ttyUSB0 --image " NEW_IMAGE " --yes"),
		outcome_to_exit_code(OUTCOME_AMBIGUOUS));
	assert_int_equal(command_lines(bed, "the rule 'firmware' ("), 1);
}

static void a_one_key_board_is_set_up_without_the_service(void **state)
{
	struct bed *bed = *state;

	a_board_is_set_up_and_updated(bed, bed_plug(bed, ONE_KEY));
	assert_int_equal(command_lines(bed, "systemctl enable --now plugflashd"), 1);
}

static void an_esp32_is_set_up_from_a_build(void **state)
{
	struct bed *bed = *state;
	struct esp_make_project project = esp_make_project("esp32", "1.2.0", 8192, false);
	char path[300], arguments[500];

	snprintf(path, sizeof(path), "%s/build", bed_directory(bed));
	assert_int_equal(mkdir(path, 0755), 0);
	esp_make_project_write(&project, path);
	esp_make_project_done(&project);
	command_start_service(bed);
	bed_plug(bed, &(struct bed_board){.chip = "esp32", .serial = "E1", .product = "Lamp"});
	snprintf(arguments, sizeof(arguments),
		"--image %s/flasher_args.json --image-version 1.2.0 --name lamp --yes", path);
	assert_int_equal(run_setup(bed, arguments), 0);
	assert_int_equal(command_lines(bed, "ttyUSB0: updated: "), 1);
	expect_rule(bed, "config/boards.d/lamp.conf", "\nprotocol = esp\n");
	expect_rule(bed, "config/boards.d/lamp.conf", "\nimage = lamp/*/flasher_args.json\n");
	assert_true(is_there(bed, "images/lamp/lamp-1.2.0/flasher_args.json"));
	assert_true(is_there(bed, "images/lamp/lamp-1.2.0/bootloader/bootloader.bin"));
}

/* ------------------------------------------------------------------ which board */

static void the_board_that_is_plugged_in_again_is_the_one(void **state)
{
	struct bed *bed = *state;
	struct bed_unit *unit;
	pid_t pid;
	int status;

	bed_plug(bed, &(struct bed_board){.serial = "B7", .product = "Back gate"});
	unit = bed_plug(bed, ONE_KEY);
	pid = command_start(bed, "setup --plug --image " NEW_IMAGE " --name front --yes", "out");
	while (command_lines(bed, "waiting for the board") == 0)
		bed_run(bed, 20);
	bed_unplug(unit);
	bed_replug(unit, NULL);
	assert_true(bed_wait_child(bed, BED_LONG, pid, &status));
	assert_int_equal(status, 0);
	assert_int_equal(command_lines(bed, "the board is at ttyUSB1"), 1);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	expect_rule(bed, "config/boards.d/front.conf", "\nproduct = Front gate\n");
}

/* `answers` are typed ahead. Returns the exit code. Where all is run under AddressSanitizer, it is
   asked for leaks of plugflash alone: script(1) has some of its own, and would end with that. */
static int run_at_terminal(struct bed *bed, const char *arguments, const char *answers)
{
	char script[900];
	pid_t pid;
	int status;

	/* Sets the environment for what is started below. */
	assert_int_equal(command_run(bed, "list"), 0);
	snprintf(script, sizeof(script),
		"printf '%s' | ASAN_OPTIONS=detect_leaks=0 script -qec 'ASAN_OPTIONS= %s/plugflash setup %s' /dev/null > %s/out",
		answers, enclosure_build(), arguments, bed_directory(bed));
	pid = bed_spawn(bed, BED_MATCH("/bin/sh", "-c", script));
	assert_true(bed_wait_child(bed, BED_LONG, pid, &status) && WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Everything by hand, at a terminal; what is wrong is asked for again. */
static void all_of_it_is_asked_at_a_terminal(void **state)
{
	/* A name without a file, one without firmware, one that is none for a rule. */
	static const char answers[] =
		"ttyUSB1\nyes\n/nowhere\ntests/firmware/Makefile\none\n1.0\n\n" NEW_IMAGE
		"\nno/name\ndoor\nyes\n";
	struct bed *bed = *state;
	struct bed_unit *unit;

	bed_plug(bed, &(struct bed_board){.serial = "B7", .product = "Back gate"});
	unit = bed_plug(bed, ONE_KEY);
	assert_int_equal(run_at_terminal(bed, "--try stm32-one-key", answers), 0);
	assert_int_equal(command_lines(bed, "ttyUSB1: updated: firmware-1.0.0.hex"), 1);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	assert_true(is_there(bed, "config/boards.d/door.conf"));
	assert_true(is_there(bed, "images/door/firmware-1.0.0.hex"));
}

/* ------------------------------------------------------------------ refused */

static const struct refused_row {
	const char *name, *arguments;
	enum outcome outcome; /* OUTCOME_MAX: wrong use */
	const char *text;
	bool is_early; /* before the port is opened */
} refused_rows[] = {
	{"no answers", "", OUTCOME_MAX, "say --yes to have it all done", true},
	{"no image", "-p ttyUSB0 --yes", OUTCOME_MAX, "say which image by --image", true},
	{"an image that is not there", "-p ttyUSB0 --yes --image nowhere.hex", OUTCOME_NO_IMAGE,
		"No such file", true},
	{"a name without a version", "-p ttyUSB0 --yes --image tests/firmware/Makefile",
		OUTCOME_MAX, "--image-version", true},
	{"a circuit that is none", "--yes --image " NEW_IMAGE " --try stm33", OUTCOME_MAX,
		"'stm33' is no circuit to try", true},
	{"no board at that port", "--yes --image " NEW_IMAGE " -p ttyUSB9", OUTCOME_PORT_GONE,
		"ttyUSB9", true},
	{"two ways to say which", "--yes --image " NEW_IMAGE " -p ttyUSB0 --plug", OUTCOME_MAX,
		"--port, --slot and --plug all say which bridge", true},
	{"another circuit than the board has", "--yes --image " NEW_IMAGE " --try stm32-plain",
		OUTCOME_NO_SYNC, "not one byte came in any try", false},
	{"no firmware",
		"-p ttyUSB0 --yes --try stm32-one-key --image tests/firmware/Makefile "
		"--image-version 1.0",
		OUTCOME_BAD_IMAGE, "", false},
	{"a name that is none", "--yes --try stm32-one-key --image " NEW_IMAGE " --name a/b",
		OUTCOME_MAX, "is no name for a rule", true},
};

static void what_is_refused_leaves_nothing(struct bed *bed, const struct refused_row *row)
{
	struct bed_unit *unit = bed_plug(bed, ONE_KEY);
	int expected =
		row->outcome == OUTCOME_MAX ? EXIT_USAGE : outcome_to_exit_code(row->outcome);
	int r = run_setup(bed, row->arguments);

	if (r != expected)
		fail_msg("%s: exit code %d, not %d", row->name, r, expected);
	assert_true(command_lines(bed, row->text) > 0);
	if (row->is_early)
		assert_int_equal(bed_opens(unit), 0);
	expect_untouched(unit);
	expect_nothing_written(bed);
	bed_unplug(unit);
}

static void what_is_refused_leaves_no_trace(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused_rows); i++)
		what_is_refused_leaves_nothing(*state, &refused_rows[i]);
}

static void a_dry_run_shows_the_rule_and_writes_nothing(void **state)
{
	struct bed *bed = *state;
	struct bed_unit *unit = bed_plug(bed, ONE_KEY);

	assert_int_equal(run_setup(bed, "--image " NEW_IMAGE " --dry-run"), 0);
	assert_int_equal(command_lines(bed, "image = firmware/*.hex"), 1);
	assert_true(command_lines(bed, "boards.d/firmware.conf") > 0);
	expect_untouched(unit);
	expect_at_rest(unit);
	expect_nothing_written(bed);
}

static void a_user_without_rights_is_told_first(void **state)
{
	struct bed *bed = *state;
	struct bed_unit *unit = bed_plug(bed, ONE_KEY);
	int r = command_run_as_nobody(bed, "setup -p ttyUSB0 --yes --image " NEW_IMAGE);

	if (r == BED_NO_USERS)
		skip();
	assert_int_equal(r, outcome_to_exit_code(OUTCOME_FAILED));
	assert_int_equal(command_lines(bed, "this user may not write to '"), 1);
	assert_int_equal(bed_opens(unit), 0);
	expect_nothing_written(bed);
}

/* A rule of somebody else that fits as well: found only once all of it is written. */
static void what_a_check_refuses_is_taken_back(void **state)
{
	struct bed *bed = *state;
	struct bed_unit *unit = bed_plug(bed, ONE_KEY);

	bed_put_image(bed, "firmware/firmware-9.0.0.hex", FIRMWARE_NEW ".hex");
	assert_int_equal(run_setup(bed, "--yes --try stm32 --image " NEW_IMAGE),
		outcome_to_exit_code(OUTCOME_NO_IMAGE));
	assert_int_equal(command_lines(bed, "what was written is removed again"), 1);
	assert_false(is_there(bed, "config/boards.d/firmware.conf"));
	assert_false(is_there(bed, "images/firmware/firmware-1.0.0.hex"));
	assert_true(is_there(bed, "images/firmware/firmware-9.0.0.hex"));
	expect_untouched(unit);
}

/* The circuit and the chip are right, so that the rule stays, and the service goes on by it. */
static void a_first_update_that_fails_leaves_the_rule(void **state)
{
	struct bed *bed = *state;
	struct bed_unit *unit = bed_plug(bed, &(struct bed_board){.serial = "B1",
						      .product = "Front gate",
						      .circuit = SIM_CIRCUIT_ONE_KEY,
						      .faults = {.nack_code = WRITE}});

	assert_int_equal(
		run_setup(bed, "--yes --try stm32-one-key --image " NEW_IMAGE " --name door"),
		outcome_to_exit_code(OUTCOME_WRITE_FAILED));
	assert_int_equal(command_lines(bed, "the rule stays"), 1);
	assert_int_equal(command_lines(bed, "config/boards.d/door.conf"), 2);
	assert_true(is_there(bed, "config/boards.d/door.conf"));
	assert_true(is_there(bed, "images/door/firmware-1.0.0.hex"));
	bed_set_faults(unit, &(struct sim_faults){0});
	assert_int_equal(command_run_all(bed, "flash -p ttyUSB0"), 0);
}

/*
 * An empty chip is in its boot loader whatever the boot pin does, so that two circuits cannot be
 * told apart. With the application in it they can.
 */
static void an_empty_chip_is_proved_once_it_is_not_empty(void **state)
{
	struct bed *bed = *state;

	bed_plug(bed, &(struct bed_board){.serial = "B1",
			      .product = "Front gate",
			      .circuit = SIM_CIRCUIT_PLAIN,
			      .enters_rom_when_empty = true});
	assert_int_equal(run_setup(bed, "--yes --image " NEW_IMAGE " --name door"), 0);
	assert_int_equal(command_lines(bed, "The chip is in its boot loader by itself"), 1);
	assert_int_equal(command_lines(bed, "the circuit is another one"), 1);
	assert_int_equal(command_lines(bed, "ttyUSB0: updated: "), 1);
	assert_int_equal(command_lines(bed, "ttyUSB0: current: "), 1);
	expect_rule(bed, "config/boards.d/door.conf", "\nboot = !rts\n");
	assert_int_equal(command_run_all(bed, "flash -p ttyUSB0"), 0);
}

/* Who does not go on there has a board with the application, and is told what is left. */
static void what_is_left_of_a_second_search_is_told(void **state)
{
	struct bed *bed = *state;

	bed_plug(bed, &(struct bed_board){.serial = "B1",
			      .product = "Front gate",
			      .circuit = SIM_CIRCUIT_PLAIN,
			      .enters_rom_when_empty = true});
	assert_int_equal(
		run_at_terminal(bed, "--image " NEW_IMAGE " --name door", "yes\nyes\nno\n"),
		outcome_to_exit_code(OUTCOME_CANCELLED));
	assert_int_equal(command_lines(bed, "ttyUSB0: updated: "), 1);
	assert_int_equal(command_lines(bed, "the board was updated, and has no rule any more"), 1);
	assert_int_equal(command_lines(bed, "images/door/firmware-1.0.0.hex'"), 1);
	assert_false(is_there(bed, "config/boards.d/door.conf"));
	assert_true(is_there(bed, "images/door/firmware-1.0.0.hex"));
}

/* ------------------------------------------------------------------ the probe alone */

static void a_probe_finds_the_circuit(void **state)
{
	struct bed *bed = *state;
	struct bed_unit *unit = bed_plug(bed, ONE_KEY);

	assert_int_equal(command_run_all(bed, "probe -p ttyUSB0 --wiring auto"), 0);
	assert_int_equal(command_lines(bed, "circuit      stm32-one-key"), 1);
	assert_int_equal(command_lines(bed, "in a rule: wiring = one-key"), 1);
	assert_int_equal(command_lines(bed, "product id   0x410"), 1);
	expect_untouched(unit);
	expect_at_rest(unit);
	assert_int_equal(command_run_all(bed, "probe -p ttyUSB0 --wiring auto --protocol bsl"),
		outcome_to_exit_code(OUTCOME_NO_SYNC));
	assert_int_equal(command_run_all(bed, "probe -p ttyUSB0 --wiring auto --chip 0x410"), 2);
}

static const struct CMUnitTest tests[] = {
	SETUP_TEST(a_one_key_board_is_set_up_with_the_service),
	SETUP_TEST(a_one_key_board_is_set_up_without_the_service),
	SETUP_TEST(an_esp32_is_set_up_from_a_build),
	SETUP_TEST(the_board_that_is_plugged_in_again_is_the_one),
	SETUP_TEST(all_of_it_is_asked_at_a_terminal),
	SETUP_TEST(what_is_refused_leaves_no_trace),
	SETUP_TEST(a_dry_run_shows_the_rule_and_writes_nothing),
	SETUP_TEST(a_user_without_rights_is_told_first),
	SETUP_TEST(what_a_check_refuses_is_taken_back),
	SETUP_TEST(a_first_update_that_fails_leaves_the_rule),
	SETUP_TEST(an_empty_chip_is_proved_once_it_is_not_empty),
	SETUP_TEST(what_is_left_of_a_second_search_is_told),
	SETUP_TEST(a_probe_finds_the_circuit),
};

SCENE_MAIN(tests)
