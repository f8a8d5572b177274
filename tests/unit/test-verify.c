/* SPDX-License-Identifier: MIT */
/*
 * test-verify.c - comparing by reading and by digest, with chips that are arrays: what is compared,
 * how a difference is narrowed down, and what is made of answers that are bent or lies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chip/family.h"
#include "flash/verify.h"
#include "image/digest.h"
#include "loader/loader.h"
#include "rows.h"

#define START	    0x08000000U
#define FLASH_BYTES (256U * 1024)
#define PAGE	    4096U
#define ALIGN	    8U

static uint8_t erased = 0xFF;

static uint8_t toy_erased_byte(const struct chip *chip)
{
	(void)chip;
	return erased;
}

static const struct family family = {.erased_byte = toy_erased_byte};

static const struct chip chip = {
	.family = &family,
	.name = (char *)"toy",
	.flash = {START, FLASH_BYTES},
	.pages = {{{PAGE, 0, 0}}, 1},
	.write_align = ALIGN,
};

/* A chip that is an array, and what is wrong with it. */
struct toy {
	struct loader base;
	struct loader_ops ops;
	uint8_t flash[FLASH_BYTES];
	unsigned n_reads, n_digests;
	uint64_t n_bytes;	/* read, or under a digest */
	unsigned bent;		/* this answer, from 1 on; 0: none */
	bool is_noisy;		/* every answer is another one */
	uint32_t lies_from;	/* of digests over so many bytes or more; 0: of none */
	uint32_t seen_from[64]; /* addresses of reads */
};

/* One at a time, as there is one bench a test. */
static struct {
	struct toy toy;
	struct image image;
	struct board board;
	struct flash_job job;
	struct report report;
	struct run run;
	uint64_t done;
} bench;

static struct toy *toy_of(struct loader *loader)
{
	return (struct toy *)((char *)loader - offsetof(struct toy, base));
}

static bool is_in_flash(uint32_t address, size_t n)
{
	return address >= START && n <= FLASH_BYTES && address - START <= FLASH_BYTES - n;
}

static void bend(struct toy *toy, uint8_t *answer, size_t n)
{
	unsigned n_answers = toy->n_reads + toy->n_digests;

	if (toy->bent == n_answers)
		answer[n / 2] ^= 0x10;
	if (toy->is_noisy)
		answer[0] = (uint8_t)(answer[0] + n_answers);
}

static int toy_read(struct loader *loader, uint32_t address, uint8_t *to, size_t n_to)
{
	struct toy *toy = toy_of(loader);

	assert_true(n_to >= 1 && n_to <= loader->ops->block_size && is_in_flash(address, n_to));
	if (toy->n_reads < ARRAY_SIZE(toy->seen_from))
		toy->seen_from[toy->n_reads] = address;
	toy->n_reads++;
	toy->n_bytes += n_to;
	memcpy(to, toy->flash + (address - START), n_to);
	bend(toy, to, n_to);
	return 0;
}

static int toy_digest(struct loader *loader, uint32_t address, uint32_t size,
	uint8_t ret[static LOADER_DIGEST_MAX])
{
	struct toy *toy = toy_of(loader);
	const uint8_t *from = toy->flash + (address - START);
	char sha256[DIGEST_HEX_SIZE];
	uint32_t crc;

	assert_true(size >= ALIGN && size % ALIGN == 0 && address % ALIGN == 0);
	assert_true(is_in_flash(address, size));
	toy->n_digests++;
	toy->n_bytes += size;
	if (loader->ops->digest_kind == LOADER_DIGEST_SHA256) {
		digest_sha256(from, size, sha256);
		for (size_t i = 0; i < DIGEST_SIZE; i++)
			ret[i] = (uint8_t)strtoul(
				(char[]){sha256[2 * i], sha256[2 * i + 1], '\0'}, NULL, 16);
	} else {
		crc = digest_crc32(from, size);
		for (int i = 0; i < 4; i++)
			ret[i] = (uint8_t)(crc >> (24 - 8 * i));
	}
	bend(toy, ret, 4);
	if (toy->lies_from > 0 && size >= toy->lies_from)
		ret[0] ^= 0xFF;
	return 0;
}

enum means { READS = 1, DIGESTS = 2, BOTH = READS | DIGESTS };

