/* SPDX-License-Identifier: MIT */
/*
 * ezsp.c - asks a Zigbee NCP for the version of its stack, and makes it start its boot loader.
 *
 * The first command is `version` in the oldest form, whose answer says which version of EZSP the
 * NCP has; `version` again, in the form of that version and with its number, makes it accept other
 * commands. Callbacks come at any time and are passed over: only a response with our number and the
 * frame that was asked for is one.
 *
 * A question resets the NCP (ASH has no other begin): the network stays down until the owner brings
 * it up again, which every owner does when it opens the port. The network itself, its keys and
 * counters lie in the NCP's flash and stay. launchStandaloneBootloader answers with a status and
 * resets at once; the answer may be lost in that, so a missing one counts as done.
 */
#include "application/ezsp.h"

#include <stdio.h>
#include <string.h>

#include "application/application-protocol.h"
#include "application/ash.h"
#include "base/util.h"

#define IS_RESPONSE   0x80
#define CALLBACK_BITS 0x18
#define FORMAT_1      0x01

/* The boot loader resets the chip right after the status. */
#define STATUS_USEC (500 * USEC_PER_MSEC)

static uint16_t read_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

size_t ezsp_make_header(
	uint8_t to[static EZSP_HEADER_MAX], uint8_t version, uint8_t number, enum ezsp_frame frame)
{
	size_t n = 0;

	to[n++] = number;
	to[n++] = 0; /* a command, which keeps the NCP awake */
	if (version >= EZSP_EXTENDED) {
		to[n++] = FORMAT_1;
	} else if (version >= EZSP_WITH_FF) {
		to[n++] = 0xFF;
		to[n++] = 0;
	}
	to[n++] = (uint8_t)frame;
	if (version >= EZSP_EXTENDED)
		to[n++] = 0;
	return n;
}

bool ezsp_read(const uint8_t *bytes, size_t n_bytes, uint8_t version, struct ezsp_response *ret)
{
	size_t n_header = version >= EZSP_WITH_FF ? 5 : 3;

	if (n_bytes < n_header || !(bytes[1] & IS_RESPONSE))
		return false;
	*ret = (struct ezsp_response){
		.number = bytes[0],
		.frame = version >= EZSP_EXTENDED ? read_u16(bytes + 3) : bytes[n_header - 1],
		.is_callback = bytes[1] & CALLBACK_BITS,
		.data = bytes + n_header,
		.n_data = n_bytes - n_header,
	};
	return true;
}

/* A status of one byte, or of four since version 14; then the length and the value. */
bool ezsp_version_info(const struct ezsp_response *response, uint8_t version, char *to, size_t size)
{
	size_t n_status = version >= EZSP_LONG_STATUS ? 4 : 1;
	const uint8_t *value = response->data + n_status + 1;

	if (response->n_data < n_status + 1 + 6 || response->data[n_status] < 6)
		return false;
	for (size_t i = 0; i < n_status; i++)
		if (response->data[i] != 0)
			return false;
	/* The build number stands in front and is not part of a version. */
	snprintf(to, size, "%u.%u.%u.%u", value[2], value[3], value[4], value[5]);
	return true;
}

bool ezsp_stack_version(const struct ezsp_response *response, char *to, size_t size)
{
	uint16_t version;

	if (response->n_data < 4)
		return false;
	version = read_u16(response->data + 2);
	snprintf(to, size, "%u.%u.%u.%u", version >> 12, version >> 8 & 15, version >> 4 & 15,
		version & 15);
	return true;
}

/* ------------------------------------------------------------------ the conversation */

struct ezsp {
	struct ash ash;
	uint8_t version; /* that the header has now */
	uint8_t number;	 /* of the next command */
	char stack[APPLICATION_VERSION_BYTES];
	struct ezsp_response response; /* into `ash.data` */
};

struct sought {
	uint8_t version, number;
	enum ezsp_frame frame;
};

/* An NCP that does not know a command says so in its place. */
static bool is_answer(const struct ash *ash, const void *userdata)
{
	const struct sought *sought = userdata;
	struct ezsp_response response;

	return ezsp_read(ash->data, ash->n_data, sought->version, &response) &&
	       response.number == sought->number && !response.is_callback &&
	       (response.frame == sought->frame || response.frame == EZSP_INVALID_COMMAND);
}

