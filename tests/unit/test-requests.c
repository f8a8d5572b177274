/* SPDX-License-Identifier: MIT */
/*
 * test-requests.c - the way of a request from the command to the service, which are two users: a
 * child process is the service as another user, another child is the command.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Before cmocka.h, whose fail() is a macro. */
#include "cli/retry.c"
#include "cli/store-reader.c"

#include <cmocka.h>

#include <dirent.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/log.h"
#include "service/requests.h"
#include "unit/folder.h"

/* Numbers that no account of a test machine has. */
#define SERVICE	 54321
#define STRANGER 54322

int json_print_retry(size_t n_units, size_t n_held, FILE *to)
{
	(void)n_units;
	(void)n_held;
	(void)to;
	return 0;
}

static void become(uid_t user, gid_t group)
{
	if (setgroups(0, NULL) < 0 || setresgid(group, group, group) < 0 ||
		setresuid(user, user, user) < 0)
		_exit(99);
}

/* ----------------------------------------------------------------------------- the service */

static int heard = -1; /* the service's end of a pipe: a byte for each request it obeyed */

static void on_retry(void *userdata, const struct request *request)
{
	(void)userdata;
	if (write(heard, request->board, 1) != 1)
		_exit(98);
}

static _Noreturn void serve(uid_t user, int ready)
{
	struct requests *requests = NULL;
	struct reason reason = {0};
	sd_event *event = NULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (user != 0)
		become(user, user);
	if (sd_event_new(&event) < 0 ||
		requests_new(event, folder, on_retry, NULL, &requests, &reason) < 0 ||
		write(ready, "", 1) != 1)
		_exit(97);
	for (;;)
		if (sd_event_run(event, UINT64_MAX) < 0)
			_exit(96);
}

struct service {
	pid_t pid;
	int heard; /* our end */
};

