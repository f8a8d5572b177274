/* SPDX-License-Identifier: MIT */
/* transfer.h - the long part of a job: blocks of the image to the chip and back. */
#pragma once

#include "flash/run.h"

/*
 * Reads what the image has in [from, end) back; `done` counts the bytes for the progress. GO_ON
 * where all is equal, VERIFY_DIFFERS at the first difference, or the outcome of what failed.
 */
enum outcome transfer_compare(struct run *run, uint64_t from, uint64_t end, uint64_t *done);

/*
 * The same for a few blocks: the one of the vector table, the last one, and some between them that
 * the seed chooses.
 */
enum outcome transfer_fingerprint(struct run *run, uint64_t seed, uint64_t *done);

/* Whether the first block of the image is erased indeed. */
enum outcome transfer_check_blank(struct run *run);

/* Reads `size` bytes of the chip into `to`. */
enum outcome transfer_read(struct run *run, uint32_t address, uint8_t *to, uint32_t size);

/* Puts the first of these bytes that differs into the report; returns VERIFY_DIFFERS. */
enum outcome transfer_report_difference(
	struct run *run, uint32_t address, const uint8_t *expected, const uint8_t *got, size_t n);
