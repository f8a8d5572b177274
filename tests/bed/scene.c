/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/util.h"
#include "bed/scene.h"

int scene_set_up(void **state)
{
	struct bed *bed = bed_new();

	scene_configure(bed, "", "");
	bed_put_image(bed, "gate-1.0.0.hex", FIRMWARE_OLD ".hex");
	*state = bed;
	return 0;
}

int scene_tear_down(void **state)
{
	*state = bed_free(*state);
	return 0;
}

void scene_configure(struct bed *bed, const char *service_keys, const char *board_keys)
{
	char text[2048];

	snprintf(text, sizeof(text),
		"[board gate]\nserial = A*\nchip = 0x410\nimage = gate-*\n%s\n", board_keys);
	bed_configure(bed, service_keys, text);
}

void scene_put_noise(struct bed *bed, unsigned version, size_t n_bytes)
{
	static const uint8_t vectors[8] = {0x00, 0x20, 0x00, 0x20, 0x01, 0x01, 0x00, 0x08};
	CLEANUP(freep) uint8_t *bytes = malloc(n_bytes);
	uint32_t noise = 0x9E3779B9 * (version + 1);
	char name[64];

	assert_non_null(bytes);
	for (size_t i = 0; i < n_bytes; i++) {
		noise = noise * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(noise >> 24);
	}
	memcpy(bytes, vectors, sizeof(vectors));
	snprintf(name, sizeof(name), "gate-2.%u.0.bin", version);
	bed_put_bytes(bed, name, bytes, n_bytes);
}

void scene_start(struct bed *bed)
{
	bed_start_service(bed, 0);
	assert_true(bed_wait_ready(bed, BED_LONG));
	bed_settle_images(bed);
}

static void print_entry(const struct journal_entry *entry)
{
	for (size_t i = 0; i < entry->n_fields; i++)
		if (entry->fields[i][0] != '_')
			print_message("# %s\n", entry->fields[i]);
}

const struct journal_entry *expect_outcome(struct bed_unit *unit, const char *outcome)
{
	const struct journal_entry *entry = bed_wait_outcome(unit, BED_LONG);
	const char *got = entry ? journal_entry_get(entry, FIELD_OUTCOME) : NULL;

	if (!entry) {
		bed_tell(unit);
		fail_msg("%s: no outcome in time, '%s' was expected", bed_port(unit), outcome);
	}
	if (!got || strcmp(got, outcome) != 0) {
		print_entry(entry);
		fail_msg("%s: outcome '%s' was expected", bed_port(unit), outcome);
	}
	return entry;
}

/* At a hub where no test puts its own. */
static struct bed_unit *plug_aside(struct bed *bed, const char *serial)
{
	static char places[64][12];
	static unsigned n;
	char *place = places[n++ % ARRAY_SIZE(places)];

	snprintf(place, sizeof(places[0]), "1-9.%u", n);
	return bed_plug(bed, &(struct bed_board){.serial = serial, .path = place});
}

void expect_another_updated(struct bed *bed)
{
	expect_outcome(plug_aside(bed, "A99"), "updated");
}

void expect_stranger_told(struct bed *bed)
{
	expect_outcome(plug_aside(bed, "X99"), "no-match");
}

void expect_field(const struct journal_entry *entry, const char *name, const char *value)
{
	const char *got = journal_entry_get(entry, name);

	if (!got || strcmp(got, value) != 0) {
		print_entry(entry);
		fail_msg("%s is '%s', not '%s'", name, got ? got : "", value);
	}
}

void expect_text(const struct journal_entry *entry, const char *name, const char *part)
{
	const char *got = journal_entry_get(entry, name);

	if (!got || !strstr(got, part)) {
		print_entry(entry);
		fail_msg("%s has no '%s' in it", name, part);
	}
}

void expect_untouched(struct bed_unit *unit)
{
	struct sim_counters counters = bed_counters(unit);

	assert_int_equal(counters.commands[WRITE], 0);
	assert_int_equal(counters.commands[ERASE], 0);
	assert_int_equal(counters.commands[EXTENDED_ERASE], 0);
	assert_int_equal(counters.commands[UNPROTECT], 0);
	assert_int_equal(counters.unprotects, 0);
}

unsigned scene_erases(struct bed_unit *unit)
{
	struct sim_counters counters = bed_counters(unit);

	return counters.pages_erased + counters.mass_erases;
}

void expect_at_rest(struct bed_unit *unit)
{
	const struct tty_change *changes;
	size_t n;

	assert_true(bed_wait_closed(unit, BED_LONG));
	changes = bed_lines(unit, &n);
	assert_true(n > 0);
	assert_int_equal(changes[n - 1].lines, 0);
	assert_int_not_equal(bed_state(unit), SIM_RESET);
	assert_int_not_equal(bed_state(unit), SIM_ROM);
}

void expect_good_stop(struct bed *bed)
{
	int status = bed_stop_service(bed, BED_LONG);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

pid_t scene_worker(void)
{
	CLEANUP(fclosep) FILE *f = fopen(SCENE_LOCK_FILE, "re");
	char line[32];

	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	return (pid_t)strtol(line, NULL, 10);
}
