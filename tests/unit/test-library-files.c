/* SPDX-License-Identifier: MIT */
/*
 * The image directory: how a file is read, and what is never read, opened or followed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "image/folder.h"
#include "image/image.h"
#include "unit/image-directory.h"

/* ------------------------------------------------------------------ reading */

static int read_name(const char *name, struct reason *reason)
{
	struct library_file file = {};
	int r;

	*reason = (struct reason){};
	r = library_read(images, name, 1000, &file, reason);
	if (r != LIBRARY_OK) {
		assert_null(file.data);
		assert_true(strlen(reason->text) > 0);
	}
	library_file_done(&file);
	return r;
}

static void a_file_is_read_whole_with_its_digest(void **state)
{
	static const char *const names[] = {"a/abc", "a//abc", "./a/./abc"};
	struct library_file file = {};
	struct reason reason = {};
	(void)state;

	put("a/abc", "abc");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(library_read(images, names[i], 3, &file, &reason), LIBRARY_OK);
		assert_int_equal(file.n_data, 3);
		assert_memory_equal(file.data, "abc", 3);
		/* FIPS 180-2, B.1 */
		assert_string_equal(file.sha256,
			"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
		library_file_done(&file);
	}
	assert_int_equal(read_name("a/missing", &reason), -ENOENT);
	assert_int_equal(read_name("missing/abc", &reason), -ENOENT);
	assert_int_equal(read_name("a/abc/x", &reason), -ENOTDIR);
}

