/* SPDX-License-Identifier: MIT */
/*
 * test-loaders.c - the procedure against boot loaders that take a file, and against an application
 * that gives way to the ROM when it is told to.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sim/resident.h"
#include "target/port.h"
#include "unit/rows.h"

#define APPLICATION  (UINT32_C(0x08000000) + RESIDENT_BYTES)

#define IAP	     "protocol = ymodem\naddress = 0x08004000\nmenu = st-iap\n"
#define GECKO	     "protocol = xmodem\nmenu = gecko\n"
#define NSEC_PER_SEC UINT64_C(1000000000)
#define BANNER	     "plugflash-test 1.2.3\r\n"
#define CONFIRM	     "confirm = plugflash-test [0-9.]+\n"

static struct bench *new_bench(const struct sim_options *options, const char *rule)
{
	struct sim_options made = *options;

	if (!made.chip)
		made.chip = sim_chip_find("f103c8");
	return bench_new_with(&made, rule);
}

static struct bench *new_iap(const struct sim_faults *faults, const char *rule)
{
	const struct sim_options options = {.resident = SIM_RESIDENT_IAP, .faults = *faults};

	return new_bench(&options, rule);
}

/* A sound application for behind the loader, with a banner that it prints. */
static uint8_t *make_application(uint32_t size, unsigned seed)
{
	uint32_t vectors[] = {0x20001000, APPLICATION + 0x101}, state = seed;
	uint8_t *bytes = malloc(size);

	assert_non_null(bytes);
	for (uint32_t i = 0; i < size; i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(state >> 16);
	}
	memcpy(bytes, vectors, sizeof(vectors));
	if (size >= 0x200 + sizeof(BANNER))
		memcpy(bytes + 0x200, BANNER, sizeof(BANNER));
	return bytes;
}

static void take_file(struct bench *bench, const uint8_t *bytes, uint32_t size, uint32_t address)
{
	const struct image_options options = {address, size};
	struct reason reason = {""};

	image_done(&bench->image);
	assert_int_equal(image_read("x.bin", bytes, size, &options, &bench->image, &reason), 0);
}

static void take_application(struct bench *bench, uint32_t size, unsigned seed)
{
	CLEANUP(freep) uint8_t *bytes = make_application(size, seed);

	take_file(bench, bytes, size, APPLICATION);
}

static bool loader_is_whole(struct bench *bench)
{
	for (uint32_t i = 0; i < RESIDENT_BYTES; i++)
		if (sim_flash(bench->sim)[i] != 0x4A)
			return false;
	return true;
}

/* With the flash as it is now; the application's first words are over when the port is opened. */
static void start_anew(void)
{
	port_sim_replug(BENCH_PORT);
	port_sim_pass(BENCH_PORT, USEC_PER_SEC);
}

/* ------------------------------------------------------------------ what must work */

static void iap_is_updated_confirmed_and_then_current(void **state)
{
	struct bench *bench = new_iap(&(struct sim_faults){0}, IAP CONFIRM);

	(void)state;
	take_application(bench, 20001, 1);
	if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
		fail_msg("%s", bench->report.reason.text);
	assert_true(bench_holds_image(bench));
	assert_true(loader_is_whole(bench));
	assert_string_equal(bench->report.proof, "upload");
	assert_string_equal(bench->report.entered, "lines");
	assert_int_equal(bench->report.bytes, 20001);
	assert_int_equal(bench->report.attempts, 1);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	assert_int_equal(sim_counters(bench->sim)->files, 1);
	assert_int_equal(sim_counters(bench->sim)->bad_blocks, 0);
	assert_int_equal(sim_counters(bench->sim)->aborts_by_letter, 0);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	assert_int_equal(sim_counters(bench->sim)->files, 1);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	bench_free(bench);
}

struct iap_row {
	const char *name;
	struct sim_faults faults;
	const char *rule; /* more lines of it */
	uint32_t size;
	unsigned most_attempts;
};

