/* SPDX-License-Identifier: MIT */
/*
 * verify.c - compares flash and image, by reading or by digest.
 *
 * The image is cut into pieces. Read back, a piece is one block of the loader; by digest it is a
 * run of blocks without a gap between them, and where its digest differs it is halved until an
 * address is known. The two have one rule in common: equal is believed at once, different only when
 * it was seen twice. Answers of a boot loader have no checksum; a bent bit cannot make wrong bytes
 * right, but right ones wrong, and a difference erases a unit or fails it.
 */
#include "flash/verify.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "chip/family.h"
#include "image/digest.h"
#include "loader/steady.h"

/* Between the first and the last: with them 2.5 KiB, a third of a second at 115200 baud. */
#define SAMPLE_BLOCKS 8

/* In one digest: so that progress is told, and a job can be cancelled, a few times a second. */
#define DIGEST_BYTES (4 * LOADER_BLOCK_MAX)

/* Times that a piece is asked for where its digest differs and no part of it does. */
#define DIGEST_TRIES 3

enum proof verify_proof(const struct run *run)
{
	const struct loader_ops *ops = run->loader->ops;
	enum proof proof = ops->digest_kind == LOADER_DIGEST_SUMS ? PROOF_SUMS : PROOF_DIGEST;

	if (run->identity.proves_nothing)
		return PROOF_NONE;
	return ops->digest && (run->job->board->verify <= proof || !ops->read) ? proof
									       : PROOF_READ_BACK;
}

static bool is_by_digest(enum proof proof)
{
	return proof == PROOF_DIGEST || proof == PROOF_SUMS;
}

/* ------------------------------------------------------------------ a difference */

/* A part of the flash and what is expected there, `size` bytes. */
struct piece {
	uint32_t address, size;
	uint32_t n_image; /* of them are the image's own */
	enum verify_expected expected_of;
	uint8_t *expected;
};

/* The name of the field that the byte belongs to; NULL: none. */
static const char *name_byte(const struct run *run, uint32_t address)
{
	const struct chip *chip = run->identity.chip;

	return chip_starts_by_record(chip) && run->job->image
		       ? chip->family->name_byte(chip, run->job->image, address)
		       : NULL;
}

/* The byte `i` is wrong, or with `got` NULL a byte of the piece, by a digest that nobody can read.
 */
static enum outcome fail_piece(
	struct run *run, const struct piece *piece, size_t i, const uint8_t *got)
{
	struct report *report = run->report;
	bool is_erased = piece->expected_of == VERIFY_ERASED;
	const char *name = name_byte(run, piece->address + (uint32_t)i);

	report->has_address = true;
	report->has_got = got != NULL;
	report->address = piece->address + (uint32_t)i;
	report->expected = piece->expected[i];
	report->got = got ? got[i] : 0;
	if (is_erased && got)
		return run_fail(run, OUTCOME_ERASE_FAILED,
			"the chip acknowledged the erase, and 0x%08x still holds 0x%02x: is the flash write-protected?",
			report->address, got[i]);
	if (is_erased)
		return run_fail(run, OUTCOME_ERASE_FAILED,
			"the chip acknowledged the erase, and its digest of the flash at 0x%08x is not that of erased flash: is the flash write-protected?",
			report->address);
	if (got && name)
		return run_fail(run, OUTCOME_VERIFY_DIFFERS,
			"%s at 0x%08x: the chip has 0x%02x, and the image 0x%02x", name,
			report->address, got[i], piece->expected[i]);
	if (got)
		return run_fail(run, OUTCOME_VERIFY_DIFFERS,
			"the flash at 0x%08x holds 0x%02x, the image 0x%02x", report->address,
			got[i], piece->expected[i]);
	return run_fail(run, OUTCOME_VERIFY_DIFFERS,
		"the chip's digest of %u bytes at 0x%08x is not that of the image, which begins there with 0x%02x",
		piece->size, report->address, piece->expected[i]);
}

