/* SPDX-License-Identifier: MIT */
#include "target/modem.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"

/* Above the USB latency of a bridge; far below the second between two 'C's. */
#define SILENCE_USEC (30 * USEC_PER_MSEC)

#define TRIES	     10 /* of one block (Forsberg, section 7) */
#define SILENT_TRIES 3	/* of them without any answer */

/* Once an answer came and could not be read, nothing more is to be expected soon. */
#define GARBLED_USEC (2 * USEC_PER_SEC)

/* Once a receiver was too slow for one answer, the next is not trusted to be the last for so long.
 */
#define LATE_USEC (300 * USEC_PER_MSEC)

/* What a receiver says after it has cancelled comes at once. */
#define LAST_WORDS_USEC (200 * USEC_PER_MSEC)

/* Whether a 'C' was a late call for the file or the answer to a block shows in this time. */
#define CALL_USEC (300 * USEC_PER_MSEC)

/*
 * For the 'C' that asks for the next file; receivers repeat it each second to each three. One that
 * says something instead has most likely ended.
 */
#define NEXT_FILE_USEC (4 * USEC_PER_SEC)
#define NEXT_TALK_USEC (1500 * USEC_PER_MSEC)

/* A receiver asks again after this, and gives a sender this long between two bytes. */
#define ASK_USEC  (3 * USEC_PER_SEC)
#define BYTE_USEC USEC_PER_SEC

/*
 * Short, for loaders keep few bytes of a name, and without an `a`: should the first byte of the
 * block be lost, ST's receiver would take that letter for "abort".
 */
#define FILE_NAME "fw.bin"

/* What an answer came to, beside 0 (ACK) and -errno. */
enum answer { ANSWER_ACK, ANSWER_NAK, ANSWER_CALL, ANSWER_NONE, ANSWER_CANCEL };

static uint64_t after(const struct modem *modem, uint64_t usec)
{
	return port_now(modem->speech->port) + usec;
}

int modem_cancel(struct modem *modem)
{
	static const uint8_t cancel[] = {
		PACKET_CAN, PACKET_CAN, PACKET_CAN, PACKET_CAN, PACKET_CAN};

	modem->is_asked = false;
	return speech_say(modem->speech, cancel, sizeof(cancel));
}

/*
 * Gives up: the other side shall not wait for more, unless it was that side that cancelled: then
 * what it says behind it is heard. Returns `r`, or what kept from doing so.
 */
static int give_up(struct modem *modem, int r)
{
	int told = 0;

	if (r == PROTOCOL_REFUSED)
		told = speech_wait_silence(
			modem->speech, LAST_WORDS_USEC, after(modem, 2 * LAST_WORDS_USEC));
	else if (r >= 0)
		told = modem_cancel(modem);
	return told < 0 ? told : r;
}

int modem_wait_start(struct modem *modem, uint64_t within_usec)
{
	uint64_t deadline = after(modem, within_usec);
	uint8_t byte, last = 0;
	int r = speech_hear(modem->speech, &byte, deadline);

	/* Calls without a pause keep the silence away for ever, so the clock is looked at too. */
	while (r == 0 && port_now(modem->speech->port) < deadline) {
		if (byte == PACKET_CAN && last == PACKET_CAN)
			return PROTOCOL_REFUSED;
		last = byte;
		if (byte != PACKET_CRC && byte != PACKET_NAK) {
			r = speech_hear(modem->speech, &byte, deadline);
			continue;
		}
		r = speech_hear(modem->speech, &byte, after(modem, SILENCE_USEC));
		if (r == SPEECH_SILENT) {
			modem->check = last == PACKET_CRC ? PACKET_CHECK_CRC : PACKET_CHECK_SUM;
			modem->is_asked = true;
			return 0;
		}
	}
	return r < 0 ? r : PROTOCOL_NO_ANSWER;
}

/* ------------------------------------------------------------------ sending */

/*
 * Of answers that are there at once the last one counts: a byte that the line has made up, or
 * doubled, stands before or behind the true one.
 */
