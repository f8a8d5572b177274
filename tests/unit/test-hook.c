/* SPDX-License-Identifier: MIT */
/* Programs of on-outcome: each is run, not too many at once, with the report and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "service/hook.h"
#include "unit/folder.h"
#include "unit/virtual-clock.h"

#define PROGRAMS (HOOKS_MOST + 18)

struct desk {
	sd_event *event;
	struct hooks hooks;
	char program[400], told[400];
	unsigned n_changes;
	size_t most_running;
};

static void on_change(void *userdata)
{
	struct desk *desk = userdata;

	desk->n_changes++;
	if (desk->hooks.n_running > desk->most_running)
		desk->most_running = desk->hooks.n_running;
}

static void desk_begin(struct desk *desk, const char *script)
{
	FILE *to;

	*desk = (struct desk){0};
	assert_int_equal(sd_event_new(&desk->event), 0);
	hooks_init(&desk->hooks, desk->event, on_change, desk);
	snprintf(desk->program, sizeof(desk->program), "%s/program", folder);
	snprintf(desk->told, sizeof(desk->told), "%s/told", folder);
	(void)remove(desk->told);
	to = fopen(desk->program, "w");
	assert_non_null(to);
	assert_true(fprintf(to, "#!/bin/sh\n%s >>%s\n", script, desk->told) > 0);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(chmod(desk->program, 0755), 0);
}

static void desk_end(struct desk *desk)
{
	hooks_done(&desk->hooks);
	assert_true(hooks_are_idle(&desk->hooks));
	sd_event_unref(desk->event);
}

static int start(struct desk *desk, unsigned number)
{
	CLEANUP(log_fields_done) struct log_fields fields = {0};

	log_field(&fields, "PLUGFLASH_NUMBER", "%u", number);
	return hook_start(&desk->hooks, desk->program, &fields);
}

static void run_until_idle(struct desk *desk)
{
	uint64_t deadline = real_usec() + 60 * USEC_PER_SEC;

	while (!hooks_are_idle(&desk->hooks)) {
		assert_true(real_usec() < deadline);
		assert_true(sd_event_run(desk->event, USEC_PER_SEC) >= 0);
	}
}

static void more_than_may_run_at_once_are_run_one_after_the_other(void **state)
{
	bool is_told[PROGRAMS] = {false};
	struct desk desk;
	unsigned number, n_told = 0;
	FILE *from;

	(void)state;
	desk_begin(&desk, "echo $PLUGFLASH_NUMBER");
	for (unsigned i = 0; i < PROGRAMS; i++)
		assert_int_equal(start(&desk, i), 0);
	assert_int_equal(desk.hooks.n_running, HOOKS_MOST);
	assert_int_equal(desk.hooks.n_waiting, PROGRAMS - HOOKS_MOST);
	run_until_idle(&desk);
	assert_int_equal(desk.n_changes, PROGRAMS);
	assert_true(desk.most_running <= HOOKS_MOST);
	from = fopen(desk.told, "r");
	assert_non_null(from);
	while (fscanf(from, "%u", &number) == 1) {
		assert_true(number < PROGRAMS && !is_told[number]);
		is_told[number] = true;
		n_told++;
	}
	fclose(from);
	assert_int_equal(n_told, PROGRAMS);
	desk_end(&desk);
}

/* One that never ends does not fill the memory; what runs then is killed with the service. */
static void programs_without_end_are_refused_some_day(void **state)
{
	struct desk desk;

	(void)state;
	desk_begin(&desk, "sleep 30; echo");
	for (unsigned i = 0; i < HOOKS_MOST + HOOKS_MOST_WAITING; i++)
		assert_int_equal(start(&desk, i), 0);
	assert_int_equal(start(&desk, 0), -EAGAIN);
	desk_end(&desk);
}

static void one_that_is_not_there_is_an_error(void **state)
{
	struct desk desk;

	(void)state;
	desk_begin(&desk, "echo");
	snprintf(desk.program, sizeof(desk.program), "/nowhere/at/all");
	assert_int_equal(start(&desk, 0), -ENOENT);
	assert_true(hooks_are_idle(&desk.hooks));
	desk_end(&desk);
}

/* ------------------------------------------------------------- what a program leaves behind */

static pid_t read_pid(const struct desk *desk)
{
	FILE *from = fopen(desk->told, "r");
	int pid = 0;

	if (from && fscanf(from, "%d", &pid) != 1)
		pid = 0;
	if (from)
		fclose(from);
	return pid;
}

/* A zombie of somebody who does not look after his children counts as ended. */
static bool is_alive(pid_t pid)
{
	char path[64], text[512] = "";
	const char *state;
	FILE *from;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	from = fopen(path, "r");
	if (!from)
		return false;
	(void)!fread(text, 1, sizeof(text) - 1, from);
	fclose(from);
	state = strrchr(text, ')');
	return state && state[2] != 'Z';
}