static uint8_t byte_at(uint32_t address)
{
	return (uint8_t)(address * 7 + (address >> 8) * 13 + 1);
}

static void add_segment(uint32_t offset, uint32_t size)
{
	static uint8_t bytes[FLASH_BYTES];
	struct reason reason;

	for (uint32_t i = 0; i < size; i++)
		bytes[i] = byte_at(START + offset + i);
	assert_int_equal(
		image_add(&bench.image, START + offset, bytes, size, FLASH_BYTES, &reason), 0);
	memcpy(bench.toy.flash + offset, bytes, size);
}

/* A chip with these means whose erased flash holds what will be added to the image. */
static void begin(enum means means, uint32_t block_size)
{
	image_done(&bench.image);
	memset(&bench, 0, sizeof(bench));
	memset(bench.toy.flash, 0xFF, FLASH_BYTES);
	bench.toy.ops = (struct loader_ops){
		.block_size = block_size,
		.read = means & READS ? toy_read : NULL,
		.digest = means & DIGESTS ? toy_digest : NULL,
		.digest_kind = means & DIGESTS ? LOADER_DIGEST_CRC32 : LOADER_DIGEST_NONE,
	};
	bench.toy.base.ops = &bench.toy.ops;
	bench.board.verify = means & DIGESTS ? PROOF_DIGEST : PROOF_READ_BACK;
	bench.job = (struct flash_job){.board = &bench.board, .image = &bench.image, .seed = 1};
	bench.report.phase = PHASE_VERIFY;
	bench.run = (struct run){
		.job = &bench.job,
		.report = &bench.report,
		.loader = &bench.toy.base,
		.identity = {.chip = &chip, .flash_bytes = FLASH_BYTES},
		.deadline = UINT64_MAX,
	};
}

static enum outcome verify(enum verify_expected expected)
{
	bench.done = 0;
	bench.toy.n_reads = bench.toy.n_digests = 0;
	bench.toy.n_bytes = 0;
	bench.report.has_address = bench.report.has_got = false;
	return verify_range(&bench.run, expected, run_image_start(&bench.run),
		run_image_end(&bench.run), &bench.done);
}

/* ------------------------------------------------------------------ what is compared */

struct compare_row {
	const char *name;
	enum means means;
	uint32_t block_size;
	uint32_t segments[3][2]; /* offset and size */
	uint32_t wrong;		 /* this byte of the flash is; FLASH_BYTES: none */
	bool is_seen;
};

static const struct compare_row compare_rows[] = {
	{"read: equal", READS, 256, {{0, 10000}}, FLASH_BYTES, false},
	{"read: the first byte", READS, 256, {{0, 10000}}, 0, true},
	{"read: the last byte", READS, 256, {{0, 10000}}, 9999, true},
	{"read: byte by byte", READS, 8, {{8, 100}}, 77, true},
	{"read: in blocks of 16 KiB", READS, LOADER_BLOCK_MAX, {{0, 100000}}, 77777, true},
	{"read: a gap in a block", READS, 256, {{0, 10}, {100, 10}}, 50, true},
	{"read: a gap between blocks", READS, 256, {{0, 10}, {1000, 10}}, 500, false},
	{"read: a page between two others", READS, LOADER_BLOCK_MAX, {{0, 10}, {3 * PAGE, 10}},
		2 * PAGE, false},
	{"read: behind the image", READS, 256, {{0, 1000}}, 1000, false},
	{"digest: equal", DIGESTS, 256, {{0, 10000}}, FLASH_BYTES, false},
	{"digest: the first byte", DIGESTS, 256, {{0, 10000}}, 0, true},
	{"digest: the last byte", DIGESTS, 256, {{0, 10000}}, 9999, true},
	{"digest: of more than one piece", DIGESTS, 1024, {{0, FLASH_BYTES}}, 200001, true},
	{"digest: a gap in a block", DIGESTS, 256, {{0, 10}, {100, 10}}, 50, true},
	{"digest: a gap between blocks", DIGESTS, 256, {{0, 10}, {1000, 10}}, 500, false},
	{"digest: a page between two others", DIGESTS, LOADER_BLOCK_MAX, {{0, 10}, {3 * PAGE, 10}},
		2 * PAGE, false},
	{"digest: behind the image", DIGESTS, 256, {{0, 1000}}, 1000, false},
	{"both: the byte is read", BOTH, 256, {{0, 10000}}, 5003, true},
};

