/* SPDX-License-Identifier: MIT */
/*
 * The doctor beside the real service: what it says of service, store and boards, and that it
 * touches none of them. What it says of the machine that the bed runs on is not looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/scene.h"
#include "bed/stage.h"
#include "bed/systemd1.h"
#include "bed/usbfs.h"

#define ERRORS 31

/* The machine has no unit of plugflash, and udevd may not run: the worst is that of the machine. */
static void examine(struct bed *bed)
{
	int code = command_run_all(bed, "doctor");

	assert_true(code == 0 || code == 30 || code == ERRORS);
}

static void expect_line(struct bed *bed, const char *part)
{
	if (command_lines(bed, part) != 1)
		fail_msg("'%s' is said %u times", part, command_lines(bed, part));
}

static void nothing_is_touched(void **state)
{
	struct bed_unit *unit, *stranger;
	unsigned n_opens;

	setenv(ENV_USER, "root", 1);
	command_start_service(*state);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "updated");
	stranger = bed_plug(*state, &(struct bed_board){.serial = "B1"});
	expect_stranger_told(*state);
	assert_true(bed_wait_closed(unit, BED_LONG));
	n_opens = bed_opens(unit);
	examine(*state);
	expect_line(*state, "good     service: it runs, and has read the configuration");
	expect_line(*state, "good     store: it can be read");
	expect_line(*state, "good     images: each rule finds one that is good");
	expect_line(*state, "note     ports: no rule fits '/dev/ttyUSB1' and 1 more: left alone");
	assert_int_equal(bed_opens(unit), n_opens);
	assert_int_equal(bed_opens(stranger), 0);
	expect_good_stop(*state);
}

static void a_board_that_is_written_is_left_alone(void **state)
{
	struct bed_unit *unit;

	command_start_service(*state);
	unit = bed_plug(*state, GATE_PACED);
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 1));
	examine(*state);
	assert_int_equal(bed_opens(unit), 1);
	expect_outcome(unit, "updated");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

static void what_the_service_has_not_read_is_told(void **state)
{
	command_start_service(*state);
	examine(*state);
	assert_int_equal(command_lines(*state, "is newer than what it has read"), 0);
	bed_write_config(*state, "boards.d/20.conf", "# nothing\n");
	examine(*state);
	expect_line(*state, "/config/boards.d' is newer than what it has read");
	expect_line(*state, "systemctl reload plugflashd");
	bed_write_config(*state, "boards.d/20.conf", "[board x]\nchpi = 0x410\n");
	bed_signal(*state, SIGHUP);
	command_wait_manager("ConfigStale", "true");
	examine(*state);
	expect_line(*state, "error    service: it has refused the configuration on the disk");
	expect_line(*state, "do: editor +2 '");
	bed_write_config(*state, "boards.d/20.conf", NULL);
}

static void a_pause_is_a_note(void **state)
{
	command_start_service(*state);
	assert_int_equal(command_run(*state, "pause 'until lunch'"), 0);
	examine(*state);
	expect_line(*state, "note     service: it is paused: 'until lunch'");
	assert_int_equal(command_run(*state, "resume"), 0);
}

static void a_service_that_does_not_run_is_an_error(void **state)
{
	command_start_service(*state);
	expect_good_stop(*state);
	assert_int_equal(command_run_all(*state, "doctor"), ERRORS);
	expect_line(*state, "error    service: it does not run");
	expect_line(*state, "systemctl enable --now plugflashd");
	expect_line(*state, "good     store: it can be read");
}

/* A byte of a page is wrong, and no service runs that would have seen it when it was started. */
static void a_store_that_is_damaged_inside_is_found(void **state)
{
	struct bed_unit *unit;
	char path[400];
	int fd;

	command_start_service(*state);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "updated");
	expect_good_stop(*state);
	snprintf(path, sizeof(path), "%s/state/plugflash.db", bed_directory(*state));
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	/* The header of the second page, which says where its rows are. */
	assert_int_equal(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, 4096), 8);
	close(fd);
	assert_int_equal(command_run_all(*state, "doctor"), ERRORS);
	expect_line(*state, "error    store: it is damaged");
}

static void another_process_that_has_the_store_is_told(void **state)
{
	char lock[400], script[900];
	pid_t holder;
	int status;

	command_start_service(*state);
	expect_good_stop(*state);
	snprintf(lock, sizeof(lock), "%s/state/plugflash.lock", bed_directory(*state));
	assert_int_equal(access(lock, F_OK), 0);
	snprintf(script, sizeof(script),
		"use Fcntl; open(F, '+<', '%s') or die; my $l = pack('ssqqi', F_WRLCK, SEEK_SET, 0, 0, 0); "
		"fcntl(F, F_SETLK, $l) or die; mkdir '%s/held'; sleep 600",
		lock, bed_directory(*state));
	holder = bed_spawn(*state, BED_MATCH("perl", "-e", script));
	assert_true(bed_wait_file(*state, BED_LONG, "held"));
	examine(*state);
	expect_line(*state, "warning  store: a process has ");
	kill(holder, SIGTERM);
	assert_true(bed_wait_child(*state, BED_LONG, holder, &status));
	examine(*state);
	assert_int_equal(command_lines(*state, "a process has "), 0);
}

