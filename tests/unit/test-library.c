/* SPDX-License-Identifier: MIT */
/*
 * The image directory: which file a glob gets, and what is never read, opened or followed. Works in
 * a folder of its own below the temporary directory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/util.h"
#include "image/library.h"

/* Made anew for each test: ROOT/images is the image directory, ROOT/secret lies outside. */
static char root[64], images[96];

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static char *path_of(const char *name, char to[256])
{
	snprintf(to, 256, "%s/%s", images, name);
	return to;
}

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		path_of(name, path)[strlen(images) + 1 + (size_t)(slash - name)] = '\0';
		mkdir(path, 0755);
	}
	file = fopen(path_of(name, path), "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
	const char *temporary = getenv("TMPDIR");

	(void)state;
	snprintf(root, sizeof(root), "%.40s/test-library-XXXXXX", temporary ? temporary : "/tmp");
	if (!mkdtemp(root))
		return -1;
	snprintf(images, sizeof(images), "%s/images", root);
	if (mkdir(images, 0755) < 0)
		return -1;
	put("../secret", "not yours");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void link_to(const char *target, const char *name)
{
	char path[256];

	assert_int_equal(symlink(target, path_of(name, path)), 0);
}

/* ------------------------------------------------------------------ choosing */

static int choose_in(
	const char *directory, const char *glob, struct library_choice *ret, struct reason *reason)
{
	const struct library_query query = {.directory = directory, .glob = glob};

	return library_choose(&query, ret, reason);
}

static int choose(const char *glob, struct library_choice *ret, struct reason *reason)
{
	return choose_in(images, glob, ret, reason);
}

static const char *const tree[] = {
	"gate-1.9.hex",
	"gate-1.10.hex",
	"gate-1.10-rc1.hex",
	"gate-1.11.hex.part",
	"gate-1.11.hex~",
	".gate-1.12.hex",
	"gate-1.13.hex.tmp",
	"gate-1.14.hex.minisig",
	"gate-1.15.ini",
	"door-2.0.bin",
	"door-2.0.hex",
	"door-v2.hex",
	"plain-b.hex",
	"plain-a.hex",
	"build-1.2-4-gabc.hex",
	"build-1.2-10-gabc.hex",
	"a/gate-3.0.hex",
	"b/gate-4.0.hex",
	"b/c/gate-5.0.hex",
	".hidden/gate-6.0.hex",
	"9.9/lock-1.0.hex",
	"0.1/lock-2.0.hex",
	"with space-1.0.hex",
	"[x]-1.0.hex",
	"empty-1.0.hex/x",
};

static const struct {
	const char *glob;
	int result;
	const char *expected; /* name, or part of the reason */
	const char *version;
} choices[] = {
	{"gate-*.hex", LIBRARY_OK, "gate-1.10.hex", "1.10"},
	{"gate-1.9.hex", LIBRARY_OK, "gate-1.9.hex", "1.9"},
	{"./gate-1.9.hex", LIBRARY_OK, "gate-1.9.hex", "1.9"},
	{"gate-1.?.hex", LIBRARY_OK, "gate-1.9.hex", "1.9"},
	{"gate-1.[0-9][0-9]*.hex", LIBRARY_OK, "gate-1.10.hex", "1.10"},
	{"gate-*", LIBRARY_OK, "gate-1.10.hex", "1.10"},
	{"*-1.1?.*", LIBRARY_OK, "gate-1.10.hex", "1.10"},
	{"gate-1.15.ini", LIBRARY_OK, "gate-1.15.ini", "1.15"},
	{"gate-1.11.hex.part", LIBRARY_OK, "gate-1.11.hex.part", "1.11"},
	{".gate-1.12.hex", LIBRARY_OK, ".gate-1.12.hex", "1.12"},
	{".gate*", LIBRARY_NONE, "fits the rule's image '.gate*'", NULL},
	{".hidden/*.hex", LIBRARY_OK, ".hidden/gate-6.0.hex", "6.0"},
	{"door-*", LIBRARY_OK, "door-v2.hex", "2"},
	{"door-2*", LIBRARY_OK, "door-2.0.hex", "2.0"},
	{"plain-*.hex", LIBRARY_OK, "plain-b.hex", ""},
	{"build-*", LIBRARY_OK, "build-1.2-10-gabc.hex", "1.2"},
	{"*/gate-*.hex", LIBRARY_OK, "b/gate-4.0.hex", "4.0"},
	{"[ab]/gate-*.hex", LIBRARY_OK, "b/gate-4.0.hex", "4.0"},
	{"a/gate-*.hex", LIBRARY_OK, "a/gate-3.0.hex", "3.0"},
	{"b//c/./gate-*.hex", LIBRARY_OK, "b/c/gate-5.0.hex", "5.0"},
	{"*/*/*", LIBRARY_OK, "b/c/gate-5.0.hex", "5.0"},
	{"*/lock-*.hex", LIBRARY_OK, "0.1/lock-2.0.hex", "2.0"},
	{"with space-*.hex", LIBRARY_OK, "with space-1.0.hex", "1.0"},
	{"\\[x\\]-*.hex", LIBRARY_OK, "[x]-1.0.hex", "1.0"},
	{"gate-9*.hex", LIBRARY_NONE, "no file in '", NULL},
	{"c/*.hex", LIBRARY_NONE, "fits the rule's image 'c/*.hex'", NULL},
	{"gate-1.9.hex/x", LIBRARY_NONE, "fits the rule's image", NULL},
	{"GATE-*.hex", LIBRARY_NONE, "fits the rule's image", NULL},
	{"x[", LIBRARY_NONE, "fits the rule's image", NULL},
	{"empty-*.hex", LIBRARY_REFUSED, "image 'empty-1.0.hex': not a regular file", NULL},
	{"a/", LIBRARY_REFUSED, "expected the name of a file", NULL},
	{".", LIBRARY_REFUSED, "expected the name of a file", NULL},
	{"", LIBRARY_REFUSED, "expected a name or glob below", NULL},
	{"/etc/passwd", LIBRARY_REFUSED, "expected a name or glob below", NULL},
	{"../secret", LIBRARY_REFUSED, "expected a name or glob below", NULL},
	{"..", LIBRARY_REFUSED, "expected a name or glob below", NULL},
	{"a/../../secret", LIBRARY_REFUSED, "expected a name or glob below", NULL},
	{"a/..", LIBRARY_REFUSED, "expected a name or glob below", NULL},
	{"*/../*", LIBRARY_REFUSED, "expected a name or glob below", NULL},
	{"[.][.]/secret", LIBRARY_NONE, "fits the rule's image", NULL},
	{"?./secret", LIBRARY_NONE, "fits the rule's image", NULL},
	{"1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", LIBRARY_REFUSED, "more than 16 folders deep",
		NULL},
};

static void fault_31_a_glob_gets_the_highest_version_below_the_directory(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tree); i++)
		put(tree[i], "bytes");

	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		struct library_choice choice = {};
		struct reason reason = {};
		int r = choose(choices[i].glob, &choice, &reason);

		if (r != choices[i].result)
			fail_msg("'%s': got %d, '%s'", choices[i].glob, r, reason.text);
		if (r == LIBRARY_OK) {
			assert_string_equal(choice.name, choices[i].expected);
			assert_string_equal(choice.version, choices[i].version);
		} else {
			assert_null(choice.name);
			if (!strstr(reason.text, choices[i].expected))
				fail_msg("'%s': expected '%s', got '%s'", choices[i].glob,
					choices[i].expected, reason.text);
		}
		library_choice_done(&choice);
	}
}

