/* SPDX-License-Identifier: MIT */
/*
 * ash.c - frames of ASH, and the little of its rules that a host with one command at a time needs.
 *
 * A frame ends in a flag, and begins behind the one before it. Six byte values never stand in a
 * frame as they are: each is sent as 0x7D and the byte with bit 5 flipped, so XON and XOFF may
 * stand between any two bytes and are passed over. The data of DATA frames are XORed with a fixed
 * sequence, so that they seldom need stuffing. The CRC counts what is on the line.
 *
 * A reset (RST) is valid in every state of the NCP, and both sides count from 0 after it: no state
 * of a former owner is in the way, and an owner that comes after us begins in the same manner.
 * Every DATA frame of the NCP is acknowledged, callbacks too: an NCP that is not answered four
 * times goes into its FAILED state (UG101 7, ACK_TIMEOUTS), where it is deaf to all but RST.
 */
#include "application/ash.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "application/crc16.h"
#include "base/util.h"

#define CRC_BEGIN      0xFFFF
#define FLIP	       0x20
#define SEQUENCE_BEGIN 0x42
#define SEQUENCE_TAPS  0xB8
#define ASH_VERSION    2
#define NUMBERS	       8

/* Most NCPs have said that they were reset by then (0.3 s); a slow one that has not is deaf still,
 * and a second RST does it no harm. */
#define RESET_AGAIN_USEC (1000 * USEC_PER_MSEC)

/* A frame that was not acknowledged is sent again after that; hosts begin with 0.8 s to 1.6 s. */
#define SEND_AGAIN_USEC (600 * USEC_PER_MSEC)

static bool is_reserved(uint8_t byte)
{
	switch (byte) {
	case ASH_XON:
	case ASH_XOFF:
	case ASH_SUBSTITUTE:
	case ASH_CANCEL:
	case ASH_ESCAPE:
	case ASH_FLAG:
		return true;
	}
	return false;
}

/* Both ways are the same (UG101 4.3). */
static void scramble(uint8_t *data, size_t n_data)
{
	uint8_t next = SEQUENCE_BEGIN;

	for (size_t i = 0; i < n_data; i++) {
		data[i] ^= next;
		next = next & 1 ? (uint8_t)(next >> 1 ^ SEQUENCE_TAPS) : next >> 1;
	}
}

size_t ash_make(
	uint8_t to[static ASH_FRAME_MAX], uint8_t control, const uint8_t *data, size_t n_data)
{
	uint8_t body[1 + ASH_DATA_MAX + 2];
	size_t n = 0;
	uint16_t crc;

	assert(n_data <= ASH_DATA_MAX);
	body[0] = control;
	if (n_data > 0)
		memcpy(body + 1, data, n_data);
	if (control < ASH_ACK)
		scramble(body + 1, n_data);
	crc = crc16_ccitt(CRC_BEGIN, body, 1 + n_data);
	body[1 + n_data] = (uint8_t)(crc >> 8);
	body[2 + n_data] = (uint8_t)crc;
	for (size_t i = 0; i < 3 + n_data; i++) {
		if (is_reserved(body[i])) {
			to[n++] = ASH_ESCAPE;
			to[n++] = body[i] ^ FLIP;
		} else {
			to[n++] = body[i];
		}
	}
	to[n++] = ASH_FLAG;
	return n;
}

static void begin_frame(struct ash_receiver *receiver)
{
	receiver->n_body = 0;
	receiver->is_escaped = receiver->is_lost = receiver->is_ended = false;
}

static enum ash_result end_frame(struct ash_receiver *receiver, size_t *ret_n_data)
{
	size_t n = receiver->n_body;
	uint16_t crc;

	receiver->is_ended = true;
	if (receiver->is_lost || receiver->is_escaped)
		return ASH_BROKEN;
	if (n == 0)
		return ASH_MORE; /* flags may follow one another */
	if (n < 3)
		return ASH_BROKEN;
	crc = crc16_ccitt(CRC_BEGIN, receiver->body, n - 2);
	if (receiver->body[n - 2] != crc >> 8 || receiver->body[n - 1] != (crc & 0xFF))
		return ASH_BROKEN;
	if (receiver->body[0] < ASH_ACK)
		scramble(receiver->body + 1, n - 3);
	*ret_n_data = n - 3;
	return ASH_FRAME;
}

