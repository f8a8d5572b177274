/* SPDX-License-Identifier: MIT */
#include "cli/stub-table.h"

#include <inttypes.h>
#include <string.h>

#include "base/util.h"

static const char *const names[STUB_STAGE_MAX] = {
	[STUB_STAGE_SLOW] = "115200",
	[STUB_STAGE_FAST] = "highest",
};

static void note_failure(struct stub_stage_tally *tally, const struct report *report)
{
	if (*tally->first_failure)
		return;
	snprintf(tally->first_failure, sizeof(tally->first_failure), "update %u: %s; %s%s%.300s",
		tally->n_runs, outcome_to_string(report->outcome),
		*report->stub ? report->stub : "the program was not tried",
		*report->reason.text ? "; " : "", report->reason.text);
}

/* Of what the program wrote. */
static void take_times(struct stub_stage_tally *tally, const struct report *report)
{
	uint64_t write_ms = report->phase_ms[PHASE_ERASE] + report->phase_ms[PHASE_WRITE];
	uint64_t ms = write_ms + report->phase_ms[PHASE_VERIFY];

	if (tally->n_passed == 1 || ms < tally->least_ms)
		tally->least_ms = ms;
	if (ms > tally->most_ms)
		tally->most_ms = ms;
	tally->sum_ms += ms;
	tally->write_ms += write_ms;
}

void stub_table_add(struct stub_table *table, enum stub_stage stage, const struct report *report)
{
	struct stub_stage_tally *tally = &table->stages[stage];
	bool is_written = report->outcome == OUTCOME_UPDATED;

	tally->n_runs++;
	table->last = *report;
	if (report->stub_trial == TRIAL_PASSED && is_written) {
		tally->n_passed++;
		text_copy(tally->used, sizeof(tally->used), report->stub);
		take_times(tally, report);
		return;
	}
	if (report->stub_trial == TRIAL_FAILED || report->stub_trial == TRIAL_PASSED)
		tally->n_failed++;
	else
		tally->n_unused++;
	note_failure(tally, report);
}

bool stub_table_is_good(const struct stub_table *table, uint32_t n_wanted)
{
	for (unsigned i = 0; i < STUB_STAGE_MAX; i++)
		if (table->stages[i].n_passed < n_wanted ||
			table->stages[i].n_runs > table->stages[i].n_passed)
			return false;
	return true;
}

static void print_stage(const struct stub_stage_tally *tally, const char *name, FILE *to)
{
	uint32_t n = tally->n_passed > 0 ? tally->n_passed : 1;

	fprintf(to, "%-8s %6u %7u %7u %7u", name, tally->n_runs, tally->n_passed, tally->n_failed,
		tally->n_unused);
	if (tally->n_passed > 0)
		fprintf(to, " %8.2f %8.2f %8.2f %8.2f", (double)tally->write_ms / n / 1000,
			(double)tally->least_ms / 1000, (double)tally->sum_ms / n / 1000,
			(double)tally->most_ms / 1000);
	fputc('\n', to);
}

void stub_table_print(const struct stub_table *table, uint32_t n_wanted, const char *version,
	const char *kernel, FILE *to)
{
	const struct report *report = &table->last;
	char text[TEXT_MAX];

	fprintf(to, "plugflash %s, program %u, Linux %s\n", version, report->stub_version, kernel);
	fprintf(to, "chip        %s, product id 0x%03x, boot loader V%u.%u, %" PRIu32 " KiB\n",
		text_escape(report->chip, text, sizeof(text)), report->product_id,
		report->bootloader_version >> 4, report->bootloader_version & 0xFu,
		report->flash_bytes / 1024);
	fprintf(to, "bridge      %s\n", text_escape(table->bridge, text, sizeof(text)));
	fprintf(to, "image       %" PRIu64 " bytes, sha256 %s\n", report->bytes, report->sha256);
	fputs("\nrate       runs  passed  failed  unused    write  fastest     mean  slowest  (s)\n",
		to);
	for (unsigned i = 0; i < STUB_STAGE_MAX; i++)
		print_stage(&table->stages[i], names[i], to);
	fputc('\n', to);
	for (unsigned i = 0; i < STUB_STAGE_MAX; i++)
		if (*table->stages[i].used)
			fprintf(to, "%s: %s\n", names[i],
				text_escape(table->stages[i].used, text, sizeof(text)));
	for (unsigned i = 0; i < STUB_STAGE_MAX; i++)
		if (*table->stages[i].first_failure)
			fprintf(to, "%s: the first that did not pass: %s\n", names[i],
				text_escape(table->stages[i].first_failure, text, sizeof(text)));
	fprintf(to, "\n%s\n",
		stub_table_is_good(table, n_wanted)
			? "all passed: please send this table in, as an issue of plugflash"
			: "not all passed: please send this table in, as an issue of plugflash");
}

struct json *stub_table_json(
	const struct stub_table *table, uint32_t n_wanted, const char *version, const char *kernel)
{
	const struct report *report = &table->last;
	struct json *json = json_new_object(), *stages = json_new_list();
	char text[32];

	json_add_text(json, "version", version);
	json_add_text(json, "kernel", kernel);
	json_add_text(json, "bridge", table->bridge);
	json_add_text(json, "chip", report->chip);
	snprintf(text, sizeof(text), "0x%03x", report->product_id);
	json_add_text(json, "product_id", text);
	snprintf(text, sizeof(text), "%u.%u", report->bootloader_version >> 4,
		report->bootloader_version & 0xFu);
	json_add_text(json, "bootloader_version", text);
	json_add_number(json, "stub_version", report->stub_version);
	json_add_number(json, "flash_bytes", report->flash_bytes);
	json_add_text(json, "sha256", report->sha256);
	json_add_number(json, "wanted", n_wanted);
	json_add_bool(json, "good", stub_table_is_good(table, n_wanted));
	for (unsigned i = 0; i < STUB_STAGE_MAX; i++) {
		const struct stub_stage_tally *tally = &table->stages[i];
		struct json *stage = json_new_object();

		json_add_text(stage, "rate", names[i]);
		json_add_text(stage, "used", tally->used);
		json_add_number(stage, "runs", tally->n_runs);
		json_add_number(stage, "passed", tally->n_passed);
		json_add_number(stage, "failed", tally->n_failed);
		json_add_number(stage, "unused", tally->n_unused);
		json_add_number(stage, "write_ms", tally->write_ms);
		json_add_number(stage, "least_ms", tally->least_ms);
		json_add_number(stage, "sum_ms", tally->sum_ms);
		json_add_number(stage, "most_ms", tally->most_ms);
		json_add_text(stage, "first_failure", tally->first_failure);
		json_add(stages, NULL, stage);
	}
	json_add(json, "stages", stages);
	return json;
}
