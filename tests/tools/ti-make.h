/* SPDX-License-Identifier: MIT */
/*
 * ti-make.h - images of Z-Stack's kind for TI's CC13xx, CC26xx and CC2538, for tests: runs with
 * gaps between them, the CCFG (CC2538: CCA) at the end of the flash, as Intel HEX or as a .bin of
 * the whole flash, and each fault that such an image may have.
 *
 * All of it follows TI's manuals (ti-bsl.md 5.1, 5.5 and 9), and none of the code in src, which is
 * judged by these files. make-ti is the same from a shell. What such a file is not able to have
 * ends the program: a test has nothing to go on with.
 */
#pragma once

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define TI_MAKE_RUNS_MAX 8
#define TI_MAKE_BEYOND	 64u /* bytes behind the flash, for a record that does not fit */

/* Fields of the CCFG, from its start (hw_ccfg.h of x2: the same in x0, x1 and x7). */
#define TI_CCFG_SIZE	    88u
#define TI_CCFG_MODE_CONF   0x0Cu /* byte 1: XOSC_CAPARRAY_DELTA */
#define TI_CCFG_IEEE_MAC    0x20u /* 8 bytes, least significant first: the secondary IEEE address */
#define TI_CCFG_IEEE_BLE    0x28u
#define TI_CCFG_BL_CONFIG   0x30u
#define TI_CCFG_ERASE_CONF  0x34u
#define TI_CCFG_TI_OPTIONS  0x38u
#define TI_CCFG_TAP_DAP_0   0x3Cu
#define TI_CCFG_TAP_DAP_1   0x40u
#define TI_CCFG_IMAGE_VALID 0x44u
#define TI_CCFG_PROT	    0x48u /* 16 bytes, a bit a sector */

/* Fields of the CC2538's CCA, from its start; the secondary address lies 8 bytes before it. */
#define TI_CCA_SIZE	   44u
#define TI_CCA_BACKDOOR	   0x03u /* byte: bit 4 on, bit 3 level, bits 2:0 pin of port A */
#define TI_CCA_IMAGE_VALID 0x04u
#define TI_CCA_VECTORS	   0x08u
#define TI_CCA_LOCKS	   0x0Cu

/*
 * The version that the test's application answers by MT stands at this offset from the vector
 * table: "ZNP1", then the nine bytes that SYS_VERSION's answer carries: transport, product, major,
 * minor, maintenance release, and the revision as u32, least significant byte first.
 */
#define TI_MAKE_VERSION_AT    0x100u
#define TI_MAKE_VERSION_MARK  "ZNP1"
#define TI_MAKE_VERSION_BYTES 9u

struct ti_make_chip {
	const char *name;  /* as a rule says it */
	uint32_t base;	   /* address of the flash */
	uint32_t size;	   /* of the flash, in bytes */
	uint32_t sector;   /* of the flash, in bytes */
	uint32_t ram_end;  /* the initial stack pointer of a program */
	uint8_t pin;	   /* DIO (CC2538: of port A) that its usual images have as the backdoor */
	uint8_t other_pin; /* the one of images for its sisters */
	uint8_t uart_pin;  /* DIO of the loader's UART, 0: not told apart */
	uint8_t cap_array; /* XOSC_CAPARRAY_DELTA of its usual images */
	uint32_t nv, nv_end; /* what Z-Stack keeps: network, keys, frame counters */
};

/* clang-format off */
static const struct ti_make_chip ti_make_chips[] = {
	{"cc2652p",  0, 0x58000, 8192, 0x20014000, 15, 13, 12, 0xC1, 0x50000, 0x56000},
	{"cc1352p",  0, 0x58000, 8192, 0x20014000, 15, 13, 12, 0xC1, 0x50000, 0x56000},
	{"cc2652r",  0, 0x58000, 8192, 0x20014000, 13, 15,  0, 0xFF, 0x50000, 0x56000},
	{"cc2652rb", 0, 0x58000, 8192, 0x20014000, 13, 15,  0, 0xFF, 0x50000, 0x56000},
	{"cc1352r",  0, 0x58000, 8192, 0x20014000, 13, 15,  0, 0xFF, 0x50000, 0x56000},
	{"cc2652p7", 0, 0xB0000, 8192, 0x20024000, 15, 13, 12, 0xC1, 0xA8000, 0xAE000},
	{"cc1352p7", 0, 0xB0000, 8192, 0x20024000, 15, 13, 12, 0xC1, 0xA8000, 0xAE000},
	{"cc2650",   0, 0x20000, 4096, 0x20005000, 11, 13,  0, 0xFF, 0x1E000, 0x1F000},
	{"cc2640r2", 0, 0x20000, 4096, 0x20005000, 11, 13,  0, 0xFF, 0x1E000, 0x1F000},
	{"cc1310",   0, 0x20000, 4096, 0x20005000, 11, 13,  0, 0xFF, 0x1E000, 0x1F000},
	{"cc2538", 0x200000, 0x80000, 2048, 0x20008000, 3, 7, 0, 0xFF, 0x27C000, 0x27F800},
};
/* clang-format on */