static int last_answer(struct modem *modem, enum answer first)
{
	struct speech *speech = modem->speech;

	while (speech->begin < speech->end) {
		uint8_t byte = speech->heard[speech->begin];

		if (byte != PACKET_ACK && byte != PACKET_NAK)
			break;
		first = byte == PACKET_ACK ? ANSWER_ACK : ANSWER_NAK;
		speech->begin++;
	}
	return first;
}

static int hear_answer(struct modem *modem, uint64_t deadline)
{
	bool is_called = false;
	uint8_t byte, last = 0;
	int r;

	while ((r = speech_hear(modem->speech, &byte, deadline)) == 0) {
		uint64_t patience = GARBLED_USEC;

		if (byte == PACKET_CAN && last == PACKET_CAN)
			return ANSWER_CANCEL;
		last = byte;
		if (byte == PACKET_ACK)
			return last_answer(modem, ANSWER_ACK);
		if (byte == PACKET_NAK)
			return last_answer(modem, ANSWER_NAK);
		if (byte == PACKET_CRC) {
			is_called = true;
			patience = CALL_USEC;
		}
		if (after(modem, patience) < deadline)
			deadline = after(modem, patience);
	}
	if (r < 0)
		return r;
	return is_called ? ANSWER_CALL : ANSWER_NONE;
}

/* What came before a block is sent is no answer to it; but that the receiver cancelled counts. */
static int drop_stale(struct modem *modem)
{
	struct speech *speech = modem->speech;
	int r = speech_wait_silence(speech, 0, after(modem, SILENCE_USEC));

	for (size_t i = speech->begin; i + 1 < speech->end; i++)
		if (speech->heard[i] == PACKET_CAN && speech->heard[i + 1] == PACKET_CAN)
			return PROTOCOL_REFUSED;
	speech->begin = speech->end = 0;
	return r;
}

/* Sends these bytes until they are taken. `ret_called`: a 'C' came before the ACK. */
static int send_until_taken(struct modem *modem, const uint8_t *bytes, size_t n_bytes,
	uint64_t within_usec, bool *ret_called)
{
	unsigned n_silent = 0;

	*ret_called = false;
	for (unsigned tries = 0; tries < TRIES && n_silent < SILENT_TRIES; tries++) {
		int r = drop_stale(modem);

		if (r == 0)
			r = speech_say(modem->speech, bytes, n_bytes);
		if (r != 0)
			return r;
		r = hear_answer(modem, after(modem, within_usec));
		if (r < 0)
			return r;
		switch ((enum answer)r) {
		case ANSWER_ACK:
			/* A late answer to an earlier copy must not pass for that to the next
			 * block.
			 */
			if (n_silent > 0 && bytes[0] != PACKET_EOT)
				r = speech_wait_silence(
					modem->speech, LATE_USEC, after(modem, 2 * LATE_USEC));
			return r < 0 ? r : 0;
		case ANSWER_CANCEL:
			return PROTOCOL_REFUSED;
		case ANSWER_NONE:
			n_silent++;
			break;
		case ANSWER_CALL:
			*ret_called = true;
			break;
		case ANSWER_NAK:
			break;
		}
	}
	return n_silent >= SILENT_TRIES ? PROTOCOL_NO_ANSWER : PROTOCOL_REFUSED;
}

/*
 * Block 0: name, NUL, length, and a space behind it, for some of ST's receivers read the digits up
 * to one. `length` NULL: the empty header that ends the batch.
 */
static int send_header(
	struct modem *modem, const uint32_t *length, uint64_t within_usec, bool *ret_called)
{
	uint8_t frame[PACKET_BYTES];
	char fields[PACKET_SMALL] = "";
	size_t n_fields = 0, n_frame;

	if (length)
		n_fields = sizeof(FILE_NAME) + (size_t)snprintf(fields + sizeof(FILE_NAME),
						       sizeof(fields) - sizeof(FILE_NAME),
						       "%" PRIu32 " ", *length);
	if (length)
		memcpy(fields, FILE_NAME, sizeof(FILE_NAME));
	n_frame = packet_make(
		frame, 0, (const uint8_t *)fields, n_fields, PACKET_SMALL, 0, modem->check);
	return send_until_taken(modem, frame, n_frame, within_usec, ret_called);
}

