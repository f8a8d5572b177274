/* SPDX-License-Identifier: MIT */
/*
 * spoken-cpc.c - the system endpoint of a stick that speaks CPC (Silicon Labs' Co-Processor
 * Communication), as far as unnumbered frames go: properties and a reset. By the headers of
 * Silicon Labs' daemon (cpcd, "system.h" and "hdlc.h"): a frame is flag, endpoint, length, control,
 * check of these five, payload, check of the payload; numbers are little-endian; a check is a
 * CRC-16/XMODEM.
 */
#include <string.h>

#include "sim/fault.h"
#include "sim/resident.h"
#include "sim/spoken.h"

#define FLAG	      0x14
#define HEAD_BYTES    7
#define CHECK_BYTES   2

#define SYSTEM	      0 /* endpoint */
#define IS_UNNUMBERED 0xC0
#define TYPE_MASK     0x3F
#define TYPE_POLL     0x04 /* one that is answered */
#define TYPE_UNASKED  0x00

enum { RESET = 0x01, VALUE_GET = 0x02, VALUE_SET = 0x03, VALUE_IS = 0x06 };

enum {
	LAST_STATUS = 0x00,
	PROTOCOL_VERSION = 0x01,
	CAPABILITIES = 0x02,
	CPC_VERSION = 0x03,
	APP_VERSION = 0x04,
	REBOOT_MODE = 0x202,
};

enum { STATUS_OK = 0, STATUS_INVALID_COMMAND = 5, STATUS_NOT_FOUND = 13, STATUS_RESET = 114 };

#define REBOOT_LOADER 1

static const struct sim_spoken_faults *knobs(const struct spoken *spoken)
{
	return &spoken->fault->knobs.spoken;
}

static size_t put32(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> 8 * i);
	return 4;
}

