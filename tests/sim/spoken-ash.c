/* SPDX-License-Identifier: MIT */
/*
 * spoken-ash.c - see spoken-ash.h. By UG101 ("UART-EZSP Gateway Protocol Reference"): frames of
 * section 2 and 3, escapes and the pseudo-random sequence of section 4, acknowledgements, NAKs and
 * repeats of section 5, the FAILED state of section 6.
 */
#include "sim/spoken-ash.h"

#include <string.h>

#include "sim/fault.h"

#define NSEC_PER_MS UINT64_C(1000000)

/* T_RX_ACK_INIT and ACK_TIMEOUTS; the time does not adapt itself here. */
#define REPEAT_NSEC (1600 * NSEC_PER_MS)
#define MAX_REPEATS 4

#define ASH_VERSION 2

/* "Reset and Error Codes". */
#define RESET_SOFTWARE 0x0B
#define ERROR_TIMEOUTS 0x51
#define ERROR_LOCKED   0x80 /* of the chip */

enum {
	FLAG = 0x7E,
	ESCAPE = 0x7D,
	XON = 0x11,
	XOFF = 0x13,
	SUBSTITUTE = 0x18,
	CANCEL = 0x1A,
};

enum { CONTROL_ACK = 0x80, CONTROL_NAK = 0xA0, CONTROL_RST = 0xC0, CONTROL_RSTACK, CONTROL_ERROR };

static const struct sim_spoken_faults *knobs(const struct spoken *spoken)
{
	return &spoken->fault->knobs.spoken;
}

