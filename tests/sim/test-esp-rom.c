/* SPDX-License-Identifier: MIT */
/* test-esp-rom.c - the simulated ROM of Espressif chips, by the worked frames of esp-rom.md 1.5.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/util.h"
#include "sim/esp-host.h"

static void first_frames_are_those_of_the_sheet(void **state)
{
	struct esphost host;

	(void)state;
	esphost_begin(&host, "esp32", NULL, NULL);
	assert_string_equal(esphost_say(&host, ESPHOST_SYNC),
		"C0 01 08 04 00 07 07 12 20 00 00 00 00 C0 C0 01 08 04 00 07 07 12 20 00 00 00 00 C0 "
		"C0 01 08 04 00 07 07 12 20 00 00 00 00 C0 C0 01 08 04 00 07 07 12 20 00 00 00 00 C0 "
		"C0 01 08 04 00 07 07 12 20 00 00 00 00 C0 C0 01 08 04 00 07 07 12 20 00 00 00 00 C0 "
		"C0 01 08 04 00 07 07 12 20 00 00 00 00 C0 C0 01 08 04 00 07 07 12 20 00 00 00 00 C0");
	assert_string_equal(esphost_say(&host, "C0 00 0A 04 00 00 00 00 00 00 10 00 40 C0"),
		"C0 01 0A 04 00 83 1D F0 00 00 00 00 00 C0");
	esphost_end(&host);
	esphost_begin(&host, "esp8266", NULL, NULL);
	esphost_say(&host, ESPHOST_SYNC);
	assert_string_equal(esphost_say(&host, "C0 00 0A 04 00 00 00 00 00 00 10 00 40 C0"),
		"C0 01 0A 02 00 01 C1 F0 FF 00 00 C0");
	esphost_end(&host);
}

static void fill(uint8_t *bytes, size_t n_bytes, uint32_t seed)
{
	for (size_t i = 0; i < n_bytes; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(seed >> 16);
	}
}

static int begin_flash(struct esphost *host, uint8_t opcode, uint32_t offset, uint32_t size)
{
	const uint32_t words[] = {size, (size + 1023) / 1024, 1024, offset, 0};
	bool is_later = sim_esp(host->sim)->has_encrypt_word;

	return esphost_command(host, opcode, words, is_later ? 5 : 4, NULL, 0, NULL);
}

static int send_block(
	struct esphost *host, uint8_t opcode, uint32_t nth, const uint8_t *bytes, size_t n)
{
	const uint32_t words[] = {(uint32_t)n, nth, 0, 0};

	return esphost_command(host, opcode, words, 4, bytes, n, NULL);
}

/* "password", whose MD5 everybody knows. */
static void a_region_is_erased_written_and_summed_up(void **state)
{
	static const char *const chips[] = {
		"esp32", "esp32s2", "esp32s3", "esp32c3", "esp32c2", "esp32c6", "esp32h2"};
	uint8_t block[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		struct esphost_answer answer;
		struct esphost host;

		esphost_begin(&host, chips[i], NULL, NULL);
		esphost_sync(&host);
		memset(sim_flash(host.sim), 0, 0x20000);
		fill(block, sizeof(block), 1);
		memcpy(block, "password", 8);
		assert_int_equal(begin_flash(&host, 0x02, 0x10000, 1024), 0);
		assert_int_equal(send_block(&host, 0x03, 0, block, sizeof(block)), 0);
		assert_memory_equal(sim_flash(host.sim) + 0x10000, block, sizeof(block));
		assert_int_equal(sim_flash(host.sim)[0xFFFF], 0);
		assert_int_equal(sim_flash(host.sim)[0x10FFF], 0xFF);
		assert_int_equal(sim_flash(host.sim)[0x11000], 0);
		assert_int_equal(esphost_words(&host, 0x13, &answer, 0x10000, 8, 0, 0), 0);
		assert_int_equal(answer.n_data, 32);
		assert_memory_equal(answer.data, "5f4dcc3b5aa765d61d8327deb882cf99", 32);
		assert_int_equal(sim_counters(host.sim)->bad_writes, 0);
		esphost_end(&host);
	}
}