static const struct iap_row iap_rows[] = {
	{"IAP: blocks of 128", .rule = "block-size = 128"},
	{"IAP: blocks of 1024", .rule = "block-size = 1024"},
	{"IAP: mixed blocks", .rule = "block-size = mixed"},
	{"IAP: mixed blocks, a rest of 128", .rule = "block-size = mixed", .size = 5 * 1024 + 128},
	{"IAP: mixed blocks, a rest of 1023", .rule = "block-size = mixed",
		.size = 5 * 1024 + 1023},
	{"IAP: one block exactly", .size = 1024},
	{"IAP: the shortest", .size = 0x240},
	{"IAP: all the room there is", .size = 48 * 1024},
	{"IAP: the first EOT is answered by NAK", .faults = {.naks_eot = true}},
	{"IAP: the loader ends at EOT", .faults = {.ends_at_eot = true}},
	{"IAP: the loader ends at EOT, and the rule says so", .faults = {.ends_at_eot = true},
		.rule = "closing-header = no"},
	{"IAP: it erases before the first C, for 25 s",
		.faults = {.erases_before_call = true, .erase_nsec = 25 * NSEC_PER_SEC}},
	{"IAP: it erases after the header, for 25 s", .faults = {.erase_nsec = 25 * NSEC_PER_SEC}},
	{"IAP: it was there before anybody listened", .rule = "entry = none"},
	{"IAP: always written", .rule = "update = always"},
	{"IAP: the second block is cancelled", .faults = {.cancel_block = 2}, .most_attempts = 2},
	{"IAP: the third block is cancelled", .faults = {.cancel_block = 3}, .most_attempts = 2},
};

static void iap_takes_it(void **state)
{
	const struct iap_row *row = *state;
	CLEANUP(freep) char *rule = NULL;
	bool is_there = row->rule && strstr(row->rule, "none");
	const struct sim_options options = {
		.resident = SIM_RESIDENT_IAP,
		.circuit = is_there ? SIM_CIRCUIT_ROM : SIM_CIRCUIT_DIRECT,
		.faults = row->faults,
	};
	struct bench *bench;

	assert_true(asprintf(&rule, IAP CONFIRM "%s\n", row->rule ? row->rule : "") > 0);
	bench = new_bench(&options, rule);
	take_application(bench, row->size ? row->size : 7777, 3);
	if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
		fail_msg("%s", bench->report.reason.text);
	assert_true(bench_holds_image(bench));
	assert_true(loader_is_whole(bench));
	assert_in_range(bench->report.attempts, 1, row->most_attempts ? row->most_attempts : 1);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	assert_int_equal(sim_counters(bench->sim)->aborts_by_letter, 0);
	bench_free(bench);
}

/* A GBL as the simulated loader knows it: tag, length, application. */
static void take_gbl(struct bench *bench, uint32_t size, unsigned seed)
{
	CLEANUP(freep) uint8_t *application = make_application(size, seed);
	CLEANUP(freep) uint8_t *file = malloc(size + 8);
	const uint8_t head[8] = {0xEB, 0x17, 0xA6, 0x03, (uint8_t)size, (uint8_t)(size >> 8),
		(uint8_t)(size >> 16), (uint8_t)(size >> 24)};

	assert_non_null(file);
	memcpy(file, head, sizeof(head));
	memcpy(file + sizeof(head), application, size);
	take_file(bench, file, size + 8, 0);
}

static bool holds_gbl(const struct bench *bench)
{
	const struct segment *segment = &bench->image.segments[0];

	return memcmp(sim_flash(bench->sim) + RESIDENT_BYTES, segment->data + 8,
		       segment->size - 8) == 0;
}

struct gecko_row {
	const char *name;
	const char *rule; /* more lines of it */
	enum outcome outcome;
	const char *proof;
	const char *reason;
};

static const struct gecko_row gecko_rows[] = {
	{"Gecko: the application confirms", CONFIRM, OUTCOME_UPDATED, "confirm", NULL},
	{"Gecko: nothing vouches for it", "", OUTCOME_VERIFY_IMPOSSIBLE, "", "accept-unverified"},
	{"Gecko: the loader's word is enough", "accept-unverified = yes", OUTCOME_UPDATED, "loader",
		NULL},
	{"Gecko: the application says something else", "confirm = version 9\nconfirm-within = 1s",
		OUTCOME_NOT_CONFIRMED, "", "plugflash-test 1.2.3"},
	{"Gecko: the menu does not start it, a reset does", "menu-start = send \"3\"\n" CONFIRM,
		OUTCOME_UPDATED, "confirm", NULL},
	{"Gecko: by reset instead of the menu", "start = reset\n" CONFIRM, OUTCOME_UPDATED,
		"confirm", NULL},
};

