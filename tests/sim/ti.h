/* SPDX-License-Identifier: MIT */
/*
 * ti.h - a board with a CC2538, CC13xx or CC26xx: what such a board may be, what may go wrong in
 * it, and what a test may ask of it. sim.h includes it; to the front ends it is a board like any
 * other.
 *
 * The chip is a row of ti-chips.c, its boot loader ti-rom.c and ti-commands.c, its flash with the
 * rules of the CCFG ti-flash.c, the start ti-board.c, and the Z-Stack application ti-mt.c. All
 * follow TI's manuals (SWCU185, SWCU192, SWCU117, SWRA466) and what is known beyond them
 * (ti-bsl.md 1 to 5), never our client.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_TI_CCFG_MAX 88

/* A number of `delivery`, `spoils` and the like: the byte at this offset of the CCFG. All zero of
 * it means "none". */
struct sim_ti_byte {
	bool is_set;
	uint8_t offset, value;
};

/* What the board is. All zero: a plain one. */
struct sim_ti {
	uint8_t pin;		/* DIO (38: PA) that the boot line pulls low; 0: the row's */
	uint32_t low_pins;	/* a bit a pin: tied low by a wire or a button that is held */
	uint8_t ieee[8];	/* primary, as it is printed; all zero: one is made of the seed */
	uint32_t user_code;	/* JTAGUSERCODE; 0: that of the chip's row */
	uint32_t wafer_id;	/* 0: that of the row */
	uint32_t flash_sectors; /* what the register says; 0: that of the row */
	/* BL_CONFIG as the ROM programs it behind an erase of the top sector; 0: C5FFFFFF. One
	 * report has C5FE0DC5 (ti-bsl.md 5.2). A bank erase always leaves C5FFFFFF. */
	uint32_t delivery_bl_config;
	struct sim_ti_byte delivery; /* one more byte that it programs there */
	uint32_t synced_baud;	     /* at power-up the loader is synchronised at this rate */
	uint64_t rise_nsec;	     /* of the reset pin when it is let go; 0: 1 ms */
	uint64_t helper_nsec; /* a controller between bridge and chip passes the lines on so late */
};

/* What goes wrong, beside the knobs of every board. The n-th counts from 1. */
struct sim_ti_faults {
	unsigned zeros;		   /* in front of each ACK, NACK and packet */
	bool bare_acks;		   /* an ACK has no 00 in front */
	int lose_code;		   /* the ACK of this command, which was done, is lost ... */
	unsigned lose_nth;	   /* ... the n-th time */
	int nack_code;		   /* this command is not done and answered 00 33 ... */
	unsigned nack_nth;	   /* ... the n-th time, or each time with UINT32_MAX */
	unsigned bad_sum_nth;	   /* the n-th packet of the chip has a wrong sum, its repeat not */
	bool bad_sums;		   /* each packet has, and each repeat */
	int status_code;	   /* this command is not done ... */
	unsigned status_nth;	   /* ... the n-th time, or each time with UINT32_MAX ... */
	uint8_t status;		   /* ... and leaves this status, behind an ACK */
	uint32_t stubborn;	   /* the sector of this address refuses to be erased ... */
	unsigned stubborn_times;   /* ... so many times; 0: never refuses; UINT32_MAX: always */
	bool is_stubborn_silent;   /* ... and the status is 40 all the same */
	struct sim_ti_byte spoils; /* this byte of the CCFG is programmed with the value besides */
	uint32_t crc_wrong_nth;	   /* the n-th CRC is wrong */
	unsigned boot_low_resets;  /* the next n starts find the backdoor's pin low */
	unsigned boot_high_resets; /* the next n starts find it high */
	bool no_reset;		   /* RESET is answered and nothing happens */
	bool is_deaf;		   /* the chip's RX is not connected */
	/* Of the application: */
	bool is_mute;	      /* a Z-Stack that says nothing */
	bool no_indication;   /* SYS_RESET_IND is not sent */
	uint64_t start_nsec;  /* until it answers; 0: 300 ms */
	uint32_t revision;    /* SYS_VERSION has this in place of the image's; 0: the image's */
	bool bad_mt_sums;     /* the FCS of its frames is wrong */
	const char *mt_noise; /* stands in front of each of its frames */
	size_t n_mt_noise;
};

/* Where the last start has ended. */
enum sim_ti_start {
	SIM_TI_NOT_STARTED, /* no power, or in reset */
	SIM_TI_NO_IMAGE,    /* loader: no valid image */
	SIM_TI_BACKDOOR,    /* loader: the pin */
	SIM_TI_APPLICATION,
	SIM_TI_CRASHED, /* what the CCFG calls valid is no whole application */
	SIM_TI_LOCKED,	/* no valid image, and the loader is off: waits for a debugger */
};

/* What a test may ask. */
struct sim_ti_state {
	enum sim_ti_start start;
	unsigned starts, starts_into_loader;
	bool is_synced;
	uint32_t baud;	/* of the loader */
	uint8_t status; /* what GET_STATUS would say */
	uint8_t ieee[8];
	const uint8_t *ccfg; /* the last bytes of the flash: 88, with the CC2538 44 */
	size_t n_ccfg;
	uint32_t revision;     /* of the Z-Stack that runs; 0: none */
	unsigned n_torn;       /* erases and programming that a reset or the power cut off */
	unsigned n_top_torn;   /* those of the top sector's erase and of what the ROM does behind */
	unsigned n_unanswered; /* packets of the chip that the host did not acknowledge */
	unsigned n_repeated;   /* packets that it asked for again */
	unsigned n_mt_frames;  /* the application has understood */
};
