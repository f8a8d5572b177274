/* SPDX-License-Identifier: MIT */
/*
 * stub-query.c - questions to the stub, one at a time, and reads whose questions are sent ahead.
 *
 * A question changes nothing, so it is asked again where no sound answer came. Only the last one
 * waits for as long as a stub may work that hangs: those before it are cheap, and a byte that was
 * lost then costs no half second.
 */
#include <string.h>

#include "base/util.h"
#include "device/transcript.h"
#include "loader/loader.h"
#include "loader/stub-link.h"

/* Questions of a read that are out at once: one is answered while the next is on its way. */
#define READ_AHEAD 2
#define READ_BLOCK (STUB_FETCH_MAX / READ_AHEAD)

int stub_link_try(struct stub_link *link, enum stub_type type, const void *data, size_t n_data,
	size_t n_before, uint64_t timeout_usec, struct stub_reply *ret)
{
	size_t n_answer =
		STUB_ANSWER_BYTES + (type == STUB_HELLO ? sizeof(struct stub_hello) : n_data);
	uint64_t deadline =
		port_now(link->port) +
		port_line_time(link->port,
			(size_t)stub_link_n_out(link) + STUB_QUESTION_BYTES + n_data + n_answer) +
		timeout_usec;
	int r = stub_link_question(link, type, 0, data, n_data);

	while (r == 0 || r == LOADER_GARBLED) {
		r = stub_link_receive(link, deadline, ret);
		if (r != 0 || ret->head.type != (type | STUB_ANSWER) ||
			(uint8_t)(link->id - ret->head.sequence) > n_before)
			continue;
		link->n_taken = link->n_sent;
		break;
	}
	return r;
}

/* Of an answer that came: its data, or why there are none. */
static int take_data(const struct stub_reply *reply, void *to, size_t n_to)
{
	if (reply->head.status != STUB_OK)
		return LOADER_REFUSED;
	if (reply->head.size != n_to)
		return LOADER_GARBLED;
	if (n_to > 0)
		memcpy(to, reply->data, n_to);
	return 0;
}

/* After HELLO both sides begin anew. */
static void take_hello(struct stub_link *link, const struct stub_answer *head)
{
	link->oldest = link->next = head->expected;
	link->failure = STUB_OK;
	link->failed_at = link->flash_status = 0;
	link->lost = head->lost;
	link->n_again = 0;
}

/*
 * Waits for the answer to one of the last `n_asked` questions. NO_ANSWER at the deadline; GARBLED
 * where a question or an answer was damaged.
 */
static int wait_for_answer(struct stub_link *link, enum stub_type type, size_t n_asked,
	uint64_t deadline, struct stub_reply *ret)
{
	for (;;) {
		int r = stub_link_receive(link, deadline, ret);

		if (r != 0)
			return r;
		if (ret->head.type == (type | STUB_ANSWER) &&
			(uint8_t)(link->id - ret->head.sequence) < n_asked)
			return 0;
		if (ret->head.type == (STUB_DAMAGE | STUB_ANSWER))
			return LOADER_GARBLED;
	}
}

int stub_link_ask(struct stub_link *link, enum stub_type type, uint32_t address, const void *data,
	size_t n_data, uint64_t work_usec, void *to, size_t n_to)
{
	uint64_t line =
		port_line_time(link->port, STUB_QUESTION_BYTES + n_data + STUB_ANSWER_BYTES + n_to);
	struct stub_reply reply;
	int r = stub_link_settle(link);

	if (r != 0)
		return r;
	for (size_t n_asked = 1; n_asked <= 1 + STUB_REPEATS; n_asked++) {
		uint64_t wait = n_asked <= STUB_REPEATS ? work_usec + STUB_LATE_USEC
							: 2 * work_usec + STUB_HUNG_USEC;

		r = stub_link_question(link, type, address, data, n_data);
		if (r == 0)
			r = wait_for_answer(
				link, type, n_asked, port_now(link->port) + line + wait, &reply);
		if (r == LOADER_GARBLED)
			stub_link_count_damage(link);
		if (r != LOADER_GARBLED && r != LOADER_NO_ANSWER)
			break;
	}
	if (r != 0)
		return r;
	link->n_taken = link->n_sent;
	if (type == STUB_HELLO)
		take_hello(link, &reply.head);
	else if (!stub_link_take_head(link, &reply.head))
		return LOADER_GARBLED;
	return take_data(&reply, to, n_to);
}

