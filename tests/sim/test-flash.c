/* SPDX-License-Identifier: MIT */
/* test-flash.c - the procedure against the simulated boot ROM: what must work, chip by chip. */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "device/port.h"
#include "unit/rows.h"

#define F103 "chip = F103xC"

static void a_fresh_chip_is_updated(void **state)
{
	struct bench *bench = bench_new("f103xc", F103);
	const struct port_sim_record *record = port_sim_record(BENCH_PORT);

	(void)state;
	bench_take_file(bench, FIRMWARE_OLD);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	assert_int_equal(bench->report.bytes, image_bytes(&bench->image));
	assert_int_equal(bench->report.product_id, 0x414);
	assert_int_equal(bench->report.bootloader_version, 0x22);
	assert_int_equal(bench->report.flash_bytes, 256 * 1024);
	assert_int_equal(strlen(bench->report.unit), 24);
	assert_int_equal(bench->report.baud, 115200);
	assert_int_equal(bench->report.entries, 1);
	assert_int_equal(sim_counters(bench->sim)->bad_writes, 0);
	assert_int_equal(sim_counters(bench->sim)->bad_addresses, 0);
	assert_int_equal(sim_counters(bench->sim)->unprotects, 0);
	assert_int_equal(sim_counters(bench->sim)->sync_bytes_bad, 0);
	assert_int_equal(sim_counters(bench->sim)->syncs, 1);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	/* Nothing before 0x7F, at the right format, and the clock agrees with the line. */
	assert_int_equal(record->firsts[0].byte, 0x7F);
	assert_int_equal(record->firsts[0].baud, 115200);
	assert_true(record->firsts[0].even_parity);
	bench_free(bench);
}

static void the_same_image_again_is_current(void **state)
{
	struct bench *bench = bench_new("f103xc", F103);

	(void)state;
	bench_take_file(bench, FIRMWARE_OLD);
	bench_preload(bench);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	assert_int_equal(bench_erases(bench), 0);
	assert_int_equal(sim_counters(bench->sim)->commands[0x31], 0);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	bench_free(bench);
}

/* What aligns the last block for the chip is no byte of the image. */
static void one_image_has_one_number_of_bytes(void **state)
{
	static const struct {
		const char *chip, *rule;
	} chips[] = {{"f103xc", F103}, {"g0b1", "chip = 0x467"}, {"h743", "chip = 0x450"}};
	static const uint32_t sizes[] = {515, 4094, 4097};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chips) * ARRAY_SIZE(sizes); i++) {
		uint32_t size = sizes[i % ARRAY_SIZE(sizes)];
		struct bench *bench = bench_new(
			chips[i / ARRAY_SIZE(sizes)].chip, chips[i / ARRAY_SIZE(sizes)].rule);

		bench_take_bytes(bench, 0x08000000, size, 5);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_int_equal(bench->report.bytes, size);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
		assert_int_equal(bench->report.bytes, size);
		assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_CURRENT);
		assert_int_equal(bench->report.bytes, size);
		bench_free(bench);
	}
}

static void another_version_is_updated_and_the_rest_stays(void **state)
{
	struct bench *bench = bench_new("f103xc", F103);
	uint32_t settings = 200 * 1024;

	(void)state;
	bench_take_file(bench, FIRMWARE_OLD);
	bench_preload(bench);
	memset(sim_flash(bench->sim) + settings, 0x5A, 1024);
	bench_take_file(bench, FIRMWARE_NEW);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	assert_false(bench->report.mass_erased);
	for (uint32_t i = 0; i < 1024; i++)
		assert_int_equal(sim_flash(bench->sim)[settings + i], 0x5A);
	bench_free(bench);
}

static void update_always_writes_what_is_there_already(void **state)
{
	struct bench *bench = bench_new("f103xc", F103 "\nupdate = always");

	(void)state;
	bench_take_file(bench, FIRMWARE_OLD);
	bench_preload(bench);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_erases(bench) > 0);
	bench_free(bench);
}