enum ash_result ash_take(struct ash_receiver *receiver, uint8_t byte, size_t *ret_n_data)
{
	if (receiver->is_ended)
		begin_frame(receiver);
	switch (byte) {
	case ASH_FLAG:
		return end_frame(receiver, ret_n_data);
	case ASH_CANCEL:
		begin_frame(receiver);
		return ASH_MORE;
	case ASH_SUBSTITUTE:
		receiver->is_lost = true;
		return ASH_MORE;
	case ASH_XON:
	case ASH_XOFF:
		return ASH_MORE;
	case ASH_ESCAPE:
		receiver->is_lost |= receiver->is_escaped;
		receiver->is_escaped = true;
		return ASH_MORE;
	}
	if (receiver->is_escaped)
		byte ^= FLIP;
	receiver->is_escaped = false;
	if (receiver->n_body == sizeof(receiver->body))
		receiver->is_lost = true;
	else
		receiver->body[receiver->n_body++] = byte;
	return ASH_MORE;
}

/* ------------------------------------------------------------------ the host's side */

static int say(struct ash *ash, uint8_t control, const uint8_t *data, size_t n_data)
{
	uint8_t frame[ASH_FRAME_MAX];

	return application_link_say(ash->link, frame, ash_make(frame, control, data, n_data));
}

/* ASH_FRAME or ASH_BROKEN of the next that ends before `until`; APPLICATION_SILENT, -errno. */
static int hear(struct ash *ash, uint64_t until, enum ash_result *ret)
{
	for (;;) {
		uint8_t byte;
		int r = application_link_hear(ash->link, &byte, until);

		if (r != 0)
			return r;
		*ret = ash_take(&ash->receiver, byte, &ash->n_data);
		if (*ret == ASH_FRAME)
			memcpy(ash->data, ash->receiver.body + 1, ash->n_data);
		if (*ret != ASH_MORE)
			return 0;
	}
}

/* The NCP's word that it was reset is there: 0, or APPLICATION_REFUSED. */
static int on_reset(struct ash *ash)
{
	ash->n_sent = ash->n_expected = 0;
	ash->is_connected = ash->data[0] == ASH_VERSION;
	if (ash->is_connected)
		return 0;
	reason_set(&ash->link->reason, "it speaks version %u of ASH, and plugflash %u",
		ash->data[0], ASH_VERSION);
	return APPLICATION_REFUSED;
}

static bool is_reset(const struct ash *ash)
{
	return ash->receiver.body[0] == ASH_RSTACK && ash->n_data == 2;
}

int ash_connect(struct ash *ash)
{
	/* CANCEL ends what the NCP may have received so far, of us or of another. */
	uint8_t rst[1 + ASH_FRAME_MAX] = {ASH_CANCEL};
	size_t n_rst = 1 + ash_make(rst + 1, ASH_RST, NULL, 0);
	uint64_t until = port_now(ash->link->expect->port) + RESET_AGAIN_USEC;
	enum ash_result result;
	int r = application_link_say(ash->link, rst, n_rst);

	ash->is_connected = false;
	/* ERROR frames come from an NCP that is dead until it has read the RST. */
	while (r == 0) {
		r = hear(ash, until, &result);
		if (r == 0 && result == ASH_FRAME && is_reset(ash))
			return on_reset(ash);
		if (r == APPLICATION_SILENT && until < ash->link->deadline) {
			r = application_link_say(ash->link, rst, n_rst);
			until = ash->link->deadline;
		}
	}
	return r;
}

/* A DATA frame of the NCP: is it the one that is next? Acknowledges it in either case. */
static int on_data(struct ash *ash, bool *ret_is_next)
{
	uint8_t control = ash->receiver.body[0];

	*ret_is_next = (control >> 4 & 7) == ash->n_expected;
	if (*ret_is_next)
		ash->n_expected = (uint8_t)((ash->n_expected + 1) % NUMBERS);
	else if (!(control & ASH_RETRANSMITTED))
		return say(ash, ASH_NAK | ash->n_expected, NULL, 0);
	return say(ash, ASH_ACK | ash->n_expected, NULL, 0);
}