static void a_missing_directory_is_named(void **state)
{
	struct library_choice choice = {};
	struct library_file file = {};
	struct reason reason = {};
	char path[256];
	(void)state;

	path_of("missing", path);
	assert_int_equal(choose_in(path, "*", &choice, &reason), -ENOENT);
	assert_non_null(strstr(reason.text, path));
	reason = (struct reason){};
	assert_int_equal(library_read(path, "x", 100, &file, &reason), -ENOENT);
	assert_non_null(strstr(reason.text, path));

	put("plain", "a file");
	assert_int_equal(choose_in(path_of("plain", path), "*", &choice, &reason), -ENOTDIR);
	assert_non_null(strstr(reason.text, path));
}

static void names_that_are_no_plain_text_are_passed_over(void **state)
{
	struct library_choice choice = {};
	struct reason reason = {};
	(void)state;

	put("gate-1.0\nboard=x.hex", "bytes");
	put("gate-1.1\xff.hex", "bytes");
	assert_int_equal(choose("gate*", &choice, &reason), LIBRARY_REFUSED);
	assert_null(strchr(reason.text, '\n'));
	assert_null(strchr(reason.text, '\xff'));
	put("gate-0.9.hex", "bytes");
	assert_int_equal(choose("gate*", &choice, &reason), LIBRARY_OK);
	assert_string_equal(choice.name, "gate-0.9.hex");
	library_choice_done(&choice);
}

