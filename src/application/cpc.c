/* SPDX-License-Identifier: MIT */
/*
 * cpc.c - asks a multi-protocol RCP for its version, and makes it start its boot loader.
 *
 * Both go over the system endpoint in unnumbered frames, which need no connection: no sequence
 * numbers of a former owner (cpcd) are in the way, and none of ours are left behind. The answer has
 * the number of the command. What other endpoints send is passed over.
 *
 * A question changes nothing. The way into the boot loader is a property that says what the next
 * reset starts, and the reset: the answer to the first must name the boot loader, or the second
 * would only start the application again.
 *
 * The numbers of the questions are chosen: neither frame has a byte in it that means something to
 * another application or to a boot loader's menu (application-protocols.md 7).
 */
#include "application/cpc.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "application/application-protocol.h"
#include "application/application-version.h"
#include "application/crc16.h"
#include "application/frames.h"
#include "base/util.h"

#define HEADER	       7
#define COMMAND	       4 /* command, number, length */
#define CHECK	       2
#define ASK_AGAIN_USEC (500 * USEC_PER_MSEC)
/* The answer to RESET comes at once or never. */
#define RESET_USEC (500 * USEC_PER_MSEC)
#define UNDEFINED  "UNDEFINED" /* of an application that has no version of its own */

enum number { ASK_APPLICATION = 2, ASK_SECONDARY = 3, SET_MODE = 4, RESET = 5 };

