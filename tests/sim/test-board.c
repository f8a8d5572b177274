/* SPDX-License-Identifier: MIT */
/*
 * test-board.c - what stands around the simulated ROM: circuits, start-up, baud detection, time,
 * application, power.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "rules/wiring.h"
#include "sim/host.h"

#define BYTE_NSEC UINT64_C(95486) /* 11 bits at 115200 */
#define MSEC	  UINT64_C(1000000)

/* A vector table that can start: stack at 0x20001000, entry at 0x08000100, and code there. */
static void put_application(struct sim *sim, const char *text)
{
	static const uint8_t vectors[8] = {0x00, 0x10, 0x00, 0x20, 0x01, 0x01, 0x00, 0x08};

	memcpy(sim_flash(sim), vectors, sizeof(vectors));
	memset(sim_flash(sim) + 0x100, 0x46, 16);
	memcpy(sim_flash(sim) + 0x400, text, strlen(text));
}

static void begin(struct host *host, enum sim_circuit circuit)
{
	host_begin(
		host, &(struct sim_options){.chip = sim_chip_find("f103xc"), .circuit = circuit});
}

/* Facts section 5. Each row: the lines before, the lines then, and what the chip does. */
static const struct {
	const char *name;
	enum sim_circuit circuit;
	unsigned before, lines;
	enum sim_state state;
} circuits[] = {
	{"direct: idle", SIM_CIRCUIT_DIRECT, LINE_DTR, 0, SIM_APPLICATION},
	{"direct: DTR resets", SIM_CIRCUIT_DIRECT, 0, LINE_DTR, SIM_RESET},
	{"direct: both, as Linux opens", SIM_CIRCUIT_DIRECT, 0, LINE_DTR | LINE_RTS, SIM_RESET},
	{"direct: RTS selects the ROM", SIM_CIRCUIT_DIRECT, LINE_DTR | LINE_RTS, LINE_RTS, SIM_ROM},
	{"direct: RTS alone changes nothing", SIM_CIRCUIT_DIRECT, 0, LINE_RTS, SIM_APPLICATION},
	{"one-key: idle", SIM_CIRCUIT_ONE_KEY, 0, 0, SIM_APPLICATION},
	{"one-key: DTR alone", SIM_CIRCUIT_ONE_KEY, 0, LINE_DTR, SIM_APPLICATION},
	{"one-key: RTS alone resets", SIM_CIRCUIT_ONE_KEY, 0, LINE_RTS, SIM_RESET},
	{"one-key: both, as Linux opens", SIM_CIRCUIT_ONE_KEY, 0, LINE_DTR | LINE_RTS,
		SIM_APPLICATION},
	{"one-key: enter", SIM_CIRCUIT_ONE_KEY, LINE_RTS, LINE_DTR | LINE_RTS, SIM_ROM},
	{"one-key: leave", SIM_CIRCUIT_ONE_KEY, LINE_RTS, 0, SIM_APPLICATION},
	{"one-key: DTR for RTS starts the application", SIM_CIRCUIT_ONE_KEY, LINE_RTS, LINE_DTR,
		SIM_APPLICATION},
	{"esp: idle", SIM_CIRCUIT_ESP, 0, 0, SIM_APPLICATION},
	{"esp: both is idle", SIM_CIRCUIT_ESP, 0, LINE_DTR | LINE_RTS, SIM_APPLICATION},
	{"esp: RTS resets", SIM_CIRCUIT_ESP, 0, LINE_RTS, SIM_RESET},
	{"esp: DTR selects the ROM", SIM_CIRCUIT_ESP, LINE_RTS, LINE_DTR, SIM_ROM},
	{"esp: leave", SIM_CIRCUIT_ESP, LINE_RTS, 0, SIM_APPLICATION},
	{"esp: leave by both", SIM_CIRCUIT_ESP, LINE_RTS, LINE_DTR | LINE_RTS, SIM_APPLICATION},
	{"no lines", SIM_CIRCUIT_NONE, 0, LINE_DTR | LINE_RTS, SIM_APPLICATION},
	{"BOOT0 tied high", SIM_CIRCUIT_ROM, LINE_DTR, 0, SIM_ROM},
};

