/* SPDX-License-Identifier: MIT */
/* esp-chips.h - the Espressif chips that can be simulated, as rows of data (esp-rom.md 3 and 7). */
#pragma once

#include "sim/sim.h"

/* `count` bits of the word at `address` from bit `first` on; count 0: there are none. */
struct espchip_bits {
	uint32_t address;
	uint8_t first, count;
};

enum espchip_kind {
	ESPCHIP_8266, /* 2 bytes of status; no MD5, no read, no rate, no deflate, no attach */
	ESPCHIP_32,   /* no GET_SECURITY_INFO; erases too much with deflate */
	ESPCHIP_LATER,
};

/* How the ROM introduces itself, and its words for why and how it starts. */
struct espchip_text {
	const char *head;     /* first lines, with their ends */
	const char *old_head; /* of the ROM before; NULL: there was none */
	const char *power_on; /* reason of a reset by EN or power, "0x1 (POWERON)" */
	const char *watchdog; /* of one by the watchdog of a start that fails */
	const char *loader;   /* behind the boot word */
	uint32_t baud;
};

struct espchip {
	const char *name;
	enum espchip_kind kind;
	uint32_t magic;		 /* at 0x40001000 */
	uint32_t id;		 /* in GET_SECURITY_INFO and in image headers */
	uint32_t security_bytes; /* data of GET_SECURITY_INFO: 12 or 20; 0: it is unknown */
	uint32_t boot_offset;	 /* of the second boot loader in the flash */
	uint32_t mac;		 /* low word, the high one behind it; unless ESPCHIP_8266 */
	uint32_t spi;		 /* base of the controller's registers */
	uint8_t spi_usr;	 /* offset of USR; USR1, USR2 behind it */
	uint8_t spi_dlen;	 /* of MOSI_DLEN; MISO_DLEN behind it; 0: in USR1 */
	uint8_t spi_words;	 /* of W0 */
	struct espchip_bits crypt_count, secure_boot_v1, secure_boot;
	struct espchip_bits major[2], minor[2]; /* least significant part first */
	struct espchip_bits force_download;	/* set: every start leads into the loader */
	uint32_t revision;			/* usual one */
	uint32_t sync_value;			/* what it leaves in the value word */
	uint32_t clock_divider; /* UART_CLKDIV: crystal by rate, twice that on the ESP8266 */
	uint32_t crystal_hz, rom_crystal_hz; /* real, and what the ROM takes it for */
	uint32_t ram, ram_size;		     /* for MEM_BEGIN */
	uint32_t mapped[2], mapped_end[2];   /* where flash is mapped: no boot loader loads there */
	unsigned boot_word, boot_pin, second_pin; /* of a start from the flash, and pins in it */
	bool needs_second_pin;			  /* high, or there is no loader */
	struct espchip_text text;
};

/* NULL: there is no such. */
const struct espchip *espchip_find(const char *name);

/* The same as what sim_chip_find() gives. */
const struct sim_chip *espchip_sim(const char *name);

/* All of them in turn; NULL behind the last. */
const struct sim_chip *espchip_at(size_t i);
