/* SPDX-License-Identifier: MIT */
/* test-stub.c - the sources of the stub on this machine: frames, numbers, the search of the line,
 * and three kinds of flash. */
#include "stub/stub-chip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"

#define IEEE	   0xEDB88320
#define CASTAGNOLI 0x82F63B78
#define PAGE	   STUB_CHIP_FLASH

struct reply {
	struct stub_answer answer;
	uint8_t data[STUB_DATA_MAX];
};

static struct stub_chip chip;

/* The one answer to what was sent; fails where there is none or another one behind it. */
static struct reply reply(void)
{
	struct reply r = {0}, other;

	assert_int_equal(stub_chip_run(&chip), STUB_CHIP_IDLE);
	assert_true(stub_chip_answer(&chip, &r.answer, r.data));
	assert_false(stub_chip_answer(&chip, &other.answer, other.data));
	return r;
}

static void assert_silent(void)
{
	struct reply r;

	assert_int_equal(stub_chip_run(&chip), STUB_CHIP_IDLE);
	assert_false(stub_chip_answer(&chip, &r.answer, r.data));
	assert_int_equal(chip.n_out, 0);
}

static struct reply ask(
	uint8_t type, uint8_t sequence, uint32_t address, const void *data, size_t n)
{
	stub_chip_send_frame(&chip, type, sequence, address, data, n);
	return reply();
}

static struct stub_hello hello(void)
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

static void begin(enum stub_kind kind)
{
	stub_chip_init(&chip, kind);
	hello();
}

static uint32_t select_of(enum stub_kind kind, uint32_t address)
{
	if (kind == STUB_K1)
		return address;
	return (address - STUB_CHIP_FLASH) / (kind == STUB_K2 ? 0x4000 : 0x400) << 3;
}

static struct reply erase(uint8_t sequence, enum stub_kind kind, uint32_t address)
{
	struct stub_erase page = {
		.size = kind == STUB_K2 ? 0x4000 : 0x400, .select = select_of(kind, address)};

	return ask(STUB_ERASE, sequence, address, &page, sizeof(page));
}

static void fill(uint8_t *bytes, size_t n, unsigned seed)
{
	srand(seed);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(rand() >> 8);
}

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

static void stub_check_18_bounds(void **state)
{
	(void)state;
	static const struct {
		uint32_t address;
		size_t n;
	} rows[] = {
		{STUB_CHIP_FLASH - 8, 8},
		{STUB_CHIP_FLASH - 8, 16},
		{STUB_CHIP_FLASH + STUB_CHIP_FLASH_SIZE, 8},
		{STUB_CHIP_FLASH + STUB_CHIP_FLASH_SIZE - 8, 16},
		{0xFFFFFFF8, 8},
		{0xFFFFFFF8, 16},
		{0, 8},
		{STUB_CHIP_RAM, 8},
		{STUB_CHIP_FLASH + 4, 8},
		{STUB_CHIP_FLASH + 1, 8},
		{STUB_CHIP_FLASH, 4},
		{STUB_CHIP_FLASH, 1023},
	};
	uint8_t bytes[STUB_DATA_MAX];

	fill(bytes, sizeof(bytes), 2);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct reply r;

		begin(STUB_K1);
		r = ask(STUB_DATA, 0, rows[i].address, bytes, rows[i].n);
		assert_int_equal(r.answer.status, STUB_RANGE);
		assert_int_equal(r.answer.failure, STUB_RANGE);
		assert_int_equal(r.answer.address, rows[i].address);
		assert_int_equal(chip.n_programmed, 0);
	}
}

static const enum stub_kind kinds[] = {STUB_K1, STUB_K2, STUB_K3};

