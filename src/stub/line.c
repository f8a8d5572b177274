/* SPDX-License-Identifier: MIT */
/*
 * line.c - the USART by polling, the ring, and COBS.
 *
 * The USART holds one byte. So every part of the stub calls stub_poll(), which moves a received
 * byte into the ring, also while an answer is sent or the flash is busy. An overrun must be
 * cleared, or nothing is received any more (RM0090, USART; efton.sk g24): on v1 by reading status,
 * then data, on v2 by ICR.
 */
#include "stub/stub.h"

#define SYSTICK_VALUE 0xE000E018
#define SYSTICK_MASK  0x00FFFFFF
#define KICK	      0xAAAA

#define STATUS_ORE    (1 << 3)
#define STATUS_RXNE   (1 << 5)
#define STATUS_TC     (1 << 6)
#define STATUS_TXE    (1 << 7)

void stub_clock(struct stub *stub)
{
	uint32_t tick = seam_read(SYSTICK_VALUE);

	/* SysTick counts down. */
	stub->now += (stub->tick - tick) & SYSTICK_MASK;
	stub->tick = tick;
	seam_write(stub->setup->iwdg, KICK);
}

void stub_poll(struct stub *stub)
{
	uint32_t status = seam_read(stub->usart_status);

	if (status & (STATUS_RXNE | STATUS_ORE)) {
		uint8_t byte = (uint8_t)seam_read16(stub->usart_receive);

		if (status & STATUS_ORE) {
			stub->answer.lost++;
			if (stub->usart_clear)
				seam_write(stub->usart_clear, STATUS_ORE);
		}
		if (status & STATUS_RXNE) {
			if (stub->head - stub->tail < stub->ring_mask)
				stub->ring[stub->head++ & stub->ring_mask] = byte;
			else
				stub->answer.lost++;
		}
	}
	stub_clock(stub);
}

void stub_check_silence(struct stub *stub)
{
	uint32_t limit = stub->setup->silence_limit;

	if (limit && stub->now - stub->heard > limit)
		stub_reset();
}

void stub_set_rate(struct stub *stub, const struct stub_rate *rate)
{
	stub->rate = *rate;
	/* BRR can be written while UE is off alone. */
	seam_write(stub->usart_cr1, 0);
	seam_write(stub->usart_brr, rate->brr);
	seam_write(stub->usart_cr1, rate->cr1);
}

static __attribute__((noinline)) void begin_next(struct stub *stub)
{
	stub->next_n = 0;
	/* As behind a block of 254 bytes: there the next code has no 0x00 before it. */
	stub->next_left = 1;
	stub->next_code = 0xFF;
	stub->next_crc = ~0u;
}

void stub_open_line(struct stub *stub, const struct stub_candidate *candidate)
{
	struct stub_rate rate = {.cr1 = stub->setup->cr1};
	uint32_t usart = candidate->usart, shift = candidate->clock_shift;

	if (stub->setup->usart == STUB_USART_V1) {
		stub->usart_status = usart;
		stub->usart_receive = stub->usart_transmit = usart + 0x04;
		stub->usart_brr = usart + 0x08;
		stub->usart_cr1 = usart + 0x0C;
		stub->usart_clear = 0;
	} else {
		stub->usart_status = usart + 0x1C;
		stub->usart_receive = usart + 0x24;
		stub->usart_transmit = usart + 0x28;
		stub->usart_brr = usart + 0x0C;
		stub->usart_cr1 = usart;
		stub->usart_clear = usart + 0x20;
	}
	/* CR2 and CR3 follow CR1 on both. */
	seam_write(stub->usart_cr1, 0);
	seam_write(stub->usart_cr1 + 4, 0);
	seam_write(stub->usart_cr1 + 8, 0);
	begin_next(stub);
	rate.brr = (stub->train_ticks + (STUB_TRAIN_BITS / 2 << shift)) >> (8 + shift);
	stub_set_rate(stub, &rate);
}

void stub_drain(struct stub *stub)
{
	while (!(seam_read(stub->usart_status) & STATUS_TC))
		stub_poll(stub);
}

void stub_take(struct stub *stub)
{
	uint8_t *bytes = (uint8_t *)&stub->next->frame.header;
	uint32_t byte, n = stub->next_n;

	if (stub->next_is_whole || stub->tail == stub->head)
		return;
	stub->answer.taken++;
	byte = stub->ring[stub->tail++ & stub->ring_mask];
	if (byte == 0) {
		/* One without a frame before it says nothing. */
		if (stub->next_code != 0xFF || n != 0)
			stub->next_is_whole = 1;
		return;
	}
	if (--stub->next_left == 0) {
		uint32_t before = stub->next_code;

		stub->next_left = stub->next_code = byte;
		if (before == 0xFF)
			return;
		byte = 0;
	}
	if (n < STUB_FRAME_MAX)
		bytes[n] = (uint8_t)byte;
	stub->next_n = n + 1;
	stub->next_crc = stub_crc_bytes(stub->tables, stub->next_crc ^ byte, 1);
}

int stub_receive(struct stub *stub)
{
	union stub_buffer *buffer = stub->next;
	uint32_t n;
	int is_sound;

	for (;;) {
		stub_take(stub);
		if (stub->next_is_whole)
			break;
		stub_poll(stub);
		stub_check_silence(stub);
		if (stub->is_linking && stub->now - stub->link_at > stub->setup->fall_back) {
			stub->is_linking = 0;
			stub_set_rate(stub, &stub->rate_before);
		}
	}
	n = stub->next_n;
	/* What is shorter than a header and a CRC cannot have the size that it says. The CRC of
	 * bytes with their own CRC behind them is always this number. */
	is_sound = stub->next_left == 1 && n <= STUB_FRAME_MAX &&
		   n - sizeof(struct stub_frame) - STUB_CRC_SIZE == buffer->frame.header.size &&
		   ~stub->next_crc == 0x2144DF1C;
	stub->next = stub->buffer;
	stub->buffer = buffer;
	stub->next_is_whole = 0;
	begin_next(stub);
	return is_sound;
}

static void put(struct stub *stub, uint32_t byte)
{
	do
		stub_poll(stub);
	while (!(seam_read(stub->usart_status) & STATUS_TXE));
	seam_write16(stub->usart_transmit, byte);
}

void stub_send(struct stub *stub)
{
	uint8_t *bytes = stub->buffer->bytes;
	uint32_t n = sizeof(struct stub_answer) + stub->buffer->answer.header.size, first = 0, end;
	uint32_t crc = stub_crc(stub, bytes, n);

	for (uint32_t i = 0; i < STUB_CRC_SIZE; i++, crc >>= 8)
		bytes[n++] = (uint8_t)crc;
	for (;;) {
		/* One block of COBS: bytes that are not 0x00, at most 254. */
		for (end = first; end < n && end - first < 254 && bytes[end] != 0; end++)
			stub_poll(stub);
		put(stub, end - first + 1);
		for (uint32_t i = first; i < end; i++)
			put(stub, bytes[i]);
		if (end == n)
			break;
		first = end - first == 254 ? end : end + 1;
	}
	put(stub, 0);
}