static void circuits_follow_their_truth_tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(circuits); i++) {
		struct host host;

		begin(&host, circuits[i].circuit);
		put_application(host.sim, "");
		sim_power(host.sim, host.now);
		sim_set_lines(host.sim, circuits[i].before, host.now + MSEC);
		sim_set_lines(host.sim, circuits[i].lines, host.now + 2 * MSEC);
		if (sim_state(host.sim) != circuits[i].state)
			fail_msg("%s: expected state %d, got %d", circuits[i].name,
				circuits[i].state, sim_state(host.sim));
		host_end(&host);
	}
}

/* Two requests where one was needed: the ESP circuit passes through idle and starts the
 * application. */
static void esp_circuit_needs_both_lines_at_once(void **state)
{
	struct host host;

	(void)state;
	begin(&host, SIM_CIRCUIT_ESP);
	put_application(host.sim, "");
	sim_set_lines(host.sim, LINE_RTS, host.now);
	sim_set_lines(host.sim, LINE_DTR | LINE_RTS, host.now + MSEC);
	sim_set_lines(host.sim, LINE_DTR, host.now + 2 * MSEC);
	assert_int_equal(sim_state(host.sim), SIM_APPLICATION);
	host_end(&host);
}

/* --- Detection --- */

/* F103: 1.227 ms from reset to the first look at the line (AN2606 table 227). */
static void byte_before_the_start_is_over_is_missed(void **state)
{
	struct host host;

	(void)state;
	begin(&host, SIM_CIRCUIT_ROM);
	sim_power(host.sim, host.now);
	assert_string_equal(host_say(&host, "7F"), "");
	assert_int_equal(sim_counters(host.sim)->sync_bytes_early, 1);
	host_pass(&host, 2 * MSEC);
	assert_string_equal(host_say(&host, "7F"), "79");
	host_end(&host);
}

static void byte_across_the_end_of_the_start_is_mistimed(void **state)
{
	struct host host;

	(void)state;
	begin(&host, SIM_CIRCUIT_ROM);
	sim_power(host.sim, host.now);
	host.now += 1227000 - BYTE_NSEC / 2;
	assert_string_not_equal(host_say(&host, "7F"), "79");
	assert_string_not_equal(
		host_say(&host, "00 FF"), "79 0B 22 00 01 02 11 21 31 43 63 73 82 92 79");
	assert_int_equal(sim_counters(host.sim)->syncs, 0);
	sim_power(host.sim, host.now);
	host_pass(&host, 10 * MSEC);
	assert_string_equal(host_say(&host, "7F"), "79");
	host_end(&host);
}

static void first_byte_is_the_only_chance(void **state)
{
	struct host host;

	(void)state;
	begin(&host, SIM_CIRCUIT_ROM);
	assert_string_not_equal(host_say(&host, "55"), "79");
	for (unsigned i = 0; i < 8; i++)
		assert_string_not_equal(host_say(&host, "7F"), "79");
	assert_int_equal(sim_counters(host.sim)->sync_bytes_bad, 1);
	assert_int_equal(sim_counters(host.sim)->syncs, 0);
	host_end(&host);
}

static void detection_wants_even_parity(void **state)
{
	struct host host;

	(void)state;
	begin(&host, SIM_CIRCUIT_ROM);
	sim_set_format(host.sim, 115200, false, host.now);
	assert_string_not_equal(host_say(&host, "7F"), "79");
	sim_set_format(host.sim, 115200, true, host.now);
	assert_string_not_equal(host_say(&host, "02 FD"), "79 01 04 14 79");
	host_end(&host);
}

