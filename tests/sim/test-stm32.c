/* SPDX-License-Identifier: MIT */
/*
 * test-stm32.c - the protocol as flash.c sees it, chip by chip: what is read of the chip, that no
 * address is sent which the table does not name, and what goes before an erase.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chip/family-stm32.h"
#include "sim/line.h"
#include "sim/shipped.h"
#include "unit/rows.h"

#define FLASH UINT32_C(0x08000000)

/* A line with the protocol on it, and a table of this chip alone, which a test may change. */
struct desk {
	struct line line;
	struct chip_table table;
	struct chip chip;
	struct stm32_row row;
	struct loader *loader;
	struct chip_identity identity;
};

/* Bursts are tested in test-bursts.c. */
static const struct board board = {.bursts = BOARD_USE_NO};

static void desk_begin(struct desk *desk, const char *name, const struct sim_faults *faults)
{
	const struct chip *chip;

	*desk = (struct desk){0};
	line_begin(&desk->line, name, faults);
	chip = chip_table_find(shipped_chips(), "stm32", sim_chip_find(name)->product_id);
	assert_non_null(chip);
	desk->chip = *chip;
	desk->row = *stm32_row(chip);
	desk->chip.own = &desk->row;
	desk->table = (struct chip_table){&desk->chip, 1};
	assert_int_equal(loader_stm32.open(
				 &(struct loader){
					 .ops = &loader_stm32,
					 .port = desk->line.port,
					 .board = &board,
					 .chips = &desk->table,
				 },
				 &desk->loader),
		0);
}

static void desk_end(struct desk *desk)
{
	assert_null(loader_stm32.close(desk->loader));
	line_end(&desk->line);
}

static int desk_identify(struct desk *desk)
{
	int r = loader_stm32.sync(desk->loader, true);

	return r == 0 ? loader_stm32.identify(desk->loader, &desk->identity) : r;
}

static void desk_begin_identified(struct desk *desk, const char *name)
{
	desk_begin(desk, name, NULL);
	assert_int_equal(desk_identify(desk), 0);
	line_mark(&desk->line);
}

/* How often the bytes were sent since the mark. */
static unsigned count_sent(struct desk *desk, const char *bytes)
{
	const char *at = line_sent(&desk->line);
	unsigned n = 0;

	for (; (at = strstr(at, bytes)); at++)
		n++;
	return n;
}

static const struct sim_counters *counters(const struct desk *desk)
{
	return sim_counters(desk->line.sim);
}

/* ------------------------------------------------------------------ who is there */

static const struct identity_row {
	const char *name;
	const char *chip;
	uint16_t product_id;
	uint32_t flash_kib;
} identity_rows[] = {
	{"F103xC", "f103xc", 0x414, 256},
	{"F103C8", "f103c8", 0x410, 64},
	{"F405, id only as a whole block", "f405", 0x413, 1024},
	{"F072", "f072", 0x448, 128},
	{"L152, third word of the id apart", "l152", 0x416, 128},
	{"L412", "l412", 0x464, 128},
	{"H743", "h743", 0x450, 2048},
	{"G0B1", "g0b1", 0x467, 512},
	{"U575", "u575", 0x482, 2048},
	{"WLE5", "wle5-v33", 0x497, 256},
};

static void a_chip_says_what_it_is(void **state)
{
	const struct identity_row *row = *state;
	char expected[25];
	struct desk desk;

	desk_begin(&desk, row->chip, NULL);
	assert_int_equal(desk_identify(&desk), 0);
	assert_int_equal(desk.identity.product_id, row->product_id);
	assert_int_equal(desk.identity.bootloader_version, sim_chip_find(row->chip)->version);
	assert_int_equal(desk.identity.flash_bytes, row->flash_kib * 1024);
	assert_false(desk.identity.is_protected);
	for (unsigned i = 0; i < 12; i++)
		sprintf(expected + 2 * i, "%02x", sim_unique_id(desk.line.sim)[i]);
	assert_string_equal(desk.identity.unique_id, expected);
	assert_int_equal(counters(&desk)->bad_addresses, 0);
	desk_end(&desk);
}

