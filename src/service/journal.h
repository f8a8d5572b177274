/* SPDX-License-Identifier: MIT */
/*
 * journal.h - the entries about bridges and attempts: their sentences and fields in one place.
 */
#pragma once

#include "base/log.h"
#include "service/bridge.h"

/* `nearest` may be NULL. */
void journal_no_match(const struct bridge *bridge, const struct match_miss *nearest);
void journal_ambiguous(const struct bridge *bridge, const struct match *match);
void journal_flapping(
	const struct facts *facts, const char *slot, const struct flap_verdict *verdict);

void journal_started(const struct bridge *bridge);
void journal_retried(const struct bridge *bridge, const struct report *report, uint64_t delay_usec);

/* Units that own the port were stopped for the job; names with blanks between. */
void journal_owners(const struct bridge *bridge, const char *units, uint64_t took_usec);

/* A worker's report contradicts what it asked before, or was told. */
void journal_disbelieved(const struct bridge *bridge, const struct report *said, const char *lie);

/* A unit that an earlier update left torn is written whatever it says. */
void journal_torn(const struct bridge *bridge, const struct report *so_far);

/* It has failed so often that it is left alone from now on. */
void journal_quarantined(
	const struct bridge *bridge, const struct report *report, unsigned failures);

/* So many updates of it, one after the other, ended because its port went. */
/* A faster way failed on this kind of chip for the first time, and is off on this host from now on.
 */
void journal_turned_off(
	const struct bridge *bridge, const struct report *report, enum trust_way way);

void journal_drops(const struct bridge *bridge, const struct report *report);

/* The unit goes back to the image before; it has done so; or there is none to go back to. */
void journal_rollback(const struct bridge *bridge);
void journal_rolled_back(const struct bridge *bridge, const struct report *report);
void journal_no_rollback(const struct bridge *bridge, const struct reason *reason);

/* The fields of the next entry, and the reason: a program is told of the end of an attempt by them.
 */
void journal_end_fields(
	const struct bridge *bridge, const struct report *report, struct log_fields *fields);

/* The one entry that an attempt ends with. */
void journal_ended(const struct bridge *bridge, const struct report *report);
