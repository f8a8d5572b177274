/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "bed/stage.h"

int stage_set_up(void **state)
{
	static struct stage stage;

	scene_set_up(state);
	stage = (struct stage){.bed = *state};
	bus_daemon_init(&stage.daemon, stage.bed);
	bus_daemon_start(&stage.daemon);
	stage.peers = peers_new(stage.bed);
	stage.peer = peer_new(stage.peers);
	*state = &stage;
	return 0;
}

int stage_tear_down(void **state)
{
	struct stage *stage = *state;
	void *bed = stage->bed;

	peer_free(stage->peer);
	peers_free(stage->peers);
	bus_daemon_done(&stage->daemon);
	return scene_tear_down(&bed);
}

void stage_start(struct stage *stage)
{
	scene_start(stage->bed);
	assert_true(peer_wait_name(stage->peer, BED_LONG, BUS_NAME, true));
}

void stage_end_bus(struct stage *stage)
{
	stage->peer = peer_free(stage->peer);
	bus_daemon_end(&stage->daemon);
}

void stage_begin_bus(struct stage *stage)
{
	bus_daemon_start(&stage->daemon);
	stage->peer = peer_new(stage->peers);
}

void expect_property(struct stage *stage, const char *path, const char *interface, const char *name,
	const char *value)
{
	assert_true(peer_wait_property(stage->peer, BED_LONG, path, interface, name, value));
}

static bool read_value(sd_bus_message *signal, char to[256])
{
	const char *type, *text;
	uint32_t small;
	uint64_t number;
	double share;

	assert_true(sd_bus_message_peek_type(signal, NULL, &type) > 0);
	if (*type == 's' || *type == 'o') {
		assert_true(sd_bus_message_read(signal, "v", type, &text) > 0);
		snprintf(to, 256, "%s", text);
	} else if (*type == 'u') {
		assert_true(sd_bus_message_read(signal, "v", type, &small) > 0);
		snprintf(to, 256, "%u", small);
	} else if (*type == 't') {
		assert_true(sd_bus_message_read(signal, "v", type, &number) > 0);
		snprintf(to, 256, "%llu", (unsigned long long)number);
	} else if (*type == 'd') {
		assert_true(sd_bus_message_read(signal, "v", type, &share) > 0);
		snprintf(to, 256, "%.3f", share);
	} else {
		assert_true(sd_bus_message_skip(signal, "v") > 0);
		return false;
	}
	return true;
}

bool told_by(sd_bus_message *signal, const char *interface, const char *name, char to[256])
{
	const char *of, *property;
	bool is_told = false;

	if (strcmp(sd_bus_message_get_member(signal), "PropertiesChanged") != 0)
		return false;
	assert_true(sd_bus_message_rewind(signal, true) >= 0);
	assert_true(sd_bus_message_read(signal, "s", &of) > 0);
	if (strcmp(of, interface) != 0)
		return false;
	assert_true(sd_bus_message_enter_container(signal, 'a', "{sv}") > 0);
	while (sd_bus_message_enter_container(signal, 'e', "sv") > 0) {
		assert_true(sd_bus_message_read(signal, "s", &property) > 0);
		if (strcmp(property, name) == 0)
			is_told |= read_value(signal, to);
		else
			assert_true(sd_bus_message_skip(signal, "v") > 0);
		assert_true(sd_bus_message_exit_container(signal) > 0);
	}
	return is_told;
}

static const char *interface_of(const char *path)
{
	if (strstr(path, BUS_PATH_JOB "/"))
		return BUS_JOB;
	if (strstr(path, BUS_PATH_SLOT "/"))
		return BUS_SLOT;
	return strstr(path, BUS_PATH_BRIDGE "/") ? BUS_BRIDGE : BUS_MANAGER;
}

bool last_told(struct peer *peer, const char *path, const char *name, char to[256])
{
	bool is_told = false;

	for (size_t i = 0; i < peer_signals(peer); i++) {
		sd_bus_message *signal = peer_signal(peer, i);

		if (strcmp(sd_bus_message_get_path(signal), path) == 0)
			is_told |= told_by(signal, interface_of(path), name, to);
	}
	return is_told;
}

void expect_told(struct stage *stage, const char *path, const char *name, const char *value)
{
	char got[256];

	assert_true(last_told(stage->peer, path, name, got));
	assert_string_equal(got, value);
}

void expect_error(sd_bus_message *answer, const char *name, const char *part)
{
	const sd_bus_error *error = sd_bus_message_get_error(answer);

	if (!error)
		fail_msg("no error, but '%s' was expected", name);
	assert_string_equal(error->name, name);
	if (!strstr(error->message, part))
		fail_msg("'%s' has no '%s' in it", error->message, part);
	sd_bus_message_unref(answer);
}

void expect_good(sd_bus_message *answer)
{
	const sd_bus_error *error = sd_bus_message_get_error(answer);

	if (error)
		fail_msg("%s: %s", error->name, error->message);
	sd_bus_message_unref(answer);
}