/* A chip that is not in the table is asked for nothing but its id. */
static void fault_66_of_an_unknown_chip_no_address_is_known(void **state)
{
	const struct sim_faults faults = {.product_id = 0x7FF};
	struct desk desk;

	(void)state;
	desk_begin(&desk, "f103xc", &faults);
	assert_int_equal(desk_identify(&desk), LOADER_UNKNOWN_CHIP);
	assert_null(desk.identity.chip);
	assert_int_equal(desk.identity.product_id, 0x7FF);
	assert_string_equal(line_sent(&desk.line), "7F 00 FF 00 FF 02 FD 02 FD");
	desk_end(&desk);
}

static void an_id_that_flips_once_is_asked_a_third_time(void **state)
{
	/* Sync, Get's 15 bytes twice, then the fourth of Get ID, the first or the second time. */
	static const uint64_t flips[] = {1 + 2 * 15 + 4, 1 + 2 * 15 + 5 + 4};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(flips); i++) {
		const struct sim_faults faults = {.flip_sent = flips[i]};
		struct desk desk;

		desk_begin(&desk, "f103xc", &faults);
		assert_int_equal(desk_identify(&desk), 0);
		assert_int_equal(desk.identity.product_id, 0x414);
		assert_int_equal(counters(&desk)->commands[0x02], 3 + i);
		desk_end(&desk);
	}
}

static void fault_64_a_protected_chip_keeps_its_size_and_is_asked_no_more(void **state)
{
	const struct sim_faults faults = {.protect = true};
	struct desk desk;

	(void)state;
	desk_begin(&desk, "f405", &faults);
	assert_int_equal(desk_identify(&desk), 0);
	assert_true(desk.identity.is_protected);
	assert_int_equal(desk.identity.flash_bytes, 1024 * 1024);
	assert_string_equal(desk.identity.unique_id, "");
	assert_int_equal(counters(&desk)->unprotects, 0);
	assert_string_equal(line_sent(&desk.line), "7F 00 FF 00 FF 02 FD 02 FD 11 EE 11 EE");
	desk_end(&desk);
}

/* ------------------------------------------------------------------ addresses */

/* Registers at places that the ROM does not have, by a table that is wrong. */
static const struct register_row {
	const char *name;
	const char *chip;
	uint32_t flags_off;
	uint32_t at;
} register_rows[] = {
	{"a ROM known to fall silent", "f103xc", 0, 0x60000040},
	{"V3.0 of L1", "l152", 0, 0x1FF90040},
	{"V2.2, and the table forgot to say so", "f103xc", STM32_SILENT_BAD_ADDRESS, 0x60000040},
	{"V3.0, and the table forgot to say so", "l152", STM32_SILENT_BAD_ADDRESS, 0x1FF90040},
	{"the last addresses there are", "f103xc", 0, 0xFFFFFFF4},
};

static void an_unknown_register_is_read_by_a_count_that_is_no_command(void **state)
{
	const struct register_row *row = *state;
	unsigned high = row->at >> 24, middle = row->at >> 16 & 0xFF, low = row->at >> 8 & 0xFF;
	struct desk desk;
	char frames[64];

	desk_begin(&desk, row->chip, NULL);
	desk.row.flags &= ~row->flags_off;
	desk.row.flash_size_register = desk.row.unique_id = row->at;
	assert_int_equal(desk_identify(&desk), 0);
	assert_int_equal(desk.identity.flash_bytes, desk.chip.flash.size);
	assert_string_equal(desk.identity.unique_id, "");
	snprintf(frames, sizeof(frames), "11 EE %02X %02X %02X 00 %02X FF 00", high, middle, low,
		high ^ middle ^ low);
	/* Each of the two, twice: a refusal is believed when it comes again. */
	assert_int_equal(count_sent(&desk, frames), 4);
	assert_int_equal(counters(&desk)->bad_addresses, 4);
	assert_int_equal(counters(&desk)->commands[0x11], 2 + 4);
	/* Still in step. */
	assert_int_equal(loader_stm32.read(desk.loader, FLASH, desk.line.bytes, 4), 0);
	desk_end(&desk);
}

