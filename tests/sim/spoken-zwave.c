/* SPDX-License-Identifier: MIT */
/*
 * spoken-zwave.c - the serial API of a Z-Wave controller, as far as its versions and the boot
 * loader go (Silicon Labs INS12350 and INS13954, and the Z-Wave Host API specification of the
 * Z-Wave Alliance). A data frame is SOF, length, type, function, data, and the complement of the
 * sum without carry over all behind SOF; each is acknowledged by one byte, and sent up to three
 * times.
 *
 * The fourth number of its version is that of the firmware, times a hundred: 7.18.1.140 is 1.40.
 */
#include <string.h>

#include "sim/fault.h"
#include "sim/spoken.h"

enum { SOF = 0x01, ACK = 0x06, NAK = 0x15, CAN = 0x18 };
enum { REQUEST = 0, RESPONSE = 1 };

enum {
	GET_CAPABILITIES = 0x07,
	SOFT_RESET = 0x08,
	GET_PROTOCOL_VERSION = 0x09,
	STARTED = 0x0A, /* of its own accord */
	GET_VERSION = 0x15,
	LAUNCH = 0x27,
};

#define NSEC_PER_MS    UINT64_C(1000000)
#define REPEAT_NSEC    (1600 * NSEC_PER_MS)
#define RECEPTION_NSEC (1500 * NSEC_PER_MS)
#define MAX_REPEATS    2

/* Series 500: the same command leads into a mode in which nothing is said any more. */
#define SERIES_700 7

static const struct sim_spoken_faults *knobs(const struct spoken *spoken)
{
	return &spoken->fault->knobs.spoken;
}

static uint8_t sum_of(const uint8_t *bytes, size_t n_bytes)
{
	uint8_t sum = 0xFF;

	for (size_t i = 0; i < n_bytes; i++)
		sum ^= bytes[i];
	return sum;
}

static void put_kept(struct spoken *spoken);

static void repeat(struct spoken *spoken)
{
	if (spoken->zwave.n_repeats++ < MAX_REPEATS)
		put_kept(spoken);
}

static void put_kept(struct spoken *spoken)
{
	spoken_put_frame(spoken, spoken->zwave.kept, spoken->zwave.n_kept, 1);
	spoken->due_at = spoken->now + REPEAT_NSEC;
	spoken->on_due = repeat;
}

static void say(
	struct spoken *spoken, uint8_t type, uint8_t function, const void *data, size_t n_data)
{
	uint8_t *frame = spoken->zwave.kept;

	frame[0] = SOF;
	frame[1] = (uint8_t)(n_data + 3);
	frame[2] = type;
	frame[3] = function;
	memcpy(frame + 4, data, n_data);
	frame[4 + n_data] = sum_of(frame + 1, n_data + 3);
	spoken->zwave.n_kept = n_data + 5;
	spoken->zwave.n_repeats = 0;
	put_kept(spoken);
}

/* Woken up by a software reset; what follows are its kind and command classes. */
static void start(struct spoken *spoken)
{
	static const uint8_t data[] = {0x03, 0x00, 0x02, 0x01, 0x00, 0x00};

	spoken->n_frame = 0;
	spoken->zwave.is_lost = false;
	say(spoken, REQUEST, STARTED, data, sizeof(data));
}

/* ------------------------------------------------------------------ commands */

static void numbers_of(const struct spoken *spoken, unsigned n[4])
{
	memset(n, 0, 4 * sizeof(*n));
	(void)sscanf(spoken_version(spoken), "%u.%u.%u.%u", &n[0], &n[1], &n[2], &n[3]);
}

static void say_version(struct spoken *spoken)
{
	unsigned n[4];
	char text[13] = "";

	numbers_of(spoken, n);
	snprintf(text, sizeof(text), "Z-Wave %u.%02u", n[0] % 100, n[1] % 100);
	text[sizeof(text) - 1] = 1; /* a static controller */
	say(spoken, RESPONSE, GET_VERSION, text, sizeof(text));
}

static void say_protocol_version(struct spoken *spoken)
{
	unsigned n[4];

	numbers_of(spoken, n);
	say(spoken, RESPONSE, GET_PROTOCOL_VERSION,
		(const uint8_t[]){0, (uint8_t)n[0], (uint8_t)n[1], (uint8_t)n[2], 0, 0}, 6);
}