/* ------------------------------------------------------------------ replies */

static void an_opcode_that_is_unknown_is_refused_eight_times(void **state)
{
	const struct sim_faults faults = {.esp = {.unknown_gap_nsec = 20000000}};
	struct esphost host;
	uint64_t begun_at;

	(void)state;
	esphost_begin(&host, "esp32", NULL, &faults);
	esphost_sync(&host);
	begun_at = host.now;
	assert_int_equal(esphost_words(&host, 0x14, NULL, 0), 0x05); /* a wrong length besides */
	assert_int_equal(host.n_bytes, 8 * 14);
	assert_in_range(host.now - begun_at, 140000000, 180000000);
	esphost_end(&host);
}

static void security_is_told_in_12_or_20_bytes(void **state)
{
	const struct sim_esp board = {.secure_boot = 2, .crypt_count = 1};
	struct esphost_answer answer;
	struct esphost host;

	(void)state;
	esphost_begin(&host, "esp32s2", &board, NULL);
	esphost_sync(&host);
	assert_int_equal(esphost_command(&host, 0x14, NULL, 0, NULL, 0, &answer), 0);
	assert_int_equal(answer.n_data, 12);
	assert_int_equal(answer.data[0], 1);
	assert_int_equal(answer.data[4], 1);
	esphost_end(&host);
	esphost_begin(&host, "esp32c3", NULL, NULL);
	esphost_sync(&host);
	assert_int_equal(esphost_command(&host, 0x14, NULL, 0, NULL, 0, &answer), 0);
	assert_int_equal(answer.n_data, 20);
	assert_int_equal(answer.data[0], 0);
	assert_int_equal(answer.data[12], 5);
	esphost_end(&host);
}

/* esp-rom.md 8: what is left in secure download mode. */
static void secure_download_mode_leaves_a_few_commands(void **state)
{
	struct esphost host;

	(void)state;
	esphost_begin(&host, "esp32c3", &(struct sim_esp){.secure_download = true}, NULL);
	esphost_sync(&host);
	assert_int_equal(esphost_words(&host, 0x0A, NULL, 0x40001000), 0x05);
	assert_int_equal(esphost_words(&host, 0x13, NULL, 0, 16, 0, 0), 0x05);
	assert_int_equal(esphost_words(&host, 0x0E, NULL, 0, 64), 0x05);
	assert_int_equal(begin_flash(&host, 0x10, 0, 1024), 0x05);
	assert_int_equal(esphost_command(&host, 0x14, NULL, 0, NULL, 0, NULL), 0);
	assert_int_equal(begin_flash(&host, 0x02, 0, 1024), 0);
	esphost_end(&host);
}

static void a_stub_answers_with_two_bytes_and_a_sync_of_0(void **state)
{
	const struct sim_faults faults = {.esp = {.stub_resets = 2}};
	struct esphost host;

	(void)state;
	esphost_begin(&host, "esp32", NULL, &faults); /* one reset, which it does not see */
	assert_true(sim_esp(host.sim)->is_stub);
	assert_memory_equal(
		esphost_say(&host, ESPHOST_SYNC), "C0 01 08 02 00 00 00 00 00 00 00 C0", 35);
	esphost_reset(&host, true, 50);
	esphost_pass(&host, 500);
	assert_true(sim_esp(host.sim)->is_stub);
	esphost_reset(&host, true, 50);
	esphost_pass(&host, 500);
	assert_false(sim_esp(host.sim)->is_stub);
	assert_memory_equal(
		esphost_say(&host, ESPHOST_SYNC), "C0 01 08 04 00 07 07 12 20 00 00 00 00 C0", 41);
	esphost_end(&host);
}

static void a_frame_that_comes_too_early_is_lost_and_the_next_is_not(void **state)
{
	struct esphost host;

	(void)state;
	esphost_begin(&host, "esp32", NULL, NULL);
	sim_set_lines(host.sim, 2, host.now);
	esphost_pass(&host, 100);
	sim_set_lines(host.sim, 1, host.now);
	esphost_pass(&host, 15);
	assert_null(strstr(esphost_say(&host, ESPHOST_SYNC), "C0 01 08"));
	assert_int_equal(sim_counters(host.sim)->syncs, 0);
	assert_non_null(strstr(esphost_say(&host, ESPHOST_SYNC), "C0 01 08"));
	esphost_end(&host);
}