/* What an image has a record for. */
struct ti_make_run {
	uint32_t address, n;
};

struct ti_make_image {
	const struct ti_make_chip *chip;
	uint8_t *flash; /* the whole of it and TI_MAKE_BEYOND, FF where the image says nothing */
	struct ti_make_run runs[TI_MAKE_RUNS_MAX]; /* ascending, apart from one another */
	size_t n_runs;
};

struct ti_make_bytes {
	uint8_t *data;
	size_t n;
};

/* Each is one fault; ti-bsl.md 5.3 and 5.4 say what it costs. */
enum ti_make_fault {
	TI_FAULT_NONE,
	TI_FAULT_LOADER_OFF,	 /* BOOTLOADER_ENABLE 00; the CC2538 has no such field */
	TI_FAULT_BACKDOOR_OFF,	 /* BL_ENABLE FF; CC2538: bit 4 clear */
	TI_FAULT_STOCK,		 /* both, as the SDK's own ccfg.c has it: BL_CONFIG 00FFFF00 */
	TI_FAULT_PIN,		 /* the sister's pin: 13 for 15 */
	TI_FAULT_UART_PIN,	 /* the pin of the loader's own UART */
	TI_FAULT_LEVEL,		 /* high */
	TI_FAULT_BANK_ERASE_OFF, /* BANK_ERASE_DIS_N 0 */
	TI_FAULT_CHIP_ERASE_OFF, /* CHIP_ERASE_DIS_N 0 */
	TI_FAULT_PROTECTED,	 /* PROT bit of sector 0 is 0; CC2538: the lock bit of page 0 */
	TI_FAULT_DEBUG_CLOSED,	 /* the TAP_DAP bytes that are C5 elsewhere are 0 */
	TI_FAULT_IMAGE_VALID,	 /* another address than that of the vector table */
	TI_FAULT_STACK,		 /* the stack pointer is not in the RAM */
	TI_FAULT_RESET_EVEN,	 /* a reset vector that is not of Thumb code */
	TI_FAULT_RESET_OUTSIDE,	 /* a reset vector to where the image has nothing */
	TI_FAULT_CAP_ARRAY,	 /* XOSC_CAPARRAY_DELTA FA: "other" for "launchpad" */
	TI_FAULT_NO_CCFG,	 /* no record covers it; .bin: ends with the application */
	TI_FAULT_PART_CCFG,	 /* the last 8 bytes of it are not in the image */
	TI_FAULT_BEYOND,	 /* a record behind the end of the flash */
	_TI_FAULT_MAX,
};

static const char *const ti_make_fault_names[_TI_FAULT_MAX] = {
	[TI_FAULT_NONE] = "none",
	[TI_FAULT_LOADER_OFF] = "loader-off",
	[TI_FAULT_BACKDOOR_OFF] = "backdoor-off",
	[TI_FAULT_STOCK] = "stock",
	[TI_FAULT_PIN] = "pin",
	[TI_FAULT_UART_PIN] = "uart-pin",
	[TI_FAULT_LEVEL] = "level",
	[TI_FAULT_BANK_ERASE_OFF] = "bank-erase-off",
	[TI_FAULT_CHIP_ERASE_OFF] = "chip-erase-off",
	[TI_FAULT_PROTECTED] = "protected",
	[TI_FAULT_DEBUG_CLOSED] = "debug-closed",
	[TI_FAULT_IMAGE_VALID] = "image-valid",
	[TI_FAULT_STACK] = "stack",
	[TI_FAULT_RESET_EVEN] = "reset-even",
	[TI_FAULT_RESET_OUTSIDE] = "reset-outside",
	[TI_FAULT_CAP_ARRAY] = "cap-array",
	[TI_FAULT_NO_CCFG] = "no-ccfg",
	[TI_FAULT_PART_CCFG] = "part-ccfg",
	[TI_FAULT_BEYOND] = "beyond",
};

