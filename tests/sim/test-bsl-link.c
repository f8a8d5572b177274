/* SPDX-License-Identifier: MIT */
/*
 * test-bsl-link.c - packets and acknowledgements against the simulated ROM: what may come beside
 * them, what may be lost. `ti_check_NN_`: row NN of ti-bsl.md 14.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "image/digest.h"
#include "sim/bsl-stand.h"

#define BLOCK 248

/* ------------------------------------------------------------------ sync */

static void a_fresh_loader_is_found_by_two_bytes(void **state)
{
	static const uint8_t pattern[] = {0x55, 0x55};
	struct bsl_stand stand;

	(void)state;
	bsl_begin(&stand, "cc2652p", "cc2652p", NULL, NULL);
	assert_int_equal(stand.loader->ops->sync(stand.loader, true), 0);
	assert_int_equal(port_sim_record(BENCH_PORT)->n_sent, 2);
	assert_int_equal(bsl_count_sent(pattern, 2), 1);
	assert_int_equal(bsl_find(&stand), 0);
	bsl_end(&stand);
}

/* No 55 is sent that such a loader would take for the size of a packet. */
static void ti_check_06_a_loader_that_has_its_rate_is_found(void **state)
{
	static const uint8_t size[] = {0x55};
	const struct sim_ti board = {.synced_baud = 500000};
	struct bsl_stand stand;

	(void)state;
	bsl_begin_inside(&stand, "cc2652p", NULL, NULL);
	assert_int_equal(bsl_count_sent(size, 1), 2);
	assert_int_equal(stand.loader->ops->sync(stand.loader, false), 0);
	assert_int_equal(bsl_count_sent(size, 1), 2);
	assert_int_equal(bsl_find(&stand), 0);
	bsl_end(&stand);
	/* And as it is after power-up, nothing of it known. */
	bsl_begin(&stand, "cc2652p", "cc2652p", &board, NULL);
	assert_int_equal(stand.loader->ops->sync(stand.loader, false), 0);
	assert_int_equal(bsl_find(&stand), 0);
	bsl_end(&stand);
}

static void ti_check_06_a_fresh_loader_is_found_in_the_same_way(void **state)
{
	struct bsl_stand stand;

	(void)state;
	bsl_begin(&stand, "cc2652p", "cc2652p", NULL, NULL);
	assert_int_equal(stand.loader->ops->sync(stand.loader, false), 0);
	assert_int_equal(bsl_find(&stand), 0);
	bsl_end(&stand);
}

/* A job before was ended in the middle of one: the loader waits for the rest. */
static void ti_check_06_a_loader_in_the_middle_of_a_packet_is_let_out(void **state)
{
	static const uint8_t half[] = {0xFB, 0x00, 0x24, 1, 2, 3, 4, 5};
	struct bsl_stand stand;

	(void)state;
	bsl_begin_inside(&stand, "cc2652p", NULL, NULL);
	assert_int_equal(port_write(stand.port, half, sizeof(half), UINT64_MAX), 0);
	assert_int_equal(port_wait(stand.port, USEC_PER_SEC), 0);
	assert_int_equal(stand.loader->ops->sync(stand.loader, false), 0);
	assert_int_equal(bsl_find(&stand), 0);
	bsl_end(&stand);
}

/* Or in the middle of an answer: the loader waits for its acknowledgement. */
static void ti_check_06_a_loader_that_waits_for_an_answer_is_let_out(void **state)
{
	static const uint8_t question[] = {0x03, 0x23, 0x23};
	struct bsl_stand stand;

	(void)state;
	bsl_begin_inside(&stand, "cc2652p", NULL, NULL);
	assert_int_equal(port_write(stand.port, question, sizeof(question), UINT64_MAX), 0);
	assert_int_equal(port_wait(stand.port, USEC_PER_SEC), 0);
	assert_int_equal(stand.loader->ops->sync(stand.loader, false), 0);
	assert_int_equal(bsl_find(&stand), 0);
	bsl_end(&stand);
}

/* ti-bsl.md 13: three times 300 ms, and the pauses between them. */
static void a_dead_chip_is_given_up_soon(void **state)
{
	const struct sim_ti_faults faults = {.is_deaf = true};
	struct bsl_stand stand;
	uint64_t began;

	(void)state;
	for (int was_reset = 0; was_reset < 2; was_reset++) {
		bsl_begin(&stand, "cc2652p", "cc2652p", NULL, &faults);
		began = port_now(stand.port);
		assert_int_equal(
			stand.loader->ops->sync(stand.loader, was_reset), LOADER_NO_ANSWER);
		assert_true(
			port_now(stand.port) - began < (was_reset ? 1200 : 2600) * USEC_PER_MSEC);
		bsl_end(&stand);
	}
}