/* CRC-CCITT, x^16 + x^12 + x^5 + 1, from FFFF on; section 2.3. */
static uint16_t crc_of(const uint8_t *bytes, size_t n_bytes)
{
	uint32_t rest = 0xFFFF;

	for (size_t i = 0; i < n_bytes; i++) {
		rest ^= (uint32_t)bytes[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			rest = (rest << 1 ^ (rest & 0x8000 ? 0x1021 : 0)) & 0xFFFF;
	}
	return (uint16_t)rest;
}

/* Section 4.3. */
static void scramble(uint8_t *bytes, size_t n_bytes)
{
	uint8_t random = 0x42;

	for (size_t i = 0; i < n_bytes; i++) {
		bytes[i] ^= random;
		random = (uint8_t)(random & 1 ? random >> 1 ^ 0xB8 : random >> 1);
	}
}

static bool is_reserved(uint8_t byte)
{
	return byte == FLAG || byte == ESCAPE || byte == XON || byte == XOFF ||
	       byte == SUBSTITUTE || byte == CANCEL;
}

/* ------------------------------------------------------------------ sending */

static size_t stuff(uint8_t *to, uint8_t byte)
{
	if (!is_reserved(byte)) {
		to[0] = byte;
		return 1;
	}
	to[0] = ESCAPE;
	to[1] = byte ^ 0x20;
	return 2;
}

static void put_frame(struct spoken *spoken, const uint8_t *bytes, size_t n_bytes, bool cancels)
{
	uint8_t line[SPOKEN_FRAME_BYTES * 2 + 8];
	uint16_t crc = crc_of(bytes, n_bytes);
	size_t n = 0;

	if (cancels)
		line[n++] = CANCEL;
	for (size_t i = 0; i < n_bytes; i++)
		n += stuff(line + n, bytes[i]);
	n += stuff(line + n, (uint8_t)(crc >> 8));
	n += stuff(line + n, (uint8_t)crc);
	line[n++] = FLAG;
	spoken_put_frame(spoken, line, n, 2);
}

static void put_control(struct spoken *spoken, uint8_t control)
{
	put_frame(spoken, &control, 1, false);
}

static void put_state(struct spoken *spoken, uint8_t control, uint8_t code)
{
	put_frame(spoken, (const uint8_t[]){control, ASH_VERSION, code}, 3,
		control == CONTROL_RSTACK);
}

static void acknowledge(struct spoken *spoken)
{
	put_control(spoken, CONTROL_ACK | spoken->ash.next_heard);
}

static void fail(struct spoken *spoken, uint8_t code)
{
	spoken->ash.has_failed = true;
	spoken->ash.is_connected = false;
	spoken->due_at = SIM_NEVER;
	put_state(spoken, CONTROL_ERROR, code);
}

static void repeat_all(struct spoken *spoken);

static void expect_acknowledgement(struct spoken *spoken)
{
	spoken->due_at = spoken->ash.acknowledged == spoken->ash.next_said
				 ? SIM_NEVER
				 : spoken->now + REPEAT_NSEC;
	spoken->on_due = repeat_all;
}

static void put_data(struct spoken *spoken, uint8_t number, bool is_repeated)
{
	uint8_t frame[SPOKEN_FRAME_BYTES + 1];
	size_t n = spoken->ash.kept[number].n_bytes;

	frame[0] = (uint8_t)(number << 4 | (is_repeated ? 8 : 0) | spoken->ash.next_heard);
	memcpy(frame + 1, spoken->ash.kept[number].bytes, n);
	put_frame(spoken, frame, 1 + n, false);
}

static void put_from(struct spoken *spoken, uint8_t number)
{
	for (; number != spoken->ash.next_said; number = (number + 1) % 8)
		put_data(spoken, number, true);
	expect_acknowledgement(spoken);
}

static void repeat_all(struct spoken *spoken)
{
	if (++spoken->ash.n_repeats > MAX_REPEATS)
		fail(spoken, ERROR_TIMEOUTS);
	else
		put_from(spoken, spoken->ash.acknowledged);
}

void spoken_ash_say(struct spoken *spoken, const uint8_t *data, size_t n_data)
{
	uint8_t number = spoken->ash.next_said;

	memcpy(spoken->ash.kept[number].bytes, data, n_data);
	scramble(spoken->ash.kept[number].bytes, n_data);
	spoken->ash.kept[number].n_bytes = n_data;
	spoken->ash.next_said = (number + 1) % 8;
	put_data(spoken, number, false);
	expect_acknowledgement(spoken);
}

/* ------------------------------------------------------------------ resets */

void spoken_ash_start(struct spoken *spoken, uint8_t code)
{
	spoken->ash = (struct spoken_ash){
		.is_connected = !knobs(spoken)->is_locked, .has_failed = knobs(spoken)->is_locked};
	spoken->n_frame = 0;
	spoken->is_escaped = spoken->is_overlong = false;
	spoken_ezsp_reset(spoken);
	put_state(spoken, CONTROL_RSTACK, code);
}

static void end_reset(struct spoken *spoken)
{
	spoken_ash_start(spoken, RESET_SOFTWARE);
	spoken->ash.is_connected = true;
	spoken->ash.has_failed = false;
}

static void begin_reset(struct spoken *spoken)
{
	spoken->ash = (struct spoken_ash){0};
	spoken_begin_reset(spoken, end_reset);
}

/* ------------------------------------------------------------------ receiving */

/* Frames before `number` have arrived; a number that is not in the window says nothing. */
static void take_acknowledgement(struct spoken *spoken, uint8_t number)
{
	uint8_t n_sent = (uint8_t)(spoken->ash.next_said - spoken->ash.acknowledged) % 8;
	uint8_t n_taken = (uint8_t)(number - spoken->ash.acknowledged) % 8;

	if (n_taken > n_sent)
		return;
	if (n_taken > 0)
		spoken->ash.n_repeats = 0;
	spoken->ash.acknowledged = number;
	expect_acknowledgement(spoken);
}

static void reject(struct spoken *spoken)
{
	if (!spoken->ash.is_rejecting)
		put_control(spoken, CONTROL_NAK | spoken->ash.next_heard);
	spoken->ash.is_rejecting = true;
}

static void take_data(struct spoken *spoken, uint8_t *frame, size_t n_frame)
{
	uint8_t number = frame[0] >> 4;

	take_acknowledgement(spoken, frame[0] & 7);
	if (number != spoken->ash.next_heard) {
		if (frame[0] & 8)
			acknowledge(spoken);
		else
			reject(spoken);
		return;
	}
	spoken->ash.is_rejecting = false;
	spoken->ash.next_heard = (number + 1) % 8;
	scramble(frame + 1, n_frame - 1);
	spoken_ezsp_take(spoken, frame + 1, n_frame - 1);
}

static void take_connected(struct spoken *spoken, uint8_t *frame, size_t n_frame)
{
	if (!(frame[0] & 0x80)) {
		take_data(spoken, frame, n_frame);
	} else if ((frame[0] & 0xE0) == CONTROL_ACK && n_frame == 1) {
		take_acknowledgement(spoken, frame[0] & 7);
	} else if ((frame[0] & 0xE0) == CONTROL_NAK && n_frame == 1) {
		take_acknowledgement(spoken, frame[0] & 7);
		put_from(spoken, spoken->ash.acknowledged);
	}
}

static void take_frame(struct spoken *spoken)
{
	uint8_t *frame = spoken->frame;
	size_t n_frame = spoken->n_frame;
	enum spoken_fate fate = spoken_count_heard(spoken);
	bool is_sound =
		n_frame >= 3 && fate != SPOKEN_SPOILT &&
		crc_of(frame, n_frame - 2) == (frame[n_frame - 2] << 8 | frame[n_frame - 1]);

	if (fate == SPOKEN_LOST)
		return;
	n_frame = is_sound ? n_frame - 2 : 0;
	if (is_sound && frame[0] == CONTROL_RST && n_frame == 1)
		begin_reset(spoken);
	else if (spoken->ash.has_failed && is_sound)
		put_state(spoken, CONTROL_ERROR, ERROR_LOCKED);
	else if (spoken->ash.is_connected && is_sound)
		take_connected(spoken, frame, n_frame);
	else if (spoken->ash.is_connected)
		reject(spoken);
}

void spoken_ash_hear(struct spoken *spoken, uint8_t byte)
{
	switch (byte) {
	case FLAG:
		if (spoken->n_frame > 0 && !spoken->is_overlong)
			take_frame(spoken);
		spoken->n_frame = 0;
		spoken->is_escaped = spoken->is_overlong = false;
		break;
	case CANCEL:
		spoken->n_frame = 0;
		spoken->is_escaped = spoken->is_overlong = false;
		break;
	case SUBSTITUTE:
		spoken->is_overlong = true;
		break;
	case XON:
	case XOFF:
		break;
	case ESCAPE:
		spoken->is_escaped = true;
		break;
	default:
		if (spoken->n_frame == sizeof(spoken->frame))
			spoken->is_overlong = true;
		else
			spoken->frame[spoken->n_frame++] = spoken->is_escaped ? byte ^ 0x20 : byte;
		spoken->is_escaped = false;
	}
}