static inline _Noreturn void ti_make_die(const char *object, const char *what)
{
	fprintf(stderr, "ti-make: %s: %s\n", object, what);
	abort();
}

static inline const struct ti_make_chip *ti_make_chip(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(ti_make_chips); i++)
		if (strcmp(ti_make_chips[i].name, name) == 0)
			return &ti_make_chips[i];
	ti_make_die(name, "no such chip");
}

static inline bool ti_make_is_2538(const struct ti_make_chip *chip)
{
	return chip->base != 0;
}

static inline uint32_t ti_make_ccfg_size(const struct ti_make_chip *chip)
{
	return ti_make_is_2538(chip) ? TI_CCA_SIZE : TI_CCFG_SIZE;
}

/* Where the CCFG (CC2538: CCA) begins. */
static inline uint32_t ti_make_ccfg(const struct ti_make_chip *chip)
{
	return chip->base + chip->size - ti_make_ccfg_size(chip);
}

/* Where the secondary IEEE address lies. */
static inline uint32_t ti_make_ieee(const struct ti_make_chip *chip)
{
	return ti_make_ccfg(chip) + (ti_make_is_2538(chip) ? -8u : TI_CCFG_IEEE_MAC);
}

/* ------------------------------------------------------------------ content */

/* Of n bytes, in the flash or right behind it. */
static inline uint8_t *ti_make_at(struct ti_make_image *image, uint32_t address, uint32_t n)
{
	uint32_t offset = address - image->chip->base, room = image->chip->size + TI_MAKE_BEYOND;

	if (address < image->chip->base || offset > room || n > room - offset)
		ti_make_die(image->chip->name, "an address outside its flash");
	return image->flash + offset;
}

