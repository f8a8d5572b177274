/* SPDX-License-Identifier: MIT */
/* The fleet's folder: what is placed is whole at any instant, and only what was brought goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "fleet/shelf.h"
#include "image/digest.h"

#include "folder.h"

#define IMAGE_BYTES (1024 * 1024 + 7)

static uint8_t *bytes;
static char digest[DIGEST_HEX_SIZE];
static char manifest[200];

static int make_all(void **state)
{
	if (folder_make(state) < 0 || mkdir(in_folder("images"), 0755) < 0 ||
		mkdir(in_folder("state"), 0700) < 0)
		return -1;
	bytes = malloc(IMAGE_BYTES);
	if (!bytes)
		return -1;
	for (size_t i = 0; i < IMAGE_BYTES; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251);
	digest_sha256(bytes, IMAGE_BYTES, digest);
	snprintf(manifest, sizeof(manifest), "[image]\nversion = 1.2\nsha256 = %s\n", digest);
	return 0;
}

static int remove_all(void **state)
{
	free(bytes);
	return folder_remove(state);
}

/* Its texts are not its own: no wish_done(). */
static struct wish make_wish(const char *image)
{
	struct wish wish = {.board = "gate",
		.version = "1.2",
		.size = IMAGE_BYTES,
		.manifest = manifest,
		.percent = 100};

	static char signature[] = "untrusted comment: x\nabc\n";

	wish.signature = signature;
	text_copy(wish.image, sizeof(wish.image), image);
	text_copy(wish.sha256, sizeof(wish.sha256), digest);
	return wish;
}

/* An open shelf; the state directory stays open with it. */
struct stand {
	int state;
	struct shelf *shelf;
};

static struct stand stand_open(void)
{
	struct stand stand = {
		.state = open(in_folder("state"), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	struct reason reason = {""};

	if (shelf_open(in_folder("images"), stand.state, &stand.shelf, &reason) != 0)
		fail_msg("%s", reason.text);
	return stand;
}

static void stand_close(struct stand *stand)
{
	shelf_free(stand->shelf);
	close(stand->state);
}

/* What was fetched, as an open file. */
static int fetched(const void *from, size_t n)
{
	put_bytes("part", from, n);
	return open(in_folder("part"), O_RDONLY | O_CLOEXEC);
}

static int place(struct stand *stand, const struct wish *wish, const struct rollout *rollout,
	struct reason *reason)
{
	int r = shelf_begin(stand->shelf, wish, fetched(bytes, IMAGE_BYTES), rollout, reason);

