/* SPDX-License-Identifier: MIT */
/*
 * test-stub-link.c - the host's side of the program in the RAM, against sim/stub-peer.h: what it is
 * asked for, what it refuses, and how it falls silent. Faults of the line are in
 * test-stub-faults.c, rates in test-stub-rate.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#define STUB_STAND_PROGRAM 2560
#include "sim/stub-stand.h"

#define FLASH UINT32_C(0x08000000)
#define KIB   UINT32_C(1024)

static const struct {
	const char *chip, *word;
} chips[] = {
	{"f103xc", "f1"},
	{"g0b1", "g0b"},
	{"f405", "f4"},
};

static void it_is_met_and_says_what_it_is(void **state)
{
	struct stub_stand stand;
	struct stub_state now;

	(void)state;
	stub_begin(&stand, "f103xc", "f1", 0);
	stub_state(stand.loader, &now);
	assert_int_equal(now.version, STUB_VERSION);
	assert_int_equal(now.ring_size, stand.load.ring_size);
	assert_in_range(now.clock_ppm + 1000, 0, 2000);
	assert_int_equal(sim_counters(stand.sim)->program_starts, 1);
	assert_int_equal(sim_state(stand.sim), SIM_PROGRAM);
	stub_end(&stand);
}

/* An oscillator that is off is measured by the train: the rate is right all the same. */
static void a_clock_that_is_off_is_made_good(void **state)
{
	static const int permilles[] = {-50, -25, -10, 10, 25, 50};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(permilles); i++) {
		const struct sim_faults faults = {.stub.clock_permille = permilles[i]};
		struct stub_stand stand;
		struct stub_state now;

		stub_begin_with(&stand, "g0b1", "g0b", &faults, NULL);
		assert_int_equal(stub_meet(&stand), 0);
		stub_state(stand.loader, &now);
		assert_int_equal(now.baud, 921600);
		assert_in_range(now.clock_ppm - permilles[i] * 1000 + 500, 0, 1000);
		stub_end(&stand);
	}
}

/* Everything that it says wrongly is seen before anything is asked of it. */
static void a_wrong_hello_is_refused(void **state)
{
	static const char *const whys[] = {
		[SIM_STUB_LIE_MAGIC] = "its hello has the mark 0x42545351 in place of 0x42545350",
		[SIM_STUB_LIE_PROTOCOL] = "its hello has protocol 0x2 in place of 0x1",
		[SIM_STUB_LIE_VERSION] = "its hello has version",
		[SIM_STUB_LIE_SELF_CRC] = "its hello has a CRC of itself",
		[SIM_STUB_LIE_DEV_ID] = "its hello has product id 0x410 in place of 0x414",
		[SIM_STUB_LIE_FLASH_SIZE] = "its hello has flash size 0x200 in place of 0x100",
		[SIM_STUB_LIE_KIND] = "its hello has flash kind 0x3 in place of 0x1",
		[SIM_STUB_LIE_RING] = "its hello has ring size",
		[SIM_STUB_LIE_TICKS] = "its hello has a clock of",
	};

	(void)state;
	for (int lie = SIM_STUB_LIES_NOT + 1; lie < SIM_STUB_LIE_MAX; lie++) {
		const struct sim_faults faults = {.stub.lie = (enum sim_stub_lie)lie};
		struct stub_stand stand;

		stub_begin_with(&stand, "f103xc", "f1", &faults, NULL);
		assert_int_equal(stub_meet(&stand), LOADER_FOREIGN);
		if (strncmp(stand.why.text, whys[lie], strlen(whys[lie])) != 0)
			fail_msg("%s", stand.why.text);
		assert_int_equal(sim_counters(stand.sim)->stub_posted, 0);
		stub_end(&stand);
	}
}

static void a_program_that_never_answers_is_given_up(void **state)
{
	const struct sim_faults faults = {.stub.silent = true};
	struct stub_stand stand;
	uint64_t started;

	(void)state;
	stub_begin_with(&stand, "f103xc", "f1", &faults, NULL);
	started = stub_now_nsec();
	assert_int_equal(stub_meet(&stand), LOADER_NO_ANSWER);
	assert_string_equal(stand.why.text, "it does not answer");
	/* 20 trains, and 20 ms for each answer. */
	assert_true(stub_now_nsec() - started < UINT64_C(800000000));
	stub_end(&stand);
}

