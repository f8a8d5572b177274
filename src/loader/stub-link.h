/* SPDX-License-Identifier: MIT */
/*
 * stub-link.h - frames to the program in the chip's RAM and answers from it (stub/protocol.h): the
 * posted ones without waiting, the queries turn by turn. For the files of the loader `stub` alone.
 *
 * Results are 0, -errno, or of enum loader_result: NO_ANSWER and GARBLED, after which the link is
 * lost, and REFUSED, after which it goes on.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/port.h"
#include "loader/cobs.h"
#include "stub/protocol.h"

/*
 * By when an answer is missed: beside the time on the line and that of the work. The first is for
 * USB and a host that serves a hundred boards; then the stub is asked how far it is. After the
 * second it is taken to hang.
 */
#define STUB_LATE_USEC (50 * USEC_PER_MSEC)
#define STUB_HUNG_USEC (500 * USEC_PER_MSEC)

/*
 * Bytes on their way to a stub whose chip is reset, by its supply or a watchdog, come to whatever
 * starts then. So no more are sent ahead than the line carries in this time beside the work that is
 * under way, though the ring may hold more. Where the ROM may be what starts, which may find a
 * command among them (stm32-rom.md 17), no more than this number either: at 921600 baud the erase
 * of a page takes half as long.
 */
#define STUB_AHEAD_USEC	 (250 * USEC_PER_MSEC)
#define STUB_SHORT_BYTES 4096

/* The stub resets the chip where it hears nothing for 10 s (stub-load.c). After half of that, in
 * which the host was stopped, it is asked whether it is there before a frame is posted. */
#define STUB_SILENT_USEC (5 * USEC_PER_SEC)

/* Times that the same frame is sent again, or a query asked again. */
/*
 * The most bytes that answers may be on their way with at once. With their heads they fit into the
 * bridge (576 bytes, cp210x.md 2), so that none is lost where the host is late to fetch them.
 */
#define STUB_FETCH_MAX 448

#define STUB_REPEATS   3

/* A line is bad where so many frames of a row of so many were damaged. */
#define STUB_BAD_DAMAGED 3
#define STUB_BAD_FRAMES	 50

/* A posted frame that is not known to be done. */
struct stub_flight {
	uint8_t bytes[COBS_ENCODED_MAX(STUB_FRAME_MAX)];
	size_t n_bytes;
	uint64_t end; /* of it, counted in bytes that were sent */
	uint64_t work_usec;
	uint32_t address; /* and bytes of data behind it, for a transcript */
	size_t n_data;
};

struct stub_reply {
	struct stub_answer head;
	const uint8_t *data; /* until the next call */
};

struct stub_link {
	struct port *port;	     /* borrowed */
	struct stub_flight *flights; /* STUB_WINDOW; that of a number is at its remainder */
	uint8_t oldest, next;	     /* numbers: not known to be done; not given yet */
	uint8_t id;		     /* of the last query */
	uint32_t ring_size, max_ahead;

	/* Bytes that were sent; of them are out of the ring for sure; and when that was known. */
	uint64_t n_sent, n_taken, since;

	uint64_t spoke; /* when bytes were sent last */

	unsigned n_again; /* times that the oldest was sent again */

	/* The first posted frame that failed; STUB_OK: none did since clear(). */
	enum stub_status failure;
	uint32_t failed_at, flash_status;

	/* The damage of late, and what is done about it: with nothing posted at the stub. */
	unsigned n_row, n_row_damaged;
	int (*on_bad_line)(void *userdata);
	void *userdata;

	/* For reports. */
	uint32_t n_frames, n_repeated, n_damaged, n_lost;
	uint8_t lost; /* as the last answer had it */

	struct cobs cobs;
	uint8_t body[STUB_ANSWER_MAX];
	uint8_t input[1024];
	size_t n_input, at;
};

