/* SPDX-License-Identifier: MIT */
/*
 * memory-store.h - the store as the memory has it: opened when it can be, set aside when it is
 * damaged, and what ails it told once. For memory.c and the files beside it.
 */
#pragma once

#include "service/memory.h"

/* Whether there is a store; opens it where there was none and can be one now. */
bool memory_has_store(struct memory *memory);

/*
 * Whether the store is the one that was opened, and all that was saved is in it. Where it was taken
 * away or put back meanwhile, that is said, and the one that is there now is used from then on.
 */
bool memory_is_intact(struct memory *memory);

/*
 * As store_save(); whether it is on the disk. What is not goes there with the next thing that is
 * saved, and memory_find() knows of it meanwhile.
 */
bool memory_save(
	struct memory *memory, const struct store_unit *unit, const struct store_attempt *attempt);

/* The same, but what cannot be saved now is forgotten. */
bool memory_save_now(
	struct memory *memory, const struct store_unit *unit, const struct store_attempt *attempt);

/* A new attempt, on the disk with the next memory_save(). */
void memory_save_begin(struct memory *memory, const struct store_attempt *attempt);

/* Whether the unit is known; else it is empty but for its key. */
bool memory_find(struct memory *memory, const char *key, struct store_unit *ret);

/* Said once, until it works again. */
void memory_tell_trouble(struct memory *memory, const struct reason *reason);