static struct service start_service(uid_t user)
{
	struct service service;
	int ends[2], ready[2];
	char byte;

	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(chown(folder, user, user), 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	heard = ends[1];
	service.heard = ends[0];
	service.pid = fork();
	assert_true(service.pid >= 0);
	if (service.pid == 0)
		serve(user, ready[1]);
	close(ready[1]);
	close(ends[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return service;
}

static void stop_service(struct service *service)
{
	(void)kill(service->pid, SIGKILL);
	assert_int_equal(waitpid(service->pid, NULL, 0), service->pid);
	close(service->heard);
}

static bool has_heard(const struct service *service)
{
	char byte;

	return read(service->heard, &byte, 1) == 1;
}

/* ------------------------------------------------------------------------------ the command */

static int ask_as(uid_t user, gid_t group, mode_t mask)
{
	const struct request request = {.board = "gate"};
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (setenv(ENV_RUNTIME, folder, 1) < 0 || !freopen("/dev/null", "w", stderr))
			_exit(95);
		if (user != 0)
			become(user, group);
		umask(mask);
		_exit(hand_over(&request));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static const struct {
	const char *name;
	uid_t user;
	gid_t group;
	bool is_heard;
} rows[] = {
	{"root", 0, 0, true},
	{"the user of the service", SERVICE, SERVICE, true},
	{"a member of the service's group", STRANGER, SERVICE, false},
	{"a stranger", STRANGER, STRANGER, false},
};

static void root_and_the_service_may_ask_and_nobody_else(void **state)
{
	static const mode_t masks[] = {0022, 0077, 0177};
	struct service service;

	(void)state;
	if (geteuid() != 0)
		skip();
	service = start_service(SERVICE);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t j = 0; j < ARRAY_SIZE(masks); j++) {
			int code = ask_as(rows[i].user, rows[i].group, masks[j]);
			bool is_heard = has_heard(&service);

			if (code != (rows[i].is_heard ? 0 : 1) || is_heard != rows[i].is_heard)
				fail_msg("%s, umask %03o: exit code %d, %sheard", rows[i].name,
					(unsigned)masks[j], code, is_heard ? "" : "not ");
		}
	stop_service(&service);
}

static void a_stranger_may_not_even_look(void **state)
{
	struct service service;
	struct stat found;

	(void)state;
	if (geteuid() != 0)
		skip();
	/* As an earlier version left it. */
	assert_true(mkdir(in_folder(REQUESTS_NAME), 0755) == 0 || errno == EEXIST);
	assert_int_equal(chmod(in_folder(REQUESTS_NAME), 0755), 0);
	assert_int_equal(chown(in_folder(REQUESTS_NAME), SERVICE, SERVICE), 0);
	service = start_service(SERVICE);
	assert_int_equal(stat(in_folder(REQUESTS_NAME), &found), 0);
	assert_int_equal(found.st_mode & 07777, 0750);
	stop_service(&service);
}

/* ----------------------------------------------------------------------------------- junk */

static unsigned count_visible(void)
{
	DIR *open = opendir(in_folder(REQUESTS_NAME));
	struct dirent *entry;
	unsigned n = 0;

	assert_non_null(open);
	while ((entry = readdir(open)))
		n += entry->d_name[0] != '.';
	closedir(open);
	return n;
}

static void put_junk(void)
{
	char longest[NAME_MAX + 1], path[sizeof(longest) + 32];

	memset(longest, 'x', NAME_MAX);
	longest[NAME_MAX] = '\0';
	make_directory(REQUESTS_NAME "/empty");
	make_directory(REQUESTS_NAME "/full");
	put_text(REQUESTS_NAME "/full/file", "");
	snprintf(path, sizeof(path), REQUESTS_NAME "/%s", longest);
	put_text(path, "retry\n");
	assert_int_equal(mkfifo(in_folder(REQUESTS_NAME "/fifo"), 0600), 0);
	assert_int_equal(symlink("/dev/zero", in_folder(REQUESTS_NAME "/link")), 0);
	put_text(REQUESTS_NAME "/text", "reboot\n");
	put_text(REQUESTS_NAME "/secret", "retry\n");
	assert_int_equal(chmod(in_folder(REQUESTS_NAME "/secret"), 0600), 0);
}

#define N_JUNK 7

static int ask_warned(int fd)
{
	CLEANUP(fclosep) FILE *from = fdopen(dup(fd), "r");
	char line[1024];
	int n = 0;

	assert_non_null(from);
	rewind(from);
	while (fgets(line, sizeof(line), from))
		n += strstr(line, "was refused") != NULL;
	return n;
}

/* Of all that nobody can obey, once, and the next request is obeyed. */
static void junk_is_told_once_and_moved_on(void **state)
{
	CLEANUP(fclosep) FILE *told = tmpfile();
	struct service service;
	int kept = dup(STDERR_FILENO);

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_non_null(told);
	service = start_service(SERVICE);
	stop_service(&service);
	put_junk();
	/* Standard error is where its entries go. */
	dup2(fileno(told), STDERR_FILENO);
	log_open("plugflashd", LOG_TARGET_STDERR, LOG_INFO);
	service = start_service(SERVICE);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(ask_as(0, 0, 0022), 0);
	dup2(kept, STDERR_FILENO);
	close(kept);
	assert_int_equal(ask_warned(fileno(told)), N_JUNK);
	assert_int_equal(count_visible(), 0);
	stop_service(&service);
}

/* A command that cannot make its file readable: the service says so, and the command too. */
static void a_request_that_is_refused_is_no_success(void **state)
{
	struct errand errand = {0};
	int watch;

	(void)state;
	assert_int_equal(mkdir(in_folder("refused"), 0700), 0);
	snprintf(errand.path, sizeof(errand.path), "%s/refused/retry-1", folder);
	snprintf(errand.hidden, sizeof(errand.hidden), "%s/refused/.retry-1", folder);
	watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	assert_true(inotify_add_watch(watch, in_folder("refused"), IN_DELETE) >= 0);
	put_text("refused/.retry-1", "");
	assert_int_equal(unlink(errand.hidden), 0);
	assert_true(wait_until_taken(&errand, watch));
	assert_false(errand.is_refused);
	put_text("refused/retry-1", "");
	assert_int_equal(unlink(errand.path), 0);
	assert_true(wait_until_taken(&errand, watch));
	assert_true(errand.is_refused);
	close(watch);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_and_the_service_may_ask_and_nobody_else),
		cmocka_unit_test(a_stranger_may_not_even_look),
		cmocka_unit_test(junk_is_told_once_and_moved_on),
		cmocka_unit_test(a_request_that_is_refused_is_no_success),
	};

	umask(0022);
	return cmocka_run_group_tests_name("requests", tests, folder_make, folder_remove);
}
