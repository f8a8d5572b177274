/* SPDX-License-Identifier: MIT */
/*
 * stub-link.c - see stub-link.h.
 *
 * Posted frames are sent as long as the ring of the stub has room for them (credit), and not much
 * further ahead than the line needs, so that line and flash both work all the time. Each answer
 * tells the number that the stub does next, and with it that all bytes up to the end of the frame
 * before are out of the ring.
 *
 * Everything that goes wrong is mended in one way. A damaged answer, one that says that frames are
 * missing, or none in time: the stub is asked by ECHO how far it is. Its answer finds the ring
 * empty and says which number is next. What is behind that was lost and is sent again. The stub
 * does a number once, so no unit is ever programmed twice.
 *
 * A question costs nothing where an erase is under way: it waits in the ring. The stub is given up
 * where it has said nothing for twice the longest time of its work and half a second, or where the
 * same frame was vain three times more.
 */
#include "loader/stub-link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "device/transcript.h"
#include "image/digest.h"
#include "loader/loader.h"

int stub_link_init(struct stub_link *link, struct port *port)
{
	*link = (struct stub_link){
		.port = port, .ring_size = STUB_RING_MIN, .max_ahead = STUB_RING_MAX};
	link->cobs.body = link->body;
	link->cobs.size = sizeof(link->body);
	link->flights = calloc(STUB_WINDOW, sizeof(*link->flights));
	return link->flights ? 0 : -ENOMEM;
}

void stub_link_done(struct stub_link *link)
{
	free(link->flights);
	link->flights = NULL;
}

void stub_link_set_ring(struct stub_link *link, uint32_t ring_size)
{
	link->ring_size = ring_size;
}

void stub_link_keep_short(struct stub_link *link)
{
	link->max_ahead = STUB_SHORT_BYTES;
}

size_t stub_link_data_max(const struct stub_link *link)
{
	size_t half = (link->ring_size - 1) / 2;
	size_t overhead = COBS_ENCODED_MAX(STUB_FRAME_MAX) - STUB_DATA_MAX;
	size_t most = half > overhead ? half - overhead : 0;

	if (most > STUB_DATA_MAX)
		most = STUB_DATA_MAX;
	return most / STUB_UNIT_MAX * STUB_UNIT_MAX;
}

static struct stub_flight *flight_of(struct stub_link *link, uint8_t number)
{
	return &link->flights[number % STUB_WINDOW];
}

static unsigned n_posted(const struct stub_link *link)
{
	return (uint8_t)(link->next - link->oldest);
}

uint64_t stub_link_n_out(const struct stub_link *link)
{
	return link->n_sent - link->n_taken;
}

/* ------------------------------------------------------------------ bytes and frames */

/* Returns the bytes on the line. `n_data` is at most STUB_DATA_MAX. */
static size_t make_frame(enum stub_type type, uint8_t number, uint32_t address, const void *data,
	size_t n_data, uint8_t to[static COBS_ENCODED_MAX(STUB_FRAME_MAX)])
{
	uint8_t body[STUB_FRAME_MAX];
	size_t n = sizeof(struct stub_frame);

	body[0] = (uint8_t)type;
	body[1] = number;
	body[2] = (uint8_t)n_data;
	body[3] = (uint8_t)(n_data >> 8);
	word_put(body + 4, address);
	if (n_data > 0)
		memcpy(body + n, data, n_data);
	n += n_data;
	word_put(body + n, digest_crc32(body, n));
	return cobs_encode(body, n + STUB_CRC_SIZE, to);
}

int stub_link_send(struct stub_link *link, const uint8_t *bytes, size_t n_bytes)
{
	uint64_t deadline = port_now(link->port) +
			    port_line_time(link->port, (size_t)stub_link_n_out(link) + n_bytes) +
			    2 * STUB_HUNG_USEC;
	int r = port_write(link->port, bytes, n_bytes, deadline);

	link->n_sent += n_bytes;
	link->spoke = port_now(link->port);
	return r == -ETIMEDOUT ? LOADER_NO_ANSWER : r;
}