static const struct address_row {
	const char *name;
	const char *chip;
	uint32_t address;
	uint32_t size;
	bool is_readable, is_writable;
} address_rows[] = {
	{"the first word", "f103xc", FLASH, 4, true, true},
	{"the last block", "f103xc", FLASH + 0x3FF00, 256, true, true},
	{"across the end of this part's flash", "f103xc", FLASH + 0x3FF80, 256, false, false},
	{"what a larger part of the same id has", "f103xc", FLASH + 0x40000, 256, false, false},
	{"before the flash", "f103xc", FLASH - 4, 8, false, false},
	{"the last word there is", "f103xc", 0xFFFFFFFC, 4, false, false},
	{"across the end of all addresses", "f103xc", 0xFFFFFFFC, 8, false, false},
	{"the RAM of the ROM", "f103xc", 0x20000000, 256, false, false},
	{"RAM, 256 bytes", "f103xc", 0x20000200, 256, true, false},
	{"RAM, by a count that would be Readout Unprotect", "f103xc", 0x20000200, 0x93, false,
		false},
	{"RAM, by that count, where the ROM says no", "f072", 0x20001800, 0x93, true, false},
	{"option bytes", "f103xc", 0x1FFFF800, 16, true, false},
	{"system memory", "f103xc", 0x1FFFF000, 256, true, false},
	{"a peripheral", "f103xc", 0x40022000, 4, false, false},
	{"the voltage range of F4", "f405", 0xFFFF0000, 4, false, false},
	{"not aligned to a double word", "l152", FLASH + 4, 8, true, false},
	{"half a double word", "l152", FLASH, 4, true, false},
	{"not aligned to a quad word", "u575", FLASH + 8, 16, true, false},
};

static void no_address_is_sent_that_is_not_known(void **state)
{
	const struct address_row *row = *state;
	uint8_t bytes[256] = {0};
	struct desk desk;

	desk_begin_identified(&desk, row->chip);
	assert_int_equal(loader_stm32.read(desk.loader, row->address, bytes, row->size),
		row->is_readable ? 0 : LOADER_REFUSED);
	if (!row->is_readable)
		assert_string_equal(line_sent(&desk.line), "");
	line_mark(&desk.line);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(loader_stm32.write(desk.loader, row->address, bytes, row->size),
		row->is_writable ? 0 : LOADER_REFUSED);
	if (!row->is_writable)
		assert_string_equal(line_sent(&desk.line), "");
	assert_int_equal(counters(&desk)->bad_addresses, 0);
	assert_int_equal(counters(&desk)->bad_writes, 0);
	desk_end(&desk);
}

static void only_what_is_in_the_flash_is_started(void **state)
{
	static const uint32_t bad[] = {
		0, 0x20000200, FLASH - 4, FLASH + 256 * 1024 - 4, 0xFFFFFFFC};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct desk desk;

		desk_begin_identified(&desk, "wle5-v33");
		assert_int_equal(loader_stm32.start(desk.loader, bad[i]), LOADER_REFUSED);
		assert_string_equal(line_sent(&desk.line), "");
		desk_end(&desk);
	}
}

/* The register holds 0 or 0xFFFF in early silicon, and a code in L1 of id 0x436 (RM0038). */
static void a_flash_size_that_is_none_leaves_the_table_s(void **state)
{
	static const struct {
		uint16_t value;
		uint32_t kib;
	} rows[] = {{0, 512}, {1, 512}, {8, 8}, {64, 64}, {512, 512}, {513, 512}, {0xFFFF, 512}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct desk desk;

		desk_begin(&desk, "f103xc", NULL);
		desk.row.flash_size_register = FLASH + 0x100;
		sim_flash(desk.line.sim)[0x100] = (uint8_t)rows[i].value;
		sim_flash(desk.line.sim)[0x101] = (uint8_t)(rows[i].value >> 8);
		assert_int_equal(desk_identify(&desk), 0);
		assert_int_equal(desk.identity.flash_bytes, rows[i].kib * 1024);
		desk_end(&desk);
	}
}

/* ------------------------------------------------------------------ erasing */

static size_t pages_of(const struct desk *desk, size_t n, struct chip_page pages[])
{
	uint32_t address = desk->chip.flash.start;
	size_t i = 0;

	for (; i < n && chip_page_at(&desk->chip, address, &pages[i]); i++)
		address += pages[i].size;
	return i;
}

