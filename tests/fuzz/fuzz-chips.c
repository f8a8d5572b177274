/* SPDX-License-Identifier: MIT */
/*
 * Rows of the chip table, of both families: any bytes. A row that is taken holds what the procedure
 * and the loaders count on, and one that is not says why.
 */
#include <errno.h>

#include "chip/chip-row.h"
#include "chip/chips.h"
#include "chip/family-esp.h"
#include "chip/family-stm32.h"
#include "fuzz.h"

static void must_be_bits(const struct esp_bits *bits)
{
	MUST(bits->count <= 32 && bits->first + bits->count <= 32);
	MUST(bits->count == 0 || (bits->address != 0 && bits->address % 4 == 0));
}

static void must_be_esp(const struct chip *chip)
{
	const struct esp_row *row = esp_row(chip);

	MUST(row->n_magics <= ESP_MAX_MAGICS && row->n_mapped <= ESP_MAX_MAPPED);
	MUST(row->n_magics > 0 || row->flags & ESP_ROM_SECURITY_INFO);
	MUST(row->bootloader % 4096 == 0 && row->bootloader < 16 << 20);
	MUST(row->mac % 4 == 0 && row->spi % 4 == 0 && row->spi != 0);
	MUST(chip->flash.start == 0 && chip->flash.size <= 16 << 20);
	must_be_bits(&row->crypt_count);
	must_be_bits(&row->force_download);
	for (size_t i = 0; i < ESP_MAX_SECURE; i++)
		must_be_bits(&row->secure_boot[i]);
	for (size_t i = 0; i < ESP_MAX_MAJOR; i++)
		must_be_bits(&row->major[i]);
	for (size_t i = 0; i < ESP_MAX_MINOR; i++)
		must_be_bits(&row->minor[i]);
	/* What can be said about a chip must be known of it (esp-rom.md 8). */
	MUST(row->flags & ESP_ROM_SHORT_STATUS ||
		(row->crypt_count.count > 0 && row->secure_boot[0].count > 0));
}

static void must_be_stm32(const struct chip *chip)
{
	const struct stm32_row *row = stm32_row(chip);

	MUST(row->n_stack <= STM32_MAX_STACK && row->n_limits <= STM32_MAX_LIMITS);
	MUST(row->max_erase_pages > 0);
}

static void must_be_chip(const struct chip *chip)
{
	struct chip_page page;

	MUST(chip->name && *chip->name && chip->own);
	MUST(chip->write_align > 0 && (chip->write_align & (chip->write_align - 1)) == 0);
	if (chip->pages.n_runs > 0 && chip_page_at(chip, chip->flash.start, &page))
		MUST(page.size > 0 && page.size <= chip->flash.size);
	if (chip->family == &family_esp)
		must_be_esp(chip);
	else
		must_be_stm32(chip);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(ini_problems_done) struct ini_problems read = {};
	CLEANUP(ini_done) struct ini ini = {};
	char said[CHIP_REFUSAL_MAX];

	MUST(ini_load_text(&ini, "file", (const char *)data, size, &read) == 0);
	for (size_t i = 0; i < ini.n_sections; i++) {
		CLEANUP(ini_problems_done) struct ini_problems problems = {};
		struct chip chip = {};
		struct chip_table table = {&chip, 1};
		int r = chip_read(&ini.sections[i], chip_families, &problems, &chip);

		MUST(r == 0 || r == -EINVAL);
		MUST(r == 0 || problems.n_items > 0);
		if (r < 0)
			continue;
		if (problems.n_items == 0) {
			must_be_chip(&chip);
			for (size_t k = 0; k < ini.sections[i].n_entries; k++) {
				const char *text = ini.sections[i].entries[k].value;

				MUST(*chip_table_refuse_name(
					&table, chip.family->rows->name, text, said));
				(void)chip_is_named(&chip, text);
			}
		}
		chip_done(&chip);
	}
	return 0;
}
