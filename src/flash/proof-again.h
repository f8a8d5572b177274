/* SPDX-License-Identifier: MIT */
/* proof-again.h - the second proof of an update by a faster way that is on trial. */
#pragma once

#include "flash/run.h"

/*
 * A step, behind the last proof: where a promoted loader wrote and is on trial, the chip is reset,
 * and the loader in ROM reads all of the image back, turn by turn. GO_ON where nothing is to be
 * done, and where both proofs agree; the report has the result of the trial. VERIFY_DIFFERS where
 * they do not, or the outcome of what failed.
 */
enum outcome proof_again(struct run *run);

/* The whole image, read back by the loader that was met, after a reset. As verify_range(). */
enum outcome proof_read_whole(struct run *run);
