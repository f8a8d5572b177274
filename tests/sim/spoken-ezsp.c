/* SPDX-License-Identifier: MIT */
/*
 * spoken-ezsp.c - EZSP as a stick with EmberZNet answers it, by UG100 ("EZSP Reference Guide"): the
 * formats of a frame, the agreement on a version, the commands that say what it is, and the one
 * that launches the boot loader. Of all others it says that it does not know them.
 */
#include <string.h>

#include "base/util.h"
#include "sim/fault.h"
#include "sim/spoken-ash.h"

#define RESET_SOFTWARE 0x0B

enum {
	FRAME_VERSION = 0x00,
	FRAME_NOP = 0x05,
	FRAME_STACK_STATUS = 0x19, /* of its own accord */
	FRAME_INVALID = 0x58,
	FRAME_LAUNCH = 0x8F,
	FRAME_LOADER_VERSION = 0x91,
	FRAME_GET_VALUE = 0xAA,
};

/* EzspStatus. */
enum { ERROR_VERSION_NOT_SET = 0x30, ERROR_INVALID_FRAME_ID = 0x31, ERROR_INVALID_VALUE = 0x36 };

#define VALUE_VERSION_INFO 0x11
#define STACK_MESH	   2
#define CALLBACK	   0x10 /* in the frame control */

static const struct sim_spoken_faults *knobs(const struct spoken *spoken)
{
	return &spoken->fault->knobs.spoken;
}

/* The version of EZSP that came with each EmberZNet, by the release notes. */
static unsigned ezsp_of(const struct spoken *spoken)
{
	static const struct {
		unsigned major, minor, ezsp;
	} rows[] = {{8, 2, 16}, {8, 1, 15}, {8, 0, 14}, {7, 4, 13}, {7, 3, 12}, {7, 2, 11},
		{7, 1, 10}, {7, 0, 9}, {6, 7, 8}, {6, 4, 7}, {6, 0, 6}, {5, 10, 5}, {0, 0, 4}};
	size_t i = 0;

	while (spoken->numbers[0] < rows[i].major ||
		(spoken->numbers[0] == rows[i].major && spoken->numbers[1] < rows[i].minor))
		i++;
	return rows[i].ezsp;
}

/* What a frame of the host says of itself. */
struct request {
	uint8_t sequence;
	unsigned id;
	bool is_long;	/* the format from version 8 on */
	bool is_middle; /* that of 5 to 7, in which `version` is answered as well (bellows v5) */
	const uint8_t *parameters;
	size_t n_parameters;
};

static void say_frame(struct spoken *spoken, const struct request *to, uint8_t control, unsigned id,
	const uint8_t *parameters, size_t n_parameters)
{
	uint8_t frame[SPOKEN_FRAME_BYTES];
	size_t n = 0;

	frame[n++] = to->sequence;
	frame[n++] = 0x80 | control;
	if (to->is_long) {
		frame[n++] = 0x01;
		frame[n++] = (uint8_t)id;
		frame[n++] = (uint8_t)(id >> 8);
	} else if (to->is_middle) {
		frame[n++] = 0xFF;
		frame[n++] = 0x00;
		frame[n++] = (uint8_t)id;
	} else {
		frame[n++] = (uint8_t)id;
	}
	memcpy(frame + n, parameters, n_parameters);
	spoken_ash_say(spoken, frame, n + n_parameters);
}

static void say(struct spoken *spoken, const struct request *to, const uint8_t *parameters,
	size_t n_parameters)
{
	if (knobs(spoken)->talks)
		say_frame(spoken, to, CALLBACK, FRAME_STACK_STATUS, (const uint8_t[]){0x90}, 1);
	say_frame(spoken, to, 0, to->id, parameters, n_parameters);
}

static void refuse(struct spoken *spoken, const struct request *to, uint8_t error)
{
	say_frame(spoken, to, 0, FRAME_INVALID, &error, 1);
}

/* A status: one byte, and four from version 14 on (sl_status_t). */
static size_t put_status(const struct spoken *spoken, uint8_t *to, uint32_t status)
{
	size_t n = ezsp_of(spoken) >= 14 ? 4 : 1;

	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(status >> 8 * i);
	return n;
}

/* ------------------------------------------------------------------ commands */

