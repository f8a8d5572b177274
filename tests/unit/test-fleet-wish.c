/* SPDX-License-Identifier: MIT */
/* Wishes as they come from a broker: what is taken, what is refused and why, whatever the bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "fleet/wish.h"
#include "image/manifest.h"
#include "image/signature.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" /* of "abc" */

/* All that must be there, but for a key that a row puts in its place. */
#define WITHOUT_BOARD                                                                     \
	"\"image\":\"gate-1.2.hex\",\"version\":\"1.2\",\"sha256\":\"" ABC "\","          \
	"\"size\":3,\"url\":\"https://images/gate-1.2.hex\",\"manifest\":\"[image]\\n\"," \
	"\"signature\":\"untrusted comment: \\n\""
#define WITHOUT_IMAGE                                              \
	"\"board\":\"gate\",\"version\":\"1.2\",\"sha256\":\"" ABC \
	"\",\"size\":3,\"url\":\"https://i/g\","                   \
	"\"manifest\":\"m\",\"signature\":\"s\""
#define WITHOUT_SIZE                                                                          \
	"\"board\":\"gate\",\"image\":\"gate-1.2.hex\",\"version\":\"1.2\",\"sha256\":\"" ABC \
	"\","                                                                                 \
	"\"url\":\"https://i/g\",\"manifest\":\"m\",\"signature\":\"s\""
#define WHOLE "\"board\":\"gate\"," WITHOUT_BOARD

static int parse(const char *text, struct wish *wish, struct reason *note, struct reason *reason)
{
	return wish_parse(text, strlen(text), "gate", wish, note, reason);
}

static const struct {
	const char *name;
	const char *text;
	const char *expected; /* in the reason */
} bad[] = {
	{"nothing but a blank", " ", "no JSON"},
	{"no JSON", "board = gate", "no JSON"},
	{"cut off", "{\"board\":\"gate\"", "no JSON"},
	{"two documents", "{" WHOLE "}{}", "no JSON"},
	{"a number", "7", "no JSON"},
	{"a list", "[{" WHOLE "}]", "expected an object"},
	{"an empty list", "[]", "expected an object"},
	{"an empty object", "{}", "expected an object"},
	{"a key twice", "{" WHOLE ",\"size\":4}", "no JSON (duplicate"},
	{"deep", "{" WHOLE ",\"x\":[[[[[[]]]]]]}", "within one another"},
	{"bytes that are no UTF-8", "{" WHOLE ",\"x\":\"\xff\"}", "no JSON"},
	{"another schema", "{\"schema\":2," WHOLE "}", "schema: 2 is not known here"},
	{"a schema in words", "{\"schema\":\"1\"," WHOLE "}", "schema: expected the number 1"},
	{"no board", "{" WITHOUT_BOARD "}", "board: the key is missing"},
	{"a board that is null", "{\"board\":null," WITHOUT_BOARD "}", "board: the key is missing"},
	{"an empty board", "{\"board\":\"\"," WITHOUT_BOARD "}", "board: expected the NAME"},
	{"a board of another topic", "{\"board\":\"door\"," WITHOUT_BOARD "}",
		"board: 'door', but the topic is that of 'gate'"},
	{"a board with a line end", "{\"board\":\"ga\\nte\"," WITHOUT_BOARD "}",
		"board: expected the NAME"},
	{"a board that is a number", "{\"board\":7," WITHOUT_BOARD "}", "board: expected the NAME"},
	{"a board that is an object", "{\"board\":{\"a\":\"b\"}," WITHOUT_BOARD "}",
		"board: expected the NAME"},
	{"no image", "{" WITHOUT_IMAGE "}", "image: the key is missing"},
	{"an image above", "{\"image\":\"../gate.hex\"," WITHOUT_IMAGE "}", "image: expected"},
	{"an image in a folder", "{\"image\":\"a/gate.hex\"," WITHOUT_IMAGE "}", "image: expected"},
	{"an absolute image", "{\"image\":\"/gate.hex\"," WITHOUT_IMAGE "}", "image: expected"},
	{"a hidden image", "{\"image\":\".gate.hex\"," WITHOUT_IMAGE "}", "image: expected"},
	{"an image like an option", "{\"image\":\"-rf\"," WITHOUT_IMAGE "}", "image: expected"},
	{"an image with a blank", "{\"image\":\"gate 1.hex\"," WITHOUT_IMAGE "}",
		"image: expected"},
	{"an image that is a glob", "{\"image\":\"gate*.hex\"," WITHOUT_IMAGE "}",
		"image: expected"},
	{"an image with a NUL", "{\"image\":\"gate\\u0000.hex\"," WITHOUT_IMAGE "}", "no JSON"},
	{"a manifest for an image", "{\"image\":\"gate.hex.ini\"," WITHOUT_IMAGE "}",
		"image: expected"},
	{"a signature for an image", "{\"image\":\"gate.hex.minisig\"," WITHOUT_IMAGE "}",
		"image: expected"},
	{"a rollout for an image", "{\"image\":\"gate.hex.rollout\"," WITHOUT_IMAGE "}",
		"image: expected"},
	{"a word for a version",
		"{\"board\":\"gate\",\"image\":\"g\",\"version\":\"new\",\"sha256\":\"" ABC "\"}",
		"version: expected"},
	{"a short digest", "{\"board\":\"gate\",\"sha256\":\"ba78\"}", "sha256: expected 64"},
	{"a digest of other digits", "{\"sha256\":\"g" ABC "\"}", "sha256: expected 64"},
	{"no size", "{" WITHOUT_SIZE "}", "size: the key is missing"},
	{"a size of nothing", "{\"size\":0," WITHOUT_SIZE "}", "size: expected"},
	{"a negative size", "{\"size\":-3," WITHOUT_SIZE "}", "size: expected"},
	{"a size with a point", "{\"size\":3.0," WITHOUT_SIZE "}", "size: expected"},
	{"a size as text", "{\"size\":\"3\"," WITHOUT_SIZE "}", "size: expected"},
	{"a size beyond 1 GiB", "{\"size\":1073741825," WITHOUT_SIZE "}", "size: expected"},
	{"a size beyond all bounds", "{\"size\":99999999999999999999," WITHOUT_SIZE "}", "no JSON"},
	{"an address with a line end", "{\"url\":\"https://a\\r\\nb\"}", "url: expected"},
	{"a percent above 100", "{" WHOLE ",\"percent\":101}", "percent: expected a whole"},
	{"a negative percent", "{" WHOLE ",\"percent\":-1}", "percent: expected a whole"},
	{"half a percent", "{" WHOLE ",\"percent\":0.5}", "percent: expected a whole"},
	{"a percent as text", "{" WHOLE ",\"percent\":\"10\"}", "percent: expected a whole"},
	{"a negative time", "{" WHOLE ",\"not_before\":-1}", "not_before: expected a time"},
	{"a time in milliseconds", "{" WHOLE ",\"not_before\":1796162400000}",
		"not_before: expected a time"},
	{"a time without its zone", "{" WHOLE ",\"not_before\":\"2026-12-01T22:00:00\"}",
		"not_before: expected a time"},
	{"a time that is true", "{" WHOLE ",\"not_before\":true}", "not_before: expected a time"},
	{"a window in words", "{" WHOLE ",\"window\":\"at night\"}", "window: expected hours"},
	{"an empty window", "{" WHOLE ",\"window\":\"\"}", "window: expected hours"},
	{"paused as text", "{" WHOLE ",\"paused\":\"true\"}", "paused: expected true or false"},
	{"paused as a number", "{" WHOLE ",\"paused\":1}", "paused: expected true or false"},
};

