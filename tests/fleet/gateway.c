/* SPDX-License-Identifier: MIT */
/*
 * gateway.c - units of a gateway that is not there, and what becomes of them.
 *
 * Records are written as the service would (records/settle.c), as far as a client sees them.
 */
#include "fleet/gateway-private.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/names.h"
#include "image/library.h"

#define IMAGE_MOST (1024 * 1024)

int64_t gateway_now_ms(const struct gateway *gateway)
{
	return wall_clock_msec() + gateway->ahead_ms;
}

/* ---------------------------------------------------------------------------- attempts */

static void describe(const struct gateway *gateway, unsigned number, struct store_attempt *attempt)
{
	const struct unit *unit = gateway->units[number];

	snprintf(attempt->job, sizeof(attempt->job), "%016x%016" PRIx64, number,
		(uint64_t)attempt->id);
	text_copy(attempt->key, sizeof(attempt->key), unit->row.key);
	text_copy(attempt->board, sizeof(attempt->board), unit->row.board);
	snprintf(attempt->port, sizeof(attempt->port), "/dev/ttyUSB%u", number);
	text_copy(attempt->serial, sizeof(attempt->serial), unit->row.serial);
	text_copy(attempt->usb_path, sizeof(attempt->usb_path), unit->path);
	text_copy(attempt->slot, sizeof(attempt->slot), unit->slot);
	text_copy(attempt->report.chip, sizeof(attempt->report.chip), unit->row.chip);
	text_copy(attempt->report.unit, sizeof(attempt->report.unit), unit->row.unit);
	text_copy(attempt->operation, sizeof(attempt->operation), "flash");
	text_copy(attempt->cause, sizeof(attempt->cause), "differs");
}

/* Of what the unit holds, until the caller says another image. */
static struct store_attempt *begin_attempt(struct gateway *gateway, unsigned number)
{
	struct unit *unit = gateway->units[number];
	struct store_attempt *attempt = calloc(1, sizeof(*attempt)), **attempts;

	attempts = room_for_one(gateway->attempts, gateway->n_attempts, sizeof(*attempts));
	assert_non_null(attempt);
	assert_non_null(attempts);
	assert_null(unit->attempt);
	gateway->attempts = attempts;
	gateway->attempts[gateway->n_attempts++] = attempt;
	attempt->id = (int64_t)gateway->n_attempts;
	describe(gateway, number, attempt);
	text_copy(attempt->report.image, sizeof(attempt->report.image), unit->row.image);
	text_copy(attempt->report.version, sizeof(attempt->report.version), unit->row.version);
	text_copy(attempt->report.sha256, sizeof(attempt->report.sha256), unit->row.sha256);
	attempt->started_ms = gateway_now_ms(gateway);
	unit->attempt = attempt;
	unit->since_ms = attempt->started_ms;
	return attempt;
}

static void tell_begin(struct gateway *gateway, unsigned number)
{
	gateway_tell_job(gateway, number);
	gateway_tell_bridge(gateway, number);
	gateway_tell_manager(gateway);
}

static void end_attempt(struct gateway *gateway, unsigned number)
{
	struct unit *unit = gateway->units[number];
	struct store_attempt *attempt = TAKE_PTR(unit->attempt);

	attempt->ended_ms = gateway_now_ms(gateway);
	attempt->report.duration_ms = (uint64_t)(attempt->ended_ms - attempt->started_ms);
	attempt->report.phase = PHASE_LEAVE;
	unit->last_outcome = attempt->report.outcome;
	unit->last_reason = attempt->report.reason;
	unit->last_ms = unit->since_ms = attempt->ended_ms;
	gateway_tell_bridge(gateway, number);
	gateway_tell_manager(gateway);
	gateway_tell_end(gateway, attempt);
}

/* ------------------------------------------------------------------------------ images */

static void take_image(struct store_unit *row, const struct report *report)
{
	text_copy(row->image, sizeof(row->image), report->image);
	text_copy(row->version, sizeof(row->version), report->version);
	text_copy(row->sha256, sizeof(row->sha256), report->sha256);
	row->has_state = true;
	row->state = UNIT_WHOLE;
}

