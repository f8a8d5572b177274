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

/*
 * A step, behind a comparison that found no difference: where a promoted loader made it and is on
 * trial, the loader in ROM looks as well, unless the service has it on record that the unit holds
 * the image. VERIFY_DIFFERS where it finds a difference: the rest of the job is the ROM's.
 */
enum outcome proof_of_look(struct run *run);

/* The whole image, read back by the loader that was met, after a reset. As verify_range(). */
enum outcome proof_read_whole(struct run *run);