static void gecko_takes_it(void **state)
{
	const struct gecko_row *row = *state;
	const struct sim_options options = {.resident = SIM_RESIDENT_GECKO};
	CLEANUP(freep) char *rule = NULL;
	struct bench *bench;

	assert_true(asprintf(&rule, GECKO "%s\n", row->rule) > 0);
	bench = new_bench(&options, rule);
	take_gbl(bench, 6001, 4);
	if (bench_run(bench, FLASH_UPDATE) != row->outcome)
		fail_msg("%s: %s", outcome_to_string(bench->report.outcome),
			bench->report.reason.text);
	assert_true(holds_gbl(bench));
	assert_true(loader_is_whole(bench));
	assert_string_equal(bench->report.proof, row->proof);
	assert_int_equal(sim_counters(bench->sim)->files, 1);
	assert_int_equal(bench->report.attempts, 1);
	if (row->reason && !strstr(bench->report.reason.text, row->reason))
		fail_msg("%s", bench->report.reason.text);
	bench_free(bench);
}

/* ------------------------------------------------------------------ what such a loader cannot do
 */

static void verify_and_read_go_by_the_upload(void **state)
{
	struct bench *bench = new_iap(&(struct sim_faults){0}, IAP "retries = 0");

	(void)state;
	take_application(bench, 9000, 5);
	bench_preload(bench);
	assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_CURRENT);
	assert_string_equal(bench->report.proof, "upload");
	assert_int_equal(bench_run(bench, FLASH_READ), OUTCOME_CURRENT);
	assert_int_equal(bench->n_read, 48 * 1024);
	assert_memory_equal(bench->read, sim_flash(bench->sim) + RESIDENT_BYTES, bench->n_read);
	sim_flash(bench->sim)[RESIDENT_BYTES + 5000] ^= 0x10;
	assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_VERIFY_DIFFERS);
	assert_int_equal(bench->report.address, APPLICATION + 5000);
	assert_int_equal(sim_counters(bench->sim)->files, 0);
	assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	bench_free(bench);
}

static void without_an_upload_nothing_can_be_verified_or_read(void **state)
{
	const struct sim_options options = {.resident = SIM_RESIDENT_GECKO};
	struct bench *bench = new_bench(&options, GECKO);
	uint64_t begin;

	(void)state;
	take_gbl(bench, 3000, 4);
	begin = bench_msec(bench);
	assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_VERIFY_IMPOSSIBLE);
	assert_int_equal(bench_run(bench, FLASH_READ), OUTCOME_FAILED);
	/* It cannot become better by another try. */
	assert_true(bench_msec(bench) - begin < 5000);
	assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
	bench_free(bench);
}

static void probe_goes_up_to_the_menu_and_no_further(void **state)
{
	struct bench *bench =
		new_iap(&(struct sim_faults){.erases_before_call = true}, IAP "retries = 0");

	(void)state;
	take_application(bench, 9000, 5);
	bench_preload(bench);
	assert_int_equal(bench_run(bench, FLASH_PROBE), OUTCOME_CURRENT);
	port_sim_pass(BENCH_PORT, USEC_PER_SEC);
	assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	assert_true(bench_holds_image(bench));
	bench_free(bench);
}

static bool is_cancelled(void *userdata)
{
	(void)userdata;
	return true;
}

static bool is_cancelled_later(void *userdata)
{
	unsigned *n_left = userdata;

	return *n_left == 0 || --*n_left == 0;
}

static void a_stop_before_the_menu_choice_erases_nothing(void **state)
{
	struct bench *bench = new_iap(&(struct sim_faults){0}, IAP "retries = 0");

	(void)state;
	take_application(bench, 9000, 5);
	bench_preload(bench);
	take_application(bench, 9000, 6);
	bench->is_cancelled = is_cancelled;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CANCELLED);
	for (unsigned n = 1; n <= 4; n++) {
		unsigned n_left = n;

		bench->is_cancelled = is_cancelled_later;
		bench->userdata = &n_left;
		if (bench_run(bench, FLASH_UPDATE) == OUTCOME_UPDATED)
			break;
		assert_int_equal(bench->report.outcome, OUTCOME_CANCELLED);
		port_sim_pass(BENCH_PORT, USEC_PER_SEC);
		assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
		assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	}
	bench_free(bench);
}

