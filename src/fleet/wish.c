/* SPDX-License-Identifier: MIT */
/*
 * wish.c - the keys of a wish in one table, each with what may stand there. A document of one level
 * is all that is understood; what is deeper belongs to a key that is not known here.
 */
#include "fleet/wish.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "base/parse.h"
#include "base/util.h"
#include "fleet/moment.h"
#include "image/manifest.h"
#include "image/rollout.h"
#include "image/signature.h"
#include "image/version.h"

struct reading {
	struct wish wish;
	unsigned seen; /* a bit for each row of the table */
	size_t n_unknown;
	const char *unknown; /* the last of them */
	struct reason *note;
	struct reason *reason;
};

/* A key of the table. `expected` ends the sentence "KEY: expected ..."; a row whose `take` knows
 * better sets `why`. */
struct wish_key {
	const char *name;
	bool is_required;
	enum json_kind kind;
	const char *expected;
	int (*take)(const struct json_value *value, void *field, struct reason *why);
	size_t offset;
};

/* ------------------------------------------------------------------ values */

static bool has_control(const char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			return true;
	return false;
}

static bool is_board(const char *text)
{
	return !has_control(text);
}

/* What a shell, a glob, a list and a trusted comment leave as it is. */
static bool is_image(const char *text)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+~-";
	static const char *const beside[] = {MANIFEST_SUFFIX, SIGNATURE_SUFFIX, ROLLOUT_SUFFIX};

	for (size_t i = 0; i < ARRAY_SIZE(beside); i++)
		if (text_ends_with(text, beside[i]))
			return false;
	return isalnum((unsigned char)text[0]) && text[strspn(text, allowed)] == '\0';
}

static bool is_sha256(const char *text)
{
	return strlen(text) == DIGEST_HEX_SIZE - 1 &&
	       strspn(text, "0123456789abcdefABCDEF") == DIGEST_HEX_SIZE - 1;
}

static int take_fit(const char *text, bool (*is_fit)(const char *text), char *to, size_t size)
{
	if (strlen(text) >= size || !is_fit(text))
		return -EINVAL;
	text_copy(to, size, text);
	return 0;
}

static int take_board(const struct json_value *value, void *field, struct reason *why)
{
	(void)why;
	return take_fit(value->text, is_board, field, WISH_BOARD_MAX);
}

static int take_image(const struct json_value *value, void *field, struct reason *why)
{
	(void)why;
	return take_fit(value->text, is_image, field, WISH_IMAGE_MAX);
}

static int take_version(const struct json_value *value, void *field, struct reason *why)
{
	(void)why;
	return take_fit(value->text, version_is_fit, field, VERSION_NAME_MAX);
}

static int take_sha256(const struct json_value *value, void *field, struct reason *why)
{
	char *to = field;
	int r = take_fit(value->text, is_sha256, to, DIGEST_HEX_SIZE);

	(void)why;
	for (; r == 0 && *to; to++)
		*to = (char)tolower((unsigned char)*to);
	return r;
}

static int take_long_text(const char *text, size_t n_most, void *field)
{
	return strlen(text) > n_most ? -EINVAL : text_duplicate(text, field);
}

static int take_url(const struct json_value *value, void *field, struct reason *why)
{
	(void)why;
	return has_control(value->text) ? -EINVAL
					: take_long_text(value->text, WISH_URL_MAX, field);
}

static int take_manifest(const struct json_value *value, void *field, struct reason *why)
{
	(void)why;
	return take_long_text(value->text, MANIFEST_MAX_BYTES, field);
}

static int take_signature(const struct json_value *value, void *field, struct reason *why)
{
	(void)why;
	return take_long_text(value->text, SIGNATURE_MAX_BYTES, field);
}

static int take_schema(const struct json_value *value, void *field, struct reason *why)
{
	(void)field;
	if (!value->is_whole)
		return -EINVAL;
	if (value->number != WISH_SCHEMA)
		return reason_refuse(-EINVAL, why,
			"%" PRIu64
			" is not known here: update plugflash-fleet, or publish schema %d",
			value->number, WISH_SCHEMA);
	return 0;
}

