/* SPDX-License-Identifier: MIT */
/*
 * history.c - the verb: attempts, units or counts out of the store; the service need not run.
 *
 * One list is told, in one of three forms: a table for people, JSON or CSV for programs. All of it
 * is written into memory first and the store closed before anything is printed: a pager may stay
 * open for days, and while somebody reads the store its log grows with each job of the service.
 */
#include <errno.h>
#include <string.h>

#include "api/csv.h"
#include "api/fields.h"
#include "base/clock.h"
#include "base/outcome.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/names.h"
#include "cli/objects.h"
#include "cli/store-reader.h"
#include "cli/table.h"
#include "cli/units.h"
#include "cli/when.h"
#include "records/count.h"

#define LIMIT_DEFAULT 100

/* The list in the form that the options want, as far as it is told. */
struct telling {
	const struct options *options;
	FILE *to;
	struct json_list json;
	struct table table;
	size_t n_items;
};

/* ---------------------------------------------------------------------- the command line */

static int wrong(const char *option, const char *expected, const char *value)
{
	char shown[TEXT_MAX];

	fprintf(stderr, "plugflash history: --%s: expected %s, got '%s'\n", option, expected,
		text_escape(value, shown, sizeof(shown)));
	return EXIT_USAGE;
}

static int read_filter(
	const struct options *options, char *port, size_t port_size, struct store_filter *filter)
{
	static const char a_time[] = "a time like 2025-06-01, '2025-06-01 14:30', today or 2h";
	int64_t now_ms = wall_clock_msec();
	char words[400] = "one of";
	size_t used = strlen(words);

	*filter = (struct store_filter){
		.unit = options->unit,
		.board = options->board,
		.slot = options->slot,
		.outcome = options->outcome,
		.limit = LIMIT_DEFAULT,
	};
	if (options->port)
		filter->port = store_reader_port_node(options->port, port, port_size);
	if (options->outcome && outcome_from_string(options->outcome) < 0) {
		for (enum outcome known = 0; known < OUTCOME_MAX && used < sizeof(words); known++)
			used += (size_t)snprintf(words + used, sizeof(words) - used, "%s %s",
				known > 0 ? "," : "", outcome_to_string(known));
		return wrong("outcome", words, options->outcome);
	}
	if (options->limit && parse_u32(options->limit, &filter->limit) < 0)
		return wrong("limit", "a number", options->limit);
	if (options->since && when_parse(options->since, now_ms, &filter->since_ms) < 0)
		return wrong("since", a_time, options->since);
	if (options->until && when_parse(options->until, now_ms, &filter->until_ms) < 0)
		return wrong("until", a_time, options->until);
	if ((options->json && options->csv) || (options->units && options->counts)) {
		fputs("plugflash history: --json and --csv do not go together, nor do --units and --counts\n",
			stderr);
		return EXIT_USAGE;
	}
	return 0;
}

/* ------------------------------------------------------------------------------ attempts */

static const char *const attempt_heading[] = {
	"TIME", "BOARD", "SLOT", "UNIT", "OUTCOME", "PROOF", "IMAGE", "BYTES", "TOOK", "REASON"};

/*
 * The columns of the attempt itself; those of its report stand in the table of fields. A new column
 * comes last, since scripts also know columns by their place.
 */
static const struct {
	const char *name;
	unsigned csv;
} attempt_columns[] = {
	{"started", 1},
	{"ended", 2},
	{"job", 3},
	{"board", 4},
	{"port", 5},
	{"usb_serial", 6},
	{"usb_path", 7},
	{"cause", 14},
	{"slot", 22},
	{"operation", 23},
};

#define ATTEMPT_COLUMNS_MOST 32

static size_t attempt_names(const char *names[static ATTEMPT_COLUMNS_MOST])
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(attempt_columns); i++, n++)
		names[attempt_columns[i].csv - 1] = attempt_columns[i].name;
	for (size_t i = 0; i < n_report_fields; i++) {
		if (report_fields[i].csv == 0)
			continue;
		names[report_fields[i].csv - 1] = report_fields[i].name;
		n++;
	}
	return n;
}

