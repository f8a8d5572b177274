/* SPDX-License-Identifier: MIT */
/* test-chips-esp.c - the shipped rows of the ESP32 and its relatives, and what a row must not be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/outcome.h"
#include "base/text.h"
#include "chip/chip-row.h"
#include "chip/family-esp.h"
#include "unit/shipped-chips.h"

/* ------------------------------------------------------------------ the shipped rows */

#define LATER                                                                       \
	(ESP_ROM_SECURITY_INFO | ESP_ROM_ATTACH | ESP_ROM_MD5 | ESP_ROM_READ_SLOW | \
		ESP_ROM_CHANGE_BAUD | ESP_ROM_DEFLATE | ESP_ROM_ENCRYPT_WORD)

/*
 * As in the tables of esp-rom.md 3, 4, 7 and 8: written down from there, not from the chip table.
 * `encryption` and `secure` are an address and a mask.
 */
static const struct expected {
	uint32_t id;
	const char *name;
	uint32_t magic, bootloader, mac, spi;
	enum esp_spi_layout layout;
	enum esp_crystal crystal;
	uint32_t encryption[2], secure[2];
	uint32_t flags;
} expected[] = {
	{0, "ESP32", 0x00F01D83, 0x1000, 0x3FF5A004, 0x3FF42000, ESP_SPI_32, ESP_CRYSTAL_ESP32,
		{0x3FF5A000, 0x07F00000}, {0x3FF5A018, 0x10},
		ESP_ROM_ATTACH | ESP_ROM_MD5 | ESP_ROM_READ_SLOW | ESP_ROM_CHANGE_BAUD},
	{2, "ESP32-S2", 0x000007C6, 0x1000, 0x3F41A044, 0x3F402000, ESP_SPI_LATER,
		ESP_CRYSTAL_KNOWN, {0x3F41A034, 0x001C0000}, {0x3F41A038, 0x00100000}, LATER},
	{5, "ESP32-C3", 0x4361606F, 0, 0x60008844, 0x60002000, ESP_SPI_LATER, ESP_CRYSTAL_KNOWN,
		{0x60008834, 0x001C0000}, {0x60008838, 0x00100000}, LATER},
	{9, "ESP32-S3", 0x00000009, 0, 0x60007044, 0x60002000, ESP_SPI_LATER, ESP_CRYSTAL_KNOWN,
		{0x60007034, 0x001C0000}, {0x60007038, 0x00100000}, LATER},
	{12, "ESP32-C2", 0x0C21E06F, 0, 0x60008840, 0x60002000, ESP_SPI_LATER, ESP_CRYSTAL_C2,
		{0x60008830, 0x00000380}, {0x60008830, 0x00200000}, LATER},
	{13, "ESP32-C6", 0x2CE0806F, 0, 0x600B0844, 0x60003000, ESP_SPI_LATER, ESP_CRYSTAL_KNOWN,
		{0x600B0834, 0x001C0000}, {0x600B0838, 0x00100000}, LATER},
	{16, "ESP32-H2", 0xD7B73E80, 0, 0x600B0844, 0x60003000, ESP_SPI_LATER, ESP_CRYSTAL_KNOWN,
		{0x600B0834, 0x001C0000}, {0x600B0838, 0x00100000}, LATER},
	{18, "ESP32-P4", 0, 0x2000, 0x5012D044, 0x5008D000, ESP_SPI_LATER, ESP_CRYSTAL_KNOWN,
		{0x5012D034, 0x001C0000}, {0x5012D038, 0x00100000}, LATER},
	{20, "ESP32-C61", 0x7211606F, 0, 0x600B4844, 0x60003000, ESP_SPI_LATER, ESP_CRYSTAL_KNOWN,
		{0x600B4830, 0x03800000}, {0x600B4834, 0x04000000}, LATER},
	{23, "ESP32-C5", 0x63E1406F, 0x2000, 0x600B4844, 0x60003000, ESP_SPI_LATER, ESP_CRYSTAL_C5,
		{0x600B4834, 0x00070000}, {0x600B4838, 0x02000000}, LATER},
	{0x8266, "ESP8266", 0xFFF0C101, 0, 0x3FF00050, 0x60000200, ESP_SPI_8266, ESP_CRYSTAL_KNOWN,
		{0, 0}, {0, 0}, ESP_ROM_SHORT_STATUS | ESP_ROM_ERASE_BUG},
};

static uint32_t mask_of(const struct esp_bits *bits)
{
	return bits->count == 0 ? 0 : (UINT32_MAX >> (32 - bits->count)) << bits->first;
}

