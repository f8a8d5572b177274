/* SPDX-License-Identifier: MIT */
/*
 * family-esp-rows.c - the keys that only the rows of an ESP32 and its relatives have.
 *
 * A row that leaves out where encryption or secure boot is seen would have such chips written over,
 * and a row of a chip that nothing tells apart would take another chip for it. So both are refused:
 * a row says all that the identification asks for, or is none.
 */
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "chip/chip-row.h"
#include "chip/family-esp.h"
#include "chip/family.h"

/* The ROM erases by sectors, and its addresses in the flash have 24 bits (esp-rom.md 3 and 4). */
#define SECTOR_BYTES 4096
#define MOST_FLASH   (16 * 1024 * 1024)
/* Revisions are 100 * major + minor in 16 bits of an image's header (esp-rom.md 5). */
#define MOST_REVISION	 UINT16_MAX
#define MOST_NUMBER_BITS 8

static const struct chip_word rom_words[] = {
	{"security-info", ESP_ROM_SECURITY_INFO},
	{"attach", ESP_ROM_ATTACH},
	{"md5", ESP_ROM_MD5},
	{"read-slow", ESP_ROM_READ_SLOW},
	{"change-baud", ESP_ROM_CHANGE_BAUD},
	{"deflate", ESP_ROM_DEFLATE},
	{"encrypt-word", ESP_ROM_ENCRYPT_WORD},
	{"short-status", ESP_ROM_SHORT_STATUS},
	{"erase-bug", ESP_ROM_ERASE_BUG},
};

static const struct chip_word layout_words[] = {
	{"8266", ESP_SPI_8266},
	{"32", ESP_SPI_32},
	{"later", ESP_SPI_LATER},
};

static const struct chip_word crystal_words[] = {
	{"known", ESP_CRYSTAL_KNOWN},
	{"measured", ESP_CRYSTAL_ESP32},
	{"40-or-26", ESP_CRYSTAL_C2},
	{"40-or-48", ESP_CRYSTAL_C5},
};

/* ------------------------------------------------------------------ values */

/* The address of a word: registers and eFuses are read 32 bits at a time. */
static int parse_word(const char *text, uint32_t *ret)
{
	uint32_t address;
	int r = parse_u32(text, &address);

	if (r < 0)
		return r;
	if (address == 0 || address % 4 != 0)
		return -EINVAL;
	*ret = address;
	return 0;
}

static int parse_register(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "the address of a word, a multiple of 4 like 0x3FF42000";
	return parse_word(value, field);
}

static int parse_magics(const char *value, void *field, const char **ret_expected)
{
	CLEANUP(parse_list_freep) char **words = NULL;
	struct esp_row *row = field;
	size_t n_words;
	int r = parse_list(value, &words, &n_words);

	*ret_expected = "1 to 6 numbers like 0x00F01D83; leave the key out where there is none";
	if (r == 0 && (n_words == 0 || n_words > ESP_MAX_MAGICS))
		r = n_words == 0 ? -EINVAL : -ERANGE;
	for (size_t i = 0; r == 0 && i < n_words; i++)
		r = parse_u32(words[i], &row->magics[row->n_magics++]);
	return r;
}

static int parse_bit_number(const char *text, uint8_t *ret)
{
	uint32_t number;
	int r = parse_u32(text, &number);

	if (r < 0)
		return r;
	if (number > 31)
		return -ERANGE;
	*ret = (uint8_t)number;
	return 0;
}

/* "0x3FF5A000:20-26", or one bit, "0x3FF5A018:4". */
static int parse_bits(char *word, struct esp_bits *ret)
{
	char *colon = strchr(word, ':'), *dash;
	struct esp_bits bits = {0};
	uint8_t last;
	int r;

	if (!colon)
		return -EINVAL;
	*colon = '\0';
	dash = strchr(colon + 1, '-');
	if (dash)
		*dash = '\0';
	r = parse_word(word, &bits.address);
	if (r == 0)
		r = parse_bit_number(colon + 1, &bits.first);
	if (r == 0)
		r = parse_bit_number(dash ? dash + 1 : colon + 1, &last);
	if (r < 0)
		return r;
	if (last < bits.first)
		return -EINVAL;
	bits.count = (uint8_t)(last - bits.first + 1);
	*ret = bits;
	return 0;
}

