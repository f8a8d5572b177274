/* SPDX-License-Identifier: MIT */
/*
 * an3155-link.c - bytes, frames and ACKs of AN3155, and the time that each may take.
 *
 * Every wait ends at one deadline: the time of the bytes on the line, AN3155_ANSWER_USEC, and the
 * work of the chip. A NACK is read to its end, because a second one of the same refusal would be
 * taken for the answer to the next command.
 */
#include "loader/an3155-link.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "loader/loader.h"

/* How long NACKs may keep coming: the bound ends an endless stream. */
#define DRAIN_USEC (300 * USEC_PER_MSEC)

uint64_t an3155_deadline(struct an3155 *bl, size_t n_bytes, uint64_t work_usec)
{
	uint64_t deadline = port_now(bl->port) + port_line_time(bl->port, n_bytes) +
			    AN3155_ANSWER_USEC + work_usec;

	return bl->deadline > 0 && bl->deadline < deadline ? bl->deadline : deadline;
}

int an3155_receive_until(struct an3155 *bl, uint8_t *to, size_t n_to, uint64_t deadline)
{
	for (size_t n_read = 0; n_read < n_to;) {
		size_t n = 0;
		int r = port_read_some(bl->port, to + n_read, n_to - n_read, deadline, &n);

		if (r == -ETIMEDOUT)
			return LOADER_NO_ANSWER;
		if (r < 0)
			return r;
		n_read += n;
	}
	return 0;
}

int an3155_receive(struct an3155 *bl, uint8_t *to, size_t n_to)
{
	return an3155_receive_until(bl, to, n_to, an3155_deadline(bl, n_to, 0));
}

int an3155_drain(struct an3155 *bl, uint64_t silence_usec)
{
	uint64_t end = port_now(bl->port) + DRAIN_USEC;
	uint8_t forgotten[64];
	size_t n;
	int r = 0;

	while (r == 0 && port_now(bl->port) < end)
		r = port_read_some(bl->port, forgotten, sizeof(forgotten),
			port_now(bl->port) + silence_usec, &n);
	if (r == 0)
		return LOADER_GARBLED;
	return r == -ETIMEDOUT ? 0 : r;
}

int an3155_wait_ack(struct an3155 *bl, size_t n_sent, uint64_t work_usec)
{
	uint8_t byte;
	int r = an3155_receive_until(bl, &byte, 1, an3155_deadline(bl, n_sent + 1, work_usec));

	if (r != 0)
		return r;
	if (byte == AN3155_ACK)
		return 0;
	if (byte != AN3155_NACK)
		return LOADER_GARBLED;
	r = an3155_drain(bl, AN3155_NACK_SILENCE_USEC);
	return r == 0 ? LOADER_REFUSED : r;
}

int an3155_send(struct an3155 *bl, const uint8_t *data, size_t n_data)
{
	int r = port_write(bl->port, data, n_data, an3155_deadline(bl, n_data, 0));

	return r == -ETIMEDOUT ? LOADER_NO_ANSWER : r;
}

int an3155_send_frame(struct an3155 *bl, const uint8_t *data, size_t n_data, uint64_t work_usec)
{
	uint8_t frame[AN3155_FRAME_MAX + 1];
	uint8_t sum = 0;
	int r;

	if (n_data + 1 > sizeof(frame))
		return -EINVAL;
	memcpy(frame, data, n_data);
	for (size_t i = 0; i < n_data; i++)
		sum ^= data[i];
	frame[n_data] = sum;
	r = an3155_send(bl, frame, n_data + 1);
	return r != 0 ? r : an3155_wait_ack(bl, n_data + 1, work_usec);
}

int an3155_send_word(struct an3155 *bl, uint32_t word)
{
	const uint8_t bytes[] = {
		(uint8_t)(word >> 24), (uint8_t)(word >> 16), (uint8_t)(word >> 8), (uint8_t)word};

	return an3155_send_frame(bl, bytes, sizeof(bytes), 0);
}

int an3155_begin(struct an3155 *bl, enum an3155_command command)
{
	if (command != AN3155_GET && !bl->has[command])
		return LOADER_UNSUPPORTED;
	if (bl->erase_may_be_pending)
		return LOADER_NO_ANSWER;
	return port_discard_input(bl->port);
}

int an3155_send_command(struct an3155 *bl, enum an3155_command command)
{
	const uint8_t pair[] = {(uint8_t)command, (uint8_t)~command};
	int r = an3155_begin(bl, command);

	if (r == 0)
		r = an3155_send(bl, pair, sizeof(pair));
	return r == 0 ? an3155_wait_ack(bl, sizeof(pair), 0) : r;
}
