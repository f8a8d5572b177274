/* SPDX-License-Identifier: MIT */
/*
 * stub-talk.h - a host for the stub of stub-chip.h: questions, and their one answer. Include after
 * cmocka.h.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "stub/stub-chip.h"

#define IEEE	   0xEDB88320
#define CASTAGNOLI 0x82F63B78
#define PAGE	   STUB_CHIP_FLASH

struct reply {
	struct stub_answer answer;
	uint8_t data[STUB_DATA_MAX];
};

static struct stub_chip chip;

/* The one answer to what was sent; fails where there is none or another one behind it. */
static inline struct reply reply(void)
{
	struct reply r = {0}, other;

	assert_int_equal(stub_chip_run(&chip), STUB_CHIP_IDLE);
	assert_true(stub_chip_answer(&chip, &r.answer, r.data));
	assert_false(stub_chip_answer(&chip, &other.answer, other.data));
	return r;
}

static inline void assert_silent(void)
{
	struct reply r;

	assert_int_equal(stub_chip_run(&chip), STUB_CHIP_IDLE);
	assert_false(stub_chip_answer(&chip, &r.answer, r.data));
	assert_int_equal(chip.n_out, 0);
}

static inline struct reply ask(
	uint8_t type, uint8_t sequence, uint32_t address, const void *data, size_t n)
{
	stub_chip_send_frame(&chip, type, sequence, address, data, n);
	return reply();
}

static inline struct stub_hello hello(void)
{
	struct reply r = ask(STUB_HELLO, 0x77, 0, NULL, 0);
	struct stub_hello ret;

	assert_int_equal(r.answer.type, STUB_HELLO | STUB_ANSWER);
	assert_int_equal(r.answer.sequence, 0x77);
	assert_int_equal(r.answer.status, STUB_OK);
	assert_int_equal(r.answer.size, sizeof(ret));
	memcpy(&ret, r.data, sizeof(ret));
	return ret;
}

static inline void begin(enum stub_kind kind)
{
	stub_chip_init(&chip, kind);
	hello();
}

static inline uint32_t select_of(enum stub_kind kind, uint32_t address)
{
	if (kind == STUB_K1)
		return address;
	return (address - STUB_CHIP_FLASH) / (kind == STUB_K2 ? 0x4000 : 0x400) << 3;
}

static inline struct reply erase(uint8_t sequence, enum stub_kind kind, uint32_t address)
{
	struct stub_erase page = {
		.size = kind == STUB_K2 ? 0x4000 : 0x400, .select = select_of(kind, address)};

	return ask(STUB_ERASE, sequence, address, &page, sizeof(page));
}

static inline void fill(uint8_t *bytes, size_t n, unsigned seed)
{
	srand(seed);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(rand() >> 8);
}