static void what_is_written_is_in_the_flash(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		CLEANUP(freep) uint8_t *image = stub_make_image(40 * KIB, 1);
		CLEANUP(freep) uint8_t *got = malloc(40 * KIB);
		struct stub_stand stand;
		bool is_equal;

		stub_begin(&stand, chips[i].chip, chips[i].word, 0);
		memset(sim_flash(stand.sim), 0xA5, stand.sim_chip->flash_size);
		assert_int_equal(stub_erase_first(&stand, 40 * KIB), 0);
		assert_int_equal(stub_write_all(&stand, FLASH, image, 40 * KIB), 0);
		assert_memory_equal(sim_flash(stand.sim), image, 40 * KIB);
		assert_int_equal(stub_compare(&stand, FLASH, image, 40 * KIB, &is_equal), 0);
		assert_true(is_equal);
		for (uint32_t at = 0; at < 40 * KIB; at += 4096)
			assert_int_equal(
				stand.loader->ops->read(stand.loader, FLASH + at, got + at, 4096),
				0);
		assert_memory_equal(got, image, 40 * KIB);
		assert_int_equal(sim_counters(stand.sim)->overruns, 0);
		assert_int_equal(sim_counters(stand.sim)->bad_writes, 0);
		stub_end(&stand);
	}
}

/* The smallest parts have a ring that holds less than a frame of a kilobyte. */
static void any_ring_is_enough(void **state)
{
	(void)state;
	for (uint32_t ring = STUB_RING_MIN; ring <= STUB_RING_MAX; ring *= 2) {
		const struct sim_faults faults = {.stub.ring = ring};
		CLEANUP(freep) uint8_t *image = stub_make_image(10 * KIB, ring);
		struct stub_stand stand;
		bool is_equal;

		stub_begin_with(&stand, "f103xc", "f1", &faults, NULL);
		stand.load.ring_size = ring;
		assert_int_equal(stub_meet(&stand), 0);
		/* Of the train what it did not need. */
		assert_int_equal(sim_counters(stand.sim)->stub_damaged, 1);
		assert_int_equal(stub_erase_first(&stand, 10 * KIB), 0);
		assert_int_equal(stub_write_all(&stand, FLASH, image, 10 * KIB), 0);
		assert_int_equal(stub_compare(&stand, FLASH, image, 10 * KIB, &is_equal), 0);
		assert_true(is_equal);
		assert_int_equal(sim_counters(stand.sim)->overruns, 0);
		assert_int_equal(sim_counters(stand.sim)->stub_damaged, 1);
		stub_end(&stand);
	}
}

/* Runs of erased bytes are not sent, whatever stands around them, and odd ends come out right. */
static void erased_bytes_are_not_sent(void **state)
{
	static const struct {
		uint32_t from, size, gap_at, gap, address_offset;
		unsigned n_frames; /* of DATA, and one erase */
	} rows[] = {
		{0, 4096, 0, 0, 0, 4},
		{0, 4096, 0, 4096, 0, 0},
		{0, 1024, 256, 512, 0, 2},
		{0, 1024, 0, 1000, 0, 1},
		{0, 1024, 24, 1000, 0, 1},
		{0, 1024, 256, 32, 0, 1}, /* a gap that is not worth a frame */
		{0, 12, 0, 0, 0, 1},
		{0, 4, 0, 0, 12, 1},
		{0, 1000, 0, 0, 4, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) uint8_t *image = stub_make_image(4096, 3);
		struct stub_stand stand;
		uint32_t offset = rows[i].address_offset;

		for (uint32_t j = 0; j < 4096; j++)
			image[j] |= 1 ^ (image[j] == 0xFE);
		memset(image + rows[i].gap_at, 0xFF, rows[i].gap);
		stub_begin(&stand, "f103xc", "f1", 0);
		assert_int_equal(stub_erase_first(&stand, 4096), 0);
		assert_int_equal(stub_write_all(&stand, FLASH + offset, image, rows[i].size), 0);
		assert_memory_equal(sim_flash(stand.sim) + offset, image, rows[i].size);
		assert_int_equal(sim_counters(stand.sim)->blocks_written, rows[i].n_frames);
		stub_end(&stand);
	}
}

