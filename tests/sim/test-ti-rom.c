/* SPDX-License-Identifier: MIT */
/* test-ti-rom.c - the simulated ROM of TI's chips, by the worked packets of ti-bsl.md 1 and what it
 * says of each command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <zlib.h>

#include "base/util.h"
#include "rules/wiring.h"
#include "sim/ti-host.h"
#include "tools/ti-make.h"

#define BE32(value)                                                                  \
	(uint8_t)((value) >> 24), (uint8_t)((value) >> 16), (uint8_t)((value) >> 8), \
		(uint8_t)(value)

static void packets_of_the_sheet_are_answered_as_it_says(void **state)
{
	struct tihost host;

	(void)state;
	tihost_begin(&host, "cc2652p", NULL, NULL);
	assert_string_equal(tihost_say(&host, "55 55"), "00 CC");
	assert_string_equal(tihost_say(&host, "03 20 20"), "00 CC");
	assert_string_equal(tihost_say(&host, "03 23 23"), "00 CC 03 40 40");
	assert_string_equal(tihost_say(&host, "00 CC"), "");
	assert_string_equal(tihost_say(&host, "03 28 28"), "00 CC 06 34 32 02 00 00");
	assert_string_equal(tihost_say(&host, "00 CC"), "");
	assert_string_equal(tihost_say(&host, "07 8B 26 00 05 60 00"), "00 CC");
	assert_string_equal(tihost_say(&host, "03 23 23"), "00 CC 03 40 40");
	tihost_end(&host);
}

static void a_synchronised_loader_takes_55_for_a_size(void **state)
{
	struct tihost host;

	(void)state;
	tihost_begin(&host, "cc2652p", NULL, NULL);
	tihost_sync(&host);
	assert_string_equal(tihost_say(&host, "03 00 00"), "00 CC");
	assert_int_equal(tihost_status(&host), 0x41);
	assert_string_equal(tihost_say(&host, "55 55"), "");
	assert_string_equal(tihost_say(&host, "03 20 20"), "");
	tihost_end(&host);
}

/* ------------------------------------------------------------------ flash */

static uint32_t crc_of(struct tihost *host, uint32_t address, uint32_t size)
{
	const uint8_t packet[] = {0x27, BE32(address), BE32(size), 0, 0, 0, 0};
	uint8_t answer[256];

	assert_int_equal(tihost_ask(host, packet, sizeof(packet), answer), 4);
	return (uint32_t)answer[0] << 24 | (uint32_t)answer[1] << 16 | (uint32_t)answer[2] << 8 |
	       answer[3];
}

static void erase(struct tihost *host, uint32_t address)
{
	assert_string_equal(tihost_send(host, 0x26, BE32(address)), "00 CC");
}

static void download(struct tihost *host, uint32_t address, uint32_t size)
{
	assert_string_equal(tihost_send(host, 0x21, BE32(address), BE32(size)), "00 CC");
}

static void a_sector_is_erased_written_and_summed_up(void **state)
{
	struct tihost host;
	uint8_t *flash;

	(void)state;
	tihost_begin(&host, "cc2652p", NULL, NULL);
	tihost_sync(&host);
	flash = sim_flash(host.sim);
	memset(flash, 0, 0x6000);
	erase(&host, 0x2000);
	assert_int_equal(tihost_status(&host), 0x40);
	assert_int_equal(flash[0x1FFF], 0);
	assert_int_equal(flash[0x2000], 0xFF);
	assert_int_equal(flash[0x3FFF], 0xFF);
	assert_int_equal(flash[0x4000], 0);
	download(&host, 0x2000, 16);
	assert_int_equal(tihost_status(&host), 0x40);
	assert_string_equal(
		tihost_send(&host, 0x24, '1', '2', '3', '4', '5', '6', '7', '8'), "00 CC");
	assert_string_equal(tihost_send(&host, 0x24, '9', 'a'), "00 CC");
	assert_int_equal(tihost_status(&host), 0x40);
	assert_memory_equal(flash + 0x2000, "123456789a\xFF", 11);
	/* The check value of this CRC. */
	assert_int_equal(crc_of(&host, 0x2000, 9), 0xCBF43926);
	assert_int_equal(crc_of(&host, 0x2000, 8), 0xFFFFFFFF);
	assert_int_equal(sim_counters(host.sim)->bad_writes, 0);
	tihost_end(&host);
}