/* The receiver opens its file and asks for the first block, after an erase perhaps. */
static int begin_file(struct modem *modem, uint32_t length)
{
	uint64_t patience = modem->transfer->erase_usec;
	enum packet_check check = modem->check;
	bool is_called;
	int r = send_header(modem, &length, patience, &is_called);

	if (r != 0)
		return r;
	/* That call may have been the one: its ACK was lost, and the block sent once more. */
	if (is_called && patience > ASK_USEC)
		patience = ASK_USEC;
	r = modem_wait_start(modem, patience);
	/* A NAK may be an answer that came late; no receiver changes its mind here. */
	modem->check = check;
	return r == PROTOCOL_NO_ANSWER && is_called ? 0 : r;
}

static size_t block_size(const struct modem *modem, uint32_t n_left)
{
	switch (modem->transfer->blocks) {
	case BOARD_BLOCKS_128:
		return PACKET_SMALL;
	case BOARD_BLOCKS_1024:
		return PACKET_LARGE;
	case BOARD_BLOCKS_MIXED:
		/* A large one where it is not longer than the small ones it stands for. */
		return n_left > PACKET_LARGE - PACKET_SMALL ? PACKET_LARGE : PACKET_SMALL;
	}
	return PACKET_SMALL;
}

static int send_blocks(struct modem *modem, const struct protocol_file *file)
{
	uint8_t frame[PACKET_BYTES], number = 1;
	bool is_called;

	for (uint32_t sent = 0; sent < file->n_bytes; number++) {
		size_t size = block_size(modem, file->n_bytes - sent);
		uint32_t n = file->n_bytes - sent < size ? file->n_bytes - sent : (uint32_t)size;
		/* Without a header it is the first block that a receiver erases for. */
		uint64_t patience =
			sent == 0 ? modem->transfer->erase_usec : modem->transfer->answer_usec;
		size_t n_frame = packet_make(
			frame, number, file->bytes + sent, n, size, PACKET_SUB, modem->check);
		int r = send_until_taken(modem, frame, n_frame, patience, &is_called);

		if (r != 0)
			return r;
		sent += n;
		if (!file->on_sent(file->userdata, sent))
			return PROTOCOL_STOPPED;
	}
	return 0;
}

/* Whether the bytes from `begin` on end in a call: a letter 'C' in a word is none. */
static bool ends_in_call(const uint8_t *begin, const uint8_t *end)
{
	bool is_word = end - begin > 1 && isalnum(end[-2]) && end[-2] != PACKET_CRC;

	return end > begin && (end[-1] == PACKET_NAK || (end[-1] == PACKET_CRC && !is_word));
}

/*
 * Waits for a call, too, but leaves every text where it is: it may be the loader's last word. A
 * call that came in one transmission with the last answer is heard already.
 */
static int wait_next_call(struct modem *modem)
{
	struct speech *speech = modem->speech;
	uint64_t deadline = after(modem, NEXT_FILE_USEC);
	size_t begin = speech->begin; /* of one transmission */
	int r = speech->begin == speech->end ? speech_listen(speech, deadline) : 0;

	while (r == 0) {
		r = speech_wait_silence(speech, SILENCE_USEC, deadline);
		if (r == 0 && ends_in_call(speech->heard + begin, speech->heard + speech->end)) {
			speech->end--;
			return 0;
		}
		if (r != 0 || port_now(speech->port) >= deadline)
			break;
		if (after(modem, NEXT_TALK_USEC) < deadline)
			deadline = after(modem, NEXT_TALK_USEC);
		begin = speech->end < sizeof(speech->heard) ? speech->end : 0;
		r = speech_listen(speech, deadline);
	}
	return r < 0 ? r : PROTOCOL_NO_ANSWER;
}

