/* SPDX-License-Identifier: MIT */
/*
 * verify.h - whether the flash holds the bytes that are expected of it. Everything that compares
 * with a loader of ranges asks here: the decision, the verification, the check after an erase.
 */
#pragma once

#include "flash/run.h"

/* What is expected of a range. */
enum verify_expected {
	/* Every byte that the image has there. The unit's own data (`serialize`) are passed over
	 * where nobody has said what they are. */
	VERIFY_IMAGE,
	/* The same of a sample: the first block, the last, and some between that the job's seed
	 * chooses. Where a digest vouches, all of it: that costs no more. */
	VERIFY_SAMPLE,
	/* As VERIFY_IMAGE; where a digest differs is not looked for. */
	VERIFY_QUICK,
	/* The first block in which the image has bytes reads as erased flash does. */
	VERIFY_ERASED,
};

/*
 * The proof that verify_range() gives: a digest where the loader has one and the rule is content
 * with it (`verify`), else the bytes themselves.
 */
enum proof verify_proof(const struct run *run);

/*
 * Compares what the image has in [from, end), a record that the chip starts by always by reading;
 * `done` grows by the bytes that were compared. GO_ON
 * where all is equal, VERIFY_DIFFERS or for VERIFY_ERASED ERASE_FAILED with the address in the
 * report, else the outcome of what failed: an answer that was never the same twice among them.
 */
enum outcome verify_range(struct run *run, enum verify_expected expected, uint64_t from,
	uint64_t end, uint64_t *done);

/*
 * Whether all of [from, end), which is flash of erased pages, reads as erased flash does: by digest
 * where the chip has one. GO_ON, ERASE_FAILED with the address, or the outcome of what failed.
 */
enum outcome verify_blank(struct run *run, uint64_t from, uint64_t end);

/* Whether these bytes have the digest that a chip said, which is of a kind. */
bool verify_is_digest(enum loader_digest kind, const uint8_t *expected, uint32_t size,
	const uint8_t said[static LOADER_DIGEST_MAX]);

/*
 * Asks for the digest of a run of whole blocks and compares; `said` is what the chip said. 0,
 * -errno or an enum loader_result.
 */
int verify_digest(struct run *run, uint32_t address, const uint8_t *expected, uint32_t size,
	uint8_t said[static LOADER_DIGEST_MAX], bool *ret_is_equal);

/*
 * For what an erase did to the flash around it: reads bytes, at most LOADER_BLOCK_MAX, until two
 * answers are equal, and compares with them later. 0, -errno or an enum loader_result.
 */
int verify_read(struct run *run, uint32_t address, uint8_t *to, size_t n);
int verify_bytes(
	struct run *run, uint32_t address, const uint8_t *expected, size_t n, bool *ret_is_equal);

/* Puts the first of these bytes that differs into the report; returns VERIFY_DIFFERS. */
enum outcome verify_report_difference(
	struct run *run, uint32_t address, uint8_t *expected, const uint8_t *got, size_t n);