/* Version of the firmware, maker, kind and number of the product, and a bit a function. */
static void say_capabilities(struct spoken *spoken)
{
	static const uint8_t functions[] = {
		GET_CAPABILITIES, SOFT_RESET, GET_PROTOCOL_VERSION, GET_VERSION, LAUNCH};
	unsigned n[4];
	uint8_t data[40] = {0, 0, 0x00, 0x00, 0x00, 0x04, 0x00, 0x04};

	numbers_of(spoken, n);
	data[0] = (uint8_t)(n[3] / 100);
	data[1] = (uint8_t)(n[3] % 100);
	for (size_t i = 0; i < sizeof(functions); i++)
		data[8 + (functions[i] - 1) / 8] |= (uint8_t)(1 << (functions[i] - 1) % 8);
	if (n[0] < SERIES_700 || knobs(spoken)->has_no_command)
		data[8 + (GET_PROTOCOL_VERSION - 1) / 8] &= (uint8_t)~1;
	say(spoken, RESPONSE, GET_CAPABILITIES, data, sizeof(data));
}

static void launch(struct spoken *spoken)
{
	unsigned n[4];

	numbers_of(spoken, n);
	if (n[0] < SERIES_700)
		spoken->zwave.is_lost = true;
	else if (!knobs(spoken)->has_no_command && !knobs(spoken)->launch_error)
		spoken_launch(spoken);
}

/* A function that it does not know is acknowledged, and that is all. */
static void obey(struct spoken *spoken, uint8_t function)
{
	switch (function) {
	case GET_VERSION:
		say_version(spoken);
		break;
	case GET_PROTOCOL_VERSION:
		if (spoken->numbers[0] >= SERIES_700)
			say_protocol_version(spoken);
		break;
	case GET_CAPABILITIES:
		say_capabilities(spoken);
		break;
	case SOFT_RESET:
		spoken_begin_reset(spoken, start);
		break;
	case LAUNCH:
		launch(spoken);
		break;
	default:
		break;
	}
}

static void take_frame(struct spoken *spoken)
{
	const uint8_t *frame = spoken->frame;
	size_t n = spoken->n_frame;
	enum spoken_fate fate = spoken_count_heard(spoken);
	uint8_t answer = ACK;

	spoken->n_frame = 0;
	if (fate == SPOKEN_LOST || knobs(spoken)->is_locked)
		return;
	if (fate == SPOKEN_SPOILT || sum_of(frame + 1, n - 2) != frame[n - 1])
		answer = NAK;
	if (!knobs(spoken)->is_mute)
		spoken_put(spoken, &answer, 1);
	if (answer == NAK || frame[2] != REQUEST)
		return;
	if (knobs(spoken)->talks)
		say(spoken, REQUEST, 0x49, (const uint8_t[]){0x84, 1, 0}, 3);
	obey(spoken, frame[3]);
}

static void hear(struct spoken *spoken, uint8_t byte)
{
	if (spoken->zwave.is_lost)
		return;
	/* A frame that takes longer is given up (INS12350 "Data frame reception timeout"). */
	if (spoken->now > spoken->zwave.begun_at + RECEPTION_NSEC)
		spoken->n_frame = 0;
	if (spoken->n_frame > 0) {
		spoken->frame[spoken->n_frame++] = byte;
		if (spoken->n_frame == 2 && byte < 3)
			spoken->n_frame = 0;
		else if (spoken->n_frame >= 2 && spoken->n_frame == (size_t)spoken->frame[1] + 2)
			take_frame(spoken);
		return;
	}
	switch (byte) {
	case SOF:
		spoken->zwave.begun_at = spoken->now;
		spoken->frame[spoken->n_frame++] = byte;
		break;
	case ACK:
		spoken->due_at = SIM_NEVER;
		break;
	case NAK:
		if (spoken->due_at != SIM_NEVER && spoken->on_due == repeat)
			repeat(spoken);
		break;
	default:
		break;
	}
}

const struct spoken_protocol spoken_zwave = {
	.name = "zwave",
	.start = start,
	.hear = hear,
};