static void keep_previous(struct store_unit *row)
{
	text_copy(row->previous_image, sizeof(row->previous_image), row->image);
	text_copy(row->previous_version, sizeof(row->previous_version), row->version);
	text_copy(row->previous_sha256, sizeof(row->previous_sha256), row->sha256);
}

static void restore_previous(const struct store_unit *row, struct report *report)
{
	text_copy(report->image, sizeof(report->image), row->previous_image);
	text_copy(report->version, sizeof(report->version), row->previous_version);
	text_copy(report->sha256, sizeof(report->sha256), row->previous_sha256);
}

static void begin_rollback(struct gateway *gateway, unsigned number)
{
	struct unit *unit = gateway->units[number];
	struct store_attempt *attempt = begin_attempt(gateway, number);

	text_copy(attempt->operation, sizeof(attempt->operation), "rollback");
	text_copy(attempt->cause, sizeof(attempt->cause), "rollback");
	restore_previous(&unit->row, &attempt->report);
	attempt->report.outcome = OUTCOME_UPDATED;
	attempt->report.proof = PROOF_READ_BACK;
	reason_set(
		&attempt->report.reason, "the application of %s did not confirm", unit->row.image);
	unit->goes_back = true;
	tell_begin(gateway, number);
}

/* What the attempt leaves in the unit's row, and whether it goes back from it. */
static bool settle(struct unit *unit, const struct report *report)
{
	struct store_unit *row = &unit->row;

	if (unit->goes_back) {
		unit->goes_back = false;
		row->rollback = ROLLBACK_DONE;
		take_image(row, report);
		return false;
	}
	if (report->outcome == OUTCOME_UPDATED || report->outcome == OUTCOME_CURRENT) {
		row->failures = 0;
		row->rollback = ROLLBACK_NONE;
		take_image(row, report);
		return false;
	}
	if (report->outcome != OUTCOME_NOT_CONFIRMED)
		return false;
	take_image(row, report);
	row->state = UNIT_FAILED;
	row->failures++;
	row->failed_outcome = report->outcome;
	text_copy(row->failed_sha256, sizeof(row->failed_sha256), report->sha256);
	return *row->previous_sha256 != '\0';
}

/* All that is under way at the unit, the way back included. */
static void end_all(struct gateway *gateway, unsigned number)
{
	struct unit *unit = gateway->units[number];
	bool goes_back;

	do {
		goes_back = settle(unit, &unit->attempt->report);
		end_attempt(gateway, number);
		if (goes_back)
			begin_rollback(gateway, number);
	} while (goes_back);
}

static bool is_bad(const struct library_item *item)
{
	return memmem(item->data, item->n_data, GATEWAY_BAD, strlen(GATEWAY_BAD)) != NULL;
}

static void update(
	struct gateway *gateway, unsigned number, const char *name, const struct library_item *item)
{
	struct unit *unit = gateway->units[number];
	struct store_attempt *attempt = begin_attempt(gateway, number);
	struct report *report = &attempt->report;

	text_copy(report->image, sizeof(report->image), name);
	text_copy(report->version, sizeof(report->version), item->version);
	text_copy(report->sha256, sizeof(report->sha256), item->sha256);
	text_copy(report->signer, sizeof(report->signer), item->signer);
	report->bytes = item->n_data;
	report->outcome = is_bad(item) ? OUTCOME_NOT_CONFIRMED : OUTCOME_UPDATED;
	report->proof = PROOF_READ_BACK;
	if (is_bad(item))
		reason_set(&report->reason, "the application did not say 'ready' within 5 s");
	keep_previous(&unit->row);
	tell_begin(gateway, number);
	if (!gateway->holds_attempts)
		end_all(gateway, number);
}

static struct library_query query_of(const struct gateway *gateway, const struct rollout_unit *unit)
{
	return (struct library_query){
		.directory = gateway->images,
		.glob = GATEWAY_GLOB,
		.board = GATEWAY_BOARD,
		.needs_version = true,
		.require_signature = gateway->trusted_keys != NULL,
		.trusted_keys = gateway->trusted_keys,
		.unit = unit,
	};
}

