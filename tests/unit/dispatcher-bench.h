/* SPDX-License-Identifier: MIT */
/*
 * dispatcher-bench.h - a dispatcher on the bench: bridges of paper, a journal that is a list, and
 * the turns the manager would give it. Takes the place of log.h's and monitor.h's functions.
 * Include after cmocka.h.
 */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/names.h"
#include "device/monitor.h"
#include "service/dispatcher.h"
#include "unit/fake-worker.h"
#include "unit/folder.h"
#include "unit/patience.h"
#include "unit/virtual-clock.h"

static const char *self;

/* ------------------------------------------------------------------ a journal to look into */

static struct entry {
	char message_id[33];
	char text[600];
	char port[64];
	char job[64];
	char batch[32];
} entries[600];
static size_t n_entries;

void log_field(struct log_fields *fields, const char *name, const char *format, ...)
{
	va_list arguments;
	char value[512];

	va_start(arguments, format);
	if (vsnprintf(value, sizeof(value), format, arguments) < 0)
		value[0] = '\0';
	va_end(arguments);
	assert_true(fields->n_items < ARRAY_SIZE(fields->items));
	assert_true(asprintf(&fields->items[fields->n_items++], "%s=%s", name, value) > 0);
}

void log_fields_done(struct log_fields *fields)
{
	for (size_t i = 0; i < fields->n_items; i++)
		free(fields->items[i]);
	fields->n_items = 0;
}

static void keep_field(const struct log_fields *fields, const char *name, char *to, size_t size)
{
	for (size_t i = 0; fields && i < fields->n_items; i++)
		if (strncmp(fields->items[i], name, strlen(name)) == 0 &&
			fields->items[i][strlen(name)] == '=')
			snprintf(to, size, "%s", fields->items[i] + strlen(name) + 1);
}

void log_event(int priority, const char *message_id, const struct log_fields *fields,
	const char *format, ...)
{
	struct entry *entry = &entries[n_entries];
	va_list arguments;

	if (priority == LOG_DEBUG)
		return;
	assert_true(n_entries++ < ARRAY_SIZE(entries));
	*entry = (struct entry){0};
	snprintf(entry->message_id, sizeof(entry->message_id), "%s", message_id ? message_id : "");
	va_start(arguments, format);
	vsnprintf(entry->text, sizeof(entry->text), format, arguments);
	va_end(arguments);
	keep_field(fields, FIELD_PORT, entry->port, sizeof(entry->port));
	keep_field(fields, FIELD_JOB, entry->job, sizeof(entry->job));
	keep_field(fields, FIELD_BATCH, entry->batch, sizeof(entry->batch));
}

static size_t count_entries(const char *message_id)
{
	size_t n = 0;

	for (size_t i = 0; i < n_entries; i++)
		n += strcmp(entries[i].message_id, message_id) == 0;
	return n;
}

/* The n-th entry of that kind, from 0. */
static __attribute__((unused)) const struct entry *find_entry(const char *message_id, size_t n)
{
	for (size_t i = 0; i < n_entries; i++)
		if (strcmp(entries[i].message_id, message_id) == 0 && n-- == 0)
			return &entries[i];
	fail_msg("no such entry: %s", message_id);
	return NULL;
}

static __attribute__((unused)) void assert_says(const struct entry *entry, const char *text)
{
	if (!strstr(entry->text, text))
		fail_msg("'%s' not in '%s'", text, entry->text);
}

/* --------------------------------------------------------------------- bridges of paper */

#ifndef N_SLOTS
#define N_SLOTS 16
#endif

/* What is plugged into a slot, as sysfs would show it: a number and a serial. */
static struct socket {
	char port[32];
	char sysfs[300];
	char serial[32];
	char path[32];
	struct facts facts;
	bool is_present;
} sockets[N_SLOTS];

static const struct facts *plug(unsigned number, const char *serial)
{
	struct socket *slot = &sockets[number];

	snprintf(slot->port, sizeof(slot->port), "/dev/ttyUSB%u", number);
	snprintf(slot->sysfs, sizeof(slot->sysfs), "%s/tty/ttyUSB%u", folder, number);
	snprintf(slot->serial, sizeof(slot->serial), "%s", serial);
	snprintf(slot->path, sizeof(slot->path), "pci-%u", number);
	slot->facts = (struct facts){.port = slot->port,
		.sysfs = slot->sysfs,
		.devnum = 188 * 256 + number,
		.vendor_id = 0x10c4,
		.product_id = 0xea60,
		.serial = slot->serial,
		.usb_path = slot->path,
		.driver = "cp210x"};
	slot->is_present = true;
	return &slot->facts;
}

static inline const char *pull(unsigned number)
{
	sockets[number].is_present = false;
	return sockets[number].sysfs;
}

