/* SPDX-License-Identifier: MIT */
/* org.plugflash1 on a real bus: what is seen of boards, and what becomes of a bus that goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "bed/bed-private.h"
#include "bed/enclosure.h"
#include "bed/peer.h"
#include "bed/scene.h"
#include "bed/stage.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"
#define OBJECTS	   "org.freedesktop.DBus.ObjectManager"
#define BRIDGE_1   BUS_PATH_BRIDGE "/1"

/* ------------------------------------------------------------------------------ one board */

static void a_board_is_seen_from_plug_in_to_unplug(void **state)
{
	struct stage *stage = *state;
	struct bed_unit *unit;
	sd_bus_message *signal;
	const char *path, *outcome;
	char text[1024];
	uint64_t plugged;
	size_t n = 0;

	stage_start(stage);
	expect_property(stage, BUS_PATH, BUS_MANAGER, "State", "running");
	expect_property(stage, BUS_PATH, BUS_MANAGER, "Version", PLUGFLASH_VERSION);
	expect_property(stage, BUS_PATH, BUS_MANAGER, "ApiVersion", "1");
	expect_property(stage, BUS_PATH, BUS_MANAGER, "Bridges", "0");
	plugged = bed_now();
	unit = bed_plug(stage->bed, GATE_PACED);
	assert_true(peer_wait_count(stage->peer, BED_LONG, "InterfacesAdded", NULL, 1));
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "Port", bed_port(unit));
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "UsbId", "10c4:ea60");
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "Serial", "A1");
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "Path", bed_id_path(unit));
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "Board", "gate");
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "Match", "one");
	/* The job is there, and it is the bridge's. */
	assert_true(peer_wait_count(stage->peer, BED_LONG, "JobNew", BUS_PATH, 1));
	while (strcmp(sd_bus_message_get_member(peer_signal(stage->peer, n)), "JobNew") != 0)
		n++;
	print_message("# figure: from the plug-in to the signal that a job is there: %llu ms\n",
		(unsigned long long)((peer_signal_time(stage->peer, n) - plugged) / 1000000));
	n = 0;
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "State", "working");
	peer_property(stage->peer, BRIDGE_1, BUS_BRIDGE, "Job", text);
	expect_property(stage, text, BUS_JOB, "Bridge", BRIDGE_1);
	expect_property(stage, text, BUS_JOB, "Board", "gate");
	expect_property(stage, text, BUS_JOB, "Operation", "flash");
	expect_property(stage, text, BUS_JOB, "Image", "gate-1.0.0.hex");
	expect_property(stage, BUS_PATH, BUS_MANAGER, "JobsRunning", "1");
	expect_outcome(unit, "updated");
	assert_true(peer_wait_count(stage->peer, BED_LONG, "JobRemoved", BUS_PATH, 1));
	assert_true(peer_wait_count(stage->peer, BED_LONG, "InterfacesRemoved", NULL, 1));
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "State", "done");
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "Job", "/");
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "LastOutcome", "updated");
	/* The end is told before the object goes, and names the same job. */
	while ((signal = peer_signal(stage->peer, n++)) &&
		strcmp(sd_bus_message_get_member(signal), "InterfacesRemoved") != 0)
		if (strcmp(sd_bus_message_get_member(signal), "JobRemoved") == 0) {
			assert_true(sd_bus_message_read(signal, "os", &path, &outcome) > 0);
			assert_string_equal(path, text);
			assert_string_equal(outcome, "updated");
		}
	assert_non_null(signal);
	assert_true(sd_bus_message_read(signal, "o", &path) > 0);
	assert_string_equal(path, text);
	/* What was told and what is answered are the same. */
	expect_told(stage, BRIDGE_1, "State", "done");
	expect_told(stage, BRIDGE_1, "LastOutcome", "updated");
	expect_told(stage, text, "Phase", "leave");
	expect_told(stage, text, "Baud", "115200");
	bed_unplug(unit);
	assert_true(peer_wait_count(stage->peer, BED_LONG, "InterfacesRemoved", NULL, 2));
	expect_property(stage, BUS_PATH, BUS_MANAGER, "Bridges", "0");
	assert_string_equal(peer_property(stage->peer, BRIDGE_1, BUS_BRIDGE, "Port", text), "");
	expect_good_stop(stage->bed);
}

