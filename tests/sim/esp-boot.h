/* SPDX-License-Identifier: MIT */
/*
 * esp-boot.h - what an Espressif chip starts from its flash, as its ROM and ESP-IDF's boot loader
 * decide it, and what they say while they do. Pure: the bytes of the flash in, a decision out.
 */
#pragma once

#include "sim/esp-registers.h"

struct espboot {
	uint32_t app;	   /* offset of the application that starts; SIM_ESP_NOTHING */
	uint32_t app_size; /* of its partition */
	bool is_rom_done;  /* the ROM has started the boot loader */
	bool is_wild;	   /* which was not whole: nobody knows what it does */
	char text[1600];   /* behind the first lines, which name reset and boot word */
	size_t n_text;
};

/* `has_old_rom`: the ESP32's before revision 3 has other words. */
void espboot_decide(const struct espregisters *registers, bool has_old_rom, struct espboot *ret);