static void a_port_that_the_service_may_not_open_is_an_error(void **state)
{
	struct bed_unit *unit;

	setenv(ENV_USER, "daemon", 1);
	command_start_service(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "A1", .is_silent = true});
	bed_set_node_mode(unit, 0600);
	examine(*state);
	expect_line(
		*state, "error    ports: the service's user 'daemon' may not open '/dev/ttyUSB0'");
	bed_set_node_mode(unit, 0666);
	examine(*state);
	assert_int_equal(command_lines(*state, "may not open"), 0);
	setenv(ENV_USER, "root", 1);
}

/* ------------------------------------------------------------------ the unit of systemd */

#define UNIT "plugflashd.service"

/* By what systemd says of the unit, where the service is not on the bus. */
static void the_unit_is_asked_for(void **state)
{
	static const struct {
		const char *active;
		const char *said;
	} rows[] = {
		{"failed", "error    service: it has failed"},
		{"inactive", "error    service: it does not run"},
		{"activating", "error    service: it does not come up: systemd starts it again"},
		{"active", "warning  service: it runs, and is not on the bus"},
	};
	struct stage *stage = *state;
	struct systemd1_stand *systemd1 = systemd1_stand_new(stage->bed, stage->peers);

	examine(stage->bed);
	expect_line(stage->bed, "error    service: systemd knows no unit plugflashd.service");
	systemd1_stand_add(systemd1, UNIT, "failed");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		systemd1_stand_set_active(systemd1, UNIT, rows[i].active);
		examine(stage->bed);
		expect_line(stage->bed, rows[i].said);
		assert_int_equal(command_lines(stage->bed, "  service: "), 1);
	}
	systemd1_stand_free(systemd1);
}

/* No link makes it start with the host: the bed has none, the machine neither. */
static void a_unit_that_is_not_enabled_is_told(void **state)
{
	struct stage *stage = *state;
	struct systemd1_stand *systemd1 = systemd1_stand_new(stage->bed, stage->peers);

	systemd1_stand_add(systemd1, UNIT, "active");
	stage_start(stage);
	examine(stage->bed);
	if (access("/etc/systemd/system/multi-user.target.wants/" UNIT, F_OK) == 0)
		assert_int_equal(command_lines(stage->bed, "not started with the host"), 0);
	else
		expect_line(
			stage->bed, "warning  service: it runs, and is not started with the host");
	assert_string_equal(systemd1_stand_orders(systemd1), "");
	expect_good_stop(stage->bed);
	systemd1_stand_free(systemd1);
}

/* ------------------------------------------------------------------ firmware of a CP2102N */

static void a_cp2102n_is_asked_for_its_firmware(void **state)
{
	static const struct {
		uint8_t part;
		uint32_t firmware;
		unsigned n_requests;
		bool is_old;
	} rows[] = {{0x20, 0x010004, 2, true}, {0x22, 0x010008, 2, false},
		{0x02, 0x010004, 1, false}, {0x20, 0, 1, false}};
	struct bed_unit *unit;

	command_start_service(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "B1", .product = "CP2102N"});
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct usbfs *usbfs = usbfs_new(*state, rows[i].part, rows[i].firmware);

		examine(*state);
		assert_int_equal(usbfs_requests(usbfs), rows[i].n_requests);
		assert_int_equal(usbfs_strange(usbfs), 0);
		assert_int_equal(command_lines(*state,
					 "bridge 1-1 ('CP2102N') is a CP2102N with firmware 1.0.4"),
			rows[i].is_old);
		usbfs_free(usbfs);
	}
	assert_int_equal(bed_opens(unit), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMMAND_TEST(nothing_is_touched),
		COMMAND_TEST(a_board_that_is_written_is_left_alone),
		COMMAND_TEST(what_the_service_has_not_read_is_told),
		COMMAND_TEST(a_pause_is_a_note),
		COMMAND_TEST(a_service_that_does_not_run_is_an_error),
		COMMAND_TEST(a_store_that_is_damaged_inside_is_found),
		COMMAND_TEST(another_process_that_has_the_store_is_told),
		COMMAND_TEST(a_port_that_the_service_may_not_open_is_an_error),
		STAGE_TEST(the_unit_is_asked_for),
		STAGE_TEST(a_unit_that_is_not_enabled_is_told),
		COMMAND_TEST(a_cp2102n_is_asked_for_its_firmware),
	};

	enclosure_enter();
	setenv(ENV_USER, "root", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
