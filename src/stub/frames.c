/* SPDX-License-Identifier: MIT */
/* frames.c - what each frame asks for; protocol.h is the contract. */
#include "stub/stub.h"

static void hello(struct stub *stub, struct stub_hello *ret)
{
	const struct stub_setup *setup = stub->setup;
	uint32_t begins = seam_program();
	uint32_t ends = (uint32_t)((const uint8_t *)setup - (const uint8_t *)seam_memory(begins));

	stub->is_open = 1;
	stub->gap = STUB_NO_GAP;
	stub_clear(&stub->answer, sizeof(stub->answer));
	ret->magic = STUB_MAGIC;
	ret->protocol = STUB_PROTOCOL;
	ret->version = STUB_VERSION;
	ret->self_crc = stub_crc(stub, seam_memory(begins), ends + setup->size);
	ret->dev_id = setup->dev_id ? seam_read(setup->dev_id) : 0;
	ret->flash_kib = (uint16_t)(setup->flash_kib ? seam_read16(setup->flash_kib) : 0);
	ret->kind = setup->kind;
	ret->candidate = stub->candidate;
	ret->ring_size = setup->ring_size;
	ret->train_ticks = stub->train_ticks;
	ret->brr = stub->rate.brr;
	ret->cr1 = stub->rate.cr1;
}

/* Whole words where they can be, for registers need them. */
static enum stub_status copy(struct stub *stub, uint32_t address, uint32_t size, uint8_t *ret)
{
	const struct stub_setup *setup = stub->setup;
	uint32_t unit = ((address | size) & 3) == 0 ? 4 : 1;

	if (size > STUB_DATA_MAX ||
		(!stub_in(address, size, setup->window, setup->window_size) &&
			(unit == 1 || !stub_in(address, size, setup->registers, 256)) &&
			!stub_is_readable(stub, address, size)))
		return STUB_RANGE;
	for (uint32_t i = 0; i < size; i += unit) {
		stub_poll(stub);
		stub_store(seam_address(ret + i), address + i, unit);
	}
	return STUB_OK;
}

/* The sizes go behind first: an answer is twice as long as what it answers, and lies over it. */
static enum stub_status sums(
	struct stub *stub, uint32_t address, uint32_t n, uint32_t *sizes, struct stub_sums *ret)
{
	if (n > STUB_PAGES_MAX)
		return STUB_RANGE;
	for (uint32_t i = n; i-- > 0;) {
		stub_poll(stub);
		sizes[n + i] = sizes[i];
	}
	for (uint32_t *size = sizes + n, *end = size + n; size < end; size++, ret++) {
		stub_poll(stub);
		if (((address | *size) & 3) != 0 || !stub_is_readable(stub, address, *size))
			return STUB_RANGE;
		stub_sum(stub, address, *size, ret);
		address += *size;
	}
	return STUB_OK;
}

/* A query: its own status; `*ret_size` is the size of the answer's data. */
static __attribute__((noinline)) enum stub_status query(
	struct stub *stub, const struct stub_frame *frame, uint32_t *ret_size)
{
	void *data = stub->buffer->answer.data;
	uint32_t *words = data;
	uint32_t type = frame->type, address = frame->address, size = frame->size;

	if (type == STUB_HELLO) {
		*ret_size = sizeof(struct stub_hello);
		hello(stub, data);
	} else if (type == STUB_ECHO) {
		*ret_size = size;
	} else if (type == STUB_LINK) {
		if (size != sizeof(struct stub_rate))
			return STUB_RANGE;
		*ret_size = size;
	} else if (type == STUB_SUM) {
		*ret_size = size * 2;
		return sums(stub, address, size / 4, data, data);
	} else if (type == STUB_READ || type == STUB_PEEK) {
		*ret_size = type == STUB_PEEK ? 4 : words[0];
		return copy(stub, address, *ret_size, data);
	} else if (type != STUB_RESET) {
		return STUB_UNKNOWN;
	}
	return STUB_OK;
}

static enum stub_status act(struct stub *stub, const struct stub_frame *frame)
{
	const void *data = stub->buffer->frame.data;

	if (frame->type == STUB_DATA)
		return stub_flash_write(stub, frame->address, frame->size);
	if (frame->type == STUB_ERASE_ALL)
		return stub_flash_erase_all(stub);
	if (frame->size != sizeof(struct stub_erase))
		return STUB_RANGE;
	return stub_flash_erase(stub, frame->address, data);
}

/* A posted frame by its number; -1 where it gets no answer. */
static int post(struct stub *stub, const struct stub_frame *frame)
{
	struct stub_answer *answer = &stub->answer;
	uint8_t ahead = (uint8_t)(frame->sequence - answer->expected), gap = stub->gap;

	if (ahead >= 128)
		return answer->failure;
	if (ahead > 0) {
		stub->gap = ahead;
		return ahead > gap ? -1 : STUB_EXPECTED;
	}
	stub->gap = STUB_NO_GAP;
	answer->expected++;
	if (!answer->failure) {
		answer->address = frame->address;
		answer->failure = (uint8_t)act(stub, frame);
		if (!answer->failure)
			answer->address = answer->flash_status = 0;
	}
	return answer->failure;
}

/* The rate changes once the answer is out. */
static void follow_link(struct stub *stub)
{
	stub_drain(stub);
	stub->rate_before = stub->rate;
	stub_set_rate(stub, (const struct stub_rate *)(void *)stub->buffer->answer.data);
	stub->link_at = stub->now;
	stub->is_linking = 1;
}

void stub_serve(struct stub *stub)
{
	struct stub_answer *answer = &stub->answer;
	uint32_t size = 0, type = STUB_DAMAGE;
	uint8_t sequence = 0;
	int status = STUB_EXPECTED;

	if (stub_receive(stub)) {
		const struct stub_frame *frame = &stub->buffer->frame.header;

		stub_poll(stub);
		type = frame->type;
		sequence = frame->sequence;
		stub->heard = stub->now;
		stub->is_linking = 0;
		if (!stub->is_open && type != STUB_HELLO)
			return;
		if (type >= STUB_ERASE && type <= STUB_DATA)
			status = post(stub, frame);
		else
			status = (int)query(stub, frame, &size);
		if (status < 0)
			return;
	} else {
		if (!stub->is_open || stub->gap != STUB_NO_GAP)
			return;
		stub->gap = 0;
	}
	stub_poll(stub);
	answer->type = (uint8_t)(type | STUB_ANSWER);
	answer->sequence = sequence;
	answer->status = (uint8_t)status;
	answer->size = (uint16_t)(status == STUB_OK ? size : 0);
	/* From here on the frame is gone. */
	stub_copy(&stub->buffer->answer.header, answer, sizeof(*answer));
	stub_send(stub);
	if (status != STUB_OK)
		return;
	if (type == STUB_LINK)
		follow_link(stub);
	if (type == STUB_RESET) {
		stub_drain(stub);
		stub_reset();
	}
}
