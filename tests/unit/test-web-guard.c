/* SPDX-License-Identifier: MIT */
/*
 * test-web-guard.c - which requests are answered, what stands behind the question mark, and how
 * often a change is told. The objects of the page are in no archive: its files are part of this.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/rows.h"
#include "web/guard.c"
#include "web/pace.c"
#include "web/query.c"

/* ----------------------------------------------------------------------------------- guard */

#define TOKEN "0123456789abcdef0123456789abcdef"

static const struct guard_row {
	const char *name;
	struct guard_request request;
	enum guard_verdict expected;
} requests[] = {
	{"localhost", {.host = "localhost:8474"}, GUARD_ANSWER},
	{"in capitals", {.host = "LOCALHOST:8474"}, GUARD_ANSWER},
	{"127.0.0.1", {.host = "127.0.0.1:8474"}, GUARD_ANSWER},
	{"[::1]", {.host = "[::1]:8474"}, GUARD_ANSWER},
	{"a port of ours that is the scheme's", {.host = "localhost"}, GUARD_ANSWER},
	{"no host", {0}, GUARD_HOST},
	{"an empty host", {.host = ""}, GUARD_HOST},
	{"another port", {.host = "localhost:8475"}, GUARD_HOST},
	{"a port with more behind it", {.host = "localhost:8474x"}, GUARD_HOST},
	{"a port too many", {.host = "localhost:8474:8474"}, GUARD_HOST},
	{"a port beyond 16 bits", {.host = "localhost:74010"}, GUARD_HOST},
	{"a colon without a port", {.host = "localhost:"}, GUARD_HOST},
	{"another name (DNS rebinding)", {.host = "evil.example:8474"}, GUARD_HOST},
	{"a name that begins as ours", {.host = "localhost.evil.example:8474"}, GUARD_HOST},
	{"a name that ends as ours", {.host = "evil-localhost:8474"}, GUARD_HOST},
	{"another loopback address", {.host = "127.0.0.2:8474"}, GUARD_HOST},
	{"an address in another form", {.host = "2130706433:8474"}, GUARD_HOST},
	{"a bracket that is not closed", {.host = "[::1:8474"}, GUARD_HOST},
	{"a user before it", {.host = "a@localhost:8474"}, GUARD_HOST},
	{"a listed name", {.host = "screen.factory:8474"}, GUARD_ANSWER},
	{"a listed name without a port", {.host = "Screen.Factory"}, GUARD_ANSWER},
	{"a listed name with another port", {.host = "screen.factory:80801"}, GUARD_HOST},
	{"a name listed with a port", {.host = "proxy.factory:443"}, GUARD_ANSWER},
	{"the same without it", {.host = "proxy.factory"}, GUARD_HOST},
	{"the same with ours", {.host = "proxy.factory:8474"}, GUARD_HOST},

	{"its own page asks",
		{.host = "localhost:8474",
			.origin = "http://localhost:8474",
			.fetch_site = "same-origin"},
		GUARD_ANSWER},
	{"behind a proxy with TLS",
		{.host = "proxy.factory:443", .origin = "https://proxy.factory:443"}, GUARD_ANSWER},
	{"typed into the address bar", {.host = "localhost:8474", .fetch_site = "none"},
		GUARD_ANSWER},
	{"the page of another site asks",
		{.host = "localhost:8474", .origin = "http://evil.example"}, GUARD_CROSS},
	{"the origin is hidden", {.host = "localhost:8474", .origin = "null"}, GUARD_CROSS},
	{"an empty origin", {.host = "localhost:8474", .origin = ""}, GUARD_CROSS},
	{"another name of ours asks", {.host = "localhost:8474", .origin = "http://127.0.0.1:8474"},
		GUARD_CROSS},
	{"another port of this computer asks",
		{.host = "localhost:8474", .origin = "http://localhost:3000"}, GUARD_CROSS},
	{"an origin that begins as ours",
		{.host = "localhost:8474", .origin = "http://localhost:8474.evil.example"},
		GUARD_CROSS},
	{"another scheme", {.host = "localhost:8474", .origin = "file://localhost:8474"},
		GUARD_CROSS},
	{"a picture on another site", {.host = "localhost:8474", .fetch_site = "cross-site"},
		GUARD_CROSS},
	{"another port of this computer loads it",
		{.host = "localhost:8474", .fetch_site = "same-site"}, GUARD_CROSS},
	{"a word that nobody knows", {.host = "localhost:8474", .fetch_site = "friendly"},
		GUARD_CROSS},
	{"a link on another site leads to the page",
		{.host = "localhost:8474", .fetch_site = "cross-site", .is_page = true},
		GUARD_ANSWER},

	{"a POST with the token", {.host = "localhost:8474", .is_post = true, .token = TOKEN},
		GUARD_ANSWER},
	{"a POST without", {.host = "localhost:8474", .is_post = true}, GUARD_TOKEN},
	{"an empty token", {.host = "localhost:8474", .is_post = true, .token = ""}, GUARD_TOKEN},
	{"the first half of the token",
		{.host = "localhost:8474", .is_post = true, .token = "0123456789abcdef"},
		GUARD_TOKEN},
	{"the last digit differs",
		{.host = "localhost:8474",
			.is_post = true,
			.token = "0123456789abcdef0123456789abcdee"},
		GUARD_TOKEN},
	{"the token and one more", {.host = "localhost:8474", .is_post = true, .token = TOKEN "0"},
		GUARD_TOKEN},
	{"a POST of another site, even with the token",
		{.host = "localhost:8474",
			.is_post = true,
			.token = TOKEN,
			.origin = "http://evil.example"},
		GUARD_CROSS},
	{"a form on another site",
		{.host = "localhost:8474", .is_post = true, .fetch_site = "cross-site"},
		GUARD_CROSS},
};

