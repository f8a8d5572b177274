/* SPDX-License-Identifier: MIT */
/*
 * A worker that was taken over: a process that confined itself as the worker does, and then tries
 * whatever would make it more than that. The tests run as root with every capability, so that only
 * the confinement can refuse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/landlock.h"
#include "base/util.h"
#include "unit/folder.h"

/* Neither 0 nor an errno. */
#define STATUS_UNCONFINED 250
#define STATUS_KILLED	  251

/* An inherited descriptor that nobody marked. */
#define STRAY 20

static struct place {
	pid_t service;
	int port, board; /* a pseudo-terminal: the worker's end, and the other */
	char other_port[64];
} place;

/* AddressSanitizer needs more than any limit. */
int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
#ifdef __SANITIZE_ADDRESS__
	if (resource == RLIMIT_AS)
		return 0;
#endif
	return prlimit(0, resource, limit, NULL);
}

static int result_of(long r)
{
	return r < 0 ? errno : 0;
}

/* ------------------------------------------------------------------ what an attacker tries */

static int read_memory_of_service(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)place.service);
	return result_of(open(path, O_RDONLY));
}

static int trace_service(void)
{
	return result_of(ptrace(PTRACE_SEIZE, place.service, NULL, NULL));
}

static int copy_memory_of_service(void)
{
	char byte;
	struct iovec ours = {&byte, 1}, theirs = {&place, 1};

	return result_of(process_vm_readv(place.service, &ours, 1, &theirs, 1, 0));
}

static int signal_service(void)
{
	return result_of(kill(place.service, SIGCONT));
}

static int signal_thread_of_service(void)
{
	return result_of(syscall(SYS_tgkill, place.service, place.service, SIGCONT));
}

static int queue_signal_to_service(void)
{
	return result_of(sigqueue(place.service, SIGCONT, (union sigval){0}));
}

static int signal_everybody(void)
{
	return result_of(kill(-1, SIGCONT));
}

static int hold_service(void)
{
	return result_of(syscall(SYS_pidfd_open, place.service, 0));
}

static int limit_service(void)
{
	struct rlimit limit = {1000, 1000};

	return result_of(prlimit(place.service, RLIMIT_CORE, NULL, &limit));
}

static int let_the_kernel_signal_service(void)
{
	return result_of(fcntl(STDIN_FILENO, F_SETOWN, place.service));
}

static int let_the_kernel_signal_service_by_ioctl(void)
{
	int owner = place.service;

	return result_of(ioctl(STDIN_FILENO, FIOSETOWN, &owner));
}

static int ioctl_with_high_bits(void)
{
	int owner = place.service;

	return result_of(syscall(SYS_ioctl, STDIN_FILENO, (UINT64_C(1) << 32) | FIOSETOWN, &owner));
}

static int read_store(void)
{
	return result_of(open(in_folder("store"), O_RDONLY));
}

static int write_store(void)
{
	return result_of(open(in_folder("store"), O_RDWR));
}

static int truncate_store(void)
{
	return result_of(truncate(in_folder("store"), 0));
}

static int remove_store(void)
{
	return result_of(unlink(in_folder("store")));
}

static int rename_store(void)
{
	return result_of(rename(in_folder("store"), in_folder("lock/x")));
}

static int link_store(void)
{
	return result_of(link(in_folder("store"), in_folder("lock/x")));
}

static int open_store_to_all(void)
{
	return result_of(chmod(in_folder("store"), 0666));
}

static int make_image(void)
{
	return result_of(open(in_folder("image.hex"), O_WRONLY | O_CREAT, 0644));
}

static int make_lock_file(void)
{
	return result_of(open(in_folder("lock/LCK..ttyUSB1"), O_WRONLY | O_CREAT, 0644));
}

static int make_folder(void)
{
	return result_of(mkdir(in_folder("folder"), 0755));
}

static int list_folder(void)
{
	return result_of(open(folder, O_RDONLY | O_DIRECTORY));
}