static void a_difference_is_found_where_the_image_is(void **state)
{
	const struct compare_row *row = *state;
	bool has_got = row->means & READS;
	uint8_t expected;

	begin(row->means, row->block_size);
	for (size_t i = 0; i < ARRAY_SIZE(row->segments) && row->segments[i][1] > 0; i++)
		add_segment(row->segments[i][0], row->segments[i][1]);
	if (row->wrong < FLASH_BYTES)
		bench.toy.flash[row->wrong] ^= 0x40;
	if (!row->is_seen) {
		assert_int_equal(verify(VERIFY_IMAGE), GO_ON);
		assert_int_equal(bench.done, image_bytes(&bench.image));
		assert_false(bench.report.has_address);
		return;
	}
	assert_int_equal(verify(VERIFY_IMAGE), OUTCOME_VERIFY_DIFFERS);
	assert_true(bench.report.has_address);
	assert_int_equal(bench.report.has_got, has_got);
	/* Of a digest the least unit is known, of bytes the byte. */
	assert_int_equal(
		bench.report.address, START + (has_got ? row->wrong : row->wrong / ALIGN * ALIGN));
	expected = image_byte(&bench.image, bench.report.address);
	assert_int_equal(bench.report.expected, expected);
	if (has_got)
		assert_int_equal(bench.report.got, expected ^ 0x40);
}

static void a_digest_is_halved_down_to_its_least_unit(void **state)
{
	unsigned most = 0;

	(void)state;
	for (uint32_t wrong = 0; wrong < 64 * 1024; wrong += 997) {
		begin(DIGESTS, 1024);
		add_segment(0, 64 * 1024);
		bench.toy.flash[wrong] ^= 1;
		/* A second difference behind it is not the first. */
		bench.toy.flash[64 * 1024 - 1] ^= 1;
		assert_int_equal(verify(VERIFY_IMAGE), OUTCOME_VERIFY_DIFFERS);
		assert_int_equal(bench.report.address, START + wrong / ALIGN * ALIGN);
		most = bench.toy.n_digests > most ? bench.toy.n_digests : most;
	}
	/* The whole, 13 times half of 8192 units, and the last one once more. */
	assert_int_equal(most, 1 + 13 + 1);
}

static void both_kinds_of_digest_are_known(void **state)
{
	(void)state;
	begin(DIGESTS, 256);
	bench.toy.ops.digest_kind = LOADER_DIGEST_SHA256;
	add_segment(0, 5000);
	assert_int_equal(verify(VERIFY_IMAGE), GO_ON);
	assert_int_equal(bench.toy.n_digests, 1);
	bench.toy.flash[4000] ^= 1;
	assert_int_equal(verify(VERIFY_IMAGE), OUTCOME_VERIFY_DIFFERS);
	assert_int_equal(bench.report.address, START + 4000);
}

/* ------------------------------------------------------------------ bent answers, and lies */

static void a_bent_answer_is_no_difference(void **state)
{
	(void)state;
	for (unsigned bent = 1; bent <= 4; bent++) {
		begin(READS, 256);
		add_segment(0, 1024);
		bench.toy.bent = bent;
		assert_int_equal(verify(VERIFY_IMAGE), GO_ON);
		assert_int_equal(bench.toy.n_reads, 4 + 2);
	}
	begin(READS, LOADER_BLOCK_MAX);
	add_segment(0, 2 * PAGE);
	bench.toy.bent = 1;
	assert_int_equal(verify(VERIFY_IMAGE), GO_ON);
	begin(DIGESTS, 256);
	add_segment(0, 1024);
	bench.toy.bent = 1;
	assert_int_equal(verify(VERIFY_IMAGE), GO_ON);
	/* Bent on the way to an address that is wrong indeed. */
	for (unsigned bent = 1; bent <= 9; bent++) {
		begin(DIGESTS, 256);
		add_segment(0, 1024);
		bench.toy.flash[600] ^= 1;
		bench.toy.bent = bent;
		assert_int_equal(verify(VERIFY_IMAGE), OUTCOME_VERIFY_DIFFERS);
		assert_int_equal(bench.report.address, START + 600);
	}
}