struct version_row {
	const char *name;
	const char *version; /* of the image */
	const char *rule;
	const char *query; /* that the application answers */
	const char *chatter;
	enum outcome outcome;
	unsigned entries; /* into the loader */
};

#define ASKS "version-query = V\\r\nversion-pattern = plugflash-test ([0-9.]+)\n"

static const struct version_row version_rows[] = {
	{"version: the same, nothing is touched", "1.2.3", ASKS, "V\r", NULL, OUTCOME_CURRENT, 0},
	{"version: the same in other words", "v1.2.3.0", ASKS, "V\r", NULL, OUTCOME_CURRENT, 0},
	{"version: another", "1.3.0", ASKS, "V\r", NULL, OUTCOME_UPDATED, 1},
	{"version: a longer one", "1.2.30", ASKS, "V\r", NULL, OUTCOME_UPDATED, 1},
	{"version: the application does not know the question", "1.2.3",
		ASKS "entry = command\nentry-command = BOOT", "W\r", NULL, OUTCOME_UPDATED, 1},
	{"version: it says it by itself", "1.2.3", "version-pattern = plugflash-test ([0-9.]+)",
		NULL, "status ok plugflash-test 1.2.3\r\n", OUTCOME_CURRENT, 0},
	{"version: the image has none", NULL, ASKS, "V\r", NULL, OUTCOME_UPDATED, 1},
	{"version: always written", "1.2.3", ASKS "update = always", "V\r", NULL, OUTCOME_UPDATED,
		1},
};

static void a_version_decides(void **state)
{
	const struct version_row *row = *state;
	const struct sim_options options = {
		.circuit = strstr(row->rule, "command") ? SIM_CIRCUIT_NONE : SIM_CIRCUIT_DIRECT,
		.resident = SIM_RESIDENT_GECKO,
		.command = "BOOT",
		.query = row->query,
		.chatter = row->chatter,
	};
	CLEANUP(freep) char *rule = NULL;
	struct bench *bench;
	unsigned n_entries;

	assert_true(asprintf(&rule, GECKO "accept-unverified = yes\n%s", row->rule) > 0);
	bench = new_bench(&options, rule);
	take_application(bench, 3000, 6);
	bench_preload(bench);
	take_gbl(bench, 3000, 6);
	bench->version = row->version;
	start_anew();
	n_entries = sim_counters(bench->sim)->resident_entries;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), row->outcome);
	assert_int_equal(sim_counters(bench->sim)->resident_entries - n_entries, row->entries);
	assert_string_equal(
		bench->report.proof, row->outcome == OUTCOME_CURRENT ? "version" : "loader");
	bench_free(bench);
}

/* ------------------------------------------------------------------ what goes wrong */

struct failure_row {
	const char *name;
	struct sim_faults faults;
	const char *rule;
	uint32_t size;
	enum outcome outcome;
	enum phase phase;
	uint64_t most_msec;
	bool nothing_erased;
	const char *reason;
};

static const struct failure_row failure_rows[] = {
	{"fault 53: a silent loader", .faults = {.silent = true}, .outcome = OUTCOME_NO_SYNC,
		.phase = PHASE_SYNC, .most_msec = 120000, .nothing_erased = true, .reason = "menu"},
	{"fault 55: endless random bytes", .faults = {.garbage = true, .seed = 3},
		.outcome = OUTCOME_NO_SYNC, .most_msec = 120000, .nothing_erased = true},
	{"fault 54: an endless stream of 0x79", .faults = {.ack_stream = true},
		.outcome = OUTCOME_NO_SYNC, .most_msec = 120000, .nothing_erased = true},
	{"fault 29: larger than the room", .size = 48 * 1024 + 1, .outcome = OUTCOME_ERASE_FAILED,
		.phase = PHASE_ERASE, .nothing_erased = true, .reason = "higher than"},
	{"fault 60: the flash takes nothing", .faults = {.write_protected = true},
		.outcome = OUTCOME_ERASE_FAILED, .phase = PHASE_ERASE, .reason = "Verification"},
	{"an erase without end", .faults = {.erase_nsec = SIM_NEVER},
		.outcome = OUTCOME_ERASE_FAILED, .phase = PHASE_ERASE, .most_msec = 8 * 60000},
	{"an erase longer than the rule grants", .faults = {.erase_nsec = 8 * NSEC_PER_SEC},
		.rule = "erase-within = 2s", .outcome = OUTCOME_ERASE_FAILED, .phase = PHASE_ERASE},
	{"one bit of the flash is stuck", .faults = {.stuck_address = APPLICATION + 0x500},
		.outcome = OUTCOME_WRITE_FAILED, .phase = PHASE_WRITE, .reason = "Verification"},
};

