/* SPDX-License-Identifier: MIT */
/*
 * test-real.c - the agent beside the real service, with a simulated board on the bed: it is updated
 * by nothing but wishes at the broker, not below its floor, and told there, also where somebody
 * puts back a backup.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/names.h"
#include "base/text.h"
#include "bed/bed-private.h"
#include "bed/bed.h"
#include "bed/bus-daemon.h"
#include "bed/enclosure.h"
#include "fleet/agent.h"
#include "fleet/watcher.h"
#include "fleet/web.h"

#define FIRMWARE "tests/firmware/firmware-"
#define LOCK	 "lock" /* the other board */

struct fixture {
	struct bed *bed;
	struct bus_daemon bus;
	struct farm *farm;
	struct broker *broker;
	struct signing *signing;
	struct watcher *watcher;
	struct web *web;
	struct agent *agent;
	struct made_image old, new, lock;
	char *certificates;
	unsigned n_events;
	char *told;		  /* events, one behind the other */
	char last_job[VALUE_MAX]; /* that ended */
};

/* ----------------------------------------------------------------------------- two loops */

/* The bed's loop runs the farm's, whose waiting verbs let the boards stand still. */
static void on_ready(void *userdata)
{
	farm_settle(userdata);
}

static void on_heard(void *userdata, const char *topic, const char *payload)
{
	struct fixture *fixture = userdata;
	CLEANUP(freep) char *before = NULL;

	if (strcmp(topic, "plugflash/gw/event") != 0)
		return;
	before = TAKE_PTR(fixture->told);
	assert_int_equal(text_format(&fixture->told, "%s%s", before ? before : "", payload), 0);
	fixture->n_events++;
}

struct awaited {
	const struct fixture *fixture;
	const struct made_image *image;
	const char *key, *value;
};

/* What is told of the wish for its board. */
static const char *told_of(const struct fixture *fixture, const struct made_image *image)
{
	CLEANUP(freep) char *topic = NULL;

	assert_int_equal(text_format(&topic, "plugflash/gw/wish/%s", image->board), 0);
	return watcher_payload(fixture->watcher, topic);
}

static bool has_value(void *userdata)
{
	const struct awaited *awaited = userdata;
	const char *payload;

	farm_settle(awaited->fixture->farm);
	payload = told_of(awaited->fixture, awaited->image);
	return payload && value_is(payload, "version", awaited->image->version) &&
	       value_is(payload, awaited->key, awaited->value);
}

static void expect_wish(
	struct fixture *fixture, const struct made_image *image, const char *key, const char *value)
{
	struct awaited awaited = {fixture, image, key, value};
	const char *payload;

	if (bed_wait(fixture->bed, BED_LONG, has_value, &awaited))
		return;
	payload = told_of(fixture, image);
	fail_msg("the wish is not %s %s, but: %s", key, value, payload ? payload : "nothing");
}

static bool is_last_job_told(void *userdata)
{
	const struct fixture *fixture = userdata;

	farm_settle(fixture->farm);
	return fixture->told && strstr(fixture->told, fixture->last_job);
}

/* ------------------------------------------------------------------------ begin and end */

static void configure(struct fixture *fixture)
{
	CLEANUP(freep) char *service = NULL;

	assert_int_equal(text_format(&service, "require-signature = yes\ntrusted-keys = %s\n",
				 signing_keys(fixture->signing)),
		0);
	bed_configure(fixture->bed, service,
		"[board gate]\nserial = A*\nchip = 0x410\nwiring = direct\n"
		"image = " GATEWAY_GLOB "\nupdate = different\n"
		"[board " LOCK "]\nserial = B*\nchip = 0x410\nwiring = direct\n"
		"image = " GATEWAY_FLEET "/" LOCK "-*.hex\n");
}

static void add_agent(struct fixture *fixture)
{
	CLEANUP(freep) char *images = NULL;

	assert_int_equal(
		text_format(&images, "%s/images/" GATEWAY_FLEET, bed_directory(fixture->bed)), 0);
	assert_int_equal(mkdir(images, 0755), 0);
	broker_make_certificate(fixture->broker, "gw", fixture->certificates);
	fixture->agent = agent_new(fixture->farm, &(struct agent_setup){.name = "gw",
							  .certificate = "gw",
							  .certificates = fixture->certificates,
							  .broker = fixture->broker,
							  .signing = fixture->signing,
							  .address = getenv(ENV_BUS_ADDRESS),
							  .images = images});
	agent_start(fixture->agent, NULL);
}

