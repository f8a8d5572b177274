/* SPDX-License-Identifier: MIT */
#include "service/journal.h"

#include <inttypes.h>
#include <string.h>

#include "api/fields.h"
#include "base/log.h"
#include "base/names.h"

/* One entry about a bridge and its attempt, with names from outside fit to stand in a sentence. */
struct entry {
	struct log_fields fields;
	char port[TEXT_MAX];
	char board[TEXT_MAX];
	char image[TEXT_MAX];
	char version[TEXT_MAX];
};

static void entry_done(struct entry *entry)
{
	log_fields_done(&entry->fields);
}

static const char *last_part(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

static void add_facts(struct log_fields *fields, const struct facts *facts, const char *slot)
{
	log_field(fields, FIELD_PORT, "%s", facts->port);
	log_field(fields, FIELD_USB_SERIAL, "%s", facts->serial);
	log_field(fields, FIELD_USB_PATH, "%s", facts->usb_path);
	log_field(fields, FIELD_SLOT, "%s", slot);
}

static void add_job(struct log_fields *fields, const struct bridge *bridge)
{
	const struct attempt *attempt = &bridge->attempt;
	const struct batch *batch = &attempt->note.batch;

	log_field(fields, FIELD_JOB, "%s", attempt->id);
	log_field(fields, FIELD_OPERATION, "%s", attempt_operation_to_string(attempt->operation));
	log_field(fields, FIELD_BOARD, "%s", attempt->board);
	add_facts(fields, &bridge->facts, bridge->slot);
	log_field(fields, FIELD_IMAGE, "%s", attempt->image);
	log_field(fields, FIELD_VERSION, "%s", attempt->version);
	/* Of its end alone, and of the rule of the batch. */
	if (*batch->board && strcmp(batch->board, attempt->board) == 0)
		log_field(fields, FIELD_BATCH, "%u/%u", batch->done, batch->count);
}

/* An attempt that has no image of its own, or no version of it, has what its report says. */
static void begin(struct entry *entry, const struct bridge *bridge, const struct report *report)
{
	const struct attempt *attempt = &bridge->attempt;
	const char *image = *attempt->image || !report ? attempt->image : report->image;
	const char *version = *attempt->version || !report ? attempt->version : report->version;

	text_escape(last_part(bridge->facts.port), entry->port, sizeof(entry->port));
	text_escape(attempt->board, entry->board, sizeof(entry->board));
	text_escape(image, entry->image, sizeof(entry->image));
	text_escape(version, entry->version, sizeof(entry->version));
	add_job(&entry->fields, bridge);
}

/* The unit of an entry that does not end the attempt: the outcome is a field of the one that does.
 */
static void add_unit(struct entry *entry, const struct report *report)
{
	log_field(&entry->fields, FIELD_CHIP, "%s", report->chip);
	log_field(&entry->fields, FIELD_UNIT, "%s", report->unit);
}

static void add_report(struct log_fields *fields, const struct report *report)
{
	char shown[FIELD_SHOWN_MAX];

	for (size_t i = 0; i < n_report_fields; i++) {
		const struct field *field = &report_fields[i];

		if (field->journal && field_is_known(field, report))
			log_field(fields, field->journal, "%s", field_format(field, report, shown));
	}
}

void journal_no_match(const struct bridge *bridge, const struct match_miss *nearest)
{
	const struct facts *facts = &bridge->facts;
	CLEANUP(log_fields_done) struct log_fields fields = {0};
	char port[TEXT_MAX], serial[TEXT_MAX], product[TEXT_MAX], name[TEXT_MAX];
	char slip[3 * TEXT_MAX] = "";

	if (nearest)
		snprintf(slip, sizeof(slip), " (the nearest rule, '%s', has %s '%s')",
			text_escape(nearest->board->name, name, sizeof(name)), nearest->key,
			nearest->wanted);
	add_facts(&fields, facts, bridge->slot);
	log_field(&fields, FIELD_OUTCOME, "%s", outcome_to_string(OUTCOME_NO_MATCH));
	log_event(LOG_INFO, MESSAGE_NO_MATCH, &fields,
		"%s: no rule fits the bridge %04x:%04x, product '%s', serial '%s'; it is left alone%s",
		text_escape(last_part(facts->port), port, sizeof(port)), facts->vendor_id,
		facts->product_id, text_escape(facts->product, product, sizeof(product)),
		text_identifier(facts->serial, serial, sizeof(serial)), slip);
}

void journal_ambiguous(const struct bridge *bridge, const struct match *match)
{
	const struct facts *facts = &bridge->facts;
	CLEANUP(log_fields_done) struct log_fields fields = {0};
	const struct board *a = match->board, *b = match->other;
	char port[TEXT_MAX], names[2][TEXT_MAX], files[2][TEXT_MAX];

	add_facts(&fields, facts, bridge->slot);
	log_field(&fields, FIELD_OUTCOME, "%s", outcome_to_string(OUTCOME_AMBIGUOUS));
	log_event(LOG_WARNING, MESSAGE_AMBIGUOUS, &fields,
		"%s: the rules '%s' (%s:%u) and '%s' (%s:%u) fit the bridge equally well; the port was not opened. Give one of them another key, such as path or slot",
		text_escape(last_part(facts->port), port, sizeof(port)),
		text_escape(a->name, names[0], sizeof(names[0])),
		text_escape(a->file, files[0], sizeof(files[0])), a->line,
		text_escape(b->name, names[1], sizeof(names[1])),
		text_escape(b->file, files[1], sizeof(files[1])), b->line);
}

void journal_flapping(
	const struct facts *facts, const char *slot, const struct flap_verdict *verdict)
{
	CLEANUP(log_fields_done) struct log_fields fields = {0};
	char port[TEXT_MAX], path[TEXT_MAX], consequence[80];

	if (verdict->delay_usec > 0)
		snprintf(consequence, sizeof(consequence),
			"the update waits until it has stayed connected for %" PRIu64 " s",
			verdict->delay_usec / USEC_PER_SEC);
	else
		snprintf(consequence, sizeof(consequence),
			"its messages are limited to one of each kind a minute");
	add_facts(&fields, facts, slot);
	log_event(LOG_WARNING, MESSAGE_FLAPPING, &fields,
		"%s: the bridge at '%s' keeps reconnecting, %u times since the last message; %s",
		text_escape(last_part(facts->port), port, sizeof(port)),
		text_escape(facts->usb_path, path, sizeof(path)), verdict->n_comings, consequence);
}

void journal_started(const struct bridge *bridge)
{
	CLEANUP(entry_done) struct entry entry = {0};

	static const char *const verbs[OPERATION_MAX] = {
		[OPERATION_FLASH] = "gets ",
		[OPERATION_VERIFY] = "is compared with ",
		[OPERATION_PROBE] = "is asked what it is",
		[OPERATION_IDENTIFY] = "shows which one it is",
		[OPERATION_ROLLBACK] = "gets ",
	};

	begin(&entry, bridge, NULL);
	log_event(LOG_INFO, MESSAGE_JOB_STARTED, &entry.fields, "%s: board '%s' %s%s%s%s%s%s",
		entry.port, entry.board, verbs[bridge->attempt.operation], entry.image,
		*entry.version ? " (" : "", entry.version, *entry.version ? ")" : "",
		*bridge->ask.id ? ", as was asked for" : "");
}

void journal_retried(const struct bridge *bridge, const struct report *report, uint64_t delay_usec)
{
	CLEANUP(entry_done) struct entry entry = {0};
	const char *outcome = outcome_to_string(report->outcome);

	begin(&entry, bridge, report);
	add_report(&entry.fields, report);
	if (delay_usec == 0)
		log_event(LOG_INFO, MESSAGE_JOB_RETRIED, &entry.fields,
			"%s: board '%s' %s: %s; but the bridge is plugged in: trying again now",
			entry.port, entry.board, outcome, report->reason.text);
	else
		log_event(LOG_INFO, MESSAGE_JOB_RETRIED, &entry.fields,
			"%s: board '%s' %s: %s; trying again in %" PRIu64 " ms", entry.port,
			entry.board, outcome, report->reason.text, delay_usec / USEC_PER_MSEC);
}

void journal_disbelieved(const struct bridge *bridge, const struct report *said, const char *lie)
{
	CLEANUP(entry_done) struct entry entry = {0};

	begin(&entry, bridge, said);
	log_event(LOG_CRIT, MESSAGE_DISBELIEVED, &entry.fields,
		"%s: board '%s': the worker contradicts itself and is not believed: %s (it said '%s', unit '%s')",
		entry.port, entry.board, lie, outcome_to_string(said->outcome), said->unit);
}

void journal_owners(const struct bridge *bridge, const char *units, uint64_t took_usec)
{
	CLEANUP(entry_done) struct entry entry = {0};

	begin(&entry, bridge, NULL);
	log_event(LOG_INFO, MESSAGE_OWNER_STOPPED, &entry.fields,
		"%s: board '%s': stopped for the job in %" PRIu64 ".%" PRIu64 " s: %s", entry.port,
		entry.board, took_usec / USEC_PER_SEC,
		took_usec % USEC_PER_SEC / (USEC_PER_SEC / 10), units);
}

void journal_torn(const struct bridge *bridge, const struct report *so_far)
{
	CLEANUP(entry_done) struct entry entry = {0};
	const struct store_unit *unit = &bridge->attempt.note.known;
	bool has_ended = unit->state == UNIT_FAILED && unit->failures > 0;
	char image[TEXT_MAX];

	begin(&entry, bridge, so_far);
	add_unit(&entry, so_far);
	log_event(LOG_NOTICE, MESSAGE_TORN, &entry.fields,
		"%s: board '%s' %s %s%s%s; it is written anew, whatever it holds", entry.port,
		entry.board,
		has_ended ? "did not end its last update well, to"
			  : "was left in the middle of an update to",
		text_escape(unit->image, image, sizeof(image)), has_ended ? ": " : "",
		has_ended ? outcome_to_string(unit->failed_outcome) : "");
}

void journal_quarantined(
	const struct bridge *bridge, const struct report *report, unsigned failures)
{
	CLEANUP(entry_done) struct entry entry = {0};

	begin(&entry, bridge, report);
	add_unit(&entry, report);
	log_event(LOG_ERR, MESSAGE_QUARANTINED, &entry.fields,
		"%s: board '%s' failed %u %s with %s, at last as '%s'; the unit is left alone until there is another image, another rule, or 'plugflash retry'",
		entry.port, entry.board, failures, failures == 1 ? "time" : "times", entry.image,
		outcome_to_string(report->outcome));
}

void journal_drops(const struct bridge *bridge, const struct report *report)
{
	CLEANUP(entry_done) struct entry entry = {0};

	begin(&entry, bridge, report);
	add_unit(&entry, report);
	log_event(LOG_ERR, MESSAGE_DROPS, &entry.fields,
		"%s: board '%s': its bridge goes in the middle of every update: %u times, one after the other; check cable, hub and supply. The unit is tried again, each time after twice as long",
		entry.port, entry.board, bridge->attempt.note.drops);
}

void journal_turned_off(
	const struct bridge *bridge, const struct report *report, enum trust_way way)
{
	CLEANUP(entry_done) struct entry entry = {0};
	char name[TEXT_MAX], reason[TEXT_MAX];
	struct store_trust row;

	/* The same row as the one that was kept, of a kind that nobody knew. */
	if (!trust_row(way, report, &row))
		return;
	(void)trust_learn(&row, way, report, 0);
	begin(&entry, bridge, report);
	add_unit(&entry, report);
	log_event(LOG_ERR, MESSAGE_TURNED_OFF, &entry.fields,
		"%s: board '%s': %s is turned off on this host: %s; this kind is written without it from now on. If the cause was this one board or its cable, 'plugflash retry --trials' puts it on trial again",
		entry.port, entry.board, text_show(row.name, name, sizeof(name)),
		text_escape(row.reason, reason, sizeof(reason)));
}

void journal_rollback(const struct bridge *bridge)
{
	CLEANUP(entry_done) struct entry entry = {0};
	const struct rollback *rollback = &bridge->attempt.rollback;

	begin(&entry, bridge, NULL);
	log_field(&entry.fields, FIELD_UNIT, "%s", bridge->attempt.unit);
	log_event(LOG_WARNING, MESSAGE_ROLLBACK, &entry.fields,
		"%s: board '%s' goes back to %s, which it held before: the application of %s did not %s",
		entry.port, entry.board, rollback->image, rollback->failed,
		rollback_fault(rollback->failed_as));
}

void journal_rolled_back(const struct bridge *bridge, const struct report *report)
{
	CLEANUP(entry_done) struct entry entry = {0};

	begin(&entry, bridge, report);
	add_unit(&entry, report);
	log_event(LOG_WARNING, MESSAGE_ROLLED_BACK, &entry.fields,
		"%s: board '%s' is back at %s; the unit does not get %s again until there is another image, another rule, or 'plugflash retry'",
		entry.port, entry.board, report->image, bridge->attempt.rollback.failed);
}

void journal_no_rollback(const struct bridge *bridge, const struct reason *reason)
{
	CLEANUP(entry_done) struct entry entry = {0};

	begin(&entry, bridge, NULL);
	log_field(&entry.fields, FIELD_UNIT, "%s", bridge->attempt.unit);
	log_event(LOG_ERR, MESSAGE_NO_ROLLBACK, &entry.fields,
		"%s: board '%s' cannot go back to %s: %s", entry.port, entry.board,
		bridge->attempt.rollback.image, reason->text);
}

static void say_updated(const struct report *report, const struct entry *entry)
{
	char version[TEXT_MAX + 4] = "", data[TEXT_MAX], of_its_own[TEXT_MAX + 32] = "";
	bool tells_stub = report_tells_stub(report);

	if (*entry->version)
		snprintf(version, sizeof(version), " (%s)", entry->version);
	if (*report->unit_data)
		snprintf(of_its_own, sizeof(of_its_own), ", with its own '%s'",
			text_escape(report->unit_data, data, sizeof(data)));
	log_event(LOG_NOTICE, MESSAGE_UPDATED, &entry->fields,
		"%s: board '%s' updated to %s%s%s: %" PRIu64 " bytes in %" PRIu64 ".%" PRIu64
		" s at %u baud%s%s%s%s",
		entry->port, entry->board, entry->image, version, of_its_own, report->bytes,
		report->duration_ms / 1000, report->duration_ms / 100 % 10, report->baud,
		tells_stub ? "; stub " : "", tells_stub ? report->stub : "",
		*report->remark ? "; " : "", report->remark);
}

static void say_failed(const struct report *report, const struct entry *entry)
{
	bool is_wrong_chip = report->outcome == OUTCOME_WRONG_CHIP;
	/* Somebody asked for it; nothing is to be mended. */
	int priority = report->outcome == OUTCOME_CANCELLED ? LOG_NOTICE : LOG_ERR;

	log_event(priority, is_wrong_chip ? MESSAGE_WRONG_CHIP : MESSAGE_JOB_FAILED, &entry->fields,
		"%s: board '%s' %s%s%s", entry->port, entry->board,
		outcome_to_string(report->outcome), *report->reason.text ? ": " : "",
		report->reason.text);
}

/* The chip, else the application, else that somebody is there at all. */
static void name_found(const struct report *report, char *to, size_t size)
{
	char version[TEXT_MAX];

	text_escape(report->application_version, version, sizeof(version));
	if (*report->chip)
		snprintf(to, size, "%s", report->chip);
	else if (*report->application)
		snprintf(to, size, "its application answers: %s%s%s at %u baud",
			report->application, version[0] ? " " : "", version,
			report->application_baud);
	else
		snprintf(to, size, "a boot loader answered");
}

/* A check found what it was to find, or something else: nothing was written, and nothing failed. */
static void say_checked(
	const struct bridge *bridge, const struct report *report, const struct entry *entry)
{
	enum attempt_operation operation = bridge->attempt.operation;
	char found[2 * TEXT_MAX];
	int priority = report->outcome == OUTCOME_CURRENT     ? LOG_INFO
		       : report->outcome == OUTCOME_CANCELLED ? LOG_NOTICE
							      : LOG_WARNING;

	name_found(report, found, sizeof(found));
	if (report->outcome != OUTCOME_CURRENT)
		log_event(priority, MESSAGE_CHECKED, &entry->fields, "%s: board '%s', %s: %s%s%s",
			entry->port, entry->board, attempt_operation_to_string(operation),
			outcome_to_string(report->outcome), *report->reason.text ? ": " : "",
			report->reason.text);
	else if (operation == OPERATION_IDENTIFY)
		log_event(priority, MESSAGE_CHECKED, &entry->fields,
			"%s: board '%s' has shown which one it is", entry->port, entry->board);
	else if (operation == OPERATION_PROBE)
		log_event(priority, MESSAGE_CHECKED, &entry->fields,
			"%s: board '%s' probed: %s%s%s%s%s", entry->port, entry->board, found,
			*report->unit ? ", unit " : "", report->unit,
			*report->refusal ? "; it would be refused: " : "", report->refusal);
	else
		log_event(priority, MESSAGE_CHECKED, &entry->fields,
			"%s: board '%s' verified: it holds %s", entry->port, entry->board,
			entry->image);
}

void journal_end_fields(
	const struct bridge *bridge, const struct report *report, struct log_fields *fields)
{
	add_job(fields, bridge);
	add_report(fields, report);
	log_field(fields, FIELD_REASON, "%s", report->reason.text);
}

void journal_ended(const struct bridge *bridge, const struct report *report)
{
	CLEANUP(entry_done) struct entry entry = {0};

	begin(&entry, bridge, report);
	add_report(&entry.fields, report);
	if (!attempt_operation_writes(bridge->attempt.operation))
		say_checked(bridge, report, &entry);
	else if (report->outcome == OUTCOME_UPDATED)
		say_updated(report, &entry);
	else if (report->outcome == OUTCOME_CURRENT && *report->reason.text)
		log_event(LOG_INFO, MESSAGE_CURRENT, &entry.fields,
			"%s: board '%s' keeps what it holds, nothing was erased: %s", entry.port,
			entry.board, report->reason.text);
	else if (report->outcome == OUTCOME_CURRENT)
		log_event(LOG_INFO, MESSAGE_CURRENT, &entry.fields,
			"%s: board '%s' holds %s already, nothing was erased", entry.port,
			entry.board, entry.image);
	else
		say_failed(report, &entry);
}
