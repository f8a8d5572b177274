/* SPDX-License-Identifier: MIT */
/*
 * promotion.h - a faster loader in the place of the one that was met, and the way back from it.
 */
#pragma once

#include "flash/run.h"

/*
 * A step: lets a faster loader speak, where there is one for this chip and this job may use it; the
 * report says why where it does not. GO_ON with one of the two loaders in step, or the outcome of
 * what failed.
 */
enum outcome promotion_try(struct run *run);

/*
 * A step, right before an erase: whether the faster loader is still there. A service that serves a
 * hundred boards, or writes to a slow store, may have taken longer to grant the erase than a
 * program in the RAM waits for its host; that counts nothing against the program.
 */
enum outcome promotion_begin_erase(struct run *run);

/*
 * Behind a pass that failed, with the reason in the report: whether the faster loader had a part in
 * it. Then it is given up for the rest of the job, which the report says, and another pass is owed
 * to the unit that counts as no retry.
 */
bool promotion_give_up(struct run *run);

/*
 * Behind a pass that ended so: how long to wait for a program to end by itself that no reset by the
 * lines has ended, for the loader in ROM to be met once more, which counts as no retry. 0: there is
 * none, or it was waited for.
 */
uint64_t promotion_outlasts(struct run *run, enum outcome outcome);

/* A step, behind the last write: the report says that the faster loader wrote. */
enum outcome promotion_note_use(struct run *run);

/* Whether the application can only be started by the loader below the promoted one. */
bool promotion_hides_start(const struct run *run);