	while (r == SHELF_MORE)
		r = shelf_fill(stand->shelf, reason);
	return r;
}

static bool exists(const char *name)
{
	char path[300];

	snprintf(path, sizeof(path), "images/%s", name);
	return access(in_folder(path), F_OK) == 0;
}

static char *text_of(const char *name)
{
	static char text[8192];
	char path[300];
	FILE *from;
	size_t n = 0;

	snprintf(path, sizeof(path), "images/%s", name);
	from = fopen(in_folder(path), "r");
	if (from) {
		n = fread(text, 1, sizeof(text) - 1, from);
		fclose(from);
	}
	text[n] = '\0';
	return text;
}

static void clear_images(void)
{
	char command[800];

	snprintf(command, sizeof(command), "rm -rf %s/images/* %s/images/.pl* %s/state/*", folder,
		folder, folder);
	assert_int_equal(system(command), 0);
}

static const struct rollout nobody = {}, everybody = {.percent = 100};

static void an_image_is_placed_with_all_that_is_beside_it(void **state)
{
	struct wish wish = make_wish("gate-1.2.hex");
	struct stand stand = stand_open();
	struct reason reason = {""};
	struct stat status;

	(void)state;
	assert_int_equal(shelf_claim(stand.shelf, &wish, &reason), SHELF_MISSING);
	assert_int_equal(place(&stand, &wish, &nobody, &reason), SHELF_OK);
	assert_int_equal(shelf_claim(stand.shelf, &wish, &reason), SHELF_OK);
	assert_string_equal(text_of("gate-1.2.hex.ini"), manifest);
	assert_string_equal(text_of("gate-1.2.hex.ini.minisig"), wish.signature);
	assert_string_equal(text_of("gate-1.2.hex.rollout"), "[rollout]\npercent = 0\n");
	assert_int_equal(stat(in_folder("images/gate-1.2.hex"), &status), 0);
	assert_int_equal(status.st_size, IMAGE_BYTES);
	assert_int_equal(status.st_mode & 0777, 0644);
	/* There it is, already. */
	assert_int_equal(place(&stand, &wish, &nobody, &reason), SHELF_OK);
	assert_int_equal(shelf_count(stand.shelf), 1);
	stand_close(&stand);

	stand = stand_open();
	assert_int_equal(shelf_count(stand.shelf), 1);
	assert_string_equal(shelf_at(stand.shelf, 0)->board, "gate");
	assert_string_equal(shelf_at(stand.shelf, 0)->version, "1.2");
	assert_true(shelf_at(stand.shelf, 0)->is_placed);
	assert_int_equal(shelf_at(stand.shelf, 0)->rollout.percent, 0);
	assert_int_equal(shelf_claim(stand.shelf, &wish, &reason), SHELF_OK);
	stand_close(&stand);
	clear_images();
}

static void it_is_offered_by_a_file_or_by_none(void **state)
{
	const struct rollout window = {.percent = 50, .until_s = 1800000000};
	struct wish wish = make_wish("gate-1.2.hex");
	struct stand stand = stand_open();
	struct reason reason = {""};

	(void)state;
	assert_int_equal(place(&stand, &wish, &nobody, &reason), SHELF_OK);
	assert_int_equal(shelf_offer(stand.shelf, "gate-1.2.hex", "gate", "", &window), 0);
	assert_string_equal(
		text_of("gate-1.2.hex.rollout"), "[rollout]\npercent = 50\nuntil = 1800000000\n");
	assert_int_equal(shelf_offer(stand.shelf, "gate-1.2.hex", "gate", "", &everybody), 0);
	assert_false(exists("gate-1.2.hex.rollout"));
	assert_int_equal(shelf_offer(stand.shelf, "gate-1.3.hex", "gate", "", &nobody), -ENOENT);
	assert_false(exists("gate-1.3.hex.rollout"));
	/* What somebody wrote there is not what is offered. */
	put_text("images/gate-1.2.hex.rollout", "nonsense");
	assert_int_equal(shelf_claim(stand.shelf, &wish, &reason), SHELF_OK);
	assert_int_equal(shelf_offer(stand.shelf, "gate-1.2.hex", "gate", "", &everybody), 0);
	assert_false(exists("gate-1.2.hex.rollout"));
	stand_close(&stand);
	clear_images();
}

/* By which wish: over restarts, and as one of before that was not kept. */
static void whose_it_is_is_kept(void **state)
{
	static const char *const groups[] = {"canary", ""};
	struct wish wish = make_wish("gate-1.2.hex");
	struct stand stand = stand_open();
	const struct shelf_item *item;
	struct reason reason = {""};
	char list[400];

	(void)state;
	assert_null(shelf_find(stand.shelf, "gate-1.2.hex"));
	assert_int_equal(place(&stand, &wish, &nobody, &reason), SHELF_OK);
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		assert_int_equal(
			shelf_offer(stand.shelf, "gate-1.2.hex", "door", groups[i], &nobody), 0);
		stand_close(&stand);
		stand = stand_open();
		item = shelf_find(stand.shelf, "gate-1.2.hex");
		assert_non_null(item);
		assert_string_equal(item->board, "door");
		assert_true(item->has_group);
		assert_string_equal(item->group, groups[i]);
	}
	stand_close(&stand);
	snprintf(list, sizeof(list),
		"{\"gate-1.2.hex\":{\"board\":\"gate\",\"version\":\"1.2\",\"sha256\":\"%s\",\"size\":%d}}",
		digest, IMAGE_BYTES);
	put_text("state/shelf.json", list);
	stand = stand_open();
	item = shelf_find(stand.shelf, "gate-1.2.hex");
	assert_non_null(item);
	assert_true(item->is_placed && !item->has_group);
	assert_string_equal(item->board, "gate");
	stand_close(&stand);
	clear_images();
}

/* The list, or the rollout file. */
static void where_nothing_can_be_written_no_unit_more_gets_it(void **state)
{
	const struct rollout half = {.percent = 50}, tenth = {.percent = 10};
	struct wish wish = make_wish("gate-1.2.hex");
	struct stand stand = stand_open();
	struct reason reason = {""};

	(void)state;
	assert_int_equal(place(&stand, &wish, &tenth, &reason), SHELF_OK);
	assert_int_equal(mkdir(in_folder("state/shelf.json.new"), 0755), 0);
	assert_true(shelf_offer(stand.shelf, "gate-1.2.hex", "door", "", &half) < 0);
	assert_string_equal(text_of("gate-1.2.hex.rollout"), "[rollout]\npercent = 10\n");
	assert_string_equal(shelf_find(stand.shelf, "gate-1.2.hex")->board, "gate");
	assert_int_equal(shelf_offer(stand.shelf, "gate-1.2.hex", "door", "", &nobody), 0);
	assert_string_equal(text_of("gate-1.2.hex.rollout"), "[rollout]\npercent = 0\n");
	assert_int_equal(rmdir(in_folder("state/shelf.json.new")), 0);

	assert_int_equal(mkdir(in_folder("images/.plugflash-part-gate-1.2.hex.rollout"), 0755), 0);
	assert_true(shelf_offer(stand.shelf, "gate-1.2.hex", "door", "", &half) < 0);
	assert_string_equal(text_of("gate-1.2.hex.rollout"), "[rollout]\npercent = 0\n");
	/* All need no file. */
	assert_int_equal(shelf_offer(stand.shelf, "gate-1.2.hex", "door", "", &everybody), 0);
	assert_int_equal(shelf_withdraw(stand.shelf, "gate-1.2.hex"), SHELF_MISSING);
	assert_false(exists("gate-1.2.hex") || exists("gate-1.2.hex.ini"));
	assert_int_equal(shelf_count(stand.shelf), 0);
	assert_int_equal(shelf_withdraw(stand.shelf, "gate-1.2.hex"), 0);
	stand_close(&stand);
	clear_images();
}

/* A window that has closed gives it to nobody as well: no reason to remove it. */
static void what_has_ended_by_itself_stays_where_nothing_can_be_written(void **state)
{
	const struct rollout ended = {.percent = 50, .until_s = 1600000000};
	struct wish wish = make_wish("gate-1.2.hex");
	struct stand stand = stand_open();
	struct reason reason = {""};

	(void)state;
	assert_int_equal(place(&stand, &wish, &ended, &reason), SHELF_OK);
	assert_int_equal(mkdir(in_folder("images/.plugflash-part-gate-1.2.hex.rollout"), 0755), 0);
	assert_true(shelf_withdraw(stand.shelf, "gate-1.2.hex") < 0);
	assert_true(exists("gate-1.2.hex"));
	stand_close(&stand);
	clear_images();
}

static void bytes_that_are_others_are_not_placed(void **state)
{
	struct wish wish = make_wish("gate-1.2.hex");
	struct stand stand = stand_open();
	struct reason reason = {""};
	static const size_t lengths[] = {0, 1, IMAGE_BYTES - 1};
	int r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		r = shelf_begin(
			stand.shelf, &wish, fetched(bytes, lengths[i]), &everybody, &reason);
		while (r == SHELF_MORE)
			r = shelf_fill(stand.shelf, &reason);
		assert_int_equal(r, SHELF_REFUSED);
		assert_false(exists("gate-1.2.hex"));
		assert_false(exists(".plugflash-part-gate-1.2.hex"));
	}
	bytes[IMAGE_BYTES / 2] ^= 1;
	r = place(&stand, &wish, &everybody, &reason);
	bytes[IMAGE_BYTES / 2] ^= 1;
	assert_int_equal(r, SHELF_REFUSED);
	assert_non_null(strstr(reason.text, "changed on the disk"));
	assert_false(exists("gate-1.2.hex"));
	stand_close(&stand);
	clear_images();
}

