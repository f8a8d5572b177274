/* SPDX-License-Identifier: MIT */
/*
 * `make demo`: the real plugflashd, its workers and a journal of their own, with a simulated
 * STM32F103 in the place of the hardware. Exits 0 only if everything it tells of was so.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/names.h"
#include "base/util.h"
#include "bed/bed.h"
#include "bed/enclosure.h"
#include "bed/logind.h"

#define OLD_HEX "tests/firmware/firmware-1.0.0.hex"
#define OLD_BIN "tests/firmware/firmware-1.0.0.bin"
#define NEW_HEX "tests/firmware/firmware-1.1.0.hex"
#define NEW_BIN "tests/firmware/firmware-1.1.0.bin"

static const char rule[] = "[board gate]\n"
			   "serial = GATE-*\n"
			   "chip = 0x410\n"
			   "wiring = direct\n"
			   "image = gate-*.hex\n";

/* Set by claim(): how many things were not as they should be. */
struct demo {
	struct bed *bed;
	unsigned n_steps;
	unsigned n_wrong;
	uint64_t begin;
};

static void PRINTF_LIKE(2, 3) step(struct demo *demo, const char *format, ...)
{
	va_list args;

	printf("\n%u. ", ++demo->n_steps);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* Something that must be so, and is told either way. */
static void PRINTF_LIKE(3, 4) claim(struct demo *demo, bool is_so, const char *format, ...)
{
	va_list args;

	printf("   %s ", is_so ? "yes:" : "NO: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	demo->n_wrong += !is_so;
}

/* ------------------------------------------------------------------ watching a job */

struct watch {
	struct bed_unit *unit;
	struct sim_counters before;
	unsigned shown_erases, shown_blocks;
	bool is_open;
};

static unsigned erases(const struct sim_counters *counters)
{
	return counters->pages_erased + counters->mass_erases;
}

/* What the board itself sees of the job: a line for every four blocks. */
static bool is_over(void *userdata)
{
	struct watch *watch = userdata;
	struct sim_counters now = bed_counters(watch->unit);
	unsigned n_erases = erases(&now) - erases(&watch->before);
	unsigned n_blocks = now.blocks_written - watch->before.blocks_written;

	if (!watch->is_open && now.syncs > watch->before.syncs) {
		printf("   | reset into the boot loader by DTR and RTS, synchronised\n");
		watch->is_open = true;
	}
	if (n_erases > watch->shown_erases) {
		if (now.mass_erases > watch->before.mass_erases)
			printf("   | erased: the whole chip\n");
		else
			printf("   | erased: %u page%s\n", n_erases, n_erases == 1 ? "" : "s");
		watch->shown_erases = n_erases;
	}
	if (n_blocks >= watch->shown_blocks + 4) {
		printf("   | written: %u blocks of 256 bytes\n", n_blocks);
		watch->shown_blocks = n_blocks;
	}
	return bed_count_outcomes(watch->unit) > 0;
}

static void expect(struct demo *demo, struct bed_unit *unit, const struct sim_counters *before,
	const char *outcome)
{
	struct watch watch = {.unit = unit, .before = *before};
	const struct journal_entry *entry;
	const char *got = NULL;

	bed_wait(demo->bed, BED_LONG, is_over, &watch);
	entry = bed_wait_outcome(unit, 0);
	if (entry)
		got = journal_entry_get(entry, FIELD_OUTCOME);
	if (got && strcmp(got, outcome) == 0)
		claim(demo, true, "the outcome is '%s'", outcome);
	else
		claim(demo, false, "the outcome is '%s', but %s", outcome, got ? got : "missing");
	if (entry)
		printf("   | journal: %s\n", journal_entry_get(entry, "MESSAGE"));
}

/* ------------------------------------------------------------------ the steps */

static void start(struct demo *demo)
{
	char line[sizeof(rule)];
	char *rest = NULL;

	step(demo, "plugflashd starts with this rule, and firmware-1.0.0 in its image directory:");
	memcpy(line, rule, sizeof(rule));
	for (char *text = strtok_r(line, "\n", &rest); text; text = strtok_r(NULL, "\n", &rest))
		printf("   | %s\n", text);
	bed_configure(demo->bed, NULL, rule);
	bed_put_image(demo->bed, "gate-1.0.0.hex", OLD_HEX);
	bed_start_service(demo->bed, 10000);
	claim(demo, bed_wait_ready(demo->bed, BED_LONG), "it is ready");
}

static struct bed_unit *plug_in(struct demo *demo)
{
	const struct sim_counters none = {0};
	struct bed_unit *unit;

	step(demo, "A new board is plugged in: CP2102, STM32F103C8, its flash empty.");
	unit = bed_plug(demo->bed, &(struct bed_board){.serial = "GATE-0001", .is_paced = true});
	expect(demo, unit, &none, "updated");
	claim(demo, bed_flash_is(unit, OLD_BIN), "the flash equals firmware-1.0.0 byte for byte");
	return unit;
}

static void replug(struct demo *demo, struct bed_unit *unit)
{
	struct sim_counters before = bed_counters(unit), after;

	step(demo, "The same board is unplugged and plugged in again.");
	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect(demo, unit, &before, "current");
	after = bed_counters(unit);
	claim(demo,
		erases(&after) == erases(&before) && after.blocks_written == before.blocks_written,
		"nothing was erased or written");
}

static void update(struct demo *demo, struct bed_unit *unit)
{
	struct sim_counters before = bed_counters(unit);

	step(demo, "firmware-1.1.0 is dropped into the image directory; the board comes again.");
	bed_unplug(unit);
	bed_put_image(demo->bed, "gate-1.1.0.hex", NEW_HEX);
	bed_replug(unit, NULL);
	expect(demo, unit, &before, "updated");
	claim(demo, bed_flash_is(unit, NEW_BIN), "the flash equals firmware-1.1.0 byte for byte");
}

static void plug_in_wrong_chip(struct demo *demo)
{
	const struct sim_counters none = {0};
	struct sim_counters counters;
	struct bed_unit *unit;

	step(demo, "Somebody plugs in a board that fits the rule, but has an STM32F103RC on it.");
	unit = bed_plug(demo->bed,
		&(struct bed_board){.serial = "GATE-0002", .chip = "f103xc", .is_paced = true});
	expect(demo, unit, &none, "wrong-chip");
	counters = bed_counters(unit);
	claim(demo, erases(&counters) == 0 && counters.blocks_written == 0,
		"nothing was erased or written");
}

static void plug_in_stranger(struct demo *demo)
{
	struct bed_unit *unit;

	step(demo, "And a bridge that no rule fits: plugflash setup makes one for its board.");
	unit = bed_plug(demo->bed, &(struct bed_board){.serial = "LOGGER-7"});
	claim(demo, bed_wait_outcome(unit, BED_LONG), "the journal says so");
	claim(demo, bed_opens(unit) == 0, "its port was not opened");
}

/* ------------------------------------------------------------------ status */

/* A slot by name, one that is empty, and what is plugged in besides. */
static void show_status(struct demo *demo)
{
	char program[256];
	int status = -1;
	pid_t pid;

	step(demo, "plugflash status, with all of them plugged in:");
	fflush(stdout);
	snprintf(program, sizeof(program), "%s/plugflash", enclosure_build());
	pid = bed_spawn(demo->bed, (const char *const[]){program, "status", NULL});
	claim(demo,
		bed_wait_child(demo->bed, BED_LONG, pid, &status) && WIFEXITED(status) &&
			WEXITSTATUS(status) == 0,
		"the service tells it over the bus");
}

/* ------------------------------------------------------------------ the journal */

/* A line for each job: the fields that scripts go by. */
static void show_fields(const struct journal_entry *entry)
{
	static const char *const names[] = {FIELD_JOB, FIELD_BOARD, FIELD_PORT, FIELD_USB_SERIAL,
		FIELD_USB_PATH, FIELD_CHIP, FIELD_UNIT, FIELD_IMAGE, FIELD_VERSION, FIELD_SHA256,
		FIELD_PHASE, FIELD_OUTCOME, FIELD_BYTES, FIELD_BAUD, FIELD_DURATION_MS};

	if (!journal_entry_get(entry, FIELD_OUTCOME) || !journal_entry_get(entry, FIELD_JOB))
		return;
	printf("   |");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = journal_entry_get(entry, names[i]);

		if (value)
			printf(" %s=%s", names[i] + strlen("PLUGFLASH_"), value);
	}
	putchar('\n');
}

static void show_journal(struct demo *demo)
{
	const struct journal_reader *journal = bed_journal(demo->bed);
	int status = -1;
	pid_t pid;

	step(demo, "The journal of it all: journalctl -t plugflashd");
	fflush(stdout);
	pid = bed_spawn(
		demo->bed, (const char *const[]){"journalctl", "--no-pager", "-q", "-D",
				   "/run/log/journal", "-t", "plugflashd", "-o", "short", NULL});
	claim(demo, bed_wait_child(demo->bed, BED_LONG, pid, &status) && status == 0,
		"journalctl reads it");
	step(demo, "The fields of each job's last entry, without their prefix PLUGFLASH_:");
	for (size_t i = 0; i < journal_reader_count(journal); i++)
		show_fields(journal_reader_entry(journal, i));
}

int main(void)
{
	struct demo demo = {0};
	struct logind *logind;
	struct bed_unit *unit;
	int status;

	enclosure_enter();
	demo.begin = monotonic_usec();
	demo.bed = bed_new();
	logind = logind_new(demo.bed, false);
	start(&demo);
	unit = plug_in(&demo);
	replug(&demo, unit);
	update(&demo, unit);
	plug_in_wrong_chip(&demo);
	plug_in_stranger(&demo);
	show_status(&demo);
	step(&demo, "The service is told to stop.");
	status = bed_stop_service(demo.bed, BED_LONG);
	claim(&demo, WIFEXITED(status) && WEXITSTATUS(status) == 0, "it ended with status 0");
	show_journal(&demo);
	logind_free(logind);
	bed_free(demo.bed);
	printf("\n%s, in %.1f s\n", demo.n_wrong == 0 ? "All of it was so" : "NOT all of it was so",
		(double)(monotonic_usec() - demo.begin) / 1e6);
	return demo.n_wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