/* 0 or -ENOMEM. The ring is taken for the smallest until stub_link_set_ring(). */
int stub_link_init(struct stub_link *link, struct port *port);
void stub_link_done(struct stub_link *link);
void stub_link_set_ring(struct stub_link *link, uint32_t ring_size);

/* A reset may lead into the ROM: STUB_SHORT_BYTES count. */
void stub_link_keep_short(struct stub_link *link);

/* The most bytes of data in one frame: two of them are in the ring together. */
size_t stub_link_data_max(const struct stub_link *link);

/*
 * Sends a frame that erases or programs, as soon as there is room for it, and does not wait for the
 * answer. `work_usec` is the longest time that the work takes by its data sheet. REFUSED where this
 * frame or one before it failed: `link->failure` says how, and nothing is done any more.
 */
int stub_link_post(struct stub_link *link, enum stub_type type, uint32_t address, const void *data,
	size_t n_data, uint64_t work_usec);

/* Waits for all that was posted. REFUSED as above. */
int stub_link_flush(struct stub_link *link);

/* After a failure: waits for what was posted, and lets the stub forget it. */
int stub_link_clear(struct stub_link *link);

/*
 * Asks once what was posted is answered, whether it failed or not; again where no sound answer
 * comes, STUB_REPEATS times. The data of the answer have `n_to` bytes. REFUSED where the stub says
 * that it cannot; GARBLED where an answer is of another size.
 */
int stub_link_ask(struct stub_link *link, enum stub_type type, uint32_t address, const void *data,
	size_t n_data, uint64_t work_usec, void *to, size_t n_to);

/* Reads in questions that are sent ahead, and together fetch STUB_FETCH_MAX bytes. */
int stub_link_read(struct stub_link *link, uint32_t address, uint8_t *to, size_t n_to);

/*
 * One question and its answer, with whatever is posted left as it is: for the start and for the
 * rate. The answer may also be one to the `n_before` questions before, which had the same type: a
 * busy host hears them late. NO_ANSWER: none came within `timeout_usec` beside the time on the
 * line. Damaged bytes and other answers are passed over.
 */
int stub_link_try(struct stub_link *link, enum stub_type type, const void *data, size_t n_data,
	size_t n_before, uint64_t timeout_usec, struct stub_reply *ret);

/* What was on its way is lost with the old rate: nothing is out. */
void stub_link_forget_input(struct stub_link *link);

/* Bytes as they are. */
int stub_link_send(struct stub_link *link, const uint8_t *bytes, size_t n_bytes);

/* ---------------------------------------------------- for stub-link.c and stub-query.c alone */

/* Bytes of an answer without data, and of a question without. */
#define STUB_ANSWER_BYTES   COBS_ENCODED_MAX(sizeof(struct stub_answer) + STUB_CRC_SIZE)
#define STUB_QUESTION_BYTES COBS_ENCODED_MAX(sizeof(struct stub_frame) + STUB_CRC_SIZE)

/* Bytes that may still be in the ring. */
uint64_t stub_link_n_out(const struct stub_link *link);

/* Puts a question, whose number is `link->id` then. */
int stub_link_question(struct stub_link *link, enum stub_type type, uint32_t address,
	const void *data, size_t n_data);

/* The next sound answer. NO_ANSWER at the deadline; GARBLED for bytes that were to be one. */
int stub_link_receive(struct stub_link *link, uint64_t deadline, struct stub_reply *ret);

/* What every answer tells. False where it is not of this session: its number cannot be. */
bool stub_link_take_head(struct stub_link *link, const struct stub_answer *head);

/*
 * Asks how far the stub is until it says so, or until `hung`. Then nothing that was sent before is
 * in the ring, and no answer to it comes any more.
 */
int stub_link_find_out(struct stub_link *link, uint64_t hung);

/* The answers to all that was posted, whatever they say. */
int stub_link_settle(struct stub_link *link);

void stub_link_count_damage(struct stub_link *link);
