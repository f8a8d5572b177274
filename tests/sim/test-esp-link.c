/* SPDX-License-Identifier: MIT */
/*
 * test-esp-link.c - commands and answers, against the simulated ROM: what may come beside an
 * answer, and what an answer may look like. `check_NN_`: row NN of esp-rom.md 17.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loader/esp-link.h"
#include "loader/esp.h"
#include "loader/loader.h"
#include "sim/esp-bench.h"

#define NSEC_PER_MSEC UINT64_C(1000000)
#define ESP32_MAGIC   0x00F01D83

struct stand {
	struct sim *sim;
	struct port *port;
	struct esp_link link;
};

static void play(struct stand *stand, unsigned lines, uint64_t msec)
{
	assert_int_equal(port_set_lines(stand->port, LINE_DTR | LINE_RTS, lines), 0);
	assert_int_equal(port_wait(stand->port, msec * USEC_PER_MSEC), 0);
}

/* By the two transistors into the loader, 300 ms later. */
static void enter(struct stand *stand)
{
	play(stand, LINE_RTS, 100);
	play(stand, LINE_DTR, 50);
	play(stand, 0, 300);
}

static void begin(struct stand *stand, const char *chip, const struct sim_esp_faults *faults)
{
	struct sim_options options = {.chip = sim_chip_find(chip), .circuit = SIM_CIRCUIT_ESP};
	struct reason reason = {""};

	if (faults)
		options.faults.esp = *faults;
	*stand = (struct stand){.sim = sim_new(&options)};
	port_sim_attach(BENCH_PORT, stand->sim, NULL);
	assert_int_equal(port_open(BENCH_PORT, 0, 0, &stand->port, &reason), 0);
	assert_int_equal(port_configure(stand->port, 115200, PORT_PARITY_NONE, &reason), 0);
	stand->link.port = stand->port;
	enter(stand);
}

static void end(struct stand *stand)
{
	port_close(stand->port);
	port_sim_detach_all();
	sim_free(stand->sim);
}

static uint32_t magic_of(struct stand *stand)
{
	uint32_t magic = 0;

	assert_int_equal(esp_read_register(&stand->link, ESP_MAGIC_ADDRESS, &magic), 0);
	return magic;
}

static void check_01_eight_answers_to_a_sync_are_read(void **state)
{
	static const uint64_t gaps_msec[] = {0, 1, 8, 20};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(gaps_msec); i++) {
		const struct sim_esp_faults faults = {
			.sync_gap_nsec = gaps_msec[i] * NSEC_PER_MSEC};
		struct stand stand;
		uint64_t started;

		begin(&stand, "esp32", &faults);
		assert_int_equal(esp_sync(&stand.link), 0);
		started = port_now(stand.port);
		assert_int_equal(magic_of(&stand), ESP32_MAGIC);
		/* Nothing is left that would have to be passed over. */
		assert_true(port_now(stand.port) - started < 10 * USEC_PER_MSEC);
		assert_int_equal(sim_counters(stand.sim)->commands[ESP_SYNC], 1);
		end(&stand);
	}
}

/* The refusal may come under its own opcode, or under another one. */
static void check_02_repeats_of_a_refusal_are_no_answers(void **state)
{
	static const uint8_t opcodes[] = {0, ESP_SYNC, ESP_READ_REG};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(opcodes); i++) {
		const struct sim_esp_faults faults = {
			.unknown_gap_nsec = 20 * NSEC_PER_MSEC, .unknown_opcode = opcodes[i]};
		struct stand stand;

		begin(&stand, "esp32", &faults);
		assert_int_equal(esp_sync(&stand.link), 0);
		/* The second time its own answer, not one of the first. */
		for (int nth = 0; nth < 2; nth++) {
			struct esp_reply reply = {0};
			uint64_t started = port_now(stand.port);

			assert_int_equal(esp_command(&stand.link, ESP_GET_SECURITY_INFO, NULL, 0,
						 ESP_ANY_DATA, ESP_SECURITY_USEC, &reply),
				LOADER_REFUSED);
			assert_int_equal(reply.error, ESP_ERROR_FORMAT);
			assert_true(port_now(stand.port) - started < ESP_SECURITY_USEC);
			for (int j = 0; j < 3; j++)
				assert_int_equal(magic_of(&stand), ESP32_MAGIC);
		}
		end(&stand);
	}
}