static void write_attempt_csv(const struct store_attempt *attempt, FILE *to)
{
	char started[64], ended[64], serial[TEXT_ESCAPED_MAX];
	char shown[ATTEMPT_COLUMNS_MOST][FIELD_SHOWN_MAX];
	const char *cells[ATTEMPT_COLUMNS_MOST], *names[ATTEMPT_COLUMNS_MOST];
	const char *const own[ARRAY_SIZE(attempt_columns)] = {
		when_format_exact(attempt->started_ms, started, sizeof(started)),
		when_format_exact(attempt->ended_ms, ended, sizeof(ended)), attempt->job,
		attempt->board, attempt->port,
		text_identifier(attempt->serial, serial, sizeof(serial)), attempt->usb_path,
		attempt->cause, attempt->slot, attempt->operation};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		cells[attempt_columns[i].csv - 1] = own[i];
	for (size_t i = 0; i < n_report_fields; i++) {
		const struct field *field = &report_fields[i];
		bool is_due = field->kind != KIND_OUTCOME || attempt->ended_ms > 0;

		if (field->csv > 0)
			cells[field->csv - 1] = is_due ? field_format(field, &attempt->report,
								 shown[field->csv - 1])
						       : "";
	}
	csv_write_row(cells, attempt_names(names), to);
}

/* People read the name of a place; a place without one has its path. */
static const char *place(const char *slot, const char *usb_path)
{
	return *slot ? slot : usb_path;
}

static int tell_attempt(void *userdata, const struct store_attempt *attempt)
{
	struct telling *telling = userdata;
	const struct report *report = &attempt->report;
	char time[64], bytes[32], took[32] = "";

	telling->n_items++;
	if (telling->options->json)
		return json_list_attempt(&telling->json, attempt);
	if (telling->options->csv) {
		write_attempt_csv(attempt, telling->to);
		return 0;
	}
	units_bytes(report->bytes, bytes, sizeof(bytes));
	if (report->duration_ms > 0)
		units_seconds(report->duration_ms, took, sizeof(took));
	return table_add_row(&telling->table,
		(const char *const[]){when_format(attempt->started_ms, time, sizeof(time)),
			attempt->board, place(attempt->slot, attempt->usb_path), report->unit,
			attempt->ended_ms > 0 ? outcome_to_string(report->outcome) : "running",
			proof_to_string(report->proof), report->image,
			report->bytes > 0 ? bytes : "", took, report->reason.text});
}

/* --------------------------------------------------------------------------------- units */

static const char *const unit_heading[] = {
	"SEEN", "BOARD", "SLOT", "UNIT", "STATE", "IMAGE", "VERSION", "FAILED"};

static const char *const unit_names[] = {"seen", "board", "usb_serial", "usb_path", "chip", "unit",
	"state", "image", "version", "sha256", "failures", "failed_with", "rollback", "slot"};

static int tell_unit(void *userdata, const struct store_unit *unit)
{
	struct telling *telling = userdata;
	const char *state = unit->has_state ? unit_state_to_string(unit->state) : "";
	const char *failed = unit->failures > 0 ? outcome_to_string(unit->failed_outcome) : "";
	char seen[64], failures[64], serial[TEXT_ESCAPED_MAX];

	telling->n_items++;
	if (telling->options->json)
		return json_list_unit(&telling->json, unit);
	if (telling->options->csv) {
		const char *const cells[] = {when_format_exact(unit->seen_ms, seen, sizeof(seen)),
			unit->board, text_identifier(unit->serial, serial, sizeof(serial)),
			unit->usb_path, unit->chip, unit->unit, state, unit->image, unit->version,
			unit->sha256, failures, failed, rollback_state_to_string(unit->rollback),
			unit->slot};

		snprintf(failures, sizeof(failures), "%u", unit->failures);
		csv_write_row(cells, ARRAY_SIZE(cells), telling->to);
		return 0;
	}
	/* "3 verify-differs", "1 not-confirmed, went back" */
	snprintf(failures, sizeof(failures), "%u %s%s", unit->failures, failed,
		unit->rollback == ROLLBACK_DONE ? ", went back" : "");
	return table_add_row(&telling->table,
		(const char *const[]){when_format(unit->seen_ms, seen, sizeof(seen)), unit->board,
			place(unit->slot, unit->usb_path), unit->unit, state, unit->image,
			unit->version, unit->failures > 0 ? failures : ""});
}