static void a_name_never_stands_for_other_bytes(void **state)
{
	struct wish wish = make_wish("gate-1.2.hex"), other = wish;
	struct stand stand = stand_open();
	struct reason reason = {""};

	(void)state;
	assert_int_equal(place(&stand, &wish, &everybody, &reason), SHELF_OK);
	other.sha256[0] = other.sha256[0] == '0' ? '1' : '0';
	assert_int_equal(shelf_claim(stand.shelf, &other, &reason), SHELF_REFUSED);
	assert_non_null(strstr(reason.text, "each image needs a name of its own"));
	assert_int_equal(place(&stand, &other, &nobody, &reason), SHELF_REFUSED);
	assert_false(exists("gate-1.2.hex.rollout"));
	stand_close(&stand);
	clear_images();
}

static void files_of_others_are_left_alone(void **state)
{
	static const char *const kinds[] = {"a file", "a folder", "a link"};
	struct wish wish = make_wish("gate-1.2.hex");
	struct reason reason = {""};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct stand stand = stand_open();

		if (i == 0)
			put_text("images/gate-1.2.hex", "of somebody");
		else if (i == 1)
			assert_int_equal(mkdir(in_folder("images/gate-1.2.hex"), 0755), 0);
		else
			assert_int_equal(
				symlink("/etc/passwd", in_folder("images/gate-1.2.hex")), 0);
		assert_int_equal(shelf_claim(stand.shelf, &wish, &reason), SHELF_REFUSED);
		if (!strstr(reason.text, "did not bring"))
			fail_msg("%s: %s", kinds[i], reason.text);
		assert_int_equal(place(&stand, &wish, &everybody, &reason), SHELF_REFUSED);
		assert_int_equal(shelf_remove(stand.shelf, "gate-1.2.hex"), 0);
		assert_true(exists("gate-1.2.hex"));
		assert_false(exists("gate-1.2.hex.ini"));
		stand_close(&stand);
		clear_images();
	}
}

