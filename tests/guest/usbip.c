/* SPDX-License-Identifier: MIT */
#include "guest/usbip.h"

#include <errno.h>
#include <string.h>

enum { CMD_SUBMIT = 1, CMD_UNLINK = 2, RET_SUBMIT = 3, RET_UNLINK = 4 };

/* Offsets of usbip_header_basic, and of what follows it by kind. */
enum {
	AT_COMMAND = 0,
	AT_SEQUENCE = 4,
	AT_DIRECTION = 12,
	AT_ENDPOINT = 16,
	AT_SUBMIT_LENGTH = 24,
	AT_SUBMIT_SETUP = 40,
	AT_UNLINK_SEQUENCE = 20,
	AT_RESULT_STATUS = 20,
	AT_RESULT_ACTUAL = 24,
};

/* The driver's buffers have 256 bytes, the largest control transfer (CP2102N) 678. */
#define LENGTH_MAX 65536

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void put32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

int usbip_parse(const uint8_t header[USBIP_HEADER], struct usbip_request *ret)
{
	uint32_t command = get32(header + AT_COMMAND);
	struct usbip_request request = {.sequence = get32(header + AT_SEQUENCE)};

	if (command == CMD_UNLINK) {
		request.is_unlink = true;
		request.unlinked = get32(header + AT_UNLINK_SEQUENCE);
		*ret = request;
		return 0;
	}
	request.is_in = get32(header + AT_DIRECTION) == 1;
	request.endpoint = (uint8_t)get32(header + AT_ENDPOINT);
	request.length = get32(header + AT_SUBMIT_LENGTH);
	memcpy(request.setup, header + AT_SUBMIT_SETUP, sizeof(request.setup));
	if (command != CMD_SUBMIT || request.length > LENGTH_MAX)
		return -EPROTO;
	*ret = request;
	return 0;
}

void usbip_format_done(uint8_t header[USBIP_HEADER], uint32_t sequence, int status, uint32_t actual)
{
	memset(header, 0, USBIP_HEADER);
	put32(header + AT_COMMAND, RET_SUBMIT);
	put32(header + AT_SEQUENCE, sequence);
	put32(header + AT_RESULT_STATUS, (uint32_t)status);
	put32(header + AT_RESULT_ACTUAL, actual);
}

void usbip_format_unlinked(uint8_t header[USBIP_HEADER], uint32_t sequence, int status)
{
	memset(header, 0, USBIP_HEADER);
	put32(header + AT_COMMAND, RET_UNLINK);
	put32(header + AT_SEQUENCE, sequence);
	put32(header + AT_RESULT_STATUS, (uint32_t)status);
}