static int take_size(const struct json_value *value, void *field, struct reason *why)
{
	(void)why;
	if (!value->is_whole || value->number == 0 || value->number > WISH_SIZE_MAX)
		return -EINVAL;
	memcpy(field, &value->number, sizeof(value->number));
	return 0;
}

static int take_percent(const struct json_value *value, void *field, struct reason *why)
{
	unsigned *percent = field;

	(void)why;
	if (!value->is_whole || value->number > 100)
		return -EINVAL;
	*percent = (unsigned)value->number;
	return 0;
}

static int take_window(const struct json_value *value, void *field, struct reason *why)
{
	return window_parse(value->text, field, why) == WINDOW_OK ? 0 : -EINVAL;
}

static int take_flag(const struct json_value *value, void *field, struct reason *why)
{
	(void)why;
	*(bool *)field = value->flag;
	return 0;
}

/* In text or as a number: its row takes any kind. */
static int take_moment(const struct json_value *value, void *field, struct reason *why)
{
	int64_t *moment = field;

	(void)why;
	if (value->kind == JSON_KIND_TEXT)
		return moment_parse(value->text, moment);
	if (value->kind != JSON_KIND_NUMBER || !value->is_whole || value->number > MOMENT_MOST)
		return -EINVAL;
	*moment = (int64_t)value->number;
	return 0;
}

/* ------------------------------------------------------------------ the table */

#define ANY_KIND      JSON_KIND_EMPTY /* a value of that kind is never taken */

#define FIELD(member) offsetof(struct wish, member)

static const struct wish_key keys[] = {
	{"schema", false, JSON_KIND_NUMBER, "the number 1", take_schema, 0},
	{"board", true, JSON_KIND_TEXT, "the NAME of a rule [board NAME]", take_board,
		FIELD(board)},
	{"image", true, JSON_KIND_TEXT,
		"the name of a file: letters, digits and . _ + ~ -, and not that of a manifest, signature or rollout",
		take_image, FIELD(image)},
	{"version", true, JSON_KIND_TEXT, "a version like 1.2.3 or 1.0-rc2", take_version,
		FIELD(version)},
	{"sha256", true, JSON_KIND_TEXT, "64 hexadecimal digits, as sha256sum prints them",
		take_sha256, FIELD(sha256)},
	{"size", true, JSON_KIND_NUMBER, "the number of bytes of the image, up to 1 GiB", take_size,
		FIELD(size)},
	{"url", true, JSON_KIND_TEXT,
		"where the image is fetched, like https://host/gate-1.2.3.hex", take_url,
		FIELD(url)},
	{"manifest", true, JSON_KIND_TEXT, "the text of IMAGE.ini", take_manifest, FIELD(manifest)},
	{"signature", true, JSON_KIND_TEXT, "the text of IMAGE.ini.minisig", take_signature,
		FIELD(signature)},
	{"percent", false, JSON_KIND_NUMBER, "a whole number from 0 to 100", take_percent,
		FIELD(percent)},
	{"not_before", false, ANY_KIND, "a time like 2026-12-01T22:00:00Z, or seconds since 1970",
		take_moment, FIELD(not_before_s)},
	{"window", false, JSON_KIND_TEXT, "hours like 22:00-05:00", take_window, FIELD(window)},
	{"paused", false, JSON_KIND_BOOL, "true or false", take_flag, FIELD(paused)},
};

/* ------------------------------------------------------------------ reading */

/* What a newer owner says besides. Each key is told once, as long as there is room. */
static int note_unknown(struct reading *reading, const struct json_value *value)
{
	char shown[48], before[sizeof(reading->note->text)];
	struct reason *note = reading->note;

	/* The values below one key come one behind the other. */
	if (value->keys[0] == reading->unknown)
		return 0;
	reading->unknown = value->keys[0];
	reading->n_unknown++;
	if (reading->n_unknown > 4)
		return 0;
	text_copy(before, sizeof(before), note->text);
	reason_set(note, "%s%s'%s'", before, *before ? ", " : "",
		text_escape(value->keys[0], shown, sizeof(shown)));
	return 0;
}