static bool has_magic(const struct esp_row *row, uint32_t magic)
{
	for (size_t i = 0; i < row->n_magics; i++)
		if (row->magics[i] == magic)
			return true;
	return false;
}

static void every_known_chip_is_there(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < shipped.n_items; i++)
		n += shipped.items[i].family == &family_esp;
	assert_int_equal(n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct expected *want = &expected[i];
		const struct chip *chip = chip_table_find(&shipped, "esp", want->id);
		const struct esp_row *row;

		print_message("# %s\n", want->name);
		assert_non_null(chip);
		row = esp_row(chip);
		assert_string_equal(chip->name, want->name);
		assert_int_equal(row->n_magics > 0, want->magic != 0);
		assert_true(want->magic == 0 || has_magic(row, want->magic));
		assert_int_equal(row->bootloader, want->bootloader);
		assert_int_equal(row->mac, want->mac);
		assert_int_equal(row->spi, want->spi);
		assert_int_equal(row->spi_layout, want->layout);
		assert_int_equal(row->crystal, want->crystal);
		assert_int_equal(row->crypt_count.address, want->encryption[0]);
		assert_int_equal(mask_of(&row->crypt_count), want->encryption[1]);
		assert_int_equal(row->secure_boot[0].address, want->secure[0]);
		assert_int_equal(mask_of(&row->secure_boot[0]), want->secure[1]);
		assert_int_equal(row->flags, want->flags);
	}
}

/* What the procedure and the loader rely on, whatever the chip. */
static void every_row_can_be_worked_with(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct chip *chip = chip_table_find(&shipped, "esp", expected[i].id);
		struct chip_page page;

		assert_non_null(chip);
		assert_true(chip->no_parity && chip->no_mass_erase);
		assert_int_equal(chip->flash.start, 0);
		assert_int_equal(chip->flash.size, 16 * 1024 * 1024);
		assert_int_equal(chip->write_align, 4);
		assert_true(chip_page_at(chip, 0x10FFF, &page));
		assert_int_equal(page.address, 0x10000);
		assert_int_equal(
			page.size, esp_row(chip)->flags & ESP_ROM_ERASE_BUG ? 2 * 4096 : 4096);
		assert_true(esp_row(chip)->n_mapped > 0);
	}
}

/* A magic that two rows have would take one chip for another. */
static void no_two_chips_have_one_magic(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		for (size_t k = 0; k < ARRAY_SIZE(expected); k++) {
			const struct esp_row *row =
				esp_row(chip_table_find(&shipped, "esp", expected[i].id));
			const struct esp_row *other =
				esp_row(chip_table_find(&shipped, "esp", expected[k].id));

			for (size_t n = 0; i != k && n < row->n_magics; n++)
				assert_false(has_magic(other, row->magics[n]));
		}
}

/* The revisions of Espressif's tool, and the second secure boot of the ESP32 (esp-rom.md 7, 8). */
static void odd_parts_of_rows_are_as_the_facts_say(void **state)
{
	const struct esp_row *row = esp_row(chip_table_find(&shipped, "esp", 0));

	(void)state;
	assert_true(row->is_major_counted);
	assert_int_equal(row->major[0].address, 0x3FF5A00C);
	assert_int_equal(mask_of(&row->major[0]), 1U << 15);
	assert_int_equal(row->major[1].address, 0x3FF5A014);
	assert_int_equal(mask_of(&row->major[1]), 1U << 20);
	assert_int_equal(row->major[2].address, 0x3FF6607C);
	assert_int_equal(mask_of(&row->major[2]), 1U << 31);
	assert_int_equal(row->minor[0].address, 0x3FF5A014);
	assert_int_equal(mask_of(&row->minor[0]), 3U << 24);
	assert_int_equal(row->minor[1].count, 0);
	assert_int_equal(mask_of(&row->secure_boot[1]), 0x20);
	assert_int_equal(row->secure_boot_from[0], 0);
	assert_int_equal(row->secure_boot_from[1], 300);
	row = esp_row(chip_table_find(&shipped, "esp", 9));
	assert_int_equal(row->force_download.address, 0x6000812C);
	assert_int_equal(mask_of(&row->force_download), 1);
	/* Block 1 of the eFuses is at +0x44; the low part of the minor number in its word 3. */
	assert_int_equal(row->minor[0].address, 0x60007050);
	assert_int_equal(mask_of(&row->minor[0]), 7U << 18);
	assert_int_equal(row->minor[1].address, 0x60007058);
	assert_int_equal(mask_of(&row->minor[1]), 1U << 23);
	row = esp_row(chip_table_find(&shipped, "esp", 18));
	assert_int_equal(mask_of(&row->major[0]), 3U << 4);
	assert_int_equal(mask_of(&row->major[1]), 1U << 23);
	assert_false(row->is_major_counted);
}

