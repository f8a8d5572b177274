/* SPDX-License-Identifier: MIT */
/*
 * zwave.c - asks a Z-Wave controller for its version, and makes it start its boot loader.
 *
 * Each side acknowledges the other's data frames. A controller that waits for an acknowledgement
 * itself (its former owner is gone) answers ours with CAN: it is sent again a little later. What it
 * sends unasked (nodes' commands, "started") is acknowledged and passed over, or it would be sent
 * three times over.
 *
 * A question changes nothing. The text of GET_VERSION has the version of the protocol in two
 * numbers; where the controller knows GET_PROTOCOL_VERSION, the third comes from there, and the
 * number that its maker gave the firmware from GET_CAPABILITIES.
 *
 * Function 0x27 starts the Gecko boot loader of series 700 and 800. The same function puts a
 * controller of series 500 into a state for its programmer, in which no serial port helps it: only
 * a controller whose protocol is version 7 or above is sent it.
 */
#include "application/zwave.h"

#include <stdio.h>
#include <string.h>

#include "application/application-protocol.h"
#include "application/application-version.h"
#include "application/frames.h"
#include "base/parse.h"
#include "base/util.h"
#include "image/version.h"

/* A frame without an acknowledgement for 1.6 s is lost, and 100 ms are to pass before one that was
 * refused is sent again (INS12350 "Frame timing"). */
#define LOST_USEC  (1600 * USEC_PER_MSEC)
#define AGAIN_USEC (100 * USEC_PER_MSEC)

/* A question that the version does not hang on. */
#define MORE_USEC	   (500 * USEC_PER_MSEC)

#define ACK_USEC	   (500 * USEC_PER_MSEC)

#define NAME		   "Z-Wave "
#define MOST_DIGITS	   16
#define FIRST_WITH_GECKO   7
#define CAPABILITIES_BYTES 8 /* in front of the functions: one bit each, from function 1 on */

static uint8_t checksum(const uint8_t *bytes, size_t n_bytes)
{
	uint8_t sum = 0xFF;

	for (size_t i = 0; i < n_bytes; i++)
		sum ^= bytes[i];
	return sum;
}

void zwave_make(uint8_t to[static ZWAVE_REQUEST_BYTES], enum zwave_function function)
{
	to[0] = ZWAVE_SOF;
	to[ZWAVE_LENGTH] = 3;
	to[ZWAVE_TYPE] = ZWAVE_REQUEST;
	to[ZWAVE_FUNCTION] = (uint8_t)function;
	to[ZWAVE_DATA] = checksum(to + 1, 3);
}

int zwave_look(const uint8_t *bytes, size_t n_bytes)
{
	size_t n_frame;

	switch (bytes[0]) {
	case ZWAVE_ACK:
	case ZWAVE_NAK:
	case ZWAVE_CAN:
		return 1;
	case ZWAVE_SOF:
		break;
	default:
		return FRAMES_NONE;
	}
	if (n_bytes <= ZWAVE_LENGTH)
		return FRAMES_INCOMPLETE;
	n_frame = 2u + bytes[ZWAVE_LENGTH];
	if (n_frame < ZWAVE_REQUEST_BYTES || (n_bytes > ZWAVE_TYPE && bytes[ZWAVE_TYPE] > 1))
		return FRAMES_NONE;
	if (n_bytes < n_frame)
		return FRAMES_INCOMPLETE;
	return checksum(bytes + 1, n_frame - 2) == bytes[n_frame - 1] ? (int)n_frame : FRAMES_NONE;
}

unsigned zwave_major(const char *text)
{
	uint64_t major;

	if (strncmp(text, NAME, strlen(NAME)) != 0)
		return 0;
	text += strlen(NAME);
	return parse_digits(&text, 10, &major) == 0 && major < 100 ? (unsigned)major : 0;
}

bool zwave_has(const uint8_t *capabilities, size_t n_capabilities, enum zwave_function function)
{
	size_t at = CAPABILITIES_BYTES + (function - 1u) / 8;

	return at < n_capabilities && capabilities[at] & 1u << (function - 1u) % 8;
}

/* ------------------------------------------------------------------ the conversation */

struct zwave {
	struct application_link *link;
	struct frames frames;
	char text[APPLICATION_VERSION_BYTES]; /* of GET_VERSION */
};

static const uint8_t *answer(const struct zwave *zwave)
{
	return zwave->frames.bytes + ZWAVE_DATA;
}

static size_t answer_size(const struct zwave *zwave)
{
	return zwave->frames.n_frame - ZWAVE_REQUEST_BYTES;
}

static int acknowledge(struct zwave *zwave)
{
	static const uint8_t ack = ZWAVE_ACK;

	return application_link_say(zwave->link, &ack, 1);
}

/* Until an answer is there, or the request is to be sent again: APPLICATION_SILENT. */
static int hear_answer(
	struct zwave *zwave, enum zwave_function function, bool ack_is_enough, uint64_t until)
{
	const uint8_t *frame = zwave->frames.bytes;