static void ten_thousand_files_are_chosen_from_at_once(void **state)
{
	struct library_choice choice = {};
	struct reason reason = {};
	char name[64];
	clock_t begin;
	double seconds;
	(void)state;

	for (unsigned i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "gate-1.%u.hex", i * 7919 % 10000);
		put(name, "");
	}
	begin = clock();
	assert_int_equal(choose("gate-*.hex", &choice, &reason), LIBRARY_OK);
	seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
	print_message("# figure: the highest of 10000 versions: %.0f ms\n", seconds * 1000);
	assert_string_equal(choice.name, "gate-1.9999.hex");
#ifndef __SANITIZE_ADDRESS__
	assert_true(seconds < 0.1);
#endif
	library_choice_done(&choice);
}

static void a_search_without_end_is_refused(void **state)
{
	struct library_choice choice = {};
	struct reason reason = {};
	char name[64], first[256], path[256];
	(void)state;

	put("x-0", "");
	path_of("x-0", first);
	for (unsigned i = 1; i <= 65536; i++) {
		snprintf(name, sizeof(name), "x-%u", i);
		/* A file may have fewer links than this: then another one takes over. */
		if (link(first, path_of(name, path)) < 0) {
			put(name, "");
			strcpy(first, path);
		}
	}
	assert_int_equal(choose("y*", &choice, &reason), LIBRARY_REFUSED);
	assert_non_null(strstr(reason.text, "more than 65536 entries"));
	assert_int_equal(choose("x-9", &choice, &reason), LIBRARY_OK);
	library_choice_done(&choice);
}

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

static void fault_29_35_a_file_beyond_the_bound_is_refused_before_it_is_read(void **state)
{
	struct library_file file = {};
	struct reason reason = {};
	char path[256];
	clock_t begin;
	(void)state;

	put("gate.bin", "four");
	assert_int_equal(library_read(images, "gate.bin", 3, &file, &reason), LIBRARY_REFUSED);
	assert_non_null(strstr(reason.text, "has 4 bytes, at most 3"));
	assert_int_equal(library_read(images, "gate.bin", 4, &file, &reason), LIBRARY_OK);
	library_file_done(&file);

	assert_int_equal(truncate(path_of("gate.bin", path), INT64_C(100) << 30), 0);
	begin = clock();
	assert_int_equal(
		library_read(images, "gate.bin", 1 << 20, &file, &reason), LIBRARY_REFUSED);
	assert_non_null(strstr(reason.text, "has 107374182400 bytes, at most 1048576"));
	assert_true(clock() - begin < CLOCKS_PER_SEC / 10);
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

/* As on an old kernel, or behind a system call filter: openat2() fails so from here on. */
static bool forbid_openat2(int error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = ARRAY_SIZE(filter), .filter = filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 &&
	       syscall(SYS_openat2, AT_FDCWD, ".", NULL, 0) == -1 && errno == error;
}

static void fault_31_links_are_refused_without_openat2_too(void **state)
{
	static const int errors[] = {ENOSYS, EPERM};
	(void)state;

	make_links();
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		int status;
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0) {
			const char *difference = forbid_openat2(errors[i])
							 ? fault_31_difference(false)
							 : "no filter";

			if (difference)
				dprintf(STDERR_FILENO, "%s\n", difference);
			_exit(difference ? 1 : 42);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 42);
	}
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

	alarm(10); /* to open the FIFO would wait for its writer */
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

/* ------------------------------------------------------------------ manifests */