static const struct list_row {
	const char *name;
	const char *chip;
	uint32_t max; /* of the table; 0: as it is */
	uint32_t n_pages;
	unsigned n_commands;
} list_rows[] = {
	{"L152, a hundred at a time", "l152", 0, 512, 6},
	{"L152, exactly two lists", "l152", 0, 200, 2},
	{"L152, one more", "l152", 0, 201, 3},
	{"the table says one", "f072", 1, 5, 5},
	{"the table says more than a list of ours holds", "g474", 4000, 256, 2},
	{"the table says nothing", "g474", UINT32_MAX, 256, 2},
	{"the old command", "f103xc", 0, 128, 2},
	{"one page", "f103xc", 0, 1, 1},
};

static void a_list_of_pages_is_split(void **state)
{
	const struct list_row *row = *state;
	static struct chip_page pages[512];
	uint32_t size = 0;
	struct desk desk;

	desk_begin(&desk, row->chip, NULL);
	if (row->max)
		desk.row.max_erase_pages = row->max == UINT32_MAX ? 0 : row->max;
	assert_int_equal(desk_identify(&desk), 0);
	memset(sim_flash(desk.line.sim), 0x55, sim_flash_size(desk.line.sim));
	assert_int_equal(pages_of(&desk, row->n_pages, pages), row->n_pages);
	assert_int_equal(loader_stm32.erase_pages(desk.loader, pages, row->n_pages), 0);
	assert_int_equal(
		counters(&desk)->commands[0x43] + counters(&desk)->commands[0x44], row->n_commands);
	assert_int_equal(counters(&desk)->pages_erased, row->n_pages);
	for (uint32_t i = 0; i < row->n_pages; i++)
		size += pages[i].size;
	for (uint32_t i = 0; i < sim_flash_size(desk.line.sim); i++)
		assert_int_equal(sim_flash(desk.line.sim)[i],
			i < size ? sim_chip_find(row->chip)->erased_value : 0x55);
	desk_end(&desk);
}

/* A number that means a mass erase must not get into a list. */
static void a_page_number_that_is_a_code_is_refused(void **state)
{
	const struct chip_page page = {.number = 0xFFFF, .address = FLASH, .size = 2048};
	struct desk desk;

	(void)state;
	desk_begin_identified(&desk, "f072");
	assert_int_equal(loader_stm32.erase_pages(desk.loader, &page, 1), -EINVAL);
	assert_string_equal(line_sent(&desk.line), "");
	desk_end(&desk);
}

static void the_table_says_that_there_is_no_mass_erase(void **state)
{
	struct desk desk;

	(void)state;
	desk_begin_identified(&desk, "l152");
	assert_int_equal(loader_stm32.erase_all(desk.loader), LOADER_UNSUPPORTED);
	assert_string_equal(line_sent(&desk.line), "");
	desk_end(&desk);
}

#define VOLTAGE_RANGE "31 CE FF FF 00 00 00 00 03 03 44 BB"

static void the_voltage_range_is_told_before_the_first_erase_after_each_reset(void **state)
{
	struct chip_page pages[2];
	struct desk desk;

	(void)state;
	desk_begin_identified(&desk, "f405");
	assert_int_equal(count_sent(&desk, "31 CE"), 0);
	assert_int_equal(pages_of(&desk, 2, pages), 2);
	assert_int_equal(loader_stm32.erase_pages(desk.loader, pages, 1), 0);
	assert_int_equal(count_sent(&desk, VOLTAGE_RANGE), 1);
	line_mark(&desk.line);
	assert_int_equal(loader_stm32.erase_pages(desk.loader, pages, 2), 0);
	assert_int_equal(loader_stm32.erase_all(desk.loader), 0);
	assert_int_equal(count_sent(&desk, "31 CE"), 0);
	for (unsigned i = 0; i < 2; i++) {
		line_mark(&desk.line);
		sim_power(desk.line.sim, port_sim_now_nsec(LINE_PORT));
		port_wait(desk.line.port, 200 * USEC_PER_MSEC);
		assert_int_equal(desk_identify(&desk), 0);
		if (i == 0)
			assert_int_equal(loader_stm32.erase_all(desk.loader), 0);
		else
			assert_int_equal(loader_stm32.erase_pages(desk.loader, pages, 1), 0);
		assert_int_equal(count_sent(&desk, VOLTAGE_RANGE), 1);
	}
	desk_end(&desk);
	/* No others have that address. */
	desk_begin_identified(&desk, "h743");
	assert_int_equal(loader_stm32.erase_all(desk.loader), 0);
	assert_int_equal(count_sent(&desk, "31 CE"), 0);
	desk_end(&desk);
}