/* Half of eight bytes alone, and then the other half: the stub judges them together. */
static void halves_of_a_unit_are_not_written_one_by_one(void **state)
{
	CLEANUP(freep) uint8_t *image = stub_make_image(64, 5);
	struct stub_stand stand;

	(void)state;
	stub_begin(&stand, "f103xc", "f1", 0);
	assert_int_equal(stub_erase_first(&stand, 2048), 0);
	assert_int_equal(stand.loader->ops->write(stand.loader, FLASH + 4, image + 4, 60), 0);
	assert_int_equal(stand.loader->ops->flush(stand.loader), 0);
	assert_memory_equal(sim_flash(stand.sim) + 4, image + 4, 60);
	assert_int_equal(stand.loader->ops->write(stand.loader, FLASH, image, 4), 0);
	assert_int_equal(stand.loader->ops->flush(stand.loader), LOADER_FAULT);
	stub_end(&stand);
}

/* ------------------------------------------------------------------ sums */

static size_t sent_bytes(void)
{
	return port_sim_record(LINE_PORT)->n_sent;
}

/* A whole flash is one question, and all its pages are two of 128 each at most. */
static void all_pages_are_asked_for_in_three_questions(void **state)
{
	CLEANUP(freep) uint8_t *image = stub_make_image(256 * KIB, 9);
	struct chip_range ranges[128];
	uint8_t said[128][LOADER_DIGEST_MAX], sums[DIGEST_SUMS_SIZE];
	struct stub_stand stand;
	size_t n_before;
	bool is_equal;

	(void)state;
	stub_begin(&stand, "f103xc", "f1", 115200);
	memcpy(sim_flash(stand.sim), image, 256 * KIB);
	n_before = sent_bytes();
	assert_int_equal(stub_compare(&stand, FLASH, image, 256 * KIB, &is_equal), 0);
	assert_true(is_equal);
	assert_true(sent_bytes() - n_before < 30);
	for (uint32_t i = 0; i < 128; i++)
		ranges[i] = (struct chip_range){FLASH + 2048 * i, 2048};
	sim_flash(stand.sim)[77 * 2048 + 5] ^= 1;
	n_before = sent_bytes();
	assert_int_equal(stand.loader->ops->digests(stand.loader, ranges, 128, said), 0);
	/* What one answer brings fits into the bridge (STUB_FETCH_MAX). */
	assert_true(sent_bytes() - n_before < 128 * 4 + 3 * 30);
	for (uint32_t i = 0; i < 128; i++) {
		digest_sums(image + 2048 * i, 2048, sums);
		assert_int_equal(memcmp(said[i], sums, sizeof(sums)) == 0, i != 77);
	}
	/* Pages here and there are as many questions. */
	ranges[1].start += 4096;
	assert_int_equal(stand.loader->ops->digests(stand.loader, ranges, 2, said), 0);
	digest_sums(image + 6144, 2048, sums);
	assert_memory_equal(said[1], sums, sizeof(sums));
	stub_end(&stand);
}

/* A board that was never seen, from the load on: 256 KiB known to be current. */
static void a_current_board_is_known_within_a_second(void **state)
{
	CLEANUP(freep) uint8_t *image = stub_make_image(256 * KIB, 11);
	struct stub_stand stand;
	double seconds;
	bool is_equal;

	(void)state;
	stub_begin_with(&stand, "f103xc", "f1", NULL, NULL);
	memcpy(sim_flash(stand.sim), image, 256 * KIB);
	stand.max_baud = 115200;
	assert_int_equal(stub_meet(&stand), 0);
	assert_int_equal(stub_compare(&stand, FLASH, image, 256 * KIB, &is_equal), 0);
	assert_true(is_equal);
	seconds = (double)(stub_now_nsec() - stand.loaded_from) / 1e9;
	print_message("256 KiB known to be current %.2f s after the load began\n", seconds);
	assert_true(seconds < 1.0);
	stub_end(&stand);
}

/* ------------------------------------------------------------------ erase */

