/* SPDX-License-Identifier: MIT */
/*
 * place.h - one board at a station: a bench with the service's memory in the loop, and a journal
 * that counts its entries in place of the real one. Include after cmocka.h, in one file of a
 * program.
 */
#pragma once

#include <string.h>

#include "base/log.h"
#include "base/names.h"
#include "bench.h"
#include "image/digest.h"
#include "service/claim.h"
#include "service/journal.h"
#include "service/records.h"
#include "unit/folder.h"

#define F103 "chip = F103xC\nretries = 0"

/* --------------------------------------------------------- a journal that counts its entries */

static struct count {
	const char *message_id;
	unsigned n;
} counts[] = {{MESSAGE_STORE_UNUSABLE, 0}, {MESSAGE_STORE_USABLE, 0}, {MESSAGE_STORE_DAMAGED, 0},
	{MESSAGE_STORE_HELD, 0}, {MESSAGE_STORE_REPLACED, 0}, {MESSAGE_SERIAL_RATE, 0},
	{MESSAGE_TORN, 0}, {MESSAGE_QUARANTINED, 0}};

static inline struct count *count_of(const char *message_id)
{
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		if (strcmp(counts[i].message_id, message_id) == 0)
			return &counts[i];
	return NULL;
}

static inline unsigned entries(const char *message_id)
{
	return count_of(message_id)->n;
}

void log_field(struct log_fields *fields, const char *name, const char *format, ...)
{
	(void)fields;
	(void)name;
	(void)format;
}

void log_fields_done(struct log_fields *fields)
{
	(void)fields;
}

void log_event(int priority, const char *message_id, const struct log_fields *fields,
	const char *format, ...)
{
	struct count *count = message_id ? count_of(message_id) : NULL;

	(void)priority;
	(void)fields;
	(void)format;
	if (count)
		count->n++;
}

/* ------------------------------------------------------------------- one board at a station */

struct place {
	struct bench *bench;
	struct records records;
	struct attempt attempt;
	struct facts facts;
	char directory[300];
	uint64_t again_usec;
	bool is_host_cut; /* the service does not live to hear the end */
	struct claim claim;
};

static inline void answer(
	void *userdata, enum question question, const struct report *so_far, struct answer *ret)
{
	struct place *place = userdata;
	const char *lie = claim_check_question(&place->claim, question, so_far);
	struct bridge bridge = {.facts = place->facts};

	if (lie)
		fail_msg("the service would not believe it: %s", lie);
	records_answer(&place->records, &place->attempt, &place->facts, question, so_far, ret);
	bridge.attempt = place->attempt;
	if (question == QUESTION_DECIDE && place->attempt.note.cause == CAUSE_TORN)
		journal_torn(&bridge, so_far);
	claim_note(&place->claim, question, so_far, ret);
}

/* The end of a true attempt, which the service must believe. */
static inline void check_claim(const struct place *place)
{
	const struct report *known = &place->bench->known;
	const struct claim_bounds bounds = {
		.image = known->image,
		.version = known->version,
		.is_stopped = place->bench->is_cancelled != NULL,
	};
	const char *lie = claim_check_report(&place->claim, &bounds, &place->bench->report);

	if (lie)
		fail_msg("the service would not believe '%s' (%s): %s",
			outcome_to_string(place->bench->report.outcome),
			place->bench->report.reason.text, lie);
}

static inline void take_image(struct place *place, const char *name, const char *version)
{
	struct report *known = &place->bench->known;

	snprintf(known->image, sizeof(known->image), "%s", name);
	snprintf(known->version, sizeof(known->version), "%s", version);
	digest_sha256((const uint8_t *)name, strlen(name), known->sha256);
}

static inline void take_firmware(struct place *place, const char *path)
{
	bench_take_file(place->bench, path);
	take_image(place, path, strcmp(path, FIRMWARE_OLD) == 0 ? "1.0.0" : "1.1.0");
}