static struct guard make_guard(void)
{
	struct guard guard = {.ports = {8474, 80}, .n_ports = 2, .token = TOKEN};

	assert_int_equal(guard_allow_host(&guard, "screen.factory"), 0);
	assert_int_equal(guard_allow_host(&guard, "proxy.factory:443"), 0);
	return guard;
}

static void checks_a_request(void **state)
{
	const struct guard_row *row = *state;
	struct guard guard = make_guard();
	struct reason reason = {0};

	assert_int_equal(guard_check(&guard, &row->request, &reason), row->expected);
	assert_int_equal(reason.text[0] == '\0', row->expected == GUARD_ANSWER);
}

static void without_a_token_nothing_is_posted(void **state)
{
	struct guard guard = {.ports = {80}, .n_ports = 1};
	const struct guard_request request = {.host = "localhost", .is_post = true, .token = ""};
	struct reason reason;

	(void)state;
	assert_int_equal(guard_check(&guard, &request, &reason), GUARD_TOKEN);
}

static void the_port_of_the_scheme_is_no_port_of_ours(void **state)
{
	struct guard guard = {.ports = {8474}, .n_ports = 1};
	const struct guard_request request = {.host = "localhost"};
	struct reason reason;

	(void)state;
	assert_int_equal(guard_check(&guard, &request, &reason), GUARD_HOST);
}

static void each_token_is_another(void **state)
{
	struct guard a = {0}, b = {0};

	(void)state;
	assert_int_equal(guard_make_token(&a), 0);
	assert_int_equal(guard_make_token(&b), 0);
	assert_int_equal(strspn(a.token, "0123456789abcdef"), GUARD_TOKEN_SIZE - 1);
	assert_string_not_equal(a.token, b.token);
}

static void names_are_listed_within_a_bound(void **state)
{
	static const char *const bad[] = {"", ":80", "a b", "a/b", "http://a", "a:0", "a:65536",
		"a:", "[::1", "[]", "a\n", "\xc3\xa4", "a@b"};
	struct guard guard = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(guard_allow_host(&guard, bad[i]), -EINVAL);
	for (size_t i = 0; i < GUARD_MAX_HOSTS; i++)
		assert_int_equal(guard_allow_host(&guard, "[fe80::1]:443"), 0);
	assert_int_equal(guard_allow_host(&guard, "a"), -E2BIG);
}

/* ----------------------------------------------------------------------------------- query */

#define ALL_KEYS ((1U << QUERY_MAX) - 1)

static const struct query_row {
	const char *name, *key, *value;
	unsigned known;
	bool is_taken;
} values[] = {
	{"a limit", "limit", "1000", ALL_KEYS, true},
	{"a limit above the bound", "limit", "1001", ALL_KEYS, false},
	{"a limit beyond 64 bits", "limit", "18446744073709551617", ALL_KEYS, false},
	{"a negative limit", "limit", "-1", ALL_KEYS, false},
	{"a limit with a blank", "limit", " 1", ALL_KEYS, false},
	{"no limit", "limit", "", ALL_KEYS, false},
	{"the largest id", "after", "9223372036854775807", ALL_KEYS, true},
	{"an id above", "after", "9223372036854775808", ALL_KEYS, false},
	{"a slot", "slot", "A1", ALL_KEYS, true},
	{"a slot in Greek", "slot", "\xce\xb1", ALL_KEYS, true},
	{"a slot that is no UTF-8", "slot", "\xce", ALL_KEYS, false},
	{"an empty slot", "slot", "", ALL_KEYS, false},
	{"a key of another address", "slot", "A1", 1U << QUERY_LIMIT, false},
	{"an unknown key", "colour", "red", ALL_KEYS, false},
	{"a key in capitals", "SLOT", "A1", ALL_KEYS, false},
};