static const struct {
	const char *name;
	const char *manifests[3][2]; /* of files that are all "abc" */
	int result;
	const char *expected; /* name, or part of the reason */
	const char *version;
} manifest_rows[] = {
	{"its version wins over the name", {{"gate-1.0.hex", "version = 3.0"}}, LIBRARY_OK,
		"gate-1.0.hex", "3.0"},
	{"a lower one, too", {{"gate-2.0.hex", "version = 0.5"}}, LIBRARY_OK, "gate-1.0.hex",
		"1.0"},
	{"without a version the name's is taken", {{"gate-2.0.hex", "size = 3"}}, LIBRARY_OK,
		"gate-2.0.hex", "2.0"},
	{"for this board", {{"gate-2.0.hex", "board = gate"}}, LIBRARY_OK, "gate-2.0.hex", "2.0"},
	{"for this board and another", {{"gate-2.0.hex", "board = door, gate"}}, LIBRARY_OK,
		"gate-2.0.hex", "2.0"},
	{"for another board it is passed over", {{"gate-2.0.hex", "board = door"}}, LIBRARY_OK,
		"gate-1.0.hex", "1.0"},
	{"all for other boards", {{"gate-1.0.hex", "board = x"}, {"gate-2.0.hex", "board = door"}},
		LIBRARY_REFUSED, "by its manifest, not for 'gate'", NULL},
	{"a wrong one refuses the highest", {{"gate-2.0.hex", "colour = red"}}, LIBRARY_REFUSED,
		"image 'gate-2.0.hex': gate-2.0.hex.ini:2: [image] colour: there is no such key",
		"2.0"},
	{"a wrong one of an older image does no harm", {{"gate-1.0.hex", "colour = red"}},
		LIBRARY_OK, "gate-2.0.hex", "2.0"},
	{"fault 27: fewer bytes than it says are awaited", {{"gate-2.0.hex", "size = 4"}},
		LIBRARY_AWAITED, "it has 3 bytes, its manifest says 4", "2.0"},
	{"fault 27: more bytes than it says are awaited", {{"gate-2.0.hex", "size = 2"}},
		LIBRARY_AWAITED, "it has 3 bytes, its manifest says 2", "2.0"},
	{"a manifest without an image is nothing", {{"gate-3.0.hex", NULL}}, LIBRARY_OK,
		"gate-2.0.hex", "2.0"},
};

static void put_manifest(const char *image, const char *line)
{
	char name[64], text[200];

	snprintf(name, sizeof(name), "%s.ini", image);
	snprintf(text, sizeof(text), "[image]\n%s\n", line ? line : "version = 9");
	put(name, text);
}

static void manifests_decide_with_the_names(void **state)
{
	const struct library_query query = {
		.directory = images, .glob = "gate-*.hex", .board = "gate"};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(manifest_rows); i++) {
		struct library_choice choice = {};
		struct reason reason = {};
		const char *got;
		int r;

		assert_int_equal(nftw(images, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
		assert_int_equal(mkdir(images, 0755), 0);
		put("gate-1.0.hex", "abc");
		put("gate-2.0.hex", "abc");
		for (size_t j = 0; j < 3 && manifest_rows[i].manifests[j][0]; j++)
			put_manifest(
				manifest_rows[i].manifests[j][0], manifest_rows[i].manifests[j][1]);
		r = library_choose(&query, &choice, &reason);
		got = r == LIBRARY_OK ? choice.name : reason.text;
		if (r != manifest_rows[i].result || !strstr(got, manifest_rows[i].expected))
			fail_msg("%s: got %d, '%s'", manifest_rows[i].name, r, got);
		if (manifest_rows[i].version)
			assert_string_equal(choice.version, manifest_rows[i].version);
		library_choice_done(&choice);
	}
}

static int load(const char *name, struct library_item *ret, struct reason *reason)
{
	const struct library_query query = {.directory = images, .board = "gate"};

	return library_load(&query, name, 1000, ret, reason);
}

static void what_a_manifest_says_must_hold_for_the_bytes(void **state)
{
	static const struct {
		const char *line;
		const char *expected; /* of the reason; NULL: it is taken */
	} rows[] = {
		{"size = 3", NULL},
		{"size = 4", "gate-1.0.hex.ini:2: [image] size: the image has 3 bytes"},
		{"sha256 = ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", NULL},
		{"sha256 = aa7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
			"gate-1.0.hex.ini:2: [image] sha256: "},
		{"board = door", "gate-1.0.hex.ini:2: [image] board: the image is not for board"},
		{"color = 1", "gate-1.0.hex.ini:2: [image] color: there is no such key"},
	};
	(void)state;

	put("gate-1.0.hex", "abc");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct library_item item = {};
		struct reason reason = {};
		int r;

		put_manifest("gate-1.0.hex", rows[i].line);
		r = load("gate-1.0.hex", &item, &reason);
		if (r != (rows[i].expected ? LIBRARY_REFUSED : LIBRARY_OK) ||
			(rows[i].expected && !strstr(reason.text, rows[i].expected)))
			fail_msg("%s: got %d, '%s'", rows[i].line, r, reason.text);
		library_item_done(&item);
	}
}

