/* SPDX-License-Identifier: MIT */
/*
 * Downloads from a server that cuts, lies and leads astray, over http on loopback; who is believed
 * over TLS is test-fleet-tls's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/plain-server.h"

static void an_image_comes_whole(void **state)
{
	struct bench *bench = begin();
	struct download *download = bench_ask(bench, &server, "");
	struct download_view view = look(download);
	CLEANUP(freep) char *heads = NULL;
	(void)state;

	assert_int_equal(view.state, DOWNLOAD_WAITING);
	assert_int_equal(view.next_usec, 0);
	assert_int_equal(download_open(download), -EBUSY);
	view = run_try(bench, download);
	assert_int_equal(view.state, DOWNLOAD_WHOLE);
	assert_int_equal(view.n_bytes, IMAGE_BYTES);
	assert_string_equal(view.reason->text, "");
	assert_true(bench->n_told >= 2);
	assert_whole(bench, download);
	/* Each taker has it from its first byte. */
	assert_whole(bench, download);
	heads = server_heads(&server);
	assert_int_equal(count(heads, "GET /"), 1);
	assert_null(strcasestr(heads, "Range:"));
	assert_non_null(strstr(heads, "User-Agent: plugflash-fleet/"));
	assert_null(strcasestr(heads, "Accept-Encoding"));
	assert_int_equal(count_entries(in_folder("parts")), 2);
	download_forget(download);
	assert_int_equal(count_entries(in_folder("parts")), 0);
	bench_free(bench);
}

/* What lies there whole already, from before a restart, is not fetched again. */
static void what_is_there_is_not_fetched_again(void **state)
{
	struct bench *bench = begin();
	struct download *download = bench_ask(bench, &server, "");
	CLEANUP(freep) char *heads = NULL;
	(void)state;

	assert_int_equal(run_try(bench, download).state, DOWNLOAD_WHOLE);
	download_free(download);
	free(server_heads(&server));
	download = bench_ask(bench, &server, "status=500");
	assert_int_equal(run_try(bench, download).state, DOWNLOAD_WHOLE);
	assert_whole(bench, download);
	heads = server_heads(&server);
	assert_string_equal(heads, "");
	download_forget(download);
	bench_free(bench);
}

/* One try each: what is said of it, and that nothing of a wrong file stays. */
static void a_server_that_lies_is_found_out(void **state)
{
	static const struct {
		const char *manner;
		const char *expected;
		uint64_t n_bytes; /* that stay */
	} rows[] = {
		{"status=404", "the server answers 404: there is no such file", 0},
		{"status=500", "the server answers 500", 0},
		{"cut=70000", "after 70000 of 200000 bytes", 70000},
		{"cut=70000&length=none", "the server ended, after 70000 of 200000 bytes", 70000},
		{"cut=0", "after 0 of 200000 bytes", 0},
		{"length=200001", "the server has 200001 bytes instead of 200000", 0},
		{"length=199999", "the server has 199999 bytes instead of 200000", 0},
		{"length=0", "the server has 0 bytes instead of 200000", 0},
		{"length=99999999999999999999999", "bytes", 0},
		{"endless", "the server sends more bytes than the image has", 0},
		{"other", "the bytes have another digest than the wish says", 0},
		{"packed", "the server packs the file", 0},
		{"junk", "after 0 of 200000 bytes", 0},
		{"to=ftp://127.0.0.1/gate.hex", "leads to another address that is not https", 0},
		{"to=file:///etc/passwd", "leads to another address that is not https", 0},
		{"to=/gate.hex?to=/gate.hex?to=/gate.hex?to=/gate.hex?to=/gate.hex?to=/gate.hex",
			"leads from one address to the next, more than 5 times", 0},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = begin();
		struct download *download = bench_ask(bench, &server, rows[i].manner);
		struct download_view view = run_try(bench, download);

		if (view.state != DOWNLOAD_WAITING || view.n_failures != 1 ||
			!strstr(view.reason->text, rows[i].expected) ||
			view.n_bytes != rows[i].n_bytes)
			fail_msg("%s: %s, %u failures, %u bytes, '%s'", rows[i].manner,
				download_state_to_string(view.state), view.n_failures,
				(unsigned)view.n_bytes, view.reason->text);
		assert_memory_equal(view.reason->text, "http://127.0.0.1:", 17);
		assert_null(strstr(view.reason->text, IMAGE "?"));
		download_forget(download);
		bench_free(bench);
	}
}