/* -------------------------------------------------------------------------------- counts */

static const char *const count_heading[] = {
	"DAY", "BOARD", "SLOT", "FIRST", "RETRIED", "BAD", "YIELD", "BAD AS"};

static const char *const count_names[] = {"day", "board", "slot", "usb_path", "first_pass",
	"retried", "bad", "yield_percent", "outcomes", "last"};

/* "no-sync 2, write-failed 1"; all that count, or the bad ones alone. */
static void write_outcomes(
	const struct day_counts *counts, bool is_bad_only, const char *comma, char *to, size_t size)
{
	size_t n = 0;

	to[0] = '\0';
	for (enum outcome outcome = 0; outcome < OUTCOME_MAX && n < size; outcome++) {
		bool is_good = outcome == OUTCOME_UPDATED || outcome == OUTCOME_CURRENT;

		if (counts->outcomes[outcome] > 0 && !(is_bad_only && is_good))
			n += (size_t)snprintf(to + n, size - n, "%s%s %u", n > 0 ? comma : "",
				outcome_to_string(outcome), counts->outcomes[outcome]);
	}
}

/* Numbers stand one below the other, and the heading above them. */
static int add_count_row(struct table *table, const char *day, const char *board, const char *slot,
	const struct day_counts *counts)
{
	char first[16], retried[16], bad[16], yield[16], outcomes[400];

	snprintf(first, sizeof(first), "%5u", counts->first_pass);
	snprintf(retried, sizeof(retried), "%7u", counts->retried);
	snprintf(bad, sizeof(bad), "%3u", counts->bad);
	day_counts_format_yield(counts, yield, sizeof(yield));
	write_outcomes(counts, true, ", ", outcomes, sizeof(outcomes));
	return table_add_row(table,
		(const char *const[]){day, board, slot, first, retried, bad, yield, outcomes});
}

static void write_count_csv(const struct count_cell *cell, FILE *to)
{
	const struct day_counts *counts = &cell->counts;
	char first[16], retried[16], bad[16], yield[16], outcomes[400], last[64];
	const char *const cells[] = {counts->day, cell->board, cell->slot, cell->usb_path, first,
		retried, bad, yield, outcomes, last};

	snprintf(first, sizeof(first), "%u", counts->first_pass);
	snprintf(retried, sizeof(retried), "%u", counts->retried);
	snprintf(bad, sizeof(bad), "%u", counts->bad);
	snprintf(yield, sizeof(yield), "%d", day_counts_yield(counts) / 10);
	write_outcomes(counts, false, " ", outcomes, sizeof(outcomes));
	when_format_exact(cell->last_ms, last, sizeof(last));
	csv_write_row(cells, ARRAY_SIZE(cells), to);
}

static int tell_count(struct telling *telling, const struct count_cell *cell)
{
	telling->n_items++;
	if (telling->options->json)
		return json_list_count(&telling->json, cell);
	if (!telling->options->csv)
		return add_count_row(&telling->table, cell->counts.day, cell->board,
			place(cell->slot, cell->usb_path), &cell->counts);
	write_count_csv(cell, telling->to);
	return 0;
}