static void test_each_kind_erases_and_writes(void **state)
{
	(void)state;
	uint8_t bytes[STUB_CHIP_FLASH_SIZE];

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		uint32_t page = kinds[k] == STUB_K2 ? 0x4000 : 0x400;
		uint8_t sequence = 0;

		begin(kinds[k]);
		memset(chip.flash, 0x5A, sizeof(chip.flash));
		fill(bytes, sizeof(bytes), (unsigned)k);
		memset(bytes + 100, 0xFF, 100);
		for (uint32_t at = 0; at < sizeof(bytes); at += page) {
			struct reply r = erase(sequence++, kinds[k], STUB_CHIP_FLASH + at);

			assert_int_equal(r.answer.status, STUB_OK);
			assert_int_equal(r.answer.expected, sequence);
			assert_int_equal(r.answer.address, 0);
			assert_int_equal(r.answer.flash_status, 0);
			assert_int_equal(chip.last_erased, STUB_CHIP_FLASH + at);
		}
		for (uint32_t at = 0; at < sizeof(bytes); at += STUB_DATA_MAX) {
			struct reply r = ask(STUB_DATA, sequence++, STUB_CHIP_FLASH + at,
				bytes + at, STUB_DATA_MAX);

			assert_int_equal(r.answer.status, STUB_OK);
			assert_int_equal(r.answer.expected, sequence);
			chip.n_in = chip.n_taken = 0;
		}
		assert_memory_equal(chip.flash, bytes, sizeof(bytes));
		/* The controller is left as it was, but for LOCK. */
		assert_int_equal(chip.cr, chip.setup->control);
		assert_true(chip.n_programmed <= (sizeof(bytes) - 96) / chip.setup->unit);
	}
}

static void test_each_unit_of_k2(void **state)
{
	(void)state;
	uint8_t bytes[64];

	fill(bytes, sizeof(bytes), 7);
	for (unsigned shift = 0; shift < 3; shift++) {
		begin(STUB_K2);
		chip.setup->unit = (uint8_t)(1 << shift);
		chip.setup->control = shift << 8;
		assert_int_equal(
			ask(STUB_DATA, 0, PAGE, bytes, sizeof(bytes)).answer.status, STUB_OK);
		assert_memory_equal(chip.flash, bytes, sizeof(bytes));
		assert_int_equal(chip.cr, shift << 8);
	}
}

static void test_mass_erase(void **state)
{
	(void)state;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		uint8_t blank[STUB_CHIP_FLASH_SIZE];

		begin(kinds[k]);
		chip.erase_ticks = 150000; /* above the limit of a page, below that of all */
		chip.flash[5] = 0;
		memset(blank, 0xFF, sizeof(blank));
		assert_int_equal(ask(STUB_ERASE_ALL, 0, 0, NULL, 0).answer.status, STUB_OK);
		assert_memory_equal(chip.flash, blank, sizeof(blank));
	}
}

static void test_wrong_page_is_refused(void **state)
{
	(void)state;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct stub_erase pages[] = {
			{.size = 0x400, .select = select_of(kinds[k], PAGE + 0x400) | 1},
			{.size = 0x400, .select = 1 << 2},  /* MER */
			{.size = 0x400, .select = 1 << 16}, /* STRT */
			{.size = 0x400, .select = select_of(kinds[k], PAGE + 0x4000)},
			{.size = 0x800, .select = 0x9 << 3},
			{.size = STUB_CHIP_FLASH_SIZE + 0x400, .select = select_of(kinds[k], PAGE)},
		};

		for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
			struct reply r;

			/* Sectors differ in size: the stub of K2 takes each number. */
			if (kinds[k] == STUB_K2 && (i == 3 || i == 4))
				continue;
			begin(kinds[k]);
			r = ask(STUB_ERASE, 0, PAGE + 0x400, &pages[i], sizeof(pages[i]));
			assert_int_equal(r.answer.status, STUB_RANGE);
			assert_int_equal(chip.n_erased, 0);
		}
		begin(kinds[k]);
		assert_int_equal(ask(STUB_ERASE, 0, PAGE, pages, 4).answer.status, STUB_RANGE);
	}
}

