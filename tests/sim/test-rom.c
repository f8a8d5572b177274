/* SPDX-License-Identifier: MIT */
/*
 * test-rom.c - the simulated boot loader against AN3155, AN2606 and what is known of the ROM V2.2,
 * byte for byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "sim/host.h"

static const struct transcript {
	const char *name;
	const char *chip;
	const char *said;
	const char *answered;
} transcripts[] = {
	{"Get of V2.2", "f103xc", "00 FF", "79 0B 22 00 01 02 11 21 31 43 63 73 82 92 79"},
	{"Get of V3.1", "f072", "00 FF", "79 0B 31 00 01 02 11 21 31 44 63 73 82 92 79"},
	{"Get of V3.3 lists Get Checksum", "wle5-v33", "00 FF",
		"79 0C 33 00 01 02 11 21 31 44 63 73 82 92 A1 79"},
	{"Get with Special", "u575", "00 FF", "79 0C 31 00 01 02 11 21 31 44 50 63 73 82 92 79"},
	{"Get Version", "f103xc", "01 FE", "79 22 00 00 79"},
	{"Get ID of high density", "f103xc", "02 FD", "79 01 04 14 79"},
	{"Get ID of medium density", "f103c8", "02 FD", "79 01 04 10 79"},
	{"Get ID of F405", "f405", "02 FD", "79 01 04 13 79"},
	{"a byte that was the sync before pairs up with the next", "f103xc", "7F|7F", "|1F"},
	{"7F with its complement is an unknown command", "f103xc", "7F 80", "1F"},
	{"bad complement", "f103xc", "00 FE", "1F"},
	{"half a pair waits for ever", "f103xc", "02|FD", "|79 01 04 14 79"},
	{"a run of FF is one NACK for two", "f103xc", "FF FF|FF FF", "1F|1F"},
	{"no undocumented 0x12", "f103xc", "12 ED", "1F"},
	{"no Extended Erase before V3", "f103xc", "44 BB", "1F"},
	{"no Erase from V3 on", "f072", "43 BC", "1F"},
	{"no Special", "f103xc", "50 AF", "1F"},
	{"no Special on V3.1", "f072", "50 AF", "1F"},
	{"no Extended Special", "u575", "51 AE", "1F"},
	{"no Get Checksum before V3.3", "f072", "A1 5E", "1F"},
	{"Read of four bytes", "f103xc", "11 EE|08 00 00 00 08|03 FC", "79|79|79 FF FF FF FF"},
	{"Read: bad sum of the address", "f103xc", "11 EE|08 00 00 00 09", "79|1F"},
	{"Read: bad complement of the length", "f103xc", "11 EE|08 00 00 00 08|03 FD", "79|79|1F"},
	{"Read of the flash size, 256 KiB", "f103xc", "11 EE|1F FF F7 E0 F7|01 FE",
		"79|79|79 00 01"},
	{"Read of the flash size, 64 KiB", "f103c8", "11 EE|1F FF F7 E0 F7|01 FE",
		"79|79|79 40 00"},
	{"Read of the option bytes of an open F1", "f103xc", "11 EE|1F FF F8 00 18|03 FC",
		"79|79|79 A5 5A FF 00"},
	{"Read behind the flash, V2.2: ACK and silence", "f103xc", "11 EE|08 04 00 00 0C", "79|79"},
	{"Read of the RAM of the ROM, V2.2", "f103xc", "11 EE|20 00 01 00 21|FF 00", "79|79|1F"},
	{"Read at a bad address, V2.2: the length is a command", "f103xc",
		"11 EE|60 00 00 00 60|02 FD", "79|79|79 01 04 14 79"},
	{"Read at a bad address, V2.2: 256 bytes are harmless", "f103xc",
		"11 EE|60 00 00 00 60|FF 00", "79|79|1F"},
	{"Read at a bad address, V3.0 of L1", "l152", "11 EE|60 00 00 00 60|FF 00", "79|79|1F"},
	{"Read at a bad address, V3.1", "f072", "11 EE|60 00 00 00 60", "79|1F"},
	{"Write at a bad address, V2.2: the data are commands", "f103xc",
		"31 CE|60 00 00 00 60|01 FE|02 FD", "79|79|79 22 00 00 79|79 01 04 14 79"},
	{"Write at a bad address, V3.1", "f072", "31 CE|60 00 00 00 60", "79|1F"},
	{"Write: bad sum of the data", "f103xc", "31 CE|08 00 00 00 08|03 01 02 03 04 00",
		"79|79|1F"},
	{"Write to system memory, V2.2: ACK, nothing", "f103xc",
		"31 CE|1F FF F0 00 10|03 01 02 03 04 07", "79|79|79"},
	{"Write to system memory, V3.1", "f072", "31 CE|1F FF C8 00 28", "79|1F"},
	{"Write inside the option bytes, V2.2: ACK, nothing", "f103xc",
		"31 CE|1F FF F8 04 1C|03 01 02 03 04 07|02 FD", "79|79|79|79 01 04 14 79"},
	{"Go to a bad address, V2.2: ACK, then NACK", "f103xc", "21 DE|60 00 00 00 60", "79|79 1F"},
	{"Go to the option bytes, V2.2", "f103xc", "21 DE|1F FF F8 00 18", "79|79 1F"},
	{"Go to a bad address, V3.1", "f072", "21 DE|60 00 00 00 60", "79|1F"},
	{"Erase of all", "f103xc", "43 BC|FF 00", "79|79"},
	{"Erase with FF and not 00 is ACKed", "f103xc", "43 BC|FF FF", "79|79"},
	{"Erase of two pages", "f103xc", "43 BC|01 00 01 00", "79|79"},
	{"Erase: two NACKs for a bad sum in V2.2", "f103xc", "43 BC|00 05 00", "79|1F 1F"},
	{"Extended Erase of all", "f072", "44 BB|FF FF 00", "79|79"},
	{"Extended Erase of all: bad sum", "f072", "44 BB|FF FF FF", "79|1F"},
	{"Extended Erase of bank 1", "g0b1", "44 BB|FF FE 01", "79|79"},
	{"Extended Erase of bank 2", "g0b1", "44 BB|FF FD 02", "79|79"},
	{"Extended Erase of a bank that is not there", "f072", "44 BB|FF FE 01", "79|1F"},
	{"Extended Erase: reserved code", "f072", "44 BB|FF FC 03", "79|1F"},
	{"Extended Erase of two pages", "f072", "44 BB|00 01 00 00 00 01 00", "79|79"},
	{"Extended Erase: bad sum of the list", "f072", "44 BB|00 01 00 00 00 01 01", "79|1F"},
	{"Extended Erase of a page that is not there", "f072", "44 BB|00 00 00 40 40", "79|1F"},
	{"L1 has no mass erase", "l152", "44 BB|FF FF 00", "79|1F"},
	{"L1 takes 512 pages, not 513", "l152", "44 BB|02 00", "79|1F"},
	{"Voltage range, then read back", "f405",
		"31 CE|FF FF 00 00 00|00 03 03|11 EE|FF FF 00 00 00|03 FC",
		"79|79|79|79|79|79 03 FF FF FF"},
	{"Voltage range as four bytes", "f405", "31 CE|FF FF 00 00 00|03 03 FF FF FF FF",
		"79|79|79"},
	{"Voltage range that is none", "f405", "31 CE|FF FF 00 00 00|00 05 05", "79|79|1F"},
	{"Voltage range: reserved bytes must be FF", "f405",
		"31 CE|FF FF 00 00 00|03 03 00 FF FF 00", "79|79|1F"},
	{"no voltage range on F0", "f072", "31 CE|FF FF 00 00 00", "79|1F"},
	{"F405: the id is read from the start of its block", "f405", "11 EE|1F FF 7A 10 8A",
		"79|1F"},
	{"Special, known sub-command", "u575", "50 AF|00 82 82|00 04 00 00 00 02 06",
		"79|79|79 00 00 00 01 00 79"},
	{"Special, unknown sub-command", "u575", "50 AF|00 01 01", "79|1F"},
	{"Special, too much data", "u575", "50 AF|00 82 82|00 81", "79|79|1F"},
	{"Get Checksum: zero words", "wle5-v33", "A1 5E|08 00 00 00 08|00 00 00 00 00", "79|79|1F"},
};

static void transcripts_are_those_of_the_documents(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(transcripts); i++) {
		const struct transcript *row = &transcripts[i];
		struct host host;
		const char *answer;

		host_begin_synced(&host, row->chip, NULL);
		answer = host_say(&host, row->said);
		if (strcmp(answer, row->answered))
			fail_msg("%s: expected '%s', got '%s'", row->name, row->answered, answer);
		host_end(&host);
	}
}

static void sync_is_answered_once(void **state)
{
	struct host host;

	(void)state;
	host_begin(&host,
		&(struct sim_options){.chip = sim_chip_find("f103xc"), .circuit = SIM_CIRCUIT_ROM});
	assert_string_equal(host_say(&host, "7F"), "79");
	assert_int_equal(sim_counters(host.sim)->syncs, 1);
	host_end(&host);
}

/* AN2606, known limitation of L412 and L422. */
static void l412_sends_two_acks(void **state)
{
	struct host host;

	(void)state;
	host_begin(&host,
		&(struct sim_options){.chip = sim_chip_find("l412"), .circuit = SIM_CIRCUIT_ROM});
	assert_string_equal(host_say(&host, "7F"), "79 79");
	host_end(&host);
}