static int refuse_error(struct ash *ash)
{
	reason_set(&ash->link->reason, "it gave up the connection: ASH error 0x%02x",
		ash->n_data >= 2 ? ash->data[1] : 0);
	return APPLICATION_REFUSED;
}

/*
 * One frame of the NCP. `*is_acked`: it has our frame; `*is_refused`: it wants our frame again;
 * `*ret_is_next`: a DATA frame that is next is in `data`. 0, APPLICATION_REFUSED, ASH_WAS_RESET, or
 * -errno.
 */
static int on_frame(
	struct ash *ash, uint8_t number, bool *is_acked, bool *is_refused, bool *ret_is_next)
{
	uint8_t control = ash->receiver.body[0];

	*ret_is_next = false;
	if (control == ASH_ERROR)
		return refuse_error(ash);
	/* By the second RST that was sent for want of an answer, by the port's lines, or by itself.
	 */
	if (is_reset(ash)) {
		int r = on_reset(ash);

		return r == 0 ? ASH_WAS_RESET : r;
	}
	if (control < ASH_RST && (control & 7) == (number + 1) % NUMBERS)
		*is_acked = true;
	if (control >= ASH_NAK && control < ASH_RST)
		*is_refused = !*is_acked;
	return control < ASH_ACK ? on_data(ash, ret_is_next) : 0;
}

/* The NCP has our frame; an acknowledgement of a copy says that the answer to the first one is on
 * its way, and was lost: a NAK has it sent at once, not after the NCP's 1.6 s. */
static int ask_for_lost(struct ash *ash, bool is_copy)
{
	bool is_ack = (ash->receiver.body[0] & 0xE0) == ASH_ACK;

	return is_ack && is_copy && !ash->is_leaving ? say(ash, ASH_NAK | ash->n_expected, NULL, 0)
						     : 0;
}

/* Hears until the answer is there, or our frame is to be sent again (`*ret_again`). */
static int hear_answer(struct ash *ash, uint8_t control,
	bool (*is_answer)(const struct ash *ash, const void *userdata), const void *userdata,
	uint64_t until, bool *is_acked, bool *ret_again)
{
	bool is_refused = false, is_next;

	*ret_again = false;
	while (!is_refused) {
		uint64_t again = port_now(ash->link->expect->port) + SEND_AGAIN_USEC;
		bool is_last = *is_acked || again >= until;
		enum ash_result result;
		int r = hear(ash, is_last ? until : again, &result);

		if (r == APPLICATION_SILENT && !is_last)
			break;
		if (r != 0)
			return r;
		is_next = false;
		if (result == ASH_FRAME) {
			r = on_frame(ash, control >> 4, is_acked, &is_refused, &is_next);
			if (r == 0)
				r = ask_for_lost(ash, control & ASH_RETRANSMITTED);
		} else if (!ash->is_leaving) {
			r = say(ash, ASH_NAK | ash->n_expected, NULL, 0);
		}
		if (r != 0 || (is_next && is_answer(ash, userdata)))
			return r;
	}
	*ret_again = true;
	return 0;
}

int ash_exchange(struct ash *ash, const uint8_t *request, size_t n_request,
	bool (*is_answer)(const struct ash *ash, const void *userdata), const void *userdata,
	uint64_t until)
{
	uint8_t number = ash->n_sent, control = (uint8_t)(number << 4);
	bool is_acked = false, is_again;
	int r;

	assert(ash->is_connected);
	ash->n_sent = (uint8_t)((number + 1) % NUMBERS);
	do {
		r = say(ash, control | ash->n_expected, request, n_request);
		if (r == 0)
			r = hear_answer(
				ash, control, is_answer, userdata, until, &is_acked, &is_again);
		control |= ASH_RETRANSMITTED;
	} while (r == 0 && is_again);
	return r;
}
