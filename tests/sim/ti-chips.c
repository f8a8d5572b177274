/* SPDX-License-Identifier: MIT */
/*
 * ti-chips.c - see ti-chips.h. Wafer ids, sizes and pins by ti-bsl.md 1 and 4; the user id by the
 * package and protocol bits there; the CC2538's rate by logs of cc2538-bsl (PR 42). The wafer id of
 * the CC1354P10 is not known for certain, and no loader of ours may take it.
 */
#include "sim/ti-chips.h"

#include <string.h>

#include "base/util.h"

#define KIB UINT32_C(1024)

static const struct tichip chips[] = {
	{
		.name = "cc2538",
		.pin = 3,
		.kind = TICHIP_38,
		.user_code = 0xB964,
		.base = 0x200000,
		.flash_bytes = 512 * KIB,
		.sector = 2 * KIB,
		.ram_bytes = 32 * KIB,
		.max_baud = 500000,
		.uart_pins = {0, 1},
	},
	{
		.name = "cc1310",
		.pin = 11,
		.kind = TICHIP_X0,
		.wafer_id = 0xB9BE,
		.revision = 3,
		.user_code = 0x2005B9BE,
		.user_id = 0x00025000,
		.flash_bytes = 128 * KIB,
		.sector = 4 * KIB,
		.ram_bytes = 20 * KIB,
		.max_baud = 500000,
		.uart_pins = {2, 3},
	},
	{
		.name = "cc2650",
		.pin = 11,
		.kind = TICHIP_X0,
		.wafer_id = 0xB99A,
		.revision = 8,
		.user_code = 0x8000F000,
		.user_id = 0x00025000,
		.flash_bytes = 128 * KIB,
		.sector = 4 * KIB,
		.ram_bytes = 20 * KIB,
		.max_baud = 500000,
		.uart_pins = {2, 3},
	},
	{
		.name = "cc2652p",
		.pin = 15,
		.kind = TICHIP_X2,
		.wafer_id = 0xBB41,
		.revision = 3,
		.user_code = 0x32020000,
		.user_id = 0x0002D000,
		.flash_bytes = 352 * KIB,
		.sector = 8 * KIB,
		.ram_bytes = 80 * KIB,
		.max_baud = 1600000,
		.uart_pins = {12, 13},
	},
	{
		.name = "cc1352p",
		.pin = 15,
		.kind = TICHIP_X2,
		.wafer_id = 0xBB41,
		.revision = 3,
		.user_code = 0x32820000,
		.user_id = 0x0002D000,
		.flash_bytes = 352 * KIB,
		.sector = 8 * KIB,
		.ram_bytes = 80 * KIB,
		.max_baud = 1600000,
		.uart_pins = {12, 13},
	},
	{
		.name = "cc2652rb",
		.pin = 13,
		.kind = TICHIP_X2,
		.wafer_id = 0xBB41,
		.revision = 3,
		.user_code = 0x31020000,
		.user_id = 0x0002D000,
		.flash_bytes = 352 * KIB,
		.sector = 8 * KIB,
		.ram_bytes = 80 * KIB,
		.max_baud = 1600000,
		.uart_pins = {2, 3},
	},
	{
		.name = "cc2652r",
		.pin = 13,
		.kind = TICHIP_X2,
		.wafer_id = 0xBB41,
		.revision = 3,
		.user_code = 0x30020000,
		.user_id = 0x0002D000,
		.flash_bytes = 352 * KIB,
		.sector = 8 * KIB,
		.ram_bytes = 80 * KIB,
		.max_baud = 1600000,
		.uart_pins = {2, 3},
	},
	{
		.name = "cc2652p7",
		.pin = 15,
		.kind = TICHIP_X2,
		.wafer_id = 0xBB77,
		.revision = 1,
		.user_code = 0x12020000,
		.user_id = 0x0002D000,
		.flash_bytes = 704 * KIB,
		.sector = 8 * KIB,
		.ram_bytes = 144 * KIB,
		.max_baud = 1600000,
		.uart_pins = {12, 13},
	},
	{
		.name = "cc1352p7",
		.pin = 15,
		.kind = TICHIP_X2,
		.wafer_id = 0xBB77,
		.revision = 1,
		.user_code = 0x12820000,
		.user_id = 0x0002D000,
		.flash_bytes = 704 * KIB,
		.sector = 8 * KIB,
		.ram_bytes = 144 * KIB,
		.max_baud = 1600000,
		.uart_pins = {12, 13},
	},
	{
		.name = "cc1354p10",
		.pin = 15,
		.kind = TICHIP_X2,
		.wafer_id = 0xBB78,
		.user_id = 0x0002D000,
		.flash_bytes = 1024 * KIB,
		.sector = 2 * KIB,
		.ram_bytes = 256 * KIB,
		.max_baud = 1200000,
		.uart_pins = {12, 13},
	},
};

static struct sim_chip boards[ARRAY_SIZE(chips)];

const struct tichip *tichip_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		if (!strcmp(chips[i].name, name))
			return &chips[i];
	}
	return NULL;
}

/* To those that know STM32s alone: where the flash is and how it is cut. */
const struct sim_chip *tichip_at(size_t i)
{
	if (i >= ARRAY_SIZE(chips))
		return NULL;
	boards[i] = (struct sim_chip){
		.name = chips[i].name,
		.product_id =
			(uint16_t)(chips[i].wafer_id ? chips[i].wafer_id : chips[i].user_code),
		.erased_value = 0xFF,
		.flash_base = chips[i].base,
		.flash_size = chips[i].flash_bytes,
		.ram_start = 0x20000000,
		.ram_size = chips[i].ram_bytes,
		.write_align = 4,
		.pages = {{chips[i].flash_bytes / chips[i].sector, chips[i].sector, 0, 0}},
		.ti = &chips[i],
	};
	return &boards[i];
}

const struct sim_chip *tichip_sim(const char *name)
{
	const struct tichip *chip = tichip_find(name);

	return chip ? tichip_at((size_t)(chip - chips)) : NULL;
}