/* Facts 1.8: why an address that is not known valid is never read. */
static void read_of_147_bytes_at_a_bad_address_wipes_v22(void **state)
{
	struct host host;

	(void)state;
	host_begin_synced(&host, "f103xc", NULL);
	memset(sim_flash(host.sim), 0x55, 1024);
	assert_string_equal(host_say(&host, "11 EE|60 00 00 00 60|92 6D"), "79|79|79 79");
	assert_int_equal(sim_counters(host.sim)->unprotects, 1);
	assert_int_equal(sim_counters(host.sim)->bad_addresses, 1);
	assert_int_equal(sim_flash(host.sim)[0], 0xFF);
	host_end(&host);
}

static void written_bytes_read_back(void **state)
{
	static const char *const names[] = {
		"f103xc", "f103c8", "f405", "f072", "l412", "h743", "g0b1", "u575", "wle5-v33"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct host host;
		uint8_t block[256];

		for (size_t j = 0; j < sizeof(block); j++)
			block[j] = (uint8_t)(j * 7 + i);
		host_begin_synced(&host, names[i], NULL);
		assert_string_equal(
			host_write(&host, 0x08000100, block, sizeof(block)), "79 79 79");
		assert_memory_equal(sim_flash(host.sim) + 256, block, sizeof(block));
		assert_int_equal(sim_flash(host.sim)[255], 0xFF);
		assert_int_equal(sim_flash(host.sim)[512], 0xFF);
		assert_int_equal(sim_counters(host.sim)->bad_writes, 0);
		assert_int_equal(sim_counters(host.sim)->blocks_written, 1);
		host_end(&host);
	}
}