/* Nobody who does not ask for another file waits for the header that says there is none. */
static int end_batch(struct modem *modem)
{
	bool is_called;
	int r;

	if (!modem->has_header || !modem->transfer->closing_header)
		return 0;
	r = wait_next_call(modem);
	if (r == 0)
		r = send_header(modem, NULL, NEXT_FILE_USEC, &is_called);
	return r == PROTOCOL_NO_ANSWER ? 0 : r;
}

static bool is_answer(uint8_t byte)
{
	return byte == PACKET_ACK || byte == PACKET_NAK || byte == PACKET_CAN;
}

/*
 * What was said behind the EOT is unused again, also where it was passed over in search of an
 * answer; without the answers that stand in front of it.
 */
static void give_words_back(struct speech *speech)
{
	speech_recall(speech);
	while (speech->begin < speech->end) {
		const uint8_t *at = speech->heard + speech->begin;
		bool is_last = speech->begin + 1 == speech->end;

		if (!is_answer(at[0]) && (at[0] != PACKET_CRC || (!is_last && !is_answer(at[1]))))
			break;
		speech->begin++;
	}
}

int modem_send(struct modem *modem, const struct protocol_file *file)
{
	const uint8_t eot = PACKET_EOT;
	bool is_called;
	int r = 0;

	modem->is_asked = false;
	if (!file->on_sent(file->userdata, 0))
		r = PROTOCOL_STOPPED;
	if (r == 0 && modem->has_header)
		r = begin_file(modem, file->n_bytes);
	if (r == 0)
		r = send_blocks(modem, file);
	/* What is said from here on is the loader's word on the whole file. */
	if (r == 0)
		speech_mark(modem->speech);
	if (r == 0)
		r = send_until_taken(modem, &eot, 1, modem->transfer->answer_usec, &is_called);
	if (r == 0)
		r = end_batch(modem);
	if (r == 0)
		give_words_back(modem->speech);
	return r == 0 ? 0 : give_up(modem, r);
}

/* ------------------------------------------------------------------ receiving */

struct reception {
	uint8_t frame[PACKET_BYTES];
	size_t n_frame;
	uint32_t offset; /* bytes taken so far */
	uint32_t length; /* by the header */
	uint8_t number;	 /* of the next block */
	bool has_length;
};

static int say(struct modem *modem, uint8_t byte)
{
	return speech_say(modem->speech, &byte, 1);
}

/* The rest of a frame whose first byte is there. PROTOCOL_GARBLED where it is not sound. */
static int hear_frame(struct modem *modem, struct reception *reception)
{
	size_t n = packet_length(reception->frame[0], PACKET_CHECK_CRC);

	for (size_t i = 1; i < n; i++) {
		int r = speech_hear(modem->speech, &reception->frame[i], after(modem, BYTE_USEC));

		if (r != 0)
			return r < 0 ? r : PROTOCOL_GARBLED;
	}
	reception->n_frame = n;
	return packet_is_sound(reception->frame, n, PACKET_CHECK_CRC) ? 0 : PROTOCOL_GARBLED;
}

/* A sender waits for the answer to EOT: with something behind it, it is a byte of a block. */
static int hear_end(struct modem *modem)
{
	int r = speech_wait_silence(modem->speech, SILENCE_USEC, after(modem, SILENCE_USEC));

	if (r < 0)
		return r;
	return modem->speech->begin == modem->speech->end ? 0 : PROTOCOL_GARBLED;
}

/* One frame, or EOT in its first byte. PROTOCOL_REFUSED where the sender cancelled. */
static int hear_once(struct modem *modem, struct reception *reception)
{
	uint64_t deadline = after(modem, ASK_USEC);
	uint8_t *first = &reception->frame[0], last = 0;
	int r;

	while ((r = speech_hear(modem->speech, first, deadline)) == 0) {
		bool is_end = *first == PACKET_EOT;

		if (*first == PACKET_CAN && last == PACKET_CAN)
			return PROTOCOL_REFUSED;
		last = *first;
		if (!is_end && packet_length(*first, PACKET_CHECK_CRC) == 0)
			continue;
		r = is_end ? hear_end(modem) : hear_frame(modem, reception);
		if (r != PROTOCOL_GARBLED)
			return r;
		r = speech_wait_silence(modem->speech, SILENCE_USEC, after(modem, ASK_USEC));
		if (r == 0)
			modem->speech->begin = modem->speech->end = 0;
		return r < 0 ? r : PROTOCOL_GARBLED;
	}
	return r < 0 ? r : PROTOCOL_NO_ANSWER;
}

