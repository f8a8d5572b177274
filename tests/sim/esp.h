/* SPDX-License-Identifier: MIT */
/*
 * esp.h - a board with an Espressif chip: what such a board may be, what may go wrong in it, and
 * what a test may ask of it. sim.h includes it; to the front ends it is a board like any other.
 *
 * The chip is a row of esp-chips.c, its boot loader esp-rom.c, the start from the flash esp-boot.c,
 * the flash esp-flash.c, and what the bridge's lines do to it esp-board.c. All follow
 * espressif's pages and what is known of the ROMs (esp-rom.md 1 to 8), never our client.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_ESP_NO_CAPACITOR UINT32_MAX
#define SIM_ESP_NOTHING	     UINT32_MAX

/* A value of `rdid`; all zero of it means "as the flash says". */
#define SIM_ESP_RDID(id) (UINT32_C(0x80000000) | (id))

/* What the board is. All zero: a plain one. */
struct sim_esp {
	uint32_t flash_bytes;  /* 0: 4 MiB */
	uint32_t revision;     /* 100 * major + minor; 0: the chip's row */
	unsigned odd_major;    /* ESP32: its three bits of the major number; 0: by revision */
	uint8_t mac[6];	       /* all zero: one is made of the seed */
	uint32_t capacitor_nf; /* at EN, with 10 kOhm; 0: 1000 */
	unsigned secure_boot;  /* 1: v1 (ESP32 alone), 2: v2 */
	unsigned crypt_count;  /* flash_crypt_cnt; odd number of ones: encryption is on */
	bool secure_download;
	bool download_off;    /* by eFuse: the straps do not lead into the loader */
	bool no_text;	      /* the ROM says nothing, by eFuse or strap */
	bool second_pin_low;  /* GPIO8 of the C3 and its like: no loader, whatever the boot pin */
	bool old_rom;	      /* ESP32 before revision 3: other text where nothing starts */
	uint32_t calibration; /* ESP32: RTCCALICFG1's 25 bits; 0: a clock that is 1 % slow */
	uint32_t crystal_hz;  /* 0: the chip's row */
	unsigned spi_busy;    /* reads of CMD until a command of the SPI controller is done */
	bool forces_download; /* S3: the bit by which an application asks for the loader is set */
};

enum sim_esp_md5 { SIM_ESP_MD5_RIGHT, SIM_ESP_MD5_TRUNCATED, SIM_ESP_MD5_UPPER, SIM_ESP_MD5_RAW };

/* What goes wrong, beside the knobs of every board. The n-th counts from 1. */
struct sim_esp_faults {
	uint64_t sync_gap_nsec;	   /* between the eight replies to a SYNC */
	uint64_t unknown_gap_nsec; /* between those to an opcode that the ROM does not know */
	uint8_t unknown_opcode;	   /* that they carry; 0: that of the request */
	unsigned unknown_replies;  /* so many instead; 0: eight */
	bool stale_error;	   /* a good status is 00 05 00 00 */
	int fail_code;		   /* this opcode is not done ... */
	unsigned fail_nth;	   /* ... the n-th time, or each time with UINT32_MAX ... */
	uint8_t fail_error;	   /* ... and answered 01 and this */
	int lose_code;		   /* the answer to this opcode, which was done, is lost ... */
	unsigned lose_nth;	   /* ... the n-th time */
	unsigned stub_resets;	   /* a stub runs, and the first n resets do not reach the chip */
	const char *noise;	   /* in front of every reply, or of the n-th alone */
	size_t n_noise;
	unsigned noise_nth;
	bool boot_pin_high;	       /* whatever the lines do */
	unsigned boot_pin_low_resets;  /* the next n starts find it low, whatever the lines do */
	unsigned boot_pin_high_resets; /* the next n starts find it high */
	bool is_deaf;		/* the chip's RX is not connected: the loader waits for ever */
	bool no_power;		/* the chip has none: silence */
	uint32_t rdid;		/* SIM_ESP_RDID(): the flash says this instead of its id */
	uint64_t begin_nsec;	/* FLASH_BEGIN and FLASH_DEFL_BEGIN last so long; SIM_NEVER */
	unsigned md5_wrong_nth; /* the n-th MD5 is wrong */
	bool md5_always_other;	/* each MD5 is wrong in another way */
	enum sim_esp_md5 md5_form;
	bool reports_defects;	/* a block that cannot be programmed is answered 01 08 */
	bool keeps_baud;	/* CHANGE_BAUDRATE is answered, and the rate stays */
	uint32_t garbles_above; /* bytes of a higher rate are spoilt both ways; 0: none */
	uint32_t real_bytes;	/* the flash is smaller than its id says, and wraps there */
	bool starts_badly;	/* the application resets at once, again and again */
};

/* What a test may ask. */
struct sim_esp_state {
	uint32_t app; /* where in the flash the application is that runs; SIM_ESP_NOTHING */
	bool is_attached, is_stub, has_short_status, has_encrypt_word;
	uint32_t flash_bytes; /* by SPI_SET_PARAMS or as the ROM believes without */
	uint32_t baud;	      /* of the ROM */
	uint8_t mac[6];
	unsigned n_over_erased; /* sectors that a command erased behind what it was asked for */
	unsigned n_flash_end;	/* FLASH_END and FLASH_DEFL_END: never to be sent to a ROM */
	unsigned starts, starts_into_loader; /* EN has risen */
	unsigned failed_starts; /* from the flash, that started nothing; loops count each time */
	unsigned wild_starts;	/* of a boot loader that is not whole */
	char text[2048]; /* the chip's text since the last start, without an end of its own */
	/* MEM_BEGIN, MEM_DATA, MEM_END: what was brought, and where it was started (0: not). */
	uint32_t memory_address, n_memory, entry;
};