/* What flows goes out no more often than four times a second; a new phase goes out at once. */
static void bytes_are_told_four_times_a_second_and_each_phase(void **state)
{
	static const char *const phases[] = {"sync", "erase", "write", "verify"};
	struct stage *stage = *state;
	struct bed_unit *unit;
	uint64_t begin = bed_now(), msec = 0;
	size_t n_flow = 0;
	bool are_told[ARRAY_SIZE(phases)] = {false};

	stage_start(stage);
	unit = bed_plug(stage->bed, GATE_PACED);
	expect_outcome(unit, "updated");
	assert_true(peer_wait_count(stage->peer, BED_LONG, "JobRemoved", BUS_PATH, 1));
	for (size_t i = 0; i < peer_signals(stage->peer); i++) {
		sd_bus_message *signal = peer_signal(stage->peer, i);
		char phase[256] = "", share[256] = "";

		if (!told_by(signal, BUS_JOB, "Progress", share))
			share[0] = '\0';
		if (told_by(signal, BUS_JOB, "Phase", phase))
			for (size_t p = 0; p < ARRAY_SIZE(phases); p++)
				are_told[p] |= strcmp(phase, phases[p]) == 0;
		else if (*share) {
			msec = (peer_signal_time(stage->peer, i) - begin) /
			       (NSEC_PER_USEC * USEC_PER_MSEC);
			n_flow++;
		}
	}
	for (size_t p = 0; p < ARRAY_SIZE(phases); p++)
		assert_true(are_told[p]);
	/* A paced update takes seconds: it was seen to move. */
	assert_true(n_flow >= 1);
	/* In all, since what comes late by a machine that stood still comes closer to the next. */
	assert_true(n_flow <= 1 + msec / 250);
	print_message("# figure: signals with bytes alone of one update: %zu, within %u ms\n",
		n_flow, (unsigned)msec);
}

static void slots_are_there_with_nothing_in_them_and_with_a_bridge(void **state)
{
	struct stage *stage = *state;
	struct bed_unit *unit;

	bed_write_config(stage->bed, "boards.d/20.conf",
		"[slot left]\npath = pci-0000:00:14.0-usb-0:2:1.0\n"
		"[slot right]\npath = pci-0000:00:14.0-usb-0:3:1.0\n");
	stage_start(stage);
	expect_property(stage, BUS_PATH_SLOT "/1", BUS_SLOT, "Name", "left");
	expect_property(
		stage, BUS_PATH_SLOT "/1", BUS_SLOT, "Path", "pci-0000:00:14.0-usb-0:2:1.0");
	expect_property(stage, BUS_PATH_SLOT "/2", BUS_SLOT, "Bridge", "/");
	unit = bed_plug(stage->bed, &(struct bed_board){.serial = "X1", .path = "1-3"});
	assert_string_equal(bed_id_path(unit), "pci-0000:00:14.0-usb-0:3:1.0");
	expect_outcome(unit, "no-match");
	expect_property(stage, BUS_PATH_SLOT "/2", BUS_SLOT, "Bridge", BRIDGE_1);
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "Slot", "right");
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "Match", "none");
	expect_told(stage, BUS_PATH_SLOT "/2", "Bridge", BRIDGE_1);
	bed_unplug(unit);
	expect_property(stage, BUS_PATH_SLOT "/2", BUS_SLOT, "Bridge", "/");
	/* One that is named no more is gone. */
	bed_write_config(stage->bed, "boards.d/20.conf", NULL);
	bed_signal(stage->bed, SIGHUP);
	assert_true(peer_wait_count(stage->peer, BED_LONG, "InterfacesRemoved", NULL, 3));
}

static void a_refused_configuration_is_seen_until_it_is_mended(void **state)
{
	struct stage *stage = *state;
	char error[1024];

	stage_start(stage);
	expect_property(stage, BUS_PATH, BUS_MANAGER, "ConfigStale", "false");
	bed_write_config(stage->bed, "boards.d/20.conf", "[board late]\nspeed = 3\n");
	bed_signal(stage->bed, SIGHUP);
	expect_property(stage, BUS_PATH, BUS_MANAGER, "ConfigStale", "true");
	peer_property(stage->peer, BUS_PATH, BUS_MANAGER, "ConfigError", error);
	assert_non_null(strstr(error, "20.conf:2"));
	assert_non_null(strstr(error, "speed"));
	expect_property(stage, BUS_PATH, BUS_MANAGER, "Rules", "1");
	bed_write_config(stage->bed, "boards.d/20.conf", NULL);
	expect_good(peer_call(stage->peer, BUS_PATH, NULL, "Reload", "a{sv}", 0));
	expect_property(stage, BUS_PATH, BUS_MANAGER, "ConfigStale", "false");
	expect_property(stage, BUS_PATH, BUS_MANAGER, "ConfigError", "");
}