/* The vectors are the last bytes that arrive, and their page the first that is erased. */
static void the_vector_page_goes_first_and_comes_last(void **state)
{
	static const uint8_t vector_address[] = {0x08, 0x00, 0x00, 0x00, 0x08};
	static const uint8_t write_command[] = {0x31, 0xCE};
	struct bench *bench = bench_new("f103xc", F103);
	const struct port_sim_record *record = port_sim_record(BENCH_PORT);
	size_t n_writes = 0, first_of_vectors = 0, n_pages_before = 0;

	(void)state;
	bench_take_bytes(bench, 0x08000000, 20000, 1);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	for (size_t i = 0; i + 7 < record->n_sent; i++) {
		uint8_t seen[7];

		for (size_t j = 0; j < sizeof(seen); j++)
			seen[j] = record->sent[i + j].byte;
		if (memcmp(seen, write_command, 2) != 0 || seen[2] != 0x08 ||
			(seen[2] ^ seen[3] ^ seen[4] ^ seen[5]) != seen[6])
			continue;
		n_writes++;
		if (memcmp(seen + 2, vector_address, 5) == 0) {
			first_of_vectors = n_writes;
			n_pages_before = sim_counters(bench->sim)->pages_erased;
		}
	}
	/* 79 blocks, the first of them in two parts of which the vectors come last. */
	assert_int_equal(n_writes, 79 + 1);
	assert_int_equal(first_of_vectors, 79 + 1);
	assert_int_equal(n_pages_before, 10);
	assert_int_equal(sim_counters(bench->sim)->commands[0x43], 2);
	bench_free(bench);
}

struct chip_row {
	const char *name;
	const char *chip;
	const char *rule;
	uint16_t product_id;
	uint32_t size;
};

static const struct chip_row chip_rows[] = {
	{"F103C8, 1 KiB pages", "f103c8", "chip = 0x410", 0x410, 60001},
	{"F103xC, the whole flash", "f103xc", "chip = 0x414", 0x414, 256 * 1024},
	{"F405, sectors and voltage range", "f405", "chip = 0x413", 0x413, 200003},
	{"F072", "f072", "chip = 0x448", 0x448, 30002},
	{"L152, 256-byte pages, no mass erase, erased to zero", "l152", "chip = 0x416", 0x416,
		128 * 1024},
	{"L412, two ACKs on sync", "l412", "chip = 0x464", 0x464, 20001},
	{"H743, 128 KiB sectors", "h743", "chip = 0x450", 0x450, 140001},
	{"G0B1", "g0b1", "chip = 0x467", 0x467, 20007},
	{"G474", "g474", "chip = 0x469", 0x469, 20007},
	{"U575, 16-byte words", "u575", "chip = 0x482", 0x482, 20007},
	{"WLE5", "wle5-v33", "chip = 0x497", 0x497, 20007},
	{"a list of chips takes any of them", "f072", "chip = 0x414 0x448", 0x448, 5000},
};

static void a_chip_is_updated_and_then_current(void **state)
{
	const struct chip_row *row = *state;
	struct bench *bench = bench_new(row->chip, row->rule);
	unsigned erases;

	bench_take_bytes(bench, 0x08000000, row->size, 7);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	assert_int_equal(bench->report.product_id, row->product_id);
	assert_int_equal(bench->report.entries, 1);
	assert_int_equal(sim_counters(bench->sim)->bad_writes, 0);
	assert_int_equal(sim_counters(bench->sim)->bad_addresses, 0);
	erases = bench_erases(bench);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	assert_int_equal(bench_erases(bench), erases);
	bench_free(bench);
}

/* To start it once more by a reset would end it, where a reset leads back into the ROM. */
static void a_silent_application_on_an_empty_chip_is_not_reset(void **state)
{
	const struct sim_options options = {.chip = sim_chip_find("g071-v11.4"),
		.enters_rom_when_empty = true,
		.latches_empty = true};
	struct bench *bench =
		bench_new_with(&options, "chip = 0x460\nconfirm = ready\nconfirm-within = 1s");

	(void)state;
	bench_take_bytes(bench, 0x08000000, 5000, 7);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_NOT_CONFIRMED);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	bench_free(bench);
}

static void change_chip_once_wiped(void *userdata, const struct progress *progress)
{
	struct bench *bench = userdata;

	if (progress->phase == PHASE_IDENTIFY && sim_counters(bench->sim)->unprotects > 0)
		sim_set_faults(bench->sim, &(struct sim_faults){.product_id = 0x410});
}

