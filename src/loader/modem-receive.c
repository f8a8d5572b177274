/* SPDX-License-Identifier: MIT */
/*
 * modem-receive.c - the receiving half of modem.h: a boot loader sends its flash back by YMODEM.
 *
 * Such senders are vendors' examples in products, so little is taken for granted: the header may
 * have no length, data may come without a call, a block may come again because its ACK was lost or
 * because the sender runs ahead, and there may be no end.
 */
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "device/transcript.h"
#include "loader/modem.h"

/* The longest pause between two bytes of a frame. */
#define BYTE_USEC USEC_PER_SEC

/* A frame may take this much more than twice its time on the line. */
#define FRAME_USEC (2 * USEC_PER_SEC)

/*
 * Some senders, ST's example among them, begin with the data as soon as their header is
 * acknowledged, and take a 'C' for an error: it is sent only where nothing comes by itself.
 */
#define UNASKED_USEC (200 * USEC_PER_MSEC)

struct reception {
	uint8_t frame[PACKET_BYTES];
	size_t n_frame;
	uint32_t offset; /* bytes taken so far */
	uint32_t length; /* by the header */
	uint8_t number;	 /* of the next block */
	unsigned n_idle; /* blocks in a row that brought nothing new */
	bool has_length;
};

static int say(struct modem *modem, uint8_t byte)
{
	return expect_say(modem->expect, &byte, 1);
}

/* The rest of a frame whose first byte is there. LOADER_GARBLED where it is not sound. */
static int hear_frame(struct modem *modem, struct reception *reception)
{
	size_t n = packet_length(reception->frame[0], PACKET_CHECK_CRC);
	uint64_t end = modem_after(modem, 2 * port_line_time(modem->expect->port, n) + FRAME_USEC);

	for (size_t i = 1; i < n; i++) {
		uint64_t deadline = modem_after(modem, BYTE_USEC);
		int r = modem_hear(modem, &reception->frame[i], deadline < end ? deadline : end);

		if (r != 0)
			return r < 0 ? r : LOADER_GARBLED;
	}
	reception->n_frame = n;
	return packet_is_sound(reception->frame, n, PACKET_CHECK_CRC) ? 0 : LOADER_GARBLED;
}

/*
 * A sender waits for the answer to EOT: an EOT with bytes behind it is part of a block. Where all
 * bytes of the header's length have come, it is the end in any case.
 */
static int hear_end(struct modem *modem, const struct reception *reception)
{
	int r;

	if (reception->has_length && reception->offset >= reception->length)
		return 0;
	r = expect_wait_silence(
		modem->expect, MODEM_SILENCE_USEC, modem_after(modem, MODEM_SILENCE_USEC));
	if (r < 0)
		return r;
	return modem->expect->begin == modem->expect->end ? 0 : LOADER_GARBLED;
}

/* One frame, or EOT in its first byte. LOADER_REFUSED where the sender cancelled. */
static int hear_once(struct modem *modem, struct reception *reception)
{
	uint64_t deadline = modem_after(modem, MODEM_ASK_USEC);
	uint8_t *first = &reception->frame[0], last = 0;
	int r;

	while ((r = modem_hear(modem, first, deadline)) == 0) {
		bool is_end = *first == PACKET_EOT;

		if (*first == PACKET_CAN && last == PACKET_CAN)
			return LOADER_REFUSED;
		last = *first;
		if (!is_end && packet_length(*first, PACKET_CHECK_CRC) == 0)
			continue;
		r = is_end ? hear_end(modem, reception) : hear_frame(modem, reception);
		if (r != LOADER_GARBLED)
			return r;
		r = expect_wait_silence(
			modem->expect, MODEM_SILENCE_USEC, modem_after(modem, MODEM_ASK_USEC));
		if (r == 0)
			modem->expect->begin = modem->expect->end = 0;
		return r < 0 ? r : LOADER_GARBLED;
	}
	return r < 0 ? r : LOADER_NO_ANSWER;
}

/* The same until one comes: sends `ask` first (0: nothing), and asks again each time. */
static int hear_next(
	struct modem *modem, struct reception *reception, uint8_t ask, unsigned most_tries)
{
	int r = ask ? say(modem, ask) : 0;

	for (unsigned tries = 1; r == 0; tries++) {
		r = hear_once(modem, reception);
		if ((r != LOADER_GARBLED && r != LOADER_NO_ANSWER) || tries == most_tries)
			return r;
		/* Behind the first block senders understand NAK alone, not 'C'. */
		if (r == LOADER_GARBLED && reception->number > 0)
			ask = PACKET_NAK;
		if (!ask)
			ask = reception->number == 1 ? PACKET_CRC : PACKET_NAK;
		r = say(modem, ask);
	}
	return r;
}