static int refuse_value(
	struct reading *reading, const struct wish_key *key, const struct reason *why)
{
	if (*why->text)
		return reason_refuse(WISH_REFUSED, reading->reason, "%s: %s", key->name, why->text);
	return reason_refuse(
		WISH_REFUSED, reading->reason, "%s: expected %s", key->name, key->expected);
}

static int take_value(void *userdata, const struct json_value *value)
{
	struct reading *reading = userdata;
	const struct wish_key *key = NULL;
	struct reason why = {""};
	int r;

	if (value->n_keys == 0 || !value->keys[0])
		return reason_refuse(
			WISH_REFUSED, reading->reason, "expected an object like {\"board\": ...}");
	for (size_t i = 0; i < ARRAY_SIZE(keys) && !key; i++)
		if (strcmp(keys[i].name, value->keys[0]) == 0)
			key = &keys[i];
	if (!key)
		return note_unknown(reading, value);
	/* One that is null is as one that is not there. */
	if (value->n_keys == 1 && value->kind == JSON_KIND_NULL)
		return 0;
	if (value->n_keys > 1 || (key->kind != ANY_KIND && key->kind != value->kind) ||
		(value->kind == JSON_KIND_TEXT && !*value->text))
		return refuse_value(reading, key, &why);
	r = key->take(value, (char *)&reading->wish + key->offset, &why);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return refuse_value(reading, key, &why);
	reading->seen |= 1U << (key - keys);
	return 0;
}

static void end_note(struct reading *reading)
{
	char before[sizeof(reading->note->text)];

	if (reading->n_unknown == 0)
		return;
	text_copy(before, sizeof(before), reading->note->text);
	reason_set(reading->note, "%s%s not known here: ignored", before,
		reading->n_unknown > 4	 ? " and others are"
		: reading->n_unknown > 1 ? " are"
					 : " is");
}

static int check_whole(struct reading *reading, const char *board)
{
	char shown[TEXT_MAX], other[TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].is_required && !(reading->seen & 1U << i))
			return reason_refuse(WISH_REFUSED, reading->reason,
				"%s: the key is missing: expected %s", keys[i].name,
				keys[i].expected);
	if (board && strcmp(board, reading->wish.board) != 0)
		return reason_refuse(WISH_REFUSED, reading->reason,
			"board: '%s', but the topic is that of '%s'",
			text_escape(reading->wish.board, shown, sizeof(shown)),
			text_escape(board, other, sizeof(other)));
	return WISH_OK;
}

int wish_parse(const char *text, size_t n_text, const char *board, struct wish *ret,
	struct reason *note, struct reason *reason)
{
	struct reading reading = {.wish = {.percent = 100}, .note = note, .reason = reason};
	int r;

	note->text[0] = '\0';
	if (n_text > WISH_MAX_BYTES)
		return reason_refuse(WISH_REFUSED, reason, "%zu bytes: a wish has at most %d",
			n_text, WISH_MAX_BYTES);
	r = json_walk(text, n_text, take_value, &reading, reason);
	end_note(&reading);
	if (r == 0)
		r = check_whole(&reading, board);
	if (r != 0) {
		wish_done(&reading.wish);
		return r < 0 ? r : WISH_REFUSED;
	}
	*ret = reading.wish;
	return WISH_OK;
}

void wish_done(struct wish *wish)
{
	free(wish->url);
	free(wish->manifest);
	free(wish->signature);
	*wish = (struct wish){};
}

bool wish_is_same_image(const struct wish *a, const struct wish *b)
{
	return strcmp(a->image, b->image) == 0 && strcmp(a->sha256, b->sha256) == 0 &&
	       a->size == b->size && strcmp(a->manifest, b->manifest) == 0 &&
	       strcmp(a->signature, b->signature) == 0;
}