static void offer(struct fixture *fixture, const struct made_image *image)
{
	web_offer(fixture->web, image->name, image->sha256, image->data, image->n_data);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->bed = bed_new();
	bus_daemon_init(&fixture->bus, fixture->bed);
	bus_daemon_start(&fixture->bus);
	fixture->farm = farm_new();
	bed_watch(
		fixture->bed, sd_event_get_fd(farm_event(fixture->farm)), on_ready, fixture->farm);
	fixture->broker = broker_new(fixture->farm);
	fixture->signing = signing_new(fixture->farm);
	fixture->old =
		signing_make_of(fixture->signing, GATEWAY_BOARD, "1.0.0", FIRMWARE "1.0.0.hex");
	fixture->new =
		signing_make_of(fixture->signing, GATEWAY_BOARD, "1.1.0", FIRMWARE "1.1.0.hex");
	fixture->lock = signing_make_of(fixture->signing, LOCK, "1.1.0", FIRMWARE "1.1.0.hex");
	fixture->certificates = farm_folder(fixture->farm, "certificates");
	broker_start(fixture->broker);
	fixture->watcher = watcher_new(fixture->farm, "owner", on_heard, fixture);
	fixture->web = web_new(fixture->farm);
	offer(fixture, &fixture->old);
	offer(fixture, &fixture->new);
	offer(fixture, &fixture->lock);
	configure(fixture);
	add_agent(fixture);
	bed_start_service(fixture->bed, 0);
	assert_true(bed_wait_ready(fixture->bed, BED_LONG));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	agent_free(fixture->agent);
	web_free(fixture->web);
	watcher_free(fixture->watcher);
	broker_free(fixture->broker);
	bed_watch(fixture->bed, -1, NULL, NULL);
	made_image_done(&fixture->old);
	made_image_done(&fixture->new);
	made_image_done(&fixture->lock);
	signing_free(fixture->signing);
	free(fixture->certificates);
	free(fixture->told);
	bus_daemon_done(&fixture->bus);
	bed_free(fixture->bed);
	farm_free(fixture->farm);
	free(fixture);
	return 0;
}

static void publish_wish(struct fixture *fixture, struct desired desired)
{
	CLEANUP(freep) char *url = web_address(desired.image->name);
	CLEANUP(freep) char *topic = NULL, *payload = NULL;

	desired.url = url;
	payload = desired_text(&desired);
	assert_int_equal(
		text_format(&topic, "plugflash/desired/gateway/gw/%s", desired.image->board), 0);
	publish(fixture->farm, topic, payload, true);
}

static void wish(struct fixture *fixture, const struct made_image *image, int percent)
{
	publish_wish(fixture, (struct desired){.image = image, .percent = percent});
}

static void a_board_is_updated_by_nothing_but_wishes(void **state)
{
	struct fixture *fixture = *state;
	struct bed_unit *unit = bed_plug(fixture->bed, &(struct bed_board){.serial = "A1"});

	wish(fixture, &fixture->old, 100);
	expect_wish(fixture, &fixture->old, "have", "1");
	assert_true(bed_flash_is(unit, FIRMWARE "1.0.0.bin"));

	/* The next one lies there, and is withheld from it. */
	wish(fixture, &fixture->new, 0);
	expect_wish(fixture, &fixture->new, "state", "ready");
	bed_unplug(unit);
	bed_replug(unit, NULL);
	assert_non_null(bed_wait_outcome(unit, BED_LONG));
	assert_true(bed_flash_is(unit, FIRMWARE "1.0.0.bin"));

	/* Until it takes part; it stays plugged in. */
	wish(fixture, &fixture->new, 100);
	expect_wish(fixture, &fixture->new, "have", "1");
	assert_true(bed_flash_is(unit, FIRMWARE "1.1.0.bin"));
	assert_true(fixture->n_events >= 2);
}

static void of_two_boards_one_is_paused(void **state)
{
	struct fixture *fixture = *state;
	struct bed_unit *gate = bed_plug(fixture->bed, &(struct bed_board){.serial = "A1"});
	struct bed_unit *lock = bed_plug(fixture->bed, &(struct bed_board){.serial = "B1"});
	struct desired paused = {.image = &fixture->lock, .percent = 100, .is_paused = true};

	publish_wish(fixture, paused);
	wish(fixture, &fixture->old, 100);
	expect_wish(fixture, &fixture->lock, "state", "paused");
	expect_wish(fixture, &fixture->old, "have", "1");
	assert_true(bed_flash_is(gate, FIRMWARE "1.0.0.bin"));
	bed_unplug(lock);
	bed_replug(lock, NULL);
	assert_non_null(bed_wait_outcome(lock, BED_LONG));
	assert_false(bed_flash_is(lock, FIRMWARE "1.1.0.bin"));
	assert_int_equal(web_requests(fixture->web), 1);

	paused.is_paused = false;
	publish_wish(fixture, paused);
	expect_wish(fixture, &fixture->lock, "have", "1");
	assert_true(bed_flash_is(lock, FIRMWARE "1.1.0.bin"));
	assert_true(bed_flash_is(gate, FIRMWARE "1.0.0.bin"));
}

