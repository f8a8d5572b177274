/* SPDX-License-Identifier: MIT */
/*
 * esp-rate.c - what a ROM must be told for a rate (esp-rom.md 4).
 *
 * A ROM divides its crystal by the rate that it is told. Some take another crystal for granted than
 * the one that is there, and the ESP32 measures it by a clock that drifts. So what the ROM takes it
 * for is computed as the ROM does it, what is really there is known well enough by the divider that
 * the ROM has found for the rate at which it was met, and the ROM is told as much more or less. The
 * registers are those that esptool reads (`change_baud`, `get_crystal_freq` of its chips).
 */
#include "loader/esp.h"

/* ESP32: the crystal in periods of the 8 MHz clock, and an eFuse with the rate of that clock. */
#define ESP32_CALIBRATION 0x3FF5F06C
#define ESP32_EFUSE_4	  0x3FF5A010

/* C2 and C5: divider of UART 0, its whole part. C5: MHz of the crystal, as the ROM has it. */
#define UART_DIVIDER 0x60000014
#define C5_CLOCK     0x60096110

/* Between the usual crystals of 26, 40 and 48 MHz, kHz. */
#define KHZ_26	     26000
#define KHZ_40	     40000
#define KHZ_48	     48000
#define KHZ_ABOVE_26 33000
#define KHZ_ABOVE_40 45000

/* What may come of a measurement: anything else was not measured at all. */
#define KHZ_LEAST 20000
#define KHZ_MOST  60000

/* 0: a divider that fits none. */
static uint32_t usual_crystal(uint64_t khz)
{
	if (khz < KHZ_LEAST || khz > KHZ_MOST)
		return 0;
	if (khz > KHZ_ABOVE_40)
		return KHZ_48;
	return khz > KHZ_ABOVE_26 ? KHZ_40 : KHZ_26;
}

static uint32_t scale(uint32_t baud, uint64_t taken_for, uint64_t really)
{
	return (uint32_t)(baud * taken_for / really);
}

static int find_esp32(struct esp_link *link, uint32_t baud, uint32_t *ret)
{
	uint32_t calibration, fuses;
	uint64_t khz;
	int r = esp_read_register(link, ESP32_CALIBRATION, &calibration);

	if (r == 0)
		r = esp_read_register(link, ESP32_EFUSE_4, &fuses);
	if (r != 0)
		return r;
	khz = (uint64_t)(calibration >> 7 & 0x1FFFFFF) * 15625 * (fuses & 0xFF) / 40 / 1000;
	if (khz < KHZ_LEAST || khz > KHZ_MOST)
		*ret = baud;
	else
		*ret = scale(baud, khz, khz > KHZ_ABOVE_26 ? KHZ_40 : KHZ_26);
	return 0;
}

/* By the divider that belongs to the rate at which the ROM was met. */
static int find_crystal(struct esp_link *link, uint32_t now, uint32_t *ret_khz)
{
	uint32_t divider;
	int r = esp_read_register(link, UART_DIVIDER, &divider);

	if (r == 0)
		*ret_khz = usual_crystal((uint64_t)(divider & 0xFFFFF) * now / 1000);
	return r;
}

static int find_c2(struct esp_link *link, uint32_t now, uint32_t baud, uint32_t *ret)
{
	uint32_t really;
	int r = find_crystal(link, now, &really);

	if (r == 0)
		*ret = really == KHZ_26 ? scale(baud, KHZ_40, KHZ_26) : baud;
	return r;
}

static int find_c5(struct esp_link *link, uint32_t now, uint32_t baud, uint32_t *ret)
{
	uint32_t really, clock;
	int r = find_crystal(link, now, &really);

	if (r == 0)
		r = esp_read_register(link, C5_CLOCK, &clock);
	if (r != 0)
		return r;
	clock = (clock >> 24 & 0x7F) * 1000;
	*ret = really > 0 && (clock == KHZ_40 || clock == KHZ_48) ? scale(baud, clock, really)
								  : baud;
	return 0;
}

int esp_find_rate(struct esp_link *link, const struct esp_row *row, uint32_t now, uint32_t baud,
	uint32_t *ret)
{
	switch (row->crystal) {
	case ESP_CRYSTAL_KNOWN:
		break;
	case ESP_CRYSTAL_ESP32:
		return find_esp32(link, baud, ret);
	case ESP_CRYSTAL_C2:
		return find_c2(link, now, baud, ret);
	case ESP_CRYSTAL_C5:
		return find_c5(link, now, baud, ret);
	}
	*ret = baud;
	return 0;
}