static void take_version(struct spoken *spoken, const struct request *request)
{
	unsigned n[4] = {0};
	uint8_t answer[4];

	(void)sscanf(spoken_version(spoken), "%u.%u.%u.%u", &n[0], &n[1], &n[2], &n[3]);
	answer[0] = (uint8_t)ezsp_of(spoken);
	answer[1] = STACK_MESH;
	answer[2] = (uint8_t)(n[2] << 4 | (n[3] & 15));
	answer[3] = (uint8_t)(n[0] << 4 | (n[1] & 15));
	if (request->n_parameters >= 1 && request->parameters[0] == answer[0])
		spoken->ezsp_version = answer[0];
	say(spoken, request, answer, sizeof(answer));
}

/* getValue(VERSION_INFO): build, four numbers, and the kind of release (0xAA: general). */
static void take_get_value(struct spoken *spoken, const struct request *request)
{
	unsigned n[4] = {0};
	uint8_t answer[16];
	size_t at = 0;

	if (request->n_parameters < 1 || request->parameters[0] != VALUE_VERSION_INFO) {
		at = put_status(spoken, answer, ERROR_INVALID_VALUE);
		answer[at++] = 0;
		say(spoken, request, answer, at);
		return;
	}
	(void)sscanf(spoken_version(spoken), "%u.%u.%u.%u", &n[0], &n[1], &n[2], &n[3]);
	at = put_status(spoken, answer, 0);
	answer[at++] = 7;
	answer[at++] = 0;
	answer[at++] = 0;
	for (int i = 0; i < 4; i++)
		answer[at++] = (uint8_t)n[i];
	answer[at++] = 0xAA;
	say(spoken, request, answer, at);
}

static void take_launch(struct spoken *spoken, const struct request *request)
{
	uint8_t answer[4];
	size_t n = put_status(spoken, answer, knobs(spoken)->launch_error);

	if (!knobs(spoken)->launch_is_silent)
		say(spoken, request, answer, n);
	if (knobs(spoken)->launch_error == 0)
		spoken_launch(spoken);
}

static void obey(struct spoken *spoken, const struct request *request)
{
	switch (request->id) {
	case FRAME_NOP:
		say(spoken, request, (const uint8_t[]){0}, 0);
		break;
	case FRAME_GET_VALUE:
		take_get_value(spoken, request);
		break;
	case FRAME_LOADER_VERSION:
		say(spoken, request, (const uint8_t[]){0x01, 0x1C, 0x04, 0x18, 0x18}, 5);
		break;
	case FRAME_LAUNCH:
		if (knobs(spoken)->has_no_command)
			refuse(spoken, request, ERROR_INVALID_FRAME_ID);
		else
			take_launch(spoken, request);
		break;
	default:
		refuse(spoken, request, ERROR_INVALID_FRAME_ID);
	}
}

/* ------------------------------------------------------------------ frames */

/*
 * Up to version 4: sequence, control, id. Up to version 7: sequence, control, FF, control, id. From
 * 8 on: sequence, control in two bytes, id in two. The question for the version is understood in
 * the oldest of them by all.
 */
static bool read_request(const uint8_t *data, size_t n_data, struct request *ret)
{
	size_t n_head;

	if (n_data < 3)
		return false;
	ret->sequence = data[0];
	ret->is_long = data[2] == 0x01 && n_data >= 5;
	ret->is_middle = data[2] == 0xFF && n_data >= 5;
	if (ret->is_long) {
		ret->id = data[3] | (unsigned)data[4] << 8;
		n_head = 5;
	} else if (ret->is_middle) {
		ret->id = data[4];
		n_head = 5;
	} else {
		ret->id = data[2];
		n_head = 3;
	}
	ret->parameters = data + n_head;
	ret->n_parameters = n_data - n_head;
	return true;
}

void spoken_ezsp_take(struct spoken *spoken, const uint8_t *data, size_t n_data)
{
	struct request request;

	if (!read_request(data, n_data, &request))
		return;
	/* A version before 8 does not know the long format. */
	if (request.is_long && ezsp_of(spoken) < 8)
		refuse(spoken, &request, ERROR_INVALID_FRAME_ID);
	else if (request.id == FRAME_VERSION)
		take_version(spoken, &request);
	else if (spoken->ezsp_version == 0)
		refuse(spoken, &request, ERROR_VERSION_NOT_SET);
	else
		obey(spoken, &request);
}

void spoken_ezsp_reset(struct spoken *spoken)
{
	spoken->ezsp_version = 0;
}

static void start(struct spoken *spoken)
{
	spoken_ash_start(spoken, RESET_SOFTWARE);
}

const struct spoken_protocol spoken_ezsp = {
	.name = "ezsp",
	.start = start,
	.hear = spoken_ash_hear,
};