static uint32_t word(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

static void put_check(uint8_t *to, const uint8_t *bytes, size_t n_bytes)
{
	uint16_t crc = resident_crc(bytes, n_bytes);

	to[0] = (uint8_t)crc;
	to[1] = (uint8_t)(crc >> 8);
}

static bool is_checked(const uint8_t *bytes, size_t n_bytes)
{
	uint8_t check[CHECK_BYTES];

	put_check(check, bytes, n_bytes);
	return memcmp(check, bytes + n_bytes, sizeof(check)) == 0;
}

/* ------------------------------------------------------------------ sending */

static void say(struct spoken *spoken, uint8_t type, uint8_t command, uint8_t sequence,
	const uint8_t *payload, size_t n_payload)
{
	uint8_t frame[SPOKEN_FRAME_BYTES];
	size_t n = 4 + n_payload, length = n + CHECK_BYTES;

	frame[0] = FLAG;
	frame[1] = SYSTEM;
	frame[2] = (uint8_t)length;
	frame[3] = (uint8_t)(length >> 8);
	frame[4] = IS_UNNUMBERED | type;
	put_check(frame + 5, frame, 5);
	frame[7] = command;
	frame[8] = sequence;
	frame[9] = (uint8_t)n_payload;
	frame[10] = (uint8_t)(n_payload >> 8);
	memcpy(frame + 11, payload, n_payload);
	put_check(frame + HEAD_BYTES + n, frame + HEAD_BYTES, n);
	spoken_put_frame(spoken, frame, HEAD_BYTES + length, CHECK_BYTES);
}

static void say_value(struct spoken *spoken, uint8_t type, uint8_t sequence, uint32_t property,
	const void *value, size_t n_value)
{
	uint8_t payload[200];

	put32(payload, property);
	memcpy(payload + 4, value, n_value);
	say(spoken, type, VALUE_IS, sequence, payload, 4 + n_value);
}

static void say_status(struct spoken *spoken, uint8_t type, uint8_t sequence, uint32_t status)
{
	uint8_t value[4];

	put32(value, status);
	say_value(spoken, type, sequence, LAST_STATUS, value, sizeof(value));
}

static void start(struct spoken *spoken)
{
	spoken->n_frame = 0;
	spoken->reboot_mode = 0;
	say_status(spoken, TYPE_UNASKED, 0, STATUS_RESET);
}

/* ------------------------------------------------------------------ commands */

static void get(struct spoken *spoken, uint8_t sequence, uint32_t property)
{
	const char *app = knobs(spoken)->app_version ? knobs(spoken)->app_version : "UNDEFINED";
	unsigned n[3] = {0};
	uint8_t value[12] = {0};

	(void)sscanf(spoken_version(spoken), "%u.%u.%u", &n[0], &n[1], &n[2]);
	switch (property) {
	case PROTOCOL_VERSION:
		value[0] = 5;
		say_value(spoken, TYPE_POLL, sequence, property, value, 1);
		break;
	case CAPABILITIES:
		say_value(spoken, TYPE_POLL, sequence, property, value, 4);
		break;
	case CPC_VERSION:
		for (int i = 0; i < 3; i++)
			put32(value + 4 * i, n[i]);
		say_value(spoken, TYPE_POLL, sequence, property, value, 12);
		break;
	case APP_VERSION:
		say_value(spoken, TYPE_POLL, sequence, property, app, strlen(app) + 1);
		break;
	default:
		say_status(spoken, TYPE_POLL, sequence, STATUS_NOT_FOUND);
	}
}

static void set(struct spoken *spoken, uint8_t sequence, uint32_t property, const uint8_t *value,
	size_t n_value)
{
	uint32_t error = knobs(spoken)->launch_error;

	if (property != REBOOT_MODE || n_value != 4 || knobs(spoken)->has_no_command)
		error = STATUS_NOT_FOUND;
	if (error) {
		say_status(spoken, TYPE_POLL, sequence, error);
		return;
	}
	spoken->reboot_mode = word(value);
	say_value(spoken, TYPE_POLL, sequence, property, value, n_value);
}

static void end_reset(struct spoken *spoken)
{
	start(spoken);
}

static void reset(struct spoken *spoken, uint8_t sequence)
{
	uint8_t status[4];

	put32(status, STATUS_OK);
	if (!knobs(spoken)->launch_is_silent)
		say(spoken, TYPE_POLL, RESET, sequence, status, sizeof(status));
	if (spoken->reboot_mode == REBOOT_LOADER) {
		spoken_launch(spoken);
		return;
	}
	spoken_begin_reset(spoken, end_reset);
}

static void obey(struct spoken *spoken, const uint8_t *payload, size_t n_payload)
{
	uint8_t command = payload[0], sequence = payload[1];
	size_t n = (size_t)payload[2] | (size_t)payload[3] << 8;

	if (n > n_payload - 4 || knobs(spoken)->is_locked)
		return;
	if (knobs(spoken)->talks)
		say_status(spoken, TYPE_UNASKED, 0, STATUS_OK);
	if (command == RESET)
		reset(spoken, sequence);
	else if (command == VALUE_GET && n >= 4)
		get(spoken, sequence, word(payload + 4));
	else if (command == VALUE_SET && n >= 4)
		set(spoken, sequence, word(payload + 4), payload + 8, n - 4);
	else
		say_status(spoken, TYPE_POLL, sequence, STATUS_INVALID_COMMAND);
}

/* ------------------------------------------------------------------ frames */

/* The bytes behind the first go through again: a frame may begin among them. */
static void drop_first(struct spoken *spoken)
{
	uint8_t *next = memchr(spoken->frame + 1, FLAG, spoken->n_frame - 1);

	spoken->n_frame = next ? (size_t)(spoken->frame + spoken->n_frame - next) : 0;
	if (next)
		memmove(spoken->frame, next, spoken->n_frame);
}

static void take_frame(struct spoken *spoken, size_t length)
{
	const uint8_t *payload = spoken->frame + HEAD_BYTES;
	size_t n_payload = length - CHECK_BYTES;
	enum spoken_fate fate = spoken_count_heard(spoken);
	uint8_t control = spoken->frame[4];

	if (fate == SPOKEN_WHOLE && is_checked(payload, n_payload) && spoken->frame[1] == SYSTEM &&
		control == (IS_UNNUMBERED | TYPE_POLL) && n_payload >= 4)
		obey(spoken, payload, n_payload);
	spoken->n_frame = 0;
}

static void hear(struct spoken *spoken, uint8_t byte)
{
	size_t length;

	if (spoken->n_frame == 0 && byte != FLAG)
		return;
	spoken->frame[spoken->n_frame++] = byte;
	while (spoken->n_frame >= HEAD_BYTES) {
		length = (size_t)spoken->frame[2] | (size_t)spoken->frame[3] << 8;
		if (!is_checked(spoken->frame, 5) || length < CHECK_BYTES ||
			length > sizeof(spoken->frame) - HEAD_BYTES) {
			drop_first(spoken);
			continue;
		}
		if (spoken->n_frame >= HEAD_BYTES + length)
			take_frame(spoken, length);
		return;
	}
}

const struct spoken_protocol spoken_cpc = {
	.name = "cpc",
	.start = start,
	.hear = hear,
};