int stub_link_clear(struct stub_link *link)
{
	struct stub_hello hello;

	return stub_link_ask(link, STUB_HELLO, 0, NULL, 0, 0, &hello, sizeof(hello));
}

/* ------------------------------------------------------------------ a long read */

struct reading {
	uint32_t address;
	uint8_t *to;
	size_t n_to, n_asked, n_done;
	unsigned n_again;
	uint64_t ends[READ_AHEAD]; /* of the questions that are out */
	size_t n_ahead;
};

static int ask_ahead(struct stub_link *link, struct reading *reading)
{
	int r = 0;

	while (r == 0 && reading->n_ahead < READ_AHEAD && reading->n_asked < reading->n_to &&
		stub_link_n_out(link) + STUB_QUESTION_BYTES + 5 < link->ring_size) {
		size_t left = reading->n_to - reading->n_asked;
		uint32_t n = (uint32_t)(left < READ_BLOCK ? left : READ_BLOCK);
		uint8_t size[4];

		word_put(size, n);
		r = stub_link_question(link, STUB_READ,
			reading->address + (uint32_t)reading->n_asked, size, sizeof(size));
		reading->n_asked += n;
		reading->ends[reading->n_ahead++] = link->n_sent;
	}
	return r;
}

/*
 * The answers come in the order of the questions; anything else, and they are asked again. Of a
 * byte that was lost the CRC tells; silence alone may be a bus that a hundred bridges share.
 */
static int take_block(struct stub_link *link, struct reading *reading)
{
	size_t left = reading->n_to - reading->n_done;
	size_t n = left < READ_BLOCK ? left : READ_BLOCK;
	uint64_t deadline =
		port_now(link->port) +
		port_line_time(link->port, (size_t)stub_link_n_out(link) + STUB_ANSWER_BYTES +
						   READ_BLOCK + READ_BLOCK / 254) +
		STUB_HUNG_USEC;
	struct stub_reply reply;
	int r = wait_for_answer(link, STUB_READ, reading->n_ahead, deadline, &reply);

	if (r == 0 && (uint8_t)(link->id - reply.head.sequence) != reading->n_ahead - 1)
		r = LOADER_GARBLED;
	if (r == 0 && !stub_link_take_head(link, &reply.head))
		return LOADER_UNSTEADY;
	if (r == 0)
		r = take_data(&reply, reading->to + reading->n_done, n);
	if (r != 0)
		return r;
	link->n_taken = reading->ends[0];
	memmove(reading->ends, reading->ends + 1, (READ_AHEAD - 1) * sizeof(reading->ends[0]));
	reading->n_ahead--;
	reading->n_done += n;
	reading->n_again = 0;
	return 0;
}

/* Whatever is out is answered or lost; then it is asked again from the block that is missing. */
static int ask_again(struct stub_link *link, struct reading *reading)
{
	stub_link_count_damage(link);
	reading->n_asked = reading->n_done;
	reading->n_ahead = 0;
	if (++reading->n_again > STUB_REPEATS)
		return LOADER_GARBLED;
	return stub_link_find_out(link,
		port_now(link->port) + port_line_time(link->port, STUB_FETCH_MAX) + STUB_HUNG_USEC);
}

static int read_blocks(struct stub_link *link, uint32_t address, uint8_t *to, size_t n_to)
{
	struct reading reading = {.address = address, .to = to, .n_to = n_to};
	int r = 0;

	while (r == 0 && reading.n_done < n_to) {
		r = ask_ahead(link, &reading);
		if (r == 0)
			r = take_block(link, &reading);
		if (r == LOADER_NO_ANSWER || r == LOADER_GARBLED)
			r = ask_again(link, &reading);
	}
	if (r == LOADER_REFUSED && reading.n_ahead > 1) {
		int found = stub_link_find_out(
			link, port_now(link->port) + port_line_time(link->port, STUB_FETCH_MAX) +
				      STUB_HUNG_USEC);

		return found == 0 ? r : found;
	}
	return r == LOADER_UNSTEADY ? LOADER_GARBLED : r;
}

int stub_link_read(struct stub_link *link, uint32_t address, uint8_t *to, size_t n_to)
{
	struct transcript *transcript = port_transcript(link->port);
	int r = stub_link_settle(link);

	if (r != 0)
		return r == LOADER_UNSTEADY ? LOADER_GARBLED : r;
	transcript_begin(transcript, TRANSCRIPT_FLASH, address, n_to);
	r = read_blocks(link, address, to, n_to);
	transcript_end(transcript);
	return r;
}
