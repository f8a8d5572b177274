/* SPDX-License-Identifier: MIT */
/*
 * erase.h - the erase of a job's plan, and what makes sure that it takes these pages and no others.
 *
 * A page is erased by its number, and on some chips an option bit decides what the number means.
 * Where the boot loader lets the bit be read, identify() has put the right pages into the chip's
 * row or says why not. Where it does not, the first erases are done one page at a time, and the
 * flash around them is looked at before and after.
 */
#pragma once

#include "flash/run.h"

/* GO_ON where the table's pages hold for this chip, or may hold; BAD_CONFIG where they do not. */
enum outcome erase_check_pages(struct run *run);

/* GO_ON where the plan spares what the rule keeps in whatever way the pages lie. */
enum outcome erase_check_keep(struct run *run);

/*
 * Erases the plan, the page of the vector table first. BAD_CONFIG where the chip erased something
 * else than the page it was told: nothing more is erased then.
 */
enum outcome erase_planned(struct run *run);
