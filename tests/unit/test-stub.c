/* SPDX-License-Identifier: MIT */
/*
 * test-stub.c - the sources of the stub on this machine: the search of the line, frames, numbers,
 * and questions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stub/stub-talk.h"

static void test_hello_says_all(void **state)
{
	(void)state;
	struct stub_hello h;
	const uint8_t *image;
	size_t n;

	stub_chip_init(&chip, STUB_K1);
	h = hello();
	image = chip.ram + 0x408;
	n = (size_t)((uint8_t *)chip.setup - image) + chip.setup->size;
	assert_int_equal(h.magic, STUB_MAGIC);
	assert_int_equal(h.protocol, STUB_PROTOCOL);
	assert_int_equal(h.version, STUB_VERSION);
	assert_int_equal(h.self_crc, stub_chip_crc(IEEE, image, n));
	assert_int_equal(h.dev_id, 0x20036410);
	assert_int_equal(h.flash_kib, chip.ids[0x22] | chip.ids[0x23] << 8);
	assert_int_equal(h.kind, STUB_K1);
	assert_int_equal(h.candidate, 1);
	assert_int_equal(h.ring_size, 4096);
	assert_int_equal(h.brr, 416 / 2);
	assert_int_equal(h.brr, chip.brr);
	assert_int_equal(h.cr1, 0x200C);
	assert_int_equal(h.cr1, chip.cr1);
	assert_true(chip.vtor_written);
	assert_true(chip.n_kicks > 100);
}

static void test_nothing_else_is_answered_before_hello(void **state)
{
	(void)state;

	stub_chip_init(&chip, STUB_K1);
	stub_chip_send(&chip, "UUUUUUUU", 9);
	stub_chip_send_frame(&chip, STUB_ECHO, 1, 0, "abc", 3);
	assert_silent();
	hello();
}

static void test_train_gives_the_rate(void **state)
{
	(void)state;
	static const uint32_t ticks[] = {395, 406, 417, 427, 440};

	for (size_t i = 0; i < ARRAY_SIZE(ticks); i++) {
		struct stub_hello h;

		stub_chip_init(&chip, STUB_K3);
		chip.bit_ticks = ticks[i];
		h = hello();
		/* 0.3 % of all bits of the train. */
		assert_in_range(h.train_ticks, ticks[i] * 256 - ticks[i] * 256 / 333,
			ticks[i] * 256 + ticks[i] * 256 / 333);
		assert_in_range(h.brr, ticks[i] / 2 - 1, ticks[i] / 2 + 1);
	}
}

static void test_other_rates_are_no_train(void **state)
{
	(void)state;
	static const uint32_t ticks[] = {100, 200, 380, 460, 834, 1668};

	for (size_t i = 0; i < ARRAY_SIZE(ticks); i++) {
		stub_chip_init(&chip, STUB_K1);
		chip.bit_ticks = ticks[i];
		assert_int_equal(stub_chip_run(&chip), STUB_CHIP_RESET);
	}
}

static void test_first_candidate_has_its_own_steps(void **state)
{
	(void)state;

	/* Its USART is not that of this chip: the first access to it ends the test program. */
	stub_chip_init(&chip, STUB_K1);
	((struct stub_candidate *)(void *)(chip.setup + 1))->usart = 0x40013800;
	chip.train_pin = 3;
	assert_int_equal(hello().candidate, 0);
}

static void test_step_that_fails_ends_in_a_reset(void **state)
{
	(void)state;
	struct stub_step *step;

	stub_chip_init(&chip, STUB_K1);
	step = (struct stub_step *)(void *)((struct stub_candidate *)(void *)(chip.setup + 1) + 2);
	step[1].value = 1;
	assert_int_equal(stub_chip_run(&chip), STUB_CHIP_RESET);
	assert_int_equal(chip.n_out, 0);
	/* After the silence, not at once: the host must not meet a ROM in the middle of its trains.
	 */
	assert_true(chip.now >= chip.setup->silence_limit);
}

static void test_silence_ends_in_a_reset(void **state)
{
	(void)state;

	begin(STUB_K1);
	chip.idle_limit = UINT64_MAX;
	assert_int_equal(stub_chip_run(&chip), STUB_CHIP_RESET);
	begin(STUB_K1);
	chip.setup->silence_limit = 0;
	chip.idle_limit = 100000000;
	assert_int_equal(stub_chip_run(&chip), STUB_CHIP_IDLE);
}