static void what_cannot_be_understood_is_refused_by_its_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct wish wish = {};
		struct reason note, reason = {};
		int r = parse(bad[i].text, &wish, &note, &reason);

		if (r != WISH_REFUSED || !strstr(reason.text, bad[i].expected))
			fail_msg("%s: got %d, '%s'", bad[i].name, r, reason.text);
		assert_null(wish.url);
	}
}

static struct wish wish_of(const char *text, struct reason *note)
{
	struct wish wish = {};
	struct reason reason = {};

	if (parse(text, &wish, note, &reason) != WISH_OK)
		fail_msg("'%s': %s", text, reason.text);
	return wish;
}

static void what_need_not_be_there_has_a_default(void **state)
{
	struct reason note;
	struct wish wish = wish_of("{" WHOLE ",\"percent\":null,\"window\":null}", &note);

	(void)state;
	assert_string_equal(wish.board, "gate");
	assert_string_equal(wish.image, "gate-1.2.hex");
	assert_string_equal(wish.version, "1.2");
	assert_string_equal(wish.sha256, ABC);
	assert_int_equal(wish.size, 3);
	assert_string_equal(wish.url, "https://images/gate-1.2.hex");
	assert_string_equal(wish.manifest, "[image]\n");
	assert_string_equal(wish.signature, "untrusted comment: \n");
	assert_int_equal(wish.percent, 100);
	assert_int_equal(wish.not_before_s, 0);
	assert_false(wish.window.is_given || wish.paused);
	assert_string_equal(note.text, "");
	wish_done(&wish);
}

