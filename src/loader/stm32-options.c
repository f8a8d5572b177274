/* SPDX-License-Identifier: MIT */
/* stm32-options.c - the settings beside the flash of an STM32, and what only a probe asks of it. */
#include "loader/stm32.h"

#include <stdio.h>

/*
 * Only from their base address on (AN3155 3.6). A byte with its complement is a command to a ROM
 * that does not expect data, so each part of the exchange waits for its ACK.
 */
int stm32_write_options(struct loader *loader, const uint8_t *bytes, size_t n_bytes)
{
	struct stm32 *stm32 = stm32_of(loader);
	const struct chip_range *options = &stm32_row(stm32->chip)->option_bytes;

	if (n_bytes == 0 || n_bytes % 4 != 0 || n_bytes > options->size)
		return LOADER_REFUSED;
	stm32->bl.bursts = AN3155_BURSTS_FAIL;
	return an3155_write_memory(
		&stm32->bl, options->start, bytes, n_bytes, stm32->chip->page_erase_max_usec);
}

/* The version of the ROM itself, by which AN2606 tells its known limitations. */
int stm32_describe(struct loader *loader, char to[static IDENTITY_DETAILS_MAX])
{
	struct stm32 *stm32 = stm32_of(loader);
	uint32_t address = stm32_row(stm32->chip)->bootloader_id_at;
	int r = LOADER_UNSUPPORTED;
	uint8_t id;

	if (address)
		r = stm32_read_fact(stm32, address, &id, sizeof(id));
	if (r == 0)
		snprintf(to, IDENTITY_DETAILS_MAX, "bootloader-id 0x%02x", id);
	return r < 0 ? r : 0;
}
