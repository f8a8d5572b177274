/* SPDX-License-Identifier: MIT */
/*
 * spoken.h - the application of a Zigbee, Thread or Z-Wave stick with a chip of Silicon Labs, as
 * far as its serial line goes: it says its version, and leaves for the boot loader in front of it.
 *
 * The flash says what it is: an application that has the line of spoken_words() in it speaks that
 * protocol, says that version and talks at that rate. So an upload of another application changes
 * all three. The protocols are spoken-ezsp.c (over spoken-ash.c), spoken-cpc.c, spoken-spinel.c and
 * spoken-zwave.c, each made from its document.
 */
#pragma once

#include <stdio.h>

#include "sim/memory.h"
#include "sim/outgoing.h"

/* The longest frame of any of them, escapes not counted. */
#define SPOKEN_FRAME_BYTES 300

#define SPOKEN_BEGIN	   "plugflash-speaks "

struct spoken;

struct spoken_protocol {
	const char *name;		      /* "ezsp" */
	void (*start)(struct spoken *spoken); /* out of a reset */
	void (*hear)(struct spoken *spoken, uint8_t byte);
};

/* The layer below EZSP (UG101). */
struct spoken_ash {
	bool is_connected;
	bool has_failed;      /* nothing but a reset helps */
	uint8_t next_said;    /* number of its next DATA frame */
	uint8_t next_heard;   /* number of the host's next DATA frame */
	uint8_t acknowledged; /* the host has all before this one */
	bool is_rejecting;    /* it has sent a NAK and waits for the frame again */
	/* DATA frames that were not acknowledged yet, for another copy. */
	struct {
		uint8_t bytes[SPOKEN_FRAME_BYTES];
		size_t n_bytes;
	} kept[8];
	uint64_t repeat_at;
	unsigned n_repeats;
};

/* The last data frame of a Z-Wave controller, until it was acknowledged. */
struct spoken_zwave {
	uint8_t kept[64];
	size_t n_kept;
	unsigned n_repeats;
	bool is_lost;	   /* in a mode in which it says nothing */
	uint64_t begun_at; /* the frame that it receives */
};

struct spoken {
	const struct sim_chip *chip;
	struct fault *fault;
	struct sim_counters *counters;
	struct outgoing *outgoing;

	const struct spoken_protocol *protocol; /* NULL: no such application runs */
	uint32_t baud;
	char version[32];
	unsigned numbers[4]; /* of it */

	bool is_clear; /* to send: RTS is asserted */
	uint64_t now;
	uint64_t line_free_at;
	uint64_t due_at; /* SIM_NEVER: nothing of its own accord */
	void (*on_due)(struct spoken *spoken);
	bool is_resetting;  /* until then */
	uint64_t leaves_at; /* for the boot loader; SIM_NEVER: it stays */

	uint64_t n_heard, n_said; /* frames */
	uint8_t frame[SPOKEN_FRAME_BYTES];
	size_t n_frame;
	bool is_escaped, is_overlong;

	struct spoken_ash ash;
	struct spoken_zwave zwave;
	unsigned ezsp_version; /* agreed with the host; 0: not yet */
	uint32_t reboot_mode;  /* CPC */
};

/* Starts what the flash has at `now`; false where no such application is in it. */
bool spoken_start(struct spoken *spoken, const struct memory *memory, uint64_t now);
void spoken_stop(struct spoken *spoken);

/* A byte that arrives at `now`, as its receiver understood it. */
void spoken_receive(struct spoken *spoken, uint8_t byte, uint64_t now);

/* When something of its own accord is due; SIM_NEVER: nothing. */
uint64_t spoken_next(const struct spoken *spoken);
void spoken_step(struct spoken *spoken);

/* Whether it has left for the boot loader by `now`. */
bool spoken_has_left(const struct spoken *spoken, uint64_t now);

/* The line by which an application says what it is, with its NUL. */
static inline int spoken_words(
	char *to, size_t n_to, const char *protocol, const char *version, uint32_t baud)
{
	return snprintf(to, n_to, SPOKEN_BEGIN "%s %s %u\r\n", protocol, version, baud);
}

/* For the protocols: */

extern const struct spoken_protocol spoken_ezsp, spoken_cpc, spoken_spinel, spoken_zwave;

enum spoken_fate { SPOKEN_WHOLE, SPOKEN_LOST, SPOKEN_SPOILT, SPOKEN_CUT };

/* Counts a frame; what the knobs do to it. */
enum spoken_fate spoken_count_heard(struct spoken *spoken);
enum spoken_fate spoken_count_said(struct spoken *spoken);

/* Bytes on the line, one after the other. */
void spoken_put(struct spoken *spoken, const uint8_t *bytes, size_t n_bytes);

/* The same, as a frame: counted, and what the knobs do to it is done. A bad check is one in its
 * byte `check`, counted from the end. */
void spoken_put_frame(struct spoken *spoken, const uint8_t *bytes, size_t n_bytes, size_t check);

/* It gives way to the boot loader once all is said, unless a knob has it stay. */
void spoken_launch(struct spoken *spoken);

/* It resets by its own protocol, hears nothing meanwhile, and goes on with that function. */
void spoken_begin_reset(struct spoken *spoken, void (*on_end)(struct spoken *spoken));

/* What it says of itself, by the knob. */
const char *spoken_version(const struct spoken *spoken);
