/* SPDX-License-Identifier: MIT */
/*
 * modem.c - the sending half of modem.h, and what both halves have in common.
 *
 * A transfer is: the receiver asks ('C' or NAK), the header block of YMODEM, the blocks of the
 * file, EOT, and for YMODEM an empty header. Every block is sent until an ACK comes
 * (send_until_taken), at most MODEM_TRIES times. Three hazards shape the file. A late answer to an
 * earlier copy of a block must not count for the next block: answers that came before a block are
 * dropped. A 'C' may ask for the file once more or be noise: it is an answer only where nothing
 * follows it. Behind the EOT the loader says in words whether it takes the file: those bytes are
 * left in `expect`.
 */
#include "loader/modem.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "device/transcript.h"

#define SILENT_TRIES 3 /* of them without any answer */

/* After an answer that could not be read: the receiver waits for us, so silence is told soon. */
#define GARBLED_USEC (2 * USEC_PER_SEC)

/* After a receiver was too slow once: answers that come within this time belong together. */
#define LATE_USEC (300 * USEC_PER_MSEC)

/* The text of a receiver that has cancelled begins within this time, and ends with such a silence.
 */
#define LAST_WORDS_USEC USEC_PER_SEC
#define WORDS_END_USEC	(200 * USEC_PER_MSEC)

/* After this time a 'C' that nothing followed was the answer to a block, not a late call. */
#define CALL_USEC (300 * USEC_PER_MSEC)

/*
 * The wait for the 'C' that asks for the next file; receivers repeat it every one to three seconds.
 * A receiver that prints text instead has most likely ended.
 */
#define NEXT_FILE_USEC (4 * USEC_PER_SEC)
#define NEXT_TALK_USEC (1500 * USEC_PER_MSEC)

/*
 * Bytes that are there are read even after a deadline, so a stream without an end would prevent
 * every one. This long after the deadline such a stream does not count as an answer.
 */
#define STREAM_USEC USEC_PER_SEC

/*
 * The name is short, since loaders keep few bytes of it, and has no `a`: if the first byte of the
 * block is lost, ST's receiver takes that letter for "abort".
 */
#define FILE_NAME "fw.bin"

/* The answer to a block. */
enum answer { ANSWER_ACK, ANSWER_NAK, ANSWER_CALL, ANSWER_NONE, ANSWER_CANCEL };

uint64_t modem_after(const struct modem *modem, uint64_t usec)
{
	return port_now(modem->expect->port) + usec;
}

int modem_hear(struct modem *modem, uint8_t *ret, uint64_t deadline)
{
	if (port_now(modem->expect->port) > deadline + STREAM_USEC)
		return EXPECT_SILENT;
	return expect_hear(modem->expect, ret, deadline);
}

int modem_cancel(struct modem *modem)
{
	static const uint8_t cancel[] = {
		PACKET_CAN, PACKET_CAN, PACKET_CAN, PACKET_CAN, PACKET_CAN};

	modem->is_asked = false;
	return expect_say(modem->expect, cancel, sizeof(cancel));
}

/* Whether anything but the rest of the CANs has come. */
static bool has_words(const struct expect *expect)
{
	for (size_t i = expect->begin; i < expect->end; i++)
		if (expect->heard[i] > PACKET_CAN)
			return true;
	return false;
}

/* A receiver that has cancelled says why, or nothing. */
static int hear_last_words(struct modem *modem)
{
	uint64_t deadline = modem_after(modem, LAST_WORDS_USEC);
	int r = 0;

	while (r == 0 && !has_words(modem->expect) && port_now(modem->expect->port) < deadline)
		r = expect_listen(modem->expect, deadline);
	if (r != 0)
		return r < 0 ? r : 0;
	return expect_wait_silence(modem->expect, WORDS_END_USEC, deadline + LAST_WORDS_USEC);
}

int modem_give_up(struct modem *modem, int r)
{
	int told = 0;

	if (r == LOADER_REFUSED)
		told = hear_last_words(modem);
	else if (r >= 0)
		told = modem_cancel(modem);
	return told < 0 ? told : r;
}

int modem_wait_start(struct modem *modem, uint64_t within_usec)
{
	uint64_t deadline = modem_after(modem, within_usec);
	uint8_t byte, last = 0;
	int r = expect_hear(modem->expect, &byte, deadline);

	/* Calls without a pause never leave a silence, so the clock ends the wait too. */
	while (r == 0 && port_now(modem->expect->port) < deadline) {
		if (byte == PACKET_CAN && last == PACKET_CAN)
			return LOADER_REFUSED;
		last = byte;
		if (byte != PACKET_CRC && byte != PACKET_NAK) {
			r = expect_hear(modem->expect, &byte, deadline);
			continue;
		}
		r = expect_hear(modem->expect, &byte, modem_after(modem, MODEM_SILENCE_USEC));
		if (r == EXPECT_SILENT) {
			modem->check = last == PACKET_CRC ? PACKET_CHECK_CRC : PACKET_CHECK_SUM;
			modem->is_asked = true;
			return 0;
		}
	}
	return r < 0 ? r : LOADER_NO_ANSWER;
}