static void these_are_no_faults(void **state)
{
	static const char *const rows[] = {
		"length=none",
		"tag=none",
		"tag=W/\"weak\"",
		"ranges=no",
		"slow=20000",
		"to=/gate.hex?length=none",
		"to=/gate.hex?to=/gate.hex?to=/gate.hex",
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = begin();
		struct download *download = bench_ask(bench, &server, rows[i]);
		struct download_view view = run_try(bench, download);

		if (view.state != DOWNLOAD_WHOLE)
			fail_msg("%s: '%s'", rows[i], view.reason->text);
		assert_whole(bench, download);
		download_forget(download);
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ going on */

/* Each try brings the next piece, and asks for what is missing of the same file. */
static void a_cut_download_goes_on(void **state)
{
	struct bench *bench = begin();
	struct download *download = bench_ask(bench, &server, "cut=70000");
	CLEANUP(freep) char *heads = NULL;
	struct download_view view;
	(void)state;

	view = run_try(bench, download);
	assert_int_equal(view.n_bytes, 70000);
	view = run_try(bench, download);
	assert_int_equal(view.n_bytes, 140000);
	/* A piece of that size shows that it goes on: the haste stays. */
	assert_int_equal(view.n_failures, 1);
	view = run_try(bench, download);
	assert_int_equal(view.state, DOWNLOAD_WHOLE);
	assert_int_equal(view.n_failures, 0);
	assert_string_equal(view.reason->text, "");
	assert_whole(bench, download);
	heads = server_heads(&server);
	assert_int_equal(count(heads, "GET /"), 3);
	assert_int_equal(count(heads, "\r\nRange: bytes=70000-\r\n"), 1);
	assert_int_equal(count(heads, "\r\nRange: bytes=140000-\r\n"), 1);
	assert_int_equal(count(heads, "\r\nIf-Range: \"30d40-"), 2);
	download_forget(download);
	bench_free(bench);
}

/* The owner corrected the address, or the size; it is not waited for what will never come. */
static void a_download_knows_what_it_is_for(void **state)
{
	struct bench *bench = begin();
	char url[128];
	const struct download_ask same = {url, bench->sha256, IMAGE_BYTES};
	struct download_ask ask = same;
	struct download *download = bench_ask(bench, &server, "status=404");
	(void)state;

	snprintf(url, sizeof(url), "%s/" IMAGE "?status=404", server.address);
	assert_true(download_is_for(download, &ask));
	ask.url = "https://cdn.example/" IMAGE;
	assert_false(download_is_for(download, &ask));
	ask = same;
	ask.size++;
	assert_false(download_is_for(download, &ask));
	ask = same;
	ask.sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	assert_false(download_is_for(download, &ask));
	download_free(download);
	bench_free(bench);
}

/* Cancelled by another wish, and wished again later, perhaps from another server. */
static void a_cancelled_download_goes_on_elsewhere(void **state)
{
	struct bench *bench = begin();
	struct download *download = bench_ask(bench, &server, "hold=70000");
	CLEANUP(freep) char *heads = NULL;
	(void)state;

	run_to(bench, download, 70000);
	assert_int_equal(look(download).state, DOWNLOAD_RUNNING);
	download_free(download);
	free(server_heads(&server));
	download = bench_ask(bench, &server, "another=address");
	assert_int_equal(run_try(bench, download).state, DOWNLOAD_WHOLE);
	assert_whole(bench, download);
	heads = server_heads(&server);
	assert_int_equal(count(heads, "\r\nRange: bytes=70000-\r\n"), 1);
	/* The tag was another server's. */
	assert_int_equal(count(heads, "If-Range"), 0);
	download_forget(download);
	bench_free(bench);
}

static void a_server_without_ranges_sends_all_of_it(void **state)
{
	struct bench *bench = begin();
	struct download *download = bench_ask(bench, &server, "cut=70000");
	(void)state;

	assert_int_equal(run_try(bench, download).n_bytes, 70000);
	download_free(download);
	download = bench_ask(bench, &server, "ranges=no");
	assert_int_equal(run_try(bench, download).state, DOWNLOAD_WHOLE);
	assert_whole(bench, download);
	download_forget(download);
	bench_free(bench);
}

static void another_range_than_asked_for_is_refused(void **state)
{
	static const struct {
		const char *manner;
		const char *expected;
	} rows[] = {
		{"range=bytes%2070001-199999/200000", "a part of the file, and not which"},
		{"range=nonsense", "a part of the file, and not which"},
		{"length=129999", "has 129999 bytes instead of 130000"},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = begin();
		struct download *download = bench_ask(bench, &server, "cut=70000");
		struct download_view view;

		assert_int_equal(run_try(bench, download).n_bytes, 70000);
		download_free(download);
		download = bench_ask(bench, &server, rows[i].manner);
		view = run_try(bench, download);
		assert_int_equal(view.state, DOWNLOAD_WAITING);
		assert_non_null(strstr(view.reason->text, rows[i].expected));
		/* What is there may be right still. */
		assert_int_equal(view.n_bytes, 70000);
		download_forget(download);
		bench_free(bench);
	}
}

/* The file was replaced on the server meanwhile: its tag tells, and no byte of it is mixed. */
static void a_replaced_file_begins_anew(void **state)
{
	struct bench *bench = begin();
	uint8_t *other = calloc(1, IMAGE_BYTES);
	struct download *download;
	CLEANUP(freep) char *heads = NULL;
	(void)state;

	assert_non_null(other);
	server_offer(&server, other, IMAGE_BYTES, 3600);
	download = bench_ask(bench, &server, "cut=70000");
	assert_int_equal(run_try(bench, download).n_bytes, 70000);
	server_offer(&server, bench->image, IMAGE_BYTES, 0);
	assert_int_equal(run_try(bench, download).n_bytes, 70000);
	assert_int_equal(run_try(bench, download).n_bytes, 140000);
	assert_int_equal(run_try(bench, download).state, DOWNLOAD_WHOLE);
	assert_whole(bench, download);
	heads = server_heads(&server);
	assert_int_equal(count(heads, "\r\nRange: bytes=70000-\r\n"), 2);
	download_forget(download);
	free(other);
	bench_free(bench);
}

/* Without a tag only the digest tells: then it is fetched once more at once, from its first byte.
 */
static void wrong_old_bytes_are_fetched_again(void **state)
{
	struct bench *bench = begin();
	uint8_t *other = calloc(1, IMAGE_BYTES);
	struct download *download;
	struct download_view view;
	CLEANUP(freep) char *heads = NULL;
	(void)state;

	assert_non_null(other);
	server_offer(&server, other, IMAGE_BYTES, 0);
	download = bench_ask(bench, &server, "cut=70000&tag=none");
	assert_int_equal(run_try(bench, download).n_bytes, 70000);
	download_free(download);
	server_offer(&server, bench->image, IMAGE_BYTES, 0);
	free(server_heads(&server));
	download = bench_ask(bench, &server, "tag=none");
	view = run_try(bench, download);
	assert_int_equal(view.state, DOWNLOAD_WHOLE);
	assert_whole(bench, download);
	heads = server_heads(&server);
	assert_int_equal(count(heads, "GET /"), 2);
	assert_int_equal(count(heads, "\r\nRange: bytes=70000-\r\n"), 1);
	download_forget(download);
	free(other);
	bench_free(bench);
}

/* A server that gives all but the end of another file, and then that: as seldom as one whose file
 * is wrong at once, though each of its tries brings a good deal. */
static void wrong_bytes_in_pieces_are_no_gain(void **state)
{
	static const char *const rows[] = {
		"cut=199999&other&tag=none", "cut=100000&other&tag=none", "other"};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = begin();
		struct download *download = bench_ask(bench, &server, rows[i]);
		uint64_t begun = monotonic_usec();
		unsigned n_tries = 0;

		while (monotonic_usec() - begun < 24 * 3600 * USEC_PER_SEC) {
			assert_int_equal(run_try(bench, download).state, DOWNLOAD_WAITING);
			if (++n_tries > 60)
				fail_msg("%s: more than %u tries in a day", rows[i], n_tries);
		}
		download_forget(download);
		bench_free(bench);
	}
}

/* A part that the file system spoilt, of the full length and of a greater one. */
static void a_spoilt_part_is_fetched_again(void **state)
{
	struct bench *bench = begin();
	CLEANUP(freep) uint8_t *bytes = calloc(1, IMAGE_BYTES + 1);
	CLEANUP(freep) char *heads = NULL;
	struct download *download;
	char name[64];
	(void)state;

	assert_non_null(bytes);
	snprintf(name, sizeof(name), "parts/%.32s.part", bench->sha256);
	for (size_t n = IMAGE_BYTES - 1; n <= IMAGE_BYTES + 1; n++) {
		put_bytes(name, bytes, n);
		download = bench_ask(bench, &server, "");
		assert_int_equal(run_try(bench, download).state, DOWNLOAD_WHOLE);
		assert_whole(bench, download);
		download_forget(download);
	}
	/* What is no file of ours is not followed, nor waited for. */
	assert_int_equal(symlink("/dev/zero", in_folder(name)), 0);
	download = bench_ask(bench, &server, "");
	assert_non_null(strstr(run_try(bench, download).reason->text, "the folder of downloads: "));
	download_forget(download);
	assert_int_equal(mkfifo(in_folder(name), 0600), 0);
	free(server_heads(&server));
	download = bench_ask(bench, &server, "");
	assert_non_null(strstr(run_try(bench, download).reason->text, "the folder of downloads: "));
	heads = server_heads(&server);
	assert_string_equal(heads, "");
	download_forget(download);
	bench_free(bench);
}

/* The file there is shorter than what is here of it. */
static void a_file_that_is_too_short_is_given_up(void **state)
{
	struct bench *bench = begin();
	struct download *download;
	struct download_view view;
	(void)state;

	server_offer(&server, bench->image, 50000, 0);
	download = bench_ask(bench, &server, "length=none");
	view = run_try(bench, download);
	assert_int_equal(view.n_bytes, 50000);
	view = run_try(bench, download);
	assert_non_null(strstr(view.reason->text, "the server's file is shorter"));
	assert_int_equal(view.n_bytes, 0);
	server_offer(&server, bench->image, IMAGE_BYTES, 0);
	assert_int_equal(run_try(bench, download).state, DOWNLOAD_WHOLE);
	assert_whole(bench, download);
	download_forget(download);
	bench_free(bench);
}

/* ------------------------------------------------------------------ bounds */

static void what_is_not_done_is_refused(void **state)
{
	struct bench *bench = begin();
	const struct {
		const char *address;
		uint64_t size;
		const char *expected;
	} rows[] = {
		{server.address, 0, "size: an image of 0 bytes"},
		{server.address, bench->settings.size_most + 1,
			"size: 1048577 bytes: at most 1048576"},
		{"ftp://127.0.0.1", 1, "begins with https://"},
	};
	struct download_view view;
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct download *download = bench_ask_for(bench, rows[i].address, "", rows[i].size);

		clock_move(3600 * USEC_PER_SEC);
		bench_round(bench);
		view = look(download);
		assert_int_equal(view.state, DOWNLOAD_REFUSED);
		assert_non_null(strstr(view.reason->text, rows[i].expected));
		download_forget(download);
	}
	assert_int_equal(bench->n_told, 0);
	bench_free(bench);
}

