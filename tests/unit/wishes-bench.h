/* SPDX-License-Identifier: MIT */
/*
 * wishes-bench.h - wishes from message to folder, in virtual time: service, download and seal are
 * stood in for, all else is as it is. What is judged is what the service would find in the folder,
 * and what is told. Include after cmocka.h.
 */
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "fleet/seal.h"
#include "fleet/wishes.h"
#include "image/digest.h"
#include "unit/folder.h"
#include "unit/virtual-clock.h"

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

static inline void answer(void)
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

static inline void on_tell(void *userdata, const char *board, const char *payload)
{
	bool is_gate = strcmp(board, "gate") == 0;

	(void)userdata;
	assert_true(is_gate || strcmp(board, "door") == 0);
	text_copy(is_gate ? told : told_door, sizeof(told), payload ? payload : "gone");
	n_told++;
}

static inline void on_tell_version(void *userdata, const char *board, const char *version)
{
	(void)userdata;
	if (strcmp(board, "gate") == 0)
		text_copy(told_version, sizeof(told_version), version);
}

static inline void on_told_all(void *userdata)
{
	(void)userdata;
	assert_false(has_told_all);
	has_told_all = true;
}

/* Until nothing is to be done any more but to wait; time goes on where the service is asked. */
static inline void settle(void)
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

static inline void start(void)
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

static inline void restart(void)
{
	wishes = wishes_free(wishes);
	told[0] = told_door[0] = '\0';
	start();
}

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
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

/* ------------------------------------------------------------------ sent, and found */

/* The bytes of the image of that version. */
static inline const char *bytes_of(const char *version)
{
	static char bytes[64];

	snprintf(bytes, sizeof(bytes), "the image %s", version);
	return bytes;
}

static inline const char *sha256_of(const char *version)
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

static inline void send_wish(const struct sent *sent)
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
static inline void send(const char *group, const char *version, const char *more)
{
	send_wish(&(struct sent){.group = group, .version = version, .more = more});
}

/* NULL: the gateway's own. */
static inline void take_back(const char *group, const char *board)
{
	wishes_take(wishes, group, board, "", 0);
	settle();
}

/* The download is whole. */
static inline void arrive(const char *version)
{
	assert_non_null(download);
	assert_non_null(strstr(download->url, version));
	put_text("part", bytes_of(version));
	download->state = DOWNLOAD_WHOLE;
	download->handler(download, download->userdata);
	settle();
}

static inline void send_and_arrive(const char *version, const char *more)
{
	send(NULL, version, more);
	arrive(version);
}

/* One more unit, `id` 1 to 9. */
static inline struct dict *add_unit(const char *id, const char *held, const char *failed)
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

static inline void job_ended(void)
{
	wishes_job_removed(wishes);
	settle();
	clock_move(USEC_PER_SEC);
	settle();
}

static inline const char *text_of(const char *name)
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
static inline void must_offer(const char *version, const char *rollout)
{
	char name[64];

	snprintf(name, sizeof(name), "gate-%s.hex", version);
	assert_string_equal(text_of(name), bytes_of(version));
	snprintf(name, sizeof(name), "gate-%s.hex.rollout", version);
	assert_string_equal(text_of(name), rollout);
}

#define PERCENT(n) "[rollout]\npercent = " #n "\n"

static inline void must_be_gone(const char *version)
{
	static const char *const suffixes[] = {"", ".ini", ".ini.minisig", ".rollout"};
	char name[64];

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		snprintf(name, sizeof(name), "gate-%s.hex%s", version, suffixes[i]);
		assert_string_equal(text_of(name), "none");
	}
}

static inline void must_tell(const char *part)
{
	if (!strstr(told, part))
		fail_msg("'%s' is not in %s", part, told);
}

static inline void must_tell_door(const char *part)
{
	if (!strstr(told_door, part))
		fail_msg("'%s' is not in %s", part, told_door);
}

static inline void tell_manager(const char *key, uint64_t value)
{
	struct client_object manager = {.kind = CLIENT_MANAGER};

	assert_int_equal(dict_set_number(&manager.properties, key, value), 0);
	wishes_changed(wishes, &manager);
	dict_done(&manager.properties);
	settle();
}

#define SCENE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