enum outcome verify_report_difference(
	struct run *run, uint32_t address, uint8_t *expected, const uint8_t *got, size_t n)
{
	const struct piece piece = {.address = address, .expected = expected};
	size_t i = 0;

	while (i + 1 < n && expected[i] == got[i])
		i++;
	return fail_piece(run, &piece, i, got);
}

/* ------------------------------------------------------------------ by reading */

/* The unit's own data, of which nobody has said what they are. */
static struct chip_range unknown_range(const struct run *run)
{
	const struct provision *serialize = &run->job->board->serialize;

	if (serialize->form == PROVISION_NONE || run->has_unit_data)
		return (struct chip_range){0};
	return (struct chip_range){serialize->address, serialize->size};
}

/*
 * The first byte of the piece that is wrong; its size where none is. Any byte is right where nobody
 * knows the unit's own data. Bytes between two segments are written as 0xFF where one frame holds
 * both, and stay erased where none does: both are right.
 */
static size_t find_wrong(const struct run *run, const struct piece *piece, const uint8_t *got)
{
	const struct chip_range unknown = unknown_range(run);
	uint8_t erased = chip_erased_byte(run->identity.chip);

	for (size_t i = 0; i < piece->size; i++) {
		uint32_t address = piece->address + (uint32_t)i;

		if (got[i] == piece->expected[i])
			continue;
		if (piece->expected_of == VERIFY_ERASED)
			return i;
		if (address >= unknown.start && address - unknown.start < unknown.size)
			continue;
		if (piece->expected[i] != 0xFF || got[i] != erased ||
			image_touches(run->job->image, address, 1))
			return i;
	}
	return piece->size;
}

struct reading {
	struct run *run;
	uint32_t address;
	size_t n;
};

static int ask_bytes(void *userdata, void *to)
{
	const struct reading *reading = userdata;
	struct loader *loader = reading->run->loader;

	return loader->ops->read(loader, reading->address, to, reading->n);
}

int verify_read(struct run *run, uint32_t address, uint8_t *to, size_t n)
{
	return steady_read(ask_bytes, &(struct reading){run, address, n}, to, n);
}

int verify_bytes(
	struct run *run, uint32_t address, const uint8_t *expected, size_t n, bool *ret_is_equal)
{
	uint8_t got[LOADER_BLOCK_MAX];
	int r = n > sizeof(got) ? -EINVAL : ask_bytes(&(struct reading){run, address, n}, got);

	if (r == 0 && memcmp(expected, got, n) != 0)
		r = verify_read(run, address, got, n);
	if (r == 0)
		*ret_is_equal = memcmp(expected, got, n) == 0;
	return r;
}

/* GO_ON where the piece, one block at most, is equal. */
static enum outcome read_piece(struct run *run, const struct piece *piece)
{
	uint8_t got[LOADER_BLOCK_MAX];
	int r = ask_bytes(&(struct reading){run, piece->address, piece->size}, got);
	size_t i;

	if (r == 0 && find_wrong(run, piece, got) < piece->size) {
		r = verify_read(run, piece->address, got, piece->size);
		i = r == 0 ? find_wrong(run, piece, got) : piece->size;
		if (i < piece->size)
			return fail_piece(run, piece, i, got);
	}
	return r == 0 ? GO_ON : run_fail_with(run, r, piece->address);
}

/* ------------------------------------------------------------------ by digest */