/* ------------------------------------------------------------------ sending */

/*
 * Of several answers that were received together the last one counts: the others are bytes that the
 * line has doubled or made up.
 */
static int last_answer(struct modem *modem, enum answer first)
{
	struct expect *expect = modem->expect;

	while (expect->begin < expect->end) {
		uint8_t byte = expect->heard[expect->begin];

		if (byte != PACKET_ACK && byte != PACKET_NAK)
			break;
		first = byte == PACKET_ACK ? ANSWER_ACK : ANSWER_NAK;
		expect->begin++;
	}
	return first;
}

static int hear_answer(struct modem *modem, uint64_t deadline)
{
	bool is_called = false;
	uint8_t byte, last = 0;
	int r;

	while ((r = modem_hear(modem, &byte, deadline)) == 0) {
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
		if (modem_after(modem, patience) < deadline)
			deadline = modem_after(modem, patience);
	}
	if (r < 0)
		return r;
	return is_called ? ANSWER_CALL : ANSWER_NONE;
}

/* Bytes from before a block is sent are no answer to it, except that the receiver cancelled. */
static int drop_stale(struct modem *modem)
{
	struct expect *expect = modem->expect;
	int r = expect_wait_silence(expect, 0, modem_after(modem, MODEM_SILENCE_USEC));

	for (size_t i = expect->begin; i + 1 < expect->end; i++)
		if (expect->heard[i] == PACKET_CAN && expect->heard[i + 1] == PACKET_CAN)
			return LOADER_REFUSED;
	expect->begin = expect->end = 0;
	return r;
}

static int say(struct modem *modem, const uint8_t *bytes, size_t n_bytes)
{
	struct transcript *transcript =
		modem->sends_data ? port_transcript(modem->expect->port) : NULL;
	int r;

	/* A file has no addresses. */
	transcript_begin(transcript, TRANSCRIPT_FLASH, 0, n_bytes);
	r = expect_say(modem->expect, bytes, n_bytes);
	transcript_end(transcript);
	return r;
}

