/* SPDX-License-Identifier: MIT */
#include "application/hdlc.h"

#include "application/crc16.h"

#define FLIP 0x20

static bool is_reserved(uint8_t byte)
{
	return byte == HDLC_XON || byte == HDLC_XOFF || byte == HDLC_ESCAPE || byte == HDLC_FLAG ||
	       byte == HDLC_VENDOR;
}

static size_t put(uint8_t *to, uint8_t byte)
{
	if (!is_reserved(byte)) {
		to[0] = byte;
		return 1;
	}
	to[0] = HDLC_ESCAPE;
	to[1] = byte ^ FLIP;
	return 2;
}

size_t hdlc_make(uint8_t *to, const uint8_t *body, size_t n_body)
{
	uint16_t crc = crc16_x25(body, n_body);
	size_t n = 0;

	to[n++] = HDLC_FLAG;
	for (size_t i = 0; i < n_body; i++)
		n += put(to + n, body[i]);
	n += put(to + n, (uint8_t)crc);
	n += put(to + n, (uint8_t)(crc >> 8));
	to[n++] = HDLC_FLAG;
	return n;
}

static bool end_body(struct hdlc_receiver *receiver, size_t *ret_n)
{
	size_t n = receiver->n_body;
	uint16_t crc;

	receiver->is_ended = true;
	if (receiver->is_lost || receiver->is_escaped || n < 3)
		return false;
	crc = crc16_x25(receiver->body, n - 2);
	if (receiver->body[n - 2] != (crc & 0xFF) || receiver->body[n - 1] != crc >> 8)
		return false;
	*ret_n = n - 2;
	return true;
}

bool hdlc_take(struct hdlc_receiver *receiver, uint8_t byte, size_t *ret_n)
{
	if (receiver->is_ended) {
		receiver->n_body = 0;
		receiver->is_escaped = receiver->is_lost = receiver->is_ended = false;
	}
	switch (byte) {
	case HDLC_FLAG:
		return end_body(receiver, ret_n);
	case HDLC_XON: /* never within a body as they are */
	case HDLC_XOFF:
		return false;
	case HDLC_ESCAPE:
		receiver->is_lost |= receiver->is_escaped;
		receiver->is_escaped = true;
		return false;
	}
	if (receiver->is_escaped)
		byte ^= FLIP;
	receiver->is_escaped = false;
	if (receiver->n_body == sizeof(receiver->body))
		receiver->is_lost = true;
	else
		receiver->body[receiver->n_body++] = byte;
	return false;
}
