/* SPDX-License-Identifier: MIT */
/* The bed's journal: entries that a test waits for, and those that end the job of a board. */
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/util.h"
#include "bed/bed-private.h"
#include "bed/processes.h"

void bed_mark(struct bed *bed)
{
	journal_reader_dispatch(bed->journal);
	bed->mark = journal_reader_count(bed->journal);
}

const struct journal_reader *bed_journal(struct bed *bed)
{
	return bed->journal;
}

struct journal_wait {
	struct bed *bed;
	const char *const *match;
	const struct journal_entry *found;
};

static bool is_written(void *userdata)
{
	struct journal_wait *wait = userdata;
	struct journal_reader *journal = wait->bed->journal;

	for (size_t i = wait->bed->mark; i < journal_reader_count(journal); i++) {
		wait->found = journal_reader_entry(journal, i);
		if (journal_entry_fits(wait->found, wait->match))
			return true;
	}
	return false;
}

const struct journal_entry *bed_wait_journal(
	struct bed *bed, unsigned milliseconds, const char *const match[])
{
	struct journal_wait wait = {.bed = bed, .match = match};

	return bed_wait(bed, milliseconds, is_written, &wait) ? wait.found : NULL;
}

size_t bed_count_journal(struct bed *bed, const char *const match[])
{
	size_t n = 0;

	journal_reader_dispatch(bed->journal);
	for (size_t i = bed->mark; i < journal_reader_count(bed->journal); i++)
		n += journal_entry_fits(journal_reader_entry(bed->journal, i), match);
	return n;
}

/* The kinds of entry that end a job, or say that there is none to begin. */
static bool is_outcome(const struct bed_unit *unit, const struct journal_entry *entry)
{
	static const char *const ends[] = {MESSAGE_UPDATED, MESSAGE_CURRENT, MESSAGE_JOB_FAILED,
		MESSAGE_WRONG_CHIP, MESSAGE_NO_MATCH, MESSAGE_AMBIGUOUS};
	const char *id = journal_entry_get(entry, "MESSAGE_ID");
	const char *path = journal_entry_get(entry, FIELD_USB_PATH);

	if (!id || !path || strcmp(path, unit->id_path) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (strcmp(id, ends[i]) == 0)
			return true;
	return false;
}

static size_t find_outcomes(const struct bed_unit *unit, const struct journal_entry **ret_first)
{
	struct journal_reader *journal = unit->bed->journal;
	size_t n = 0;

	for (size_t i = unit->mark; i < journal_reader_count(journal); i++) {
		const struct journal_entry *entry = journal_reader_entry(journal, i);

		if (!is_outcome(unit, entry))
			continue;
		if (n++ == 0 && ret_first)
			*ret_first = entry;
	}
	return n;
}

static bool has_outcome(void *userdata)
{
	return find_outcomes(userdata, NULL) > 0;
}

const struct journal_entry *bed_wait_outcome(struct bed_unit *unit, unsigned milliseconds)
{
	const struct journal_entry *entry = NULL;

	bed_wait(unit->bed, milliseconds, has_outcome, unit);
	find_outcomes(unit, &entry);
	return entry;
}

size_t bed_count_outcomes(struct bed_unit *unit)
{
	journal_reader_dispatch(unit->bed->journal);
	return find_outcomes(unit, NULL);
}

void bed_tell(struct bed_unit *unit)
{
	struct bed *bed = unit->bed;
	size_t n = journal_reader_count(bed->journal);

	journal_reader_dispatch(bed->journal);
	printf("# the service: %s%s; entries: %zu, and %zu that were not announced\n",
		bed_is_running(bed) ? "runs, " : "does not run", bed_status(bed), n,
		journal_reader_count(bed->journal) - n);
	for (size_t i = 0; i < journal_reader_count(bed->journal); i++) {
		const struct journal_entry *entry = journal_reader_entry(bed->journal, i);
		const char *message = journal_entry_get(entry, "MESSAGE");

		printf("# entry: %s\n", message ? message : "");
	}
	printf("# %s: opened %u times, %s; requests: %u; the chip's state: %d\n", bed_port(unit),
		bed_opens(unit), bed_is_closed(unit) ? "closed" : "open", bed_requests(unit),
		bed_state(unit));
	processes_tell();
}
