/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/names.h"
#include "bed/bus-daemon.h"
#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/peer.h"
#include "bed/scene.h"

static struct bus_daemon bus;
static struct peers *peers;
static struct peer *peer;

int command_set_up(void **state)
{
	char chips[PATH_MAX];

	scene_set_up(state);
	assert_non_null(realpath("config/chips.ini", chips));
	assert_int_equal(setenv(ENV_CHIPS, chips, 1), 0);
	bus_daemon_init(&bus, *state);
	bus_daemon_start(&bus);
	peers = peers_new(*state);
	peer = peer_new(peers);
	return 0;
}

int command_tear_down(void **state)
{
	peer = peer_free(peer);
	peers = peers_free(peers);
	bus_daemon_done(&bus);
	return scene_tear_down(state);
}

void command_start_service(struct bed *bed)
{
	scene_start(bed);
	assert_true(peer_wait_name(peer, BED_LONG, BUS_NAME, true));
}

void command_wait_manager(const char *property, const char *value)
{
	assert_true(peer_wait_property(peer, BED_LONG, BUS_PATH, BUS_MANAGER, property, value));
}

void command_end_bus(void)
{
	bus_daemon_end(&bus);
}

void command_set_directory(const char *variable, struct bed *bed, const char *below)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", bed_directory(bed), below);
	setenv(variable, path, 1);
}

/* The shell keeps what it says in the file; `errors` sends standard error there, too. */
static pid_t start(
	struct bed *bed, uid_t user, const char *arguments, const char *errors, const char *file)
{
	char script[800], path[400];

	/* There, and empty, before it says anything. */
	snprintf(path, sizeof(path), "%s/%s", bed_directory(bed), file);
	assert_int_equal(fclose(fopen(path, "we")), 0);
	assert_int_equal(chmod(path, 0666), 0);
	command_set_directory(ENV_CONFIGURATION, bed, "config");
	command_set_directory(ENV_STATE, bed, "state");
	command_set_directory(ENV_RUNTIME, bed, "runtime");
	snprintf(script, sizeof(script), "exec >%s %s; exec %s/plugflash %s", path, errors,
		enclosure_build(), arguments);
	return bed_spawn_as(bed, user, BED_MATCH("/bin/sh", "-c", script));
}

static int wait_for(struct bed *bed, pid_t pid)
{
	int status = -1;

	assert_true(bed_wait_child(bed, BED_LONG, pid, &status));
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int command_run(struct bed *bed, const char *arguments)
{
	return wait_for(bed, start(bed, 0, arguments, "", "out"));
}

int command_run_all(struct bed *bed, const char *arguments)
{
	return wait_for(bed, start(bed, 0, arguments, "2>&1", "out"));
}

int command_run_as_nobody(struct bed *bed, const char *arguments)
{
	return wait_for(bed, start(bed, BED_NOBODY, arguments, "2>&1", "out"));
}

pid_t command_start(struct bed *bed, const char *arguments, const char *file)
{
	return start(bed, 0, arguments, "2>&1", file);
}

unsigned command_lines(struct bed *bed, const char *part)
{
	char path[400], line[4096];
	unsigned n = 0;
	FILE *from;

	snprintf(path, sizeof(path), "%s/out", bed_directory(bed));
	from = fopen(path, "r");
	assert_non_null(from);
	while (fgets(line, sizeof(line), from))
		n += strstr(line, part) != NULL;
	fclose(from);
	return n;
}
