/* SPDX-License-Identifier: MIT */
/*
 * esp-registers.h - the words that READ_REG and WRITE_REG reach: the chip's magic, eFuses, the
 * clock calibration of the ESP32, and the SPI controller with the flash behind it. Others read what
 * was written last, or 0.
 */
#pragma once

#include "sim/esp-chips.h"
#include "sim/esp-flash.h"

#define ESPREGISTERS_MAX 128

struct espregisters {
	const struct espchip *chip;
	const struct sim_esp *board;
	struct espflash *flash;
	struct fault *fault;
	bool is_attached; /* the pins of the controller lead to the flash */
	unsigned busy;	  /* reads of CMD until its command is done */
	struct {
		uint32_t address, value;
	} words[ESPREGISTERS_MAX];
	size_t n_words;
	uint32_t spi[64]; /* of the controller, by offset / 4 */
};

/* As after power-on; the eFuses as `board` has them. `mac` are six bytes. */
void espregisters_init(struct espregisters *registers, const uint8_t *mac);
/* As after a reset: what a program wrote is gone. */
void espregisters_reset(struct espregisters *registers);

uint32_t espregisters_read(struct espregisters *registers, uint32_t address);
void espregisters_write(
	struct espregisters *registers, uint32_t address, uint32_t value, uint32_t mask);

/* The revision in force, 100 * major + minor. */
uint32_t espregisters_revision(const struct espregisters *registers);

/* Hz that the ROM takes its crystal for: where it measures it, by a clock that drifts. */
uint64_t espregisters_rom_crystal(const struct espregisters *registers);
uint32_t espregisters_crystal(const struct espregisters *registers);