/* The state directory was lost, or moved to another disk without its files. */
static void what_was_brought_before_is_known_again(void **state)
{
	struct wish wish = make_wish("gate-1.2.hex");
	struct stand stand = stand_open();
	struct reason reason = {""};

	(void)state;
	assert_int_equal(place(&stand, &wish, &everybody, &reason), SHELF_OK);
	stand_close(&stand);
	assert_int_equal(unlink(in_folder("state/shelf.json")), 0);
	stand = stand_open();
	assert_int_equal(shelf_count(stand.shelf), 0);
	assert_int_equal(shelf_claim(stand.shelf, &wish, &reason), SHELF_OK);
	assert_int_equal(shelf_count(stand.shelf), 1);
	stand_close(&stand);
	/* But not where its manifest is another, or a byte is. */
	assert_int_equal(unlink(in_folder("state/shelf.json")), 0);
	put_text("images/gate-1.2.hex.ini", "[image]\n");
	stand = stand_open();
	assert_int_equal(shelf_claim(stand.shelf, &wish, &reason), SHELF_REFUSED);
	put_text("images/gate-1.2.hex.ini", manifest);
	bytes[0] ^= 1;
	put_bytes("images/gate-1.2.hex", bytes, IMAGE_BYTES);
	bytes[0] ^= 1;
	assert_int_equal(shelf_claim(stand.shelf, &wish, &reason), SHELF_REFUSED);
	stand_close(&stand);
	clear_images();
}