static void a_failure_has_its_outcome(void **state)
{
	const struct failure_row *row = *state;
	CLEANUP(freep) char *rule = NULL;
	struct bench *bench;
	uint64_t begin;

	assert_true(asprintf(&rule, IAP "retries = 1\nretry-delay = 100ms\n%s",
			    row->rule ? row->rule : "") > 0);
	bench = new_iap(&row->faults, rule);
	take_application(bench, row->size ? row->size : 5000, 7);
	begin = bench_msec(bench);
	if (bench_run(bench, FLASH_UPDATE) != row->outcome)
		fail_msg("%s: %s", outcome_to_string(bench->report.outcome),
			bench->report.reason.text);
	if (row->phase)
		assert_int_equal(bench->report.phase, row->phase);
	assert_true(bench_msec(bench) - begin < (row->most_msec ? row->most_msec : 5 * 60000));
	if (row->nothing_erased)
		assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
	if (row->reason && !strstr(bench->report.reason.text, row->reason))
		fail_msg("%s", bench->report.reason.text);
	assert_true(loader_is_whole(bench));
	/* A board that works again is repaired. */
	sim_set_faults(bench->sim, &(struct sim_faults){0});
	if (row->size == 0) {
		take_application(bench, 5000, 7);
		port_sim_replug(BENCH_PORT);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_true(bench_holds_image(bench));
	}
	bench_free(bench);
}

struct sweep_row {
	const char *name;
	size_t knob; /* of struct sim_faults, a uint64_t */
	enum sim_resident resident;
};

#define KNOB(member) offsetof(struct sim_faults, member)

static const struct sweep_row sweep_rows[] = {
	{"IAP: a byte to the loader is lost", KNOB(drop_received), SIM_RESIDENT_IAP},
	{"IAP: a byte to the loader is bent", KNOB(flip_received), SIM_RESIDENT_IAP},
	{"IAP: a byte to the loader is doubled", KNOB(double_received), SIM_RESIDENT_IAP},
	{"IAP: a byte from the loader is lost", KNOB(drop_sent), SIM_RESIDENT_IAP},
	{"IAP: a byte from the loader is bent", KNOB(flip_sent), SIM_RESIDENT_IAP},
	{"IAP: a byte from the loader is doubled", KNOB(double_sent), SIM_RESIDENT_IAP},
	{"Gecko: a byte to the loader is lost", KNOB(drop_received), SIM_RESIDENT_GECKO},
	{"Gecko: a byte to the loader is bent", KNOB(flip_received), SIM_RESIDENT_GECKO},
	{"Gecko: a byte to the loader is doubled", KNOB(double_received), SIM_RESIDENT_GECKO},
	{"Gecko: a byte from the loader is lost", KNOB(drop_sent), SIM_RESIDENT_GECKO},
	{"Gecko: a byte from the loader is bent", KNOB(flip_sent), SIM_RESIDENT_GECKO},
	{"Gecko: a byte from the loader is doubled", KNOB(double_sent), SIM_RESIDENT_GECKO},
};

/* Every byte near the edges of the conversation, one in some within. */
static uint64_t next_victim(uint64_t n)
{
	return n < 60 ? n + 1 : n + 17;
}