static void test_echo_of_every_size(void **state)
{
	(void)state;
	uint8_t bytes[STUB_DATA_MAX];

	begin(STUB_K1);
	for (size_t n = 0; n <= sizeof(bytes); n += n < 16 || n > 1010 ? 1 : 37) {
		for (unsigned pattern = 0; pattern < 4; pattern++) {
			struct reply r;

			memset(bytes, pattern == 0 ? 0x00 : 0xFF, sizeof(bytes));
			if (pattern == 1)
				fill(bytes, sizeof(bytes), (unsigned)n);
			if (pattern == 2 && n > 0)
				bytes[n / 2] = bytes[n - 1] = 0;
			r = ask(STUB_ECHO, (uint8_t)n, 0x12345678, bytes, n);
			assert_int_equal(r.answer.type, STUB_ECHO | STUB_ANSWER);
			assert_int_equal(r.answer.sequence, (uint8_t)n);
			assert_int_equal(r.answer.status, STUB_OK);
			assert_int_equal(r.answer.size, n);
			assert_memory_equal(r.data, bytes, n);
			chip.n_in = chip.n_taken = 0;
		}
	}
}

static void test_taken_counts_from_hello(void **state)
{
	(void)state;
	size_t before;
	struct reply r;

	begin(STUB_K1);
	before = chip.n_in;
	stub_chip_send(&chip, "\0\0", 2);
	r = ask(STUB_ECHO, 0, 0, "abc", 3);
	assert_int_equal(r.answer.taken, chip.n_in - before);
	stub_chip_send(&chip, "damaged", 8);
	r = reply();
	assert_int_equal(r.answer.taken, chip.n_in - before);
	assert_int_equal(ask(STUB_HELLO, 1, 0, NULL, 0).answer.taken, 0);
}

static void stub_check_18_damage_is_never_done(void **state)
{
	(void)state;
	uint8_t bytes[64];
	struct stub_chip clean;
	size_t from, n;

	fill(bytes, sizeof(bytes), 1);
	begin(STUB_K1);
	from = chip.n_in;
	stub_chip_send_frame(&chip, STUB_DATA, 0, PAGE, bytes, sizeof(bytes));
	n = chip.n_in;
	clean = chip;
	for (size_t i = from; i < n; i++) {
		for (int bit = 0; bit < 8; bit++) {
			struct reply r = {0};

			chip = clean;
			chip.in[i] ^= (uint8_t)(1 << bit);
			assert_int_equal(stub_chip_run(&chip), STUB_CHIP_IDLE);
			assert_int_equal(chip.n_programmed, 0);
			/* A frame that was cut in two is damaged twice, and answered once. */
			if (i < n - 1)
				assert_true(stub_chip_answer(&chip, &r.answer, r.data));
			assert_int_equal(chip.n_out, 0);
			if (i < n - 1) {
				assert_int_equal(r.answer.type, STUB_DAMAGE | STUB_ANSWER);
				assert_int_equal(r.answer.status, STUB_EXPECTED);
				assert_int_equal(r.answer.expected, 0);
			}
		}
	}
}

static void stub_check_18_sizes(void **state)
{
	(void)state;
	uint8_t bytes[STUB_DATA_MAX + 8] = {0};
	struct reply r;

	begin(STUB_K1);
	/* Longer than a frame can be, with a right CRC. */
	r = ask(STUB_ECHO, 1, 0, bytes, sizeof(bytes));
	assert_int_equal(r.answer.type, STUB_DAMAGE | STUB_ANSWER);
	assert_int_equal(r.answer.status, STUB_EXPECTED);
	assert_int_equal(ask(STUB_ECHO, 1, 0, bytes, STUB_DATA_MAX).answer.status, STUB_OK);
	/* A size that is not that of the frame, with a right CRC; the gap is open still, so it gets
	 * no answer. */
	for (unsigned size = 0; size < 20; size++) {
		struct stub_frame header = {.type = STUB_ECHO, .size = (uint16_t)size};
		uint8_t frame[20], line[32];
		uint32_t crc;

		memcpy(frame, &header, sizeof(header));
		memset(frame + 8, 1, 8);
		crc = stub_chip_crc(IEEE, frame, 16);
		memcpy(frame + 16, &crc, 4);
		stub_chip_send(&chip, line, stub_chip_cobs(frame, 20, line));
		if (size == 8)
			assert_int_equal(reply().answer.status, STUB_OK);
		else
			assert_silent();
	}
}

