/* SPDX-License-Identifier: MIT */
/*
 * spoken-spinel.c - an OpenThread co-processor, as far as its version and a reset go: Spinel
 * (draft-rquattle-spinel-unified) in frames of HDLC-lite. A frame is header, command and, for a
 * property, its number (7 bits a byte, least significant first) and value; a check is a
 * CRC-16/X-25, least significant byte first.
 */
#include <string.h>

#include "sim/fault.h"
#include "sim/spoken.h"

enum { FLAG = 0x7E, ESCAPE = 0x7D, XON = 0x11, XOFF = 0x13, VENDOR = 0xF8 };

enum { RESET = 1, VALUE_GET = 2, VALUE_IS = 6 };

enum { LAST_STATUS = 0, PROTOCOL_VERSION = 1, NCP_VERSION = 2, INTERFACE_TYPE = 3, CAPS = 5 };

enum { STATUS_INVALID_COMMAND = 5, STATUS_NOT_FOUND = 13, STATUS_RESET = 114 };

#define HEADER	     0x80
#define RESET_LOADER 3 /* its reason; 1 the platform, 2 the stack */
#define CHECK_BYTES  2

static const struct sim_spoken_faults *knobs(const struct spoken *spoken)
{
	return &spoken->fault->knobs.spoken;
}

static uint16_t check_of(const uint8_t *bytes, size_t n_bytes)
{
	uint16_t rest = 0xFFFF;

	for (size_t i = 0; i < n_bytes; i++) {
		rest ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			rest = rest & 1 ? (uint16_t)(rest >> 1 ^ 0x8408) : rest >> 1;
	}
	return (uint16_t)~rest;
}

static size_t stuff(uint8_t *to, uint8_t byte)
{
	bool is_reserved =
		byte == FLAG || byte == ESCAPE || byte == XON || byte == XOFF || byte == VENDOR;

	if (!is_reserved) {
		to[0] = byte;
		return 1;
	}
	to[0] = ESCAPE;
	to[1] = byte ^ 0x20;
	return 2;
}

static void say(
	struct spoken *spoken, uint8_t header, uint8_t property, const void *value, size_t n_value)
{
	uint8_t frame[SPOKEN_FRAME_BYTES / 2] = {header, VALUE_IS, property};
	uint8_t line[SPOKEN_FRAME_BYTES + 10];
	uint16_t check;
	size_t n = 0;

	memcpy(frame + 3, value, n_value);
	check = check_of(frame, 3 + n_value);
	line[n++] = FLAG;
	for (size_t i = 0; i < 3 + n_value; i++)
		n += stuff(line + n, frame[i]);
	n += stuff(line + n, (uint8_t)check);
	n += stuff(line + n, (uint8_t)(check >> 8));
	line[n++] = FLAG;
	spoken_put_frame(spoken, line, n, 2);
}

static void say_status(struct spoken *spoken, uint8_t header, uint8_t status)
{
	say(spoken, header, LAST_STATUS, &status, 1);
}

static void start(struct spoken *spoken)
{
	spoken->n_frame = 0;
	spoken->is_escaped = spoken->is_overlong = false;
	say_status(spoken, HEADER, STATUS_RESET);
}

/* ------------------------------------------------------------------ commands */

static void get(struct spoken *spoken, uint8_t header, uint8_t property)
{
	char version[140];

	switch (property) {
	case PROTOCOL_VERSION:
		say(spoken, header, property, (const uint8_t[]){4, 3}, 2);
		break;
	case NCP_VERSION:
		if (knobs(spoken)->version)
			snprintf(version, sizeof(version), "%s", knobs(spoken)->version);
		else
			snprintf(version, sizeof(version),
				"SL-OPENTHREAD/%s_GitHub-7074a43e4; EFR32; Oct 21 2024 14:40:57",
				spoken->version);
		say(spoken, header, property, version, strlen(version) + 1);
		break;
	case INTERFACE_TYPE:
		say(spoken, header, property, (const uint8_t[]){3}, 1);
		break;
	case CAPS:
		say(spoken, header, property, (const uint8_t[]){5, 0x21}, 2);
		break;
	default:
		say_status(spoken, header, STATUS_NOT_FOUND);
	}
}

/* A command without a reason resets the platform. */
static void reset(struct spoken *spoken, uint8_t header, const uint8_t *value, size_t n_value)
{
	bool is_launch = n_value == 1 && value[0] == RESET_LOADER;

	if (is_launch && knobs(spoken)->launch_error) {
		say_status(spoken, header, (uint8_t)knobs(spoken)->launch_error);
	} else if (is_launch && !knobs(spoken)->has_no_command) {
		spoken_launch(spoken);
	} else {
		/* An old one resets, whatever the reason. */
		spoken_begin_reset(spoken, start);
	}
}

static void take_frame(struct spoken *spoken)
{
	const uint8_t *frame = spoken->frame;
	size_t n = spoken->n_frame;
	enum spoken_fate fate = spoken_count_heard(spoken);

	if (fate != SPOKEN_WHOLE || n < 2 + CHECK_BYTES || knobs(spoken)->is_locked ||
		check_of(frame, n - 2) != (frame[n - 2] | frame[n - 1] << 8) ||
		(frame[0] & 0xC0) != HEADER)
		return;
	n -= CHECK_BYTES;
	if (knobs(spoken)->talks)
		say_status(spoken, HEADER, 0);
	if (frame[1] == RESET)
		reset(spoken, frame[0], frame + 2, n - 2);
	else if (frame[1] == VALUE_GET && n >= 3)
		get(spoken, frame[0], frame[2]);
	else
		say_status(spoken, frame[0], STATUS_INVALID_COMMAND);
}

static void hear(struct spoken *spoken, uint8_t byte)
{
	switch (byte) {
	case FLAG:
		if (spoken->n_frame > 0 && !spoken->is_overlong)
			take_frame(spoken);
		spoken->n_frame = 0;
		spoken->is_escaped = spoken->is_overlong = false;
		break;
	case ESCAPE:
		spoken->is_escaped = true;
		break;
	case XON:
	case XOFF:
		break;
	default:
		if (spoken->n_frame == sizeof(spoken->frame))
			spoken->is_overlong = true;
		else
			spoken->frame[spoken->n_frame++] = spoken->is_escaped ? byte ^ 0x20 : byte;
		spoken->is_escaped = false;
	}
}

const struct spoken_protocol spoken_spinel = {
	.name = "spinel",
	.start = start,
	.hear = hear,
};