static void a_list_tells_of_every_file_that_fits(void **state)
{
	const struct library_query query = {.directory = images, .glob = "gate-*", .board = "gate"};
	static const struct {
		const char *name, *version, *why;
		enum library_state state;
	} expected[] = {
		{"gate-4.hex", "4", "for board 'door'", LIBRARY_CANDIDATE_PASSED_OVER},
		{"gate-1.10.hex", "1.10", NULL, LIBRARY_CANDIDATE_MEANT},
		{"gate-1.9.hex", "1.9", NULL, LIBRARY_CANDIDATE_OLDER},
		{"gate-latest", "", "a symbolic link", LIBRARY_CANDIDATE_PASSED_OVER},
	};
	struct library_list list = {};
	struct library_choice choice = {};
	struct reason reason = {};
	(void)state;

	put("gate-1.9.hex", "abc");
	put("gate-1.10.hex", "abcd");
	put("gate-1.10.hex.minisig", "no image");
	put("gate-4.hex", "abc");
	put_manifest("gate-4.hex", "board = door");
	link_to("gate-1.10.hex", "gate-latest");
	assert_int_equal(library_list(&query, &list, &choice, &reason), LIBRARY_OK);
	assert_string_equal(choice.name, "gate-1.10.hex");
	assert_int_equal(list.n_items, ARRAY_SIZE(expected));
	for (size_t i = 0; i < list.n_items; i++) {
		assert_string_equal(list.items[i].name, expected[i].name);
		assert_string_equal(list.items[i].version, expected[i].version);
		assert_int_equal(list.items[i].state, expected[i].state);
		assert_true(!list.items[i].why == !expected[i].why);
		if (expected[i].why)
			assert_non_null(strstr(list.items[i].why, expected[i].why));
	}
	assert_int_equal(list.items[1].size, 4);
	library_list_done(&list);
	library_choice_done(&choice);
}

/* ------------------------------------------------------------------ who may have written it */

static const struct {
	const char *name;
	const char *path; /* below the image directory */
	mode_t mode;
	uid_t owner;
	const char *expected; /* of the reason; NULL: it is taken */
} owners[] = {
	{"fault 33: as it should be", "a/gate.hex", 0644, 0, NULL},
	{"fault 33: readable by the owner alone", "a/gate.hex", 0600, 0, NULL},
	{"fault 33: a file that its group may write", "a/gate.hex", 0664, 0,
		"image 'a/gate.hex': the file can be written by others"},
	{"fault 33: a file that all may write", "a/gate.hex", 0646, 0, "mode 0646"},
	{"fault 33: a folder that its group may write", "a", 0775, 0, "/a': the folder can be"},
	{"fault 33: a folder that all may write", "a", 01777, 0, "mode 1777"},
	{"fault 33: a directory that its group may write", ".", 0775, 0, "images': the folder can"},
	{"fault 33: a manifest that all may write", "a/gate.hex.ini", 0666, 0,
		"manifest 'a/gate.hex.ini': the file can be written by others"},
	{"fault 33: a file of somebody", "a/gate.hex", 0644, 12345,
		"image 'a/gate.hex': the file belongs to the user 12345"},
	{"fault 33: a folder of somebody", "a", 0755, 12345, "belongs to the user 12345"},
	{"fault 33: a directory of somebody", ".", 0755, 12345, "belongs to the user 12345"},
};

