/* SPDX-License-Identifier: MIT */
/*
 * bsl-link.c - packets of TI's ROM, and the time that each answer may take.
 *
 * Both sides acknowledge what they receive, and neither sends before it has got its answer, so that
 * a lost byte is a matter of who waits for what (ti-bsl.md 1):
 *
 * - A NACK of the chip: our packet arrived bent, and is sent again. Where its size was bent or a
 *   byte came twice, what is left of it is a packet to the chip, whose NACK belongs to nothing sent
 *   later, or the begin of one, which zeros end.
 * - A packet of the chip arrives bent: the NACK is ours, and the chip sends it again.
 * - The acknowledgement of a question was lost, and its packet came: that is the answer, known by
 *   its size and its checksum.
 * - Nothing comes behind an acknowledgement: the chip has no answer, and GET_STATUS says why.
 * - No acknowledgement at all: the chip may still wait for bytes of a packet whose size arrived
 *   bent. Zeros end that packet, and a chip that waits for none passes them over. Or it waits for
 *   our acknowledgement of a packet of its own: to one that does not, that is the size of a packet,
 *   which zeros make the command 0, and there is none.
 *
 * Zeros may stand in front of everything that the chip sends.
 */
#include "loader/bsl-link.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "device/transcript.h"
#include "loader/loader.h"

#define ACK  0xCC
#define NACK 0x33

/* ti-bsl.md 13. */
#define SYNC_TRIES	3
#define SYNC_USEC	(300 * USEC_PER_MSEC)
#define SYNC_PAUSE_USEC (100 * USEC_PER_MSEC)

#define PACKET_TRIES	3
#define QUESTION_TRIES	2
#define SEND_USEC	(1 * USEC_PER_SEC)

/* What is still on its way has come when the line was silent for so long. */
#define SILENT_USEC (50 * USEC_PER_MSEC)

/* A PING has nothing to do. */
#define PING_USEC (300 * USEC_PER_MSEC)

/* Of a packet that has begun; a bridge holds bytes back for some 16 ms. */
#define BYTE_USEC (100 * USEC_PER_MSEC)

/* ------------------------------------------------------------------ bytes */

static int next_byte(struct bsl_link *link, uint64_t deadline, uint8_t *ret)
{
	if (link->at == link->n_input) {
		int r;

		link->at = link->n_input = 0;
		r = port_read_some(
			link->port, link->input, sizeof(link->input), deadline, &link->n_input);
		if (r < 0)
			return r == -ETIMEDOUT ? LOADER_NO_ANSWER : r;
	}
	*ret = link->input[link->at++];
	return 0;
}

/* The first byte that is no zero. A chip that sends zeros for ever is not waited for. */
static int next_sign(struct bsl_link *link, uint64_t deadline, uint8_t *ret)
{
	uint8_t byte = 0;
	int r = 0;

	while (r == 0 && byte == 0)
		r = port_now(link->port) <= deadline ? next_byte(link, deadline, &byte)
						     : LOADER_NO_ANSWER;
	if (r == 0)
		*ret = byte;
	return r;
}

static int put(struct bsl_link *link, const uint8_t *bytes, size_t n)
{
	int r = port_write(link->port, bytes, n,
		port_now(link->port) + 3 * port_line_time(link->port, n) + SEND_USEC);

	return r == -ETIMEDOUT ? LOADER_NO_ANSWER : r;
}

static int answer(struct bsl_link *link, uint8_t sign)
{
	const uint8_t bytes[] = {0x00, sign};

	return put(link, bytes, sizeof(bytes));
}

static int drain(struct bsl_link *link)
{
	uint64_t end = port_now(link->port) + 10 * SILENT_USEC;
	int r = 0;

	while (r == 0 && port_now(link->port) < end)
		r = port_read_some(link->port, link->input, sizeof(link->input),
			port_now(link->port) + SILENT_USEC, &link->n_input);
	link->at = link->n_input = 0;
	return r == -ETIMEDOUT ? 0 : r;
}

/* They take 22 ms at 115200 baud, and the NACK of what they ended comes behind them. */
static int put_zeros(struct bsl_link *link)
{
	static const uint8_t zeros[BSL_DATA_MAX + 2];
	int r = put(link, zeros, sizeof(zeros));

	link->n_zeros++;
	if (r == 0)
		r = port_drain(link->port, port_now(link->port) +
						   3 * port_line_time(link->port, sizeof(zeros)) +
						   SEND_USEC);
	if (r == 0)
		r = drain(link);
	return r == -ETIMEDOUT ? LOADER_NO_ANSWER : r;
}

/* ------------------------------------------------------------------ packets */

static uint8_t sum_of(const uint8_t *data, size_t n)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + data[i]);
	return sum;
}

