/* SPDX-License-Identifier: MIT */
/*
 * an3155.c - synchronisation and commands of ST's USART boot loader protocol. Read Memory and Write
 * Memory are in an3155-memory.c, frames and ACKs in an3155-link.c.
 *
 * A command is its code and the complement; what follows is sent in parts, each with its XOR and
 * each answered by ACK or NACK (AN3155 section 3). Answers themselves have no checksum, and a byte
 * that is lost on the way to the loader leaves it waiting in the middle of a frame. Three rules
 * follow, and they shape this file:
 * - An erase whose end was not seen may still be incomplete: erase_may_be_pending blocks everything
 *   but an3155_sync(), since any byte could complete it as another list of pages.
 * - A loader that is out of step is filled up with bytes that are no command in any state.
 * - An answer that cannot be one of a boot loader is LOADER_GARBLED, whatever its last byte.
 */
#include "loader/an3155.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "loader/an3155-link.h"
#include "loader/loader.h"

#define SYNCHRONISE 0x7F
#define FILLER	    0xFF

/* A second ACK after the synchronisation (L412/422, AN2606) follows at once; 5 ms is USB's share.
 */
#define SYNC_SILENCE_USEC (5 * USEC_PER_MSEC)

/* Most bytes a loader can still be waiting for: a Write Memory frame, N, 256 data and checksum. */
#define LONGEST_PENDING 258

static int send_sync(struct an3155 *bl, uint8_t *ret_answer)
{
	const uint8_t byte = SYNCHRONISE;
	uint64_t deadline;
	int r = an3155_send(bl, &byte, 1);

	if (r != 0)
		return r;
	deadline = an3155_deadline(bl, 2, 0);
	r = an3155_receive_until(bl, ret_answer, 1, deadline);
	/* The line's glitch at reset may be received as one 0x00 (stm32-rom.md 1). */
	if (r == 0 && *ret_answer == 0x00)
		r = an3155_receive_until(bl, ret_answer, 1, deadline);
	return r;
}

int an3155_sync(struct an3155 *bl)
{
	uint8_t answer;
	int r = 0;

	/* The 0x7F could be the byte that an incomplete list of pages waits for. */
	if (bl->erase_may_be_pending)
		r = an3155_wait_ack(bl, 0, 0);
	if (r != 0 && r != LOADER_REFUSED)
		return r < 0 ? r : LOADER_NO_ANSWER;
	bl->erase_may_be_pending = false;
	r = port_discard_input(bl->port);
	if (r < 0)
		return r;
	r = send_sync(bl, &answer);
	if (r == LOADER_NO_ANSWER)
		r = send_sync(bl, &answer);
	if (r != 0)
		return r;
	if (answer != AN3155_ACK && answer != AN3155_NACK)
		return LOADER_GARBLED;
	return an3155_drain(bl, SYNC_SILENCE_USEC);
}

/* One byte of the filling; whether it was answered by NACKs, of which all are read. */
static int send_filler(struct an3155 *bl, uint8_t byte, bool *ret_refused)
{
	uint64_t deadline;
	uint8_t answer;
	int r = an3155_send(bl, &byte, 1);

	if (r != 0)
		return r;
	*ret_refused = false;
	deadline = port_now(bl->port) + port_line_time(bl->port, 2) + SYNC_SILENCE_USEC;
	r = an3155_receive_until(bl, &answer, 1, deadline);
	if (r != 0)
		return r == LOADER_NO_ANSWER ? 0 : r;
	if (answer != AN3155_NACK)
		return 0;
	*ret_refused = true;
	return an3155_drain(bl, AN3155_NACK_SILENCE_USEC);
}

/*
 * The filling begins with an 0x7F: those of an3155_sync() may have become the count N of a frame,
 * and an even number of them with FF behind is a frame of N = 0x7F with a sound checksum, by which
 * Erase loses two pages and Write programs a block. With an odd number it never is.
 */
int an3155_resync(struct an3155 *bl)
{
	unsigned n_silent = 0;
	bool was_refused = false;

	if (bl->erase_may_be_pending)
		return LOADER_NO_ANSWER;
	for (unsigned n_sent = 0; n_sent < LONGEST_PENDING + 6; n_sent++) {
		bool refused;
		int r = send_filler(bl, n_sent == 0 ? SYNCHRONISE : FILLER, &refused);

		if (r != 0)
			return r;
		if (bl->deadline > 0 && port_now(bl->port) >= bl->deadline)
			return LOADER_NO_ANSWER;
		/* A NACK, silence, a NACK: the pairs are ours, it waits for commands again. */
		if (refused && was_refused && n_silent == 1)
			return 0;
		was_refused = was_refused || refused;
		n_silent = refused ? 0 : n_silent + 1;
	}
	return LOADER_NO_ANSWER;
}

int an3155_get(struct an3155 *bl)
{
	uint8_t answer[1 + 1 + 256 + 1];
	bool has[ARRAY_SIZE(bl->has)] = {false};
	size_t n_codes;
	int r = an3155_send_command(bl, AN3155_GET);

	if (r == 0)
		r = an3155_receive(bl, answer, 1);
	if (r != 0)
		return r;
	/* N counts the version too, and is one less than what follows without the ACK. */
	n_codes = answer[0];
	r = an3155_receive(bl, answer + 1, 1 + n_codes + 1);
	if (r != 0)
		return r;
	if (answer[1 + 1 + n_codes] != AN3155_ACK)
		return LOADER_GARBLED;
	for (size_t i = 0; i < n_codes; i++)
		has[answer[2 + i]] = true;
	/* No loader is without these two; noise that was taken for an answer is. */
	if (!has[AN3155_GET] || !has[AN3155_READ_MEMORY])
		return LOADER_GARBLED;
	memcpy(bl->has, has, sizeof(bl->has));
	bl->version = answer[1];
	return 0;
}