/* The first page at once, each other one right before what is written there. */
static void pages_are_erased_when_their_bytes_come(void **state)
{
	CLEANUP(freep) uint8_t *image = stub_make_image(8 * KIB, 13);
	struct stub_stand stand;
	uint8_t byte;

	(void)state;
	stub_begin(&stand, "f103xc", "f1", 0);
	memset(sim_flash(stand.sim), 0xA5, 256 * KIB);
	assert_int_equal(stub_erase_first(&stand, 16 * KIB), 0);
	assert_int_equal(stand.loader->ops->read(stand.loader, FLASH, &byte, 1), 0);
	assert_int_equal(byte, 0xFF);
	assert_int_equal(sim_counters(stand.sim)->pages_erased, 1);
	assert_int_equal(stand.loader->ops->write(stand.loader, FLASH + 4 * KIB, image, 8), 0);
	assert_int_equal(stand.loader->ops->read(stand.loader, FLASH, &byte, 1), 0);
	assert_int_equal(sim_counters(stand.sim)->pages_erased, 2);
	assert_int_equal(sim_flash(stand.sim)[2 * KIB], 0xA5);
	/* A look at a page that is to be erased finds it erased. */
	assert_int_equal(stand.loader->ops->read(stand.loader, FLASH + 15 * KIB, &byte, 1), 0);
	assert_int_equal(byte, 0xFF);
	assert_int_equal(sim_counters(stand.sim)->pages_erased, 3);
	assert_int_equal(stand.loader->ops->flush(stand.loader), 0);
	assert_int_equal(sim_counters(stand.sim)->pages_erased, 8);
	for (uint32_t i = 0; i < 16 * KIB; i++)
		assert_true(sim_flash(stand.sim)[i] == 0xFF || (i >= 4 * KIB && i < 4 * KIB + 8));
	assert_int_equal(sim_flash(stand.sim)[16 * KIB], 0xA5);
	stub_end(&stand);
}

/* ------------------------------------------------------------------ failures */

static void a_protected_page_is_named(void **state)
{
	const struct sim_faults faults = {
		.stub = {.protected_start = FLASH + 4 * KIB, .protected_size = 2 * KIB}};
	CLEANUP(freep) uint8_t *image = stub_make_image(16 * KIB, 15);
	struct stub_stand stand;
	struct stub_state now;
	struct chip_page page;

	(void)state;
	stub_begin_with(&stand, "f103xc", "f1", &faults, NULL);
	assert_int_equal(stub_meet(&stand), 0);
	memset(sim_flash(stand.sim), 0xA5, 256 * KIB);
	assert_int_equal(stub_erase_first(&stand, 16 * KIB), 0);
	assert_int_equal(stub_write_all(&stand, FLASH, image, 16 * KIB), LOADER_REFUSED);
	assert_string_equal(stand.loader->ops->refusal(stand.loader),
		"0x08001000 is write-protected (flash status 0x10)");
	stub_state(stand.loader, &now);
	assert_int_equal(now.failure, STUB_WRITE_PROTECTED);
	assert_int_equal(now.failed_at, FLASH + 4 * KIB);
	/* Nothing behind it was touched, and nothing is from then on. */
	for (uint32_t i = 4 * KIB; i < 256 * KIB; i++)
		assert_int_equal(sim_flash(stand.sim)[i], 0xA5);
	assert_int_equal(
		stand.loader->ops->write(stand.loader, FLASH + 8 * KIB, image, 64), LOADER_REFUSED);
	assert_int_equal(stand.loader->ops->flush(stand.loader), LOADER_REFUSED);
	/* It can be asked, and told to erase again. */
	assert_int_equal(stand.loader->ops->read(stand.loader, FLASH, image, 256), 0);
	assert_true(chip_page_at(stand.chip, FLASH, &page));
	assert_int_equal(stand.loader->ops->erase_pages(stand.loader, &page, 1), 0);
	assert_int_equal(stand.loader->ops->flush(stand.loader), 0);
	assert_int_equal(sim_flash(stand.sim)[0], 0xFF);
	stub_end(&stand);
}