static void noise_makes_a_comparison_impossible(void **state)
{
	(void)state;
	begin(READS, 256);
	add_segment(0, 1024);
	bench.toy.is_noisy = true;
	assert_int_equal(verify(VERIFY_IMAGE), OUTCOME_VERIFY_IMPOSSIBLE);
}

static void a_chip_whose_digest_lies_is_not_believed(void **state)
{
	(void)state;
	/* Of the whole, and of none of its parts. */
	begin(DIGESTS, 256);
	add_segment(0, 1024);
	bench.toy.lies_from = 1024;
	assert_int_equal(verify(VERIFY_IMAGE), OUTCOME_VERIFY_IMPOSSIBLE);
	/* Of everything, and the bytes can be read. */
	begin(BOTH, 256);
	add_segment(0, 1024);
	bench.toy.lies_from = 1;
	assert_int_equal(verify(VERIFY_IMAGE), OUTCOME_VERIFY_IMPOSSIBLE);
	assert_false(bench.report.has_got);
	/* Nobody else can be asked: then it differs. */
	begin(DIGESTS, 256);
	add_segment(0, 1024);
	bench.toy.lies_from = 1;
	assert_int_equal(verify(VERIFY_IMAGE), OUTCOME_VERIFY_DIFFERS);
}

/* ------------------------------------------------------------------ the unit's own data */

struct cut_row {
	const char *name;
	enum means means;
	uint32_t address, size; /* of the data, as offset */
	uint32_t wrong;
	bool is_known, is_seen;
};

static const struct cut_row cut_rows[] = {
	{"read: data that nobody knows", READS, 513, 6, 515, false, false},
	{"read: beside them", READS, 513, 6, 512, false, true},
	{"read: data that are known", READS, 513, 6, 515, true, true},
	{"digest: data that nobody knows", DIGESTS, 513, 6, 515, false, false},
	{"digest: in the same unit as they", DIGESTS, 513, 6, 512, false, false},
	{"digest: before them", DIGESTS, 513, 6, 511, false, true},
	{"digest: behind them", DIGESTS, 513, 6, 520, false, true},
	{"digest: data that are known", DIGESTS, 513, 6, 515, true, true},
	{"digest: data at the start", DIGESTS, 0, 16, 3, false, false},
	{"digest: data at the end", DIGESTS, 1008, 16, 1020, false, false},
	{"digest: data that are all there is", DIGESTS, 0, 1024, 400, false, false},
};

static void data_that_nobody_knows_are_passed_over(void **state)
{
	const struct cut_row *row = *state;

	begin(row->means, 256);
	add_segment(0, 1024);
	bench.board.serialize.form = PROVISION_NONE + 1;
	bench.board.serialize.address = START + row->address;
	bench.board.serialize.size = row->size;
	bench.run.has_unit_data = row->is_known;
	bench.toy.flash[row->wrong] ^= 1;
	assert_int_equal(verify(VERIFY_IMAGE), row->is_seen ? OUTCOME_VERIFY_DIFFERS : GO_ON);
}

/* ------------------------------------------------------------------ erased flash, samples, means
 */

static void erased_flash_is_told_from_other(void **state)
{
	static const enum means means[] = {READS, DIGESTS};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(means); i++) {
		begin(means[i], 256);
		add_segment(16, 1024);
		/* Nor is there anything that nobody knows in erased flash. */
		bench.board.serialize.form = PROVISION_NONE + 1;
		bench.board.serialize.address = START + 40;
		bench.board.serialize.size = 8;
		memset(bench.toy.flash, 0xFF, FLASH_BYTES);
		bench.toy.flash[0] = 0;
		assert_int_equal(verify(VERIFY_ERASED), GO_ON);
		assert_int_equal(bench.done, 0);
		assert_int_equal(bench.toy.n_reads + bench.toy.n_digests, 1);
		bench.toy.flash[40] = 0xFE;
		assert_int_equal(verify(VERIFY_ERASED), OUTCOME_ERASE_FAILED);
		assert_int_equal(bench.report.address, START + 40);
		assert_int_equal(bench.report.expected, 0xFF);
		assert_int_equal(bench.report.has_got, means[i] == READS);
	}
}