static void more_data_than_announced_leave_the_pointer_where_it_is(void **state)
{
	struct tihost host;

	(void)state;
	tihost_begin(&host, "cc2652p", NULL, NULL);
	tihost_sync(&host);
	download(&host, 0, 8);
	assert_string_equal(tihost_send(&host, 0x24, 1, 2, 3, 4), "00 CC");
	assert_string_equal(tihost_send(&host, 0x24, 1, 2, 3, 4, 5, 6, 7, 8), "00 CC");
	assert_int_equal(tihost_status(&host), 0x43);
	assert_string_equal(tihost_send(&host, 0x24, 5, 6, 7, 8), "00 CC");
	assert_int_equal(tihost_status(&host), 0x40);
	assert_memory_equal(sim_flash(host.sim), "\1\2\3\4\5\6\7\10\xFF", 9);
	tihost_end(&host);
}

/* SWCU185 sector erase: loader on, no valid image, debug ports as delivered. */
static void an_erased_top_sector_has_the_values_of_delivery(void **state)
{
	struct tihost host;
	const uint8_t *ccfg;

	(void)state;
	tihost_begin(&host, "cc2652p", NULL, NULL);
	tihost_sync(&host);
	memset(sim_flash(host.sim) + 0x56000, 0, 0x2000);
	erase(&host, 0x56000);
	assert_int_equal(tihost_status(&host), 0x40);
	ccfg = sim_ti(host.sim)->ccfg;
	assert_ptr_equal(ccfg, sim_flash(host.sim) + 0x57FA8);
	assert_memory_equal(ccfg + 0x30, "\xFF\xFF\xFF\xC5", 4);
	assert_memory_equal(ccfg + 0x44, "\xFF\xFF\xFF\xFF", 4);
	tihost_reset(&host, false);
	assert_int_equal(sim_ti(host.sim)->start, SIM_TI_NO_IMAGE);
	tihost_end(&host);
}

/* ------------------------------------------------------------------ packets */

/* ti-bsl.md 1: either side may send zeros before; a sum that is wrong is answered 00 33. */
static void zeros_are_skipped_and_wrong_sums_refused(void **state)
{
	struct tihost host;

	(void)state;
	tihost_begin(&host, "cc2652p", NULL, NULL);
	tihost_sync(&host);
	assert_string_equal(tihost_say(&host, "00 00 00 03 20 20"), "00 CC");
	assert_string_equal(tihost_say(&host, "03 21 20"), "00 33");
	assert_string_equal(tihost_say(&host, "03 20 20"), "00 CC");
	assert_string_equal(tihost_say(&host, "03 23 23"), "00 CC 03 40 40");
	assert_string_equal(tihost_say(&host, "00 33"), "03 40 40");
	assert_string_equal(tihost_say(&host, "00 00 33"), "03 40 40");
	assert_string_equal(tihost_say(&host, "00 CC"), "");
	assert_int_equal(sim_ti(host.sim)->n_repeated, 2);
	tihost_end(&host);
}

static void a_host_that_forgets_its_answer_loses_its_next_packet(void **state)
{
	struct tihost host;

	(void)state;
	tihost_begin(&host, "cc2652p", NULL, NULL);
	tihost_sync(&host);
	assert_string_equal(tihost_say(&host, "03 23 23"), "00 CC 03 40 40");
	assert_string_equal(tihost_say(&host, "03 20 20"), "");
	assert_int_equal(sim_ti(host.sim)->n_unanswered, 1);
	tihost_end(&host);
}