static void takes_a_value(void **state)
{
	const struct query_row *row = *state;
	struct query query;

	query_init(&query, row->known);
	assert_int_equal(query_take(&query, row->key, row->value), row->is_taken ? 0 : -EINVAL);
	assert_int_equal(query.reason.text[0] == '\0', row->is_taken);
}

static void a_long_text_is_refused(void **state)
{
	char text[QUERY_TEXT_MOST + 2];
	struct query query;

	(void)state;
	query_init(&query, ALL_KEYS);
	memset(text, 'a', sizeof(text));
	text[QUERY_TEXT_MOST] = '\0';
	assert_int_equal(query_take(&query, "unit", text), 0);
	text[QUERY_TEXT_MOST] = 'a';
	text[QUERY_TEXT_MOST + 1] = '\0';
	assert_int_equal(query_take(&query, "unit", text), -EINVAL);
}

static void texts_become_options(void **state)
{
	CLEANUP(dict_done) struct dict options = {0};
	struct query query;

	(void)state;
	query_init(&query, ALL_KEYS);
	assert_int_equal(query.limit, QUERY_LIMIT_DEFAULT);
	assert_int_equal(query_take(&query, "slot", "A1"), 0);
	assert_int_equal(query_take(&query, "board", "gate"), 0);
	assert_int_equal(query_take(&query, "reason", "lunch"), 0);
	assert_int_equal(query_take(&query, "limit", "7"), 0);
	assert_int_equal(query_take(&query, "after", "42"), 0);
	assert_int_equal(query_to_options(&query, &options), 0);
	assert_int_equal(options.n_entries, 2);
	assert_string_equal(dict_text(&options, "slot"), "A1");
	assert_string_equal(dict_text(&options, "board"), "gate");
	assert_int_equal(query.limit, 7);
	assert_int_equal(query.after, 42);
}

/* ------------------------------------------------------------------------------------ pace */

/* Changes all the time, from `begin` on: when the first ones are told, in milliseconds from then.
 */
static void tell_all_the_time(struct pace *pace, uint64_t begin, uint64_t *ret_ms, size_t n)
{
	uint64_t now = begin;

	for (size_t i = 0; i < n; i++) {
		uint64_t next = pace_next(pace);

		now = next > now ? next : now;
		pace_tell(pace, now);
		ret_ms[i] = (now - begin) / USEC_PER_MSEC;
	}
}

static void a_change_after_a_quiet_time_is_told_at_once_and_the_next_soon(void **state)
{
	struct pace pace = {0};
	uint64_t told[6];

	(void)state;
	tell_all_the_time(&pace, USEC_PER_SEC, told, 6);
	assert_int_equal(told[0], 0);
	assert_int_equal(told[1], 50);
	assert_int_equal(told[2], 300);
	assert_int_equal(told[3], 550);
	assert_int_equal(told[4], 1000);
	assert_int_equal(told[5], 1250);
	/* The same once more, after a minute. */
	tell_all_the_time(&pace, 61 * USEC_PER_SEC, told, 2);
	assert_int_equal(told[0], 0);
	assert_int_equal(told[1], 50);
}

static void no_second_has_more_than_four(void **state)
{
	struct pace pace = {0};
	uint64_t told[400];

	(void)state;
	tell_all_the_time(&pace, USEC_PER_SEC, told, 200);
	tell_all_the_time(&pace, 100 * USEC_PER_SEC, told + 200, 200);
	for (size_t half = 0; half < 400; half += 200)
		for (size_t i = half + PACE_MOST; i < half + 200; i++)
			assert_true(told[i] - told[i - PACE_MOST] >= 1000);
	/* And not fewer: with changes all the time there are four a second. */
	assert_true(told[199] < 50000);
}

int main(void)
{
	struct CMUnitTest tests[96];
	size_t n = 0;

	ADD_ROWS(tests, n, requests, checks_a_request);
	ADD_TEST(tests, n, without_a_token_nothing_is_posted);
	ADD_TEST(tests, n, the_port_of_the_scheme_is_no_port_of_ours);
	ADD_TEST(tests, n, each_token_is_another);
	ADD_TEST(tests, n, names_are_listed_within_a_bound);
	ADD_ROWS(tests, n, values, takes_a_value);
	ADD_TEST(tests, n, a_long_text_is_refused);
	ADD_TEST(tests, n, texts_become_options);
	ADD_TEST(tests, n, a_change_after_a_quiet_time_is_told_at_once_and_the_next_soon);
	ADD_TEST(tests, n, no_second_has_more_than_four);
	return RUN_TESTS("web guard", tests, n);
}
