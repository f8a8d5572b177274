/* SPDX-License-Identifier: MIT */
#include "chip/chip.h"

/* The page with that number, or the one that holds that offset of the flash. */
static bool find_page(
	const struct chip *chip, bool is_number, uint32_t wanted, struct chip_page *ret)
{
	uint32_t start = 0, number = 0;

	for (size_t i = 0; i < chip->pages.n_runs; i++) {
		const struct chip_pages *run = &chip->pages.runs[i];
		uint32_t count = run->count ? run->count : (chip->flash.size - start) / run->size;
		uint32_t first, nth;

		number = run->jump ? run->jump : number;
		first = is_number ? number : start;
		nth = is_number ? wanted - first : (wanted - first) / run->size;
		if (wanted >= first && nth < count) {
			*ret = (struct chip_page){
				.number = number + nth,
				.address = chip->flash.start + start + nth * run->size,
				.size = run->size,
			};
			return true;
		}
		start += count * run->size;
		number += count;
	}
	return false;
}

bool chip_page_at(const struct chip *chip, uint32_t address, struct chip_page *ret)
{
	uint32_t offset = address - chip->flash.start;

	return address >= chip->flash.start && offset < chip->flash.size &&
	       find_page(chip, false, offset, ret);
}

bool chip_page_numbered(const struct chip *chip, uint32_t number, struct chip_page *ret)
{
	return find_page(chip, true, number, ret);
}