static int open_another_port(void)
{
	return result_of(open(place.other_port, O_RDWR | O_NOCTTY));
}

static int open_memory(void)
{
	return result_of(open("/dev/zero", O_RDWR));
}

static int make_socket_of_bus(void)
{
	return result_of(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int make_socket_of_internet(void)
{
	return result_of(socket(AF_INET, SOCK_DGRAM, 0));
}

static int make_socket_of_udev(void)
{
	return result_of(socket(AF_NETLINK, SOCK_RAW, 15));
}

static int make_socket_pair(void)
{
	int ends[2];

	return result_of(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

static int execute(void)
{
	char *argv[] = {(char *)"true", NULL};

	return result_of(execve("/bin/true", argv, argv + 1));
}

static int execute_descriptor(void)
{
	char *argv[] = {(char *)"true", NULL};

	return result_of(syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, argv + 1, 0));
}

static int make_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return result_of(pid);
}

static int make_process_by_clone3(void)
{
	struct clone_args arguments = {.exit_signal = SIGCHLD};
	long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (pid == 0)
		_exit(0);
	return result_of(pid);
}

static int make_code(void)
{
	void *p = mmap(
		NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static int make_memory_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return result_of(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int make_memory_file(void)
{
	return result_of(memfd_create("x", 0));
}

static int leave_namespaces(void)
{
	return result_of(unshare(CLONE_NEWUSER));
}

static int become_dumpable(void)
{
	return result_of(prctl(PR_SET_DUMPABLE, 1));
}

static int change_user(void)
{
	return result_of(setuid(0));
}

static int load_program_into_kernel(void)
{
	return result_of(syscall(SYS_bpf, 0, NULL, 0));
}

static int queue_io(void)
{
	char parameters[120] = {0};

	return result_of(syscall(SYS_io_uring_setup, 1, parameters));
}

static int use_keys(void)
{
	return result_of(syscall(SYS_keyctl, 0, -3, 1));
}

static int use_stray_descriptor(void)
{
	return fcntl(STRAY, F_GETFD) < 0 ? EPERM : 0;
}

static int put_characters_into_terminal(void)
{
	return result_of(ioctl(place.port, TIOCSTI, "x"));
}

static const struct attack {
	const char *name;
	int (*try)(void);
	bool is_refused_at_once; /* by the first step already */
} attacks[] = {
	{"read the memory of the service", read_memory_of_service, false},
	{"trace the service", trace_service, true},
	{"copy memory of the service", copy_memory_of_service, true},
	{"signal the service", signal_service, true},
	{"signal a thread of the service", signal_thread_of_service, true},
	{"queue a signal", queue_signal_to_service, true},
	{"signal everybody", signal_everybody, true},
	{"hold the service", hold_service, true},
	{"limit the service", limit_service, true},
	{"F_SETOWN", let_the_kernel_signal_service, true},
	{"FIOSETOWN", let_the_kernel_signal_service_by_ioctl, true},
	{"FIOSETOWN with high bits", ioctl_with_high_bits, true},
	{"read the store", read_store, false},
	{"write the store", write_store, false},
	{"truncate the store", truncate_store, true},
	{"remove the store", remove_store, false},
	{"rename the store", rename_store, false},
	{"link the store", link_store, false},
	{"open the store to all", open_store_to_all, true},
	{"make an image", make_image, false},
	{"make a lock file", make_lock_file, false},
	{"make a folder", make_folder, true},
	{"list a folder", list_folder, false},
	{"open another port", open_another_port, false},
	{"open a device", open_memory, false},
	{"a socket of the bus", make_socket_of_bus, true},
	{"a socket of the internet", make_socket_of_internet, true},
	{"a socket of udev", make_socket_of_udev, true},
	{"a pair of sockets", make_socket_pair, true},
	{"execute", execute, true},
	{"execute by a descriptor", execute_descriptor, true},
	{"a process", make_process, true},
	{"a process by clone3", make_process_by_clone3, true},
	{"make code", make_code, true},
	{"make memory code", make_memory_code, true},
	{"make a file in memory", make_memory_file, true},
	{"leave the namespaces", leave_namespaces, true},
	{"become dumpable", become_dumpable, false},
	{"change the user", change_user, true},
	{"a program for the kernel", load_program_into_kernel, true},
	{"a queue of I/O", queue_io, true},
	{"keys", use_keys, true},
	{"a descriptor that was inherited", use_stray_descriptor, true},
	{"characters for a terminal", put_characters_into_terminal, true},
};

/* ------------------------------------------------------------------ who tries it */

enum step { STEP_NONE, STEP_BEGIN, STEP_OPEN_FILES, STEP_LANDLOCK };

/* The descriptors that a worker keeps are the first three; the test's pseudo-terminal stands in for
 * standard input. */
static int confine(enum step step)
{
	(void)dup2(place.port, STDIN_FILENO);
	(void)dup2(place.port, STRAY);
	place.port = STDIN_FILENO;
	if (step == STEP_LANDLOCK)
		return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
			       ? -errno
			       : landlock_close_files(in_folder("lock"));
	if (step >= STEP_BEGIN && confine_begin(STDERR_FILENO, CONFINE_FILE_BYTES) < 0)
		return -1;
	return step == STEP_OPEN_FILES ? confine_to_open_files(in_folder("lock")) : 0;
}

/* What comes of it in a process of its own: 0 it was done, or the errno. */
static int attempt(enum step step, int (*try)(void))
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(confine(step) < 0 ? STATUS_UNCONFINED : try());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_KILLED;
}

static bool is_refused(int result)
{
	return result == EPERM || result == EACCES;
}

static int set_up(void **state)
{
	int other, end;

	place.service = getpid();
	if (folder_make(state) < 0)
		return -1;
	make_directory("lock");
	put_text("store", "units and attempts");
	assert_int_equal(openpty(&place.board, &place.port, NULL, NULL, NULL), 0);
	assert_int_equal(openpty(&other, &end, place.other_port, NULL, NULL), 0);
	return 0;
}

/* ------------------------------------------------------------------ tests */

static void skip_without_seccomp(void)
{
	if (prctl(PR_GET_SECCOMP) < 0)
		skip();
}

static void expect_refused(enum step step, bool early_only)
{
	for (size_t i = 0; i < ARRAY_SIZE(attacks); i++) {
		int result;

		if (early_only && !attacks[i].is_refused_at_once)
			continue;
		result = attempt(step, attacks[i].try);
		if (!is_refused(result))
			fail_msg("'%s' ended with %d (%s)", attacks[i].name, result,
				result < STATUS_UNCONFINED ? strerror(result) : "not in errno");
	}
}

static void a_worker_that_talks_reaches_nothing(void **state)
{
	(void)state;
	skip_without_seccomp();
	expect_refused(STEP_OPEN_FILES, false);
}

static void a_worker_that_reads_its_image_reaches_no_process_and_no_network(void **state)
{
	(void)state;
	skip_without_seccomp();
	expect_refused(STEP_BEGIN, true);
}

/* Nothing of the above may be refused for another reason, or the tests would prove nothing. */
static void attacks_succeed_without_confinement(void **state)
{
	static const char *const harmless[] = {"read the memory of the service", "read the store",
		"make an image", "list a folder", "open another port", "signal the service",
		"a socket of the bus", "a process", "execute", "make code", "F_SETOWN",
		"a descriptor that was inherited"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(attacks); i++)
		for (size_t k = 0; k < ARRAY_SIZE(harmless); k++)
			if (strcmp(attacks[i].name, harmless[k]) == 0)
				assert_int_equal(attempt(STEP_NONE, attacks[i].try), 0);
}

static void landlock_alone_keeps_files_and_the_memory_of_the_service(void **state)
{
	int (*const tries[])(void) = {read_memory_of_service, trace_service, read_store,
		write_store, remove_store, rename_store, make_image, make_lock_file, make_folder,
		list_folder, open_another_port, execute};

	(void)state;
	if (!landlock_is_there())
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++)
		assert_true(is_refused(attempt(STEP_LANDLOCK, tries[i])));
}

static int remove_lock_file(void)
{
	return result_of(unlink(in_folder("lock/LCK..ttyUSB0")));
}

static void its_lock_file_is_removed_all_the_same(void **state)
{
	(void)state;
	if (!landlock_is_there())
		skip();
	put_text("lock/LCK..ttyUSB0", "         1\n");
	assert_int_equal(attempt(STEP_OPEN_FILES, remove_lock_file), 0);
	assert_int_equal(access(in_folder("lock/LCK..ttyUSB0"), F_OK), -1);
}

/* The number of the first thing that does not work. */
static int work(void)
{
	struct pollfd port = {.fd = place.port, .events = POLLOUT};
	struct timespec pause = {.tv_nsec = 1};
	struct termios term;
	struct stat st;
	int n = 0;
	char *memory;

	if (tcgetattr(place.port, &term) < 0 || tcsetattr(place.port, TCSANOW, &term) < 0)
		return 1;
	if (poll(&port, 1, 1000) != 1 || write(place.port, "x", 1) != 1)
		return 2;
	if (ioctl(place.port, TIOCOUTQ, &n) < 0 || ioctl(place.port, TIOCEXCL) < 0 ||
		tcflush(place.port, TCIFLUSH) < 0)
		return 3;
	/* A pseudo-terminal has no modem lines, which is another answer than none. */
	if (ioctl(place.port, TIOCMGET, &n) < 0 && errno != ENOTTY)
		return 4;
	if (clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL) != 0)
		return 5;
	if (fstat(place.port, &st) < 0 || fcntl(place.port, F_GETFL) < 0)
		return 6;
	memory = malloc(16 * 1024 * 1024);
	if (!memory)
		return 7;
	memset(memory, 1, 16 * 1024 * 1024);
	free(memory);
	if (kill(place.service, 0) < 0)
		return 8;
	return 0;
}

static void what_a_worker_needs_works(void **state)
{
	(void)state;
	assert_int_equal(attempt(STEP_OPEN_FILES, work), 0);
}

static int give_up(void)
{
	abort();
}

static void a_worker_that_gives_up_ends(void **state)
{
	(void)state;
	assert_int_equal(attempt(STEP_OPEN_FILES, give_up), STATUS_KILLED);
}

static int show_limits(void)
{
	static const struct {
		__rlimit_resource_t resource;
		rlim_t most;
	} limits[] = {
		{RLIMIT_CORE, 0}, {RLIMIT_NPROC, 0}, {RLIMIT_FSIZE, 4096}, {RLIMIT_NOFILE, 64}};
	struct rlimit limit;

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (syscall(SYS_getrlimit, limits[i].resource, &limit) < 0 ||
			limit.rlim_max > limits[i].most)
			return (int)i + 1;
	return prctl(PR_GET_DUMPABLE) == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 99;
}

static void limits_hold_where_there_is_no_filter(void **state)
{
	(void)state;
	assert_int_equal(attempt(STEP_BEGIN, show_limits), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_that_talks_reaches_nothing),
		cmocka_unit_test(a_worker_that_reads_its_image_reaches_no_process_and_no_network),
		cmocka_unit_test(attacks_succeed_without_confinement),
		cmocka_unit_test(landlock_alone_keeps_files_and_the_memory_of_the_service),
		cmocka_unit_test(its_lock_file_is_removed_all_the_same),
		cmocka_unit_test(what_a_worker_needs_works),
		cmocka_unit_test(a_worker_that_gives_up_ends),
		cmocka_unit_test(limits_hold_where_there_is_no_filter),
	};

	return cmocka_run_group_tests_name("confine", tests, set_up, folder_remove);
}