static void a_rate_that_is_not_detected_is_tried_again(void **state)
{
	struct tihost host;

	(void)state;
	tihost_begin(&host, "cc2652p", NULL, NULL);
	assert_string_equal(tihost_say(&host, "55"), "");
	assert_string_equal(tihost_say(&host, "FF"), "");
	assert_string_equal(tihost_say(&host, "55"), "");
	assert_string_equal(tihost_say(&host, "55"), "00 CC");
	tihost_end(&host);
	tihost_begin(&host, "cc2652p", NULL, NULL);
	sim_set_format(host.sim, 3000000, false, host.now);
	assert_string_equal(tihost_say(&host, "55 55"), "");
	sim_set_format(host.sim, 115200, true, host.now);
	assert_string_equal(tihost_say(&host, "55 55"), "");
	sim_set_format(host.sim, 115200, false, host.now);
	assert_string_equal(tihost_say(&host, "55 55"), "00 CC");
	assert_int_equal(sim_ti(host.sim)->baud, 115200);
	tihost_end(&host);
}

/* ------------------------------------------------------------------ commands */

struct form {
	const char *chip, *packet;
	int status;
};

/* ti-bsl.md 2 and 2.1: each family has its own forms, the other's are answered 42, a command that
 * is not there 41. */
static void forms_of_another_family_are_refused(void **state)
{
	static const struct form forms[] = {
		{"cc2652p", "0B 66 26 00 00 20 00 00 00 20 00", 0x42},
		{"cc2652p", "0B 67 27 00 00 20 00 00 00 20 00", 0x42},
		{"cc2652p", "08 2E 2A 00 00 00 00 04", 0x42},
		{"cc2652p", "03 29 29", 0x41},
		{"cc2652p", "07 22 22 00 00 00 00", 0x41},
		{"cc2538", "07 46 26 00 20 00 00", 0x42},
		{"cc2538", "09 2C 2A 00 00 00 00 01 01", 0x42},
		{"cc2538", "0F 4F 27 00 20 00 00 00 00 08 00 00 00 00 00", 0x42},
		{"cc2538", "03 2C 2C", 0x41},
		{"cc2538", "0B 2D 2D 00 00 00 00 00 00 00 00", 0x41},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tihost host;

		tihost_begin(&host, forms[i].chip, NULL, NULL);
		tihost_sync(&host);
		assert_string_equal(tihost_say(&host, forms[i].packet), "00 CC");
		assert_int_equal(tihost_status(&host), forms[i].status);
		assert_int_equal(sim_counters(host.sim)->pages_erased, 0);
		tihost_end(&host);
	}
}

static void a_chip_says_what_it_is(void **state)
{
	static const struct sim_ti board = {
		.ieee = {0x00, 0x12, 0x4B, 0x00, 0x2E, 0x20, 0xC4, 0xB1}};
	struct tihost host;
	uint8_t answer[256];

	(void)state;
	tihost_begin(&host, "cc1352p7", &board, NULL);
	tihost_sync(&host);
	assert_int_equal(
		tihost_ask(&host, (const uint8_t[]){0x2A, BE32(0x50001318), 1, 1}, 7, answer), 4);
	/* Wafer id BB77 in bits 27 to 12, as it lies in memory. */
	assert_int_equal((answer[3] & 0x0F) << 12 | answer[2] << 4 | answer[1] >> 4, 0xBB77);
	assert_int_equal(
		tihost_ask(&host, (const uint8_t[]){0x2A, BE32(0x4003002C), 1, 1}, 7, answer), 4);
	assert_int_equal(answer[0] * 8192, 704 * 1024);
	assert_int_equal(
		tihost_ask(&host, (const uint8_t[]){0x2A, BE32(0x500012F0), 1, 2}, 7, answer), 8);
	assert_memory_equal(answer, "\xB1\xC4\x20\x2E\x00\x4B\x12\x00", 8);
	assert_int_equal(
		tihost_ask(&host, (const uint8_t[]){0x2A, BE32(0x500012F1), 0, 3}, 7, answer), 3);
	assert_memory_equal(answer, "\xC4\x20\x2E", 3);
	tihost_end(&host);
	tihost_begin(&host, "cc2538", &board, NULL);
	tihost_sync(&host);
	assert_int_equal(tihost_ask(&host, (const uint8_t[]){0x28}, 1, answer), 4);
	assert_memory_equal(answer, "\x00\x00\xB9\x64", 4);
	/* Most significant byte first: the word with the maker's number comes so. */
	assert_int_equal(
		tihost_ask(&host, (const uint8_t[]){0x2A, BE32(0x280028), 4}, 6, answer), 4);
	assert_memory_equal(answer, "\x00\x12\x4B\x00", 4);
	assert_int_equal(
		tihost_ask(&host, (const uint8_t[]){0x2A, BE32(0x400D3014), 4}, 6, answer), 4);
	assert_int_equal((answer[3] >> 4 & 7) * 0x20000, 512 * 1024);
	tihost_end(&host);
}