static void rate_stands_until_the_next_reset(void **state)
{
	struct host host;

	(void)state;
	begin(&host, SIM_CIRCUIT_ROM);
	sim_set_format(host.sim, 57600, true, host.now);
	assert_string_equal(host_say(&host, "7F"), "79");
	sim_set_format(host.sim, 58500, true, host.now); /* 1.6 % */
	assert_string_equal(host_say(&host, "02 FD"), "79 01 04 14 79");
	sim_set_format(host.sim, 60000, true, host.now); /* 4.2 % */
	assert_string_not_equal(host_say(&host, "02 FD"), "79 01 04 14 79");
	host_end(&host);
}

/* --- Time --- */

/* The ACK begins when bit 7 falls, three bits before the end of the 0x7F (stm32-rom.md 1). */
static void sync_ack_begins_within_the_sync_byte(void **state)
{
	struct host host;
	uint64_t end;

	(void)state;
	begin(&host, SIM_CIRCUIT_ROM);
	end = host.now + BYTE_NSEC;
	host_say(&host, "7F");
	assert_in_range(host.now, end + 8 * 8680 - 10, end + 8 * 8681 + 10);
	host_end(&host);
}

/* Facts 4.1: 265 bytes to the chip, 3 ACKs, and 128 half-words of 52.5 us. */
static void write_of_a_block_takes_268_byte_times_and_its_programming(void **state)
{
	uint8_t block[256] = {0};
	struct host host;
	uint64_t from;

	(void)state;
	host_begin_synced(&host, "f103xc", NULL);
	from = host.now;
	assert_string_equal(host_write(&host, 0x08000000, block, sizeof(block)), "79 79 79");
	assert_int_equal(host.now - from, 268 * BYTE_NSEC + 128 * 52500);
	host_end(&host);
}

static void read_of_a_block_takes_268_byte_times(void **state)
{
	struct host host;
	uint64_t from;

	(void)state;
	host_begin_synced(&host, "f103xc", NULL);
	from = host.now;
	host_read(&host, 0x08000000, 256);
	assert_int_equal(host.now - from, 268 * BYTE_NSEC);
	host_end(&host);
}

static void erase_takes_its_time(void **state)
{
	static const struct {
		const char *chip, *said;
		unsigned n_bytes;
		uint64_t nsec;
	} rows[] = {
		{"f103xc", "43 BC|FF 00", 6, 30 * MSEC},
		{"f103xc", "43 BC|02 00 01 02 01", 9, 90 * MSEC},
		{"f405", "44 BB|00 00 00 00 00", 9, 500 * MSEC}, /* by bytes */
		{"f405", "44 BB|00 00 00 05 05", 9, 2000 * MSEC},
		{"f405", "31 CE|FF FF 00 00 00|00 03 03|44 BB|00 00 00 05 05", 22, 1000 * MSEC},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host host;
		uint64_t from;

		host_begin_synced(&host, rows[i].chip, NULL);
		from = host.now;
		host_say(&host, rows[i].said);
		assert_int_equal(host.now - from, rows[i].n_bytes * BYTE_NSEC + rows[i].nsec);
		host_end(&host);
	}
}

/* AN2606 table 4: by bytes until the voltage range says otherwise. */
static void f4_programs_faster_by_words(void **state)
{
	uint8_t block[256] = {0};
	struct host host;
	uint64_t from;

	(void)state;
	host_begin_synced(&host, "f405", NULL);
	from = host.now;
	host_write(&host, 0x08000000, block, sizeof(block));
	assert_int_equal(host.now - from, 268 * BYTE_NSEC + 256 * 16000);
	host_say(&host, "31 CE|FF FF 00 00 00|00 03 03");
	from = host.now;
	host_write(&host, 0x08000100, block, sizeof(block));
	assert_int_equal(host.now - from, 268 * BYTE_NSEC + 64 * 16000);
	host_end(&host);
}

