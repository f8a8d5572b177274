/* SPDX-License-Identifier: MIT */
/*
 * A process that is killed at many instants, from the first byte of a download until the image lies
 * in its place: what it leaves is the beginning of the image, or the whole of it with all that
 * belongs to it, and the next one goes on there.
 *
 * Slow: 120 processes, each of which lives up to its instant.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fleet/shelf.h"
#include "unit/plain-server.h"

/* Slowly, so that most instants are in the midst of bytes; and fast, so that many are behind them.
 */
#define N_SLOW	       60
#define N_FAST	       60
#define SLOW_STEP_USEC (7 * USEC_PER_MSEC)
#define FAST_STEP_USEC (4 * USEC_PER_MSEC)

static char manifest[] = "[image]\nversion = 1.2.0\n";
static char signature[] = "untrusted comment: nobody looks into it here\n";

/* As the errand of a wish does it. */
static void place(const struct bench *bench, const struct download *download)
{
	CLEANUP(closep) int state = open(in_folder("state"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(shelf_freep) struct shelf *shelf = NULL;
	const struct rollout rollout = {.percent = 10};
	struct wish wish = {.board = "gate",
		.image = IMAGE,
		.version = "1.2.0",
		.size = IMAGE_BYTES,
		.manifest = manifest,
		.signature = signature,
		.percent = 10};
	struct reason reason = {};
	int r;

	text_copy(wish.sha256, sizeof(wish.sha256), bench->sha256);
	assert_int_equal(shelf_open(in_folder("images"), state, &shelf, &reason), 0);
	r = shelf_begin(shelf, &wish, download_open(download), &rollout, &reason);
	while (r == SHELF_MORE)
		r = shelf_fill(shelf, &reason);
	if (r != SHELF_OK)
		fail_msg("%s", reason.text);
}

/* Of the process that is killed: 0 once the image is in its place. */
static int bring(const char *manner)
{
	struct bench *bench = bench_new();
	struct download *download = bench_ask(bench, &server, manner);

	while (look(download).state != DOWNLOAD_WHOLE) {
		struct download_view view = look(download);

		if (view.next_usec > monotonic_usec())
			clock_move(view.next_usec - monotonic_usec());
		bench_round(bench);
	}
	assert_whole(bench, download);
	place(bench, download);
	download_forget(download);
	return 0;
}

/* Kills it after so long; whether it was done before. */
static bool run_for(const char *manner, uint64_t usec)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(bring(manner));
	(void)poll(NULL, 0, (int)(usec / USEC_PER_MSEC));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		assert_int_equal(WEXITSTATUS(status), 0);
	return WIFEXITED(status);
}

static size_t read_bytes(const char *name, uint8_t to[static IMAGE_BYTES + 1])
{
	CLEANUP(closep) int fd = open(in_folder(name), O_RDONLY | O_CLOEXEC);
	size_t n = 0;

	if (fd >= 0)
		assert_int_equal(read_up_to(fd, to, IMAGE_BYTES + 1, &n), 0);
	return n;
}

/* How much of it was fetched. */
static size_t count_fetched(const struct bench *bench)
{
	static uint8_t bytes[IMAGE_BYTES + 1];
	char name[64];
	size_t n;

	snprintf(name, sizeof(name), "parts/%.32s.part", bench->sha256);
	n = read_bytes(name, bytes);
	assert_true(n <= IMAGE_BYTES);
	assert_memory_equal(bytes, bench->image, n);
	return n;
}

/* Whether the image lies there; then it is whole, with what belongs to it. */
static bool is_placed(const struct bench *bench)
{
	static uint8_t bytes[IMAGE_BYTES + 1];

	if (access(in_folder("images/" IMAGE), F_OK) < 0)
		return false;
	assert_int_equal(read_bytes("images/" IMAGE, bytes), IMAGE_BYTES);
	assert_memory_equal(bytes, bench->image, IMAGE_BYTES);
	assert_int_equal(read_bytes("images/" IMAGE ".ini", bytes), strlen(manifest));
	assert_memory_equal(bytes, manifest, strlen(manifest));
	assert_int_equal(read_bytes("images/" IMAGE ".ini.minisig", bytes), strlen(signature));
	assert_memory_equal(bytes, signature, strlen(signature));
	assert_true(read_bytes("images/" IMAGE ROLLOUT_SUFFIX, bytes) > 0);
	return true;
}

static void clear(const char *name)
{
	assert_int_equal(nftw(in_folder(name), folder_remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
	assert_int_equal(mkdir(in_folder(name), 0755), 0);
}

static void no_image_is_half(void **state)
{
	static const char *const manners[] = {"slow=4000", "slow=4000&tag=none",
		"slow=4000&cut=50000", "slow=4000&ranges=no&tag=none"};
	/* Nothing that lives: its loop would be that of the processes, too. */
	CLEANUP(freep) struct bench *bench = calloc(1, sizeof(*bench));
	unsigned n_done = 0, n_parts = 0, n_whole = 0, n_placed = 0, n_resumed;
	CLEANUP(freep) char *heads = NULL;
	(void)state;

	assert_non_null(bench);
	bench_make_image(bench);
	server_offer(&server, bench->image, IMAGE_BYTES, 0);
	for (unsigned i = 0; i < N_SLOW + N_FAST; i++) {
		bool is_slow = i < N_SLOW;
		size_t n;

		n_done += run_for(is_slow ? manners[i % ARRAY_SIZE(manners)] : "",
			is_slow ? i * SLOW_STEP_USEC : (i - N_SLOW) * FAST_STEP_USEC);
		n = count_fetched(bench);
		n_parts += n > 0 && n < IMAGE_BYTES;
		n_whole += n == IMAGE_BYTES;
		if (is_placed(bench)) {
			n_placed++;
			clear("parts");
			clear("images");
			clear("state");
		}
	}
	/* It was killed where it was meant to be, and another one went on. */
	assert_true(n_parts > N_SLOW / 4);
	heads = server_heads(&server);
	n_resumed = count(heads, "\r\nRange: bytes=");
	assert_true(n_resumed > N_SLOW / 4);
	print_message(
		"# figure: killed %u times: %u parts, %u whole, %u placed (%u to the end), %u requests went on\n",
		N_SLOW + N_FAST, n_parts, n_whole, n_placed, n_done, n_resumed);
	assert_int_equal(bring(""), 0);
	assert_true(is_placed(bench));
}

static int set_up_folders(void **state)
{
	int r = set_up(state);

	if (r == 0 && (mkdir(in_folder("images"), 0755) < 0 || mkdir(in_folder("state"), 0755) < 0))
		r = -1;
	return r;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_image_is_half),
	};

	return cmocka_run_group_tests(tests, set_up_folders, tear_down);
}