int an3155_get_version(struct an3155 *bl, uint8_t *ret_version, uint8_t ret_option[2])
{
	uint8_t answer[4];
	int r = an3155_send_command(bl, AN3155_GET_VERSION);

	if (r == 0)
		r = an3155_receive(bl, answer, sizeof(answer));
	if (r != 0)
		return r;
	if (answer[3] != AN3155_ACK)
		return LOADER_GARBLED;
	*ret_version = answer[0];
	ret_option[0] = answer[1];
	ret_option[1] = answer[2];
	return 0;
}

int an3155_get_id(struct an3155 *bl, uint16_t *ret_product_id)
{
	uint8_t answer[1 + 2 + 1];
	int r = an3155_send_command(bl, AN3155_GET_ID);

	if (r == 0)
		r = an3155_receive(bl, answer, 1);
	if (r != 0)
		return r;
	/* Two bytes on every STM32 since V2.1; any other number is not one of ours (AN3155 3.3). */
	if (answer[0] != 1)
		return LOADER_GARBLED;
	r = an3155_receive(bl, answer + 1, 3);
	if (r != 0)
		return r;
	if (answer[3] != AN3155_ACK)
		return LOADER_GARBLED;
	*ret_product_id = (uint16_t)(answer[1] << 8 | answer[2]);
	return 0;
}

int an3155_go(struct an3155 *bl, uint32_t address)
{
	int r = an3155_send_command(bl, AN3155_GO);

	return r == 0 ? an3155_send_word(bl, address) : r;
}

/* From here to the end of the erase, nothing may be sent that could complete the frame otherwise.
 */
static int send_erase(struct an3155 *bl, enum an3155_command command, const uint8_t *frame,
	size_t n_frame, uint64_t erase_usec)
{
	int r = an3155_send_command(bl, command);

	if (r != 0)
		return r;
	bl->erase_may_be_pending = true;
	r = an3155_send_frame(bl, frame, n_frame, erase_usec);
	if (r == 0 || r == LOADER_REFUSED)
		bl->erase_may_be_pending = false;
	return r;
}

int an3155_erase_pages(
	struct an3155 *bl, const uint16_t *pages, size_t n_pages, uint64_t erase_usec)
{
	uint8_t frame[AN3155_FRAME_MAX];
	size_t n = 0;

	if (n_pages < 1 || n_pages > 255)
		return -EINVAL;
	if (bl->has[AN3155_EXTENDED_ERASE]) {
		frame[n++] = 0;
		frame[n++] = (uint8_t)(n_pages - 1);
		for (size_t i = 0; i < n_pages; i++) {
			/* From there on they are codes of mass erase (AN3155 3.8). */
			if (pages[i] >= 0xFFF0)
				return -EINVAL;
			frame[n++] = (uint8_t)(pages[i] >> 8);
			frame[n++] = (uint8_t)pages[i];
		}
		return send_erase(bl, AN3155_EXTENDED_ERASE, frame, n, erase_usec);
	}
	frame[n++] = (uint8_t)(n_pages - 1);
	for (size_t i = 0; i < n_pages; i++) {
		if (pages[i] > 255)
			return -EINVAL;
		frame[n++] = (uint8_t)pages[i];
	}
	return send_erase(bl, AN3155_ERASE, frame, n, erase_usec);
}

int an3155_erase_all(struct an3155 *bl, uint64_t erase_usec)
{
	static const uint8_t mass[] = {0xFF, 0xFF}, global[] = {0xFF, 0x00};
	int r;

	if (bl->has[AN3155_EXTENDED_ERASE])
		return send_erase(bl, AN3155_EXTENDED_ERASE, mass, sizeof(mass), erase_usec);
	/* Global erase is FF 00, which is not a byte and its XOR (AN3155 3.7). */
	r = an3155_send_command(bl, AN3155_ERASE);
	if (r != 0)
		return r;
	bl->erase_may_be_pending = true;
	r = an3155_send(bl, global, sizeof(global));
	if (r == 0)
		r = an3155_wait_ack(bl, sizeof(global), erase_usec);
	if (r == 0 || r == LOADER_REFUSED)
		bl->erase_may_be_pending = false;
	return r;
}

/* The commands without data: an ACK for the command, another for the work. */
static int send_two_acks(struct an3155 *bl, enum an3155_command command, uint64_t work_usec)
{
	int r = an3155_send_command(bl, command);

	return r == 0 ? an3155_wait_ack(bl, 0, work_usec) : r;
}

int an3155_write_unprotect(struct an3155 *bl)
{
	return send_two_acks(bl, AN3155_WRITE_UNPROTECT, 0);
}

int an3155_readout_protect(struct an3155 *bl)
{
	return send_two_acks(bl, AN3155_READOUT_PROTECT, 0);
}

int an3155_readout_unprotect(struct an3155 *bl, uint64_t erase_usec)
{
	return send_two_acks(bl, AN3155_READOUT_UNPROTECT, erase_usec);
}