static void one_byte_that_goes_wrong_is_made_good(void **state)
{
	const struct sweep_row *row = *state;
	bool is_iap = row->resident == SIM_RESIDENT_IAP;
	unsigned n_runs = 0, n_retries = 0;

	for (uint64_t n = 1, n_bytes = 1; n <= n_bytes; n = next_victim(n)) {
		struct sim_options options = {.resident = row->resident, .faults = {.seed = 5}};
		struct bench *bench;

		*(uint64_t *)((char *)&options.faults + row->knob) = n;
		bench = new_bench(&options, is_iap ? IAP CONFIRM : GECKO CONFIRM);
		if (is_iap)
			take_application(bench, 2100, 8);
		else
			take_gbl(bench, 2100, 8);
		if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
			fail_msg("byte %u: %s", (unsigned)n, bench->report.reason.text);
		assert_true(is_iap ? bench_holds_image(bench) : holds_gbl(bench));
		n_runs++;
		n_retries += bench->report.attempts > 1;
		n_bytes = row->knob >= KNOB(drop_sent) && row->knob <= KNOB(flip_sent)
				  ? sim_counters(bench->sim)->sent
				  : sim_counters(bench->sim)->received;
		if (row->knob == KNOB(double_sent))
			n_bytes = sim_counters(bench->sim)->sent;
		bench_free(bench);
	}
	print_message("# figure: %s: %u runs, %u with a second session, all updated\n", row->name,
		n_runs, n_retries);
}

/* Behind a lost first byte ST's receiver reads the block letter by letter. */
static void the_letter_a_aborts_and_the_next_session_repairs(void **state)
{
	CLEANUP(freep) uint8_t *bytes = make_application(3000, 9);
	struct bench *bench;

	(void)state;
	memset(bytes + 8, 'a', 0x180);
	/* Menu nudge, choice, header: then the first byte of the first data block. */
	bench = new_iap(&(struct sim_faults){.drop_received = 2 + 1 + 133 + 1},
		IAP CONFIRM "update = always");
	take_file(bench, bytes, 3000, APPLICATION);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(sim_counters(bench->sim)->aborts_by_letter, 1);
	assert_int_equal(bench->report.attempts, 2);
	assert_true(bench_holds_image(bench));
	bench_free(bench);
}

/* ------------------------------------------------------------------ cut off */

/* Pulls the plug after so many bytes, then plugs in again. */
static void cut_and_repair(struct bench *bench, uint64_t after, bool self_powered)
{
	const struct port_sim_options cut = {
		.unplug_after_sent = after, .self_powered = self_powered};
	enum outcome outcome;

	port_sim_set_options(BENCH_PORT, &cut);
	outcome = bench_run(bench, FLASH_UPDATE);
	if (outcome != OUTCOME_PORT_GONE)
		fail_msg("cut after %u: %s %s", (unsigned)after, outcome_to_string(outcome),
			bench->report.reason.text);
	port_sim_replug(BENCH_PORT);
	if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
		fail_msg("after a cut after %u: %s", (unsigned)after, bench->report.reason.text);
}

static void fault_17_a_file_cut_off_after_each_block_is_sent_again(void **state)
{
	unsigned n_cuts = 0;

	(void)state;
	for (uint64_t after = 4; after < 4 + 133 + 5 * 1029; after += 133) {
		struct bench *bench = new_iap(
			&(struct sim_faults){0}, IAP CONFIRM "update = always\nretries = 1");

		take_application(bench, 4 * 1024 + 100, 10);
		bench_preload(bench);
		take_application(bench, 4 * 1024 + 200, 11);
		cut_and_repair(bench, after, false);
		assert_true(bench_holds_image(bench));
		assert_true(loader_is_whole(bench));
		n_cuts++;
		bench_free(bench);
	}
	print_message(
		"# figure: a file by YMODEM, cut off after %u different bytes, each repaired\n",
		n_cuts);
}

static void fault_17_a_gbl_cut_off_after_each_block_is_sent_again(void **state)
{
	unsigned n_cuts = 0;

	(void)state;
	for (uint64_t after = 4; after < 4 + 20 * 133; after += 133) {
		const struct sim_options options = {.resident = SIM_RESIDENT_GECKO};
		struct bench *bench = new_bench(&options, GECKO CONFIRM "retries = 1");

		take_gbl(bench, 20 * 128, 12);
		cut_and_repair(bench, after, false);
		assert_true(holds_gbl(bench));
		n_cuts++;
		bench_free(bench);
	}
	print_message(
		"# figure: a GBL by XMODEM, cut off after %u different bytes, each repaired\n",
		n_cuts);
}

/* ------------------------------------------------------------------ entry by a command */

#define F103 "chip = 0x410\nentry = command\nentry-command = BOOT\\r\n"