/* ------------------------------------------------------------------ erase */

struct begin_row {
	const char *name, *chip;
	uint8_t opcode;
	uint32_t offset, size;
	int error;
	uint32_t n_sectors;
	unsigned msec; /* about */
};

/* esp-rom.md 4.2, its times; 4.3; 4.5. */
static void begin_erases_by_the_roms_own_arithmetic(void **state)
{
	static const struct begin_row rows[] = {
		{"a sector", "esp32", 0x02, 0x10000, 4096, 0, 1, 45},
		{"a byte", "esp32", 0x02, 0x10000, 1, 0, 1, 45},
		{"nothing", "esp32", 0x02, 0x10000, 0, 0, 0, 0},
		{"1 MiB", "esp32", 0x02, 0x10000, 1 << 20, 0, 256, 3540},
		{"512 KiB", "esp32c3", 0x02, 0x10000, 512 << 10, 0, 128, 2340},
		{"start in a block", "esp32", 0x02, 0x9000, 0x18000, 0, 24, 7 * 45 + 150 + 45},
		{"with deflate", "esp32c3", 0x10, 0x1000, 0x3000, 0, 3, 135},
		{"with deflate on an ESP32", "esp32", 0x10, 0x1000, 0x3000, 0, 19, 855},
		{"no sector's start", "esp32", 0x02, 0x10100, 4096, 0x06, 0, 0},
		{"beyond the end", "esp32", 0x02, 0x3FF000, 8192, 0x06, 0, 0},
		{"ESP8266, six for three", "esp8266", 0x02, 0, 0x3000, 0, 6, 270},
		{"ESP8266, last of a block", "esp8266", 0x02, 0xF000, 0x3000, 0, 4, 180},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct begin_row *row = &rows[i];
		struct esphost host;
		uint64_t begun_at;
		unsigned msec;
		int error;

		esphost_begin(&host, row->chip, NULL, NULL);
		esphost_sync(&host);
		begun_at = host.now;
		error = begin_flash(&host, row->opcode, row->offset, row->size);
		msec = (unsigned)((host.now - begun_at) / 1000000);
		if (error != row->error || sim_counters(host.sim)->pages_erased != row->n_sectors)
			fail_msg("%s: error %d, %u sectors", row->name, error,
				sim_counters(host.sim)->pages_erased);
		assert_in_range(msec, row->msec, row->msec + row->msec / 50 + 6);
		esphost_end(&host);
	}
}

static void a_rom_that_was_told_nothing_believes_2_mb(void **state)
{
	struct esphost host;

	(void)state;
	esphost_begin(&host, "esp32", NULL, NULL);
	esphost_say(&host, ESPHOST_SYNC);
	assert_int_equal(begin_flash(&host, 0x02, 0, 4096), 0x06); /* not attached */
	assert_int_equal(esphost_words(&host, 0x0D, NULL, 0, 0), 0);
	assert_int_equal(begin_flash(&host, 0x02, 0, 4096), 0);
	assert_int_equal(begin_flash(&host, 0x02, 0x200000, 4096), 0x06);
	esphost_sync(&host);
	assert_int_equal(begin_flash(&host, 0x02, 0x200000, 4096), 0);
	esphost_end(&host);
}

static void the_fifth_word_belongs_to_later_chips(void **state)
{
	static const char *const chips[] = {"esp32", "esp32c3"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		struct esphost host;

		esphost_begin(&host, chips[i], NULL, NULL);
		esphost_sync(&host);
		assert_int_equal(esphost_words(&host, 0x02, NULL, 4096, 4, 1024, 0), i ? 5 : 0);
		assert_int_equal(esphost_words(&host, 0x02, NULL, 4096, 4, 1024, 0, 0), i ? 0 : 5);
		esphost_end(&host);
	}
}