static void a_signature_that_is_another_is_placed_with_its_image(void **state)
{
	struct wish wish = make_wish("gate-1.2.hex"), again = wish;
	char signature[] = "untrusted comment: y\nabc\n";
	struct stand stand = stand_open();
	struct reason reason = {""};

	(void)state;
	assert_int_equal(place(&stand, &wish, &everybody, &reason), SHELF_OK);
	again.signature = signature;
	assert_int_equal(shelf_claim(stand.shelf, &again, &reason), SHELF_MISSING);
	assert_int_equal(place(&stand, &again, &nobody, &reason), SHELF_OK);
	assert_string_equal(text_of("gate-1.2.hex.ini.minisig"), signature);
	assert_string_equal(text_of("gate-1.2.hex.rollout"), "[rollout]\npercent = 0\n");
	assert_int_equal(shelf_count(stand.shelf), 1);
	stand_close(&stand);
	clear_images();
}

static void what_goes_goes_whole(void **state)
{
	struct wish wish = make_wish("gate-1.2.hex"), other = make_wish("gate-1.1.hex");
	struct stand stand = stand_open();
	struct reason reason = {""};

	(void)state;
	assert_int_equal(place(&stand, &wish, &nobody, &reason), SHELF_OK);
	assert_int_equal(place(&stand, &other, &nobody, &reason), SHELF_OK);
	assert_int_equal(shelf_remove(stand.shelf, "gate-1.2.hex"), 0);
	assert_false(exists("gate-1.2.hex") || exists("gate-1.2.hex.ini") ||
		     exists("gate-1.2.hex.rollout") || exists("gate-1.2.hex.ini.minisig"));
	assert_int_equal(shelf_claim(stand.shelf, &other, &reason), SHELF_OK);
	assert_int_equal(shelf_count(stand.shelf), 1);
	/* Somebody put another in its place: that is his. */
	put_text("images/gate-1.1.hex", "of somebody");
	assert_int_equal(shelf_remove(stand.shelf, "gate-1.1.hex"), 0);
	assert_true(exists("gate-1.1.hex"));
	assert_int_equal(shelf_count(stand.shelf), 0);
	stand_close(&stand);
	clear_images();
}

static void a_list_that_is_damaged_takes_nothing_away(void **state)
{
	static const char *const lists[] = {"", "{", "[]", "{\"a\":7}", "{\"../x\":{\"size\":1}}",
		"{\"gate-1.2.hex\":{}}", "{\"gate-1.2.hex\":{\"size\":-1,\"board\":7}}"};
	struct reason reason = {""};

	(void)state;
	put_text("images/gate-1.2.hex", "of somebody");
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct stand stand;

		put_text("state/shelf.json", lists[i]);
		stand = stand_open();
		while (shelf_count(stand.shelf) > 0)
			assert_int_equal(
				shelf_remove(stand.shelf, shelf_at(stand.shelf, 0)->image), 0);
		assert_true(exists("gate-1.2.hex"));
		stand_close(&stand);
	}
	assert_int_not_equal(
		shelf_open(in_folder("nowhere"), -1, &(struct shelf *){NULL}, &reason), 0);
	assert_non_null(strstr(reason.text, "folder of images"));
	clear_images();
}

/* ------------------------------------------------------------------ killed */

/* Places, offers, and takes away; says first that the image may be offered to all. */
static void work(volatile bool *is_offered)
{
	struct wish wish = make_wish("gate-1.2.hex");
	struct stand stand = stand_open();
	struct reason reason;

	if (place(&stand, &wish, &nobody, &reason) != SHELF_OK)
		_exit(1);
	*is_offered = true;
	if (shelf_offer(stand.shelf, wish.image, "gate", "", &everybody) != 0 ||
		shelf_offer(stand.shelf, wish.image, "gate", "", &nobody) != 0)
		_exit(2);
	*is_offered = false;
	if (shelf_remove(stand.shelf, wish.image) != 0)
		_exit(3);
	_exit(0);
}