static void flash_that_is_not_erased_is_not_programmed(void **state)
{
	CLEANUP(freep) uint8_t *image = stub_make_image(4 * KIB, 17);
	struct stub_stand stand;

	(void)state;
	stub_begin(&stand, "g0b1", "g0b", 0);
	memset(sim_flash(stand.sim), 0xA5, 4 * KIB);
	assert_int_equal(stub_write_all(&stand, FLASH, image, 4 * KIB), LOADER_FAULT);
	assert_string_equal(stand.loader->ops->refusal(stand.loader),
		"0x08000000 is not erased (flash status 0x0)");
	stub_end(&stand);
}

/* It says that all is written: the sums show that it is not. */
static void a_stub_that_lies_is_seen(void **state)
{
	const struct sim_faults faults = {.stub.unwritten = 3};
	CLEANUP(freep) uint8_t *image = stub_make_image(8 * KIB, 19);
	struct stub_stand stand;
	bool is_equal;

	(void)state;
	stub_begin_with(&stand, "f103xc", "f1", &faults, NULL);
	assert_int_equal(stub_meet(&stand), 0);
	assert_int_equal(stub_erase_first(&stand, 8 * KIB), 0);
	assert_int_equal(stub_write_all(&stand, FLASH, image, 8 * KIB), 0);
	assert_int_equal(stub_compare(&stand, FLASH, image, 8 * KIB, &is_equal), 0);
	assert_false(is_equal);
	stub_end(&stand);
}

/* What is out of bounds is refused, and the link goes on. */
static void reads_beyond_the_flash_are_refused(void **state)
{
	struct stub_stand stand;
	uint8_t bytes[4096];

	(void)state;
	stub_begin(&stand, "f103xc", "f1", 0);
	assert_int_equal(
		stand.loader->ops->read(stand.loader, FLASH + 256 * KIB - 1024, bytes, 4096),
		LOADER_REFUSED);
	assert_int_equal(stand.loader->ops->read(stand.loader, FLASH, bytes, 4096), 0);
	assert_int_equal(stand.loader->ops->digest(stand.loader, FLASH + 256 * KIB, 4, bytes),
		LOADER_REFUSED);
	assert_int_equal(stand.loader->ops->digest(stand.loader, FLASH, 4, bytes), 0);
	stub_end(&stand);
}

/* Twice the longest time of its work and half a second. */
static void a_hang_is_noticed_in_its_time(void **state)
{
	static const struct {
		int type;
		unsigned nth;
		bool resets;
		unsigned most_ms;
	} rows[] = {
		{STUB_ERASE, 1, false, 700},
		{STUB_ERASE, 2, false, 700},
		{STUB_DATA, 1, false, 700},
		{STUB_DATA, 5, false, 700},
		{STUB_DATA, 5, true, 700},
		{STUB_SUM, 1, false, 1000},
		{STUB_READ, 1, false, 1500},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_faults faults = {.stub = {.hang_type = rows[i].type,
							  .hang_nth = rows[i].nth,
							  .hang_resets = rows[i].resets}};
		CLEANUP(freep) uint8_t *image = stub_make_image(8 * KIB, 21);
		struct stub_stand stand;
		uint64_t started, usual;
		bool is_equal;
		int r;

		stub_begin_with(&stand, "f103xc", "f1", &faults, NULL);
		assert_int_equal(stub_meet(&stand), 0);
		started = stub_now_nsec();
		r = stub_erase_first(&stand, 8 * KIB);
		if (r == 0)
			r = stub_write_all(&stand, FLASH, image, 8 * KIB);
		if (r == 0)
			r = stub_compare(&stand, FLASH, image, 8 * KIB, &is_equal);
		if (r == 0)
			r = stand.loader->ops->read(stand.loader, FLASH, image, 4096);
		assert_int_equal(r, LOADER_NO_ANSWER);
		/* Of it all that ran before: half a second at most. */
		usual = 600;
		if ((stub_now_nsec() - started) / 1000000 > rows[i].most_ms + usual)
			fail_msg("row %zu: %u ms", i,
				(unsigned)((stub_now_nsec() - started) / 1000000));
		stub_end(&stand);
	}
}

/* A bus that a hundred bridges share: each way takes 30 ms. Nothing is lost, sent or asked twice.
 */