bool verify_is_digest(enum loader_digest kind, const uint8_t *expected, uint32_t size,
	const uint8_t said[static LOADER_DIGEST_MAX])
{
	uint8_t md5[DIGEST_MD5_SIZE], sums[DIGEST_SUMS_SIZE];
	char sha256[DIGEST_HEX_SIZE];

	switch (kind) {
	case LOADER_DIGEST_CRC32:
		return digest_crc32(expected, size) ==
		       ((uint32_t)said[0] << 24 | (uint32_t)said[1] << 16 | (uint32_t)said[2] << 8 |
			       said[3]);
	case LOADER_DIGEST_SHA256:
		digest_sha256(expected, size, sha256);
		return digest_is(sha256, said);
	case LOADER_DIGEST_MD5:
		digest_md5(expected, size, md5);
		return memcmp(md5, said, sizeof(md5)) == 0;
	case LOADER_DIGEST_SUMS:
		digest_sums(expected, size, sums);
		return memcmp(sums, said, sizeof(sums)) == 0;
	case LOADER_DIGEST_NONE:
		break;
	}
	return false;
}

int verify_digest(struct run *run, uint32_t address, const uint8_t *expected, uint32_t size,
	uint8_t said[static LOADER_DIGEST_MAX], bool *ret_is_equal)
{
	struct loader *loader = run->loader;
	int r = loader->ops->digest(loader, address, size, said);

	if (r == 0)
		*ret_is_equal = verify_is_digest(loader->ops->digest_kind, expected, size, said);
	return r;
}

static int ask_digest(struct run *run, const struct piece *piece, bool *ret_is_equal)
{
	uint8_t said[LOADER_DIGEST_MAX] = {0};

	return verify_digest(run, piece->address, piece->expected, piece->size, said, ret_is_equal);
}

/*
 * The first half of a piece, down to the least that is asked for. 0: it has none that a digest can
 * be computed of and whose other half has one.
 */
static uint32_t half_of(const struct run *run, const struct piece *piece)
{
	const struct loader_ops *ops = run->loader->ops;
	uint32_t align = ops->digest_unit > 0 ? ops->digest_unit : run->identity.chip->write_align;
	uint32_t half;

	assert(align > 0);
	if (piece->size <= align)
		return 0;
	half = (piece->size / align + 1) / 2 * align;
	return half < ops->digest_min || piece->size - half < ops->digest_min ? 0 : half;
}

/*
 * Halves a piece that differs down to the least that the chip has a digest of, the first half that
 * differs each time: the first difference. The last one is asked for once more, since a half that
 * is equal says that the other differs only where the answer for both was not bent.
 */
static int narrow(struct run *run, struct piece *piece, bool *ret_is_found)
{
	bool is_equal = false;
	uint32_t size;
	int r = 0;

	while (r == 0 && (size = half_of(run, piece)) > 0) {
		struct piece half = *piece;

		half.size = size;
		r = ask_digest(run, &half, &is_equal);
		if (r == 0 && is_equal) {
			piece->address += half.size;
			piece->expected += half.size;
			piece->size -= half.size;
		} else {
			piece->size = half.size;
		}
	}
	if (r == 0)
		r = ask_digest(run, piece, &is_equal);
	*ret_is_found = !is_equal;
	return r;
}

/* Of a piece that may be longer than a block. */
static int read_long(struct run *run, const struct piece *piece, uint8_t *to)
{
	uint32_t most = run->loader->ops->block_size;
	int r = 0;

	for (uint32_t at = 0, n; r == 0 && at < piece->size; at += n) {
		n = piece->size - at < most ? piece->size - at : most;
		r = verify_read(run, piece->address + at, to + at, n);
	}
	return r;
}

/*
 * GO_ON where the piece is equal. A chip that says of a piece what it says of none of its parts, or
 * of bytes that are read otherwise, contradicts itself.
 */
static enum outcome digest_piece(struct run *run, const struct piece *piece)
{
	uint8_t got[LOADER_BLOCK_MAX];
	struct piece part = *piece;
	int r = 0;