	for (;;) {
		int r = frames_hear(&zwave->frames, zwave->link, zwave_look, until);

		if (r == 0 && frame[0] == ZWAVE_SOF)
			r = acknowledge(zwave);
		if (r != 0)
			return r;
		if (frame[0] == ZWAVE_ACK && ack_is_enough)
			return 0;
		if (frame[0] == ZWAVE_SOF && frame[ZWAVE_TYPE] == ZWAVE_RESPONSE &&
			frame[ZWAVE_FUNCTION] == function)
			return 0;
		if (frame[0] == ZWAVE_NAK || frame[0] == ZWAVE_CAN) {
			uint64_t again = port_now(zwave->link->expect->port) + AGAIN_USEC;

			until = again < until ? again : until;
		}
	}
}

/* Sends the request and hears a response, or, where `ack_is_enough`, its acknowledgement. */
static int exchange(
	struct zwave *zwave, enum zwave_function function, bool ack_is_enough, uint64_t until)
{
	struct port *port = zwave->link->expect->port;
	uint8_t request[ZWAVE_REQUEST_BYTES];
	int r;

	zwave_make(request, function);
	if (zwave->link->deadline < until)
		until = zwave->link->deadline;
	do {
		uint64_t lost = port_now(port) + LOST_USEC;

		r = application_link_say(zwave->link, request, sizeof(request));
		if (r == 0)
			r = hear_answer(
				zwave, function, ack_is_enough, lost < until ? lost : until);
	} while (r == APPLICATION_SILENT && port_now(port) < until);
	return r;
}

static int get_version(struct zwave *zwave)
{
	int r = exchange(zwave, ZWAVE_GET_VERSION, false, zwave->link->deadline);

	if (r == 0 &&
		(!application_version_read(answer(zwave), answer_size(zwave), '\0', zwave->text) ||
			zwave_major(zwave->text) == 0)) {
		reason_set(&zwave->link->reason,
			"it answers GET_VERSION with what is no version of Z-Wave");
		return APPLICATION_REFUSED;
	}
	return r;
}

static int ask(struct application_link *link, char ret_version[static APPLICATION_VERSION_BYTES])
{
	struct zwave zwave = {.link = link};
	struct port *port = link->expect->port;
	char number[MOST_DIGITS + 1], firmware[24] = "";
	bool has_more = false;
	int n_number;
	int r = get_version(&zwave);

	if (r != 0)
		return r;
	n_number = (int)(skip_dotted(zwave.text + strlen(NAME)) - zwave.text - strlen(NAME));
	snprintf(number, sizeof(number), "%.*s", n_number < MOST_DIGITS ? n_number : MOST_DIGITS,
		zwave.text + strlen(NAME));
	r = exchange(&zwave, ZWAVE_GET_CAPABILITIES, false, port_now(port) + MORE_USEC);
	if (r == 0 && answer_size(&zwave) >= CAPABILITIES_BYTES) {
		snprintf(firmware, sizeof(firmware), " firmware %u.%u", answer(&zwave)[0],
			answer(&zwave)[1]);
		has_more =
			zwave_has(answer(&zwave), answer_size(&zwave), ZWAVE_GET_PROTOCOL_VERSION);
	}
	if (r == 0 && has_more)
		r = exchange(&zwave, ZWAVE_GET_PROTOCOL_VERSION, false, port_now(port) + MORE_USEC);
	/* The kind of the protocol stands in front: 0 is Z-Wave. */
	if (r == 0 && has_more && answer_size(&zwave) >= 4 && answer(&zwave)[0] == 0)
		snprintf(number, sizeof(number), "%u.%u.%u", answer(&zwave)[1], answer(&zwave)[2],
			answer(&zwave)[3]);
	snprintf(ret_version, APPLICATION_VERSION_BYTES, "%s%s", number, firmware);
	return r < 0 ? r : 0;
}

static int enter_loader(struct application_link *link)
{
	struct zwave zwave = {.link = link};
	int r = get_version(&zwave);

	if (r != 0)
		return r;
	if (zwave_major(zwave.text) < FIRST_WITH_GECKO) {
		reason_set(&link->reason,
			"it is of %s, older than series 700: no boot loader of it takes a file over the serial port",
			zwave.text);
		return APPLICATION_REFUSED;
	}
	expect_mark(link->expect);
	r = exchange(&zwave, ZWAVE_ENTER_LOADER, true, port_now(link->expect->port) + ACK_USEC);
	/* The menu may have come instead. */
	if (r == 0 || r == APPLICATION_SILENT) {
		expect_recall(link->expect);
		return 0;
	}
	return r;
}

static const uint32_t bauds[] = {115200};

const struct application_protocol_ops application_zwave = {
	.bauds = bauds,
	.n_bauds = ARRAY_SIZE(bauds),
	.ask = ask,
	.enter_loader = enter_loader,
};