/* N + 1 = 6 becomes 8; the two more are what the buffer held of the block before. */
static void odd_count_takes_stale_bytes(void **state)
{
	static const uint8_t first[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	static const uint8_t second[6] = {9, 9, 9, 9, 9, 9};
	static const uint8_t expected[8] = {9, 9, 9, 9, 9, 9, 7, 8};
	struct host host;

	(void)state;
	host_begin_synced(&host, "f103xc", NULL);
	host_write(&host, 0x08000000, first, sizeof(first));
	assert_string_equal(host_write(&host, 0x08000100, second, sizeof(second)), "79 79 79");
	assert_memory_equal(sim_flash(host.sim) + 256, expected, sizeof(expected));
	host_end(&host);
}

static void ram_takes_and_gives(void **state)
{
	struct host host;

	(void)state;
	host_begin_synced(&host, "f103xc", NULL);
	assert_string_equal(host_write(&host, 0x20000200, (uint8_t[]){1, 2, 3, 4}, 4), "79 79 79");
	assert_string_equal(host_read(&host, 0x20000200, 4), "79 79 79 01 02 03 04");
	host_end(&host);
}

/* PM0075: a half-word that is not erased is not programmed, and V2.2 says nothing; 0x0000 goes. */
static void f1_programs_only_erased_half_words(void **state)
{
	struct host host;

	(void)state;
	host_begin_synced(&host, "f103xc", NULL);
	host_write(&host, 0x08000000, (uint8_t[]){1, 2, 0xFF, 0xFF}, 4);
	assert_string_equal(host_write(&host, 0x08000000, (uint8_t[]){0, 0, 3, 4}, 4), "79 79 79");
	assert_int_equal(sim_counters(host.sim)->bad_writes, 0);
	assert_memory_equal(sim_flash(host.sim), ((uint8_t[]){0, 0, 3, 4}), 4);
	assert_string_equal(host_write(&host, 0x08000000, (uint8_t[]){5, 5, 5, 5}, 4), "79 79 79");
	assert_int_equal(sim_counters(host.sim)->bad_writes, 2);
	assert_memory_equal(sim_flash(host.sim), ((uint8_t[]){0, 0, 3, 4}), 4);
	host_end(&host);
}

static void f4_pulls_bits_down(void **state)
{
	struct host host;

	(void)state;
	host_begin_synced(&host, "f405", NULL);
	host_write(&host, 0x08000000, (uint8_t[]){0xF0, 0xFF, 0xFF, 0xFF}, 4);
	assert_string_equal(
		host_write(&host, 0x08000000, (uint8_t[]){0x3C, 1, 2, 3}, 4), "79 79 79");
	assert_memory_equal(sim_flash(host.sim), ((uint8_t[]){0x30, 1, 2, 3}), 4);
	host_end(&host);
}

/* AN2606 table 7, with its examples: 0x14 is aligned to 4 and not to 8. */
static void misaligned_write_fails_and_all_after_it(void **state)
{
	static const uint8_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct host host;

	(void)state;
	host_begin_synced(&host, "l412", NULL);
	assert_string_equal(host_write(&host, 0x08000010, data, 8), "79 79 79");
	assert_string_equal(host_write(&host, 0x08000024, data, 8), "79 79 1F");
	assert_string_equal(host_write(&host, 0x08000100, data, 8), "79 79 1F");
	assert_int_equal(sim_flash(host.sim)[0x100], 0xFF);
	assert_int_equal(sim_counters(host.sim)->bad_writes, 2);
	sim_power(host.sim, host.now);
	host_pass(&host, 1000000000);
	host_say(&host, "7F");
	assert_string_equal(host_write(&host, 0x08000100, data, 8), "79 79 79");
	host_end(&host);

	host_begin_synced(&host, "f072", NULL);
	assert_string_equal(host_write(&host, 0x08000014, data, 8), "79 79 79");
	host_end(&host);
}

static void erase_takes_what_it_names(void **state)
{
	struct host host;

	(void)state;
	host_begin_synced(&host, "f103xc", NULL);
	memset(sim_flash(host.sim), 0, sim_flash_size(host.sim));
	host_say(&host, "43 BC|FF FF");
	assert_int_equal(sim_flash(host.sim)[0], 0);
	assert_int_equal(sim_counters(host.sim)->mass_erases, 0);
	host_say(&host, "43 BC|00 05 00");
	assert_int_equal(sim_counters(host.sim)->pages_erased, 0);
	host_say(&host, "43 BC|01 00 02 03");
	assert_int_equal(sim_counters(host.sim)->pages_erased, 2);
	assert_int_equal(sim_flash(host.sim)[2047], 0xFF);
	assert_int_equal(sim_flash(host.sim)[2048], 0);
	assert_int_equal(sim_flash(host.sim)[4096], 0xFF);
	assert_int_equal(sim_flash(host.sim)[6144], 0);
	host_say(&host, "43 BC|FF 00");
	assert_int_equal(sim_counters(host.sim)->mass_erases, 1);
	assert_int_equal(sim_flash(host.sim)[6144], 0xFF);
	host_end(&host);
}

static void extended_erase_knows_sectors_and_banks(void **state)
{
	struct host host;

	(void)state;
	host_begin_synced(&host, "f405", NULL);
	memset(sim_flash(host.sim), 0, sim_flash_size(host.sim));
	host_say(&host, "44 BB|00 00 00 05 05"); /* the first of 128 KiB, at 128 KiB */
	assert_int_equal(sim_flash(host.sim)[0x1FFFF], 0);
	assert_int_equal(sim_flash(host.sim)[0x20000], 0xFF);
	assert_int_equal(sim_flash(host.sim)[0x3FFFF], 0xFF);
	assert_int_equal(sim_flash(host.sim)[0x40000], 0);
	host_end(&host);

	host_begin_synced(&host, "g0b1", NULL);
	memset(sim_flash(host.sim), 0, sim_flash_size(host.sim));
	host_say(&host, "44 BB|FF FD 02");
	assert_int_equal(sim_flash(host.sim)[0x3FFFF], 0);
	assert_int_equal(sim_flash(host.sim)[0x40000], 0xFF);
	host_end(&host);
}

static void option_operations_reset_the_chip(void **state)
{
	static const char *const rows[] = {
		"63 9C|00 00 00", "73 8C", "82 7D", "92 6D", "31 CE|1F FF F8 00 18|01 A5 FF 5B"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host host;
		const char *answer;

		host_begin_synced(&host, "f103xc", NULL);
		answer = host_say(&host, rows[i]);
		assert_string_equal(answer + strlen(answer) - 2, "79");
		assert_int_equal(sim_counters(host.sim)->resets, 1);
		host_pass(&host, 100000000);
		assert_string_equal(host_say(&host, "7F"), "79");
		host_end(&host);
	}
}

static void write_protected_sectors_stay_as_they_are(void **state)
{
	static const uint8_t zero[4];
	struct host host;

	(void)state;
	host_begin_synced(&host, "f103xc", NULL);
	host_say(&host, "63 9C|00 01 01"); /* pages 2 and 3 */
	host_pass(&host, 100000000);
	host_say(&host, "7F");
	assert_string_equal(host_read(&host, 0x1FFFF808, 2), "79 79 79 FD 02");
	assert_string_equal(host_write(&host, 0x08001000, zero, 4), "79 79 79");
	assert_int_equal(sim_flash(host.sim)[0x1000], 0xFF);
	host_write(&host, 0x08000000, zero, 4);
	assert_int_equal(sim_flash(host.sim)[0], 0);
	assert_string_equal(host_say(&host, "73 8C"), "79 79");
	host_pass(&host, 100000000);
	host_say(&host, "7F");
	host_write(&host, 0x08001000, zero, 4);
	assert_int_equal(sim_flash(host.sim)[0x1000], 0);
	host_end(&host);
}

/* F103xC: the last bit stands for pages 62 to 127 (stm32-chips.md 3). */
static void last_sector_covers_all_the_rest(void **state)
{
	static const uint8_t zero[4];
	struct host host;

	(void)state;
	host_begin_synced(&host, "f103xc", NULL);
	host_say(&host, "63 9C|00 1F 1F");
	host_pass(&host, 100000000);
	host_say(&host, "7F");
	host_write(&host, 0x08000000 + 61 * 2048, zero, 4);
	host_write(&host, 0x08000000 + 62 * 2048, zero, 4);
	host_write(&host, 0x08000000 + 127 * 2048, zero, 4);
	assert_int_equal(sim_flash(host.sim)[61 * 2048], 0);
	assert_int_equal(sim_flash(host.sim)[62 * 2048], 0xFF);
	assert_int_equal(sim_flash(host.sim)[127 * 2048], 0xFF);
	host_end(&host);
}

static void protected_chip_answers_four_commands(void **state)
{
	static const struct {
		const char *chip, *said, *answered;
	} rows[] = {
		{"f103xc", "02 FD", "79 01 04 14 79"},
		{"f103xc", "01 FE", "79 22 00 00 79"},
		{"f103xc", "11 EE", "1F"},
		{"f103xc", "21 DE", "1F"},
		{"f103xc", "31 CE", "1F"},
		{"f103xc", "43 BC", "1F"},
		{"f103xc", "82 7D", "1F"},
		{"f405", "11 EE", "1F 1F"},
		{"f405", "31 CE", "1F 1F"},
		{"f405", "44 BB", "1F"},
		{"f103xc", "92 6D", "79 79"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host host;

		host_begin_synced(&host, rows[i].chip, &(struct sim_faults){.protect = true});
		assert_string_equal(host_say(&host, rows[i].said), rows[i].answered);
		host_end(&host);
	}
}

static void readout_protection_comes_and_goes(void **state)
{
	struct host host;

	(void)state;
	host_begin_synced(&host, "f103xc", NULL);
	memset(sim_flash(host.sim), 0x55, 1024);
	assert_string_equal(host_say(&host, "82 7D"), "79 79");
	host_pass(&host, 100000000);
	host_say(&host, "7F");
	assert_string_equal(host_say(&host, "11 EE"), "1F");
	assert_int_equal(sim_flash(host.sim)[0], 0x55);
	assert_string_equal(host_say(&host, "92 6D"), "79 79");
	assert_int_equal(sim_flash(host.sim)[0], 0xFF);
	host_pass(&host, 100000000);
	host_say(&host, "7F");
	assert_string_equal(host_say(&host, "11 EE"), "79");
	host_end(&host);
}

/* The CRC unit makes 0xC704DD7B of one word of zeros. */
static void checksum_is_that_of_the_crc_unit(void **state)
{
	struct host host;

	(void)state;
	host_begin_synced(&host, "wle5-v33", NULL);
	memset(sim_flash(host.sim), 0, 4);
	assert_string_equal(host_say(&host, "A1 5E|08 00 00 00 08|00 00 00 01 01|"
					    "04 C1 1D B7 6F|FF FF FF FF 00"),
		"79|79|79|79|79 79 C7 04 DD 7B 65");
	host_end(&host);
}

/* RM0038: L1 erases to zero, and its id is not in one piece. */
static void l1_differs(void **state)
{
	static const uint8_t id[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	struct sim_options options = {.chip = sim_chip_find("l152"), .circuit = SIM_CIRCUIT_ROM};
	struct host host;

	(void)state;
	memcpy(options.unique_id, id, sizeof(id));
	host_begin(&host, &options);
	host_say(&host, "7F");
	memset(sim_flash(host.sim), 0x55, 256);
	host_say(&host, "44 BB|00 00 00 00 00");
	assert_string_equal(host_read(&host, 0x08000000, 4), "79 79 79 00 00 00 00");
	assert_string_equal(host_read(&host, 0x1FF80050, 8), "79 79 79 01 02 03 04 05 06 07 08");
	assert_string_equal(host_read(&host, 0x1FF80064, 4), "79 79 79 09 0A 0B 0C");
	host_end(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transcripts_are_those_of_the_documents),
		cmocka_unit_test(sync_is_answered_once),
		cmocka_unit_test(l412_sends_two_acks),
		cmocka_unit_test(read_of_147_bytes_at_a_bad_address_wipes_v22),
		cmocka_unit_test(written_bytes_read_back),
		cmocka_unit_test(odd_count_takes_stale_bytes),
		cmocka_unit_test(ram_takes_and_gives),
		cmocka_unit_test(f1_programs_only_erased_half_words),
		cmocka_unit_test(f4_pulls_bits_down),
		cmocka_unit_test(misaligned_write_fails_and_all_after_it),
		cmocka_unit_test(erase_takes_what_it_names),
		cmocka_unit_test(extended_erase_knows_sectors_and_banks),
		cmocka_unit_test(option_operations_reset_the_chip),
		cmocka_unit_test(write_protected_sectors_stay_as_they_are),
		cmocka_unit_test(last_sector_covers_all_the_rest),
		cmocka_unit_test(protected_chip_answers_four_commands),
		cmocka_unit_test(readout_protection_comes_and_goes),
		cmocka_unit_test(checksum_is_that_of_the_crc_unit),
		cmocka_unit_test(l1_differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
