/* SPDX-License-Identifier: MIT */
/*
 * Wishes from message to folder, in virtual time: service, download and seal are stood in for, all
 * else is as it is. What is judged is what the service would find in the folder, and what is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "fleet/holds.h"
#include "fleet/inbox.h"
#include "fleet/seal.h"
#include "fleet/wishes.h"
#include "image/digest.h"

#include "folder.h"
#include "virtual-clock.h"

/* ------------------------------------------------------------------ stand-ins */

static struct {
	enum client_presence presence;
	struct dict board;
	struct dict door; /* another; a board that no unit has */
	struct dict units[8];
	size_t n_units;
	client_reply *reply; /* of the call that is not answered yet */
	void *userdata;
	bool is_units;
	bool is_silent;	  /* it answers later */
	bool is_broken;	  /* it answers that it cannot */
	unsigned n_asked; /* for its rules */
} service;

enum client_presence client_presence(const struct client *client)
{
	(void)client;
	return service.presence;
}

const char *client_why(const struct client *client)
{
	(void)client;
	return service.presence == CLIENT_THERE
		       ? ""
		       : "plugflashd does not run; systemctl start plugflashd";
}

int client_call(struct client *client, const struct client_call *call, client_reply *reply,
	void *userdata, const char *types, ...)
{
	(void)client;
	(void)types;
	assert_null(service.reply);
	service.reply = reply;
	service.userdata = userdata;
	service.is_units = strcmp(call->method, "ListUnits") == 0;
	service.n_asked += !service.is_units;
	return 0;
}

void client_forget(struct client *client, const void *userdata)
{
	(void)client;
	(void)userdata;
	service.reply = NULL;
}

static void answer(void)
{
	static char reason[] = "the store cannot be read";
	struct client_answer answer = {.result = service.is_broken ? CLIENT_FAILED : CLIENT_DONE,
		.reason = service.is_broken ? reason : NULL,
		.fd = -1};
	client_reply *reply = service.reply;
	struct dict boards[] = {service.board, service.door};

	answer.rows = service.is_units ? service.units : boards;
	answer.n_rows = service.is_units ? service.n_units : ARRAY_SIZE(boards);
	service.reply = NULL;
	reply(service.userdata, &answer);
}

struct download {
	char url[200];
	enum download_state state;
	download_handler handler;
	void *userdata;
};

static struct download *download; /* the one that is under way */
static unsigned n_forgotten;
static const struct reason no_reason;

int download_new(struct downloads *downloads, const struct download_ask *ask,
	download_handler handler, void *userdata, struct download **ret)
{
	(void)downloads;
	assert_null(download);
	download = calloc(1, sizeof(*download));
	assert_non_null(download);
	text_copy(download->url, sizeof(download->url), ask->url);
	download->state = DOWNLOAD_RUNNING;
	download->handler = handler;
	download->userdata = userdata;
	*ret = download;
	return 0;
}

bool download_is_for(const struct download *of, const struct download_ask *ask)
{
	return strcmp(of->url, ask->url) == 0;
}

void download_look(const struct download *of, struct download_view *ret)
{
	*ret = (struct download_view){.state = of->state, .reason = &no_reason};
}

int download_open(const struct download *of)
{
	assert_int_equal(of->state, DOWNLOAD_WHOLE);
	return open(in_folder("part"), O_RDONLY | O_CLOEXEC);
}

struct download *download_free(struct download *of)
{
	assert_ptr_equal(of, download);
	free(of);
	download = NULL;
	return NULL;
}

struct download *download_forget(struct download *of)
{
	n_forgotten++;
	return download_free(of);
}

static enum seal_result seal;
static char asked_keys[64]; /* of the last question */

int seal_check(const char *trusted_keys, const struct seal_ask *ask, bool accepts_legacy,
	char ret_signer[static SEAL_SIGNER_SIZE], struct reason *reason)
{
	(void)ask;
	(void)accepts_legacy;
	text_copy(asked_keys, sizeof(asked_keys), trusted_keys);
	ret_signer[0] = '\0';
	return seal == SEAL_OK
		       ? SEAL_OK
		       : reason_refuse((int)seal, reason, "signed by a key that is not trusted");
}

/* ------------------------------------------------------------------ the stand */

static sd_event *event;
static int state_fd = -1;
static struct wishes *wishes;
static char told[4096]; /* of "gate"; "gone": taken away */
static char told_door[4096];
static char told_version[64];
static unsigned n_told;
static bool has_told_all;
static char group_a[] = "a", group_b[] = "b";
static char *groups[] = {group_a, group_b, NULL};
static size_t n_groups = 2;

static void on_tell(void *userdata, const char *board, const char *payload)
{
	bool is_gate = strcmp(board, "gate") == 0;

	(void)userdata;
	assert_true(is_gate || strcmp(board, "door") == 0);
	text_copy(is_gate ? told : told_door, sizeof(told), payload ? payload : "gone");
	n_told++;
}

static void on_tell_version(void *userdata, const char *board, const char *version)
{
	(void)userdata;
	if (strcmp(board, "gate") == 0)
		text_copy(told_version, sizeof(told_version), version);
}

static void on_told_all(void *userdata)
{
	(void)userdata;
	assert_false(has_told_all);
	has_told_all = true;
}

/* Until nothing is to be done any more but to wait; time goes on where the service is asked. */
static void settle(void)
{
	for (unsigned i = 0; i < 1000; i++) {
		int r;

		clock_move(0);
		r = sd_event_run(event, 0);
		assert_true(r >= 0);
		if (r > 0)
			continue;
		if (!service.reply || service.is_silent)
			return;
		answer();
	}
	fail_msg("it does not come to rest");
}