/* ------------------------------------------------------------------ acknowledgements */

static void write_one(struct bsl_stand *stand, uint32_t address)
{
	uint8_t bytes[BLOCK], got[BLOCK];

	bsl_fill(bytes, sizeof(bytes), 7);
	assert_int_equal(bsl_erase_at(stand, address), 0);
	assert_int_equal(stand->loader->ops->write(stand->loader, address, bytes, BLOCK), 0);
	assert_int_equal(stand->loader->ops->read(stand->loader, address, got, BLOCK), 0);
	assert_memory_equal(got, bytes, BLOCK);
	assert_memory_equal(sim_flash(stand->bench->sim) + address, bytes, BLOCK);
}

static void ti_check_07_zeros_are_passed_over(void **state)
{
	(void)state;
	for (unsigned zeros = 1; zeros <= 20; zeros++) {
		const struct sim_ti_faults faults = {.zeros = zeros};
		struct bsl_stand stand;

		bsl_begin_inside(&stand, "cc2652p", NULL, &faults);
		write_one(&stand, 0x2000);
		assert_int_equal(bsl_count(&stand, BSL_DOWNLOAD), 1);
		assert_int_equal(bsl_count(&stand, BSL_SEND_DATA), 1);
		bsl_end(&stand);
	}
}

static void ti_check_07_an_acknowledgement_without_its_zero_is_one(void **state)
{
	const struct sim_ti_faults faults = {.bare_acks = true};
	struct bsl_stand stand;

	(void)state;
	bsl_begin_inside(&stand, "cc2652p", NULL, &faults);
	write_one(&stand, 0x2000);
	assert_int_equal(bsl_count(&stand, BSL_SEND_DATA), 1);
	bsl_end(&stand);
}

static void ti_check_08_a_bent_packet_of_the_chip_is_asked_for_again(void **state)
{
	/* One of each kind of answer is bent once. */
	for (unsigned nth = 1; nth <= 12; nth++) {
		const struct sim_ti_faults faults = {.bad_sum_nth = nth};
		struct bsl_stand stand;
		static const uint8_t nack[] = {0x00, 0x33};

		(void)state;
		bsl_begin_inside(&stand, "cc2652p", NULL, &faults);
		write_one(&stand, 0x2000);
		print_message("# %u: %u repeated\n", nth, sim_ti(stand.bench->sim)->n_repeated);
		assert_int_equal(sim_ti(stand.bench->sim)->n_repeated, 1);
		assert_int_equal(sim_ti(stand.bench->sim)->n_unanswered, 0);
		assert_true(bsl_count_sent(nack, 2) >= 1);
		bsl_end(&stand);
	}
}

static void ti_check_08_a_chip_that_bends_all_is_given_up(void **state)
{
	const struct sim_ti_faults faults = {.bad_sums = true};
	struct bsl_stand stand;

	(void)state;
	bsl_begin(&stand, "cc2652p", "cc2652p", NULL, &faults);
	assert_int_equal(stand.loader->ops->sync(stand.loader, true), 0);
	assert_true(bsl_find(&stand) > 0);
	assert_true(port_now(stand.port) < 20 * USEC_PER_SEC);
	bsl_end(&stand);
}

static void ti_check_09_a_packet_that_fails_once_is_sent_again_as_it_is(void **state)
{
	const struct sim_ti_faults faults = {
		.status_code = BSL_SEND_DATA, .status_nth = 1, .status = BSL_STATUS_FLASH_FAILED};
	struct bsl_stand stand;

	(void)state;
	bsl_begin_inside(&stand, "cc2652p", NULL, &faults);
	write_one(&stand, 0x2000);
	assert_int_equal(bsl_count(&stand, BSL_DOWNLOAD), 1);
	assert_int_equal(bsl_count(&stand, BSL_SEND_DATA), 2);
	bsl_end(&stand);
}

static void ti_check_09_a_packet_that_fails_each_time_ends_the_job(void **state)
{
	const struct sim_ti_faults faults = {.status_code = BSL_SEND_DATA,
		.status_nth = UINT32_MAX,
		.status = BSL_STATUS_FLASH_FAILED};
	struct bsl_stand stand;
	uint8_t bytes[BLOCK];

	(void)state;
	bsl_begin_inside(&stand, "cc2652p", NULL, &faults);
	bsl_fill(bytes, sizeof(bytes), 7);
	assert_int_equal(bsl_erase_at(&stand, 0x2000), 0);
	assert_int_equal(
		stand.loader->ops->write(stand.loader, 0x2000, bytes, BLOCK), LOADER_REFUSED);
	assert_int_equal(bsl_count(&stand, BSL_SEND_DATA), 3);
	assert_non_null(strstr(stand.loader->ops->refusal(stand.loader), "0x44"));
	bsl_end(&stand);
}