static bool is_forgone(const struct unit *unit, const char *sha256)
{
	return strcmp(unit->row.sha256, sha256) == 0 ||
	       (unit->row.failures > 0 && strcmp(unit->row.failed_sha256, sha256) == 0);
}

/* No image, or one that may not be used, is no failure of the unit. */
static void look_for(struct gateway *gateway, unsigned number)
{
	CLEANUP(library_choice_done) struct library_choice choice = {0};
	CLEANUP(library_item_done) struct library_item item = {0};
	const struct unit *unit = gateway->units[number];
	struct rollout_unit of_rollout = {.share = rollout_share(unit->row.unit)};
	struct library_query query = query_of(gateway, &of_rollout);
	struct reason reason;

	if (unit->row.has_state && unit->row.state == UNIT_WHOLE) {
		text_copy(of_rollout.sha256, sizeof(of_rollout.sha256), unit->row.sha256);
		text_copy(of_rollout.version, sizeof(of_rollout.version), unit->row.version);
	}

	if (!unit->is_plugged || unit->attempt ||
		library_choose(&query, &choice, &reason) != LIBRARY_OK)
		return;
	if (library_load(&query, choice.name, IMAGE_MOST, &item, &reason) == LIBRARY_OK &&
		!is_forgone(unit, item.sha256))
		update(gateway, number, choice.name, &item);
}

void gateway_look(struct gateway *gateway)
{
	for (unsigned i = 0; i < gateway->n_units && gateway->has_service; i++)
		if (!gateway->most_attempts ||
			gateway_count_running(gateway) < gateway->most_attempts)
			look_for(gateway, i);
}

static int on_soon(sd_event_source *source, void *userdata)
{
	(void)source;
	gateway_look(userdata);
	return 0;
}

static int on_changes(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	struct gateway *gateway = userdata;

	(void)source;
	/* One that is still to get its name is nothing new yet: a look at what it is to replace
	 * would begin an attempt that it forbids. */
	if (event->len > 0 && *event->name == '.')
		return 0;
	assert_true(sd_event_source_set_enabled(gateway->soon, SD_EVENT_ONESHOT) >= 0);
	return 0;
}

/* ------------------------------------------------------------------------------- units */

static void make_unit(
	const struct gateway *gateway, const struct gateway_setup *setup, struct unit *unit)
{
	struct store_unit *row = &unit->row;
	char digest[DIGEST_HEX_SIZE];

	digest_sha256((const uint8_t *)gateway->name, strlen(gateway->name), digest);
	row->id = gateway->n_units + 1;
	snprintf(row->unit, sizeof(row->unit), "%.16s%08x", digest, gateway->n_units);
	snprintf(row->key, sizeof(row->key), "stm32:0x410 %s", row->unit);
	text_copy(row->chip, sizeof(row->chip), "STM32F103x8/xB");
	snprintf(row->serial, sizeof(row->serial), "GATE-%04u", gateway->n_units);
	snprintf(unit->path, sizeof(unit->path), "pci-0000:00:14.0-usb-0:1.%u:1.0",
		gateway->n_units + 1);
	snprintf(unit->slot, sizeof(unit->slot), "S%u", gateway->n_units + 1);
	text_copy(row->usb_path, sizeof(row->usb_path), unit->path);
	text_copy(row->slot, sizeof(row->slot), unit->slot);
	text_copy(row->board, sizeof(row->board), GATEWAY_BOARD);
	row->seen_ms = gateway_now_ms(gateway);
	unit->is_plugged = true;
	if (!setup || !setup->sha256)
		return;
	text_copy(row->image, sizeof(row->image), setup->image);
	text_copy(row->version, sizeof(row->version), setup->version);
	text_copy(row->sha256, sizeof(row->sha256), setup->sha256);
	row->has_state = true;
	row->state = UNIT_WHOLE;
}

