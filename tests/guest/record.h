/* SPDX-License-Identifier: MIT */
/*
 * record.h - what happened on one serial line since plug-in, bounded: requests one by one, runs of
 * bytes as their beginning and their number.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "sim/sim.h"

#define RECORD_MAX   1024
#define RECORD_BYTES 16

enum record_kind {
	RECORD_PLUG,
	RECORD_UNPLUG,
	RECORD_ENABLE,
	RECORD_DISABLE,
	RECORD_LINES,
	RECORD_RESET,
	RECORD_BAUD,
	RECORD_FORMAT,
	RECORD_EVENTS,
	RECORD_PURGE,
	RECORD_DATA,
};

struct record {
	struct {
		enum record_kind kind;
		uint64_t nsec;
		uint32_t value;
		enum sim_state state; /* who the bytes met */
		uint8_t bytes[RECORD_BYTES];
		uint64_t n_bytes;
	} items[RECORD_MAX];
	size_t n_items;
	uint64_t n_lost;
};

void record_clear(struct record *record);
void record_note(struct record *record, enum record_kind kind, uint32_t value, uint64_t now);

/* One byte on its way to the chip, and what the chip was doing when it came. */
void record_byte(struct record *record, uint8_t byte, enum sim_state state, uint64_t now);

/* A line each: seconds of the monotonic clock, what, and its values as KEY=VALUE. */
void record_print(const struct record *record, FILE *file);