static void ti_check_10_after_a_lost_acknowledgement_the_address_is_set_again(void **state)
{
	const struct sim_ti_faults faults = {.lose_code = BSL_SEND_DATA, .lose_nth = 2};
	struct bsl_stand stand;
	uint8_t bytes[4 * BLOCK], said[LOADER_DIGEST_MAX], got[BLOCK];

	(void)state;
	bsl_begin_inside(&stand, "cc2652p", NULL, &faults);
	bsl_fill(bytes, sizeof(bytes), 7);
	assert_int_equal(bsl_erase_at(&stand, 0x2000), 0);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(stand.loader->ops->write(stand.loader, 0x2000 + i * BLOCK,
					 bytes + i * BLOCK, BLOCK),
			0);
	assert_int_equal(bsl_count(&stand, BSL_DOWNLOAD), 2);
	assert_int_equal(bsl_count(&stand, BSL_SEND_DATA), 5);
	assert_memory_equal(sim_flash(stand.bench->sim) + 0x2000, bytes, sizeof(bytes));
	assert_int_equal(sim_flash(stand.bench->sim)[0x2000 + sizeof(bytes)], 0xFF);
	assert_int_equal(stand.loader->ops->digest(stand.loader, 0x2000, sizeof(bytes), said), 0);
	assert_int_equal(stand.loader->ops->read(stand.loader, 0x2000, got, BLOCK), 0);
	assert_memory_equal(got, bytes, BLOCK);
	bsl_end(&stand);
}

static void ti_check_11_a_packet_that_arrives_bent_is_repeated(void **state)
{
	static const uint8_t codes[] = {
		BSL_SEND_DATA, BSL_DOWNLOAD, BSL_SECTOR_ERASE, BSL_GET_STATUS, BSL_MEMORY_READ};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		const struct sim_ti_faults faults = {.nack_code = codes[i], .nack_nth = 1};
		struct bsl_stand stand;

		print_message("# 0x%02x\n", codes[i]);
		bsl_begin_inside(&stand, "cc2652p", NULL, &faults);
		write_one(&stand, 0x2000);
		bsl_end(&stand);
	}
}

static void ti_check_11_and_three_times_at_most(void **state)
{
	static const uint8_t packet[] = {0x07, 0x46, BSL_SECTOR_ERASE, 0, 0, 0x20, 0};
	const struct sim_ti_faults faults = {.nack_code = BSL_SECTOR_ERASE, .nack_nth = UINT32_MAX};
	struct bsl_stand stand;

	(void)state;
	bsl_begin_inside(&stand, "cc2652p", NULL, &faults);
	assert_int_equal(bsl_erase_at(&stand, 0x2000), LOADER_REFUSED);
	assert_int_equal(bsl_count_sent(packet, sizeof(packet)), 3);
	assert_non_null(strstr(stand.loader->ops->refusal(stand.loader), "checksum"));
	bsl_end(&stand);
}

/*
 * One byte of ours is bent, lost or doubled on its way, each in turn, while two blocks are written:
 * all of that is mended. Only where the size of a packet of data grows may bytes behind it be
 * programmed, and then the digest tells (ti-bsl.md 1: the checksum is of the data alone).
 */
static void ti_check_11_any_byte_of_ours_may_be_spoilt(void **state)
{
	enum { BENT, LOST, DOUBLED, N_KINDS };
	unsigned n_told = 0, n_failed = 0;

	(void)state;
	for (int kind = 0; kind < N_KINDS; kind++)
		for (uint64_t nth = 1; nth <= 2 * (BLOCK + 3) + 40; nth++) {
			struct sim_faults faults = {.flip_mask = 0x04};
			uint8_t bytes[2 * BLOCK], said[LOADER_DIGEST_MAX];
			struct bsl_stand stand;
			int r = 0;

			faults.flip_received = kind == BENT ? nth : 0;
			faults.drop_received = kind == LOST ? nth : 0;
			faults.double_received = kind == DOUBLED ? nth : 0;
			bsl_begin_inside(&stand, "cc2652p", NULL, NULL);
			bsl_fill(bytes, sizeof(bytes), 7);
			assert_int_equal(bsl_erase_at(&stand, 0x2000), 0);
			sim_set_faults(stand.bench->sim, &faults);
			for (uint32_t i = 0; i < 2 && r == 0; i++)
				r = stand.loader->ops->write(
					stand.loader, 0x2000 + i * BLOCK, bytes + i * BLOCK, BLOCK);
			sim_set_faults(stand.bench->sim, &(struct sim_faults){0});
			n_failed += r != 0;
			assert_true(r >= 0);
			assert_int_equal(stand.loader->ops->sync(stand.loader, false), 0);
			assert_int_equal(bsl_find(&stand), 0);
			assert_int_equal(stand.loader->ops->digest(
						 stand.loader, 0x2000, sizeof(bytes), said),
				0);
			if (r == 0 && bsl_word(said) != digest_crc32(bytes, sizeof(bytes)))
				n_told++;
			else if (r == 0)
				assert_memory_equal(
					sim_flash(stand.bench->sim) + 0x2000, bytes, sizeof(bytes));
			/* No other page. */
			assert_int_equal(bsl_count(&stand, BSL_SECTOR_ERASE), 1);
			assert_int_equal(bsl_count(&stand, BSL_BANK_ERASE), 0);
			bsl_end(&stand);
		}
	print_message("# %u told by the digest, %u failed\n", n_told, n_failed);
	assert_int_equal(n_failed, 0);
	/* In each of two packets of data: one bent, one lost and one doubled byte. */
	assert_int_equal(n_told, 6);
}