/* Facts 4.2: deaf for the one byte time of an ACK, and the USART keeps one byte. */
static void one_byte_is_kept_while_an_ack_goes_out(void **state)
{
	uint8_t burst[2 + 5 + 1 + 4 + 1] = {
		0x31, 0xCE, 0x08, 0, 0, 0, 0x08, 3, 1, 2, 3, 4, 3 ^ 1 ^ 2 ^ 3 ^ 4};
	struct host host;

	(void)state;
	host_begin_synced(&host, "f103xc", NULL);
	assert_string_equal(host_send(&host, burst, sizeof(burst)), "79 79 79");
	assert_memory_equal(sim_flash(host.sim), burst + 8, 4);
	assert_int_equal(sim_counters(host.sim)->overruns, 0);
	host_end(&host);
}

static void bytes_are_lost_while_it_erases(void **state)
{
	struct host host;

	(void)state;
	host_begin_synced(&host, "f103xc", NULL);
	assert_string_equal(host_say(&host, "43 BC|FF 00 02 FD 02 FD"), "79|79");
	assert_int_equal(sim_counters(host.sim)->overruns, 3);
	assert_string_equal(host_say(&host, "FD"), "79 01 04 14 79");
	host_end(&host);
}

/* --- Application --- */

static void banner_is_printed_after_a_start_and_each_second(void **state)
{
	static const char expected[] =
		"70 6C 75 67 66 6C 61 73 68 2D 74 65 73 74 20 31 2E 30 0D 0A";
	struct host host;

	(void)state;
	begin(&host, SIM_CIRCUIT_DIRECT);
	put_application(host.sim, "plugflash-test 1.0\n");
	sim_set_format(host.sim, 115200, false, host.now);
	host_reset(&host, false);
	assert_string_equal(host.answer, expected);
	for (unsigned i = 0; i < 3; i++) {
		host_pass(&host, 1000 * MSEC);
		assert_string_equal(host.answer, expected);
	}
	host_end(&host);
}

static void banner_of_the_test_firmware_is_found(void **state)
{
	static const char expected[] = "70 6C 75 67 66 6C 61 73 68 2D 74 65 73 74 20 "
				       "31 2E 30 2E 30 0D 0A"; /* plugflash-test 1.0.0 */
	FILE *file = fopen("tests/firmware/firmware-1.0.0.bin", "r");
	struct host host;

	(void)state;
	assert_non_null(file);
	begin(&host, SIM_CIRCUIT_DIRECT);
	assert_in_range(fread(sim_flash(host.sim), 1, 65536, file), 1024, 65535);
	fclose(file);
	sim_set_format(host.sim, 115200, false, host.now);
	host_reset(&host, false);
	assert_int_equal(sim_state(host.sim), SIM_APPLICATION);
	assert_string_equal(host.answer, expected);
	host_end(&host);
}

static void chatter_comes_every_20_ms(void **state)
{
	struct host host;

	(void)state;
	host_begin(&host, &(struct sim_options){.chip = sim_chip_find("f103xc"), .chatter = "AB"});
	put_application(host.sim, "");
	sim_set_format(host.sim, 115200, false, host.now);
	sim_power(host.sim, host.now);
	host_pass(&host, 50 * MSEC);
	assert_string_equal(host.answer, "41 42 41 42 41 42");
	sim_set_format(host.sim, 115200, true, host.now);
	host_pass(&host, 20 * MSEC);
	assert_int_equal(strlen(host.answer), 5);
	assert_string_not_equal(host.answer, "41 42");
	host_end(&host);
}

static void erased_chip_does_nothing_until_the_next_reset(void **state)
{
	struct host host;

	(void)state;
	begin(&host, SIM_CIRCUIT_DIRECT);
	assert_int_equal(sim_state(host.sim), SIM_DEAD);
	assert_false(sim_application_is_sane(host.sim));
	put_application(host.sim, "");
	assert_true(sim_application_is_sane(host.sim));
	assert_int_equal(sim_state(host.sim), SIM_DEAD);
	host_reset(&host, false);
	assert_int_equal(sim_state(host.sim), SIM_APPLICATION);
	memset(sim_flash(host.sim) + 0x100, 0xFF, 256); /* its code is gone */
	assert_false(sim_application_is_sane(host.sim));
	host_end(&host);
}