	if (piece->size < run->loader->ops->digest_min)
		return read_piece(run, piece);
	for (unsigned n = 0; r == 0 && n < DIGEST_TRIES; n++) {
		bool is_equal = false, is_found = false;
		size_t i;

		part = *piece;
		r = ask_digest(run, piece, &is_equal);
		if (r == 0 && is_equal)
			return GO_ON;
		if (r == 0 && n > 0 && piece->expected_of == VERIFY_QUICK)
			return OUTCOME_VERIFY_DIFFERS;
		if (r == 0 && piece->expected_of != VERIFY_QUICK)
			r = narrow(run, &part, &is_found);
		if (r != 0 || !is_found)
			continue;
		if (!run->loader->ops->read)
			return fail_piece(run, &part, 0, NULL);
		r = read_long(run, &part, got);
		i = r == 0 ? find_wrong(run, &part, got) : part.size;
		if (i < part.size)
			return fail_piece(run, &part, i, got);
	}
	return run_fail_with(run, r == 0 ? LOADER_UNSTEADY : r, part.address);
}

/*
 * Leaves out the data that nobody knows, and with them the bytes that share the least unit of a
 * digest with them: `plugflash verify` says nothing of these.
 */
static enum outcome digest_known(struct run *run, const struct piece *piece)
{
	const struct chip_range unknown = unknown_range(run);
	uint64_t align = run->identity.chip->write_align;
	uint64_t start = piece->address, end = start + piece->size;
	uint64_t cut = unknown.start / align * align;
	uint64_t behind = ((uint64_t)unknown.start + unknown.size + align - 1) / align * align;
	enum outcome outcome = GO_ON;
	struct piece part = *piece;

	if (unknown.size == 0 || piece->expected_of == VERIFY_ERASED)
		return digest_piece(run, piece);
	part.size = (uint32_t)((cut < end ? cut : end) - start);
	if (cut > start)
		outcome = digest_piece(run, &part);
	if (outcome != GO_ON || behind >= end)
		return outcome;
	behind = behind > start ? behind : start;
	part.address = (uint32_t)behind;
	part.size = (uint32_t)(end - behind);
	part.expected = piece->expected + (behind - start);
	return digest_piece(run, &part);
}

/* ------------------------------------------------------------------ piece by piece */

/* Where in the range it is, and how the pieces are made. */
struct walk {
	enum proof proof;
	enum verify_expected expected;
	uint64_t cursor, end;
	uint64_t random;
	size_t n_blocks, n_chosen; /* of a sample: of the range, and of them so far */
};

/* The next block of a sample; the edges are in it whatever the seed is. */
static bool next_of_sample(struct run *run, struct walk *walk, struct plan_block *ret)
{
	bool is_first = walk->n_chosen == 0;

	while (run_next_block(run, run->job->image, &walk->cursor, walk->end, ret)) {
		size_t n_left = --walk->n_blocks;

		if (is_first || n_left == 0)
			return true;
		/* xorshift64: the blocks only have to be others each time. */
		walk->random ^= walk->random << 13;
		walk->random ^= walk->random >> 7;
		walk->random ^= walk->random << 17;
		if (walk->random % n_left < SAMPLE_BLOCKS + 1 - walk->n_chosen)
			return true;
	}
	return false;
}

/* The next piece of the range, with its bytes as they are expected. */
static bool next_piece(struct run *run, struct walk *walk, struct piece *piece)
{
	struct plan_block block, next;
	uint64_t cursor;

	if (walk->expected == VERIFY_SAMPLE
			? !next_of_sample(run, walk, &block)
			: !run_next_block(run, run->job->image, &walk->cursor, walk->end, &block))
		return false;
	for (cursor = walk->cursor; is_by_digest(walk->proof); walk->cursor = cursor) {
		if (!run_next_block(run, run->job->image, &cursor, walk->end, &next) ||
			next.address != block.address + block.size ||
			next.size > DIGEST_BYTES - block.size)
			break;
		block.size += next.size;
		block.n_image += next.n_image;
	}
	walk->n_chosen++;
	/* Where write protection made nothing of an erase, the first block shows it. */
	if (walk->expected == VERIFY_ERASED)
		walk->end = walk->cursor;
	piece->address = block.address;
	piece->size = block.size;
	piece->n_image = block.n_image;
	if (walk->expected == VERIFY_ERASED)
		memset(piece->expected, chip_erased_byte(run->identity.chip), piece->size);
	else
		image_copy(run->job->image, piece->address, piece->expected, piece->size);
	return true;
}