static void test_numbers(void **state)
{
	(void)state;
	uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct reply r;

	begin(STUB_K3);
	for (unsigned i = 0; i < 300; i++) {
		r = ask(STUB_DATA, (uint8_t)i, PAGE + 8 * i, bytes, 8);
		assert_int_equal(r.answer.status, STUB_OK);
		assert_int_equal(r.answer.expected, (uint8_t)(i + 1));
		/* Once more: acknowledged, not done (a unit of K3 is programmed once). */
		r = ask(STUB_DATA, (uint8_t)i, PAGE + 8 * i, bytes, 8);
		assert_int_equal(r.answer.status, STUB_OK);
		assert_int_equal(r.answer.expected, (uint8_t)(i + 1));
		assert_int_equal(chip.n_programmed, i + 1);
	}
	/* 127 numbers ahead are a gap, 128 behind are done already. */
	assert_int_equal(
		ask(STUB_DATA, (uint8_t)(300 + 127), PAGE, bytes, 8).answer.status, STUB_EXPECTED);
	assert_int_equal(
		ask(STUB_DATA, (uint8_t)(300 + 128), PAGE, bytes, 8).answer.status, STUB_OK);
	assert_int_equal(chip.n_programmed, 300);
}

static void test_gap_is_told_once(void **state)
{
	(void)state;
	uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct reply r;

	begin(STUB_K3);
	r = ask(STUB_DATA, 2, PAGE, bytes, 8);
	assert_int_equal(r.answer.status, STUB_EXPECTED);
	assert_int_equal(r.answer.expected, 0);
	for (uint8_t i = 3; i < 9; i++)
		stub_chip_send_frame(&chip, STUB_DATA, i, PAGE, bytes, 8);
	assert_silent();
	/* A query is answered meanwhile, and damage is not. */
	r = ask(STUB_ECHO, 5, 0, bytes, 8);
	assert_int_equal(r.answer.status, STUB_OK);
	assert_int_equal(r.answer.expected, 0);
	stub_chip_send(&chip, "damage", 7);
	assert_silent();
	/* The host has begun again with 0, which was lost: told once more. */
	r = ask(STUB_DATA, 1, PAGE, bytes, 8);
	assert_int_equal(r.answer.status, STUB_EXPECTED);
	stub_chip_send_frame(&chip, STUB_DATA, 2, PAGE, bytes, 8);
	assert_silent();
	r = ask(STUB_DATA, 0, PAGE, bytes, 8);
	assert_int_equal(r.answer.status, STUB_OK);
	assert_int_equal(r.answer.expected, 1);
	assert_int_equal(chip.n_programmed, 1);
}

static void test_damage_opens_a_gap(void **state)
{
	(void)state;
	uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct reply r;

	begin(STUB_K3);
	stub_chip_send(&chip, "damage", 7);
	r = reply();
	assert_int_equal(r.answer.type, STUB_DAMAGE | STUB_ANSWER);
	assert_int_equal(r.answer.sequence, 0);
	assert_int_equal(r.answer.status, STUB_EXPECTED);
	stub_chip_send_frame(&chip, STUB_DATA, 1, PAGE, bytes, 8);
	stub_chip_send_frame(&chip, STUB_DATA, 2, PAGE, bytes, 8);
	stub_chip_send(&chip, "damage", 7);
	assert_silent();
	assert_int_equal(ask(STUB_DATA, 0, PAGE, bytes, 8).answer.status, STUB_OK);
	stub_chip_send(&chip, "damage", 7);
	assert_int_equal(reply().answer.status, STUB_EXPECTED);
}

static void test_read_and_peek(void **state)
{
	(void)state;
	static const struct {
		uint8_t type;
		uint32_t address, size;
		enum stub_status status;
	} rows[] = {
		{STUB_READ, PAGE, 1024, STUB_OK},
		{STUB_READ, PAGE + 3, 17, STUB_OK},
		{STUB_READ, PAGE, 0, STUB_OK},
		{STUB_READ, PAGE, 1025, STUB_RANGE},
		{STUB_READ, PAGE, 0xFFFFFFFF, STUB_RANGE},
		{STUB_READ, PAGE + STUB_CHIP_FLASH_SIZE - 1, 1, STUB_OK},
		{STUB_READ, PAGE + STUB_CHIP_FLASH_SIZE - 1, 2, STUB_RANGE},
		{STUB_READ, STUB_CHIP_IDS + 1, 255, STUB_OK},
		{STUB_READ, STUB_CHIP_IDS + 1, 256, STUB_RANGE},
		{STUB_READ, STUB_CHIP_RAM, 4, STUB_RANGE},
		{STUB_PEEK, STUB_CHIP_IDS + 4, 4, STUB_OK},
		{STUB_PEEK, STUB_CHIP_IDS + 253, 4, STUB_RANGE},
		{STUB_READ, 0x40022000, 256, STUB_OK},
		{STUB_PEEK, STUB_CHIP_RAM, 4, STUB_RANGE},
		{STUB_PEEK, 0x40022000, 4, STUB_OK},
		{STUB_PEEK, 0x40022100, 4, STUB_RANGE},
	};

	begin(STUB_K1);
	fill(chip.flash, sizeof(chip.flash), 4);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint8_t *from = chip.flash + (rows[i].address - PAGE);
		struct reply r = ask(rows[i].type, 200, rows[i].address, &rows[i].size,
			rows[i].type == STUB_READ ? 4 : 0);

		if (rows[i].address - STUB_CHIP_IDS < STUB_CHIP_IDS_SIZE)
			from = chip.ids + (rows[i].address - STUB_CHIP_IDS);
		assert_int_equal(r.answer.status, rows[i].status);
		assert_int_equal(r.answer.size, rows[i].status == STUB_OK ? rows[i].size : 0);
		if (rows[i].address < 0x40000000)
			assert_memory_equal(r.data, from, r.answer.size);
		/* A query that fails leaves nothing behind. */
		assert_int_equal(r.answer.failure, STUB_OK);
	}
}