/* What was received before belongs to no packet that is sent now. */
static int put_packet(struct bsl_link *link, const uint8_t *data, size_t n_data)
{
	struct transcript *transcript =
		data[0] == BSL_SEND_DATA ? port_transcript(link->port) : NULL;
	uint8_t packet[BSL_DATA_MAX + 2];
	int r;

	assert(n_data >= 1 && n_data <= BSL_DATA_MAX);
	packet[0] = (uint8_t)(n_data + 2);
	packet[1] = sum_of(data, n_data);
	memcpy(packet + 2, data, n_data);
	link->at = link->n_input = 0;
	r = port_discard_input(link->port);
	if (r < 0)
		return r;
	/* It goes where the one before has ended: the packet has no address. */
	transcript_begin(transcript, TRANSCRIPT_FLASH, 0, n_data - 1);
	r = put(link, packet, n_data + 2);
	transcript_end(transcript);
	return r;
}

/* The rest of a packet whose size has come: 0, LOADER_NO_ANSWER where it ends in the middle. */
static int take_packet(struct bsl_link *link, uint8_t *to, size_t n_to, bool *ret_is_good)
{
	uint8_t sum = 0;
	int r = next_byte(link, port_now(link->port) + BYTE_USEC, &sum);

	for (size_t i = 0; r == 0 && i < n_to; i++)
		r = next_byte(link, port_now(link->port) + BYTE_USEC, &to[i]);
	*ret_is_good = r == 0 && sum == sum_of(to, n_to);
	return r;
}

static uint64_t deadline_of(struct bsl_link *link, size_t n_bytes, uint64_t timeout_usec)
{
	return port_now(link->port) + port_line_time(link->port, n_bytes) + timeout_usec;
}

/* What the first sign behind a packet is. */
enum sign { SIGN_ACK, SIGN_NACK, SIGN_PACKET };

/*
 * `n_expected` bytes of data are in the packet that answers, 0: none answers. A NACK has the value
 * that the size of a packet of 49 bytes has: no answer has so many.
 */
static int take_sign(struct bsl_link *link, uint64_t deadline, size_t n_expected, enum sign *ret)
{
	uint8_t byte = 0;
	int r = next_sign(link, deadline, &byte);

	if (r != 0)
		return r;
	if (byte == ACK) {
		*ret = SIGN_ACK;
	} else if (byte == NACK) {
		*ret = SIGN_NACK;
	} else if (n_expected > 0 && byte == n_expected + 2) {
		*ret = SIGN_PACKET;
	} else {
		r = drain(link);
		return r < 0 ? r : LOADER_GARBLED;
	}
	return 0;
}

/* Sends the packet until it is not refused as bent. */
static int exchange(struct bsl_link *link, const uint8_t *data, size_t n_data,
	uint64_t timeout_usec, size_t n_expected, enum sign *ret)
{
	int r = 0;

	for (int i = 0; i < PACKET_TRIES; i++) {
		enum sign sign = SIGN_ACK;

		r = put_packet(link, data, n_data);
		if (r == 0)
			r = take_sign(link, deadline_of(link, n_data + 4, timeout_usec), n_expected,
				&sign);
		if (r != 0)
			return r;
		*ret = sign;
		if (sign != SIGN_NACK)
			return 0;
		r = drain(link);
		if (r == 0)
			r = put_zeros(link);
		if (r != 0)
			return r;
	}
	link->status = 0;
	return LOADER_REFUSED;
}

int bsl_link_send(struct bsl_link *link, const uint8_t *data, size_t n_data, uint64_t timeout_usec)
{
	enum sign sign;

	return exchange(link, data, n_data, timeout_usec, 0, &sign);
}

/*
 * The packet that answers, its size received where `is_begun`. 0 once it is good and acknowledged;
 * LOADER_NO_ANSWER where none begins.
 */
static int take_answer(struct bsl_link *link, bool is_begun, uint8_t *to, size_t n_to)
{
	for (int i = 0; i < PACKET_TRIES; i++) {
		uint64_t deadline = deadline_of(link, n_to + 4, BSL_ANSWER_USEC);
		uint8_t size = (uint8_t)(n_to + 2);
		bool is_good = false;
		int r = is_begun ? 0 : next_sign(link, deadline, &size);

		if (r == LOADER_NO_ANSWER && i > 0)
			return LOADER_GARBLED;
		if (r != 0)
			return r;
		r = size == n_to + 2 ? take_packet(link, to, n_to, &is_good) : 0;
		if (r < 0)
			return r;
		if (is_good)
			return answer(link, ACK);
		r = drain(link);
		if (r == 0)
			r = answer(link, NACK);
		if (r != 0)
			return r;
		is_begun = false;
	}
	return LOADER_GARBLED;
}

int bsl_link_check(struct bsl_link *link)
{
	const uint8_t question = BSL_GET_STATUS;
	uint8_t status;
	int r = bsl_link_ask(link, &question, 1, BSL_ANSWER_USEC, &status, 1);

	if (r != 0)
		return r;
	link->status = status;
	return status == BSL_STATUS_SUCCESS ? 0 : LOADER_REFUSED;
}

