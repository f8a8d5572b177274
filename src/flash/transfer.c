/* SPDX-License-Identifier: MIT */
#include "flash/transfer.h"

#include <string.h>

#include "chip/family.h"
#include "loader/steady.h"

/* Between the first and the last: with them 2.5 KiB, a third of a second at 115200 baud. */
#define FINGERPRINT_BLOCKS 8

enum outcome transfer_report_difference(
	struct run *run, uint32_t address, const uint8_t *expected, const uint8_t *got, size_t n)
{
	struct report *report = run->report;
	size_t i = 0;

	while (i + 1 < n && expected[i] == got[i])
		i++;
	report->has_address = true;
	report->address = address + (uint32_t)i;
	report->expected = expected[i];
	report->got = got[i];
	return run_fail(run, OUTCOME_VERIFY_DIFFERS,
		"the flash at 0x%08x holds 0x%02x, the image 0x%02x", report->address, got[i],
		expected[i]);
}

/* Nobody knows what it is to be; the rest is compared all the same. */
static void pass_over_unit_data(const struct run *run, const struct plan_block *block,
	uint8_t *expected, const uint8_t *got)
{
	const struct provision *serialize = &run->job->board->serialize;

	for (uint32_t i = 0; i < block->size; i++)
		if (block->address + i >= serialize->address &&
			block->address + i - serialize->address < serialize->size)
			expected[i] = got[i];
}

static uint8_t erased_value(const struct run *run)
{
	return chip_erased_byte(run->identity.chip);
}

/*
 * Bytes between two segments are written as 0xFF where one frame holds both, and stay erased where
 * none does.
 */
static void take_erased_gaps(const struct run *run, const struct plan_block *block,
	uint8_t *expected, const uint8_t *got)
{
	for (uint32_t i = 0; i < block->size; i++)
		if (expected[i] == 0xFF && got[i] == erased_value(run) &&
			!image_touches(run->job->image, block->address + i, 1))
			expected[i] = got[i];
}

struct reading {
	struct run *run;
	const struct plan_block *block;
};

static int ask_block(void *userdata, void *to)
{
	const struct reading *reading = userdata;

	return reading->run->loader->ops->read(
		reading->run->loader, reading->block->address, to, reading->block->size);
}

/* Fills `expected` and `got`; 0 also where they differ. */
static int read_block(struct run *run, const struct plan_block *block, uint8_t *expected,
	uint8_t *got, bool is_steady)
{
	struct reading reading = {run, block};
	int r = is_steady ? steady_read(ask_block, &reading, got, block->size)
			  : ask_block(&reading, got);

	image_copy(run->job->image, block->address, expected, block->size);
	if (r == 0 && !run->has_unit_data)
		pass_over_unit_data(run, block, expected, got);
	if (r == 0)
		take_erased_gaps(run, block, expected, got);
	return r;
}

/*
 * GO_ON where the block is equal. A difference decides an erase, or fails the unit: it is believed
 * once the block was read twice the same. Equal bytes need no second look.
 */
static enum outcome compare_block(struct run *run, const struct plan_block *block)
{
	uint8_t expected[256], got[256];
	enum outcome outcome = run_check_budget(run);
	int r;

	if (outcome == GO_ON)
		outcome = run_check_cancelled(run);
	if (outcome != GO_ON)
		return outcome;
	r = read_block(run, block, expected, got, false);
	if (r == 0 && memcmp(expected, got, block->size) != 0)
		r = read_block(run, block, expected, got, true);
	if (r != 0)
		return run_fail_with(run, r, block->address);
	if (memcmp(expected, got, block->size) != 0)
		return transfer_report_difference(run, block->address, expected, got, block->size);
	return GO_ON;
}

static bool next_block(struct run *run, uint64_t *cursor, uint64_t end, struct plan_block *ret)
{
	return plan_next_block(run->job->image, run->identity.chip->write_align,
		run->loader->ops->block_size, cursor, end, ret);
}

enum outcome transfer_compare(struct run *run, uint64_t from, uint64_t end, uint64_t *done)
{
	uint64_t total = image_bytes(run->job->image);
	uint64_t cursor = from;
	struct plan_block block;

	while (next_block(run, &cursor, end, &block)) {
		enum outcome outcome = compare_block(run, &block);

		if (outcome != GO_ON)
			return outcome;
		*done += block.n_image;
		run_tell_progress(run, *done < total ? *done : total, total);
	}
	return GO_ON;
}

/* xorshift64: the blocks only have to be others each time. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

enum outcome transfer_fingerprint(struct run *run, uint64_t seed, uint64_t *done)
{
	uint64_t end = run_image_end(run), cursor = run_image_start(run);
	uint64_t random = seed ? seed : 1;
	struct plan_block block;
	size_t n_blocks = 0, n_chosen = 0;

	while (next_block(run, &cursor, end, &block))
		n_blocks++;
	cursor = run_image_start(run);
	for (size_t i = 0; next_block(run, &cursor, end, &block); i++) {
		size_t n_left = n_blocks - i - 1; /* the last one is taken without chance */
		bool is_edge = i == 0 || n_left == 0;
		enum outcome outcome;

		if (!is_edge && next_random(&random) % n_left >= FINGERPRINT_BLOCKS - n_chosen)
			continue;
		n_chosen += !is_edge;
		outcome = compare_block(run, &block);
		if (outcome != GO_ON)
			return outcome;
		*done += block.n_image;
		run_tell_progress(run, n_chosen, FINGERPRINT_BLOCKS);
	}
	return GO_ON;
}

/*
 * An erase of write-protected flash is acknowledged and does nothing (AN3155 3.7, 3.8): seen now,
 * it costs one block; seen by the verification, the whole transfer.
 */
enum outcome transfer_check_blank(struct run *run)
{
	struct plan_block block;
	uint64_t cursor = run_image_start(run);
	uint8_t bytes[256];
	int r;

	if (!plan_next_block(run->job->image, run->identity.chip->write_align,
		    run->loader->ops->block_size, &cursor, run_image_end(run), &block))
		return GO_ON;
	r = run->loader->ops->read(run->loader, block.address, bytes, block.size);
	if (r != 0)
		return run_fail_with(run, r, block.address);
	for (uint32_t i = 0; i < block.size; i++)
		if (bytes[i] != erased_value(run)) {
			run->report->has_address = true;
			run->report->address = block.address + i;
			run->report->expected = erased_value(run);
			run->report->got = bytes[i];
			return run_fail(run, OUTCOME_ERASE_FAILED,
				"the chip acknowledged the erase, and 0x%08x still holds "
				"0x%02x: "
				"is the flash write-protected?",
				run->report->address, bytes[i]);
		}
	return GO_ON;
}

enum outcome transfer_read(struct run *run, uint32_t address, uint8_t *to, uint32_t size)
{
	for (uint32_t done = 0; done < size;) {
		uint32_t n = size - done < run->loader->ops->block_size
				     ? size - done
				     : run->loader->ops->block_size;
		enum outcome outcome = run_check_budget(run);
		int r;

		if (outcome == GO_ON)
			outcome = run_check_cancelled(run);
		if (outcome != GO_ON)
			return outcome;
		r = run->loader->ops->read(run->loader, address + done, to + done, n);
		if (r != 0)
			return run_fail_with(run, r, address + done);
		done += n;
		run_tell_progress(run, done, size);
	}
	return GO_ON;
}
