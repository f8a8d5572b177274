/* SPDX-License-Identifier: MIT */
/*
 * stub-knobs.h - what goes wrong with a program in the RAM that sim/stub-peer.h plays, as part of
 * struct sim_faults. All zero: nothing. The n-th counts from 1, from the start of the program on.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A field of its hello that is not what it should be. */
enum sim_stub_lie {
	SIM_STUB_LIES_NOT,
	SIM_STUB_LIE_MAGIC,
	SIM_STUB_LIE_PROTOCOL,
	SIM_STUB_LIE_VERSION,
	SIM_STUB_LIE_SELF_CRC,
	SIM_STUB_LIE_DEV_ID,
	SIM_STUB_LIE_FLASH_SIZE,
	SIM_STUB_LIE_KIND,
	SIM_STUB_LIE_RING,
	SIM_STUB_LIE_TICKS,
	SIM_STUB_LIE_MAX,
};

struct sim_stub_faults {
	bool silent; /* it was started, and never says anything */
	uint64_t drop_received, flip_received, double_received;
	uint64_t drop_sent, flip_sent, double_sent;
	int hang_type;	   /* it falls silent upon a frame of this type ... */
	unsigned hang_nth; /* ... the n-th time; 0: never */
	bool hang_resets;  /* it ends in a reset in place of silence, as a fault on an F1 does */
	enum sim_stub_lie lie;
	uint32_t ring;		 /* bytes; 0: 8 KiB */
	uint32_t max_baud;	 /* above it neither side understands the other; 0: none */
	uint32_t damage_above;	 /* above that rate ... */
	unsigned damage_every;	 /* ... one bit of every so many bytes is flipped, both ways */
	unsigned wrong_page;	 /* the n-th erase takes the page behind the one that was meant */
	unsigned slow_percent;	 /* flash needs so many percent of its typical time; 0: 100 */
	unsigned unwritten;	 /* the n-th DATA is acknowledged, and not programmed */
	unsigned wrong_sum;	 /* the n-th sum is not that of the flash */
	uint32_t blind_at;	 /* its sums take bit 0 of this byte for the other; 0: none */
	int clock_permille;	 /* its clock is so much too fast */
	unsigned cycles_of_byte; /* of the processor, to take a byte of a frame; 0: as measured */
	unsigned cycles_of_sum;	 /* for the two sums of a byte */
	/* Changes an answer before its CRC is made: struct stub_answer and its data. NULL: nobody.
	 */
	void (*bend)(void *userdata, uint8_t *answer, size_t n_answer);
	void *userdata;
	uint32_t protected_start; /* flash that refuses erase and program: WRPERR ... */
	uint32_t protected_size;
};