/* Chosen, and loaded: what was checked when it was chosen may have changed since. */
static void fault_33_what_others_may_write_is_refused(void **state)
{
	const struct library_query query = {
		.directory = images, .glob = "*/gate.hex", .board = "gate"};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		struct library_choice choice = {};
		struct library_item item = {};
		struct reason chosen = {}, loaded = {};
		char path[256];
		int r;

		/* Only root can give files away. */
		if (owners[i].owner != 0 && geteuid() != 0)
			continue;
		assert_int_equal(nftw(images, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
		assert_int_equal(mkdir(images, 0755), 0);
		put("a/gate.hex", "abc");
		put("a/gate.hex.ini", "[image]\n");
		path_of(owners[i].path, path);
		if (owners[i].owner != 0)
			assert_int_equal(chown(path, owners[i].owner, (gid_t)-1), 0);
		assert_int_equal(chmod(path, owners[i].mode), 0);
		r = library_choose(&query, &choice, &chosen);
		if (r != (owners[i].expected ? LIBRARY_REFUSED : LIBRARY_OK) ||
			(r != LIBRARY_OK && !strstr(chosen.text, owners[i].expected)))
			fail_msg("%s, chosen: got %d, '%s'", owners[i].name, r, chosen.text);
		r = load("a/gate.hex", &item, &loaded);
		if (r != (owners[i].expected ? LIBRARY_REFUSED : LIBRARY_OK) ||
			(r != LIBRARY_OK && !strstr(loaded.text, owners[i].expected)))
			fail_msg("%s, loaded: got %d, '%s'", owners[i].name, r, loaded.text);
		library_choice_done(&choice);
		library_item_done(&item);
	}
}

/* ------------------------------------------------------------------ copies under way */

static void set_age(const char *name, time_t seconds)
{
	struct timespec times[2];
	char path[256];

	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= seconds;
	times[1] = times[0];
	assert_int_equal(utimensat(AT_FDCWD, path_of(name, path), times, 0), 0);
}

static int choose_quiet(struct library_choice *choice, struct reason *reason)
{
	const struct library_query query = {
		.directory = images, .glob = "gate-*.hex", .quiet_usec = 3600 * USEC_PER_SEC};

	library_choice_done(choice);
	return library_choose(&query, choice, reason);
}

static void fault_27_what_was_just_written_is_awaited(void **state)
{
	struct library_choice choice = {};
	struct reason reason = {};
	char from[256], to[256];
	(void)state;

	put("gate-1.0.hex", "abc");
	assert_int_equal(choose_quiet(&choice, &reason), LIBRARY_AWAITED);
	assert_non_null(strstr(reason.text, "'gate-1.0.hex' was written just now"));
	assert_in_range(choice.due_usec, 3500 * USEC_PER_SEC, 3600 * USEC_PER_SEC);
	set_age("gate-1.0.hex", 7200);
	assert_int_equal(choose_quiet(&choice, &reason), LIBRARY_OK);

	/* Its manifest counts as well. */
	put("gate-1.0.hex.ini", "[image]\n");
	assert_int_equal(choose_quiet(&choice, &reason), LIBRARY_AWAITED);
	assert_non_null(strstr(reason.text, "'gate-1.0.hex.ini' was written just now"));
	set_age("gate-1.0.hex.ini", 7200);
	assert_int_equal(choose_quiet(&choice, &reason), LIBRARY_OK);

	/* A name that says so, then the right one: whole at once. */
	put("gate-2.0.hex.part", "abc");
	set_age("gate-2.0.hex.part", 60);
	assert_int_equal(choose_quiet(&choice, &reason), LIBRARY_OK);
	assert_string_equal(choice.version, "1.0");
	assert_int_equal(
		rename(path_of("gate-2.0.hex.part", from), path_of("gate-2.0.hex", to)), 0);
	assert_int_equal(choose_quiet(&choice, &reason), LIBRARY_OK);
	assert_string_equal(choice.version, "2.0");
	/* A clock that was wrong when the file was made says nothing. */
	set_age("gate-2.0.hex", -86400);
	assert_int_equal(choose_quiet(&choice, &reason), LIBRARY_OK);
	library_choice_done(&choice);
}

static bool is_being_written(void *userdata, const struct stat *folder, const char *name)
{
	struct stat expected;

	assert_int_equal(stat(images, &expected), 0);
	assert_int_equal(expected.st_ino, folder->st_ino);
	return strcmp(name, userdata) == 0;
}

static void fault_27_an_open_file_is_awaited_however_old(void **state)
{
	struct library_query query = {
		.directory = images,
		.glob = "gate-*.hex",
		.is_being_written = is_being_written,
		.userdata = "gate-2.0.hex",
	};
	struct library_choice choice = {};
	struct reason reason = {};
	(void)state;

	put("gate-1.0.hex", "abc");
	put("gate-2.0.hex", "abc");
	set_age("gate-2.0.hex", 7200);
	assert_int_equal(library_choose(&query, &choice, &reason), LIBRARY_AWAITED);
	assert_non_null(strstr(reason.text, "'gate-2.0.hex' is being written"));
	assert_int_equal(choice.due_usec, 0);
	library_choice_done(&choice);
	query.userdata = "gate-1.0.hex"; /* nobody's concern */
	assert_int_equal(library_choose(&query, &choice, &reason), LIBRARY_OK);
	library_choice_done(&choice);
}

static void an_image_is_another_when_any_of_its_files_is(void **state)
{
	static const char *const changes[] = {"gate-1.0.hex", "gate-1.0.hex.ini",
		"gate-1.0.hex.minisig", "gate-1.0.hex.ini.minisig"};
	struct library_choice before = {}, after = {};
	struct reason reason = {};
	(void)state;

	put("gate-1.0.hex", "abc");
	assert_int_equal(choose("gate-*", &before, &reason), LIBRARY_OK);
	put("gate-0.9.hex", "abc");
	put("other", "abc");
	assert_int_equal(choose("gate-*", &after, &reason), LIBRARY_OK);
	assert_string_equal(before.identity, after.identity);
	library_choice_done(&after);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		put(changes[i], "[image]\n");
		assert_int_equal(choose("gate-*", &after, &reason), LIBRARY_OK);
		assert_string_not_equal(before.identity, after.identity);
		library_choice_done(&before);
		before = after;
		after = (struct library_choice){};
	}
	library_choice_done(&before);
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

static unsigned count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(directory);
	while (readdir(directory))
		n++;
	closedir(directory);
	return n;
}