static int ask_once(struct bsl_link *link, const uint8_t *data, size_t n_data,
	uint64_t timeout_usec, uint8_t *to, size_t n_to)
{
	enum sign sign = SIGN_ACK;
	int r = exchange(link, data, n_data, timeout_usec, n_to, &sign), why;

	if (r != 0)
		return r;
	r = take_answer(link, sign == SIGN_PACKET, to, n_to);
	if (r != LOADER_NO_ANSWER || data[0] == BSL_GET_STATUS)
		return r;
	/* Acknowledged and not answered. */
	why = bsl_link_check(link);
	return why == 0 ? LOADER_NO_ANSWER : why;
}

int bsl_link_ask(struct bsl_link *link, const uint8_t *data, size_t n_data, uint64_t timeout_usec,
	uint8_t *to, size_t n_to)
{
	int r = LOADER_NO_ANSWER;

	for (int i = 0; i < QUESTION_TRIES; i++) {
		int recovered = i > 0 ? bsl_link_recover(link) : 0;

		if (recovered != 0)
			return recovered < 0 ? recovered : r;
		r = ask_once(link, data, n_data, timeout_usec, to, n_to);
		if (r <= 0 || r == LOADER_REFUSED)
			return r;
	}
	return r;
}

int bsl_link_recover(struct bsl_link *link)
{
	const uint8_t ping = BSL_PING;
	int r = drain(link);

	if (r == 0)
		r = put_zeros(link);
	if (r == 0)
		r = bsl_link_send(link, &ping, 1, PING_USEC);
	if (r <= 0)
		return r;
	r = answer(link, ACK);
	if (r == 0)
		r = put_zeros(link);
	return r == 0 ? bsl_link_send(link, &ping, 1, PING_USEC) : r;
}

/* ------------------------------------------------------------------ sync */

/* Behind a sign, what else may come belongs to no command of ours. */
static int wait_for_sign(struct bsl_link *link, uint64_t timeout_usec)
{
	enum sign sign;
	int r = take_sign(link, port_now(link->port) + timeout_usec, 0, &sign);

	return r == 0 ? drain(link) : r;
}

/*
 * A loader that has its rate takes 55 for the size of a packet and swallows what follows. It
 * answers to a command that there is not, as TI's own host asks it, and one that has no rate yet
 * does not.
 */
static int ask_synchronised(struct bsl_link *link)
{
	const uint8_t none = 0;
	int r = put_packet(link, &none, 1);

	return r == 0 ? wait_for_sign(link, SYNC_PAUSE_USEC) : r;
}

static int ask_fresh(struct bsl_link *link)
{
	static const uint8_t pattern[] = {0x55, 0x55};
	int r;

	link->at = link->n_input = 0;
	r = port_discard_input(link->port);
	if (r == 0)
		r = put(link, pattern, sizeof(pattern));
	return r == 0 ? wait_for_sign(link, SYNC_USEC) : r;
}

/*
 * Each answer may have been lost while the loader took the rate, so that both questions follow one
 * another. A loader in the middle of a packet, left by a job that was ended, is let out of it last:
 * to one that still measures the rate zeros are no start.
 */
int bsl_link_sync(struct bsl_link *link, bool was_reset)
{
	int r = was_reset ? LOADER_NO_ANSWER : ask_synchronised(link);
	bool is_garbled = r == LOADER_GARBLED;

	for (int i = 0; i < SYNC_TRIES && r > 0; i++) {
		r = i > 0 ? ask_synchronised(link) : LOADER_NO_ANSWER;
		is_garbled = is_garbled || r == LOADER_GARBLED;
		if (r > 0)
			r = ask_fresh(link);
		is_garbled = is_garbled || r == LOADER_GARBLED;
	}
	if (r > 0 && !was_reset)
		r = bsl_link_recover(link);
	return r > 0 && is_garbled ? LOADER_GARBLED : r;
}

const char *bsl_status_to_string(uint8_t status)
{
	static const char *const texts[] = {
		[BSL_STATUS_SUCCESS] = "though it says that it succeeded (0x40)",
		[BSL_STATUS_UNKNOWN_COMMAND] = "it does not know the command (0x41)",
		[BSL_STATUS_INVALID_COMMAND] = "the command has another form for it (0x42)",
		[BSL_STATUS_INVALID_ADDRESS] = "it does not have the address (0x43)",
		[BSL_STATUS_FLASH_FAILED] =
			"its flash does not take it, worn or write-protected (0x44)",
	};
	const char *text = status < ARRAY_SIZE(texts) ? texts[status] : NULL;

	return text	? text
	       : status ? "with a status that this ROM should not have"
			: "every packet arrives with a wrong checksum";
}