static void shell(struct fixture *fixture, const char *what)
{
	CLEANUP(freep) char *command = NULL;

	assert_int_equal(
		text_format(&command, "cd %s && %s", bed_directory(fixture->bed), what), 0);
	assert_int_equal(system(command), 0);
}

/* Somebody plays back an old wish, whose signature is good. */
static void an_older_wish_waits_for_the_floor(void **state)
{
	struct fixture *fixture = *state;
	struct bed_unit *unit = bed_plug(fixture->bed, &(struct bed_board){.serial = "A1"});
	CLEANUP(freep) char *floor = NULL;
	char reason[VALUE_MAX];

	wish(fixture, &fixture->new, 100);
	expect_wish(fixture, &fixture->new, "have", "1");
	wish(fixture, &fixture->old, 100);
	expect_wish(fixture, &fixture->old, "state", "refused");
	assert_string_equal(value_of(told_of(fixture, &fixture->old), "reason", reason),
		"version 1.0.0 is below 1.1.0, the floor of this board: publish a newer one, or lower it by 'plugflash floor'");
	assert_int_equal(web_requests(fixture->web), 1);
	assert_true(bed_flash_is(unit, FIRMWARE "1.1.0.bin"));

	assert_int_equal(
		text_format(&floor, "%s/plugflash floor gate 1.0.0", enclosure_build()), 0);
	shell(fixture, floor);
	expect_wish(fixture, &fixture->old, "have", "1");
	assert_true(bed_flash_begins(unit, FIRMWARE "1.0.0.bin"));
}

/* -------------------------------------------------------------------------------- backup */

/* While the service does not run. */
static void start_with(struct fixture *fixture, struct bed_unit *unit, const char *change)
{
	assert_int_equal(bed_stop_service(fixture->bed, BED_LONG), 0);
	shell(fixture, change);
	bed_unplug(unit);
	bed_start_service(fixture->bed, 0);
	assert_true(bed_wait_ready(fixture->bed, BED_LONG));
}

/* An attempt, which ends for want of an image. */
static void attempt(struct fixture *fixture, struct bed_unit *unit)
{
	const struct journal_entry *entry;

	bed_unplug(unit);
	bed_replug(unit, NULL);
	entry = bed_wait_outcome(unit, BED_LONG);
	assert_non_null(entry);
	text_copy(
		fixture->last_job, sizeof(fixture->last_job), journal_entry_get(entry, FIELD_JOB));
}

static void expect_last_told(struct fixture *fixture)
{
	if (!bed_wait(fixture->bed, BED_LONG, is_last_job_told, fixture))
		fail_msg("job %s is not told in %s", fixture->last_job,
			fixture->told ? fixture->told : "nothing");
}

/* With all that lies beside it: the agent is to find out, though the ids passed its cursor. */
static void a_backup_that_is_put_back_loses_no_event(void **state)
{
	struct fixture *fixture = *state;
	struct bed_unit *unit = bed_plug(fixture->bed, &(struct bed_board){.serial = "A1"});

	assert_non_null(bed_wait_outcome(unit, BED_LONG));
	attempt(fixture, unit);
	expect_last_told(fixture);
	start_with(fixture, unit, "cp -a state backup");
	attempt(fixture, unit);
	expect_last_told(fixture);

	child_end(agent_child(fixture->agent), SIGTERM);
	start_with(fixture, unit, "rm -r state/* && cp -a backup/. state");
	attempt(fixture, unit);
	agent_start(fixture->agent, NULL);
	expect_last_told(fixture);
	start_with(fixture, unit, "rm -r state/* && cp -a backup/. state");
	attempt(fixture, unit);
	attempt(fixture, unit);
	expect_last_told(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_board_is_updated_by_nothing_but_wishes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_two_boards_one_is_paused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_older_wish_waits_for_the_floor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_backup_that_is_put_back_loses_no_event, set_up, tear_down),
	};

	enclosure_enter();
	farm_open();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