/* The same of a frame that may hold bytes of the flash. */
static int send_data(struct stub_link *link, const struct stub_flight *flight)
{
	struct transcript *transcript = port_transcript(link->port);
	int r;

	transcript_begin(transcript, TRANSCRIPT_FLASH, flight->address, flight->n_data);
	r = stub_link_send(link, flight->bytes, flight->n_bytes);
	transcript_end(transcript);
	return r;
}

/* Whether the body that came is an answer, as its CRC has it. */
static bool read_answer(struct stub_link *link, struct stub_reply *ret)
{
	const uint8_t *body = link->body;
	size_t n = link->cobs.n_body;
	struct stub_answer *head = &ret->head;

	if (n < sizeof(*head) + STUB_CRC_SIZE ||
		word_at(body + n - STUB_CRC_SIZE) != digest_crc32(body, n - STUB_CRC_SIZE))
		return false;
	*head = (struct stub_answer){
		.type = body[0],
		.sequence = body[1],
		.expected = body[2],
		.status = body[3],
		.taken = word_at(body + 4),
		.address = word_at(body + 8),
		.flash_status = word_at(body + 12),
		.size = (uint16_t)(body[16] | body[17] << 8),
		.failure = body[18],
		.lost = body[19],
	};
	ret->data = body + sizeof(*head);
	return head->type & STUB_ANSWER && head->size == n - sizeof(*head) - STUB_CRC_SIZE;
}

/* The next sound answer. NO_ANSWER at the deadline; GARBLED for bytes that were to be one. */
int stub_link_receive(struct stub_link *link, uint64_t deadline, struct stub_reply *ret)
{
	for (;;) {
		int r = 0;

		while (link->at < link->n_input) {
			enum cobs_result result = cobs_take(&link->cobs, link->input[link->at++]);

			if (result == COBS_MORE)
				continue;
			return result == COBS_BODY && read_answer(link, ret) ? 0 : LOADER_GARBLED;
		}
		link->at = link->n_input = 0;
		r = port_read_some(
			link->port, link->input, sizeof(link->input), deadline, &link->n_input);
		if (r != 0)
			return r == -ETIMEDOUT ? LOADER_NO_ANSWER : r;
	}
}

void stub_link_forget_input(struct stub_link *link)
{
	link->at = link->n_input = 0;
	link->cobs = (struct cobs){.body = link->body, .size = sizeof(link->body)};
	link->n_taken = link->n_sent;
}

/* ------------------------------------------------------------------ how far the stub is */

void stub_link_count_damage(struct stub_link *link)
{
	link->n_damaged++;
	link->n_row_damaged++;
}

static bool is_bad_line(struct stub_link *link)
{
	bool is_bad = link->n_row_damaged >= STUB_BAD_DAMAGED;

	if (is_bad || link->n_row >= STUB_BAD_FRAMES)
		link->n_row = link->n_row_damaged = 0;
	return is_bad;
}

/* All before `expected` is done. False where that number cannot be. */
static bool take_expected(struct stub_link *link, uint8_t expected)
{
	uint8_t n_done = (uint8_t)(expected - link->oldest);

	if (n_done > n_posted(link))
		return false;
	if (n_done == 0)
		return true;
	if (link->n_taken < flight_of(link, (uint8_t)(expected - 1))->end)
		link->n_taken = flight_of(link, (uint8_t)(expected - 1))->end;
	link->oldest = expected;
	link->since = port_now(link->port);
	link->n_again = 0;
	return true;
}

/*
 * What every answer tells, whatever it answers. One that is not of this session says a number that
 * cannot be: it is passed over.
 */
bool stub_link_take_head(struct stub_link *link, const struct stub_answer *head)
{
	if (!take_expected(link, head->expected))
		return false;
	if (head->failure != STUB_OK && link->failure == STUB_OK) {
		link->failure = head->failure;
		link->failed_at = head->address;
		link->flash_status = head->flash_status;
	}
	link->n_lost += (uint8_t)(head->lost - link->lost);
	link->lost = head->lost;
	return true;
}

/* The work that is under way: that of the oldest frame. */
static uint64_t work_now(struct stub_link *link)
{
	return n_posted(link) > 0 ? flight_of(link, link->oldest)->work_usec : 0;
}