#define OLD  FIRMWARE_OLD
#define NEW  FIRMWARE_NEW

struct command_row {
	const char *name;
	const char *rule;
	struct sim_options options;
	bool has_application;
	enum outcome outcome;
	const char *entered;
	unsigned commands; /* that the application obeyed */
};

static const struct command_row command_rows[] = {
	{"command: with a reply", F103 "entry-reply = ^OK",
		{.command = "BOOT\r", .reply = "OK\r\n"}, true, OUTCOME_UPDATED, "command", 1},
	{"command: without a reply", F103, {.command = "BOOT\r"}, true, OUTCOME_UPDATED, "command",
		1},
	{"command: the reply does not come, but the boot loader does", F103 "entry-reply = ^YES",
		{.command = "BOOT\r", .reply = "OK\r\n"}, true, OUTCOME_UPDATED, "direct", 1},
	{"command: an empty chip in its boot loader, which the command spoils up to a reset",
		F103 "entry-reply = OK\nreset = dtr\nboot = none",
		{.circuit = SIM_CIRCUIT_DIRECT, .enters_rom_when_empty = true}, false,
		OUTCOME_UPDATED, "direct", 0},
	{"command: the application does not listen", F103 "retries = 0", {.command = NULL}, true,
		OUTCOME_NO_SYNC, "", 0},
	{"command: at another rate than the application's", F103 "entry-baud = 9600\nretries = 0",
		{.command = "BOOT\r"}, true, OUTCOME_NO_SYNC, "", 0},
	{"command: another chip, and the application runs again",
		"chip = 0x414\nentry = command\nentry-command = BOOT\\r\n", {.command = "BOOT\r"},
		true, OUTCOME_WRONG_CHIP, "command", 1},
	{"command: confirmed", F103 "confirm = plugflash-test 1\\.1", {.command = "BOOT\r"}, true,
		OUTCOME_UPDATED, "command", 1},
	{"command: confirmed after a reset", F103 "reset = dtr\nboot = none\nconfirm = test 1\\.1",
		{.circuit = SIM_CIRCUIT_DIRECT, .command = "BOOT\r"}, true, OUTCOME_UPDATED,
		"command", 1},
};

static void a_command_leads_into_the_rom(void **state)
{
	const struct command_row *row = *state;
	struct sim_options options = row->options;
	struct bench *bench;

	if (!strstr(row->rule, "reset = "))
		options.circuit = SIM_CIRCUIT_NONE;
	bench = new_bench(&options, row->rule);
	bench_take_file(bench, OLD);
	if (row->has_application)
		bench_preload(bench);
	bench_take_file(bench, NEW);
	start_anew();
	if (bench_run(bench, FLASH_UPDATE) != row->outcome)
		fail_msg("%s: %s", outcome_to_string(bench->report.outcome),
			bench->report.reason.text);
	assert_string_equal(bench->report.entered, row->entered);
	assert_int_equal(sim_counters(bench->sim)->application_commands, row->commands);
	assert_int_equal(bench_holds_image(bench), row->outcome == OUTCOME_UPDATED);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	bench_free(bench);
}

/* The board has its own power: what it holds in the ROM is not lost with the plug. */
static void fault_17_a_jump_cut_off_after_each_block_is_repaired_directly(void **state)
{
	unsigned n_cuts = 0;

	(void)state;
	for (uint64_t after = 60;; after += 61) {
		const struct sim_options options = {
			.circuit = SIM_CIRCUIT_NONE, .command = "BOOT\r", .reply = "OK\r\n"};
		struct bench *bench = new_bench(&options, F103 "entry-reply = OK\nretries = 1");
		const struct port_sim_options cut = {
			.unplug_after_sent = after, .self_powered = true};
		enum outcome outcome;

		bench_take_file(bench, OLD);
		bench_preload(bench);
		bench_take_file(bench, NEW);
		start_anew();
		port_sim_set_options(BENCH_PORT, &cut);
		outcome = bench_run(bench, FLASH_UPDATE);
		if (outcome == OUTCOME_UPDATED) {
			bench_free(bench);
			break;
		}
		assert_int_equal(outcome, OUTCOME_PORT_GONE);
		port_sim_set_options(BENCH_PORT, &(struct port_sim_options){.self_powered = true});
		port_sim_plug(BENCH_PORT);
		if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
			fail_msg("after a cut after %u: %s", (unsigned)after,
				bench->report.reason.text);
		assert_true(bench_holds_image(bench));
		n_cuts++;
		bench_free(bench);
	}
	print_message(
		"# figure: a jump to the ROM, cut off after %u different bytes, each repaired\n",
		n_cuts);
}