static void start(void)
{
	const struct wishes_callbacks callbacks = {on_tell, on_tell_version, on_told_all};
	struct wishes_options options = {.gateway = "gw1",
		.images = in_folder("images"),
		.state = state_fd,
		.message_most = 64 * 1024,
		.groups = groups,
		.n_groups = n_groups,
		.limit = {.pause_after = 2, .pause_share = 50}};
	struct reason reason = {""};

	has_told_all = false;
	if (wishes_new(event, NULL, NULL, &options, &callbacks, NULL, &wishes, &reason) != 0)
		fail_msg("%s", reason.text);
	service.presence = CLIENT_THERE;
	wishes_presence(wishes, CLIENT_THERE);
	clock_move(1);
	settle();
	assert_true(has_told_all);
}

static void restart(void)
{
	wishes = wishes_free(wishes);
	told[0] = told_door[0] = '\0';
	start();
}

static int set_up(void **state)
{
	int r;

	text_copy(folder, sizeof(folder), "/tmp/plugflash-test-XXXXXX");
	assert_int_equal(folder_make(state), 0);
	assert_int_equal(mkdir(in_folder("images"), 0755), 0);
	assert_int_equal(mkdir(in_folder("state"), 0700), 0);
	state_fd = open(in_folder("state"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(state_fd >= 0 && sd_event_new(&event) >= 0);
	r = dict_set_text(&service.board, "board", "gate");
	r |= dict_set_text(&service.board, "image", "fleet/gate-*.hex");
	r |= dict_set_text(&service.board, "trusted_keys", "/keys");
	r |= dict_set_flag(&service.board, "require_signature", true);
	r |= dict_set_text(&service.door, "board", "door");
	r |= dict_set_text(&service.door, "image", "fleet/*.hex");
	r |= dict_set_flag(&service.door, "require_signature", true);
	assert_int_equal(r, 0);
	start();
	return 0;
}

static int tear_down(void **state)
{
	wishes = wishes_free(wishes);
	assert_null(download);
	sd_event_unref(event);
	close(state_fd);
	dict_done(&service.board);
	dict_done(&service.door);
	for (size_t i = 0; i < service.n_units; i++)
		dict_done(&service.units[i]);
	memset(&service, 0, sizeof(service));
	seal = SEAL_OK;
	told[0] = told_door[0] = '\0';
	n_forgotten = 0;
	n_groups = 2;
	return folder_remove(state);
}

/* ------------------------------------------------------------------ what is sent, and what is so
 */

/* The bytes of the image of that version. */
static const char *bytes_of(const char *version)
{
	static char bytes[64];

	snprintf(bytes, sizeof(bytes), "the image %s", version);
	return bytes;
}

static const char *sha256_of(const char *version)
{
	static char digest[DIGEST_HEX_SIZE];

	digest_sha256((const uint8_t *)bytes_of(version), strlen(bytes_of(version)), digest);
	return digest;
}

struct sent {
	const char *group;     /* NULL: the gateway's own topic */
	const char *board;     /* NULL: "gate" */
	const char *name;      /* of the file, without "gate-" and ".hex"; NULL: the version */
	const char *version;   /* and bytes of the image */
	const char *signature; /* NULL: the version */
	const char *more;      /* begins with a comma; NULL: nothing */
};

static void send_wish(const struct sent *sent)
{
	const char *board = sent->board ? sent->board : "gate", *version = sent->version;
	char text[2048];

	snprintf(text, sizeof(text),
		"{\"board\":\"%s\",\"image\":\"gate-%s.hex\",\"version\":\"%s\",\"sha256\":\"%s\","
		"\"size\":%zu,\"url\":\"https://images/%s\",\"manifest\":\"[image]\\nsha256 = %s\\n\","
		"\"signature\":\"s %s\"%s}",
		board, sent->name ? sent->name : version, version, sha256_of(version),
		strlen(bytes_of(version)), version, sha256_of(version),
		sent->signature ? sent->signature : version, sent->more ? sent->more : "");
	wishes_take(wishes, sent->group, board, text, strlen(text));
	settle();
}

/* `more` begins with a comma, or is "". */
static void send(const char *group, const char *version, const char *more)
{
	send_wish(&(struct sent){.group = group, .version = version, .more = more});
}

/* NULL: the gateway's own. */
static void take_back(const char *group, const char *board)
{
	wishes_take(wishes, group, board, "", 0);
	settle();
}

/* The download is whole. */
static void arrive(const char *version)
{
	assert_non_null(download);
	assert_non_null(strstr(download->url, version));
	put_text("part", bytes_of(version));
	download->state = DOWNLOAD_WHOLE;
	download->handler(download, download->userdata);
	settle();
}

static void send_and_arrive(const char *version, const char *more)
{
	send(NULL, version, more);
	arrive(version);
}

/* One more unit, `id` 1 to 9. */
static struct dict *add_unit(const char *id, const char *held, const char *failed)
{
	struct dict *row = &service.units[service.n_units++];
	int r = dict_set_text(row, "board", "gate");

	r |= dict_set_text(row, "unit", id);
	r |= dict_set_text(row, "state", "whole");
	r |= dict_set_text(row, "sha256", sha256_of(held));
	if (failed) {
		r |= dict_set_number(row, "failures", 1);
		r |= dict_set_text(row, "failed_with", "not-confirmed");
		r |= dict_set_text(row, "failed_sha256", sha256_of(failed));
	}
	assert_int_equal(r, 0);
	return row;
}

static void job_ended(void)
{
	wishes_job_removed(wishes);
	settle();
	clock_move(USEC_PER_SEC);
	settle();
}

static const char *text_of(const char *name)
{
	static char text[512];
	char path[300];
	FILE *from;
	size_t n = 0;

	snprintf(path, sizeof(path), "images/%s", name);
	from = fopen(in_folder(path), "r");
	if (!from)
		return "none";
	n = fread(text, 1, sizeof(text) - 1, from);
	fclose(from);
	text[n] = '\0';
	return text;
}

/* What is offered of that version: the rollout file, "none" where all units get it. */
static void must_offer(const char *version, const char *rollout)
{
	char name[64];

	snprintf(name, sizeof(name), "gate-%s.hex", version);
	assert_string_equal(text_of(name), bytes_of(version));
	snprintf(name, sizeof(name), "gate-%s.hex.rollout", version);
	assert_string_equal(text_of(name), rollout);
}

#define PERCENT(n) "[rollout]\npercent = " #n "\n"

static void must_be_gone(const char *version)
{
	static const char *const suffixes[] = {"", ".ini", ".ini.minisig", ".rollout"};
	char name[64];

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		snprintf(name, sizeof(name), "gate-%s.hex%s", version, suffixes[i]);
		assert_string_equal(text_of(name), "none");
	}
}

static void must_tell(const char *part)
{
	if (!strstr(told, part))
		fail_msg("'%s' is not in %s", part, told);
}

static void must_tell_door(const char *part)
{
	if (!strstr(told_door, part))
		fail_msg("'%s' is not in %s", part, told_door);
}

/* No rollout file of that image can be written from now on, as where the disk is full. */
static void fill_disk(const char *version)
{
	char name[128];

	snprintf(name, sizeof(name), "images/.plugflash-part-gate-%s.hex.rollout", version);
	assert_int_equal(mkdir(in_folder(name), 0755), 0);
}

static void clear_disk(const char *version)
{
	char name[128];

	snprintf(name, sizeof(name), "images/.plugflash-part-gate-%s.hex.rollout", version);
	assert_int_equal(rmdir(in_folder(name)), 0);
}

static void tell_manager(const char *key, uint64_t value)
{
	struct client_object manager = {.kind = CLIENT_MANAGER};

	assert_int_equal(dict_set_number(&manager.properties, key, value), 0);
	wishes_changed(wishes, &manager);
	dict_done(&manager.properties);
	settle();
}

/* ------------------------------------------------------------------ scenes */

static void a_wish_is_fetched_placed_and_offered(void **state)
{
	(void)state;
	send(NULL, "1.2", "");
	must_tell("\"state\": \"fetching\"");
	must_tell("{\"schema\": 1, \"gateway\": \"gw1\", \"board\": \"gate\", \"group\": null, ");
	must_be_gone("1.2");
	arrive("1.2");
	must_offer("1.2", "none");
	must_tell("\"state\": \"offered\"");
	must_tell("\"fetched_percent\": 100");
	assert_string_equal(told_version, "1.2");
	assert_int_equal(n_forgotten, 1);
	/* The same once more, as the broker tells it after each connection, is no news. */
	told[0] = '\0';
	send(NULL, "1.2", "");
	assert_string_equal(told, "");
	restart();
	must_tell("\"state\": \"offered\"");
	must_offer("1.2", "none");
}

static void percent_goes_up_and_a_pause_stops_all(void **state)
{
	unsigned before;

	(void)state;
	send_and_arrive("1.2", ",\"percent\":10");
	must_offer("1.2", PERCENT(10));
	/* Told once, and not before the rules are known anew. */
	before = n_told;
	send(NULL, "1.2", ",\"percent\":50");
	assert_int_equal(n_told, before + 1);
	must_offer("1.2", PERCENT(50));
	send(NULL, "1.2", ",\"percent\":50,\"paused\":true");
	must_offer("1.2", PERCENT(0));
	must_tell("\"state\": \"paused\"");
	send(NULL, "1.2", "");
	must_offer("1.2", "none");
	assert_null(download);
}

static void a_pause_stops_what_is_fetched(void **state)
{
	(void)state;
	send(NULL, "1.2", "");
	assert_non_null(download);
	send(NULL, "1.2", ",\"paused\":true");
	assert_null(download);
	assert_int_equal(n_forgotten, 0); /* it goes on where it was */
	send(NULL, "1.2", "");
	arrive("1.2");
	must_offer("1.2", "none");
}

static void another_wish_takes_the_place_of_the_one_that_is_fetched(void **state)
{
	(void)state;
	send(NULL, "1.2", "");
	send(NULL, "1.3", "");
	arrive("1.3");
	must_offer("1.3", "none");
	must_be_gone("1.2");
}

static void what_is_not_sealed_is_not_fetched(void **state)
{
	(void)state;
	seal = SEAL_UNKNOWN;
	send(NULL, "1.2", "");
	assert_null(download);
	must_tell("\"state\": \"refused\"");
	must_tell("not trusted");
	assert_string_equal(told_version, "");
	/* Of the service, where fleet.conf names none. */
	assert_string_equal(asked_keys, "/keys");
}

/* A key that is taken away later counts no more at the next turn. */
static void a_key_that_is_taken_away_stops_the_rollout(void **state)
{
	(void)state;
	send_and_arrive("1.2", "");
	seal = SEAL_UNKNOWN;
	job_ended();
	must_offer("1.2", PERCENT(0));
	must_tell("\"state\": \"refused\"");
}

/* Until one of its timers has made something other be told, `most_s` at most. */
static void wait_for_news(unsigned most_s)
{
	uint64_t begun = monotonic_usec();
	unsigned before = n_told;

	while (n_told == before) {
		assert_true(clock_move_to_next());
		assert_in_range(monotonic_usec() - begun, 0, most_s * USEC_PER_SEC);
		settle();
	}
}

/* Nobody tells that it came. */
static void a_key_that_comes_later_is_found(void **state)
{
	(void)state;
	seal = SEAL_UNKNOWN;
	send(NULL, "1.2", "");
	must_tell("not trusted");
	clock_move(600 * USEC_PER_SEC);
	settle();
	assert_null(download);
	seal = SEAL_OK;
	wait_for_news(600);
	arrive("1.2");
	must_offer("1.2", "none");
}

static void a_wish_that_no_key_mends_is_left_alone(void **state)
{
	(void)state;
	seal = SEAL_REFUSED;
	send(NULL, "1.2", "");
	must_tell("\"state\": \"refused\"");
	assert_false(clock_move_to_next());
}

static void a_file_that_stands_in_the_way_is_looked_at_again(void **state)
{
	(void)state;
	put_text("images/gate-1.2.hex", "somebody's");
	send(NULL, "1.2", "");
	must_tell("\"state\": \"refused\"");
	must_tell("which plugflash-fleet did not bring: take it away");
	assert_int_equal(unlink(in_folder("images/gate-1.2.hex")), 0);
	wait_for_news(600);
	arrive("1.2");
	must_offer("1.2", "none");
}

/* The image lies there, and what was brought cannot be written down: a disk that is full, say. */
static void a_disk_that_gives_errors_is_tried_again(void **state)
{
	char text[200];

	(void)state;
	snprintf(text, sizeof(text), "[image]\nsha256 = %s\n", sha256_of("1.2"));
	put_text("images/gate-1.2.hex", bytes_of("1.2"));
	put_text("images/gate-1.2.hex.ini", text);
	put_text("images/gate-1.2.hex.ini.minisig", "s 1.2");
	make_directory("state/shelf.json");
	send(NULL, "1.2", "");
	assert_null(download);
	must_tell("\"state\": \"waiting\"");
	must_tell("gate-1.2.hex: Is a directory");
	assert_int_equal(rmdir(in_folder("state/shelf.json")), 0);
	wait_for_news(300);
	must_tell("\"state\": \"offered\"");
}

/* It is too large, say: neither time nor what else happens makes it another. */
static void a_download_that_is_refused_stays_so(void **state)
{
	unsigned before;

	(void)state;
	send(NULL, "1.2", "");
	download->state = DOWNLOAD_REFUSED;
	download->handler(download, download->userdata);
	settle();
	must_tell("\"state\": \"refused\"");
	before = n_told;
	job_ended();
	job_ended();
	assert_int_equal(n_told, before);
	send(NULL, "1.3", "");
	arrive("1.3");
	must_offer("1.3", "none");
}

static void failures_halt_it_over_restarts_until_somebody_resumes(void **state)
{
	struct reason reason;

	(void)state;
	add_unit("01", "1.1", NULL);
	add_unit("02", "1.1", NULL);
	add_unit("03", "1.1", NULL);
	send_and_arrive("1.2", "");
	job_ended();
	must_tell("\"units\": 3");
	dict_done(&service.units[0]);
	dict_done(&service.units[1]);
	service.n_units = 0;
	add_unit("01", "1.1", "1.2");
	add_unit("02", "1.1", "1.2");
	service.n_units = 3;
	job_ended();
	must_offer("1.2", PERCENT(0));
	must_tell("\"state\": \"halted\"");
	must_tell("2 units failed");
	must_tell("\"failed\": 2");
	restart();
	must_tell("\"state\": \"halted\"");
	must_offer("1.2", PERCENT(0));
	assert_int_equal(wishes_pause(wishes, "door", false, &reason), 1);
	assert_int_equal(wishes_pause(wishes, "gate", false, &reason), 0);
	settle();
	must_tell("\"state\": \"offered\"");
	must_offer("1.2", "none");
	assert_int_equal(wishes_pause(wishes, "gate", false, &reason), 1);
	restart();
	must_tell("\"state\": \"offered\"");
}

static void a_wish_that_is_taken_back_is_given_to_nobody(void **state)
{
	(void)state;
	add_unit("01", "1.2", NULL);
	send_and_arrive("1.2", "");
	job_ended();
	take_back(NULL, "gate");
	must_offer("1.2", PERCENT(0));
	assert_string_equal(told, "gone");
	assert_string_equal(told_version, "");
	restart();
	assert_string_equal(told, "");
	must_offer("1.2", PERCENT(0));
}

static void what_cannot_be_understood_stops_what_was_begun(void **state)
{
	(void)state;
	add_unit("01", "1.2", NULL);
	send_and_arrive("1.2", "");
	job_ended();
	wishes_take(wishes, NULL, "gate", "{\"paused\":tru", 14);
	settle();
	must_offer("1.2", PERCENT(0));
	must_tell("\"state\": \"refused\"");
	must_tell("\"image\": null");
	restart();
	must_tell("\"state\": \"refused\"");
	send(NULL, "1.2", "");
	must_offer("1.2", "none");
}

static void the_gateways_own_wish_is_before_those_of_groups(void **state)
{
	(void)state;
	send("b", "1.3", "");
	arrive("1.3");
	must_tell("\"group\": \"b\"");
	send("a", "1.2", "");
	must_tell("\"group\": \"a\"");
	arrive("1.2");
	must_be_gone("x"); /* nothing strange */
	send(NULL, "1.1", "");
	arrive("1.1");
	must_tell("\"group\": null");
	take_back(NULL, "gate");
	must_tell("\"group\": \"a\"");
}

/* The higher one would be chosen by the service; it goes once the lower one is offered. */
static void a_lower_version_takes_the_higher_one_away(void **state)
{
	(void)state;
	send_and_arrive("1.2", "");
	send(NULL, "1.1", ",\"percent\":10");
	must_offer("1.2", "none");
	arrive("1.1");
	must_offer("1.1", PERCENT(10));
	must_be_gone("1.2");
}

static void images_stay_as_long_as_somebody_needs_them(void **state)
{
	struct dict *unit = add_unit("01", "1.1", NULL);

	(void)state;
	job_ended();
	send_and_arrive("1.1", "");
	send_and_arrive("1.2", ",\"percent\":50");
	/* For who does not get the new one yet, or is plugged in tomorrow. */
	must_offer("1.1", "none");
	must_offer("1.2", PERCENT(50));
	assert_int_equal(dict_set_text(unit, "sha256", sha256_of("1.2")), 0);
	assert_int_equal(dict_set_text(unit, "previous_sha256", sha256_of("1.1")), 0);
	send(NULL, "1.2", "");
	job_ended();
	must_offer("1.1", "none"); /* it would go back to it */
	send_and_arrive("1.3", "");
	assert_int_equal(dict_set_text(unit, "sha256", sha256_of("1.3")), 0);
	assert_int_equal(dict_set_text(unit, "previous_sha256", sha256_of("1.2")), 0);
	job_ended();
	must_be_gone("1.1");
	must_offer("1.2", "none");
	must_offer("1.3", "none");
}

/* A half rollout ends with the wish: its units have it, no further one gets it. */
static void a_rollout_that_is_replaced_goes_no_further(void **state)
{
	(void)state;
	add_unit("01", "1.2", NULL);
	job_ended();
	send_and_arrive("1.2", ",\"percent\":50");
	send(NULL, "1.3", "");
	must_offer("1.2", PERCENT(0));
	arrive("1.3");
	must_offer("1.2", PERCENT(0));
}

static void without_the_service_nothing_is_taken_away(void **state)
{
	(void)state;
	send_and_arrive("1.1", "");
	send_and_arrive("1.2", ",\"percent\":50");
	service.presence = CLIENT_NO_SERVICE;
	wishes_presence(wishes, CLIENT_NO_SERVICE);
	settle();
	send(NULL, "1.2", "");
	must_offer("1.2", PERCENT(50));
	must_offer("1.1", "none");
	must_tell("\"units\": null");
	must_tell("the rules are waited for: plugflashd does not run; systemctl start plugflashd");
	send(NULL, "1.2", ",\"percent\":10");
	must_offer("1.2", PERCENT(10));
	send(NULL, "1.2", "");
	service.presence = CLIENT_THERE;
	wishes_presence(wishes, CLIENT_THERE);
	clock_move(1);
	settle();
	must_offer("1.2", "none");
	must_be_gone("1.1");
}

/* Its store cannot be read, say. */
static void a_service_that_cannot_answer_raises_nothing(void **state)
{
	struct reason reason;

	(void)state;
	send_and_arrive("1.2", ",\"percent\":10");
	service.is_broken = true;
	send(NULL, "1.2", ",\"percent\":50");
	must_offer("1.2", PERCENT(10));
	must_tell("does not tell its rules and units: the store cannot be read; journalctl");
	assert_int_equal(wishes_pause(wishes, "gate", true, &reason), 0);
	settle();
	assert_int_equal(wishes_pause(wishes, "gate", false, &reason), 0);
	settle();
	must_offer("1.2", PERCENT(0));
	service.is_broken = false;
	assert_true(clock_move_to_next());
	settle();
	must_offer("1.2", PERCENT(50));
}

/* To a process that begins. */
static void a_wish_says_why_the_rules_are_not_known(void **state)
{
	unsigned before;

	(void)state;
	service.is_silent = true;
	restart();
	send(NULL, "1.2", "");
	must_tell("\"state\": \"waiting\"");
	must_tell("the rules are waited for: plugflashd has not told them yet");
	service.presence = CLIENT_NO_SERVICE;
	wishes_presence(wishes, CLIENT_NO_SERVICE);
	settle();
	must_tell("plugflashd does not run");
	service.is_silent = false;
	service.is_broken = true;
	service.presence = CLIENT_THERE;
	wishes_presence(wishes, CLIENT_THERE);
	clock_move(1);
	settle();
	must_tell("the store cannot be read");
	/* The same again is no news, while it is asked and after that. */
	before = n_told;
	clock_move(30 * USEC_PER_SEC);
	settle();
	assert_int_equal(n_told, before);
	service.is_broken = false;
	clock_move(30 * USEC_PER_SEC);
	settle();
	arrive("1.2");
	must_offer("1.2", "none");
}

/* An older wish, which stands in the topic again, while the higher image lies there. */
static void a_wish_below_the_floor_is_offered_at_no_moment(void **state)
{
	(void)state;
	add_unit("01", "1.2", NULL);
	assert_int_equal(dict_set_text(&service.units[0], "previous_sha256", sha256_of("1.1")), 0);
	send_and_arrive("1.1", "");
	send_and_arrive("1.2", "");
	assert_int_equal(dict_set_text(&service.board, "floor", "1.2"), 0);
	tell_manager("FloorTime", 1);
	send(NULL, "1.1", "");
	must_tell("the floor of this board");
	must_offer("1.1", PERCENT(0));
	must_offer("1.2", "none");
	/* A process that begins before the service has answered. */
	service.is_silent = true;
	restart();
	must_offer("1.1", PERCENT(0));
	must_offer("1.2", "none");
	service.is_silent = false;
	settle();
	must_tell("the floor of this board");
	must_offer("1.1", PERCENT(0));
	must_offer("1.2", "none");
	/* The service begins again. */
	wishes_presence(wishes, CLIENT_NO_SERVICE);
	settle();
	must_tell("the floor of this board");
	must_offer("1.1", PERCENT(0));
	must_offer("1.2", "none");
}

static void its_window_opens_by_itself(void **state)
{
	char window[64];
	time_t soon = (time_t)(realtime_usec() / (int64_t)USEC_PER_SEC) + 3 * 3600;
	struct tm from, to;

	(void)state;
	assert_non_null(localtime_r(&soon, &from));
	soon += 2 * 3600;
	assert_non_null(localtime_r(&soon, &to));
	snprintf(window, sizeof(window), ",\"window\":\"%02d:%02d-%02d:%02d\"", from.tm_hour,
		from.tm_min, to.tm_hour, to.tm_min);
	send_and_arrive("1.2", window);
	must_offer("1.2", PERCENT(0));
	must_tell("\"state\": \"ready\"");
	for (unsigned i = 0; i < 30 && !strstr(told, "offered"); i++) {
		assert_true(clock_move_to_next());
		settle();
	}
	must_tell("\"state\": \"offered\"");
	assert_non_null(strstr(text_of("gate-1.2.hex.rollout"), "percent = 100\nuntil = "));
	for (unsigned i = 0; i < 30 && !strstr(told, "ready"); i++) {
		assert_true(clock_move_to_next());
		settle();
	}
	must_offer("1.2", PERCENT(0));
}

static void wishes_that_do_not_come_again_were_taken_back(void **state)
{
	(void)state;
	send("a", "1.2", "");
	arrive("1.2");
	wishes_connected(wishes);
	send("a", "1.2", "");
	wishes_heard_all(wishes);
	settle();
	must_tell("\"state\": \"offered\"");
	wishes_connected(wishes);
	wishes_heard_all(wishes);
	settle();
	assert_string_equal(told, "gone");
}

static void more_wishes_than_are_kept_are_refused(void **state)
{
	(void)state;
	send_and_arrive("1.2", "");
	for (unsigned i = 0; i < 100; i++) {
		char board[32], group[] = "a";

		snprintf(board, sizeof(board), "board%u", i);
		wishes_take(wishes, group, board, "{", 0);
		wishes_take(wishes, group, "line\nend", "{", 1);
	}
	settle();
	must_offer("1.2", "none");
}

/* Both ways, without a job that ends. */
static void a_floor_that_is_set_is_looked_at(void **state)
{
	(void)state;
	send_and_arrive("1.2", "");
	must_offer("1.2", "none");
	assert_int_equal(dict_set_text(&service.board, "floor", "1.3"), 0);
	tell_manager("FloorTime", 1);
	must_offer("1.2", PERCENT(0));
	must_tell("is below 1.3");
	assert_int_equal(dict_set_text(&service.board, "floor", "1.1"), 0);
	tell_manager("FloorTime", 2);
	must_offer("1.2", "none");
	must_tell("\"state\": \"offered\"");
}

/* What the service said before the wish came is not what the wish is judged by. */
static void a_wish_is_judged_by_what_the_service_says_then(void **state)
{
	(void)state;
	send_and_arrive("1.1", "");
	assert_int_equal(dict_set_text(&service.board, "floor", "1.3"), 0);
	send(NULL, "1.2", "");
	must_tell("\"state\": \"refused\"");
	must_tell("is below 1.3");
	assert_null(download);
	send(NULL, "1.1", ",\"percent\":50");
	must_tell("is below 1.3");
	must_offer("1.1", PERCENT(0));
	assert_int_equal(dict_set_text(&service.board, "floor", "1.1"), 0);
	send(NULL, "1.1", "");
	must_offer("1.1", "none");
}

/* As many as are kept. */
static void of_too_many_boards_one_more_cannot_be_paused(void **state)
{
	struct reason reason;
	FILE *to;

	(void)state;
	wishes = wishes_free(wishes);
	to = fopen(in_folder("state/holds.json"), "w");
	assert_non_null(to);
	for (unsigned i = 0; i < HOLDS_MOST; i++)
		fprintf(to, "%c\"board%u\": {\"hold\": \"command\"}", i == 0 ? '{' : ',', i);
	fputs("}", to);
	assert_int_equal(fclose(to), 0);
	start();
	assert_int_equal(wishes_pause(wishes, "gate", true, &reason), 1);
	assert_string_equal(reason.text, "there is no wish for this board");
	send(NULL, "1.2", "");
	must_tell("too many boards");
	assert_int_equal(wishes_pause(wishes, "gate", true, &reason), 1);
	assert_non_null(strstr(reason.text, "too many boards"));
}

/* ------------------------------------------------------------------ no wish, no offer */

static void the_image_of_a_group_that_is_none_any_more_is_given_to_nobody(void **state)
{
	(void)state;
	add_unit("01", "1.2", NULL);
	send("b", "1.2", "");
	arrive("1.2");
	must_offer("1.2", "none");
	n_groups = 1;
	restart();
	assert_string_equal(told, "");
	must_offer("1.2", PERCENT(0));
}

/* Killed after the wish was forgotten, before the rollout file was written. */
static void what_was_taken_back_at_a_kill_is_given_to_nobody(void **state)
{
	char command[800];

	(void)state;
	add_unit("01", "1.2", NULL);
	send_and_arrive("1.1", "");
	send_and_arrive("1.2", ",\"percent\":50");
	snprintf(command, sizeof(command), "rm %s/state/wish-*", folder);
	assert_int_equal(system(command), 0);
	/* Nothing is known of the units: it is given to nobody all the same. */
	service.is_silent = true;
	restart();
	must_offer("1.2", PERCENT(0));
	must_offer("1.1", PERCENT(0));
	service.is_silent = false;
	settle();
	must_be_gone("1.1");
	must_offer("1.2", PERCENT(0));
}

static void what_cannot_be_withdrawn_on_a_full_disk_is_taken_away(void **state)
{
	(void)state;
	add_unit("01", "1.2", NULL);
	send_and_arrive("1.2", ",\"percent\":10");
	fill_disk("1.2");
	/* Fewer units than the wish says is no harm. */
	send(NULL, "1.2", ",\"percent\":50");
	must_offer("1.2", PERCENT(10));
	must_tell("\"state\": \"waiting\"");
	take_back(NULL, "gate");
	must_be_gone("1.2");
	/* More than it says is. */
	send_and_arrive("1.3", "");
	fill_disk("1.3");
	send(NULL, "1.3", ",\"percent\":50");
	must_be_gone("1.3");
	arrive("1.3");
	assert_string_equal(text_of("gate-1.3.hex"), "none");
	must_tell("\"state\": \"fetching\"");
	clear_disk("1.2");
	clear_disk("1.3");
	for (unsigned i = 0; i < 10 && download; i++) {
		assert_true(clock_move_to_next());
		settle();
	}
	must_offer("1.3", PERCENT(50));
}

/* Neither can its rollout file be written, nor all of it be removed. */
static void what_cannot_be_withdrawn_is_tried_again(void **state)
{
	(void)state;
	send_and_arrive("1.2", "");
	assert_int_equal(mkdir(in_folder("images/gate-1.2.hex.rollout"), 0755), 0);
	take_back(NULL, "gate");
	assert_string_equal(text_of("gate-1.2.hex"), "none");
	assert_int_equal(rmdir(in_folder("images/gate-1.2.hex.rollout")), 0);
	assert_true(clock_move_to_next());
	settle();
	must_be_gone("1.2");
}

/* It says the board of each image, not the group. */
static void a_list_of_an_older_version_is_understood(void **state)
{
	char list[1024];

	(void)state;
	send_and_arrive("1.1", "");
	send_and_arrive("1.2", ",\"percent\":50");
	wishes = wishes_free(wishes);
	snprintf(list, sizeof(list),
		"{\"gate-1.1.hex\":{\"board\":\"gate\",\"version\":\"1.1\",\"sha256\":\"%s\",\"size\":%zu},",
		sha256_of("1.1"), strlen(bytes_of("1.1")));
	snprintf(list + strlen(list), sizeof(list) - strlen(list),
		"\"gate-1.2.hex\":{\"board\":\"gate\",\"version\":\"1.2\",\"sha256\":\"%s\",\"size\":%zu}}",
		sha256_of("1.2"), strlen(bytes_of("1.2")));
	put_text("state/shelf.json", list);
	start();
	must_offer("1.1", "none");
	must_offer("1.2", PERCENT(50));
	add_unit("01", "1.1", NULL);
	add_unit("02", "1.2", NULL);
	take_back(NULL, "gate");
	must_offer("1.1", PERCENT(0));
	must_offer("1.2", PERCENT(0));
}

/* For all units, without end, and of a wish that is not in force. */
static void a_groups_wish_that_is_taken_back_withdraws_its_image(void **state)
{
	(void)state;
	add_unit("01", "1.1", NULL);
	send("a", "1.1", "");
	arrive("1.1");
	send_and_arrive("1.2", ",\"percent\":10");
	must_offer("1.1", "none");
	send("a", "1.1", ",\"paused\":true");
	must_offer("1.1", PERCENT(0));
	take_back(NULL, "gate");
	send("a", "1.1", "");
	must_offer("1.1", "none");
	send(NULL, "1.2", ",\"percent\":10");
	arrive("1.2");
	must_offer("1.1", "none");
	take_back("a", "gate");
	must_offer("1.1", PERCENT(0));
	must_offer("1.2", PERCENT(10));
}

/* ------------------------------------------------------------------ whose image it is */

static void of_two_wishes_for_one_file_one_has_it_over_restarts(void **state)
{
	(void)state;
	send_and_arrive("1.2", "");
	send_wish(&(struct sent){.board = "door", .version = "1.2"});
	must_tell_door("the wish for board 'gate' names the same file");
	restart();
	must_tell("\"state\": \"offered\"");
	must_tell_door("the wish for board 'gate' names the same file");
	must_offer("1.2", "none");
	take_back(NULL, "gate");
	must_tell_door("\"state\": \"offered\"");
	must_offer("1.2", "none");
	send(NULL, "1.2", ",\"percent\":10");
	must_tell("the wish for board 'door' names the same file");
	must_offer("1.2", "none");
	restart();
	must_tell("the wish for board 'door' names the same file");
	must_tell_door("\"state\": \"offered\"");
	must_offer("1.2", "none");
}

/* For those who come tomorrow it is the newest of the other board. */
static void an_image_belongs_to_the_board_that_it_is_offered_for(void **state)
{
	(void)state;
	send_and_arrive("1.2", "");
	send_wish(&(struct sent){.board = "door", .version = "1.2"});
	take_back(NULL, "gate");
	send_wish(&(struct sent){.board = "door", .version = "1.3", .more = ",\"percent\":10"});
	arrive("1.3");
	must_offer("1.2", "none");
	must_offer("1.3", PERCENT(10));
	send_and_arrive("1.1", "");
	must_offer("1.1", "none");
	must_offer("1.2", "none");
	send_and_arrive("1.4", "");
	job_ended();
	must_be_gone("1.1");
	must_offer("1.2", "none");
	restart();
	must_offer("1.2", "none");
	take_back(NULL, "door");
	must_be_gone("1.2");
	must_be_gone("1.3");
	must_offer("1.4", "none");
}

static void an_image_signed_anew_is_given_to_nobody_before_it_is_there(void **state)
{
	(void)state;
	send_and_arrive("1.2", "");
	send_wish(
		&(struct sent){.version = "1.2", .signature = "anew", .more = ",\"paused\":true"});
	must_tell("\"state\": \"paused\"");
	must_offer("1.2", PERCENT(0));
	send_wish(&(struct sent){.version = "1.2", .signature = "anew"});
	must_offer("1.2", PERCENT(0));
	arrive("1.2");
	must_offer("1.2", "none");
	assert_string_equal(text_of("gate-1.2.hex.ini.minisig"), "s anew");
}

static void a_name_with_other_bytes_is_given_to_nobody(void **state)
{
	(void)state;
	send_and_arrive("1.2", ",\"percent\":50");
	send_wish(&(struct sent){.name = "1.2", .version = "1.3"});
	must_tell("each image needs a name of its own");
	must_offer("1.2", PERCENT(0));
	send(NULL, "1.2", ",\"percent\":50");
	must_offer("1.2", PERCENT(50));
	/* Of another board it is that one's alone that is refused. */
	send_wish(&(struct sent){.board = "door", .name = "1.2", .version = "1.3"});
	must_tell_door("\"state\": \"refused\"");
	must_offer("1.2", PERCENT(50));
	must_tell("\"state\": \"offered\"");
}

/* It is the group's from then on: once that goes as well nobody gets it. */
static void an_own_wish_leaves_the_image_to_the_group(void **state)
{
	(void)state;
	add_unit("01", "1.2", NULL);
	send("a", "1.2", ",\"percent\":50");
	arrive("1.2");
	send(NULL, "1.2", "");
	must_offer("1.2", "none");
	take_back(NULL, "gate");
	must_offer("1.2", PERCENT(50));
	must_tell("\"group\": \"a\"");
	send("b", "1.2", "");
	take_back("a", "gate");
	must_offer("1.2", "none");
	n_groups = 1;
	restart();
	must_offer("1.2", PERCENT(0));
}

/* ------------------------------------------------------------------ more than can be paid for */

/* Wishes of a group, each another than the last, until no further one is acted on at once. */
static void flood(void)
{
	char more[32];

	for (unsigned i = 0; i < 3 * INBOX_AT_ONCE; i++) {
		snprintf(more, sizeof(more), ",\"percent\":%u", i % 100);
		send("b", "1.1", more);
	}
}

static void pass(uint64_t usec)
{
	clock_move(usec);
	settle();
}

static void a_flood_of_wishes_asks_and_writes_no_more_than_is_paid_for(void **state)
{
	(void)state;
	service.n_asked = 0;
	flood();
	assert_in_range(service.n_asked, 1, INBOX_AT_ONCE);
	must_tell("\"version\": \"1.1\"");
	send("b", "1.2", "");
	must_tell("\"version\": \"1.1\"");
	pass(INBOX_EACH_USEC);
	must_tell("\"version\": \"1.2\"");
	arrive("1.2");
	must_offer("1.2", "none");
	/* The same once more costs nothing, and takes what waits back. */
	service.n_asked = 0;
	for (unsigned i = 0; i < 200; i++)
		send("b", "1.2", "");
	send("b", "1.2", ",\"percent\":50");
	send("b", "1.2", "");
	pass(10 * INBOX_EACH_USEC);
	must_offer("1.2", "none");
	assert_int_equal(service.n_asked, 0);
}

static void a_pause_is_there_soon_whatever_else_is_published(void **state)
{
	(void)state;
	send_and_arrive("1.2", "");
	flood();
	must_offer("1.2", "none");
	send(NULL, "1.2", ",\"paused\":true");
	pass(2 * INBOX_EACH_USEC);
	must_offer("1.2", PERCENT(0));
	must_tell("\"state\": \"paused\"");
}

static void a_wish_that_waits_was_not_taken_back(void **state)
{
	(void)state;
	send("a", "1.2", "");
	arrive("1.2");
	flood();
	wishes_connected(wishes);
	send("a", "1.2", ",\"percent\":50");
	wishes_heard_all(wishes);
	settle();
	must_offer("1.2", "none");
	must_tell("\"state\": \"offered\"");
	pass(2 * INBOX_EACH_USEC);
	must_offer("1.2", PERCENT(50));
}

/* What waited when the connection went is not retained any more. */
static void a_wish_that_waited_is_taken_back_with_the_others(void **state)
{
	(void)state;
	send("a", "1.2", "");
	arrive("1.2");
	flood();
	send("a", "1.2", ",\"percent\":50");
	wishes_connected(wishes);
	wishes_heard_all(wishes);
	settle();
	assert_string_equal(told, "gone");
	pass(10 * INBOX_EACH_USEC);
	assert_string_equal(told, "gone");
}

#define SCENE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(a_wish_is_fetched_placed_and_offered),
		SCENE(percent_goes_up_and_a_pause_stops_all),
		SCENE(a_pause_stops_what_is_fetched),
		SCENE(another_wish_takes_the_place_of_the_one_that_is_fetched),
		SCENE(what_is_not_sealed_is_not_fetched),
		SCENE(a_key_that_is_taken_away_stops_the_rollout),
		SCENE(a_key_that_comes_later_is_found),
		SCENE(a_wish_that_no_key_mends_is_left_alone),
		SCENE(a_file_that_stands_in_the_way_is_looked_at_again),
		SCENE(a_disk_that_gives_errors_is_tried_again),
		SCENE(a_download_that_is_refused_stays_so),
		SCENE(failures_halt_it_over_restarts_until_somebody_resumes),
		SCENE(a_wish_that_is_taken_back_is_given_to_nobody),
		SCENE(what_cannot_be_understood_stops_what_was_begun),
		SCENE(the_gateways_own_wish_is_before_those_of_groups),
		SCENE(a_lower_version_takes_the_higher_one_away),
		SCENE(images_stay_as_long_as_somebody_needs_them),
		SCENE(a_rollout_that_is_replaced_goes_no_further),
		SCENE(without_the_service_nothing_is_taken_away),
		SCENE(a_wish_says_why_the_rules_are_not_known),
		SCENE(a_wish_below_the_floor_is_offered_at_no_moment),
		SCENE(a_service_that_cannot_answer_raises_nothing),
		SCENE(its_window_opens_by_itself),
		SCENE(wishes_that_do_not_come_again_were_taken_back),
		SCENE(more_wishes_than_are_kept_are_refused),
		SCENE(a_floor_that_is_set_is_looked_at),
		SCENE(a_wish_is_judged_by_what_the_service_says_then),
		SCENE(of_too_many_boards_one_more_cannot_be_paused),
		SCENE(the_image_of_a_group_that_is_none_any_more_is_given_to_nobody),
		SCENE(what_was_taken_back_at_a_kill_is_given_to_nobody),
		SCENE(what_cannot_be_withdrawn_on_a_full_disk_is_taken_away),
		SCENE(what_cannot_be_withdrawn_is_tried_again),
		SCENE(a_list_of_an_older_version_is_understood),
		SCENE(a_groups_wish_that_is_taken_back_withdraws_its_image),
		SCENE(of_two_wishes_for_one_file_one_has_it_over_restarts),
		SCENE(an_image_belongs_to_the_board_that_it_is_offered_for),
		SCENE(an_image_signed_anew_is_given_to_nobody_before_it_is_there),
		SCENE(a_name_with_other_bytes_is_given_to_nobody),
		SCENE(an_own_wish_leaves_the_image_to_the_group),
		SCENE(a_flood_of_wishes_asks_and_writes_no_more_than_is_paid_for),
		SCENE(a_pause_is_there_soon_whatever_else_is_published),
		SCENE(a_wish_that_waits_was_not_taken_back),
		SCENE(a_wish_that_waited_is_taken_back_with_the_others),
	};

	log_open("test", LOG_TARGET_STDERR, LOG_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