static unsigned n_descriptors;

static int note_descriptors(void **state)
{
	(void)state;
	n_descriptors = count_descriptors();
	return 0;
}

/* Runs last: what stands above opened and refused in every way. */
static void no_descriptor_was_left_open(void **state)
{
	(void)state;
	assert_int_equal(count_descriptors(), n_descriptors);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(fault_31_a_glob_gets_the_highest_version_below_the_directory),
		TEST(a_missing_directory_is_named),
		TEST(names_that_are_no_plain_text_are_passed_over),
		TEST(ten_thousand_files_are_chosen_from_at_once),
		TEST(a_search_without_end_is_refused),
		TEST(a_file_is_read_whole_with_its_digest),
		TEST(digests_are_those_of_the_standard),
		TEST(fault_28_an_empty_file_is_refused),
		TEST(fault_29_35_a_file_beyond_the_bound_is_refused_before_it_is_read),
		TEST(fault_31_links_and_ways_out_are_refused),
		TEST(fault_31_links_are_refused_without_openat2_too),
		TEST(fault_32_only_regular_files_are_read),
		TEST(fault_34_running_out_of_descriptors_is_an_error_with_its_reason),
		TEST(manifests_decide_with_the_names),
		TEST(what_a_manifest_says_must_hold_for_the_bytes),
		TEST(a_list_tells_of_every_file_that_fits),
		TEST(fault_33_what_others_may_write_is_refused),
		TEST(fault_27_what_was_just_written_is_awaited),
		TEST(fault_27_an_open_file_is_awaited_however_old),
		TEST(an_image_is_another_when_any_of_its_files_is),
		TEST(fault_25_a_file_replaced_by_rename_is_one_version),
		TEST(fault_26_27_a_file_written_while_it_is_read_is_refused),
		TEST(no_descriptor_was_left_open),
	};

	return cmocka_run_group_tests(tests, note_descriptors, NULL);
}
