/* SPDX-License-Identifier: MIT */
/* The real service and its worker in the middle of an update: neither is open to the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/landlock.h"
#include "base/util.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

/* A number out of /proc/PID/status. */
static long status_of(pid_t pid, const char *name)
{
	CLEANUP(fclosep) FILE *f = NULL;
	char path[64], line[256];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			return strtol(line + strlen(name) + 1, NULL, 10);
	return -1;
}

/* Whether a process of the same user, which has no capability, may read the other's memory. */
static bool memory_is_open(struct bed *bed, pid_t pid)
{
	char script[64];
	int status;

	snprintf(script, sizeof(script), "exec 3</proc/%d/mem", (int)pid);
	assert_true(bed_wait_child(
		bed, BED_LONG, bed_spawn(bed, BED_MATCH("sh", "-c", script)), &status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* With Yama only a parent may (kernel, admin-guide/LSM/Yama). */
static bool yama_is_strict(void)
{
	CLEANUP(fclosep) FILE *f = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");

	return f && fgetc(f) != '0';
}

/* Until the child has executed its program it has the rights of this process. */
static void the_memory_of_another_process_can_be_read(void **state)
{
	bool is_open = false;
	pid_t other;

	if (yama_is_strict())
		skip();
	other = bed_spawn(*state, BED_MATCH("sleep", "60"));
	for (unsigned n = 0; n < 1000 && !is_open; n++)
		is_open = memory_is_open(*state, other);
	assert_true(is_open);
	kill(other, SIGKILL);
}

static void a_worker_that_talks_to_a_board_is_confined(void **state)
{
	struct bed_unit *unit;
	pid_t worker;

	scene_start(*state);
	unit = bed_plug(*state, GATE_PACED);
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 1));
	worker = scene_worker();
	assert_int_equal(status_of(worker, "NoNewPrivs"), 1);
	if (prctl(PR_GET_SECCOMP) >= 0) {
		assert_int_equal(status_of(worker, "Seccomp"), 2);
		assert_int_equal(status_of(worker, "Seccomp_filters"),
			status_of(getpid(), "Seccomp_filters") + 2);
	}
	assert_false(memory_is_open(*state, worker));
	assert_false(memory_is_open(*state, bed_service_pid(*state)));
	/* And it does its work, to the removal of its lock file. */
	expect_outcome(unit, "updated");
	expect_at_rest(unit);
	if (landlock_is_there())
		assert_int_equal(access(SCENE_LOCK_FILE, F_OK), -1);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(the_memory_of_another_process_can_be_read),
	SCENE_TEST(a_worker_that_talks_to_a_board_is_confined),
};

SCENE_MAIN(tests)
