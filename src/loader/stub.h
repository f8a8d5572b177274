/* SPDX-License-Identifier: MIT */
/*
 * stub.h - the host's side of the program in the chip's RAM (src/stub): from the moment that the
 * boot loader in ROM has started it, as a loader in that one's place.
 *
 * Knows the flash by pages of the chip table and what is in struct stub_facts; nothing of how the
 * program came into the RAM. It has neither sync, identify, start, protect nor unprotect: for these
 * the chip is reset, and its ROM is asked.
 */
#pragma once

#include "chip/chip.h"
#include "loader/loader.h"
#include "loader/stub-load.h"

/* What is known of the chip, and of the image that was loaded. Borrowed for the call. */
struct stub_facts {
	const struct stub_load *load; /* what hello must say, and how pages are selected */
	const struct chip *chip;      /* lives longer than the loader */
	uint32_t dev_id;	      /* as Get ID said it */
	uint16_t flash_kib;	      /* as the ROM read it; 0: not compared */
	uint16_t version;	      /* of the stub.bin that is in `load` */
	uint32_t train_baud; /* the train is sent at it, and all until the rate is raised */
	uint32_t max_baud;   /* by the rule or the bridge; 0: STUB_BAUD */
	bool wakes_in_rom;   /* a chip that resets itself may start its ROM: little is sent ahead */
};

/* The first rate that is tried. */
#define STUB_BAUD 921600

/* For the report, and for who has to judge a new kind of chip. */
struct stub_state {
	uint16_t version;
	uint8_t candidate; /* which USART it was */
	uint32_t baud;	   /* the rate now */
	uint32_t ring_size;
	uint32_t train_ticks;
	int32_t clock_ppm;	  /* how far its clock is from `clock_hz` */
	char why_not_faster[120]; /* "" at the first rate that was tried */
	uint32_t n_frames, n_repeated, n_damaged, n_lost;
	enum stub_status failure; /* of the first posted frame that failed */
	uint32_t failed_at, flash_status;
};

/*
 * After Go, whether the ROM's second ACK was seen or not: sets the port to 8N1 at the rate of the
 * train, finds the stub by trains and HELLO, checks all that it says, and raises the rate as far as
 * an echo proves it. 0: `ret` speaks. Any result of enum loader_result: the chip is to be reset,
 * and `why` is a part of a sentence, which says what the stub did ("it does not answer"). Nothing
 * was erased, whatever the result.
 */
int stub_open(const struct loader *base, const struct stub_facts *facts, struct loader **ret,
	struct reason *why);

void stub_state(struct loader *loader, struct stub_state *ret);

/* For boards without a reset line: the chip resets itself. 0 where the stub has said so. */
int stub_reset(struct loader *loader);

extern const struct loader_ops loader_stub;