static void digests_are_those_of_the_standard(void **state)
{
	char digest[DIGEST_HEX_SIZE];
	(void)state;

	digest_sha256((const uint8_t *)"", 0, digest);
	assert_string_equal(
		digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_sha256((const uint8_t *)"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		56, digest); /* FIPS 180-2, B.2 */
	assert_string_equal(
		digest, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void fault_28_an_empty_file_is_refused(void **state)
{
	struct reason reason;
	(void)state;

	put("gate.hex", "");
	assert_int_equal(read_name("gate.hex", &reason), LIBRARY_REFUSED);
	assert_non_null(strstr(reason.text, "image 'gate.hex': the file is empty"));
	put("gate.hex", ":");
	assert_int_equal(read_name("gate.hex", &reason), LIBRARY_OK);
}

/* By this process, so far. */
static unsigned long long bytes_read(void)
{
	CLEANUP(fclosep) FILE *from = fopen("/proc/self/io", "re");
	unsigned long long n = 0;

	assert_non_null(from);
	assert_int_equal(fscanf(from, "rchar: %llu", &n), 1);
	return n;
}

static void fault_29_35_a_file_beyond_the_bound_is_refused_before_it_is_read(void **state)
{
	struct library_file file = {};
	struct reason reason = {};
	char path[256];
	unsigned long long before;
	(void)state;

	put("gate.bin", "four");
	assert_int_equal(library_read(images, "gate.bin", 3, &file, &reason), LIBRARY_REFUSED);
	assert_non_null(strstr(reason.text, "has 4 bytes, at most 3"));
	assert_int_equal(library_read(images, "gate.bin", 4, &file, &reason), LIBRARY_OK);
	library_file_done(&file);

	assert_int_equal(truncate(path_of("gate.bin", path), INT64_C(100) << 30), 0);
	before = bytes_read();
	assert_int_equal(
		library_read(images, "gate.bin", 1 << 20, &file, &reason), LIBRARY_REFUSED);
	assert_non_null(strstr(reason.text, "has 107374182400 bytes, at most 536870912"));
	assert_true(bytes_read() - before < 1024 * 1024);
	/* Nor is a smaller one, whose first bytes are no ELF file's. */
	assert_int_equal(truncate(path_of("gate.bin", path), 500 << 20), 0);
	before = bytes_read();
	assert_int_equal(
		library_read(images, "gate.bin", 1 << 20, &file, &reason), LIBRARY_REFUSED);
	assert_non_null(strstr(reason.text, "has 524288000 bytes, at most 1048576"));
	assert_true(bytes_read() - before < 1024 * 1024);
}

/* Case 02: what a debugger needs is not flashed, and costs no memory. */
static void case_02_of_a_large_elf_file_the_program_alone_is_kept(void **state)
{
	const struct image_options options = {.max_bytes = 0x10000};
	CLEANUP(library_file_done) struct library_file small = {}, large = {};
	struct image images_read[2] = {};
	struct reason reason = {};
	struct rusage before, after;
	char path[256];
	FILE *file;
	(void)state;

	assert_int_equal(
		library_read("tests/firmware", "firmware-1.1.0.elf", 1 << 20, &small, &reason), 0);
	file = fopen(path_of("gate-1.1.0.elf", path), "w");
	assert_non_null(file);
	assert_int_equal(fwrite(small.data, 1, small.n_data, file), small.n_data);
	fclose(file);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(truncate(path, 64 << 20), 0);

	getrusage(RUSAGE_SELF, &before);
	if (library_read(images, "gate-1.1.0.elf", 1 << 20, &large, &reason) != LIBRARY_OK)
		fail_msg("%s", reason.text);
	assert_int_equal(large.n_data, 64 << 20);
	assert_int_equal(
		image_read("a.elf", small.data, small.n_data, &options, &images_read[0], &reason),
		0);
	assert_int_equal(
		image_read("a.elf", large.data, large.n_data, &options, &images_read[1], &reason),
		0);
	getrusage(RUSAGE_SELF, &after);
	assert_in_range(after.ru_maxrss - before.ru_maxrss, 0, 16 * 1024); /* KiB */
	assert_int_equal(images_read[0].n_segments, images_read[1].n_segments);
	for (size_t i = 0; i < images_read[0].n_segments; i++) {
		assert_int_equal(images_read[0].segments[i].size, images_read[1].segments[i].size);
		assert_memory_equal(images_read[0].segments[i].data,
			images_read[1].segments[i].data, images_read[0].segments[i].size);
	}
	/* What sha256sum says of the firmware with zeros up to 64 MiB behind it. */
	assert_string_equal(
		large.sha256, "dee2a5275d95d7619730b938900cb82b6fa7c592594bb55938411d95c5409057");
	image_done(&images_read[0]);
	image_done(&images_read[1]);
	unlink(path);
}

/* The first of the rows that went otherwise, or NULL. No assertion, so that a child can ask it too.
 */
static const char *fault_31_difference(bool follows_links)
{
	const struct {
		const char *name;
		bool choose;
		int result;
		const char *expected;
	} rows[] = {
		{"link.hex", false, LIBRARY_REFUSED, "symbolic link"},
		{"link-out", false, LIBRARY_REFUSED, "symbolic link"},
		{"link-absolute", false, LIBRARY_REFUSED, "symbolic link"},
		{"link-proc", false, LIBRARY_REFUSED, "symbolic link"},
		{"link-dangling", false, LIBRARY_REFUSED, "symbolic link"},
		{"folder/gate.hex", false, follows_links ? LIBRARY_OK : LIBRARY_REFUSED,
			follows_links ? "" : "symbolic link"},
		{"deep/back/gate.hex", false, follows_links ? LIBRARY_OK : LIBRARY_REFUSED,
			follows_links ? "" : "symbolic link"},
		{"inside/gate.hex", false, LIBRARY_REFUSED, "absolute"},
		{"loop/gate.hex", false, LIBRARY_REFUSED, "symbolic link"},
		{"dangling/gate.hex", false, follows_links ? -ENOENT : LIBRARY_REFUSED,
			follows_links ? "dangling" : "symbolic link"},
		{"up/secret", false, LIBRARY_REFUSED, "symbolic link"},
		{"../secret", false, LIBRARY_REFUSED, "is not inside"},
		{"a/../../secret", false, LIBRARY_REFUSED, "is not inside"},
		{"a/../a/gate.hex", false, LIBRARY_REFUSED, "is not inside"},
		{"..", false, LIBRARY_REFUSED, "is not inside"},
		{"/etc/passwd", false, LIBRARY_REFUSED, "is not inside"},
		{"", false, LIBRARY_REFUSED, "is not inside"},
		{"a/gate.hex", false, LIBRARY_OK, ""},
		{"a/..gate", false, LIBRARY_OK, ""},
		{"link*", true, LIBRARY_REFUSED, "symbolic link"},
		{"link.hex", true, LIBRARY_REFUSED, "symbolic link"},
		{"up/*", true, LIBRARY_REFUSED, "symbolic link"},
		{"inside/*", true, LIBRARY_REFUSED, "absolute"},
		{"dangling/*", true, follows_links ? LIBRARY_NONE : LIBRARY_REFUSED,
			follows_links ? "no file" : "symbolic link"},
		{"*/gate.hex", true, LIBRARY_OK, follows_links ? "folder/gate.hex" : "a/gate.hex"},
	};
	static char difference[600];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct library_choice choice = {};
		struct library_file file = {};
		struct reason reason = {};
		const char *got = reason.text;
		bool fits;
		int r;

		if (rows[i].choose)
			r = choose(rows[i].name, &choice, &reason);
		else
			r = library_read(images, rows[i].name, 1000, &file, &reason);
		if (choice.name)
			got = choice.name;
		snprintf(
			difference, sizeof(difference), "'%s': got %d, '%s'", rows[i].name, r, got);
		fits = r == rows[i].result && strstr(got, rows[i].expected) != NULL;
		library_choice_done(&choice);
		library_file_done(&file);
		if (!fits)
			return difference;
	}
	return NULL;
}

static void make_links(void)
{
	char path[256];

	put("a/gate.hex", "bytes");
	put("a/..gate", "bytes");
	link_to("a/gate.hex", "link.hex");
	link_to("../secret", "link-out");
	link_to("/etc/passwd", "link-absolute");
	link_to("/proc/self/exe", "link-proc");
	link_to("nowhere", "link-dangling");
	link_to("a", "folder");
	link_to("..", "up");
	link_to("nowhere", "dangling");
	link_to("loop", "loop");
	link_to(path_of("a", path), "inside");
	put("deep/file", "bytes");
	link_to("../a", "deep/back");
}

static void fault_31_links_and_ways_out_are_refused(void **state)
{
	(void)state;
	make_links();
	assert_string_equal(fault_31_difference(true) ?: "", "");
}

/* Every call of that number fails so from here on. */
static bool forbid(unsigned number, int error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = ARRAY_SIZE(filter), .filter = filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* As on an old kernel, or behind a system call filter. */
static bool forbid_openat2(int error)
{
	return forbid(SYS_openat2, error) && syscall(SYS_openat2, AT_FDCWD, ".", NULL, 0) == -1 &&
	       errno == error;
}

static const char *difference_without_openat2(int error)
{
	return forbid_openat2(error) ? fault_31_difference(false) : "no filter";
}

/* What a process sees that is denied a system call: it never gets it back. */
static void expect_no_difference(const char *(*ask)(int error), int error)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		const char *difference = ask(error);

		if (difference)
			dprintf(STDERR_FILENO, "%s\n", difference);
		_exit(difference ? 1 : 42);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

static void fault_31_links_are_refused_without_openat2_too(void **state)
{
	(void)state;
	make_links();
	expect_no_difference(difference_without_openat2, ENOSYS);
	expect_no_difference(difference_without_openat2, EPERM);
}

static void fault_32_only_regular_files_are_read(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct library_choice choice = {};
	struct library_file file = {};
	struct reason reason;
	char path[256];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)state;

	assert_true(fd >= 0);
	put("folder/x", "bytes");
	assert_int_equal(mkfifo(path_of("fifo", path), 0644), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", images);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);

	alarm(300); /* to open the FIFO would wait for its writer */
	assert_int_equal(read_name("fifo", &reason), LIBRARY_REFUSED);
	assert_non_null(strstr(reason.text, "image 'fifo': not a regular file"));
	assert_int_equal(read_name("socket", &reason), LIBRARY_REFUSED);
	assert_int_equal(read_name("folder", &reason), LIBRARY_REFUSED);
	assert_int_equal(read_name("folder/", &reason), LIBRARY_REFUSED);
	assert_int_equal(read_name(".", &reason), LIBRARY_REFUSED);
	assert_int_equal(library_read("/dev", "null", 1000, &file, &reason), LIBRARY_REFUSED);
	assert_int_equal(library_read("/dev", "zero", 1000, &file, &reason), LIBRARY_REFUSED);
	assert_int_equal(choose("fifo", &choice, &reason), LIBRARY_REFUSED);
	assert_int_equal(choose("*", &choice, &reason), LIBRARY_REFUSED);
	alarm(0);
}

/* What differs from what is expected where the medium cannot be read, or NULL. */
static const char *fault_34_difference(int error)
{
	const struct library_query query = {.directory = images, .glob = "*.hex"};
	struct library_choice choice = {};
	struct library_item item = {};
	struct reason reason = {};

	if (!forbid(SYS_read, error))
		return "no filter";
	if (library_load(&query, "gate-1.0.hex", 1000, &item, &reason) != -EIO || item.data ||
		!strstr(reason.text, "image 'gate-1.0.hex': Input/output error"))
		return "an image that cannot be read was loaded, or not told";
	/* Its manifest may be the one that says what is meant: there is no answer without it. */
	if (library_choose(&query, &choice, &reason) != -EIO || choice.name ||
		!strstr(reason.text, "gate-0.9.hex"))
		return "an image was chosen past a manifest that cannot be read";
	return NULL;
}

static void fault_34_a_medium_that_cannot_be_read_is_an_error_with_its_reason(void **state)
{
	(void)state;
	put("gate-1.0.hex", "bytes");
	put("gate-0.9.hex", "bytes");
	put_manifest("gate-0.9.hex", "version = 2.0");
	expect_no_difference(fault_34_difference, EIO);
}

static void fault_34_running_out_of_descriptors_is_an_error_with_its_reason(void **state)
{
	struct rlimit old, none;
	struct library_choice choice = {};
	struct reason reason = {};
	int fd, r_read, r_choose;
	(void)state;

	put("gate.hex", "bytes");
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = (rlim_t)fd + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r_read = read_name("gate.hex", &reason);
	r_choose = choose("*", &choice, &reason);
	close(fd); /* one: the directory opens, what is in it does not */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(r_read, -EMFILE);
	assert_int_equal(r_choose, -EMFILE);
	assert_int_equal(read_name("gate.hex", &reason), -EMFILE);
	assert_non_null(strstr(reason.text, "image 'gate.hex'"));
	put("a/b", "bytes");
	assert_int_equal(choose("a/*", &choice, &reason), -EMFILE);
	assert_non_null(strstr(reason.text, "in image directory '"));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(read_name("gate.hex", &reason), LIBRARY_OK);
}

/* ------------------------------------------------------------------ files that change */

#define LARGE (4 * 1024 * 1024)

static void write_large(const char *name, uint8_t byte)
{
	CLEANUP(freep) uint8_t *bytes = malloc(LARGE);
	char path[256];
	int fd = open(path_of(name, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (!bytes || fd < 0)
		abort();
	memset(bytes, byte, LARGE);
	if (write(fd, bytes, LARGE) != LARGE)
		abort();
	close(fd);
}

static void fault_25_a_file_replaced_by_rename_is_one_version(void **state)
{
	struct library_file file = {};
	struct reason reason = {};
	unsigned seen[2] = {};
	pid_t child;
	(void)state;

	write_large("gate.bin", 1);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char from[256], to[256];

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (uint8_t byte = 0;; byte ^= 1) {
			write_large("gate.bin.tmp", byte);
			if (rename(path_of("gate.bin.tmp", from), path_of("gate.bin", to)) < 0)
				abort();
		}
	}
	for (unsigned round = 0; round < 1000 && (round < 60 || !seen[0] || !seen[1]); round++) {
		assert_int_equal(
			library_read(images, "gate.bin", LARGE, &file, &reason), LIBRARY_OK);
		assert_int_equal(file.n_data, LARGE);
		assert_true(file.data[0] <= 1);
		assert_memory_equal(file.data, file.data + 1, LARGE - 1);
		seen[file.data[0]]++;
		library_file_done(&file);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_true(seen[0] > 0 && seen[1] > 0);
}

/*
 * Another process writes the first byte, then the last: who read the first before and the last
 * after that has what never was in the file. The old time of the file makes any write change it.
 */
static void fault_26_27_a_file_written_while_it_is_read_is_refused(void **state)
{
	const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	struct library_file file = {};
	unsigned seed = 5, n_refused = 0;
	char path[256];
	(void)state;

	path_of("gate.bin", path);
	for (unsigned round = 0; round < 2000 && n_refused < 10; round++) {
		struct reason reason = {};
		struct timespec delay = {.tv_nsec = (long)(rand_r(&seed) % 3000) * 1000};
		pid_t child;
		int r;

		write_large("gate.bin", 0);
		assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			int fd = open(path, O_WRONLY | O_CLOEXEC);

			nanosleep(&delay, NULL);
			if (pwrite(fd, "\1", 1, 0) != 1 || pwrite(fd, "\1", 1, LARGE - 1) != 1)
				abort();
			_exit(0);
		}
		r = library_read(images, "gate.bin", LARGE, &file, &reason);
		waitpid(child, NULL, 0);
		if (r == LIBRARY_OK) {
			assert_true(file.data[0] == 1 || file.data[LARGE - 1] == 0);
		} else {
			assert_int_equal(r, LIBRARY_REFUSED);
			assert_non_null(strstr(reason.text, "changed while it was read"));
			n_refused++;
		}
		library_file_done(&file);
	}
	assert_int_equal(n_refused, 10);
}

static void a_directory_that_cannot_be_opened_says_what_to_do(void **state)
{
	struct reason reason = {0};

	(void)state;
	assert_int_equal(folder_explain_directory(-EACCES, "images", &reason), -EACCES);
	assert_non_null(strstr(reason.text, "Permission denied"));
	assert_non_null(strstr(reason.text, "adduser NAME plugflash"));
	assert_null(strstr(reason.text, "create it"));
	assert_int_equal(folder_explain_directory(-ENOENT, "images", &reason), -ENOENT);
	assert_non_null(strstr(reason.text, "create it"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		IN_IMAGES(a_file_is_read_whole_with_its_digest),
		IN_IMAGES(digests_are_those_of_the_standard),
		IN_IMAGES(fault_28_an_empty_file_is_refused),
		IN_IMAGES(case_02_of_a_large_elf_file_the_program_alone_is_kept),
		IN_IMAGES(fault_29_35_a_file_beyond_the_bound_is_refused_before_it_is_read),
		IN_IMAGES(fault_31_links_and_ways_out_are_refused),
		IN_IMAGES(fault_31_links_are_refused_without_openat2_too),
		IN_IMAGES(fault_32_only_regular_files_are_read),
		IN_IMAGES(fault_34_a_medium_that_cannot_be_read_is_an_error_with_its_reason),
		IN_IMAGES(fault_34_running_out_of_descriptors_is_an_error_with_its_reason),
		IN_IMAGES(fault_25_a_file_replaced_by_rename_is_one_version),
		IN_IMAGES(fault_26_27_a_file_written_while_it_is_read_is_refused),
		IN_IMAGES(a_directory_that_cannot_be_opened_says_what_to_do),
		IN_IMAGES(no_descriptor_was_left_open),
	};

	return cmocka_run_group_tests(tests, note_descriptors, NULL);
}
