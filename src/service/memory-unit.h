/* SPDX-License-Identifier: MIT */
/*
 * memory-unit.h - the record of one unit: under which key it is kept, and what a report says of it.
 * For memory.c, and for who has one unit in mind.
 */
#pragma once

#include "service/memory.h"

/* Some copies of these chips have no id: then all of them read the same. */
bool memory_unit_is_identified(const struct report *report);

/* That of a chip which says its id: "stm32:0x414 " and the id. */
void memory_unit_key_of_chip(const struct report *report, const char *unit, char to[STORE_KEY_MAX]);

/* The chip where it is known, else the bridge and its place. */
void memory_unit_key(
	const struct facts *facts, const struct report *report, char to[STORE_KEY_MAX]);

/* The attempt is about the unit that answers; one that goes back, about the unit that is to. */
void memory_unit_note(
	struct attempt *attempt, const struct facts *facts, const struct report *report);

/*
 * Who it is and where it was seen. A chip that did not answer, or is protected and so does not say
 * its id, is the one it was.
 */
void memory_unit_describe(const struct attempt *attempt, const struct facts *facts,
	const struct report *report, struct store_unit *unit);

/* The row of the job's attempt, which has not ended. */
void memory_describe_attempt(const struct attempt *attempt, const struct facts *facts,
	const struct report *report, struct store_attempt *row);

/* What it holds, or is to hold. */
void memory_unit_set_image(
	struct store_unit *unit, enum unit_state state, const struct report *report);

/* What it can go back to; "" for nothing. */
void memory_unit_set_previous(
	struct store_unit *unit, const char *image, const char *version, const char *sha256);

/* What was whole until now is what it can go back to, unless the same is written once more. */
void memory_unit_keep_previous(struct store_unit *unit, const struct report *report);

/* Nothing is held against it any more. */
void memory_unit_clear_failures(struct store_unit *unit);

/*
 * What is left of the time that the unit was to wait which was seen last at this bridge, by
 * the rule as it is now; 0: nothing, or it failed under another rule, was to get another image, or
 * was seen before the host was started last.
 */
uint64_t memory_unit_rest(struct memory *memory, const struct facts *facts, const char *rule,
	const struct board *board, const char *image);

/* memory_forgive() for the unit of this key. */
int memory_unit_forgive(struct memory *memory, const char *key);