static void test_second_bank_of_k3(void **state)
{
	(void)state;
	static const struct {
		uint32_t bank2_select, bank2_page, address, select;
		enum stub_status status;
	} rows[] = {
		{1 << 11, 0, PAGE + 0x8400, 1 << 11 | 1 << 3, STUB_OK},
		{1 << 11, 0, PAGE + 0x8400, 1 << 3, STUB_RANGE},
		{1 << 11, 0, PAGE + 0x8400, 1 << 11 | 2 << 3, STUB_RANGE},
		{1 << 11, 0, PAGE + 0x400, 1 << 11 | 1 << 3, STUB_RANGE},
		{1 << 11, 0, PAGE + 0x400, 1 << 3, STUB_OK},
		{0, 64, PAGE + 0x8400, 65 << 3, STUB_OK},
		{0, 64, PAGE + 0x8400, 1 << 3, STUB_RANGE},
		{1 << 13, 64, PAGE + 0x8400, 1 << 13 | 65 << 3, STUB_OK},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct stub_erase page = {.size = 0x400, .select = rows[i].select};

		begin(STUB_K3);
		chip.setup->bank2 = PAGE + 0x8000;
		chip.setup->bank2_select = rows[i].bank2_select;
		chip.setup->bank2_page = rows[i].bank2_page;
		if (rows[i].status == STUB_OK)
			chip.hangs =
				true; /* the model has one bank: only what is asked for counts */
		assert_int_equal(
			ask(STUB_ERASE, 0, rows[i].address, &page, sizeof(page)).answer.status,
			rows[i].status == STUB_OK ? STUB_TIMEOUT : STUB_RANGE);
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

static void test_failure_stays(void **state)
{
	(void)state;
	uint8_t bytes[32];
	struct reply r;

	memset(bytes, 0x11, sizeof(bytes));
	begin(STUB_K1);
	chip.flash[18] = 0x7F;
	r = ask(STUB_DATA, 0, PAGE, bytes, sizeof(bytes));
	assert_int_equal(r.answer.status, STUB_NOT_BLANK);
	assert_int_equal(r.answer.failure, STUB_NOT_BLANK);
	assert_int_equal(r.answer.address, PAGE + 16);
	assert_int_equal(r.answer.expected, 1);
	assert_int_equal(chip.n_programmed, 8);
	r = erase(1, STUB_K1, PAGE);
	assert_int_equal(r.answer.status, STUB_NOT_BLANK);
	assert_int_equal(r.answer.expected, 2);
	assert_int_equal(chip.n_erased, 0);
	r = ask(STUB_ECHO, 9, 0, bytes, 4);
	assert_int_equal(r.answer.status, STUB_OK);
	assert_int_equal(r.answer.failure, STUB_NOT_BLANK);
	assert_int_equal(r.answer.address, PAGE + 16);
	hello();
	r = erase(0, STUB_K1, PAGE);
	assert_int_equal(r.answer.status, STUB_OK);
	assert_int_equal(r.answer.failure, STUB_OK);
	assert_int_equal(r.answer.address, 0);
	assert_int_equal(chip.n_erased, 1);
}

static void test_protected_page(void **state)
{
	(void)state;
	uint8_t bytes[8] = {0};

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct reply r;

		begin(kinds[k]);
		chip.protected_from = PAGE;
		chip.protected_to = PAGE + 0x4000;
		r = erase(0, kinds[k], PAGE);
		assert_int_equal(r.answer.status, STUB_WRITE_PROTECTED);
		assert_int_equal(r.answer.address, PAGE);
		assert_int_equal(r.answer.flash_status & 0x10, 0x10);
		hello();
		r = ask(STUB_DATA, 0, PAGE, bytes, 8);
		assert_int_equal(r.answer.status, STUB_WRITE_PROTECTED);
		/* A flag that was left does not fail the next operation. */
		hello();
		assert_int_equal(erase(0, kinds[k], PAGE + 0x4000).answer.status, STUB_OK);
	}
}

static void test_flash_that_hangs(void **state)
{
	(void)state;
	struct reply r;
	uint32_t size = 0x400;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		begin(kinds[k]);
		chip.hangs = true;
		r = erase(0, kinds[k], PAGE);
		assert_int_equal(r.answer.status, STUB_TIMEOUT);
		assert_int_equal(r.answer.flash_status & chip.setup->busy, chip.setup->busy);
		/* Nothing looks into flash that is busy; seam_memory() would end the program. */
		assert_int_not_equal(ask(STUB_SUM, 0, PAGE, &size, 4).answer.status, STUB_OK);
		assert_int_not_equal(ask(STUB_READ, 0, PAGE, &size, 4).answer.status, STUB_OK);
		hello();
		assert_int_equal(erase(0, kinds[k], PAGE).answer.status, STUB_TIMEOUT);
	}
}

static void test_limit_counts_while_it_is_busy_alone(void **state)
{
	(void)state;
	uint8_t bytes[64] = {0};

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		begin(kinds[k]);
		/* One look at the flash lasts longer than the limit, and the flash is ready by
		 * then. */
		chip.program_ticks = 20;
		chip.setup->program_limit = 20;
		assert_int_equal(
			ask(STUB_DATA, 0, PAGE, bytes, sizeof(bytes)).answer.status, STUB_OK);
	}
}