static enum outcome walk_range(struct run *run, enum proof proof, enum verify_expected expected,
	uint64_t from, uint64_t end, uint64_t *done)
{
	uint8_t bytes[DIGEST_BYTES];
	struct piece piece = {.expected_of = expected, .expected = bytes};
	struct walk walk = {
		.proof = proof,
		.expected = expected,
		.cursor = from,
		.end = end,
		.random = run->job->seed ? run->job->seed : 1,
	};
	uint64_t total = image_bytes(run->job->image);
	enum outcome outcome = GO_ON;

	if (walk.proof == PROOF_NONE)
		return GO_ON;
	if (expected == VERIFY_SAMPLE && is_by_digest(walk.proof))
		walk.expected = piece.expected_of = VERIFY_IMAGE;
	if (walk.expected == VERIFY_SAMPLE) {
		uint64_t most = (SAMPLE_BLOCKS + 2) * (uint64_t)run->loader->ops->block_size;
		struct plan_block block;

		for (uint64_t at = from; run_next_block(run, run->job->image, &at, end, &block);)
			walk.n_blocks++;
		total = total < most ? total : most;
	}
	while (outcome == GO_ON && next_piece(run, &walk, &piece)) {
		outcome = run_check_block(run);
		if (outcome == GO_ON)
			outcome = is_by_digest(walk.proof) ? digest_known(run, &piece)
							   : read_piece(run, &piece);
		if (outcome != GO_ON || expected == VERIFY_ERASED)
			continue;
		*done += piece.n_image;
		run_tell_progress(run, *done < total ? *done : total, total);
	}
	return outcome;
}

enum outcome verify_range(
	struct run *run, enum verify_expected expected, uint64_t from, uint64_t end, uint64_t *done)
{
	const struct chip *chip = run->identity.chip;
	enum proof proof = verify_proof(run);
	enum outcome outcome = GO_ON;
	uint64_t record, behind;
	struct chip_range start;

	if (!is_by_digest(proof) || !chip_starts_by_record(chip))
		return walk_range(run, proof, expected, from, end, done);
	start = chip->family->find_start(chip, run->job->image);
	record = start.start;
	behind = record + start.size;
	if (from < record)
		outcome = walk_range(run, proof, expected, from, end < record ? end : record, done);
	if (outcome == GO_ON && from < behind && record < end)
		outcome = walk_range(run, PROOF_READ_BACK, VERIFY_IMAGE,
			from > record ? from : record, end < behind ? end : behind, done);
	if (outcome == GO_ON && behind < end)
		outcome =
			walk_range(run, proof, expected, from > behind ? from : behind, end, done);
	return outcome;
}

enum outcome verify_blank(struct run *run, uint64_t from, uint64_t end)
{
	const struct loader_ops *ops = run->loader->ops;
	uint32_t most = ops->digest ? DIGEST_BYTES : ops->block_size;
	uint8_t bytes[DIGEST_BYTES];
	enum outcome outcome = GO_ON;

	memset(bytes, chip_erased_byte(run->identity.chip), sizeof(bytes));
	for (uint32_t n = 0; outcome == GO_ON && from < end; from += n) {
		struct piece piece = {.expected_of = VERIFY_ERASED, .expected = bytes};

		n = (uint32_t)(end - from < most ? end - from : most);
		piece.address = (uint32_t)from;
		piece.size = n;
		outcome = run_check_block(run);
		if (outcome == GO_ON)
			outcome = ops->digest ? digest_piece(run, &piece) : read_piece(run, &piece);
	}
	return outcome;
}