/* Its protection was taken away, and what is met behind the reset is not what was met before. */
static void whoever_answers_after_a_wipe_is_asked_again(void **state)
{
	static const struct {
		const char *chip; /* of the rule */
		struct sim_faults faults;
		enum outcome outcome;
	} rows[] = {
		/* The bridge goes at the third Get ID: an identification has two. */
		{"0x414", {.protect = true, .vanish_code = 0x02, .vanish_nth = 3},
			OUTCOME_PORT_GONE},
		{"0x414 0x410", {.protect = true}, OUTCOME_UPDATED},
		/* It was wiped: a wrong chip is not the last word on it. */
		{"0x414", {.protect = true}, OUTCOME_FAILED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_options options = {
			.chip = sim_chip_find("f103xc"), .faults = rows[i].faults};
		CLEANUP(freep) char *rule = NULL;
		struct bench *bench;

		assert_true(asprintf(&rule, "chip = %s\nreadout-protection = clear\nretries = 0",
				    rows[i].chip) > 0);
		bench = bench_new_with(&options, rule);
		if (!rows[i].faults.vanish_code) {
			bench->on_progress = change_chip_once_wiped;
			bench->userdata = bench;
		}
		bench_take_bytes(bench, 0x08000000, 5000, 6);
		if (bench_run(bench, FLASH_UPDATE) != rows[i].outcome)
			fail_msg("%s: %s", outcome_to_string(bench->report.outcome),
				bench->report.reason.text);
		assert_int_equal(sim_counters(bench->sim)->unprotects, 1);
		if (rows[i].outcome == OUTCOME_FAILED)
			assert_int_equal(sim_counters(bench->sim)->commands[0x43], 0);
		bench_free(bench);
	}
}

/* The flag that keeps an empty chip in its ROM outlasts the first programming and a reset. */
static void an_application_on_an_empty_chip_is_started(void **state)
{
	static const struct {
		bool is_empty;
		unsigned starts; /* by Go */
	} rows[] = {{true, 1}, {false, 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_options options = {.chip = sim_chip_find("g071-v11.4"),
			.enters_rom_when_empty = true,
			.latches_empty = true};
		struct bench *bench = bench_new_with(&options, "chip = 0x460");

		bench_take_bytes(bench, 0x08000000, 5000, 6);
		if (!rows[i].is_empty)
			bench_preload(bench);
		port_sim_replug(BENCH_PORT);
		bench_take_bytes(bench, 0x08000000, 5000, 7);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
		assert_int_equal(sim_counters(bench->sim)->commands[0x21], rows[i].starts);
		bench_free(bench);
	}
}

struct circuit_row {
	const char *name;
	enum sim_circuit circuit;
	const char *rule;
};

static const struct circuit_row circuit_rows[] = {
	{"one-key circuit", SIM_CIRCUIT_ONE_KEY, F103 "\nwiring = one-key"},
	{"esp circuit", SIM_CIRCUIT_ESP, F103 "\nwiring = esp"},
	{"raw steps", SIM_CIRCUIT_DIRECT,
		F103 "\nenter = rts=1,dtr=1 50ms dtr=0\nleave = rts=0,dtr=1 50ms dtr=0"},
	{"no lines, always in the boot loader", SIM_CIRCUIT_ROM, F103 "\nentry = none"},
};

static void a_circuit_is_entered_and_left(void **state)
{
	const struct circuit_row *row = *state;
	const struct sim_options options = {
		.chip = sim_chip_find("f103xc"),
		.circuit = row->circuit,
	};
	struct bench *bench = bench_new_with(&options, row->rule);

	bench_take_file(bench, FIRMWARE_OLD);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	assert_int_equal(
		sim_state(bench->sim), row->circuit == SIM_CIRCUIT_ROM ? SIM_ROM : SIM_APPLICATION);
	/* Once more: without a reset the loader is in step already and refuses the 0x7F. */
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	bench_free(bench);
}

/* Left in the middle of a write frame by somebody who went away. */
static void a_loader_without_reset_is_brought_into_step(void **state)
{
	static const uint8_t begun[] = {0x31, 0xCE, 0x08, 0x00};
	const struct sim_options options = {
		.chip = sim_chip_find("f103xc"),
		.circuit = SIM_CIRCUIT_ROM,
	};
	struct bench *bench = bench_new_with(&options, F103 "\nentry = none");
	struct reason reason;
	struct port *port;

	(void)state;
	bench_take_file(bench, FIRMWARE_OLD);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(port_open(BENCH_PORT, 0, 0, &port, &reason), 0);
	assert_int_equal(port_configure(port, 115200, PORT_PARITY_EVEN, &reason), 0);
	assert_int_equal(port_write(port, begun, sizeof(begun), port_now(port) + USEC_PER_SEC), 0);
	port_close(port);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	assert_int_equal(sim_counters(bench->sim)->bad_writes, 0);
	assert_true(bench_holds_image(bench));
	bench_free(bench);
}

static void start_go_leaves_by_the_command(void **state)
{
	struct bench *bench = bench_new("f103xc", F103 "\nstart = go");

	(void)state;
	bench_take_file(bench, FIRMWARE_OLD);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(sim_counters(bench->sim)->commands[0x21], 1);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	bench_free(bench);
}

static void start_none_stays_in_the_loader(void **state)
{
	struct bench *bench = bench_new("f103xc", F103 "\nstart = none");

	(void)state;
	bench_take_file(bench, FIRMWARE_OLD);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(sim_state(bench->sim), SIM_ROM);
	bench_free(bench);
}

static void keep_is_kept(void **state)
{
	struct bench *bench = bench_new("f103xc", F103 "\nkeep = 0x0803F800+2K");

	(void)state;
	bench_take_bytes(bench, 0x08000000, 254 * 1024, 3);
	memset(sim_flash(bench->sim) + 254 * 1024, 0xA5, 2048);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_false(bench->report.mass_erased);
	for (uint32_t i = 254 * 1024; i < 256 * 1024; i++)
		assert_int_equal(sim_flash(bench->sim)[i], 0xA5);
	bench_free(bench);
}

static void verify_names_the_byte(void **state)
{
	struct bench *bench = bench_new("f103xc", F103);

	(void)state;
	bench_take_file(bench, FIRMWARE_OLD);
	bench_preload(bench);
	assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_CURRENT);
	sim_flash(bench->sim)[0x123] ^= 0x10;
	assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_VERIFY_DIFFERS);
	assert_true(bench->report.has_address);
	assert_int_equal(bench->report.address, 0x08000123);
	assert_int_equal(bench->report.got ^ bench->report.expected, 0x10);
	assert_int_equal(bench->report.got, sim_flash(bench->sim)[0x123]);
	assert_int_equal(bench_erases(bench), 0);
	bench_free(bench);
}