int bridge_find(const char *port, struct facts *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		if (sockets[i].is_present && strcmp(sockets[i].port, port) == 0)
			return facts_copy(&sockets[i].facts, ret);
	return -ENODEV;
}

/* ------------------------------------------------------------------------------ the bench */

struct bench {
	sd_event *event;
	struct dispatcher_parts parts;
	struct dispatcher *dispatcher;
	struct flap_table flaps;
	struct hooks hooks;
	bool is_turn_due;
	size_t most_running;
};

static void on_change(void *userdata)
{
	struct bench *bench = userdata;

	bench->is_turn_due = true;
}

static void do_nothing(void *userdata)
{
	(void)userdata;
}

static void ignore_progress(void *userdata, const struct bridge *bridge)
{
	(void)userdata;
	(void)bridge;
}

/* Another one of the bench's parts as they are now. */
static void renew_dispatcher(struct bench *bench)
{
	dispatcher_free(bench->dispatcher);
	assert_int_equal(dispatcher_new(&bench->parts, &bench->dispatcher), 0);
}

static inline void set_config(struct bench *bench, const char *text)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(config_done) struct config config = {0};
	char whole[2000];

	snprintf(whole, sizeof(whole), "[service]\nimage-dir = %s/images\nsettle = 1ms\n%s", folder,
		text);
	put_text("plugflash.conf", whole);
	assert_int_equal(config_load(folder, &config, &problems), 0);
	dispatcher_set_config(bench->dispatcher, &config);
	bench->is_turn_due = true;
}

static int set_up(void **state)
{
	static struct bench bench;

	memset(&bench, 0, sizeof(bench));
	memset(sockets, 0, sizeof(sockets));
	n_entries = 0;
	assert_true(sd_event_new(&bench.event) >= 0);
	hooks_init(&bench.hooks, bench.event, on_change, &bench);
	bench.parts = (struct dispatcher_parts){
		.event = bench.event,
		.chips = "/nowhere/chips.ini",
		.worker = self,
		.flaps = &bench.flaps,
		.hooks = &bench.hooks,
		.on_change = on_change,
		.on_progress = ignore_progress,
		.on_missed = do_nothing,
		.userdata = &bench,
	};
	renew_dispatcher(&bench);
	set_config(&bench, "");
	*state = &bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	dispatcher_free(bench->dispatcher);
	hooks_done(&bench->hooks);
	sd_event_unref(bench->event);
	/* A look-up that was let go has been killed, and nobody is left to reap it. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	return 0;
}

/* An image for each way in which a worker may behave; the group's set-up. */
static inline int bench_make_images(void **state)
{
	char name[64];

	if (folder_make(state) != 0 || mkdir(in_folder("images"), 0755) != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(fake_behaviours); i++) {
		snprintf(name, sizeof(name), "images/%s-1.2.bin", fake_behaviours[i].name);
		put_text(name, "image");
	}
	return 0;
}

/* A worker, one that looks images up, or a program of on-outcome. */
static inline bool has_child(void)
{
	siginfo_t unused;

	return waitid(P_ALL, 0, &unused, WEXITED | WNOWAIT | WNOHANG) == 0;
}

/*
 * One round of the loop, with the turn that the manager would give it. It may wait for a process;
 * where none runs and nothing has happened, a job that waits does so for the next timer.
 */
static inline void run_once(struct bench *bench, bool may_wait)
{
	struct dispatcher_counts counts;
	int r;

	if (bench->is_turn_due) {
		bench->is_turn_due = false;
		dispatcher_turn(bench->dispatcher);
	}
	counts = dispatcher_count(bench->dispatcher);
	if (counts.running > bench->most_running)
		bench->most_running = counts.running;
	r = sd_event_run(bench->event, 0);
	assert_true(r >= 0);
	if (r > 0 || bench->is_turn_due || !may_wait)
		return;
	if (has_child())
		assert_true(sd_event_run(bench->event, USEC_PER_SEC) >= 0);
	else if (counts.waiting > 0)
		clock_move_to_next();
}

static inline void run_until_entries(struct bench *bench, const char *message_id, size_t n)
{
	uint64_t deadline = real_usec() + PATIENCE_USEC;

	while (count_entries(message_id) < n) {
		if (real_usec() > deadline)
			fail_msg("only %zu of %zu entries", count_entries(message_id), n);
		run_once(bench, true);
	}
}

/* Until nothing is due any more and no job runs or waits. */
static inline void run_until_idle(struct bench *bench)
{
	uint64_t deadline = real_usec() + PATIENCE_USEC;
	struct dispatcher_counts counts;

	do {
		assert_true(real_usec() < deadline);
		run_once(bench, true);
		counts = dispatcher_count(bench->dispatcher);
	} while (bench->is_turn_due || counts.running > 0 || counts.waiting > 0);
}
