/* SPDX-License-Identifier: MIT */
/*
 * Addresses, what a web server says above the bytes, and pauses between tries: tables, without any
 * server. test-fleet-download has one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "fleet/delay.h"
#include "fleet/reply.h"
#include "fleet/url.h"

/* ------------------------------------------------------------------ addresses */

static void an_address_is_https_with_a_host(void **state)
{
	static const struct {
		const char *url;
		bool plain_http;
		const char *expected; /* in the reason; NULL: fit */
	} rows[] = {
		{"https://cdn.example/gate-1.2.0.hex", false, NULL},
		{"HTTPS://cdn.example/gate.hex", false, NULL},
		{"https://user:word@cdn.example:8443/a/b?signature=x%20y", false, NULL},
		{"https://[2001:db8::1]/gate.hex", false, NULL},
		{"http://127.0.0.1:8080/gate.hex", true, NULL},
		{"http://127.0.0.1:8080/gate.hex", false, "begins with https://"},
		{"ftp://cdn.example/gate.hex", true, "begins with https://"},
		{"file:///etc/shadow", true, "begins with https://"},
		{"gate.hex", true, "begins with https://"},
		{"", true, "begins with https://"},
		{"https:/cdn.example/gate.hex", true, "begins with https://"},
		{"https://", false, "has no host"},
		{"https:///gate.hex", false, "has no host"},
		{"https://?gate.hex", false, "has no host"},
		{"https://cdn.example/gate 1.hex", false, "blanks and the like as %20"},
		{"https://cdn.example/gate\r\nHost: other", false, "blanks and the like as %20"},
		{"https://cdn.example/g\xc3\xa4te.hex", false, "blanks and the like as %20"},
	};
	char *large = malloc(URL_MAX + 1);
	struct reason reason;
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool is_fit;

		reason = (struct reason){};
		is_fit = url_is_fit(rows[i].url, rows[i].plain_http, &reason);
		if (is_fit != !rows[i].expected ||
			(!is_fit && !strstr(reason.text, rows[i].expected)))
			fail_msg("'%s': %d, '%s'", rows[i].url, is_fit, reason.text);
	}
	assert_non_null(large);
	memset(large, 'a', URL_MAX);
	memcpy(large, "https://", 8);
	large[URL_MAX] = '\0';
	assert_false(url_is_fit(large, false, &reason));
	assert_non_null(strstr(reason.text, "is too long"));
	large[URL_MAX - 1] = '\0';
	assert_true(url_is_fit(large, false, &reason));
	free(large);
}

static void an_address_is_shown_without_what_is_secret(void **state)
{
	static const struct {
		const char *url;
		const char *shown;
	} rows[] = {
		{"https://cdn.example/gate.hex", "https://cdn.example/gate.hex"},
		{"https://cdn.example/gate.hex?key=secret", "https://cdn.example/gate.hex"},
		{"https://cdn.example/gate.hex#secret", "https://cdn.example/gate.hex"},
		{"https://user:secret@cdn.example:1/g", "https://cdn.example:1/g"},
		{"https://a@secret@cdn.example/g?x", "https://cdn.example/g"},
		{"https://cdn.example/a@b", "https://cdn.example/a@b"},
		{"https://cdn.example?secret@x", "https://cdn.example"},
		{"HTTP://cdn.example/g", "http://cdn.example/g"},
		{"user:secret@host", "host"},
		{"nonsense\n", "nonsense\\x0a"},
		{"", ""},
	};
	char shown[TEXT_MAX], small[16];
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(url_show(rows[i].url, shown, sizeof(shown)), rows[i].shown);
	assert_string_equal(url_show(rows[0].url, small, sizeof(small)), "https://cdn....");
}

/* ------------------------------------------------------------------ replies */

#define SIZE 1000

/* Lines have blanks for their ends, so that a row is one text. */
static struct reply take(const char *head)
{
	CLEANUP(freep) char *text = strdup(head);
	struct reply reply = {};
	char *rest = NULL;

	assert_non_null(text);
	for (char *line = strtok_r(text, "|", &rest); line; line = strtok_r(NULL, "|", &rest))
		reply_take(&reply, line, strlen(line));
	return reply;
}