/* ------------------------------------------------------------------ write */

static void a_block_that_was_refused_has_not_moved_the_place(void **state)
{
	const struct sim_faults faults = {
		.esp = {.fail_code = 0x03, .fail_nth = 2, .fail_error = 0x07}};
	uint8_t block[3][1024];
	struct esphost host;

	(void)state;
	esphost_begin(&host, "esp32", NULL, &faults);
	esphost_sync(&host);
	fill(block[0], sizeof(block), 7);
	assert_int_equal(begin_flash(&host, 0x02, 0x10000, 2048), 0);
	assert_int_equal(send_block(&host, 0x03, 0, block[0], 1024), 0);
	assert_int_equal(send_block(&host, 0x03, 1, block[1], 1024), 0x07);
	assert_int_equal(send_block(&host, 0x03, 1, block[1], 1024), 0);
	assert_memory_equal(sim_flash(host.sim) + 0x10000, block, 2048);
	assert_int_equal(send_block(&host, 0x03, 2, block[2], 1024), 0x06); /* not announced */
	esphost_end(&host);
}

static void a_defect_is_told_or_kept(void **state)
{
	(void)state;
	for (int is_told = 0; is_told < 2; is_told++) {
		const struct sim_faults faults = {
			.stuck_address = 0x10010, .esp = {.reports_defects = is_told}};
		uint8_t block[1024];
		struct esphost host;

		esphost_begin(&host, "esp32", NULL, &faults);
		esphost_sync(&host);
		fill(block, sizeof(block), 7);
		assert_int_equal(begin_flash(&host, 0x02, 0x10000, 1024), 0);
		assert_int_equal(send_block(&host, 0x03, 0, block, 1024), is_told ? 0x08 : 0);
		assert_int_not_equal(sim_flash(host.sim)[0x10010], block[0x10]);
		esphost_end(&host);
	}
}

/* One stream in two packets; then one with a wrong end, and one that is none. */
static void a_stream_is_inflated_over_packets(void **state)
{
	static uint8_t bytes[5000], packed[5000];
	uLongf n_packed = sizeof(packed);
	struct esphost host;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i / 20);
	assert_int_equal(compress2(packed, &n_packed, bytes, sizeof(bytes), 9), Z_OK);
	esphost_begin(&host, "esp32s3", NULL, NULL);
	esphost_sync(&host);
	assert_int_equal(begin_flash(&host, 0x10, 0x20000, 5120), 0);
	assert_int_equal(send_block(&host, 0x11, 0, packed, 100), 0);
	assert_int_equal(send_block(&host, 0x11, 1, packed + 100, n_packed - 100), 0);
	assert_memory_equal(sim_flash(host.sim) + 0x20000, bytes, sizeof(bytes));
	packed[n_packed - 1] ^= 1;
	assert_int_equal(begin_flash(&host, 0x10, 0x20000, 5120), 0);
	assert_int_equal(send_block(&host, 0x11, 0, packed, n_packed), 0x0C);
	packed[0] ^= 0x0F;
	assert_int_equal(begin_flash(&host, 0x10, 0x20000, 5120), 0);
	assert_int_equal(send_block(&host, 0x11, 0, packed, n_packed), 0x0B);
	esphost_end(&host);
}

static void power_that_goes_in_an_erase_leaves_neither(void **state)
{
	static const uint8_t begin[] = {0xC0, 0, 2, 16, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 4, 0, 0, 0, 0,
		4, 0, 0, 0, 0, 0, 0, 0xC0};
	unsigned n_old = 0, n_erased = 0;
	struct esphost host;

	(void)state;
	esphost_begin(&host, "esp32", NULL, &(struct sim_faults){.seed = 5});
	esphost_sync(&host);
	memset(sim_flash(host.sim), 0x33, 8192);
	for (size_t i = 0; i < sizeof(begin); i++) {
		host.now += sim_byte_nsec(host.sim);
		sim_receive(host.sim, begin[i], host.now);
	}
	esphost_pass(&host, 20);
	sim_power(host.sim, host.now);
	for (size_t i = 0; i < 4096; i++) {
		n_old += sim_flash(host.sim)[i] == 0x33;
		n_erased += sim_flash(host.sim)[i] == 0xFF;
	}
	assert_in_range(n_old, 1, 4095);
	assert_in_range(n_erased, 1, 4095);
	assert_int_equal(sim_flash(host.sim)[4096], 0x33);
	esphost_end(&host);
}

