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
#include "sim/ti-host.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_of_the_sheet_are_answered_as_it_says),
		cmocka_unit_test(a_synchronised_loader_takes_55_for_a_size),
		cmocka_unit_test(a_sector_is_erased_written_and_summed_up),
		cmocka_unit_test(more_data_than_announced_leave_the_pointer_where_it_is),
		cmocka_unit_test(an_erased_top_sector_has_the_values_of_delivery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