static void test_sums(void **state)
{
	(void)state;
	uint32_t sizes[STUB_PAGES_MAX];
	struct stub_sums sums[STUB_PAGES_MAX];
	uint32_t at = 0;
	struct reply r;

	begin(STUB_K1);
	fill(chip.flash, sizeof(chip.flash), 3);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		sizes[i] = (uint32_t)(i % 5 * 64 + 4 * (i % 3));
	r = ask(STUB_SUM, 3, PAGE + 4, sizes, sizeof(sizes));
	assert_int_equal(r.answer.status, STUB_OK);
	assert_int_equal(r.answer.size, sizeof(sums));
	memcpy(sums, r.data, sizeof(sums));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_int_equal(sums[i].ieee, stub_chip_crc(IEEE, chip.flash + 4 + at, sizes[i]));
		assert_int_equal(sums[i].castagnoli,
			stub_chip_crc(CASTAGNOLI, chip.flash + 4 + at, sizes[i]));
		at += sizes[i];
	}
	/* All of the flash, and the last word. */
	sizes[0] = STUB_CHIP_FLASH_SIZE - 4;
	sizes[1] = 4;
	r = ask(STUB_SUM, 3, PAGE, sizes, 8);
	assert_int_equal(r.answer.status, STUB_OK);
	sizes[1] = 8;
	assert_int_equal(ask(STUB_SUM, 3, PAGE, sizes, 8).answer.status, STUB_RANGE);
	sizes[0] = 6;
	assert_int_equal(ask(STUB_SUM, 3, PAGE, sizes, 4).answer.status, STUB_RANGE);
	sizes[0] = 0xFFFFFFFC;
	assert_int_equal(ask(STUB_SUM, 3, PAGE, sizes, 4).answer.status, STUB_RANGE);
	sizes[0] = 4;
	assert_int_equal(ask(STUB_SUM, 3, PAGE + 2, sizes, 4).answer.status, STUB_RANGE);
	assert_int_equal(ask(STUB_SUM, 3, PAGE - 4, sizes, 4).answer.status, STUB_RANGE);
	assert_int_equal(
		ask(STUB_SUM, 3, PAGE, chip.flash, STUB_DATA_MAX).answer.status, STUB_RANGE);
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

static void test_lost_bytes_are_counted(void **state)
{
	(void)state;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct reply r;

		begin(kinds[k]);
		chip.overruns = true;
		r = ask(STUB_ECHO, 1, 0, "abc", 3);
		assert_int_equal(r.answer.status, STUB_OK);
		assert_int_equal(r.answer.lost, 1);
		hello();
		/* A frame is taken beside the work; then the ring is full while the flash is busy;
		 * the bytes behind are lost. */
		chip.setup->erase_limit = 0xFFFFFFF;
		chip.erase_ticks = 300000;
		stub_chip_send_frame(&chip, STUB_ERASE, 0, PAGE,
			&(struct stub_erase){.size = kinds[k] == STUB_K2 ? 0x4000 : 0x400,
				.select = select_of(kinds[k], PAGE)},
			8);
		stub_chip_send_frame(&chip, STUB_ECHO, 9, 0, NULL, 0);
		for (unsigned i = 0; i < 5000; i++)
			stub_chip_send(&chip, "\1", 1);
		stub_chip_send(&chip, "\0", 1);
		assert_int_equal(stub_chip_run(&chip), STUB_CHIP_IDLE);
		assert_true(stub_chip_answer(&chip, &r.answer, r.data));
		assert_int_equal(r.answer.status, STUB_OK);
		assert_int_equal(r.answer.lost, (5001 - 4095) % 256);
	}
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
		cmocka_unit_test(stub_check_18_bounds),
		cmocka_unit_test(test_each_kind_erases_and_writes),
		cmocka_unit_test(test_each_unit_of_k2),
		cmocka_unit_test(test_mass_erase),
		cmocka_unit_test(test_wrong_page_is_refused),
		cmocka_unit_test(test_second_bank_of_k3),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_gap_is_told_once),
		cmocka_unit_test(test_damage_opens_a_gap),
		cmocka_unit_test(test_failure_stays),
		cmocka_unit_test(test_protected_page),
		cmocka_unit_test(test_flash_that_hangs),
		cmocka_unit_test(test_limit_counts_while_it_is_busy_alone),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_read_and_peek),
		cmocka_unit_test(test_unknown_types),
		cmocka_unit_test(test_link_and_fall_back),
		cmocka_unit_test(test_reset_is_answered_first),
		cmocka_unit_test(test_lost_bytes_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
