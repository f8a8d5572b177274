/* SPDX-License-Identifier: MIT */
/*
 * mt.c - asks Z-Stack for its version, by SYS_VERSION.
 *
 * Z-Stack answers each request (SREQ) by one response (SRSP), and sends indications (AREQ) at any
 * time between: they are passed over. The revision in the answer is the date of the build in the
 * images that coordinators run ("20240710"). There is no command that leads into TI's boot loader:
 * its way in are the lines. The question changes nothing in the application: no state, no radio.
 */
#include "application/mt.h"

#include <stdio.h>
#include <string.h>

#include "application/application-protocol.h"
#include "application/frames.h"
#include "base/util.h"

/* An answer comes within some ms; a question that was lost is put again. */
#define ASK_AGAIN_USEC (500 * USEC_PER_MSEC)

static uint8_t xor_of(const uint8_t *bytes, size_t n_bytes)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < n_bytes; i++)
		sum ^= bytes[i];
	return sum;
}

size_t mt_make(uint8_t to[static MT_FRAME_MAX], enum mt_command command, const uint8_t *data,
	size_t n_data)
{
	to[0] = MT_SOF;
	to[MT_LENGTH] = (uint8_t)n_data;
	to[MT_COMMAND_0] = (uint8_t)(command >> 8);
	to[MT_COMMAND_1] = (uint8_t)command;
	if (n_data > 0)
		memcpy(to + MT_DATA, data, n_data);
	to[MT_DATA + n_data] = xor_of(to + MT_LENGTH, 3 + n_data);
	return MT_DATA + n_data + 1;
}

int mt_look(const uint8_t *bytes, size_t n_bytes)
{
	size_t n_frame;

	if (bytes[0] != MT_SOF || (n_bytes > MT_LENGTH && bytes[MT_LENGTH] > MT_DATA_MAX))
		return FRAMES_NONE;
	if (n_bytes <= MT_LENGTH)
		return FRAMES_INCOMPLETE;
	n_frame = (size_t)MT_DATA + bytes[MT_LENGTH] + 1;
	if (n_bytes < n_frame)
		return FRAMES_INCOMPLETE;
	return xor_of(bytes + 1, n_frame - 1) == 0 ? (int)n_frame : FRAMES_NONE;
}

static uint16_t command_of(const struct frames *frames)
{
	return (uint16_t)(frames->bytes[MT_COMMAND_0] << 8 | frames->bytes[MT_COMMAND_1]);
}

/* transport, product, major, minor, maintenance, and the revision in newer ones */
bool mt_version(const uint8_t *data, size_t n_data, char *to, size_t size)
{
	uint32_t revision = 0;

	if (n_data < 5)
		return false;
	if (n_data >= 9)
		revision = (uint32_t)data[8] << 24 | (uint32_t)data[7] << 16 |
			   (uint32_t)data[6] << 8 | data[5];
	if (revision != 0)
		snprintf(to, size, "%u", revision);
	else
		snprintf(to, size, "%u.%u.%u", data[2], data[3], data[4]);
	return true;
}

/* The answer, or the error that stands for it. */
static int hear_answer(struct application_link *link, struct frames *frames, uint64_t until)
{
	for (;;) {
		int r = frames_hear(frames, link, mt_look, until);

		if (r != 0)
			return r;
		if (command_of(frames) == MT_SYS_VERSION_ANSWER)
			return 0;
		if (command_of(frames) == MT_RPC_ERROR && frames->bytes[MT_LENGTH] >= 3 &&
			frames->bytes[MT_DATA + 1] == MT_SYS_VERSION >> 8 &&
			frames->bytes[MT_DATA + 2] == (MT_SYS_VERSION & 0xFF)) {
			reason_set(&link->reason,
				"it answers the question for its version with RPC error %u",
				frames->bytes[MT_DATA]);
			return APPLICATION_REFUSED;
		}
	}
}

static int ask(struct application_link *link, char ret_version[static APPLICATION_VERSION_BYTES])
{
	struct port *port = link->expect->port;
	uint8_t question[MT_FRAME_MAX];
	size_t n_question = mt_make(question, MT_SYS_VERSION, NULL, 0);
	struct frames frames = {.n_bytes = 0};
	int r;

	do {
		r = application_link_say(link, question, n_question);
		if (r == 0)
			r = hear_answer(link, &frames, port_now(port) + ASK_AGAIN_USEC);
	} while (r == APPLICATION_SILENT && port_now(port) < link->deadline);
	if (r == 0 && !mt_version(frames.bytes + MT_DATA, frames.bytes[MT_LENGTH], ret_version,
			      APPLICATION_VERSION_BYTES)) {
		reason_set(&link->reason, "it answers the question for its version with %u bytes",
			frames.bytes[MT_LENGTH]);
		return APPLICATION_REFUSED;
	}
	return r;
}

static const uint32_t bauds[] = {115200};

const struct application_protocol_ops application_mt = {
	.bauds = bauds,
	.n_bauds = ARRAY_SIZE(bauds),
	.ask = ask,
};