static void go_starts_the_application(void **state)
{
	struct host host;

	(void)state;
	host_begin_synced(&host, "f103xc", NULL);
	put_application(host.sim, "");
	assert_string_equal(host_say(&host, "21 DE|08 00 00 00 08"), "79|79");
	assert_int_equal(sim_state(host.sim), SIM_APPLICATION);
	assert_string_equal(host_say(&host, "00 FF"), "");
	host_end(&host);
}

/* --- Reset and power in the middle of something --- */

static void reset_ends_an_erase_between_pages(void **state)
{
	struct host host;
	uint8_t byte;

	(void)state;
	begin(&host, SIM_CIRCUIT_DIRECT);
	host_reset(&host, true);
	host_say(&host, "7F");
	memset(sim_flash(host.sim), 0, sim_flash_size(host.sim));
	host_say(&host, "43 BC");
	host_send(&host, (uint8_t[]){0x03, 0, 1, 2}, 4);
	host.now += BYTE_NSEC;
	sim_receive(host.sim, 3, host.now);
	host.now += BYTE_NSEC;
	sim_receive(host.sim, 3, host.now);
	host.now += 75 * MSEC;
	sim_set_lines(host.sim, LINE_DTR, host.now);
	host.now += 1000 * MSEC;
	assert_false(sim_send(host.sim, &byte, host.now));
	assert_int_equal(sim_counters(host.sim)->pages_erased, 2);
	assert_int_equal(sim_flash(host.sim)[4095], 0xFF);
	assert_int_equal(sim_flash(host.sim)[4096], 0);
	host_end(&host);
}

static void power_takes_ram_and_leaves_flash(void **state)
{
	struct host host;

	(void)state;
	host_begin_synced(&host, "f103xc", NULL);
	host_write(&host, 0x20000200, (uint8_t[]){1, 2, 3, 4}, 4);
	host_write(&host, 0x08000000, (uint8_t[]){1, 2, 3, 4}, 4);
	sim_power(host.sim, host.now);
	host_pass(&host, 10 * MSEC);
	assert_string_equal(host_say(&host, "7F"), "79");
	assert_string_not_equal(host_read(&host, 0x20000200, 4), "79 79 79 01 02 03 04");
	assert_string_equal(host_read(&host, 0x08000000, 4), "79 79 79 01 02 03 04");
	host_end(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(circuits_follow_their_truth_tables),
		cmocka_unit_test(esp_circuit_needs_both_lines_at_once),
		cmocka_unit_test(byte_before_the_start_is_over_is_missed),
		cmocka_unit_test(byte_across_the_end_of_the_start_is_mistimed),
		cmocka_unit_test(first_byte_is_the_only_chance),
		cmocka_unit_test(detection_wants_even_parity),
		cmocka_unit_test(rate_stands_until_the_next_reset),
		cmocka_unit_test(sync_ack_begins_within_the_sync_byte),
		cmocka_unit_test(write_of_a_block_takes_268_byte_times_and_its_programming),
		cmocka_unit_test(read_of_a_block_takes_268_byte_times),
		cmocka_unit_test(erase_takes_its_time),
		cmocka_unit_test(f4_programs_faster_by_words),
		cmocka_unit_test(one_byte_is_kept_while_an_ack_goes_out),
		cmocka_unit_test(bytes_are_lost_while_it_erases),
		cmocka_unit_test(banner_is_printed_after_a_start_and_each_second),
		cmocka_unit_test(banner_of_the_test_firmware_is_found),
		cmocka_unit_test(chatter_comes_every_20_ms),
		cmocka_unit_test(erased_chip_does_nothing_until_the_next_reset),
		cmocka_unit_test(go_starts_the_application),
		cmocka_unit_test(reset_ends_an_erase_between_pages),
		cmocka_unit_test(power_takes_ram_and_leaves_flash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
