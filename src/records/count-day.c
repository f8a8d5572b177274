/* SPDX-License-Identifier: MIT */
/* count-day.c - units that count, summed up by the day, and by day, rule and slot. */
#include <errno.h>
#include <search.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "records/count.h"

#define MSEC_PER_SEC 1000

/* A day of 23 or 25 hours is one, too. */
void day_counts_begin(struct day_counts *counts, int64_t time_ms)
{
	time_t time = (time_t)(time_ms / MSEC_PER_SEC);
	struct tm day, next;

	*counts = (struct day_counts){.until_ms = INT64_MAX};
	tzset();
	if (!localtime_r(&time, &day) ||
		strftime(counts->day, sizeof(counts->day), "%Y-%m-%d", &day) == 0)
		return;
	day.tm_hour = day.tm_min = day.tm_sec = 0;
	day.tm_isdst = -1;
	next = day;
	next.tm_mday++;
	counts->from_ms = (int64_t)mktime(&day) * MSEC_PER_SEC;
	counts->until_ms = (int64_t)mktime(&next) * MSEC_PER_SEC;
}

static uint32_t *count_of(struct day_counts *counts, enum count_kind kind)
{
	switch (kind) {
	case COUNT_FIRST_PASS:
		return &counts->first_pass;
	case COUNT_RETRIED:
		return &counts->retried;
	case COUNT_BAD:
	case COUNT_KIND_MAX:
		break;
	}
	return &counts->bad;
}

void day_counts_add(struct day_counts *counts, const struct counted *counted)
{
	(*count_of(counts, counted->kind))++;
	counts->outcomes[counted->outcome]++;
}

void day_counts_join(struct day_counts *counts, const struct day_counts *more)
{
	counts->first_pass += more->first_pass;
	counts->retried += more->retried;
	counts->bad += more->bad;
	for (size_t i = 0; i < OUTCOME_MAX; i++)
		counts->outcomes[i] += more->outcomes[i];
}

static void replace(uint32_t *count, uint32_t before, uint32_t after)
{
	int64_t is = (int64_t)*count - before + after;

	*count = is > 0 ? (uint32_t)is : 0;
}

void day_counts_replace(
	struct day_counts *counts, const struct day_counts *before, const struct day_counts *after)
{
	replace(&counts->first_pass, before->first_pass, after->first_pass);
	replace(&counts->retried, before->retried, after->retried);
	replace(&counts->bad, before->bad, after->bad);
	for (size_t i = 0; i < OUTCOME_MAX; i++)
		replace(&counts->outcomes[i], before->outcomes[i], after->outcomes[i]);
}

bool day_counts_are_zero(const struct day_counts *counts)
{
	return counts->first_pass == 0 && counts->retried == 0 && counts->bad == 0;
}

int day_counts_yield(const struct day_counts *counts)
{
	uint64_t all = (uint64_t)counts->first_pass + counts->retried + counts->bad;

	return all == 0 ? -1 : (int)((uint64_t)counts->first_pass * 1000 / all);
}

char *day_counts_format_yield(const struct day_counts *counts, char *to, size_t size)
{
	int yield = day_counts_yield(counts);

	if (yield < 0)
		to[0] = '\0';
	else
		snprintf(to, size, "%d.%d %%", yield / 10, yield % 10);
	return to;
}

/* ------------------------------------------------------------------------------------- cells */

struct building {
	const struct store_filter *filter;
	struct day_counts day; /* of the unit before: most are of the same */
	void *index;	       /* cells by what they are of */
	struct count_cell **cells;
	size_t n_cells;
};

static int compare_cells(const void *a, const void *b)
{
	const struct count_cell *one = a, *other = b;
	int r = strcmp(other->counts.day, one->counts.day);

	if (r == 0)
		r = strcmp(one->board, other->board);
	if (r == 0)
		r = strcmp(one->slot, other->slot);
	return r == 0 ? strcmp(one->usb_path, other->usb_path) : r;
}

/* Of this day, rule and slot; made where it is not there. NULL: out of memory. */
static struct count_cell *find_cell(struct building *building, const struct counted_place *place)
{
	struct count_cell wanted = {.counts = building->day}, **found, *made;

	text_copy(wanted.board, sizeof(wanted.board), place->board);
	text_copy(wanted.slot, sizeof(wanted.slot), place->slot);
	text_copy(wanted.usb_path, sizeof(wanted.usb_path), place->usb_path);
	found = tfind(&wanted, &building->index, compare_cells);
	if (found)
		return *found;
	building->cells =
		room_for_one(building->cells, building->n_cells, sizeof(*building->cells));
	made = building->cells ? malloc(sizeof(*made)) : NULL;
	if (!made)
		return NULL;
	*made = wanted;
	building->cells[building->n_cells++] = made;
	return tsearch(made, &building->index, compare_cells) ? made : NULL;
}

static bool is_text(const char *wanted, const char *text)
{
	return !wanted || strcmp(wanted, text) == 0;
}

/* The id is what follows the last blank of the key: "stm32:0x410 0123...". */
static bool is_unit(const char *wanted, const char *key)
{
	const char *blank = strrchr(key, ' ');

	return !wanted || (blank && strncmp(blank + 1, wanted, strlen(wanted)) == 0);
}

static bool fits(const struct store_filter *filter, const struct counted *counted)
{
	const struct counted_place *place = counted->place;

	return is_text(filter->board, place->board) && is_text(filter->usb_path, place->usb_path) &&
	       (is_text(filter->slot, place->slot) || is_text(filter->slot, place->usb_path)) &&
	       is_text(filter->port, place->port) &&
	       is_text(filter->outcome, outcome_to_string(counted->outcome)) &&
	       is_unit(filter->unit, counted->key) && counted->ended_ms >= filter->since_ms &&
	       (filter->until_ms == 0 || counted->ended_ms < filter->until_ms);
}

static int add_to_cell(void *userdata, const struct counted *counted)
{
	struct building *building = userdata;
	struct count_cell *cell;

	if (!fits(building->filter, counted))
		return 0;
	if (!*building->day.day || counted->ended_ms < building->day.from_ms ||
		counted->ended_ms >= building->day.until_ms)
		day_counts_begin(&building->day, counted->ended_ms);
	cell = find_cell(building, counted->place);
	if (!cell)
		return -ENOMEM;
	day_counts_add(&cell->counts, counted);
	if (counted->ended_ms > cell->last_ms)
		cell->last_ms = counted->ended_ms;
	return 0;
}

static void leave_alone(void *node)
{
	(void)node;
}

int count_cells_make(
	const struct tally *tally, const struct store_filter *filter, struct count_cells *ret)
{
	struct building building = {.filter = filter};
	struct count_cells cells = {.items = NULL};
	int r = tally_each(tally, add_to_cell, &building);

	if (r == 0 && building.n_cells > 0) {
		cells.items = calloc(building.n_cells, sizeof(*cells.items));
		r = cells.items ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < building.n_cells; i++) {
		if (r == 0)
			cells.items[cells.n_items++] = *building.cells[i];
		free(building.cells[i]);
	}
	free(building.cells);
	tdestroy(building.index, leave_alone);
	if (r < 0)
		return r;
	if (cells.n_items > 0)
		qsort(cells.items, cells.n_items, sizeof(*cells.items), compare_cells);
	if (filter->limit > 0 && cells.n_items > filter->limit)
		cells.n_items = filter->limit;
	*ret = cells;
	return 0;
}

void count_cells_done(struct count_cells *cells)
{
	free(cells->items);
	*cells = (struct count_cells){.items = NULL};
}