/* ------------------------------------------------------------------ rows of users */

#define NEEDED                                                                  \
	"[chip esp 77]\nname = ESP32-X\nwrite-align = 4\nbootloader = 0x2000\n" \
	"mac = 0x60008844\nspi = 0x60002000\nrom = security-info\n"

#define FUSES "crypt-count = 0x60008834:18-20\nsecure-boot = 0x60008838:20\n"
#define GOOD  NEEDED FUSES

static int read_text(const char *text, struct chip *ret, struct ini_problems *problems)
{
	CLEANUP(ini_done) struct ini ini = {0};
	int r = ini_load_text(&ini, "x", text, strlen(text), problems);

	if (r < 0)
		return r;
	assert_int_equal(ini.n_sections, 1);
	return chip_read(&ini.sections[0], chip_families, problems, ret);
}

static void the_shortest_row_is_a_whole_one(void **state)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	struct chip chip;
	const struct esp_row *row;

	(void)state;
	assert_int_equal(read_text(GOOD, &chip, &problems), 0);
	assert_int_equal(problems.n_items, 0);
	row = esp_row(&chip);
	assert_int_equal(chip.product_id, 77);
	assert_int_equal(row->bootloader, 0x2000);
	assert_int_equal(row->spi_layout, ESP_SPI_LATER);
	assert_int_equal(row->crystal, ESP_CRYSTAL_KNOWN);
	assert_int_equal(row->n_magics, 0);
	assert_int_equal(row->major[0].count, 0);
	assert_int_equal(row->force_download.count, 0);
	/* Without a flash it is known, and not flashed. */
	assert_int_equal(chip.flash.size, 0);
	chip_done(&chip);
}

static void a_whole_row_is_read(void **state)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	struct chip chip;
	const struct esp_row *row;

	(void)state;
	assert_int_equal(
		read_text("[chip esp 0xFFFF]\nname = X\nwrite-align = 4\nflash = 0+8M\npages = 4K\n"
			  "bootloader = 0\nmagic = 1, 2 3 4 5 0xFFFFFFFF\nmac = 4\n"
			  "spi = 0x60000200\nspi-layout = 8266\ncrystal = 40-or-48\n"
			  "crypt-count = 8:0-7\nsecure-boot = 12:31@65535 16:0\n"
			  "revision-major = 20:0-1 24:2 28:3\nrevision-minor = 32:4-7 36:0-3\n"
			  "major-counts-bits = yes\nforce-download = 40:2\n"
			  "mapped = 0x3C000000+8M 0x42000000+64K\nrom = md5 read-slow\n",
			&chip, &problems),
		0);
	row = esp_row(&chip);
	assert_int_equal(problems.n_items, 0);
	assert_int_equal(row->n_magics, 6);
	assert_int_equal(row->magics[5], 0xFFFFFFFF);
	assert_int_equal(row->spi_layout, ESP_SPI_8266);
	assert_int_equal(row->crystal, ESP_CRYSTAL_C5);
	assert_int_equal(mask_of(&row->crypt_count), 0xFF);
	assert_int_equal(row->secure_boot_from[0], 65535);
	assert_int_equal(row->secure_boot[1].address, 16);
	assert_int_equal(mask_of(&row->major[2]), 8);
	assert_int_equal(mask_of(&row->minor[1]), 0xF);
	assert_int_equal(row->force_download.address, 40);
	assert_int_equal(row->n_mapped, 2);
	assert_int_equal(row->mapped[1].size, 65536);
	assert_int_equal(row->flags, ESP_ROM_MD5 | ESP_ROM_READ_SLOW);
	chip_done(&chip);
}