/* ------------------------------------------------------------------ the rest */

static void a_slow_read_gives_64_bytes_always(void **state)
{
	struct esphost_answer answer;
	struct esphost host;

	(void)state;
	esphost_begin(&host, "esp32", NULL, NULL);
	esphost_sync(&host);
	fill(sim_flash(host.sim) + 0x8000, 64, 3);
	assert_int_equal(esphost_words(&host, 0x0E, &answer, 0x8000, 3), 0);
	assert_int_equal(answer.n_data, 64);
	assert_memory_equal(answer.data, sim_flash(host.sim) + 0x8000, 64);
	assert_int_not_equal(esphost_words(&host, 0x0E, &answer, 0x8000, 65), 0);
	esphost_end(&host);
}

/* A clock that is 4 % slow makes the ROM take 40 MHz for 38.4, and its rates come out too high. */
static void the_esp32_misses_the_rate_by_what_its_clock_is_off(void **state)
{
	struct esphost host;

	(void)state;
	esphost_begin(&host, "esp32", &(struct sim_esp){.calibration = 768}, NULL);
	esphost_sync(&host);
	assert_int_equal(esphost_words(&host, 0x0F, NULL, 460800, 0), 0);
	assert_in_range(sim_esp(host.sim)->baud, 479000, 481000);
	sim_set_format(host.sim, 460800, false, host.now);
	assert_int_equal(esphost_words(&host, 0x0A, NULL, 0x40001000), -1);
	sim_set_format(host.sim, 480000, false, host.now);
	assert_int_equal(esphost_words(&host, 0x0A, NULL, 0x40001000), 0);
	esphost_end(&host);
}

static void the_clock_divider_tells_the_crystal(void **state)
{
	struct esphost_answer answer;
	struct esphost host;

	(void)state;
	esphost_begin(&host, "esp32c2", &(struct sim_esp){.crystal_hz = 26000000}, NULL);
	esphost_sync(&host);
	assert_int_equal(esphost_words(&host, 0x0A, &answer, 0x60000014), 0);
	assert_int_equal(answer.value, 26000000 / 115200);
	/* The divider is made for 40 MHz. */
	assert_int_equal(esphost_words(&host, 0x0F, NULL, 230400, 0), 0);
	assert_int_equal(sim_esp(host.sim)->baud, 230400u * 26 / 40);
	esphost_end(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_opcode_that_is_unknown_is_refused_eight_times),
		cmocka_unit_test(security_is_told_in_12_or_20_bytes),
		cmocka_unit_test(secure_download_mode_leaves_a_few_commands),
		cmocka_unit_test(a_stub_answers_with_two_bytes_and_a_sync_of_0),
		cmocka_unit_test(a_frame_that_comes_too_early_is_lost_and_the_next_is_not),
		cmocka_unit_test(begin_erases_by_the_roms_own_arithmetic),
		cmocka_unit_test(a_rom_that_was_told_nothing_believes_2_mb),
		cmocka_unit_test(the_fifth_word_belongs_to_later_chips),
		cmocka_unit_test(a_block_that_was_refused_has_not_moved_the_place),
		cmocka_unit_test(a_defect_is_told_or_kept),
		cmocka_unit_test(a_stream_is_inflated_over_packets),
		cmocka_unit_test(power_that_goes_in_an_erase_leaves_neither),
		cmocka_unit_test(a_slow_read_gives_64_bytes_always),
		cmocka_unit_test(the_esp32_misses_the_rate_by_what_its_clock_is_off),
		cmocka_unit_test(the_clock_divider_tells_the_crystal),
		cmocka_unit_test(a_region_is_erased_written_and_summed_up),
		cmocka_unit_test(first_frames_are_those_of_the_sheet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