/* Nothing at all is not what such a chip holds. */
static void a_flash_of_unknown_size_is_not_read(void **state)
{
	struct bench *bench = bench_new("f103c8", "chip = 0x410\nretries = 0");
	struct chip_table *chips = bench_own_chips(bench);

	(void)state;
	for (size_t i = 0; i < chips->n_items; i++)
		if (chips->items[i].product_id == 0x410)
			chips->items[i].flash.size = 0;
	assert_int_equal(bench_run(bench, FLASH_READ), OUTCOME_BAD_CONFIG);
	assert_non_null(strstr(bench->report.reason.text, "chips.d"));
	bench_free(bench);
}

/* The largest part of 0x414 has 512 KiB, this one 256: the table knows before the reset, the size
 * register after it. Both are said once, and not as a fault of the cable. */
static void a_read_behind_the_flash_is_refused(void **state)
{
	struct bench *bench = bench_new("f103xc", "chip = 0x414");

	(void)state;
	bench->read_address = 0x08000000 + 512 * 1024 - 16;
	bench->read_size = 17;
	assert_int_equal(bench_run(bench, FLASH_READ), OUTCOME_BAD_CONFIG);
	assert_int_equal(port_sim_record(BENCH_PORT)->opens, 0);
	assert_non_null(strstr(bench->report.reason.text, "ends at 0x0807ffff"));

	bench->read_address = 0x08000000 + 256 * 1024;
	bench->read_size = 16;
	assert_int_equal(bench_run(bench, FLASH_READ), OUTCOME_BAD_CONFIG);
	assert_int_equal(bench->report.entries, 1);
	assert_non_null(strstr(bench->report.reason.text, "ends at 0x0803ffff"));

	bench->read_address = 0x08000000 + 256 * 1024 - 16;
	assert_int_equal(bench_run(bench, FLASH_READ), OUTCOME_CURRENT);
	bench_free(bench);
}