static inline void ti_make_put32(struct ti_make_image *image, uint32_t address, uint32_t value)
{
	uint8_t *to = ti_make_at(image, address, 4);

	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static inline uint32_t ti_make_get32(struct ti_make_image *image, uint32_t address)
{
	const uint8_t *from = ti_make_at(image, address, 4);

	return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

/* A word of the CCFG (CC2538: of the CCA). */
static inline void ti_make_ccfg32(struct ti_make_image *image, uint32_t offset, uint32_t value)
{
	ti_make_put32(image, ti_make_ccfg(image->chip) + offset, value);
}

/* The image has this range from now on; it must not touch another run. */
static inline void ti_make_run(struct ti_make_image *image, uint32_t address, uint32_t n)
{
	size_t i = image->n_runs++;

	if (image->n_runs > TI_MAKE_RUNS_MAX)
		ti_make_die(image->chip->name, "too many runs");
	(void)ti_make_at(image, address, n);
	for (; i > 0 && image->runs[i - 1].address > address; i--)
		image->runs[i] = image->runs[i - 1];
	image->runs[i] = (struct ti_make_run){address, n};
}

/*
 * A run of bytes of which no two blocks are the same. A run of more than a packet's bytes has 300
 * bytes FF in its middle, as programs have: whole packets of a host that may be left out.
 */
static inline void ti_make_code(
	struct ti_make_image *image, uint32_t address, uint32_t n, uint32_t seed)
{
	uint8_t *to = ti_make_at(image, address, n);
	uint32_t state = seed * 2654435761u + address + 1;

	for (uint32_t i = 0; i < n; i++) {
		state = state * 1664525u + 1013904223u;
		to[i] = (uint8_t)(state >> 24);
	}
	if (n > 1024)
		memset(to + n / 2, 0xFF, 300);
	ti_make_run(image, address, n);
}

/* Vector table, what this application says of itself, and its code, up to `n`. */
static inline void ti_make_head(
	struct ti_make_image *image, const char *version, uint32_t n, uint32_t seed)
{
	uint32_t base = image->chip->base, revision = (uint32_t)strtoul(version, NULL, 10);
	uint8_t *to;

	ti_make_code(image, base, n, seed);
	ti_make_put32(image, base, image->chip->ram_end);
	ti_make_put32(image, base + 4, base + 0x401);
	for (uint32_t i = 2; i < 16; i++)
		ti_make_put32(image, base + 4 * i, base + 0x401 + 0x20 * i);
	to = ti_make_at(image, base + TI_MAKE_VERSION_AT, 64);
	memset(to, 0, 64);
	memcpy(to, TI_MAKE_VERSION_MARK, 4);
	memcpy(to + 4, (const uint8_t[]){2, 1, 2, 7, 1}, 5);
	ti_make_put32(image, base + TI_MAKE_VERSION_AT + 9, revision);
	snprintf((char *)to + 0x20, 32, "plugflash-test %s", version);
}

/*
 * Whether the application is whole: at 0x10 behind the version the number of bytes N and the
 * CRC-32 (that of zlib) over the N bytes from 0x20 behind the version on, up to the end of the
 * vector table's run. A simulated chip starts nothing else; a test that edits these bytes calls
 * this again.
 */
static inline void ti_make_seal(struct ti_make_image *image)
{
	uint32_t at = image->chip->base + TI_MAKE_VERSION_AT, n = 0, crc = 0xFFFFFFFF;
	const uint8_t *from;

	for (size_t i = 0; i < image->n_runs; i++)
		if (image->runs[i].address == image->chip->base)
			n = image->runs[i].n - TI_MAKE_VERSION_AT - 0x20;
	from = ti_make_at(image, at + 0x20, n);
	for (uint32_t i = 0; i < n; i++) {
		crc ^= from[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
	}
	ti_make_put32(image, at + 0x10, n);
	ti_make_put32(image, at + 0x14, ~crc);
}

/* As Koenkk's coordinator images have it (ti-bsl.md 5.1). */
static inline void ti_make_default_ccfg(struct ti_make_image *image)
{
	const struct ti_make_chip *chip = image->chip;

	if (ti_make_is_2538(chip)) {
		ti_make_ccfg32(image, 0, 0xF0FFFFFF | (uint32_t)chip->pin << 24);
		ti_make_ccfg32(image, TI_CCA_IMAGE_VALID, 0);
		ti_make_ccfg32(image, TI_CCA_VECTORS, chip->base);
		ti_make_run(image, ti_make_ccfg(chip), TI_CCA_SIZE);
		return;
	}
	ti_make_ccfg32(image, 0x00, 0x01800000);
	ti_make_ccfg32(image, 0x04, 0xFFC00010);
	ti_make_ccfg32(image, 0x08, 0x0058FFFD);
	ti_make_ccfg32(image, TI_CCFG_MODE_CONF, 0xFDB900FF | (uint32_t)chip->cap_array << 8);
	ti_make_ccfg32(image, TI_CCFG_BL_CONFIG, 0xC5FE00C5 | (uint32_t)chip->pin << 8);
	ti_make_ccfg32(image, TI_CCFG_TI_OPTIONS, 0xFFFFFF00);
	ti_make_ccfg32(image, TI_CCFG_TAP_DAP_0, 0xFFC5C500);
	ti_make_ccfg32(image, TI_CCFG_TAP_DAP_1, 0xFF000000);
	ti_make_ccfg32(image, TI_CCFG_IMAGE_VALID, chip->base);
	ti_make_run(image, ti_make_ccfg(chip), TI_CCFG_SIZE);
}

static inline void ti_make_done(struct ti_make_image *image)
{
	free(image->flash);
	*image = (struct ti_make_image){};
}

/*
 * An application of some `size` bytes (0: 40 KiB) in three runs, and the CCFG, which fits the
 * chip's usual stick. `version` is a date, 20240710, as Koenkk's are, and decides the content. The
 * first run ends on a multiple of 4 that is none of 8, the second lies in the same sector, the
 * third begins in another one.
 */
static inline struct ti_make_image ti_make_new(
	const char *chip_name, const char *version, uint32_t size)
{
	struct ti_make_image image = {.chip = ti_make_chip(chip_name)};
	const struct ti_make_chip *chip = image.chip;
	uint32_t seed = 0, n = (size == 0 ? 40960 : size < 4096 ? 4096 : size) / 32 * 32;
	uint32_t first = n / 4 * 3 + 4;
	uint32_t third = (first + 2 * chip->sector) / chip->sector * chip->sector;

	for (const char *c = version; *c; c++)
		seed = seed * 31 + (uint8_t)*c;
	image.flash = malloc(chip->size + TI_MAKE_BEYOND);
	if (!image.flash)
		ti_make_die("memory", "none is left");
	memset(image.flash, 0xFF, chip->size + TI_MAKE_BEYOND);
	ti_make_head(&image, version, first, seed);
	ti_make_seal(&image);
	ti_make_code(&image, chip->base + first + 12, 32, seed + 1);
	ti_make_code(&image, chip->base + third + 0x40, n / 4, seed + 2);
	if (chip->base + third + 0x40 + n / 4 > chip->nv)
		ti_make_die(chip_name, "the application would reach into the settings of Z-Stack");
	ti_make_default_ccfg(&image);
	return image;
}

/* ------------------------------------------------------------------ faults */

/* The image says nothing of [from, to) any more. */
static inline void ti_make_cut(struct ti_make_image *image, uint32_t from, uint32_t to)
{
	struct ti_make_run old[TI_MAKE_RUNS_MAX];
	size_t n_old = image->n_runs;

	memcpy(old, image->runs, sizeof(old));
	memset(ti_make_at(image, from, to - from), 0xFF, to - from);
	image->n_runs = 0;
	for (size_t i = 0; i < n_old; i++) {
		uint32_t begin = old[i].address, end = begin + old[i].n;

		if (begin < (from < end ? from : end))
			ti_make_run(image, begin, (from < end ? from : end) - begin);
		if ((to > begin ? to : begin) < end)
			ti_make_run(
				image, to > begin ? to : begin, end - (to > begin ? to : begin));
	}
}

static inline bool ti_make_cca_fault(struct ti_make_image *image, enum ti_make_fault fault)
{
	uint8_t *cca = ti_make_at(image, ti_make_ccfg(image->chip), TI_CCA_SIZE);

	if (fault == TI_FAULT_BACKDOOR_OFF)
		cca[TI_CCA_BACKDOOR] &= (uint8_t)~0x10u;
	else if (fault == TI_FAULT_LEVEL)
		cca[TI_CCA_BACKDOOR] |= 8;
	else if (fault == TI_FAULT_PIN)
		cca[TI_CCA_BACKDOOR] = (uint8_t)(0xF0 | image->chip->other_pin);
	else if (fault == TI_FAULT_PROTECTED)
		cca[TI_CCA_LOCKS] &= (uint8_t)~1u;
	else if (fault == TI_FAULT_DEBUG_CLOSED)
		cca[TI_CCA_SIZE - 1] &= 0x7F;
	else if (fault == TI_FAULT_IMAGE_VALID)
		ti_make_ccfg32(image, TI_CCA_IMAGE_VALID, 0x00010000);
	else
		return false;
	return true;
}

static inline bool ti_make_ccfg_fault(struct ti_make_image *image, enum ti_make_fault fault)
{
	const struct ti_make_chip *chip = image->chip;
	uint8_t *ccfg = ti_make_at(image, ti_make_ccfg(chip), TI_CCFG_SIZE);

	if (fault == TI_FAULT_LOADER_OFF)
		ccfg[TI_CCFG_BL_CONFIG + 3] = 0;
	else if (fault == TI_FAULT_BACKDOOR_OFF)
		ccfg[TI_CCFG_BL_CONFIG] = 0xFF;
	else if (fault == TI_FAULT_STOCK)
		ti_make_ccfg32(image, TI_CCFG_BL_CONFIG, 0x00FFFF00);
	else if (fault == TI_FAULT_PIN)
		ccfg[TI_CCFG_BL_CONFIG + 1] = chip->other_pin;
	else if (fault == TI_FAULT_UART_PIN && chip->uart_pin > 0)
		ccfg[TI_CCFG_BL_CONFIG + 1] = chip->uart_pin;
	else if (fault == TI_FAULT_LEVEL)
		ccfg[TI_CCFG_BL_CONFIG + 2] |= 1;
	else if (fault == TI_FAULT_BANK_ERASE_OFF)
		ccfg[TI_CCFG_ERASE_CONF] &= (uint8_t)~1u;
	else if (fault == TI_FAULT_CHIP_ERASE_OFF)
		ccfg[TI_CCFG_ERASE_CONF + 1] &= (uint8_t)~1u;
	else if (fault == TI_FAULT_PROTECTED)
		ccfg[TI_CCFG_PROT] &= (uint8_t)~1u;
	else if (fault == TI_FAULT_DEBUG_CLOSED)
		ti_make_ccfg32(image, TI_CCFG_TAP_DAP_0, 0xFF000000);
	else if (fault == TI_FAULT_IMAGE_VALID)
		ti_make_ccfg32(image, TI_CCFG_IMAGE_VALID, 0x2000);
	else if (fault == TI_FAULT_CAP_ARRAY)
		ccfg[TI_CCFG_MODE_CONF + 1] = 0xFA;
	else
		return false;
	return true;
}

/* Gives the image a fault. False: such a chip's image is not able to have it; it is as it was. */
static inline bool ti_make_fault(struct ti_make_image *image, enum ti_make_fault fault)
{
	const struct ti_make_chip *chip = image->chip;
	uint32_t base = chip->base, end = base + chip->size;

	if (fault == TI_FAULT_STACK)
		ti_make_put32(image, base, chip->ram_end + 0x1000);
	else if (fault == TI_FAULT_RESET_EVEN)
		ti_make_put32(image, base + 4, base + 0x400);
	else if (fault == TI_FAULT_RESET_OUTSIDE)
		ti_make_put32(image, base + 4, chip->nv + 0x401);
	else if (fault == TI_FAULT_NO_CCFG)
		ti_make_cut(image, ti_make_ccfg(chip), end);
	else if (fault == TI_FAULT_PART_CCFG)
		ti_make_cut(image, end - 8, end);
	else if (fault == TI_FAULT_BEYOND)
		ti_make_code(image, end + 0x10, 16, 5);
	else if (fault != TI_FAULT_NONE)
		return ti_make_is_2538(chip) ? ti_make_cca_fault(image, fault)
					     : ti_make_ccfg_fault(image, fault);
	return true;
}

/* The fault of that name. */
static inline enum ti_make_fault ti_make_fault_by_name(const char *name)
{
	for (int i = 0; i < _TI_FAULT_MAX; i++)
		if (strcmp(ti_make_fault_names[i], name) == 0)
			return (enum ti_make_fault)i;
	ti_make_die(name, "no such fault");
}

/* ------------------------------------------------------------------ files */

static inline void ti_make_bytes_done(struct ti_make_bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct ti_make_bytes){};
}

static inline void ti_make_record(
	FILE *to, uint8_t type, uint16_t address, const uint8_t *data, uint8_t n)
{
	uint8_t sum = (uint8_t)(n + (address >> 8) + address + type);

	fprintf(to, ":%02X%04X%02X", n, address, type);
	for (uint8_t i = 0; i < n; i++) {
		fprintf(to, "%02X", data[i]);
		sum = (uint8_t)(sum + data[i]);
	}
	fprintf(to, "%02X\r\n", (uint8_t)-sum);
}

/* Intel HEX as TI's tools write it: records of 16 bytes for each run and for nothing else, and the
 * start address as a segment. For ti_make_bytes_done(). */
static inline struct ti_make_bytes ti_make_hex(struct ti_make_image *image)
{
	struct ti_make_bytes hex = {};
	FILE *to = open_memstream((char **)&hex.data, &hex.n);
	uint32_t upper = UINT32_MAX;

	if (!to)
		ti_make_die("memory", "none is left");
	for (size_t i = 0; i < image->n_runs; i++) {
		uint32_t at = image->runs[i].address, end = at + image->runs[i].n;

		while (at < end) {
			uint32_t n = 16 - at % 16 < end - at ? 16 - at % 16 : end - at;

			if (at >> 16 != upper) {
				upper = at >> 16;
				ti_make_record(to, 4, 0,
					(const uint8_t[]){(uint8_t)(upper >> 8), (uint8_t)upper},
					2);
			}
			ti_make_record(to, 0, (uint16_t)at, ti_make_at(image, at, n), (uint8_t)n);
			at += n;
		}
	}
	ti_make_record(to, 3, 0, (const uint8_t[]){0, 0, 4, 1}, 4);
	ti_make_record(to, 1, 0, NULL, 0);
	/* Closed before its bytes are handed out: that may move them. */
	if (fclose(to) != 0)
		ti_make_die("memory", "none is left");
	return hex;
}

/* From the flash's first byte to the last one that the image has, FF in the gaps: the whole flash
 * where the CCFG is there. For ti_make_bytes_done(). */
static inline struct ti_make_bytes ti_make_bin(struct ti_make_image *image)
{
	const struct ti_make_run *last = &image->runs[image->n_runs - 1];
	struct ti_make_bytes bin = {.n = last->address + last->n - image->chip->base};

	bin.data = malloc(bin.n);
	if (!bin.data)
		ti_make_die("memory", "none is left");
	memcpy(bin.data, image->flash, bin.n);
	return bin;
}