static unsigned add_unit(struct gateway *gateway, const struct gateway_setup *setup)
{
	struct unit *unit = calloc(1, sizeof(*unit)), **units;

	units = room_for_one(gateway->units, gateway->n_units, sizeof(*units));
	assert_non_null(unit);
	assert_non_null(units);
	gateway->units = units;
	make_unit(gateway, setup, unit);
	gateway->units[gateway->n_units] = unit;
	return gateway->n_units++;
}

unsigned gateway_plug(struct gateway *gateway)
{
	unsigned number = add_unit(gateway, NULL);

	gateway_tell_plugged(gateway, number, true);
	gateway_tell_manager(gateway);
	look_for(gateway, number);
	return number;
}

void gateway_unplug(struct gateway *gateway, unsigned number)
{
	gateway->units[number]->is_plugged = false;
	gateway_tell_plugged(gateway, number, false);
	gateway_tell_manager(gateway);
}

const struct store_unit *gateway_unit(const struct gateway *gateway, unsigned number)
{
	assert_true(number < gateway->n_units);
	return &gateway->units[number]->row;
}

unsigned gateway_count_units(const struct gateway *gateway)
{
	return gateway->n_units;
}

unsigned gateway_count_version(const struct gateway *gateway, const char *version)
{
	unsigned n = 0;

	for (unsigned i = 0; i < gateway->n_units; i++) {
		const struct store_unit *row = &gateway->units[i]->row;

		n += row->has_state && row->state == UNIT_WHOLE &&
		     strcmp(row->version, version) == 0;
	}
	return n;
}

unsigned gateway_retry(struct gateway *gateway, const char *unit)
{
	unsigned n = 0;

	for (unsigned i = 0; i < gateway->n_units; i++) {
		struct store_unit *row = &gateway->units[i]->row;

		if (row->failures == 0 || strncmp(row->unit, unit, strlen(unit)) != 0)
			continue;
		row->failures = 0;
		row->rollback = ROLLBACK_NONE;
		n++;
	}
	assert_true(sd_event_source_set_enabled(gateway->soon, SD_EVENT_ONESHOT) >= 0);
	return n;
}

const struct store_attempt *gateway_identify(struct gateway *gateway, const char *bridge)
{
	char path[GATEWAY_PATH_MAX];

	for (unsigned i = 0; i < gateway->n_units; i++) {
		struct store_attempt *attempt;

		view_bridge_path_of(i, path);
		if (strcmp(path, bridge) != 0)
			continue;
		attempt = begin_attempt(gateway, i);
		text_copy(attempt->operation, sizeof(attempt->operation), "identify");
		attempt->report.outcome = OUTCOME_CURRENT;
		return attempt;
	}
	fail_msg("no bridge at %s", bridge);
	return NULL;
}

/* ---------------------------------------------------------------- what the test orders */

void gateway_hold_attempts(struct gateway *gateway)
{
	gateway->holds_attempts = true;
}

void gateway_release_attempts(struct gateway *gateway)
{
	gateway->holds_attempts = false;
}

void gateway_limit_attempts(struct gateway *gateway, unsigned most)
{
	gateway->most_attempts = most;
}

unsigned gateway_count_running(const struct gateway *gateway)
{
	unsigned n = 0;

	for (unsigned i = 0; i < gateway->n_units; i++)
		n += gateway->units[i]->attempt != NULL;
	return n;
}

void gateway_end_attempts(struct gateway *gateway)
{
	for (unsigned i = 0; i < gateway->n_units; i++)
		if (gateway->units[i]->attempt)
			end_all(gateway, i);
}

int64_t gateway_attempt(struct gateway *gateway, unsigned number, enum outcome outcome)
{
	struct store_attempt *attempt = begin_attempt(gateway, number);

	attempt->report.outcome = outcome;
	if (outcome == OUTCOME_CURRENT)
		attempt->report.proof = PROOF_READ_BACK;
	else
		reason_set(&attempt->report.reason, "%s of %s: try it again", attempt->port,
			outcome_to_string(outcome));
	tell_begin(gateway, number);
	if (!gateway->holds_attempts)
		end_all(gateway, number);
	return attempt->id;
}