/* A serial number of any bytes: the bus would throw out who sends them as they are. */
static void text_that_is_not_utf_8_harms_nobody(void **state)
{
	struct stage *stage = *state;
	struct bed_unit *unit;
	char text[1024];

	stage_start(stage);
	unit = bed_plug(
		stage->bed, &(struct bed_board){.serial = "X\xff\xfe", .product = "caf\xe9"});
	expect_outcome(unit, "no-match");
	assert_true(peer_wait_count(stage->peer, BED_LONG, "InterfacesAdded", NULL, 1));
	peer_property(stage->peer, BRIDGE_1, BUS_BRIDGE, "Product", text);
	assert_non_null(strstr(text, "caf"));
	assert_true(text_is_utf8(text, strlen(text)));
	expect_property(stage, BUS_PATH, BUS_MANAGER, "Bridges", "1");
}

/* Behind the others, what the object says of this interface: as it is, with its lines. */
static void add_interface(struct stage *stage, const char *path, const char *name, FILE *to)
{
	CLEANUP(sd_bus_message_unrefp)
	sd_bus_message *answer = peer_call(
		stage->peer, path, "org.freedesktop.DBus.Introspectable", "Introspect", "");
	const char *text, *begin, *end;
	char head[100];

	assert_true(sd_bus_message_read(answer, "s", &text) > 0);
	snprintf(head, sizeof(head), " <interface name=\"%s\">", name);
	begin = strstr(text, head);
	assert_non_null(begin);
	end = strstr(begin, "</interface>\n");
	assert_non_null(end);
	end += strlen("</interface>\n");
	assert_int_equal(fwrite(begin, 1, (size_t)(end - begin), to), end - begin);
}

static char *read_file(const char *path)
{
	static char text[32768];
	FILE *from = fopen(path, "re");

	assert_non_null(from);
	text[fread(text, 1, sizeof(text) - 1, from)] = '\0';
	fclose(from);
	return text;
}

/* Bindings are made from the file: where it is another, the right one is left in the build folder.
 */
static void the_file_of_interfaces_is_what_the_service_has(void **state)
{
	static const char head[] =
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<!-- SPDX-License-Identifier: MIT -->\n"
		"<!-- What plugflashd has on the system bus: plugflash-bus(5) explains it. -->\n"
		"<node>\n";
	struct stage *stage = *state;
	CLEANUP(freep) char *made = NULL;
	size_t n_made = 0;
	char job[1024], path[4200];
	const char *shipped;
	FILE *to = open_memstream(&made, &n_made);

	assert_non_null(to);
	bed_write_config(stage->bed, "boards.d/20.conf", "[slot left]\npath = pci-1\n");
	stage_start(stage);
	/* A job that stays while it is looked at. */
	expect_good(peer_call(stage->peer, BUS_PATH, NULL, "Pause", "sa{sv}", "test", 0));
	(void)bed_plug(stage->bed, GATE);
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "State", "held");
	expect_good(peer_call(stage->peer, BUS_PATH, NULL, "Probe", "oa{sv}", BRIDGE_1, 0));
	assert_true(peer_wait_count(stage->peer, BED_LONG, "JobNew", NULL, 1));
	peer_property(stage->peer, BRIDGE_1, BUS_BRIDGE, "Job", job);
	fputs(head, to);
	add_interface(stage, BUS_PATH, BUS_MANAGER, to);
	add_interface(stage, BUS_PATH_SLOT "/1", BUS_SLOT, to);
	add_interface(stage, BRIDGE_1, BUS_BRIDGE, to);
	add_interface(stage, job, BUS_JOB, to);
	fputs("</node>\n", to);
	assert_int_equal(fclose(to), 0);
	shipped = read_file("systemd/org.plugflash1.xml");
	if (strcmp(made, shipped) == 0)
		return;
	snprintf(path, sizeof(path), "%s/org.plugflash1.xml", enclosure_build());
	to = fopen(path, "we");
	assert_non_null(to);
	fputs(made, to);
	assert_int_equal(fclose(to), 0);
	fail_msg("systemd/org.plugflash1.xml is another than %s", path);
}

static const struct CMUnitTest tests[] = {
	STAGE_TEST(a_board_is_seen_from_plug_in_to_unplug),
	STAGE_TEST(bytes_are_told_four_times_a_second_and_each_phase),
	STAGE_TEST(slots_are_there_with_nothing_in_them_and_with_a_bridge),
	STAGE_TEST(a_refused_configuration_is_seen_until_it_is_mended),
	STAGE_TEST(text_that_is_not_utf_8_harms_nobody),
	STAGE_TEST(the_file_of_interfaces_is_what_the_service_has),
};

SCENE_MAIN(tests)