static void put_u16(uint8_t *to, uint16_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

static uint16_t read_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

/* The payload of the command is there already. */
static size_t close_frame(uint8_t *to, enum cpc_command command, uint8_t number, size_t n_payload)
{
	size_t n = COMMAND + n_payload;

	to[0] = CPC_FLAG;
	to[1] = CPC_SYSTEM;
	put_u16(to + 2, (uint16_t)(n + CHECK));
	to[4] = CPC_POLL_FINAL;
	put_u16(to + 5, crc16_ccitt(0, to, 5));
	to[HEADER] = (uint8_t)command;
	to[HEADER + 1] = number;
	put_u16(to + HEADER + 2, (uint16_t)n_payload);
	put_u16(to + HEADER + n, crc16_ccitt(0, to + HEADER, n));
	return HEADER + n + CHECK;
}

size_t cpc_make_property(uint8_t to[static CPC_FRAME_MAX], enum cpc_command command, uint8_t number,
	enum cpc_property property, const uint8_t *value, size_t n_value)
{
	assert(n_value <= CPC_VALUE_MAX);
	word_put(to + HEADER + COMMAND, property);
	if (n_value > 0)
		memcpy(to + HEADER + COMMAND + 4, value, n_value);
	return close_frame(to, command, number, 4 + n_value);
}

size_t cpc_make_reset(uint8_t to[static CPC_FRAME_MAX], uint8_t number)
{
	return close_frame(to, CPC_RESET, number, 0);
}

int cpc_look(const uint8_t *bytes, size_t n_bytes)
{
	size_t n_rest, n_frame;

	if (bytes[0] != CPC_FLAG)
		return FRAMES_NONE;
	if (n_bytes < HEADER)
		return FRAMES_INCOMPLETE;
	if (read_u16(bytes + 5) != crc16_ccitt(0, bytes, 5))
		return FRAMES_NONE;
	n_rest = read_u16(bytes + 2);
	n_frame = HEADER + n_rest;
	if (n_rest == 0)
		return HEADER;
	if (n_rest < CHECK || n_frame > FRAMES_BYTES)
		return FRAMES_NONE;
	if (n_bytes < n_frame)
		return FRAMES_INCOMPLETE;
	return read_u16(bytes + n_frame - CHECK) == crc16_ccitt(0, bytes + HEADER, n_rest - CHECK)
		       ? (int)n_frame
		       : FRAMES_NONE;
}

bool cpc_read(const uint8_t *frame, size_t n_frame, struct cpc_answer *ret)
{
	const uint8_t *payload = frame + HEADER + COMMAND;
	size_t n_payload;

	if (n_frame < HEADER + COMMAND + CHECK || frame[1] != CPC_SYSTEM ||
		frame[4] != CPC_POLL_FINAL)
		return false;
	n_payload = n_frame - HEADER - COMMAND - CHECK;
	if (read_u16(frame + HEADER + 2) != n_payload)
		return false;
	*ret = (struct cpc_answer){
		.command = frame[HEADER],
		.number = frame[HEADER + 1],
		.value = payload,
		.n_value = n_payload,
	};
	if (ret->command != CPC_PROPERTY_IS)
		return true;
	if (n_payload < 4)
		return false;
	ret->property = word_at(payload);
	ret->value += 4;
	ret->n_value -= 4;
	return true;
}

/* ------------------------------------------------------------------ the conversation */

struct cpc {
	struct application_link *link;
	struct frames frames;
	struct cpc_answer answer; /* into `frames` */
};

static int hear(struct cpc *cpc, uint8_t number, uint64_t until)
{
	for (;;) {
		int r = frames_hear(&cpc->frames, cpc->link, cpc_look, until);

		if (r != 0)
			return r;
		if (cpc_read(cpc->frames.bytes, cpc->frames.n_frame, &cpc->answer) &&
			cpc->answer.number == number)
			return 0;
	}
}

static int refuse_status(struct cpc *cpc, const char *what)
{
	reason_set(&cpc->link->reason, "it answers %s with CPC status %u", what,
		cpc->answer.n_value >= 4 ? word_at(cpc->answer.value) : 0);
	return APPLICATION_REFUSED;
}

/* The answer to a command about a property, which is sent again where none comes. */
static int exchange(struct cpc *cpc, const uint8_t *frame, size_t n_frame, uint8_t number)
{
	struct port *port = cpc->link->expect->port;
	int r;

	do {
		r = application_link_say(cpc->link, frame, n_frame);
		if (r == 0)
			r = hear(cpc, number, port_now(port) + ASK_AGAIN_USEC);
	} while (r == APPLICATION_SILENT && port_now(port) < cpc->link->deadline);
	return r;
}

static int get(struct cpc *cpc, enum cpc_property property, uint8_t number)
{
	uint8_t frame[CPC_FRAME_MAX];
	size_t n = cpc_make_property(frame, CPC_PROPERTY_GET, number, property, NULL, 0);

	return exchange(cpc, frame, n, number);
}

static bool is_value_of(const struct cpc *cpc, enum cpc_property property)
{
	return cpc->answer.command == CPC_PROPERTY_IS && cpc->answer.property == property;
}

static int ask(struct application_link *link, char ret_version[static APPLICATION_VERSION_BYTES])
{
	struct cpc cpc = {.link = link};
	const uint8_t *value;
	int r = get(&cpc, CPC_APPLICATION_VERSION, ASK_APPLICATION);

	if (r != 0)
		return r;
	if (is_value_of(&cpc, CPC_APPLICATION_VERSION) &&
		application_version_read(cpc.answer.value, cpc.answer.n_value, '\0', ret_version) &&
		strcmp(ret_version, UNDEFINED) != 0)
		return 0;
	r = get(&cpc, CPC_SECONDARY_VERSION, ASK_SECONDARY);
	if (r != 0)
		return r;
	if (!is_value_of(&cpc, CPC_SECONDARY_VERSION) || cpc.answer.n_value < 12)
		return refuse_status(&cpc, "the question for its version");
	value = cpc.answer.value;
	snprintf(ret_version, APPLICATION_VERSION_BYTES, "%u.%u.%u", word_at(value),
		word_at(value + 4), word_at(value + 8));
	return 0;
}

static int set_mode(struct cpc *cpc)
{
	static const uint8_t to_loader[4] = {1};
	uint8_t frame[CPC_FRAME_MAX];
	size_t n = cpc_make_property(
		frame, CPC_PROPERTY_SET, SET_MODE, CPC_REBOOT_MODE, to_loader, sizeof(to_loader));
	int r = exchange(cpc, frame, n, SET_MODE);

	if (r != 0)
		return r;
	if (!is_value_of(cpc, CPC_REBOOT_MODE) || cpc->answer.n_value < 4)
		return refuse_status(cpc, "the request to start its boot loader");
	if (word_at(cpc->answer.value) != word_at(to_loader)) {
		reason_set(&cpc->link->reason,
			"it was built without the way into its boot loader (component bootloader_interface)");
		return APPLICATION_REFUSED;
	}
	return 0;
}

static int enter_loader(struct application_link *link)
{
	struct cpc cpc = {.link = link};
	uint8_t frame[CPC_FRAME_MAX];
	int r = set_mode(&cpc);

	if (r != 0)
		return r;
	expect_mark(link->expect);
	r = application_link_say(link, frame, cpc_make_reset(frame, RESET));
	if (r == 0)
		r = hear(&cpc, RESET, port_now(link->expect->port) + RESET_USEC);
	if (r == 0 && cpc.answer.n_value >= 4 && word_at(cpc.answer.value) != 0)
		return refuse_status(&cpc, "the request to reset");
	/* The menu may have come instead. */
	if (r == APPLICATION_SILENT) {
		expect_recall(link->expect);
		return 0;
	}
	return r;
}

static const uint32_t bauds[] = {460800, 115200, 230400};

const struct application_protocol_ops application_cpc = {
	.bauds = bauds,
	.n_bauds = ARRAY_SIZE(bauds),
	.ask = ask,
	.enter_loader = enter_loader,
};