static void test_unknown_types(void **state)
{
	(void)state;

	begin(STUB_K1);
	for (unsigned type = 0; type < 256; type++) {
		struct reply r;

		if ((type >= STUB_HELLO && type <= STUB_RESET) ||
			(type >= STUB_ERASE && type <= STUB_DATA))
			continue;
		r = ask((uint8_t)type, 4, 0, "abc", 3);
		assert_int_equal(r.answer.status, STUB_UNKNOWN);
		assert_int_equal(r.answer.type, type | STUB_ANSWER);
		assert_int_equal(r.answer.sequence, 4);
		assert_int_equal(r.answer.expected, 0);
	}
}

static void test_link_and_fall_back(void **state)
{
	(void)state;
	struct stub_rate rate = {.brr = 52, .cr1 = 0x200C};
	uint32_t before;
	struct reply r;

	begin(STUB_K1);
	before = chip.brr;
	assert_int_equal(ask(STUB_LINK, 1, 0, &rate, 4).answer.status, STUB_RANGE);
	r = ask(STUB_LINK, 1, 0, &rate, sizeof(rate));
	assert_int_equal(r.answer.status, STUB_OK);
	assert_memory_equal(r.data, &rate, sizeof(rate));
	assert_int_equal(chip.brr, 52);
	/* Damage does not confirm it. */
	stub_chip_send(&chip, "damage", 7);
	assert_int_equal(reply().answer.status, STUB_EXPECTED);
	chip.idle_limit = chip.setup->fall_back * 2ul;
	assert_silent();
	assert_int_equal(chip.brr, before);
	assert_int_equal(chip.cr1, 0x200C);
	/* A sound frame does. */
	chip.idle_limit = 400000;
	ask(STUB_LINK, 1, 0, &rate, sizeof(rate));
	assert_int_equal(ask(STUB_ECHO, 1, 0, "x", 1).answer.status, STUB_OK);
	chip.idle_limit = chip.setup->fall_back * 2ul;
	assert_silent();
	assert_int_equal(chip.brr, 52);
	assert_int_equal(hello().brr, 52);
}

static void test_reset_is_answered_first(void **state)
{
	(void)state;
	struct reply r;

	begin(STUB_K1);
	stub_chip_send_frame(&chip, STUB_RESET, 8, 0, NULL, 0);
	assert_int_equal(stub_chip_run(&chip), STUB_CHIP_RESET);
	assert_true(stub_chip_answer(&chip, &r.answer, r.data));
	assert_int_equal(r.answer.type, STUB_RESET | STUB_ANSWER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hello_says_all),
		cmocka_unit_test(test_nothing_else_is_answered_before_hello),
		cmocka_unit_test(test_train_gives_the_rate),
		cmocka_unit_test(test_other_rates_are_no_train),
		cmocka_unit_test(test_first_candidate_has_its_own_steps),
		cmocka_unit_test(test_step_that_fails_ends_in_a_reset),
		cmocka_unit_test(test_silence_ends_in_a_reset),
		cmocka_unit_test(test_echo_of_every_size),
		cmocka_unit_test(test_taken_counts_from_hello),
		cmocka_unit_test(stub_check_18_damage_is_never_done),
		cmocka_unit_test(stub_check_18_sizes),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_gap_is_told_once),
		cmocka_unit_test(test_damage_opens_a_gap),
		cmocka_unit_test(test_read_and_peek),
		cmocka_unit_test(test_unknown_types),
		cmocka_unit_test(test_link_and_fall_back),
		cmocka_unit_test(test_reset_is_answered_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
