/* SPDX-License-Identifier: MIT */
/*
 * watch.h - the pages of the flash in which the image has no byte: they are to be the same before
 * and after. For loaders that find pages (loader.h), and what follows where such a one is given up
 * behind an erase: the loader in ROM reads them then.
 */
#pragma once

#include "flash/run.h"

/* Before the first erase of a job: takes their digests. GO_ON, or the outcome of what failed. */
enum outcome watch_take(struct run *run);

/*
 * A step, behind the last write: compares. FAILED where one has changed, which no loader mends:
 * there is no other pass then.
 */
enum outcome watch_check(struct run *run);

void watch_done(struct watch *watch);