/* Sends these bytes until an ACK comes. `ret_called`: a 'C' came before it. */
static int send_until_taken(struct modem *modem, const uint8_t *bytes, size_t n_bytes,
	uint64_t within_usec, bool *ret_called)
{
	unsigned n_silent = 0;

	*ret_called = false;
	for (unsigned tries = 0; tries < MODEM_TRIES && n_silent < SILENT_TRIES; tries++) {
		int r = drop_stale(modem);

		if (r == 0)
			r = say(modem, bytes, n_bytes);
		if (r != 0)
			return r;
		r = hear_answer(modem, modem_after(modem, within_usec));
		if (r < 0)
			return r;
		switch ((enum answer)r) {
		case ANSWER_ACK:
			/* A late answer to an earlier copy must not pass for that to the next
			 * block.
			 */
			if (n_silent > 0 && bytes[0] != PACKET_EOT)
				r = expect_wait_silence(modem->expect, LATE_USEC,
					modem_after(modem, 2 * LATE_USEC));
			return r < 0 ? r : 0;
		case ANSWER_CANCEL:
			return LOADER_REFUSED;
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
	return n_silent >= SILENT_TRIES ? LOADER_NO_ANSWER : LOADER_REFUSED;
}

/*
 * Block 0: name, NUL, length, and a space, up to which some of ST's receivers read the digits.
 * `length` NULL: the empty header that ends the batch.
 */
static int send_header(
	struct modem *modem, const uint32_t *length, uint64_t within_usec, bool *ret_called)
{
	uint8_t frame[PACKET_BYTES];
	char fields[PACKET_SMALL] = "";
	size_t n_fields = 0, n_frame;

	if (length)
		n_fields = sizeof(FILE_NAME) + (size_t)snprintf(fields + sizeof(FILE_NAME),
						       sizeof(fields) - sizeof(FILE_NAME), "%u ",
						       *length);
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
	/* The call for the first block may have come already, where the ACK was lost. */
	if (is_called && patience > MODEM_ASK_USEC)
		patience = MODEM_ASK_USEC;
	r = modem_wait_start(modem, patience);
	/* A NAK may be a late answer: the kind of check does not change any more. */
	modem->check = check;
	return r == LOADER_NO_ANSWER && is_called ? 0 : r;
}

static int send_blocks(struct modem *modem, const struct loader_file *file)
{
	uint8_t frame[PACKET_BYTES], number = 1;
	bool is_called;

	for (uint32_t sent = 0; sent < file->n_bytes; number++) {
		enum board_blocks blocks = modem->transfer->blocks;
		uint32_t n_left = file->n_bytes - sent;
		/* Mixed: a large block where it is not longer than the small ones in its place. */
		bool is_large =
			blocks == BOARD_BLOCKS_1024 ||
			(blocks == BOARD_BLOCKS_MIXED && n_left > PACKET_LARGE - PACKET_SMALL);
		uint32_t size = is_large ? PACKET_LARGE : PACKET_SMALL;
		uint32_t n = n_left < size ? n_left : size;
		/* Without a header the receiver erases when the first block comes. */
		uint64_t patience =
			sent == 0 ? modem->transfer->erase_usec : modem->transfer->answer_usec;
		size_t n_frame = packet_make(frame, number, file->bytes + sent, n, size,
			file->is_package ? 0xFF : PACKET_SUB, modem->check);
		int r = send_until_taken(modem, frame, n_frame, patience, &is_called);

		if (r != 0)
			return r;
		sent += n;
		if (!file->on_sent(file->userdata, sent))
			return LOADER_STOPPED;
	}
	return 0;
}

/* Whether the bytes end in a call. The letter C at the end of a word is none. */
static bool ends_in_call(const uint8_t *begin, const uint8_t *end)
{
	bool is_word = end - begin > 1 && isalnum(end[-2]) && end[-2] != PACKET_CRC;

	return end > begin && (end[-1] == PACKET_NAK || (end[-1] == PACKET_CRC && !is_word));
}

/*
 * Waits for a call and leaves all text in `expect`, since it may be the loader's verdict. A call
 * that came together with the last answer was received already.
 */
static int wait_next_call(struct modem *modem)
{
	struct expect *expect = modem->expect;
	uint64_t deadline = modem_after(modem, NEXT_FILE_USEC);
	size_t begin = expect->begin; /* of one transmission */
	int r = expect->begin == expect->end ? expect_listen(expect, deadline) : 0;

	while (r == 0) {
		r = expect_wait_silence(expect, MODEM_SILENCE_USEC, deadline);
		if (r == 0 && ends_in_call(expect->heard + begin, expect->heard + expect->end)) {
			expect->end--;
			return 0;
		}
		if (r != 0 || port_now(expect->port) >= deadline)
			break;
		if (modem_after(modem, NEXT_TALK_USEC) < deadline)
			deadline = modem_after(modem, NEXT_TALK_USEC);
		begin = expect->end < sizeof(expect->heard) ? expect->end : 0;
		r = expect_listen(expect, deadline);
	}
	return r < 0 ? r : LOADER_NO_ANSWER;
}

/* A receiver that does not ask for another file does not wait for the empty header. */
static int end_batch(struct modem *modem)
{
	bool is_called;
	int r;

	if (!modem->has_header || !modem->transfer->closing_header)
		return 0;
	r = wait_next_call(modem);
	if (r == 0)
		r = send_header(modem, NULL, NEXT_FILE_USEC, &is_called);
	return r == LOADER_NO_ANSWER ? 0 : r;
}

static bool is_answer(uint8_t byte)
{
	return byte == PACKET_ACK || byte == PACKET_NAK || byte == PACKET_CAN;
}

/*
 * Makes the text behind the EOT unused again, where it was skipped in search of an answer, without
 * the answers in front of it.
 */
static void give_words_back(struct expect *expect)
{
	expect_recall(expect);
	while (expect->begin < expect->end) {
		const uint8_t *at = expect->heard + expect->begin;
		bool is_last = expect->begin + 1 == expect->end;

		if (!is_answer(at[0]) && (at[0] != PACKET_CRC || (!is_last && !is_answer(at[1]))))
			break;
		expect->begin++;
	}
}

int modem_send(struct modem *modem, const struct loader_file *file)
{
	const uint8_t eot = PACKET_EOT;
	bool is_called;
	int r = 0;

	modem->is_asked = false;
	if (!file->on_sent(file->userdata, 0))
		r = LOADER_STOPPED;
	if (r == 0 && modem->has_header)
		r = begin_file(modem, file->n_bytes);
	modem->sends_data = true;
	if (r == 0)
		r = send_blocks(modem, file);
	modem->sends_data = false;
	/* Text from here on is the loader's verdict on the whole file. */
	if (r == 0)
		expect_mark(modem->expect);
	if (r == 0)
		r = send_until_taken(modem, &eot, 1, modem->transfer->answer_usec, &is_called);
	if (r == 0)
		r = end_batch(modem);
	if (r == 0)
		give_words_back(modem->expect);
	return r == 0 ? 0 : modem_give_up(modem, r);
}