/* Parts that nobody asks for go after a week, and sooner where there is no room. */
static void room_is_made_of_what_nobody_wants(void **state)
{
	struct bench *bench = begin();
	const struct timespec week_ago[2] = {
		{.tv_sec = (time_t)(realtime_usec() / 1000000 - 8 * 24 * 3600)},
		{.tv_sec = (time_t)(realtime_usec() / 1000000 - 8 * 24 * 3600)},
	};
	struct download *download;
	struct download_view view;
	(void)state;

	put_text("parts/0123456789abcdef0123456789abcdef.part", "young");
	put_text("parts/1123456789abcdef0123456789abcdef.part", "old");
	put_text("parts/1123456789abcdef0123456789abcdef.tag", "old");
	put_text("parts/notes", "not ours");
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(
			utimensat(AT_FDCWD,
				in_folder(i ? "parts/1123456789abcdef0123456789abcdef.tag"
					    : "parts/1123456789abcdef0123456789abcdef.part"),
				week_ago, 0),
			0);
	download = bench_ask(bench, &server, "cut=10");
	assert_int_equal(run_try(bench, download).n_bytes, 10);
	/* The young one and the notes, and part and tag of this download. */
	assert_int_equal(count_entries(in_folder("parts")), 4);
	bench->settings.space_left = UINT32_MAX;
	bench->settings.size_most = UINT32_MAX;
	download_free(download);
	/* No file system of a test has so much. */
	download = bench_ask_for(bench, server.address, "", UINT32_MAX);
	view = run_try(bench, download);
	if (strstr(view.reason->text, "too little room on the disk")) {
		assert_int_equal(count_entries(in_folder("parts")), 3);
		assert_int_equal(
			access(in_folder("parts/0123456789abcdef0123456789abcdef.part"), F_OK), -1);
	}
	assert_int_equal(access(in_folder("parts/notes"), F_OK), 0);
	download_forget(download);
	bench_free(bench);
}