static void read_gives_the_whole_flash(void **state)
{
	struct bench *bench = bench_new("f103c8", "chip = 0x410");

	(void)state;
	bench_take_bytes(bench, 0x08000000, 64 * 1024, 5);
	bench_preload(bench);
	assert_int_equal(bench_run(bench, FLASH_READ), OUTCOME_CURRENT);
	assert_int_equal(bench->n_read, 64 * 1024);
	assert_memory_equal(bench->read, sim_flash(bench->sim), bench->n_read);
	bench_free(bench);
}

static void probe_changes_nothing(void **state)
{
	struct bench *bench = bench_new("f405", F103);

	(void)state;
	bench_take_bytes(bench, 0x08000000, 5000, 5);
	bench_preload(bench);
	assert_int_equal(bench_run(bench, FLASH_PROBE), OUTCOME_CURRENT);
	assert_int_equal(bench->report.product_id, 0x413);
	assert_int_equal(bench->report.flash_bytes, 1024 * 1024);
	assert_int_equal(bench_erases(bench), 0);
	assert_true(bench_holds_image(bench));
	bench_free(bench);
}

/*
 * The floor of lock-step (stm32-time.md 1): 268 byte times a block each way, programming, erase; no
 * USB. The bench has none either, so that what is left over is ours.
 */
static void the_whole_flash_is_near_the_floor(void **state)
{
	const struct port_sim_options no_usb = {.usb_usec = PORT_SIM_NO_USB};
	struct bench *bench = bench_new("f103xc", F103 "\nupdate = always");
	double byte_ms = 11 * 1000.0 / 115200;
	double floor_ms = 2 * 1024 * 268 * byte_ms + 1024 * 128 * 0.0525 + 30;
	double took_ms;

	(void)state;
	port_sim_attach(BENCH_PORT, bench->sim, &no_usb);
	bench_take_bytes(bench, 0x08000000, 256 * 1024, 9);
	took_ms = (double)bench_msec(bench);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	took_ms = (double)bench_msec(bench) - took_ms;
	assert_true(bench->report.mass_erased);
	print_message("# figure: 256 KiB, F103xC, 115200 baud, simulated line without USB: %.2f s, "
		      "floor %.2f s, ratio %.3f\n",
		took_ms / 1000, floor_ms / 1000, took_ms / floor_ms);
	assert_true(took_ms < floor_ms * 1.02);
	bench_free(bench);
}

int main(void)
{
	struct CMUnitTest tests[60];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, a_fresh_chip_is_updated);
	ADD_TEST(tests, n_tests, the_same_image_again_is_current);
	ADD_TEST(tests, n_tests, one_image_has_one_number_of_bytes);
	ADD_TEST(tests, n_tests, another_version_is_updated_and_the_rest_stays);
	ADD_TEST(tests, n_tests, update_always_writes_what_is_there_already);
	ADD_TEST(tests, n_tests, the_vector_page_goes_first_and_comes_last);
	ADD_ROWS(tests, n_tests, chip_rows, a_chip_is_updated_and_then_current);
	ADD_TEST(tests, n_tests, whoever_answers_after_a_wipe_is_asked_again);
	ADD_TEST(tests, n_tests, a_silent_application_on_an_empty_chip_is_not_reset);
	ADD_TEST(tests, n_tests, an_application_on_an_empty_chip_is_started);
	ADD_ROWS(tests, n_tests, circuit_rows, a_circuit_is_entered_and_left);
	ADD_TEST(tests, n_tests, a_loader_without_reset_is_brought_into_step);
	ADD_TEST(tests, n_tests, start_go_leaves_by_the_command);
	ADD_TEST(tests, n_tests, start_none_stays_in_the_loader);
	ADD_TEST(tests, n_tests, keep_is_kept);
	ADD_TEST(tests, n_tests, verify_names_the_byte);
	ADD_TEST(tests, n_tests, a_flash_of_unknown_size_is_not_read);
	ADD_TEST(tests, n_tests, a_read_behind_the_flash_is_refused);
	ADD_TEST(tests, n_tests, read_gives_the_whole_flash);
	ADD_TEST(tests, n_tests, probe_changes_nothing);
	ADD_TEST(tests, n_tests, the_whole_flash_is_near_the_floor);
	return RUN_TESTS("flash", tests, n_tests);
}