int64_t gateway_last_id(const struct gateway *gateway)
{
	return (int64_t)gateway->n_attempts;
}

unsigned gateway_count_attempts(const struct gateway *gateway, enum outcome outcome)
{
	unsigned n = 0;

	for (size_t i = 0; i < gateway->n_attempts; i++) {
		const struct store_attempt *attempt = gateway->attempts[i];

		n += attempt && attempt->ended_ms > 0 && attempt->report.outcome == outcome;
	}
	return n;
}

void gateway_forget_attempts(struct gateway *gateway, int64_t first_id)
{
	for (int64_t id = 1; id < first_id; id++)
		free(TAKE_PTR(gateway->attempts[id - 1]));
}

void gateway_pass(struct gateway *gateway, int64_t msec)
{
	gateway->ahead_ms += msec;
}

void gateway_stop_service(struct gateway *gateway)
{
	gateway->has_service = false;
	gateway_tell_owner(gateway, false);
}

void gateway_start_service(struct gateway *gateway)
{
	gateway->has_service = true;
	gateway_tell_owner(gateway, true);
	gateway_look(gateway);
}

unsigned gateway_count_calls(const struct gateway *gateway, const char *method)
{
	for (size_t i = 0; i < ARRAY_SIZE(gateway->calls); i++)
		if (strcmp(gateway->calls[i].name, method) == 0)
			return gateway->calls[i].n;
	return 0;
}

unsigned gateway_count_connections(const struct gateway *gateway)
{
	return gateway->n_lines;
}

/* ----------------------------------------------------------------------- begin and end */

static void make_images(struct gateway *gateway)
{
	assert_int_equal(text_format(&gateway->images, "%s/images", gateway->folder), 0);
	assert_int_equal(text_format(&gateway->fleet, "%s/" GATEWAY_FLEET, gateway->images), 0);
	assert_int_equal(mkdir(gateway->images, 0755), 0);
	assert_int_equal(mkdir(gateway->fleet, 0755), 0);
	assert_true(sd_event_add_defer(gateway->event, &gateway->soon, on_soon, gateway) >= 0);
	assert_true(sd_event_source_set_enabled(gateway->soon, SD_EVENT_OFF) >= 0);
	assert_true(sd_event_add_inotify(gateway->event, &gateway->changes, gateway->fleet,
			    IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_ONLYDIR,
			    on_changes, gateway) >= 0);
}

struct gateway *gateway_new(sd_event *event, const struct gateway_setup *setup)
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));

	assert_non_null(gateway);
	gateway->event = sd_event_ref(event);
	gateway->has_service = true;
	assert_int_equal(text_duplicate(setup->name, &gateway->name), 0);
	assert_int_equal(text_duplicate(setup->folder, &gateway->folder), 0);
	assert_int_equal(text_duplicate(setup->trusted_keys, &gateway->trusted_keys), 0);
	make_images(gateway);
	for (unsigned i = 0; i < setup->n_units; i++)
		(void)add_unit(gateway, setup);
	gateway_bus_open(gateway);
	return gateway;
}

struct gateway *gateway_free(struct gateway *gateway)
{
	if (!gateway)
		return NULL;
	gateway_bus_close(gateway);
	sd_event_source_disable_unref(gateway->changes);
	sd_event_source_disable_unref(gateway->soon);
	for (unsigned i = 0; i < gateway->n_units; i++)
		free(gateway->units[i]);
	for (size_t i = 0; i < gateway->n_attempts; i++)
		free(gateway->attempts[i]);
	free(gateway->units);
	free(gateway->attempts);
	free(gateway->name);
	free(gateway->folder);
	free(gateway->address);
	free(gateway->images);
	free(gateway->fleet);
	free(gateway->trusted_keys);
	sd_event_unref(gateway->event);
	free(gateway);
	return NULL;
}

const char *gateway_name(const struct gateway *gateway)
{
	return gateway->name;
}

const char *gateway_address(const struct gateway *gateway)
{
	return gateway->address;
}

const char *gateway_images(const struct gateway *gateway)
{
	return gateway->fleet;
}