static void a_reply_is_judged(void **state)
{
	static const struct {
		const char *head;
		uint64_t from;
		enum reply_result result;
		const char *expected; /* in the reason */
	} rows[] = {
		{"HTTP/1.1 200 OK\r\n|Content-Length: 1000\r\n|\r\n", 0, REPLY_WHOLE, NULL},
		{"HTTP/1.1 200 OK|content-length:1000", 0, REPLY_WHOLE, NULL},
		{"HTTP/2 200|content-length: 1000", 0, REPLY_WHOLE, NULL},
		{"HTTP/1.1 200 OK", 0, REPLY_WHOLE, NULL},
		/* It ignores the range. */
		{"HTTP/1.1 200 OK|Content-Length: 1000", 400, REPLY_WHOLE, NULL},
		{"HTTP/1.1 200 OK|Content-Length: 600", 400, REPLY_REFUSED,
			"the server has 600 bytes instead of 1000"},
		{"HTTP/1.1 200 OK|Content-Length: 1001", 0, REPLY_REFUSED, "1001 bytes"},
		{"HTTP/1.1 200 OK|Content-Length: 1000|Content-Encoding: gzip", 0, REPLY_REFUSED,
			"packs the file"},
		{"HTTP/1.1 200 OK|Content-Encoding: identity", 0, REPLY_WHOLE, NULL},
		/* A number that is none is not believed; the bytes are counted anyway. */
		{"HTTP/1.1 200 OK|Content-Length: 99999999999999999999999", 0, REPLY_WHOLE, NULL},
		{"HTTP/1.1 200 OK|Content-Length: -1", 0, REPLY_WHOLE, NULL},

		{"HTTP/1.1 206 Part|Content-Range: bytes 400-999/1000|Content-Length: 600", 400,
			REPLY_REST, NULL},
		{"HTTP/1.1 206 Part|Content-Range: bytes 400-999/*", 400, REPLY_REST, NULL},
		{"HTTP/1.1 206 Part|Content-Range: bytes 0-999/1000", 0, REPLY_REST, NULL},
		/* Less than it was asked for. */
		{"HTTP/1.1 206 Part|Content-Range: bytes 400-499/1000|Content-Length: 100", 400,
			REPLY_REST, NULL},
		{"HTTP/1.1 206 Part|Content-Length: 600", 400, REPLY_REFUSED, "and not which"},
		{"HTTP/1.1 206 Part|Content-Range: bytes 399-999/1000", 400, REPLY_REFUSED,
			"sends the bytes 399-999 instead of 400-999"},
		{"HTTP/1.1 206 Part|Content-Range: bytes 401-999/1000", 400, REPLY_REFUSED,
			"401-999"},
		{"HTTP/1.1 206 Part|Content-Range: bytes 400-1000/*", 400, REPLY_REFUSED,
			"400-1000"},
		{"HTTP/1.1 206 Part|Content-Range: bytes 400-1199/1200", 400, REPLY_REFUSED,
			"a file of 1200 bytes"},
		{"HTTP/1.1 206 Part|Content-Range: bytes 400-999/1000|Content-Length: 599", 400,
			REPLY_REFUSED, "599 bytes instead of 600"},
		{"HTTP/1.1 206 Part|Content-Range: bytes 400-999/999", 400, REPLY_REFUSED,
			"and not which"},
		{"HTTP/1.1 206 Part|Content-Range: bytes 999-400/1000", 999, REPLY_REFUSED,
			"and not which"},
		{"HTTP/1.1 206 Part|Content-Range: bytes 400-999/1000, 5-6/7", 400, REPLY_REFUSED,
			"and not which"},
		{"HTTP/1.1 206 Part|Content-Range: lines 400-999/1000", 400, REPLY_REFUSED,
			"and not which"},
		{"HTTP/1.1 206 Part|Content-Range: bytes 99999999999999999999-9/*", 400,
			REPLY_REFUSED, "and not which"},

		{"HTTP/1.1 416 No|Content-Range: bytes */300", 400, REPLY_NO_RANGE, NULL},
		{"HTTP/1.1 416 No", 0, REPLY_REFUSED, "the server answers 416"},
		{"HTTP/1.1 404 No", 0, REPLY_REFUSED, "404: there is no such file"},
		{"HTTP/1.1 403 No", 400, REPLY_REFUSED, "403: it refuses"},
		{"HTTP/1.1 503 No", 0, REPLY_REFUSED, "503: it is overloaded or down"},
		{"HTTP/1.1 204 Nothing", 0, REPLY_REFUSED, "the server answers 204"},
		{"HTTP/1.1 999999999999999999999999 No", 0, REPLY_REFUSED, "answers 0"},
		{"220 mail.example ESMTP", 0, REPLY_REFUSED, "answers 0"},
		{"", 0, REPLY_REFUSED, "answers 0"},
		/* What stands above the last status line is of a redirect. */
		{"HTTP/1.1 302 Found|Content-Length: 5|Content-Encoding: gzip|ETag: \"a\"|HTTP/1.1 200 OK|Content-Length: 1000",
			0, REPLY_WHOLE, NULL},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct reply reply = take(rows[i].head);
		struct reason reason = {};
		enum reply_result r = reply_judge(&reply, rows[i].from, SIZE, &reason);

		if (r != rows[i].result ||
			(rows[i].expected && !strstr(reason.text, rows[i].expected)))
			fail_msg("'%s' from %u: %d, '%s'", rows[i].head, (unsigned)rows[i].from, r,
				reason.text);
	}
}