/* Repeats that come when nobody waits for them any more belong to what was refused. */
static void check_02_a_late_repeat_refuses_nothing_else(void **state)
{
	const struct sim_esp_faults faults = {
		.unknown_gap_nsec = 300 * NSEC_PER_MSEC, .unknown_replies = 3};
	struct stand stand;

	(void)state;
	begin(&stand, "esp32", &faults);
	assert_int_equal(esp_sync(&stand.link), 0);
	for (int nth = 0; nth < 2; nth++) {
		assert_int_equal(esp_command(&stand.link, ESP_GET_SECURITY_INFO, NULL, 0,
					 ESP_ANY_DATA, ESP_SECURITY_USEC, NULL),
			LOADER_REFUSED);
		for (int j = 0; j < 3; j++)
			assert_int_equal(magic_of(&stand), ESP32_MAGIC);
	}
	end(&stand);
}

static void check_03_the_first_byte_of_the_status_counts(void **state)
{
	const struct sim_esp_faults stale = {.stale_error = true};
	const struct sim_esp_faults failed = {.fail_code = ESP_READ_REG, .fail_nth = 1};
	struct stand stand;
	uint32_t magic;

	(void)state;
	begin(&stand, "esp32c3", &stale);
	assert_int_equal(esp_sync(&stand.link), 0);
	magic = magic_of(&stand);
	end(&stand);
	begin(&stand, "esp32c3", &failed);
	assert_int_equal(esp_sync(&stand.link), 0);
	assert_int_equal(esp_read_register(&stand.link, ESP_MAGIC_ADDRESS, &magic), LOADER_REFUSED);
	assert_int_equal(magic_of(&stand), magic);
	end(&stand);
}

/* The reset has not reached the chip; the next one does. */
static void check_04_a_program_in_ram_is_no_rom(void **state)
{
	const struct sim_esp_faults faults = {.stub_resets = 1};
	struct stand stand;

	(void)state;
	begin(&stand, "esp32", &faults);
	assert_true(sim_esp(stand.sim)->is_stub);
	assert_int_equal(esp_sync(&stand.link), LOADER_FOREIGN);
	enter(&stand);
	assert_int_equal(esp_sync(&stand.link), 0);
	assert_int_equal(magic_of(&stand), ESP32_MAGIC);
	end(&stand);
}

/* The whole procedure: another reset, and before it nothing that touches the flash. */
static void check_04_a_program_in_ram_is_reset_before_anything_is_erased(void **state)
{
	const struct sim_faults faults = {.esp.stub_resets = 1};
	struct bench *bench = esp_bench_new("esp32", NULL, &faults, "");
	CLEANUP(freep) struct esp_sent *sent = calloc(ESP_SENT_MAX, sizeof(*sent));
	size_t n;

	(void)state;
	esp_take_build(bench, "esp32", "1", 32 * 1024);
	if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
		fail_msg("%s", bench->report.reason.text);
	assert_true(bench_holds_image(bench));
	n = esp_list_sent(0, sent);
	assert_int_equal(sent[0].opcode, ESP_SYNC);
	assert_int_equal(sent[1].opcode, ESP_SYNC);
	assert_true(n > 10);
	bench_free(bench);
}

static void check_05_noise_is_passed_over(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t n;
	} rows[] = {
		{"end", "\xC0", 1},
		{"two ends", "\xC0\xC0", 2},
		{"escape", "\xDB", 1},
		{"end, escape", "\xC0\xDB", 2},
		{"escape of nothing", "\xC0\xDB\x01\x0A", 4},
		{"text", "ets Jun  8 2016", 15},
		{"text and end", "rst:0x1\r\n\xC0 x", 12},
		{"an old answer", "\xC0\x01\x08\x04\x00\x07\x07\x12\x20\x00\x00\x00\x00\xC0", 14},
		{"half an old answer", "\xC0\x01\x08\x04\x00", 5},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_esp_faults faults = {.noise = rows[i].bytes, .n_noise = rows[i].n};
		struct stand stand;
		int r;

		begin(&stand, "esp32", &faults);
		r = esp_sync(&stand.link);
		if (r != 0)
			fail_msg("%s: %d", rows[i].name, r);
		assert_int_equal(magic_of(&stand), ESP32_MAGIC);
		assert_in_range(sim_counters(stand.sim)->commands[ESP_SYNC], 1, 2);
		assert_int_equal(sim_counters(stand.sim)->commands[ESP_READ_REG], 1);
		end(&stand);
	}
}