/* Runs that until it has entered so many system calls, and kills it before the next is done. False:
 * it was at its end. */
static bool work_for(unsigned n_calls, volatile bool *is_offered)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		work(is_offered);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	/* A call has two stops: at its begin and at its end. */
	for (unsigned i = 0; i < 2 * n_calls + 1 && WIFSTOPPED(status); i++) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
	}
	if (WIFEXITED(status)) {
		assert_int_equal(WEXITSTATUS(status), 0);
		return false;
	}
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	return true;
}

/* What the service may see at any instant. */
static void must_be_whole(bool is_offered, unsigned round)
{
	char at[DIGEST_HEX_SIZE];
	FILE *from = fopen(in_folder("images/gate-1.2.hex"), "r");
	uint8_t *seen;
	size_t n;

	if (!from)
		return;
	seen = malloc(IMAGE_BYTES + 1);
	assert_non_null(seen);
	n = fread(seen, 1, IMAGE_BYTES + 1, from);
	fclose(from);
	digest_sha256(seen, n, at);
	free(seen);
	if (strcmp(at, digest) != 0)
		fail_msg("round %u: %zu bytes are there", round, n);
	if (strcmp(text_of("gate-1.2.hex.ini"), manifest) != 0 ||
		!strstr(text_of("gate-1.2.hex.ini.minisig"), "abc"))
		fail_msg("round %u: what is beside it is not", round);
	if (!is_offered && strcmp(text_of("gate-1.2.hex.rollout"), "[rollout]\npercent = 0\n") != 0)
		fail_msg("round %u: it is offered", round);
}

static void killed_before_any_system_call_nothing_is_half(void **state)
{
	volatile bool *is_offered = mmap(NULL, sizeof(*is_offered), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct wish wish = make_wish("gate-1.2.hex");
	unsigned n_seen = 0, n_calls = 0;
	struct reason reason;

	(void)state;
	assert_true(is_offered != MAP_FAILED);
	for (*is_offered = false; work_for(n_calls, is_offered); n_calls++, *is_offered = false) {
		struct stand stand;

		n_seen += exists("gate-1.2.hex");
		must_be_whole(*is_offered, n_calls);
		/* The next process goes on, and leaves nothing behind that is hidden. */
		stand = stand_open();
		assert_false(exists(".plugflash-part-gate-1.2.hex"));
		assert_true(shelf_claim(stand.shelf, &wish, &reason) != SHELF_REFUSED);
		stand_close(&stand);
		clear_images();
	}
	print_message("# figure: %u system calls, the image was there at %u\n", n_calls, n_seen);
	assert_true(n_calls > 40 && n_seen > 5);
	munmap((void *)is_offered, sizeof(*is_offered));
	clear_images();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_image_is_placed_with_all_that_is_beside_it),
		cmocka_unit_test(it_is_offered_by_a_file_or_by_none),
		cmocka_unit_test(whose_it_is_is_kept),
		cmocka_unit_test(where_nothing_can_be_written_no_unit_more_gets_it),
		cmocka_unit_test(what_has_ended_by_itself_stays_where_nothing_can_be_written),
		cmocka_unit_test(bytes_that_are_others_are_not_placed),
		cmocka_unit_test(a_name_never_stands_for_other_bytes),
		cmocka_unit_test(files_of_others_are_left_alone),
		cmocka_unit_test(what_was_brought_before_is_known_again),
		cmocka_unit_test(a_signature_that_is_another_is_placed_with_its_image),
		cmocka_unit_test(what_goes_goes_whole),
		cmocka_unit_test(a_list_that_is_damaged_takes_nothing_away),
		cmocka_unit_test(killed_before_any_system_call_nothing_is_half),
	};

	return cmocka_run_group_tests(tests, make_all, remove_all);
}
