/* SPDX-License-Identifier: MIT */
/*
 * trial.h - faster ways of writing on trial (api/trust.h): how far each may be used on the chip
 * that answers, and what the job found out about bursts. Only the files of the procedures include
 * it.
 */
#pragma once

#include "flash/run.h"

/* What a key of a rule means where no record has a say: `yes` without a trial, `auto` on trial. */
enum trust trial_of_rule(enum board_use use);

/*
 * Asks, once a job, how far the kind of the chip is trusted; from then on run->trusts says so, for
 * the loaders as well. GO_ON, or the outcome of a job that is to stop.
 */
enum outcome trial_ask(struct run *run);

/* All of the image was written and verified: was that a second proof of the bursts? GO_ON. */
enum outcome trial_note_bursts(struct run *run);

/* A pass has ended so: where bursts failed behind the erase, the rest of the job does without. */
void trial_note_end(struct run *run, enum outcome outcome);