static void a_strong_tag_is_kept(void **state)
{
	static const struct {
		const char *line;
		const char *tag;
	} rows[] = {
		{"ETag: \"abc\"\r\n", "\"abc\""},
		{"etag:\"a-b/c:1\"", "\"a-b/c:1\""},
		{"ETag: \"\"", "\"\""},
		{"ETag: W/\"abc\"", ""},
		{"ETag: abc", ""},
		{"ETag: \"", ""},
		{"ETag: \"a\"b\"", ""},
		{"ETag: \"a b\"", ""},
		{"ETag: \"a\r\nHost: other\"", ""},
		{"X-ETag: \"abc\"", ""},
	};
	char large[REPLY_TAG_MAX + 16] = "ETag: \"";
	struct reply reply = {};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(take(rows[i].line).tag, rows[i].tag);
	memset(large + 7, 'x', REPLY_TAG_MAX);
	large[7 + REPLY_TAG_MAX - 2] = '"';
	reply_take(&reply, large, 7 + REPLY_TAG_MAX - 1);
	assert_string_equal(reply.tag, "");
	large[7 + REPLY_TAG_MAX - 3] = '"';
	reply_take(&reply, large, 7 + REPLY_TAG_MAX - 2);
	assert_int_equal(strlen(reply.tag), REPLY_TAG_MAX - 1);
}

/* ------------------------------------------------------------------ pauses */

static void pauses_grow_and_are_scattered(void **state)
{
	static const struct delay delay = {5 * USEC_PER_SEC, 60 * USEC_PER_SEC};
	static const unsigned expected[] = {5, 10, 20, 40, 60, 60, 60};
	(void)state;

	for (unsigned n = 1; n <= ARRAY_SIZE(expected); n++) {
		uint64_t most = expected[n - 1] * USEC_PER_SEC, lowest = UINT64_MAX, highest = 0;

		for (uint64_t random = 0; random < 1000; random++) {
			uint64_t usec =
				delay_usec(&delay, n, random * UINT64_C(0x9e3779b97f4a7c15));

			lowest = usec < lowest ? usec : lowest;
			highest = usec > highest ? usec : highest;
		}
		assert_in_range(lowest, most / 2, most / 2 + most / 20);
		assert_in_range(highest, most - most / 20, most);
	}
	assert_int_equal(delay_usec(&delay, UINT32_MAX, 0), delay.most_usec);
	assert_int_equal(delay_usec(&delay, 0, 0), delay.first_usec);
	assert_int_equal(delay_within(0, 7), 0);
	assert_int_equal(delay_within(5, 7), 2);
	assert_int_not_equal(delay_random(), delay_random());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_https_with_a_host),
		cmocka_unit_test(an_address_is_shown_without_what_is_secret),
		cmocka_unit_test(a_reply_is_judged),
		cmocka_unit_test(a_strong_tag_is_kept),
		cmocka_unit_test(pauses_grow_and_are_scattered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