/* A folder that is none, or cannot be made. */
static void a_folder_is_needed(void **state)
{
	struct bench *bench = begin();
	struct downloads *downloads = NULL;
	struct reason reason = {};
	(void)state;

	put_text("file", "");
	assert_int_equal(downloads_new(bench->event, &bench->settings, in_folder("file"),
				 &downloads, &reason),
		-ENOTDIR);
	assert_non_null(strstr(reason.text, "/file': Not a directory"));
	assert_int_equal(downloads_new(bench->event, &bench->settings, in_folder("a/b"), &downloads,
				 &reason),
		-ENOENT);
	assert_non_null(strstr(reason.text, "cannot be made"));
	assert_null(downloads);
	bench_free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_image_comes_whole),
		cmocka_unit_test(what_is_there_is_not_fetched_again),
		cmocka_unit_test(a_server_that_lies_is_found_out),
		cmocka_unit_test(these_are_no_faults),
		cmocka_unit_test(a_cut_download_goes_on),
		cmocka_unit_test(a_download_knows_what_it_is_for),
		cmocka_unit_test(a_cancelled_download_goes_on_elsewhere),
		cmocka_unit_test(a_server_without_ranges_sends_all_of_it),
		cmocka_unit_test(another_range_than_asked_for_is_refused),
		cmocka_unit_test(a_replaced_file_begins_anew),
		cmocka_unit_test(wrong_old_bytes_are_fetched_again),
		cmocka_unit_test(wrong_bytes_in_pieces_are_no_gain),
		cmocka_unit_test(a_spoilt_part_is_fetched_again),
		cmocka_unit_test(a_file_that_is_too_short_is_given_up),
		cmocka_unit_test(what_is_not_done_is_refused),
		cmocka_unit_test(room_is_made_of_what_nobody_wants),
		cmocka_unit_test(a_folder_is_needed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
