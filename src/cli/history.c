/* SPDX-License-Identifier: MIT */
/* history.c - the verb: attempts and units out of the store, which needs no service to be read. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "api/csv.h"
#include "api/fields.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/outcome.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/objects.h"
#include "cli/store-reader.h"
#include "cli/table.h"
#include "cli/units.h"
#include "cli/when.h"

#define LIMIT_DEFAULT 100

/* How the list is told, and as far as it has been. */
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

static int read_times(const struct options *options, struct store_filter *filter)
{
	static const char expected[] = "a time like 2025-06-01, '2025-06-01 14:30', today or 2h";
	int64_t now_ms = wall_clock_msec();

	if (options->since && when_parse(options->since, now_ms, &filter->since_ms) < 0)
		return wrong("since", expected, options->since);
	if (options->until && when_parse(options->until, now_ms, &filter->until_ms) < 0)
		return wrong("until", expected, options->until);
	return 0;
}

static int wrong_outcome(const char *given)
{
	char words[400] = "one of";
	size_t used = strlen(words);

	for (enum outcome outcome = 0; outcome < OUTCOME_MAX && used < sizeof(words); outcome++)
		used += (size_t)snprintf(words + used, sizeof(words) - used, "%s %s",
			outcome > 0 ? "," : "", outcome_to_string(outcome));
	return wrong("outcome", words, given);
}

static int read_filter(
	const struct options *options, char *port, size_t port_size, struct store_filter *filter)
{
	*filter = (struct store_filter){
		.unit = options->unit,
		.board = options->board,
		.path = options->slot,
		.outcome = options->outcome,
		.limit = LIMIT_DEFAULT,
	};
	if (options->port)
		filter->port = store_reader_port_node(options->port, port, port_size);
	if (options->outcome && outcome_from_string(options->outcome) < 0)
		return wrong_outcome(options->outcome);
	if (options->limit && parse_u32(options->limit, &filter->limit) < 0)
		return wrong("limit", "a number", options->limit);
	if ((options->json && options->csv) || (options->units && options->counts)) {
		fputs("plugflash history: --json and --csv do not go together, nor do --units and "
		      "--counts\n",
			stderr);
		return EXIT_USAGE;
	}
	return read_times(options, filter);
}

/* ------------------------------------------------------------------------------ attempts */

static const char *const attempt_heading[] = {
	"TIME", "BOARD", "SLOT", "UNIT", "OUTCOME", "PROOF", "IMAGE", "BYTES", "TOOK", "REASON"};

static const char *outcome_of(const struct store_attempt *attempt)
{
	return attempt->ended_ms > 0 ? outcome_to_string(attempt->report.outcome) : "running";
}

static int add_attempt_row(struct telling *telling, const struct store_attempt *attempt)
{
	const struct report *report = &attempt->report;
	char time[64], bytes[32], took[32] = "";

	units_bytes(report->bytes, bytes, sizeof(bytes));
	if (report->duration_ms > 0)
		units_seconds(report->duration_ms, took, sizeof(took));
	return table_add_row(&telling->table,
		(const char *const[]){when_format(attempt->started_ms, time, sizeof(time)),
			attempt->board, attempt->path, report->unit, outcome_of(attempt),
			proof_to_string(report->proof), report->image,
			report->bytes > 0 ? bytes : "", took, report->reason.text});
}

/*
 * The columns of the attempt itself; those of its report stand in the table of fields. Scripts know
 * columns by their place too, so that a new one comes last.
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
		text_identifier(attempt->serial, serial, sizeof(serial)), attempt->path,
		attempt->cause};

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

static int tell_attempt(void *userdata, const struct store_attempt *attempt)
{
	struct telling *telling = userdata;

	telling->n_items++;
	if (telling->options->json)
		return json_list_attempt(&telling->json, attempt);
	if (telling->options->csv) {
		write_attempt_csv(attempt, telling->to);
		return 0;
	}
	return add_attempt_row(telling, attempt);
}

/* --------------------------------------------------------------------------------- units */

static const char *const unit_heading[] = {
	"SEEN", "BOARD", "SLOT", "UNIT", "STATE", "IMAGE", "VERSION", "FAILED"};

static const char *state_of(const struct store_unit *unit)
{
	return unit->has_state ? unit_state_to_string(unit->state) : "";
}

/* What is held against the unit: "3 verify-differs", "1 not-confirmed, went back". */
static const char *failures_of(const struct store_unit *unit, char *to, size_t size)
{
	if (unit->failures == 0)
		return "";
	snprintf(to, size, "%" PRIu32 " %s%s", unit->failures,
		outcome_to_string(unit->failed_outcome),
		unit->rollback == ROLLBACK_DONE ? ", went back" : "");
	return to;
}

static int add_unit_row(struct telling *telling, const struct store_unit *unit)
{
	char time[64], failures[64];

	return table_add_row(&telling->table,
		(const char *const[]){when_format(unit->seen_ms, time, sizeof(time)), unit->board,
			unit->path, unit->unit, state_of(unit), unit->image, unit->version,
			failures_of(unit, failures, sizeof(failures))});
}

static const char *const unit_names[] = {"seen", "board", "usb_serial", "usb_path", "chip", "unit",
	"state", "image", "version", "sha256", "failures", "failed_with", "rollback"};

static int write_unit_csv(const struct store_unit *unit, FILE *to)
{
	char seen[64], failures[32], serial[TEXT_ESCAPED_MAX];
	const char *const cells[] = {when_format_exact(unit->seen_ms, seen, sizeof(seen)),
		unit->board, text_identifier(unit->serial, serial, sizeof(serial)), unit->path,
		unit->chip, unit->unit, state_of(unit), unit->image, unit->version, unit->sha256,
		failures, unit->failures > 0 ? outcome_to_string(unit->failed_outcome) : "",
		rollback_state_to_string(unit->rollback)};

	snprintf(failures, sizeof(failures), "%" PRIu32, unit->failures);
	csv_write_row(cells, ARRAY_SIZE(cells), to);
	return 0;
}