/* Written as 0xFF by one frame, or left erased by two: both are right. */
static void a_gap_may_be_erased_to_zero(void **state)
{
	(void)state;
	begin(READS, 256);
	add_segment(0, 10);
	add_segment(100, 10);
	bench.toy.flash[50] = 0x00;
	assert_int_equal(verify(VERIFY_IMAGE), OUTCOME_VERIFY_DIFFERS);
	erased = 0x00;
	assert_int_equal(verify(VERIFY_IMAGE), GO_ON);
	bench.toy.flash[50] = 0x01;
	assert_int_equal(verify(VERIFY_IMAGE), OUTCOME_VERIFY_DIFFERS);
	erased = 0xFF;
}

static void a_sample_has_the_edges_and_costs_little(void **state)
{
	(void)state;
	begin(READS, 256);
	add_segment(0, 100 * 256);
	assert_int_equal(verify(VERIFY_SAMPLE), GO_ON);
	assert_int_equal(bench.toy.n_reads, 10);
	assert_int_equal(bench.toy.seen_from[0], START);
	assert_int_equal(bench.toy.seen_from[9], START + 99 * 256);
	bench.toy.flash[99 * 256] ^= 1;
	assert_int_equal(verify(VERIFY_SAMPLE), OUTCOME_VERIFY_DIFFERS);
	/* By digest all of it costs one question. */
	begin(DIGESTS, 256);
	add_segment(0, 100 * 256);
	assert_int_equal(verify(VERIFY_SAMPLE), GO_ON);
	assert_int_equal(bench.toy.n_digests, 1);
	assert_int_equal(bench.toy.n_bytes, 100 * 256);
}

static void the_rule_and_the_loader_choose_the_proof(void **state)
{
	static const struct {
		enum means means;
		enum proof wanted, proof;
	} rows[] = {
		{READS, PROOF_READ_BACK, PROOF_READ_BACK},
		{READS, PROOF_DIGEST, PROOF_READ_BACK},
		{DIGESTS, PROOF_DIGEST, PROOF_DIGEST},
		{BOTH, PROOF_READ_BACK, PROOF_READ_BACK},
		{BOTH, PROOF_DIGEST, PROOF_DIGEST},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin(rows[i].means, 256);
		add_segment(0, 1024);
		bench.board.verify = rows[i].wanted;
		assert_int_equal(verify_proof(&bench.run), rows[i].proof);
		assert_int_equal(verify(VERIFY_IMAGE), GO_ON);
		assert_int_equal(bench.toy.n_digests > 0, rows[i].proof == PROOF_DIGEST);
		assert_int_equal(bench.toy.n_reads > 0, rows[i].proof == PROOF_READ_BACK);
	}
}

static void few_bytes_are_compared_steadily(void **state)
{
	static const uint8_t wanted[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	bool is_equal;

	(void)state;
	begin(READS, 256);
	memcpy(bench.toy.flash, wanted, sizeof(wanted));
	bench.toy.bent = 1;
	assert_int_equal(verify_bytes(&bench.run, START, wanted, sizeof(wanted), &is_equal), 0);
	assert_true(is_equal);
	assert_int_equal(bench.toy.n_reads, 3);
	bench.toy.flash[7] = 0;
	assert_int_equal(verify_bytes(&bench.run, START, wanted, sizeof(wanted), &is_equal), 0);
	assert_false(is_equal);
}

int main(void)
{
	struct CMUnitTest tests[64];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, compare_rows, a_difference_is_found_where_the_image_is);
	ADD_TEST(tests, n_tests, a_digest_is_halved_down_to_its_least_unit);
	ADD_TEST(tests, n_tests, both_kinds_of_digest_are_known);
	ADD_TEST(tests, n_tests, a_bent_answer_is_no_difference);
	ADD_TEST(tests, n_tests, noise_makes_a_comparison_impossible);
	ADD_TEST(tests, n_tests, a_chip_whose_digest_lies_is_not_believed);
	ADD_ROWS(tests, n_tests, cut_rows, data_that_nobody_knows_are_passed_over);
	ADD_TEST(tests, n_tests, erased_flash_is_told_from_other);
	ADD_TEST(tests, n_tests, a_gap_may_be_erased_to_zero);
	ADD_TEST(tests, n_tests, a_sample_has_the_edges_and_costs_little);
	ADD_TEST(tests, n_tests, the_rule_and_the_loader_choose_the_proof);
	ADD_TEST(tests, n_tests, few_bytes_are_compared_steadily);
	return RUN_TESTS("verify", tests, n_tests);
}