static const char *const escapes[] = {
	/* Another session, whose parent stays; its parent ends; the program itself ends. */
	"setsid sleep 1000 & echo $!; wait",
	"(setsid sh -c 'echo $$; exec sleep 1000' &) ; sleep 1000",
	"(setsid sh -c 'echo $$; exec sleep 1000' &)",
	"sleep 1000 & echo $!",
};

static void what_leaves_its_group_is_ended_with_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(escapes); i++) {
		uint64_t deadline = real_usec() + 60 * USEC_PER_SEC;
		struct desk desk;
		char script[200];
		pid_t pid = 0;

		snprintf(script, sizeof(script), "{ %s; }", escapes[i]);
		desk_begin(&desk, script);
		assert_int_equal(start(&desk, 0), 0);
		while (!pid || is_alive(pid)) {
			if (real_usec() > deadline)
				fail_msg("'%s' lives", escapes[i]);
			assert_true(sd_event_run(desk.event, 50 * USEC_PER_MSEC) >= 0);
			pid = pid ? pid : read_pid(&desk);
			/* Its time is over, and then that of a process that was in execve(2). */
			if (pid)
				clock_move_to_next();
		}
		run_until_idle(&desk);
		desk_end(&desk);
	}
}

/* At the end of the service, too. */
static void what_outlives_its_program_does_not_outlive_the_service(void **state)
{
	struct desk desk;
	pid_t pid = 0;

	(void)state;
	desk_begin(&desk, "(setsid sh -c 'echo $$; exec sleep 1000' &)");
	assert_int_equal(start(&desk, 0), 0);
	run_until_idle(&desk);
	while (!pid)
		pid = read_pid(&desk);
	assert_true(is_alive(pid));
	desk_end(&desk);
	for (unsigned i = 0; i < 6000 && is_alive(pid); i++)
		assert_true(usleep(10000) == 0);
	assert_false(is_alive(pid));
}

static bool is_marked(pid_t pid)
{
	char path[64], text[512] = "";
	FILE *from;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	from = fopen(path, "r");
	if (!from)
		return false;
	(void)!fread(text, 1, sizeof(text) - 1, from);
	fclose(from);
	return strncmp(text, "PLUGFLASH_HOOK=", strlen("PLUGFLASH_HOOK=")) == 0;
}

/*
 * A process in the middle of execve(2) shows no environment. This one shows none until it is let
 * go, and is a process of ours from then on.
 */
static pid_t start_unmarked(struct desk *desk, char go[static 420])
{
	pid_t pid = 0;

	desk_begin(desk,
		"(setsid env -i sh -c 'echo $$; while [ ! -e $0 ]; do sleep 0.01; done; PLUGFLASH_HOOK=$1 exec sleep 1000' $0.go $PLUGFLASH_HOOK &)");
	snprintf(go, 420, "%s.go", desk->program);
	(void)rmdir(go);
	assert_int_equal(start(desk, 0), 0);
	run_until_idle(desk);
	while (!pid)
		pid = read_pid(desk);
	return pid;
}

static void mark(pid_t pid, const char *go)
{
	assert_int_equal(mkdir(go, 0700), 0);
	for (unsigned i = 0; i < 6000 && !is_marked(pid); i++)
		assert_true(usleep(10000) == 0);
	assert_true(is_alive(pid));
}

static void assert_ends(pid_t pid)
{
	for (unsigned i = 0; i < 6000 && is_alive(pid); i++)
		assert_true(usleep(10000) == 0);
	assert_false(is_alive(pid));
}

static void one_that_shows_no_environment_for_a_while_is_ended_too(void **state)
{
	struct desk desk;
	char go[420];
	pid_t pid = start_unmarked(&desk, go);

	(void)state;
	mark(pid, go);
	desk_end(&desk);
	assert_ends(pid);
}

/* It is looked for once more, a little behind the end of its time. */
static void one_that_shows_none_as_its_time_is_over_is_ended_too(void **state)
{
	struct desk desk;
	char go[420];
	pid_t pid = start_unmarked(&desk, go);

	(void)state;
	clock_move(desk.hooks.limit_usec);
	assert_true(sd_event_run(desk.event, 0) >= 0);
	assert_true(is_alive(pid));
	mark(pid, go);
	clock_move_to_next();
	assert_true(sd_event_run(desk.event, 0) >= 0);
	assert_ends(pid);
	desk_end(&desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_than_may_run_at_once_are_run_one_after_the_other),
		cmocka_unit_test(programs_without_end_are_refused_some_day),
		cmocka_unit_test(what_leaves_its_group_is_ended_with_it),
		cmocka_unit_test(what_outlives_its_program_does_not_outlive_the_service),
		cmocka_unit_test(one_that_shows_no_environment_for_a_while_is_ended_too),
		cmocka_unit_test(one_that_shows_none_as_its_time_is_over_is_ended_too),
		cmocka_unit_test(one_that_is_not_there_is_an_error),
	};

	return cmocka_run_group_tests_name("hook", tests, folder_make, folder_remove);
}