/* ------------------------------------------------------------------ questions */

static void crc_and_bytes_are_those_of_the_flash(void **state)
{
	uint8_t bytes[512], said[LOADER_DIGEST_MAX], got[BLOCK];
	struct bsl_stand stand;

	(void)state;
	bsl_begin_inside(&stand, "cc2652p", NULL, NULL);
	bsl_fill(bytes, sizeof(bytes), 3);
	memcpy(sim_flash(stand.bench->sim) + 0x4000, bytes, sizeof(bytes));
	/* The most significant byte is the first; the number is that of zlib for 16 times FF. */
	memset(sim_flash(stand.bench->sim) + 0x4400, 0xFF, 16);
	assert_int_equal(stand.loader->ops->digest(stand.loader, 0x4400, 16, said), 0);
	assert_memory_equal(said, ((uint8_t[]){0x3F, 0xB3, 0xC6, 0x1A}), 4);
	assert_int_equal(stand.loader->ops->digest(stand.loader, 0x4000, sizeof(bytes), said), 0);
	assert_int_equal(bsl_word(said), digest_crc32(bytes, sizeof(bytes)));
	for (uint32_t at = 0; at < 8; at++)
		for (uint32_t n = 1; n <= 13; n++) {
			assert_int_equal(
				stand.loader->ops->read(stand.loader, 0x4000 + at, got, n), 0);
			assert_memory_equal(got, bytes + at, n);
		}
	/* The chip has none of so few (ti-bsl.md 2). */
	assert_int_equal(
		stand.loader->ops->digest(stand.loader, 0x4000, 8, said), LOADER_UNSUPPORTED);
	bsl_end(&stand);
}

/* An address that is not there: refused with the reason, and the link stays in step. */
static void a_bad_address_is_refused_with_the_reason(void **state)
{
	struct bsl_stand stand;
	uint8_t got[4];

	(void)state;
	bsl_begin_inside(&stand, "cc2652p", NULL, NULL);
	assert_int_equal(stand.loader->ops->read(stand.loader, 0x90000000, got, 4), LOADER_REFUSED);
	assert_non_null(strstr(stand.loader->ops->refusal(stand.loader), "0x43"));
	write_one(&stand, 0x2000);
	bsl_end(&stand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fresh_loader_is_found_by_two_bytes),
		cmocka_unit_test(ti_check_06_a_loader_that_has_its_rate_is_found),
		cmocka_unit_test(ti_check_06_a_fresh_loader_is_found_in_the_same_way),
		cmocka_unit_test(ti_check_06_a_loader_in_the_middle_of_a_packet_is_let_out),
		cmocka_unit_test(ti_check_06_a_loader_that_waits_for_an_answer_is_let_out),
		cmocka_unit_test(a_dead_chip_is_given_up_soon),
		cmocka_unit_test(ti_check_07_zeros_are_passed_over),
		cmocka_unit_test(ti_check_07_an_acknowledgement_without_its_zero_is_one),
		cmocka_unit_test(ti_check_08_a_bent_packet_of_the_chip_is_asked_for_again),
		cmocka_unit_test(ti_check_08_a_chip_that_bends_all_is_given_up),
		cmocka_unit_test(ti_check_09_a_packet_that_fails_once_is_sent_again_as_it_is),
		cmocka_unit_test(ti_check_09_a_packet_that_fails_each_time_ends_the_job),
		cmocka_unit_test(ti_check_10_after_a_lost_acknowledgement_the_address_is_set_again),
		cmocka_unit_test(ti_check_11_a_packet_that_arrives_bent_is_repeated),
		cmocka_unit_test(ti_check_11_and_three_times_at_most),
		cmocka_unit_test(ti_check_11_any_byte_of_ours_may_be_spoilt),
		cmocka_unit_test(crc_and_bytes_are_those_of_the_flash),
		cmocka_unit_test(a_bad_address_is_refused_with_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