/* The same until it comes: `ask` (0: nothing) is said first, and something again each time. */
static int hear_next(
	struct modem *modem, struct reception *reception, uint8_t ask, unsigned most_tries)
{
	int r = ask ? say(modem, ask) : 0;

	for (unsigned tries = 1; r == 0; tries++) {
		r = hear_once(modem, reception);
		if ((r != PROTOCOL_GARBLED && r != PROTOCOL_NO_ANSWER) || tries == most_tries)
			return r;
		/* A 'C' in the place of a NAK would not be understood behind the header. */
		if (r == PROTOCOL_GARBLED && reception->number > 0)
			ask = PACKET_NAK;
		r = say(modem, ask ? ask : PACKET_NAK);
	}
	return r;
}

/* Name, NUL, length in decimal digits. */
static void take_header(struct reception *reception)
{
	const char *fields = (const char *)reception->frame + 3;
	size_t n_fields = reception->n_frame - 5;
	size_t n_name = strnlen(fields, n_fields);
	char digits[16] = "";

	if (n_name + 1 >= n_fields)
		return;
	snprintf(digits, sizeof(digits), "%.*s", (int)strspn(fields + n_name + 1, "0123456789"),
		fields + n_name + 1);
	reception->has_length = parse_u32(digits, &reception->length) == 0;
}

static int take_block(struct reception *reception, const struct protocol_sink *sink)
{
	size_t n = reception->n_frame - 5;

	if (reception->has_length && n > reception->length - reception->offset)
		n = reception->length - reception->offset;
	if (n > 0 &&
		!sink->take(sink->userdata, reception->offset, reception->frame + 3, (uint32_t)n))
		return PROTOCOL_STOPPED;
	reception->offset += (uint32_t)n;
	reception->number++;
	return 0;
}

/* Blocks up to EOT. */
static int receive_blocks(
	struct modem *modem, struct reception *reception, const struct protocol_sink *sink)
{
	uint8_t ask = PACKET_CRC; /* then the ACK of each block asks for the next */

	reception->number = 1;
	for (;;) {
		int r = hear_next(modem, reception, ask, TRIES);
		uint8_t number = reception->frame[1];

		if (r != 0)
			return r;
		if (reception->frame[0] == PACKET_EOT && reception->has_length &&
			reception->offset < reception->length)
			return PROTOCOL_GARBLED;
		if (reception->frame[0] == PACKET_EOT)
			return say(modem, PACKET_ACK);
		if (number == reception->number)
			r = take_block(reception, sink);
		else if (number != (uint8_t)(reception->number - 1))
			return PROTOCOL_GARBLED;
		if (r == 0)
			r = say(modem, PACKET_ACK);
		if (r != 0)
			return r;
		ask = 0;
	}
}

int modem_receive(struct modem *modem, const struct protocol_sink *sink)
{
	struct reception reception = {.n_frame = 0};
	int r = hear_next(modem, &reception, PACKET_CRC, TRIES);

	if (r == 0 && reception.frame[0] == PACKET_EOT)
		r = PROTOCOL_GARBLED;
	if (r == 0) {
		take_header(&reception);
		r = say(modem, PACKET_ACK);
	}
	if (r == 0)
		r = receive_blocks(modem, &reception, sink);
	/* The header that ends the batch; a sender that has none says something else. */
	if (r == 0) {
		r = hear_next(modem, &reception, PACKET_CRC, 1);
		if (r == 0)
			r = say(modem, PACKET_ACK);
		return r < 0 ? r : 0;
	}
	return give_up(modem, r);
}