static int tell_unit(void *userdata, const struct store_unit *unit)
{
	struct telling *telling = userdata;

	telling->n_items++;
	if (telling->options->json)
		return json_list_unit(&telling->json, unit);
	if (telling->options->csv)
		return write_unit_csv(unit, telling->to);
	return add_unit_row(telling, unit);
}

/* -------------------------------------------------------------------------------- counts */

static const char *const count_heading[] = {"BOARD", "SLOT", "UPDATED", "CURRENT", "BAD", "LAST"};
static const char *const count_names[] = {"board", "usb_path", "updated", "current", "bad", "last"};

static int tell_count(void *userdata, const struct store_count *count)
{
	struct telling *telling = userdata;
	char updated[32], current[32], bad[32], last[64];
	const char *const cells[] = {count->board, count->path, updated, current, bad, last};

	telling->n_items++;
	if (telling->options->json)
		return json_list_count(&telling->json, count);
	snprintf(updated, sizeof(updated), "%" PRIu32, count->updated);
	snprintf(current, sizeof(current), "%" PRIu32, count->current);
	snprintf(bad, sizeof(bad), "%" PRIu32, count->bad);
	if (!telling->options->csv) {
		when_format(count->last_ms, last, sizeof(last));
		return table_add_row(&telling->table, cells);
	}
	when_format_exact(count->last_ms, last, sizeof(last));
	csv_write_row(cells, ARRAY_SIZE(cells), telling->to);
	return 0;
}

/* --------------------------------------------------------------------------------- verb */

/* A list: its key in JSON, its headings for people, and its columns as CSV. */
struct list {
	const char *name;
	const char *const *heading;
	size_t n_heading;
	const char *const *columns; /* NULL: those of an attempt */
	size_t n_columns;
};

#define LIST(name, kind, columns, n_columns)                                         \
	{                                                                            \
		name, kind##_heading, ARRAY_SIZE(kind##_heading), columns, n_columns \
	}

static const struct list *list_of(const struct options *options)
{
	static const struct list attempts = LIST("attempts", attempt, NULL, 0),
				 units = LIST("units", unit, unit_names, ARRAY_SIZE(unit_names)),
				 counts = LIST(
					 "counts", count, count_names, ARRAY_SIZE(count_names));

	if (options->units)
		return &units;
	return options->counts ? &counts : &attempts;
}

static void write_columns(const struct list *list, FILE *to)
{
	const char *names[ATTEMPT_COLUMNS_MOST];

	if (list->columns)
		csv_write_row(list->columns, list->n_columns, to);
	else
		csv_write_row(names, attempt_names(names), to);
}

static int begin(struct telling *telling)
{
	const struct list *list = list_of(telling->options);

	if (telling->options->json)
		return json_list_begin(&telling->json, list->name, telling->to);
	if (telling->options->csv) {
		write_columns(list, telling->to);
		return 0;
	}
	telling->table.n_columns = list->n_heading;
	return table_add_row(&telling->table, list->heading);
}

/* Without a filter the store is empty. */
static void tell_nothing(const struct options *options)
{
	bool is_filtered = options->unit || options->board || options->slot || options->port ||
			   options->outcome || options->since || options->until;

	fputs(is_filtered
			? "nothing fits; plugflash history alone lists the newest attempts\n"
			: "the service has attempted nothing yet; what is done by hand is not recorded\n",
		stderr);
}

static int end(struct telling *telling)
{
	if (telling->options->json)
		return json_list_end(&telling->json);
	if (!telling->options->csv && telling->n_items > 0)
		table_print(&telling->table, telling->to);
	else if (!telling->options->csv)
		tell_nothing(telling->options);
	return 0;
}

static int tell(struct telling *telling, struct store *store, const struct store_filter *filter,
	struct reason *reason)
{
	int r = begin(telling);

	if (r < 0)
		return r;
	if (telling->options->units)
		r = store_list_units(store, filter, tell_unit, telling, reason);
	else if (telling->options->counts)
		r = store_list_counts(store, filter, tell_count, telling, reason);
	else
		r = store_list_attempts(store, filter, tell_attempt, telling, reason);
	return r == 0 ? end(telling) : r;
}

/* Out of the store into memory, which is let go of before a word of it is printed. */
static int copy(const struct options *options, struct store *store,
	const struct store_filter *filter, char **ret, size_t *ret_n, struct reason *reason)
{
	struct telling telling = {.options = options, .to = open_memstream(ret, ret_n)};
	int r = telling.to ? tell(&telling, store, filter, reason) : -ENOMEM;

	table_done(&telling.table);
	if (telling.to && fclose(telling.to) != 0 && r == 0)
		r = -ENOMEM;
	return r;
}

/*
 * Whoever reads through a pager may leave it open for days, and as long as the store is read, its
 * log grows with each job of the service.
 */
int verb_history(const struct options *options)
{
	CLEANUP(store_reader_closep) struct store *store = NULL;
	CLEANUP(freep) char *text = NULL;
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
	r = copy(options, store, &filter, &text, &n_text, &reason);
	store = store_close(store);
	if (r == 0 && (fwrite(text, 1, n_text, stdout) != n_text || fflush(stdout) != 0))
		r = -EIO;
	if (r == 0)
		return 0;
	fprintf(stderr, "plugflash history: %s\n", *reason.text ? reason.text : strerror(-r));
	return outcome_to_exit_code(OUTCOME_FAILED);
}