static void a_late_bus_is_no_fault(void **state)
{
	const struct port_sim_options port = {.usb_usec = 30000};
	CLEANUP(freep) uint8_t *image = stub_make_image(16 * KIB, 25);
	struct stub_stand stand;
	struct stub_state now;
	uint8_t got[4096];
	size_t n_before;
	bool is_equal;

	(void)state;
	stub_begin_with(&stand, "g0b1", "g0b", NULL, &port);
	if (stub_meet(&stand) != 0)
		fail_msg("%s", stand.why.text);
	stub_state(stand.loader, &now);
	assert_int_equal(now.baud, 921600);
	assert_int_equal(stub_erase_first(&stand, 16 * KIB), 0);
	assert_int_equal(stub_write_all(&stand, FLASH, image, 16 * KIB), 0);
	assert_int_equal(stub_compare(&stand, FLASH, image, 16 * KIB, &is_equal), 0);
	assert_true(is_equal);
	n_before = sent_bytes();
	assert_int_equal(stand.loader->ops->read(stand.loader, FLASH, got, sizeof(got)), 0);
	assert_memory_equal(got, image, sizeof(got));
	assert_true(sent_bytes() - n_before < 19 * 25);
	stub_state(stand.loader, &now);
	assert_int_equal(now.n_repeated, 0);
	assert_int_equal(now.n_damaged, 0);
	stub_end(&stand);
}

/* Up to the longest times of the data sheet nothing is lost, and nothing sent twice. */
static void slow_flash_is_waited_for(void **state)
{
	const struct sim_faults faults = {.stub.slow_percent = 130};
	CLEANUP(freep) uint8_t *image = stub_make_image(32 * KIB, 23);
	struct stub_stand stand;
	struct stub_state now;

	(void)state;
	stub_begin_with(&stand, "f103xc", "f1", &faults, NULL);
	assert_int_equal(stub_meet(&stand), 0);
	assert_int_equal(stub_erase_first(&stand, 32 * KIB), 0);
	assert_int_equal(stub_write_all(&stand, FLASH, image, 32 * KIB), 0);
	stub_state(stand.loader, &now);
	assert_int_equal(now.n_repeated, 0);
	assert_memory_equal(sim_flash(stand.sim), image, 32 * KIB);
	stub_end(&stand);
}

static void it_resets_the_chip_when_it_is_told(void **state)
{
	struct stub_stand stand;

	(void)state;
	stub_begin(&stand, "f103xc", "f1", 0);
	assert_int_equal(stub_reset(stand.loader), 0);
	assert_int_equal(port_wait(stand.port, 50 * USEC_PER_MSEC), 0);
	assert_int_equal(sim_state(stand.sim), SIM_ROM);
	stub_end(&stand);
}

/* A host that died: the stub does not stay for ever. */
static void a_silent_host_ends_it(void **state)
{
	struct stub_stand stand;

	(void)state;
	stub_begin(&stand, "f103xc", "f1", 0);
	assert_int_equal(port_wait(stand.port, 60 * USEC_PER_SEC), 0);
	assert_int_equal(sim_state(stand.sim), SIM_ROM);
	stub_end(&stand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_met_and_says_what_it_is),
		cmocka_unit_test(a_clock_that_is_off_is_made_good),
		cmocka_unit_test(a_wrong_hello_is_refused),
		cmocka_unit_test(a_program_that_never_answers_is_given_up),
		cmocka_unit_test(what_is_written_is_in_the_flash),
		cmocka_unit_test(any_ring_is_enough),
		cmocka_unit_test(erased_bytes_are_not_sent),
		cmocka_unit_test(halves_of_a_unit_are_not_written_one_by_one),
		cmocka_unit_test(all_pages_are_asked_for_in_three_questions),
		cmocka_unit_test(a_current_board_is_known_within_a_second),
		cmocka_unit_test(pages_are_erased_when_their_bytes_come),
		cmocka_unit_test(a_protected_page_is_named),
		cmocka_unit_test(flash_that_is_not_erased_is_not_programmed),
		cmocka_unit_test(a_stub_that_lies_is_seen),
		cmocka_unit_test(reads_beyond_the_flash_are_refused),
		cmocka_unit_test(a_hang_is_noticed_in_its_time),
		cmocka_unit_test(a_late_bus_is_no_fault),
		cmocka_unit_test(slow_flash_is_waited_for),
		cmocka_unit_test(it_resets_the_chip_when_it_is_told),
		cmocka_unit_test(a_silent_host_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
