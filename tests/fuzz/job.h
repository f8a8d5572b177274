/* SPDX-License-Identifier: MIT */
/*
 * job.h - for the targets that run a whole job against a simulated chip: the input as bytes to be
 * taken one by one and as edits of what the chip says, and what any job is made of.
 */
#pragma once

#include "chip/chips.h"
#include "flash/flash.h"
#include "fuzz.h"
#include "sim/port-sim.h"

#define JOB_PORT	"/dev/ttyUSB0"
#define JOB_IMAGE_BYTES 700

struct input {
	const uint8_t *bytes;
	size_t n_bytes;
	unsigned n_pass; /* up to the edit that is next */
	bool has_begun;
	unsigned n_edits;
};

/* The next byte, 0 behind the last. */
unsigned input_take(struct input *input);

/*
 * Whether a byte of the chip's passes as it is. Where not, an edit is to be taken: each is
 * `n_edit` bytes with the first, which says how many bytes pass before it.
 */
bool input_passes(struct input *input, size_t n_edit);

/* Changes a byte that the chip says into those that are heard: `to`, whose number is returned. */
typedef size_t input_apply(
	unsigned what, uint8_t value, uint8_t byte, uint8_t to[static PORT_SIM_EDIT]);

/*
 * What may become of a byte of any chip, by `what` modulo 8: 0 some of its bits differ, 1 it is
 * `value`, 2 it is lost, 3 and 4 `value` stands behind or in front of it, 5 it is many of `value`,
 * 6 one bit differs; 7 is input_edit()'s own. A target has others in the place of some of them
 * where the protocol has signs that chance would seldom hit. No number gets another meaning: the
 * corpus is made of them.
 */
size_t input_change(unsigned what, uint8_t value, uint8_t byte, uint8_t to[static PORT_SIM_EDIT]);

/* For edits of three bytes. One of eight kinds passes a multiple of `n_unit` bytes instead. */
size_t input_edit(struct input *input, unsigned n_unit, input_apply *apply, uint8_t byte,
	uint8_t to[static PORT_SIM_EDIT]);

/* The shipped table, read once. */
const struct chip_table *job_chips(void);

/* The rule of that text. */
void job_read_rule(const char *text, struct board *ret);

/* Bytes of no meaning, none of them as erased flash. */
void job_fill(uint8_t bytes[JOB_IMAGE_BYTES]);

/* What must hold of any end: an outcome, in its time, the port closed, a sentence for a failure. */
void job_must_end(const struct report *report, uint64_t most_usec);