/* The parts of one number, `most` at most, and all of them together no more than a number has. */
static int parse_parts(const char *value, struct esp_bits *parts, size_t most)
{
	CLEANUP(parse_list_freep) char **words = NULL;
	size_t n_words, n_bits = 0;
	int r = parse_list(value, &words, &n_words);

	if (r == 0 && (n_words == 0 || n_words > most))
		r = n_words == 0 ? -EINVAL : -ERANGE;
	for (size_t i = 0; r == 0 && i < n_words; i++) {
		r = parse_bits(words[i], &parts[i]);
		n_bits += parts[i].count;
	}
	return r == 0 && n_bits > MOST_NUMBER_BITS ? -ERANGE : r;
}

#define BITS "ADDRESS:BIT or ADDRESS:FIRST-LAST"

static int parse_crypt_count(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = BITS ", like 0x3FF5A000:20-26, 8 bits at most";
	return parse_parts(value, field, 1);
}

static int parse_force_download(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = BITS ", like 0x6000812C:0, 8 bits at most";
	return parse_parts(value, field, 1);
}

static int parse_major(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "1 to 3 times " BITS ", the least significant part first, 8 bits together";
	return parse_parts(value, field, ESP_MAX_MAJOR);
}

static int parse_minor(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "1 or 2 times " BITS ", the least significant part first, 8 bits together";
	return parse_parts(value, field, ESP_MAX_MINOR);
}

/* "0x3FF5A018:5@300": the bit counts from that revision on. */
static int parse_secure_boot(const char *value, void *field, const char **ret_expected)
{
	CLEANUP(parse_list_freep) char **words = NULL;
	struct esp_row *row = field;
	size_t n_words;
	int r = parse_list(value, &words, &n_words);

	*ret_expected =
		"1 or 2 times ADDRESS:BIT, and @REVISION behind it from which the bit counts";
	if (r == 0 && (n_words == 0 || n_words > ESP_MAX_SECURE))
		r = n_words == 0 ? -EINVAL : -ERANGE;
	for (size_t i = 0; r == 0 && i < n_words; i++) {
		char *at = strchr(words[i], '@');

		if (at)
			*at = '\0';
		r = parse_bits(words[i], &row->secure_boot[i]);
		if (r == 0 && at)
			r = parse_u32(at + 1, &row->secure_boot_from[i]);
		if (r == 0 && row->secure_boot_from[i] > MOST_REVISION)
			r = -ERANGE;
	}
	return r;
}

static int parse_mapped(const char *value, void *field, const char **ret_expected)
{
	CLEANUP(parse_list_freep) char **words = NULL;
	struct esp_row *row = field;
	size_t n_words;
	int r = parse_list(value, &words, &n_words);

	*ret_expected = "1 or 2 times ADDRESS+SIZE";
	if (r == 0 && (n_words == 0 || n_words > ESP_MAX_MAPPED))
		r = n_words == 0 ? -EINVAL : -ERANGE;
	for (size_t i = 0; r == 0 && i < n_words; i++)
		r = chip_range_parse(words[i], &row->mapped[row->n_mapped++]);
	return r;
}

static int parse_rom(const char *value, void *field, const char **ret_expected)
{
	CLEANUP(parse_list_freep) char **words = NULL;
	uint32_t *flags = field;
	size_t n_words;
	int r = parse_list(value, &words, &n_words);

	*ret_expected =
		"words of: security-info attach md5 read-slow change-baud deflate encrypt-word short-status erase-bug";
	for (size_t i = 0; r == 0 && i < n_words; i++) {
		uint32_t bits = 0;

		r = chip_word_parse(words[i], rom_words, ARRAY_SIZE(rom_words), &bits);
		*flags |= bits;
	}
	return r;
}

static int parse_layout(const char *value, void *field, const char **ret_expected)
{
	struct esp_row *row = field;
	uint32_t word = 0;
	int r = chip_word_parse(value, layout_words, ARRAY_SIZE(layout_words), &word);

	*ret_expected = "8266, 32 or later";
	row->spi_layout = (enum esp_spi_layout)word;
	return r;
}

static int parse_crystal(const char *value, void *field, const char **ret_expected)
{
	struct esp_row *row = field;
	uint32_t word = 0;
	int r = chip_word_parse(value, crystal_words, ARRAY_SIZE(crystal_words), &word);

	*ret_expected = "known, measured, 40-or-26 or 40-or-48";
	row->crystal = (enum esp_crystal)word;
	return r;
}

#define ROW(member) offsetof(struct esp_row, member)