/* ------------------------------------------------------------------ confirmed or not */

struct confirm_row {
	const char *name;
	const char *rule;
	const char *chatter;
	enum outcome outcome;
};

static const struct confirm_row confirm_rows[] = {
	{"confirm: after a reset", "confirm = plugflash-test 1\\.1\\.0", NULL, OUTCOME_UPDATED},
	{"confirm: after Go", "confirm = plugflash-test 1\\.1\\.0\nstart = go", NULL,
		OUTCOME_UPDATED},
	{"confirm: another text", "confirm = plugflash-test 1\\.2\nconfirm-within = 200ms", NULL,
		OUTCOME_NOT_CONFIRMED},
	{"confirm: at another rate", "confirm = plugflash-test\nconfirm-baud = 9600", NULL,
		OUTCOME_NOT_CONFIRMED},
	{"confirm: with another format", "confirm = plugflash-test\nconfirm-format = 8e1", NULL,
		OUTCOME_NOT_CONFIRMED},
	{"confirm: an application that talks without end",
		"confirm = no such text\nconfirm-within = 2s", "all is well all is well\r\n",
		OUTCOME_NOT_CONFIRMED},
	{"confirm: in the middle of much talk", "confirm = well *all", "all is well all is well ",
		OUTCOME_UPDATED},
};

static void the_application_confirms_or_not(void **state)
{
	const struct confirm_row *row = *state;
	const struct sim_options options = {.chatter = row->chatter};
	CLEANUP(freep) char *rule = NULL;
	struct bench *bench;

	assert_true(asprintf(&rule, "chip = 0x410\n%s", row->rule) > 0);
	bench = new_bench(&options, rule);
	bench_take_file(bench, NEW);
	if (bench_run(bench, FLASH_UPDATE) != row->outcome)
		fail_msg("%s: %s", outcome_to_string(bench->report.outcome),
			bench->report.reason.text);
	assert_true(bench_holds_image(bench));
	assert_string_equal(bench->report.proof, "read-back");
	/* A unit that holds the image already is asked as well: it was reset. */
	assert_int_equal(bench_run(bench, FLASH_UPDATE),
		row->outcome == OUTCOME_UPDATED ? OUTCOME_CURRENT : OUTCOME_NOT_CONFIRMED);
	bench_free(bench);
}

int main(void)
{
	struct CMUnitTest tests[120];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, iap_is_updated_confirmed_and_then_current);
	ADD_ROWS(tests, n_tests, iap_rows, iap_takes_it);
	ADD_ROWS(tests, n_tests, gecko_rows, gecko_takes_it);
	ADD_TEST(tests, n_tests, verify_and_read_go_by_the_upload);
	ADD_TEST(tests, n_tests, without_an_upload_nothing_can_be_verified_or_read);
	ADD_TEST(tests, n_tests, probe_goes_up_to_the_menu_and_no_further);
	ADD_TEST(tests, n_tests, a_stop_before_the_menu_choice_erases_nothing);
	ADD_ROWS(tests, n_tests, version_rows, a_version_decides);
	ADD_ROWS(tests, n_tests, failure_rows, a_failure_has_its_outcome);
	ADD_ROWS(tests, n_tests, sweep_rows, one_byte_that_goes_wrong_is_made_good);
	ADD_TEST(tests, n_tests, the_letter_a_aborts_and_the_next_session_repairs);
	ADD_TEST(tests, n_tests, fault_17_a_file_cut_off_after_each_block_is_sent_again);
	ADD_TEST(tests, n_tests, fault_17_a_gbl_cut_off_after_each_block_is_sent_again);
	ADD_ROWS(tests, n_tests, command_rows, a_command_leads_into_the_rom);
	ADD_TEST(tests, n_tests, fault_17_a_jump_cut_off_after_each_block_is_repaired_directly);
	ADD_ROWS(tests, n_tests, confirm_rows, the_application_confirms_or_not);
	return RUN_TESTS("loaders", tests, n_tests);
}