static void all_that_may_be_there_is_taken(void **state)
{
	struct reason note;
	struct wish wish = wish_of("{\"schema\":1," WHOLE ",\"percent\":0,\"paused\":true,"
				   "\"not_before\":\"2026-12-01T23:00:00+01:00\","
				   "\"window\":\"Sat,Sun 22:00-05:00\"}",
		&note);

	(void)state;
	assert_int_equal(wish.percent, 0);
	assert_true(wish.paused && wish.window.is_given);
	assert_int_equal(wish.not_before_s, 1796162400);
	assert_int_equal(wish.window.days, 1 << 6 | 1 << 0);
	wish_done(&wish);
	wish = wish_of("{" WHOLE ",\"not_before\":1796162400}", &note);
	assert_int_equal(wish.not_before_s, 1796162400);
	wish_done(&wish);
}

/* The owner's software may be newer than this gateway. */
static void keys_of_others_are_passed_over_with_one_note(void **state)
{
	struct reason note;
	struct wish wish = wish_of("{" WHOLE ",\"colour\":\"red\"}", &note);

	(void)state;
	assert_string_equal(note.text, "'colour' is not known here: ignored");
	wish_done(&wish);
	wish = wish_of(
		"{" WHOLE ",\"a\\n\":1,\"b\":{\"size\":4},\"c\":[],\"d\":null,\"e\":1}", &note);
	assert_string_equal(
		note.text, "'a\\x0a', 'b', 'c', 'd' and others are not known here: ignored");
	assert_int_equal(wish.size, 3);
	wish_done(&wish);
}

/* The topic may not say the board. */
static void the_board_may_be_said_by_the_wish_alone(void **state)
{
	const char *text = "{\"board\":\"door\"," WITHOUT_BOARD "}";
	struct wish wish = {};
	struct reason note, reason;

	(void)state;
	assert_int_equal(wish_parse(text, strlen(text), NULL, &wish, &note, &reason), WISH_OK);
	assert_string_equal(wish.board, "door");
	wish_done(&wish);
}

/* A wish whose text of that key is so long. */
static int parse_long(const char *key, size_t n, struct reason *reason)
{
	size_t size = n + 1024;
	char *text = malloc(size), *fill = malloc(n + 1);
	struct wish wish = {};
	struct reason note;
	int r;

	assert_true(text && fill);
	memset(fill, 'a', n);
	fill[n] = '\0';
	snprintf(text, size,
		"{\"board\":\"gate\",\"image\":\"g\",\"version\":\"1\",\"sha256\":\"" ABC
		"\",\"size\":3,%s%s%s\"%s\":\"%s\"}",
		strcmp(key, "url") ? "\"url\":\"u\"," : "",
		strcmp(key, "manifest") ? "\"manifest\":\"m\"," : "",
		strcmp(key, "signature") ? "\"signature\":\"s\"," : "", key, fill);
	r = parse(text, &wish, &note, reason);
	wish_done(&wish);
	free(fill);
	free(text);
	return r;
}

static void each_text_has_a_bound(void **state)
{
	static const struct {
		const char *key;
		size_t most;
	} bounds[] = {
		{"url", WISH_URL_MAX},
		{"manifest", MANIFEST_MAX_BYTES},
		{"signature", SIGNATURE_MAX_BYTES},
	};
	struct reason reason = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
		assert_int_equal(parse_long(bounds[i].key, bounds[i].most, &reason), WISH_OK);
		assert_int_equal(
			parse_long(bounds[i].key, bounds[i].most + 1, &reason), WISH_REFUSED);
		assert_non_null(strstr(reason.text, bounds[i].key));
	}
	assert_int_equal(parse_long("x", WISH_MAX_BYTES, &reason), WISH_REFUSED);
	assert_non_null(strstr(reason.text, "a wish has at most"));
}

/* The parser of JSON goes down with each bracket; nothing must follow it without end. */
static void a_hundred_thousand_brackets_cost_a_reason(void **state)
{
	size_t n = WISH_MAX_BYTES;
	char *text = malloc(n);
	struct wish wish = {};
	struct reason note, reason = {};

	(void)state;
	assert_non_null(text);
	memset(text, '[', n);
	assert_int_equal(wish_parse(text, n, "gate", &wish, &note, &reason), WISH_REFUSED);
	assert_true(*reason.text != '\0');
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_understood_is_refused_by_its_key),
		cmocka_unit_test(what_need_not_be_there_has_a_default),
		cmocka_unit_test(all_that_may_be_there_is_taken),
		cmocka_unit_test(keys_of_others_are_passed_over_with_one_note),
		cmocka_unit_test(the_board_may_be_said_by_the_wish_alone),
		cmocka_unit_test(each_text_has_a_bound),
		cmocka_unit_test(a_hundred_thousand_brackets_cost_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
