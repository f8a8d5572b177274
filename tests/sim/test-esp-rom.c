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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_region_is_erased_written_and_summed_up),
		cmocka_unit_test(first_frames_are_those_of_the_sheet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