static uint64_t late_at(struct stub_link *link)
{
	return link->since +
	       port_line_time(link->port, (size_t)stub_link_n_out(link) + STUB_ANSWER_BYTES) +
	       work_now(link) + STUB_LATE_USEC;
}

static uint64_t hung_at(struct stub_link *link)
{
	return link->since +
	       port_line_time(link->port, (size_t)stub_link_n_out(link) + STUB_ANSWER_BYTES) +
	       2 * work_now(link) + STUB_HUNG_USEC;
}

/* Puts a question and notes where it ends. */
int stub_link_question(struct stub_link *link, enum stub_type type, uint32_t address,
	const void *data, size_t n_data)
{
	uint8_t bytes[1 + COBS_ENCODED_MAX(STUB_FRAME_MAX)];

	/* A zero ends what damage may have left open. */
	bytes[0] = 0;
	return stub_link_send(
		link, bytes, 1 + make_frame(type, ++link->id, address, data, n_data, bytes + 1));
}

/*
 * Asks how far the stub is until it says so, or until `hung`. Then nothing that was sent before is
 * in the ring, and no answer to it comes any more.
 */
int stub_link_find_out(struct stub_link *link, uint64_t hung)
{
	uint8_t first = (uint8_t)(link->id + 1);
	uint64_t ends[16], ask_at = 0;
	size_t n_asked = 0;

	for (;;) {
		uint64_t now = port_now(link->port);
		struct stub_reply reply;
		size_t nth;
		int r = 0;

		if (now >= hung)
			return LOADER_NO_ANSWER;
		if (now >= ask_at && n_asked < ARRAY_SIZE(ends) &&
			(n_asked == 0 ||
				stub_link_n_out(link) + STUB_QUESTION_BYTES < link->ring_size)) {
			r = stub_link_question(link, STUB_ECHO, 0, NULL, 0);
			ends[n_asked++] = link->n_sent;
			ask_at = now +
				 port_line_time(link->port,
					 (size_t)stub_link_n_out(link) + STUB_ANSWER_BYTES) +
				 work_now(link) + STUB_LATE_USEC;
		}
		if (r == 0)
			r = stub_link_receive(
				link, ask_at < hung && ask_at > now ? ask_at : hung, &reply);
		if (r == LOADER_NO_ANSWER || r == LOADER_GARBLED)
			continue;
		if (r != 0)
			return r;
		nth = (uint8_t)(reply.head.sequence - first);
		if (!stub_link_take_head(link, &reply.head) ||
			reply.head.type != (STUB_ECHO | STUB_ANSWER) || nth >= n_asked)
			continue;
		link->n_taken = ends[nth];
		return 0;
	}
}

/* Sends again what the stub does not have: it was asked, so that its ring is empty. */
static int send_again(struct stub_link *link)
{
	int r = 0;

	if (n_posted(link) == 0)
		return 0;
	if (++link->n_again > STUB_REPEATS)
		return LOADER_GARBLED;
	for (uint8_t number = link->oldest; r == 0 && number != link->next; number++) {
		struct stub_flight *flight = flight_of(link, number);

		r = send_data(link, flight);
		flight->end = link->n_sent;
		link->n_repeated++;
	}
	link->since = port_now(link->port);
	return r;
}

/* An answer that is only late, since the host or the flash is slow, is no damage. */
static int mend(struct stub_link *link, bool is_damage)
{
	uint64_t hung = hung_at(link);
	uint64_t least =
		port_now(link->port) +
		port_line_time(link->port, (size_t)stub_link_n_out(link) + 2 * STUB_ANSWER_BYTES) +
		2 * STUB_LATE_USEC;
	int r = stub_link_find_out(link, hung > least ? hung : least);

	if (r == 0 && (is_damage || n_posted(link) > 0))
		stub_link_count_damage(link);
	if (r == 0 && link->on_bad_line && is_bad_line(link))
		r = link->on_bad_line(link->userdata);
	return r == 0 ? send_again(link) : r;
}

/*
 * Takes one answer and what it tells, and mends what it says to be wrong. `ret_is_there` is false
 * where none came by the deadline.
 */