/* Sets `ret` to `ask`, or to 0 where bytes come without a call. 0 or -errno. */
static int choose_ask(struct modem *modem, uint8_t ask, uint8_t *ret)
{
	struct expect *expect = modem->expect;
	int r = 0;

	if (expect->begin == expect->end)
		r = expect_listen(expect, modem_after(modem, UNASKED_USEC));
	*ret = r == EXPECT_SILENT ? ask : 0;
	return r < 0 ? r : 0;
}

static int take_block(struct reception *reception, const struct loader_sink *sink)
{
	size_t n = reception->n_frame - 5;

	if (reception->has_length && n > reception->length - reception->offset)
		n = reception->length - reception->offset;
	if (n == 0)
		reception->n_idle++;
	else
		reception->n_idle = 0;
	if (n > 0 &&
		!sink->take(sink->userdata, reception->offset, reception->frame + 3, (uint32_t)n))
		return LOADER_STOPPED;
	reception->offset += (uint32_t)n;
	reception->number++;
	return 0;
}

/*
 * A block that was taken already: its ACK was lost, and the sender waits for another one. A sender
 * that goes on at once has the ACK; one more would put it one block ahead from here on.
 */
static int answer_repeated(struct modem *modem, struct reception *reception)
{
	struct expect *expect = modem->expect;
	int r = EXPECT_OK;

	reception->n_idle++;
	if (expect->begin == expect->end)
		r = expect_listen(expect, modem_after(modem, MODEM_SILENCE_USEC));
	return r == EXPECT_SILENT ? say(modem, PACKET_ACK) : r;
}

/* Blocks up to EOT. */
static int receive_blocks(
	struct modem *modem, struct reception *reception, const struct loader_sink *sink)
{
	uint8_t ask; /* then the ACK of each block asks for the next */
	int r = choose_ask(modem, PACKET_CRC, &ask);

	reception->number = 1;
	while (r == 0) {
		uint8_t number;

		r = hear_next(modem, reception, ask, MODEM_TRIES);
		number = reception->frame[1];
		if (r != 0)
			return r;
		if (reception->frame[0] == PACKET_EOT && reception->has_length &&
			reception->offset < reception->length)
			return LOADER_GARBLED;
		if (reception->frame[0] == PACKET_EOT)
			return say(modem, PACKET_ACK);
		if (number == reception->number) {
			r = take_block(reception, sink);
			if (r == 0)
				r = say(modem, PACKET_ACK);
		} else if (number == (uint8_t)(reception->number - 1)) {
			r = answer_repeated(modem, reception);
		} else {
			return LOADER_GARBLED;
		}
		if (r == 0 && reception->n_idle > MODEM_TRIES)
			return LOADER_ENDLESS;
		ask = 0;
	}
	return r;
}

int modem_receive(struct modem *modem, const struct loader_sink *sink)
{
	struct transcript *transcript = port_transcript(modem->expect->port);
	struct reception reception = {.n_frame = 0};
	int r = hear_next(modem, &reception, PACKET_CRC, MODEM_TRIES);

	if (r == 0 && reception.frame[0] == PACKET_EOT)
		r = LOADER_GARBLED;
	if (r == 0) {
		/* Name, NUL, length in decimal digits. */
		const char *fields = (const char *)reception.frame + 3;
		size_t n_fields = reception.n_frame - 5;
		size_t n_name = strnlen(fields, n_fields);
		char digits[16] = "";

		if (n_name + 1 < n_fields)
			snprintf(digits, sizeof(digits), "%.*s",
				(int)strspn(fields + n_name + 1, "0123456789"),
				fields + n_name + 1);
		reception.has_length = parse_u32(digits, &reception.length) == 0;
		r = say(modem, PACKET_ACK);
	}
	transcript_begin(transcript, TRANSCRIPT_FLASH, 0, reception.length);
	if (r == 0)
		r = receive_blocks(modem, &reception, sink);
	transcript_end(transcript);
	/* The header that ends the batch; a sender without it sends text or nothing. */
	if (r == 0) {
		uint8_t ask;

		r = choose_ask(modem, PACKET_CRC, &ask);
		if (r == 0)
			r = hear_next(modem, &reception, ask, 1);
		if (r == 0)
			r = say(modem, PACKET_ACK);
		return r < 0 ? r : 0;
	}
	return modem_give_up(modem, r);
}