static void bad_rows_are_refused_with_their_key(void **state)
{
	static const struct {
		const char *name, *text, *said;
	} rows[] = {
		{"a key of the STM32", GOOD "ram = 0x20000000+1K\n", "ram: "},
		{"a flag of the STM32", GOOD "flags = no-parity\n", "flags: "},
		{"an unknown key", GOOD "efuse = 4\n", "efuse: "},
		{"an id too large", "[chip esp 0x10000]\nname = a\n",
			"families are: stm32, esp, cc13xx"},
		{"an id that is a name", "[chip esp c3]\nname = a\n",
			"families are: stm32, esp, cc13xx"},
		{"no boot loader",
			"[chip esp 77]\nname = a\nwrite-align = 4\nmac = 4\nspi = 4\n"
			"rom = security-info\n" FUSES,
			"bootloader: every chip of this family starts by a boot loader"},
		{"a boot loader within a sector", "[chip esp 77]\nname = a\nbootloader = 0x1800\n",
			"bootloader: expected a multiple of 4096 below 16M"},
		{"a boot loader out of reach", "[chip esp 77]\nname = a\nbootloader = 0x1000000\n",
			"bootloader: expected a multiple of 4096 below 16M"},
		{"a boot loader by name", "[chip esp 77]\nname = a\nbootloader = boot\n",
			"bootloader: expected"},
		{"no MAC", "[chip esp 77]\nname = a\n", "mac: expected where its MAC is"},
		{"no SPI controller", "[chip esp 77]\nname = a\n", "spi: expected the base"},
		{"no rom", "[chip esp 77]\nname = a\n", "rom: expected what the ROM"},
		{"no encryption", NEEDED "secure-boot = 4:0\n", "crypt-count: expected where"},
		{"no secure boot", NEEDED "crypt-count = 4:0\n", "secure-boot: expected where"},
		{"nothing that tells it",
			"[chip esp 77]\nname = a\nwrite-align = 4\nbootloader = 0\nmac = 4\nspi = 4\n"
			"rom = md5\n" FUSES,
			"magic: nothing tells this chip from others"},
		{"seven magics", GOOD "magic = 1 2 3 4 5 6 7\n", "magic: expected 1 to 6 numbers"},
		{"no magic", GOOD "magic =\n", "magic: expected 1 to 6 numbers"},
		{"a magic of 33 bits", GOOD "magic = 0x100000000\n", "magic: expected"},
		{"a magic of letters", GOOD "magic = x\n", "magic: expected"},
		{"a MAC at 0", "[chip esp 77]\nname = a\nmac = 0\n", "mac: expected the address"},
		{"a MAC within a word", "[chip esp 77]\nname = a\nmac = 0x3FF5A002\n",
			"mac: expected the address of a word"},
		{"an SPI controller too large", "[chip esp 77]\nname = a\nspi = 0x160002000\n",
			"spi: expected the address of a word"},
		{"another layout", GOOD "spi-layout = 33\n", "expected 8266, 32 or later"},
		{"another crystal", GOOD "crystal = 26\n",
			"expected known, measured, 40-or-26 or 40-or-48"},
		{"bits without an address", NEEDED "crypt-count = 18-20\n",
			"crypt-count: expected"},
		{"bits backwards", NEEDED "crypt-count = 4:20-18\n", "crypt-count: expected"},
		{"bit 32", NEEDED "crypt-count = 4:32\n", "crypt-count: expected"},
		{"bits up to 32", NEEDED "crypt-count = 4:30-32\n", "crypt-count: expected"},
		{"nine bits", NEEDED "crypt-count = 4:0-8\n", "8 bits at most"},
		{"bits without a number", NEEDED "crypt-count = 4:\n", "crypt-count: expected"},
		{"bits without an end", NEEDED "crypt-count = 4:3-\n", "crypt-count: expected"},
		{"bits of no address", NEEDED "crypt-count = :3\n", "crypt-count: expected"},
		{"bits within a word", NEEDED "crypt-count = 5:3\n", "crypt-count: expected"},
		{"two counts", NEEDED "crypt-count = 4:0 8:0\n", "crypt-count: expected"},
		{"no count", NEEDED "crypt-count =\n", "crypt-count: expected"},
		{"three secure boots", NEEDED "secure-boot = 4:0 4:1 4:2\n", "1 or 2 times"},
		{"a revision too large", NEEDED "secure-boot = 4:0@65536\n", "@REVISION"},
		{"a revision of letters", NEEDED "secure-boot = 4:0@v3\n", "@REVISION"},
		{"no revision", NEEDED "secure-boot = 4:0@\n", "@REVISION"},
		{"four parts of a number", GOOD "revision-major = 4:0 4:1 4:2 4:3\n",
			"1 to 3 times ADDRESS:BIT"},
		{"three parts of a number",
			GOOD "revision-major = 4:0\nrevision-minor = 4:0 4:1 4:2\n",
			"1 or 2 times ADDRESS:BIT"},
		{"a number of nine bits", GOOD "revision-major = 4:0-4 8:0-3\n", "8 bits together"},
		{"a minor number alone", GOOD "revision-minor = 4:0\n",
			"revision-minor: expected 'revision-major' beside it"},
		{"perhaps", GOOD "major-counts-bits = perhaps\n", "major-counts-bits: expected"},
		{"two bits for the loader", GOOD "force-download = 4:0 4:1\n",
			"force-download: expected"},
		{"three windows", GOOD "mapped = 4+4 8+4 12+4\n", "1 or 2 times ADDRESS+SIZE"},
		{"a window without a size", GOOD "mapped = 0x42000000\n", "mapped: expected"},
		{"a window that wraps", GOOD "mapped = 0xFFFFFFFF+2\n", "mapped: expected"},
		{"another ability", "[chip esp 77]\nname = a\nrom = md5 fast\n",
			"rom: expected words of: security-info attach"},
		{"a flash with an address", GOOD "flash = 0x3C000000+4M\npages = 4K\n",
			"flash: its addresses are offsets"},
		{"a flash out of reach", GOOD "flash = 0+32M\npages = 4K\n",
			"flash: its addresses are offsets"},
		{"a flash of half a sector", GOOD "flash = 0+10K\npages = 1K\n",
			"flash: its addresses are offsets"},
		{"a flash without pages", GOOD "flash = 0+4M\n", "pages: expected 4K"},
		{"a flash without pairs of pages",
			"[chip esp 77]\nname = a\nflash = 0+4M\nrom = erase-bug\n",
			"pages: expected 8K beside"},
		{"other pages", GOOD "flash = 0+4M\npages = 64K\n",
			"pages: this ROM erases by sectors of 4K"},
		{"pages with a jump", GOOD "flash = 0+64K\npages = 8x4K @100 4K\n",
			"pages: this ROM erases by sectors of 4K"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(ini_problems_done) struct ini_problems problems = {0};
		struct chip chip = {0};
		bool said = false;
		char line[1024] = "";

		print_message("# %s\n", rows[i].name);
		if (read_text(rows[i].text, &chip, &problems) == 0)
			chip_done(&chip);
		assert_true(problems.n_items > 0);
		for (size_t k = 0; k < problems.n_items && !said; k++) {
			ini_problem_format(&problems.items[k], line, sizeof(line));
			said = strstr(line, rows[i].said) != NULL;
		}
		if (!said)
			fail_msg("expected '%s' in '%s'", rows[i].said, line);
	}
}

/* The words of `rom`, each with its bit, in any order and twice as well. */
static void every_word_of_the_rom_has_its_bit(void **state)
{
	static const struct {
		const char *words;
		uint32_t flags;
	} rows[] = {
		{"security-info", ESP_ROM_SECURITY_INFO},
		{"security-info attach", ESP_ROM_SECURITY_INFO | ESP_ROM_ATTACH},
		{"md5, security-info, md5", ESP_ROM_SECURITY_INFO | ESP_ROM_MD5},
		{"security-info read-slow", ESP_ROM_SECURITY_INFO | ESP_ROM_READ_SLOW},
		{"security-info change-baud", ESP_ROM_SECURITY_INFO | ESP_ROM_CHANGE_BAUD},
		{"security-info deflate", ESP_ROM_SECURITY_INFO | ESP_ROM_DEFLATE},
		{"security-info encrypt-word", ESP_ROM_SECURITY_INFO | ESP_ROM_ENCRYPT_WORD},
		{"security-info short-status", ESP_ROM_SECURITY_INFO | ESP_ROM_SHORT_STATUS},
		{"security-info erase-bug", ESP_ROM_SECURITY_INFO | ESP_ROM_ERASE_BUG},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(ini_problems_done) struct ini_problems problems = {0};
		struct chip chip;
		char text[512];

		snprintf(text, sizeof(text),
			"[chip esp 77]\nname = a\nwrite-align = 4\nbootloader = 0\nmac = 4\nspi = 4\n"
			"rom = %s\n" FUSES,
			rows[i].words);
		assert_int_equal(read_text(text, &chip, &problems), 0);
		assert_int_equal(problems.n_items, 0);
		assert_int_equal(esp_row(&chip)->flags, rows[i].flags);
		chip_done(&chip);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_known_chip_is_there),
		cmocka_unit_test(every_row_can_be_worked_with),
		cmocka_unit_test(no_two_chips_have_one_magic),
		cmocka_unit_test(odd_parts_of_rows_are_as_the_facts_say),
		cmocka_unit_test(the_shortest_row_is_a_whole_one),
		cmocka_unit_test(a_whole_row_is_read),
		cmocka_unit_test(bad_rows_are_refused_with_their_key),
		cmocka_unit_test(every_word_of_the_rom_has_its_bit),
	};

	return cmocka_run_group_tests(tests, load_shipped, drop_shipped);
}