static int take_one(struct stub_link *link, uint64_t deadline, bool *ret_is_there)
{
	struct stub_reply reply;
	int r = stub_link_receive(link, deadline, &reply);

	*ret_is_there = r != LOADER_NO_ANSWER;
	if (!*ret_is_there)
		return 0;
	if (r == LOADER_GARBLED)
		return mend(link, true);
	if (r != 0 || !stub_link_take_head(link, &reply.head))
		return r;
	return reply.head.status == STUB_EXPECTED && n_posted(link) > 0 ? mend(link, true) : 0;
}

/* Waits until the stub has got on, or says why it does not. */
static int wait_for_progress(struct stub_link *link)
{
	bool is_there;
	/* What came while the host was stopped tells, and not that it was stopped for so long. */
	int r = take_one(link, 0, &is_there);

	if (r != 0 || is_there)
		return r;
	if (port_now(link->port) >= hung_at(link))
		return LOADER_NO_ANSWER;
	r = take_one(link, late_at(link), &is_there);
	return r == 0 && !is_there ? mend(link, false) : r;
}

/* ------------------------------------------------------------------ posted frames */

static int check_failure(const struct stub_link *link)
{
	if (link->failure == STUB_OK)
		return 0;
	/* That much the chip says itself, and says to everybody; all else is a doubt. */
	return link->failure == STUB_WRITE_PROTECTED ? LOADER_REFUSED : LOADER_FAULT;
}

/* Takes the answers that are there, without waiting. */
static int take_what_is_there(struct stub_link *link)
{
	bool is_there = true;
	int r = 0;

	while (r == 0 && is_there && n_posted(link) > 0)
		r = take_one(link, 0, &is_there);
	return r;
}

/* A question still fits behind it: where nothing is heard, the stub can be asked. */
static bool has_room(struct stub_link *link, size_t n_bytes)
{
	size_t n_out = (size_t)stub_link_n_out(link) + n_bytes;

	if (n_out > 2 * COBS_ENCODED_MAX(STUB_FRAME_MAX) &&
		(n_out > link->max_ahead ||
			port_line_time(link->port, n_out) > STUB_AHEAD_USEC + work_now(link)))
		return false;
	return n_out + STUB_QUESTION_BYTES + 1 < link->ring_size;
}

/* Nothing is posted, and what was asked fills the ring. */
static int find_room(struct stub_link *link)
{
	return stub_link_find_out(
		link, port_now(link->port) +
			      port_line_time(link->port,
				      (size_t)stub_link_n_out(link) + STUB_ANSWER_BYTES) +
			      STUB_HUNG_USEC);
}

int stub_link_post(struct stub_link *link, enum stub_type type, uint32_t address, const void *data,
	size_t n_data, uint64_t work_usec)
{
	struct stub_flight made = {.work_usec = work_usec, .address = address, .n_data = n_data};
	struct stub_flight *flight;
	int r = check_failure(link);

	if (n_data > stub_link_data_max(link))
		return -EINVAL;
	if (r == 0 && port_now(link->port) - link->spoke > STUB_SILENT_USEC) {
		r = mend(link, false);
		if (r == 0)
			r = check_failure(link);
	}
	made.n_bytes = make_frame(type, link->next, address, data, n_data, made.bytes);
	while (r == 0 && (n_posted(link) == STUB_WINDOW || !has_room(link, made.n_bytes))) {
		r = n_posted(link) > 0 ? wait_for_progress(link) : find_room(link);
		if (r == 0)
			r = check_failure(link);
	}
	if (r != 0)
		return r;
	if (n_posted(link) == 0)
		link->since = port_now(link->port);
	flight = flight_of(link, link->next++);
	*flight = made;
	r = send_data(link, flight);
	flight->end = link->n_sent;
	link->n_frames++;
	link->n_row++;
	if (r == 0)
		r = take_what_is_there(link);
	return r == 0 ? check_failure(link) : r;
}

/* The answers to all that was posted, whatever they say. */
int stub_link_settle(struct stub_link *link)
{
	int r = 0;

	while (r == 0 && n_posted(link) > 0)
		r = wait_for_progress(link);
	return r;
}

int stub_link_flush(struct stub_link *link)
{
	int r = stub_link_settle(link);

	return r == 0 ? check_failure(link) : r;
}