static int command(struct ezsp *ezsp, enum ezsp_frame frame, uint8_t parameter, uint64_t until)
{
	const struct sought sought = {ezsp->version, ezsp->number++, frame};
	uint8_t request[EZSP_HEADER_MAX + 1];
	size_t n = ezsp_make_header(request, sought.version, sought.number, frame);
	int r;

	request[n++] = parameter;
	r = ash_exchange(&ezsp->ash, request, n, is_answer, &sought, until);
	if (r != 0)
		return r;
	ezsp_read(ezsp->ash.data, ezsp->ash.n_data, sought.version, &ezsp->response);
	if (ezsp->response.frame == EZSP_INVALID_COMMAND) {
		reason_set(&ezsp->ash.link->reason,
			"it does not know EZSP command 0x%02x: status 0x%02x", frame,
			ezsp->response.n_data > 0 ? ezsp->response.data[0] : 0);
		return APPLICATION_REFUSED;
	}
	return 0;
}

/* `version`, which is the begin of any conversation, twice over. */
static int negotiate(struct ezsp *ezsp)
{
	struct application_link *link = ezsp->ash.link;
	int r;

	ezsp->version = EZSP_FIRST;
	ezsp->number = 0;
	r = command(ezsp, EZSP_VERSION, EZSP_FIRST, link->deadline);
	if (r != 0)
		return r;
	if (!ezsp_stack_version(&ezsp->response, ezsp->stack, sizeof(ezsp->stack)))
		return reason_refuse(APPLICATION_REFUSED, &link->reason,
			"it answers the question for its version with %zu bytes",
			ezsp->response.n_data);
	if (ezsp->response.data[0] == EZSP_FIRST)
		return 0;
	/* 0 to 3 are from before the header that is spoken here. */
	if (ezsp->response.data[0] < EZSP_FIRST)
		return reason_refuse(APPLICATION_REFUSED, &link->reason,
			"it speaks version %u of EZSP, and plugflash %u and above",
			ezsp->response.data[0], EZSP_FIRST);
	ezsp->version = ezsp->response.data[0];
	return command(ezsp, EZSP_VERSION, ezsp->version, link->deadline);
}

static int connect_to(struct ezsp *ezsp, struct application_link *link)
{
	int r;

	*ezsp = (struct ezsp){.ash.link = link};
	r = ash_connect(&ezsp->ash);
	if (r != 0)
		return r;
	do
		r = negotiate(ezsp);
	while (r == ASH_WAS_RESET);
	return r;
}

static int ask(struct application_link *link, char ret_version[static APPLICATION_VERSION_BYTES])
{
	struct ezsp ezsp;
	int r = connect_to(&ezsp, link);

	if (r != 0)
		return r;
	r = command(&ezsp, EZSP_GET_VALUE, EZSP_VALUE_VERSION_INFO, link->deadline);
	/* Old ones know the stack's version alone, which will do in any case. */
	if (r > 0 || (r == 0 && !ezsp_version_info(&ezsp.response, ezsp.version, ret_version,
					APPLICATION_VERSION_BYTES))) {
		memcpy(ret_version, ezsp.stack, APPLICATION_VERSION_BYTES);
		link->reason.text[0] = '\0';
		return 0;
	}
	return r;
}

/* The status is one byte in every version (bellows v14, herdsman: "just 1 byte"). */
static int enter_loader(struct application_link *link)
{
	struct ezsp ezsp;
	int r = connect_to(&ezsp, link);

	if (r != 0)
		return r;
	ezsp.ash.is_leaving = true;
	expect_mark(link->expect);
	r = command(&ezsp, EZSP_LAUNCH_BOOTLOADER, EZSP_BOOTLOADER_MENU,
		port_now(link->expect->port) + STATUS_USEC);
	if (r == 0 && ezsp.response.n_data > 0 && ezsp.response.data[0] != 0) {
		reason_set(&link->reason,
			"it answers launchStandaloneBootloader with status 0x%02x",
			ezsp.response.data[0]);
		return APPLICATION_REFUSED;
	}
	if (r == ASH_WAS_RESET)
		return reason_refuse(APPLICATION_REFUSED, &link->reason,
			"it starts again in place of its boot loader");
	/* The menu may have come instead. */
	if (r == APPLICATION_SILENT) {
		expect_recall(link->expect);
		return 0;
	}
	return r;
}

/* 115200 is what nearly all builds have; darkxst's have 230400 and 460800 as well. */
static const uint32_t bauds[] = {115200, 230400, 460800};

const struct application_protocol_ops application_ezsp = {
	.bauds = bauds,
	.n_bauds = ARRAY_SIZE(bauds),
	.ask = ask,
	.enter_loader = enter_loader,
};