/* A flash that is written through noise; what had to be asked twice changes nothing. */
static void check_05_noise_costs_no_block(void **state)
{
	const struct sim_faults faults = {.esp = {.noise = "\xC0"
							   "garbage \xDB",
						  .n_noise = 10}};
	struct bench *bench = esp_bench_new("esp32", NULL, &faults, "");

	(void)state;
	esp_take_build(bench, "esp32", "1", 32 * 1024);
	if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
		fail_msg("%s", bench->report.reason.text);
	assert_true(bench_holds_image(bench));
	assert_int_equal(sim_counters(bench->sim)->bad_writes, 0);
	bench_free(bench);
}

/* ------------------------------------------------------------------ other answers */

/* What the sheet's own frames are (esp-rom.md 1). */
static void commands_are_those_of_the_sheet(void **state)
{
	static const uint8_t sync[] = {
		0xC0, 0x00, 0x08, 0x24, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07, 0x07, 0x12, 0x20, 0x55};
	static const uint8_t read[] = {
		0xC0, 0x00, 0x0A, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x40, 0xC0};
	const struct port_sim_record *record;
	struct stand stand;
	size_t at;

	(void)state;
	begin(&stand, "esp32", NULL);
	record = port_sim_record(BENCH_PORT);
	at = record->n_sent;
	assert_int_equal(esp_sync(&stand.link), 0);
	assert_int_equal(record->n_sent - at, 46);
	for (size_t i = 0; i < sizeof(sync); i++)
		assert_int_equal(record->sent[at + i].byte, sync[i]);
	at = record->n_sent;
	(void)magic_of(&stand);
	assert_int_equal(record->n_sent - at, sizeof(read));
	for (size_t i = 0; i < sizeof(read); i++)
		assert_int_equal(record->sent[at + i].byte, read[i]);
	end(&stand);
}

/* Nothing, and then nothing but text: within the time of five tries. */
static void a_silent_chip_is_no_loader(void **state)
{
	const struct sim_esp_faults deaf = {.is_deaf = true}, dead = {.no_power = true};
	const struct sim_esp_faults *const rows[] = {&deaf, &dead};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct stand stand;
		uint64_t started;

		begin(&stand, "esp32", rows[i]);
		started = port_now(stand.port);
		assert_int_equal(esp_sync(&stand.link), LOADER_NO_ANSWER);
		assert_in_range(
			port_now(stand.port) - started, 500 * USEC_PER_MSEC, 1000 * USEC_PER_MSEC);
		end(&stand);
	}
}

/* The ESP8266 has two bytes of status, all others four. */
static void the_length_of_the_status_is_learnt(void **state)
{
	struct stand stand;

	(void)state;
	begin(&stand, "esp8266", NULL);
	assert_int_equal(esp_sync(&stand.link), 0);
	assert_true(stand.link.has_short_status);
	assert_int_equal(magic_of(&stand), 0xFFF0C101);
	end(&stand);
	begin(&stand, "esp32s3", NULL);
	assert_int_equal(esp_sync(&stand.link), 0);
	assert_false(stand.link.has_short_status);
	end(&stand);
}

/* An answer that stops, and one that never comes. */
static void a_lost_answer_is_noticed_by_its_deadline(void **state)
{
	const struct sim_esp_faults faults = {.lose_code = ESP_READ_REG, .lose_nth = 1};
	struct stand stand;
	uint64_t started;
	uint32_t magic;

	(void)state;
	begin(&stand, "esp32", &faults);
	assert_int_equal(esp_sync(&stand.link), 0);
	started = port_now(stand.port);
	assert_int_equal(
		esp_read_register(&stand.link, ESP_MAGIC_ADDRESS, &magic), LOADER_NO_ANSWER);
	assert_in_range(port_now(stand.port) - started, ESP_REGISTER_USEC,
		ESP_REGISTER_USEC + 100 * USEC_PER_MSEC);
	assert_int_equal(magic_of(&stand), ESP32_MAGIC);
	end(&stand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_01_eight_answers_to_a_sync_are_read),
		cmocka_unit_test(check_02_repeats_of_a_refusal_are_no_answers),
		cmocka_unit_test(check_02_a_late_repeat_refuses_nothing_else),
		cmocka_unit_test(check_03_the_first_byte_of_the_status_counts),
		cmocka_unit_test(check_04_a_program_in_ram_is_no_rom),
		cmocka_unit_test(check_04_a_program_in_ram_is_reset_before_anything_is_erased),
		cmocka_unit_test(check_05_noise_is_passed_over),
		cmocka_unit_test(check_05_noise_costs_no_block),
		cmocka_unit_test(commands_are_those_of_the_sheet),
		cmocka_unit_test(a_silent_chip_is_no_loader),
		cmocka_unit_test(the_length_of_the_status_is_learnt),
		cmocka_unit_test(a_lost_answer_is_noticed_by_its_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