/* ------------------------------------------------------------------ without a reset */

static void a_loader_in_mid_frame_is_found_without_a_reset(void **state)
{
	struct desk desk;

	(void)state;
	desk_begin(&desk, "f103xc", NULL);
	line_say(&desk.line, "7F 31 CE 08 00");
	assert_int_equal(loader_stm32.sync(desk.loader, false), 0);
	assert_int_equal(loader_stm32.identify(desk.loader, &desk.identity), 0);
	desk_end(&desk);
}

static void an_erase_that_may_be_pending_is_left_alone_until_a_reset(void **state)
{
	const struct sim_faults never = {.erase_nsec = SIM_NEVER}, none = {0};
	struct chip_page page;
	struct desk desk;

	(void)state;
	desk_begin_identified(&desk, "f103xc");
	sim_set_faults(desk.line.sim, &never);
	assert_int_equal(pages_of(&desk, 1, &page), 1);
	assert_int_equal(loader_stm32.erase_pages(desk.loader, &page, 1), LOADER_NO_ANSWER);
	line_mark(&desk.line);
	assert_int_equal(loader_stm32.sync(desk.loader, false), LOADER_NO_ANSWER);
	assert_string_equal(line_sent(&desk.line), "");
	sim_set_faults(desk.line.sim, &none);
	sim_power(desk.line.sim, port_sim_now_nsec(LINE_PORT));
	port_wait(desk.line.port, 200 * USEC_PER_MSEC);
	assert_int_equal(loader_stm32.sync(desk.loader, true), 0);
	desk_end(&desk);
}

static void protection_goes_and_comes(void **state)
{
	struct desk desk;

	(void)state;
	desk_begin_identified(&desk, "f103xc");
	sim_flash(desk.line.sim)[0] = 0;
	assert_int_equal(loader_stm32.protect(desk.loader), 0);
	port_wait(desk.line.port, 200 * USEC_PER_MSEC);
	assert_int_equal(desk_identify(&desk), 0);
	assert_true(desk.identity.is_protected);
	assert_int_equal(sim_flash(desk.line.sim)[0], 0);
	assert_int_equal(loader_stm32.unprotect(desk.loader), 0);
	port_wait(desk.line.port, 200 * USEC_PER_MSEC);
	assert_int_equal(desk_identify(&desk), 0);
	assert_false(desk.identity.is_protected);
	assert_int_equal(sim_flash(desk.line.sim)[0], 0xFF);
	desk_end(&desk);
}

int main(void)
{
	static struct CMUnitTest tests[ARRAY_SIZE(identity_rows) + ARRAY_SIZE(register_rows) +
				       ARRAY_SIZE(address_rows) + ARRAY_SIZE(list_rows) + 12];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, identity_rows, a_chip_says_what_it_is);
	ADD_TEST(tests, n_tests, fault_66_of_an_unknown_chip_no_address_is_known);
	ADD_TEST(tests, n_tests, an_id_that_flips_once_is_asked_a_third_time);
	ADD_TEST(tests, n_tests, fault_64_a_protected_chip_keeps_its_size_and_is_asked_no_more);
	ADD_ROWS(tests, n_tests, register_rows,
		an_unknown_register_is_read_by_a_count_that_is_no_command);
	ADD_ROWS(tests, n_tests, address_rows, no_address_is_sent_that_is_not_known);
	ADD_TEST(tests, n_tests, only_what_is_in_the_flash_is_started);
	ADD_TEST(tests, n_tests, a_flash_size_that_is_none_leaves_the_table_s);
	ADD_ROWS(tests, n_tests, list_rows, a_list_of_pages_is_split);
	ADD_TEST(tests, n_tests, a_page_number_that_is_a_code_is_refused);
	ADD_TEST(tests, n_tests, the_table_says_that_there_is_no_mass_erase);
	ADD_TEST(tests, n_tests, the_voltage_range_is_told_before_the_first_erase_after_each_reset);
	ADD_TEST(tests, n_tests, a_loader_in_mid_frame_is_found_without_a_reset);
	ADD_TEST(tests, n_tests, an_erase_that_may_be_pending_is_left_alone_until_a_reset);
	ADD_TEST(tests, n_tests, protection_goes_and_comes);
	return RUN_TESTS("stm32", tests, n_tests);
}
