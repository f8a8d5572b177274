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

/* All of the flash by one command only where the loader has one. GO_ON, or BAD_CONFIG where the
 * plan has no pages and the loader no such command. */
enum outcome erase_choose_way(struct run *run, struct plan *plan);

/* Where the loader finds pages: notes which of the plan are blank already. GO_ON, or the outcome of
 * what failed. */
enum outcome erase_find_blank(struct run *run);

/* Where the loader finds pages: erases what is not yet blank of the plan's first `n_pages`, at
 * least one. GO_ON, or the outcome of what failed. */
enum outcome erase_up_to(struct run *run, size_t n_pages);

/* How many pages of the plan are erased, or will be. */
uint32_t erase_count(const struct run *run);

/*
 * Erases the plan, the page that the chip starts by first; where the loader finds pages, that one
 * alone. BAD_CONFIG where the chip erased
 * something else than the page it was told: nothing more is erased then. ERASE_FAILED where that
 * page holds a record of settings which the image's cannot follow: the chip stays without one.
 */
enum outcome erase_planned(struct run *run);

/*
 * Whether erased pages are blank: the first one, where the image has bytes in it, and all of every
 * page where the chip computes a digest. Of a record that the chip starts by it says nothing.
 */
enum outcome erase_check_blank(struct run *run);