static int tell_counts(struct telling *telling, struct store *store,
	const struct store_filter *filter, struct reason *reason)
{
	CLEANUP(count_cells_done) struct count_cells cells = {0};
	struct day_counts all = {.first_pass = 0};
	int r = store_count(store, filter, 0, &cells, reason);

	for (size_t i = 0; i < cells.n_items && r == 0; i++) {
		day_counts_join(&all, &cells.items[i].counts);
		r = tell_count(telling, &cells.items[i]);
	}
	if (r == 0 && cells.n_items > 1 && !telling->options->json && !telling->options->csv)
		r = add_count_row(&telling->table, "total", "", "", &all);
	return r;
}

/* --------------------------------------------------------------------------------- verb */

/* The list from its heading to its end. */
static int tell(struct telling *telling, struct store *store, const struct store_filter *filter,
	struct reason *reason)
{
	/* Its key in JSON, its headings for people, and its columns as CSV. */
	static const struct list {
		const char *name;
		const char *const *heading;
		size_t n_heading;
		const char *const *columns; /* NULL: those of an attempt */
		size_t n_columns;
	} attempts = {"attempts", attempt_heading, ARRAY_SIZE(attempt_heading), NULL, 0},
	  units = {"units", unit_heading, ARRAY_SIZE(unit_heading), unit_names,
		  ARRAY_SIZE(unit_names)},
	  counts = {"counts", count_heading, ARRAY_SIZE(count_heading), count_names,
		  ARRAY_SIZE(count_names)};
	const struct options *options = telling->options;
	const struct list *list = options->units ? &units : options->counts ? &counts : &attempts;
	const char *names[ATTEMPT_COLUMNS_MOST];
	int r = 0;

	telling->table.n_columns = list->n_heading;
	if (options->json)
		r = json_list_begin(&telling->json, list->name, telling->to);
	else if (!options->csv)
		r = table_add_row(&telling->table, list->heading);
	else if (list->columns)
		csv_write_row(list->columns, list->n_columns, telling->to);
	else
		csv_write_row(names, attempt_names(names), telling->to);
	if (r < 0)
		return r;
	if (options->units)
		r = store_list_units(store, filter, tell_unit, telling, reason);
	else if (options->counts)
		r = tell_counts(telling, store, filter, reason);
	else
		r = store_list_attempts(store, filter, tell_attempt, telling, reason);
	if (r == 0 && telling->n_items == 0)
		names_warn("history", options);
	if (r < 0 || options->csv)
		return r;
	if (options->json)
		return json_list_end(&telling->json);
	if (telling->n_items > 0)
		table_print(&telling->table, table_room(stdout), telling->to);
	else if (options->unit || options->board || options->slot || options->port ||
		 options->outcome || options->since || options->until)
		fputs("nothing fits; plugflash history alone lists the newest attempts\n", stderr);
	else
		fputs("the service has attempted nothing yet; what is done without it is not recorded\n",
			stderr);
	return 0;
}

int verb_history(const struct options *options)
{
	CLEANUP(store_reader_closep) struct store *store = NULL;
	CLEANUP(freep) char *text = NULL;
	struct telling telling = {.options = options};
	struct store_filter filter;
	struct reason reason = {0};
	char port[TEXT_MAX];
	size_t n_text = 0;
	int r = read_filter(options, port, sizeof(port), &filter);

	if (r != 0)
		return r;
	r = store_reader_open("history", &store);
	if (r != 0)
		return r;
	telling.to = open_memstream(&text, &n_text);
	r = telling.to ? tell(&telling, store, &filter, &reason) : -ENOMEM;
	store = store_close(store);
	table_done(&telling.table);
	if (telling.to && fclose(telling.to) != 0 && r == 0)
		r = -ENOMEM;
	if (r == 0 && (fwrite(text, 1, n_text, stdout) != n_text || fflush(stdout) != 0))
		r = -EIO;
	if (r == 0)
		return 0;
	fprintf(stderr, "plugflash history: %s\n", *reason.text ? reason.text : strerror(-r));
	return outcome_to_exit_code(OUTCOME_FAILED);
}
