/* SPDX-License-Identifier: MIT */
/* stub-setups.c - all setup lists, and how much RAM the smallest parts have. */
#include "loader/stub-setups.h"

#include <string.h>

#include "base/util.h"

/*
 * Where parts of one product id have different RAM: the least of all that have this much flash, or
 * less of it than the row behind (STM32_open_pin_data 3d64b10: Die, Flash, Ram; CCM and SRAM2 do
 * not count). The row of a chip has the RAM of the largest part.
 */
static const struct {
	uint32_t product_id, flash_kib, ram_kib;
} smallest[] = {
	{0x410, 64, 10},
	{0x410, 128, 16},
	{0x411, 128, 64},
	{0x411, 256, 96},
	{0x412, 16, 4},
	{0x412, 32, 6},
	{0x414, 256, 32},
	{0x414, 512, 48},
	{0x420, 32, 4},
	{0x420, 128, 8},
	{0x422, 128, 32},
	{0x428, 256, 24},
	{0x430, 1024, 80},
	{0x432, 64, 16},
	{0x432, 128, 24},
	{0x452, 512, 192},
	{0x497, 64, 20},
	{0x497, 128, 48},
};

const struct stub_list *stub_list_at(size_t i)
{
	if (i < stub_n_lists_k1)
		return &stub_lists_k1[i];
	i -= stub_n_lists_k1;
	if (i < stub_n_lists_k2)
		return &stub_lists_k2[i];
	i -= stub_n_lists_k2;
	return i < stub_n_lists_k3 ? &stub_lists_k3[i] : NULL;
}

const struct stub_list *stub_list_find(const char *word)
{
	const struct stub_list *list;

	for (size_t i = 0; (list = stub_list_at(i)); i++)
		if (strcmp(list->word, word) == 0)
			return list;
	return NULL;
}

uint32_t stub_smallest_ram(uint32_t product_id, uint32_t flash_kib)
{
	for (size_t i = 0; i < ARRAY_SIZE(smallest); i++)
		if (smallest[i].product_id == product_id && flash_kib <= smallest[i].flash_kib)
			return smallest[i].ram_kib;
	return UINT32_MAX;
}