static const struct ini_key keys[] = {
	{"magic", 0, parse_magics},
	{"bootloader", ROW(bootloader), ini_parse_u32},
	{"mac", ROW(mac), parse_register},
	{"spi", ROW(spi), parse_register},
	{"spi-layout", 0, parse_layout},
	{"crystal", 0, parse_crystal},
	{"crypt-count", ROW(crypt_count), parse_crypt_count},
	{"secure-boot", 0, parse_secure_boot},
	{"revision-major", ROW(major), parse_major},
	{"revision-minor", ROW(minor), parse_minor},
	{"major-counts-bits", ROW(is_major_counted), ini_parse_bool},
	{"force-download", ROW(force_download), parse_force_download},
	{"mapped", 0, parse_mapped},
	{"rom", ROW(flags), parse_rom},
};

/* ------------------------------------------------------------------ the row */

static bool has(const struct ini_section *section, const char *key)
{
	return ini_section_find(section, key) != NULL;
}

/* A ROM that erases what it is told and more of it cannot be made to erase one sector alone. */
static const char *pages_complaint(const struct chip *chip)
{
	bool is_paired = esp_row(chip)->flags & ESP_ROM_ERASE_BUG;
	uint32_t size = is_paired ? 2 * SECTOR_BYTES : SECTOR_BYTES;

	for (size_t i = 0; i < chip->pages.n_runs; i++)
		if (chip->pages.runs[i].size != size || chip->pages.runs[i].jump != 0)
			return is_paired ? "this ROM erases two sectors of 4K at least: expected 8K"
					 : "this ROM erases by sectors of 4K: expected 4K";
	if (chip->flash.size == 0 || chip->pages.n_runs > 0)
		return NULL;
	return is_paired ? "expected 8K beside 'flash'" : "expected 4K beside 'flash'";
}

static const char *bootloader_complaint(const struct chip *chip, const struct ini_section *section)
{
	const struct esp_row *row = esp_row(chip);

	if (!has(section, "bootloader"))
		return "every chip of this family starts by a boot loader: expected its offset in the flash";
	if (row->bootloader % SECTOR_BYTES != 0 || row->bootloader >= MOST_FLASH)
		return "expected a multiple of 4096 below 16M";
	return NULL;
}

static int complete(
	struct chip *chip, const struct ini_section *section, struct ini_problems *problems)
{
	const struct esp_row *row = chip->own;
	/* The ESP8266 has neither: there is nothing of it to be seen. */
	bool has_fuses = !(row->flags & ESP_ROM_SHORT_STATUS);
	bool flash_fits = chip->flash.size <= MOST_FLASH && chip->flash.start == 0 &&
			  chip->flash.size % SECTOR_BYTES == 0;
	const struct chip_complaint complaints[] = {
		{"flash",
			flash_fits
				? NULL
				: "its addresses are offsets in the SPI flash, of which the ROM reaches 16M: expected 0+16M or less"},
		{"pages", pages_complaint(chip)},
		{"bootloader", bootloader_complaint(chip, section)},
		{"mac", has(section, "mac")
				? NULL
				: "expected where its MAC is, by which its units are known"},
		{"spi", has(section, "spi")
				? NULL
				: "expected the base of the SPI controller, by which the size of the flash is read"},
		{"rom", has(section, "rom") ? NULL : "expected what the ROM of this chip can do"},
		{"magic",
			row->n_magics > 0 || row->flags & ESP_ROM_SECURITY_INFO
				? NULL
				: "nothing tells this chip from others: expected its word at 0x40001000, or security-info in 'rom'"},
		{"crypt-count",
			has_fuses && row->crypt_count.count == 0
				? "expected where flash encryption is seen: without it an encrypted chip would be written over"
				: NULL},
		{"secure-boot",
			has_fuses && row->secure_boot[0].count == 0
				? "expected where secure boot is seen: without it a chip that starts signed images alone would be written over"
				: NULL},
		{"revision-minor", has(section, "revision-minor") && !has(section, "revision-major")
					   ? "expected 'revision-major' beside it"
					   : NULL},
	};

	chip->no_mass_erase = true;
	chip->no_parity = true;
	chip->proves_nothing = !(row->flags & (ESP_ROM_MD5 | ESP_ROM_READ_SLOW));
	return chip_complain(section, complaints, ARRAY_SIZE(complaints), problems);
}

static const struct esp_row default_row = {.spi_layout = ESP_SPI_LATER};

const struct family_rows family_esp_rows = {
	.name = "esp",
	.has_whole_names = true,
	.example_id = "5",
	.example_name = "esp32c3",
	.max_id = UINT16_MAX,
	.keys = keys,
	.n_keys = ARRAY_SIZE(keys),
	.own_size = sizeof(struct esp_row),
	.own_default = &default_row,
	.complete = complete,
};