/* ------------------------------------------------------------------ the start */

/* What of host's image lies in the flash. */
static void install(struct sim *sim, struct ti_make_image *image)
{
	memcpy(sim_flash(sim), image->flash, image->chip->size);
	ti_make_done(image);
}

static void power_up(
	struct tihost *host, const char *chip, const struct sim_ti *board, enum ti_make_fault fault)
{
	struct ti_make_image image = ti_make_new(chip, "20240710", 0);

	assert_true(ti_make_fault(&image, fault));
	tihost_begin(host, chip, board, NULL);
	install(host->sim, &image);
}

struct start {
	const char *chip;
	struct sim_ti board;
	enum ti_make_fault fault;
	enum sim_ti_start by_lines, plain;
};

/* ti-bsl.md 3.1 and 5.3. */
static void the_ccfg_decides_what_a_reset_does(void **state)
{
	static const struct start starts[] = {
		{"cc2652p", {0}, TI_FAULT_NONE, SIM_TI_BACKDOOR, SIM_TI_APPLICATION},
		{"cc2652p", {0}, TI_FAULT_LOADER_OFF, SIM_TI_APPLICATION, SIM_TI_APPLICATION},
		{"cc2652p", {0}, TI_FAULT_BACKDOOR_OFF, SIM_TI_APPLICATION, SIM_TI_APPLICATION},
		{"cc2652p", {0}, TI_FAULT_STOCK, SIM_TI_APPLICATION, SIM_TI_APPLICATION},
		{"cc2652p", {0}, TI_FAULT_PIN, SIM_TI_APPLICATION, SIM_TI_APPLICATION},
		/* The other pin, tied low by hand (ptvoinfo#84). */
		{"cc2652p", {.low_pins = 1u << 13}, TI_FAULT_PIN, SIM_TI_BACKDOOR, SIM_TI_BACKDOOR},
		{"cc2652p", {0}, TI_FAULT_UART_PIN, SIM_TI_APPLICATION, SIM_TI_APPLICATION},
		{"cc2652p", {0}, TI_FAULT_LEVEL, SIM_TI_APPLICATION, SIM_TI_APPLICATION},
		/* The vectors are said to be in the middle of the code. */
		{"cc2652p", {0}, TI_FAULT_IMAGE_VALID, SIM_TI_BACKDOOR, SIM_TI_CRASHED},
		{"cc2652p", {0}, TI_FAULT_STACK, SIM_TI_BACKDOOR, SIM_TI_CRASHED},
		{"cc2652p", {0}, TI_FAULT_RESET_EVEN, SIM_TI_BACKDOOR, SIM_TI_CRASHED},
		{"cc2652p", {0}, TI_FAULT_RESET_OUTSIDE, SIM_TI_BACKDOOR, SIM_TI_CRASHED},
		/* Nothing at all in the CCFG: no image, and the loader is off. */
		{"cc2652p", {0}, TI_FAULT_NO_CCFG, SIM_TI_LOCKED, SIM_TI_LOCKED},
		{"cc1310", {0}, TI_FAULT_NONE, SIM_TI_BACKDOOR, SIM_TI_APPLICATION},
		{"cc1310", {0}, TI_FAULT_IMAGE_VALID, SIM_TI_NO_IMAGE, SIM_TI_NO_IMAGE},
		{"cc2538", {0}, TI_FAULT_NONE, SIM_TI_BACKDOOR, SIM_TI_APPLICATION},
		{"cc2538", {0}, TI_FAULT_BACKDOOR_OFF, SIM_TI_APPLICATION, SIM_TI_APPLICATION},
		{"cc2538", {0}, TI_FAULT_LEVEL, SIM_TI_APPLICATION, SIM_TI_APPLICATION},
		{"cc2538", {0}, TI_FAULT_PIN, SIM_TI_APPLICATION, SIM_TI_APPLICATION},
		{"cc2538", {0}, TI_FAULT_IMAGE_VALID, SIM_TI_NO_IMAGE, SIM_TI_NO_IMAGE},
		{"cc2538", {0}, TI_FAULT_NO_CCFG, SIM_TI_NO_IMAGE, SIM_TI_NO_IMAGE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		struct tihost host;

		print_message("%s, %s\n", starts[i].chip, ti_make_fault_names[starts[i].fault]);
		power_up(&host, starts[i].chip, &starts[i].board, starts[i].fault);
		tihost_reset(&host, true);
		assert_int_equal(sim_ti(host.sim)->start, starts[i].by_lines);
		tihost_reset(&host, false);
		assert_int_equal(sim_ti(host.sim)->start, starts[i].plain);
		tihost_end(&host);
	}
}

/* Wherever a byte of the first run is wrong, nothing starts. */
static void half_an_application_crashes(void **state)
{
	struct tihost host;

	(void)state;
	for (uint32_t at = 0x120; at < 0x7800; at += 0x700) {
		power_up(&host, "cc2652p", NULL, TI_FAULT_NONE);
		sim_flash(host.sim)[at] ^= 1;
		tihost_reset(&host, false);
		assert_int_equal(sim_ti(host.sim)->start, SIM_TI_CRASHED);
		assert_int_equal(sim_state(host.sim), SIM_DEAD);
		tihost_end(&host);
	}
}

/* #151: with two ioctls both lines are asserted for a moment, and the chip is let go without the
 * backdoor's pin. */
static void a_reset_that_is_let_go_first_misses_the_loader(void **state)
{
	struct tihost host;

	(void)state;
	power_up(&host, "cc2652p", NULL, TI_FAULT_NONE);
	sim_set_lines(host.sim, LINE_RTS, host.now);
	tihost_pass(&host, 10);
	sim_set_lines(host.sim, LINE_RTS | LINE_DTR, host.now);
	tihost_pass(&host, 2);
	sim_set_lines(host.sim, LINE_DTR, host.now);
	tihost_pass(&host, 100);
	assert_int_equal(sim_ti(host.sim)->start, SIM_TI_APPLICATION);
	tihost_end(&host);
}

/* PR 195: RESET while the line is still low. */
static void a_reset_with_the_line_still_low_ends_in_the_loader(void **state)
{
	struct tihost host;

	(void)state;
	power_up(&host, "cc2652p", NULL, TI_FAULT_NONE);
	tihost_reset(&host, true);
	tihost_sync(&host);
	sim_set_lines(host.sim, LINE_DTR, host.now);
	assert_string_equal(tihost_say(&host, "03 25 25"), "00 CC");
	tihost_pass(&host, 10);
	assert_int_equal(sim_ti(host.sim)->start, SIM_TI_BACKDOOR);
	assert_false(sim_ti(host.sim)->is_synced);
	sim_set_lines(host.sim, 0, host.now);
	tihost_sync(&host);
	/* Then the application speaks, at its own rate. */
	assert_memory_equal(tihost_say(&host, "03 25 25"), "00 CC", 5);
	tihost_pass(&host, 10);
	assert_int_equal(sim_ti(host.sim)->start, SIM_TI_APPLICATION);
	tihost_end(&host);
}

/* ------------------------------------------------------------------ protection */

static void protected_sectors_stay_as_they_are(void **state)
{
	struct tihost host;

	(void)state;
	power_up(&host, "cc2652p", NULL, TI_FAULT_PROTECTED);
	tihost_reset(&host, true);
	tihost_sync(&host);
	erase(&host, 0);
	assert_int_equal(tihost_status(&host), 0x44);
	assert_string_equal(tihost_send(&host, 0x2C), "00 CC");
	assert_int_equal(tihost_status(&host), 0x40);
	assert_int_not_equal(sim_flash(host.sim)[1], 0xFF);
	assert_int_equal(sim_flash(host.sim)[0x2000], 0xFF);
	tihost_end(&host);
	power_up(&host, "cc2652p", NULL, TI_FAULT_BANK_ERASE_OFF);
	tihost_reset(&host, true);
	tihost_sync(&host);
	assert_string_equal(tihost_send(&host, 0x2C), "00 CC");
	assert_int_equal(tihost_status(&host), 0x44);
	assert_int_equal(sim_counters(host.sim)->pages_erased, 0);
	tihost_end(&host);
}

/* ti-bsl.md 6: nothing changes before the next reset. */
static void a_new_ccfg_counts_from_the_next_reset_on(void **state)
{
	struct tihost host;

	(void)state;
	tihost_begin(&host, "cc2652p", NULL, NULL);
	tihost_sync(&host);
	download(&host, 0x57FD8, 4);
	assert_string_equal(tihost_send(&host, 0x24, 0xFF, 0xFF, 0xFF, 0), "00 CC");
	assert_int_equal(tihost_status(&host), 0x40);
	assert_string_equal(tihost_say(&host, "03 20 20"), "00 CC");
	tihost_reset(&host, true);
	assert_int_equal(sim_ti(host.sim)->start, SIM_TI_LOCKED);
	tihost_end(&host);
}

/* ------------------------------------------------------------------ the application */

static void z_stack_says_its_version(void **state)
{
	struct tihost host;

	(void)state;
	power_up(&host, "cc2652p", NULL, TI_FAULT_NONE);
	sim_set_format(host.sim, 115200, false, host.now);
	tihost_reset(&host, false);
	tihost_pass(&host, 250);
	/* SYS_RESET_IND: external, transport 2, product 1, 2.7.1. */
	assert_int_equal(host.n_bytes, 11);
	assert_memory_equal(host.bytes, "\xFE\x06\x41\x80\x01\x02\x01\x02\x07\x01\xC1", 11);
	assert_string_equal(tihost_say(&host, "FE 00 21 01 20"), "FE 02 61 01 59 06 3D");
	/* 20240710 = 0x0134D946. */
	assert_string_equal(
		tihost_say(&host, "FE 00 21 02 23"), "FE 09 61 02 02 01 02 07 01 46 D9 34 01 C7");
	assert_int_equal(sim_ti(host.sim)->revision, 20240710);
	assert_string_equal(tihost_say(&host, "FE 00 21 02 24"), "");
	tihost_end(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_of_the_sheet_are_answered_as_it_says),
		cmocka_unit_test(a_synchronised_loader_takes_55_for_a_size),
		cmocka_unit_test(a_sector_is_erased_written_and_summed_up),
		cmocka_unit_test(more_data_than_announced_leave_the_pointer_where_it_is),
		cmocka_unit_test(an_erased_top_sector_has_the_values_of_delivery),
		cmocka_unit_test(zeros_are_skipped_and_wrong_sums_refused),
		cmocka_unit_test(a_host_that_forgets_its_answer_loses_its_next_packet),
		cmocka_unit_test(a_rate_that_is_not_detected_is_tried_again),
		cmocka_unit_test(forms_of_another_family_are_refused),
		cmocka_unit_test(a_chip_says_what_it_is),
		cmocka_unit_test(the_ccfg_decides_what_a_reset_does),
		cmocka_unit_test(half_an_application_crashes),
		cmocka_unit_test(a_reset_that_is_let_go_first_misses_the_loader),
		cmocka_unit_test(a_reset_with_the_line_still_low_ends_in_the_loader),
		cmocka_unit_test(protected_sectors_stay_as_they_are),
		cmocka_unit_test(a_new_ccfg_counts_from_the_next_reset_on),
		cmocka_unit_test(z_stack_says_its_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