/* A board of the caller's, which free_place() frees, and a service that never saw it. */
static inline struct place *new_place_of(struct bench *bench)
{
	struct place *place = calloc(1, sizeof(*place));
	static unsigned number;

	assert_non_null(place);
	place->bench = bench;
	place->bench->ask = answer;
	place->bench->userdata = place;
	snprintf(place->directory, sizeof(place->directory), "%s/state-%u", folder, number++);
	assert_int_equal(mkdir(place->directory, 0700), 0);
	assert_int_equal(records_open(&place->records, place->directory), 0);
	place->facts = (struct facts){.port = (char *)BENCH_PORT,
		.vendor_id = 0x10c4,
		.product_id = 0xea60,
		.serial = (char *)"0001",
		.usb_path = (char *)"pci-1"};
	place->attempt = (struct attempt){
		.board = "bench",
		.policy = {.update = place->bench->board.update,
			.quarantine_after = place->bench->board.quarantine_after,
			.again_after_usec = place->bench->board.again_after_usec,
			.serialize = place->bench->board.serialize,
			.serialize_limit = place->bench->board.serialize_limit},
	};
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		counts[i].n = 0;
	return place;
}

/* One with the old firmware, which is to get the new one. */
static inline struct place *new_place_with(const struct sim_options *options, const char *rule)
{
	struct place *place = new_place_of(bench_new_with(options, rule));

	bench_take_file(place->bench, FIRMWARE_OLD);
	bench_preload(place->bench);
	take_firmware(place, FIRMWARE_NEW);
	return place;
}

static inline struct place *new_place(const struct sim_faults *faults, const char *rule)
{
	const struct sim_options options = {
		.chip = sim_chip_find("f103xc"),
		.faults = faults ? *faults : (struct sim_faults){0},
	};

	return new_place_with(&options, rule);
}

static inline void free_place(struct place *place)
{
	records_close(&place->records);
	bench_free(place->bench);
	free(place);
}

/* One plug-in, from question to end. */
static inline enum outcome plug(struct place *place)
{
	static unsigned number;
	enum outcome outcome;
	char id[33];

	snprintf(id, sizeof(id), "%032x", ++number);
	attempt_begin(&place->attempt, id);
	place->claim = (struct claim){0};
	outcome = bench_run(place->bench, FLASH_UPDATE);
	check_claim(place);
	if (!place->is_host_cut)
		place->again_usec = records_end(
			&place->records, &place->attempt, &place->facts, &place->bench->report);
	return outcome;
}

/* A check by the command: no service is asked. */
static inline enum outcome check_by_hand(struct place *place, enum flash_action action)
{
	enum outcome outcome;

	place->bench->ask = NULL;
	outcome = bench_run(place->bench, action);
	place->bench->ask = answer;
	return outcome;
}

/* The host lost its power, or the service was killed: it is there again and knows what is on disk.
 */
static inline void restart_service(struct place *place)
{
	records_close(&place->records);
	assert_int_equal(records_open(&place->records, place->directory), 0);
	place->is_host_cut = false;
}

static inline int take_first(void *userdata, const struct store_unit *unit)
{
	*(struct store_unit *)userdata = *unit;
	return 1;
}

/* The one unit that was seen last. */
static inline struct store_unit unit_of(struct place *place)
{
	struct store_unit unit = {0};
	struct reason reason;

	(void)store_list_units(
		place->records.store, &(struct store_filter){0}, take_first, &unit, &reason);
	return unit;
}

static inline int take_attempt(void *userdata, const struct store_attempt *attempt)
{
	*(struct store_attempt *)userdata = *attempt;
	return 1;
}

static inline struct store_attempt last_attempt(struct place *place)
{
	struct store_attempt attempt = {0};
	struct reason reason;

	(void)store_list_attempts(
		place->records.store, &(struct store_filter){0}, take_attempt, &attempt, &reason);
	return attempt;
}

static inline void clear_faults(struct place *place)
{
	sim_set_faults(place->bench->sim, &(struct sim_faults){0});
	port_sim_replug(BENCH_PORT);
}
