/* SPDX-License-Identifier: MIT */
/* reply.c - RFC 9110: 8.6 Content-Length, 8.8.3 ETag, 14.4 Content-Range, 15 status codes. */
#include "fleet/reply.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"

#define LINE_MAX_BYTES 512 /* of the headers that are looked at */

/* ------------------------------------------------------------------ lines */

/* The number that stands here, and `*text` behind it. */
static bool take_number(const char **text, uint64_t *ret)
{
	return parse_digits(text, 10, ret) == 0;
}

static bool take_word(const char **text, const char *word)
{
	size_t n = strlen(word);

	if (strncasecmp(*text, word, n) != 0)
		return false;
	*text += n;
	return true;
}

static void take_length(struct reply *reply, const char *value)
{
	uint64_t length;

	if (!take_number(&value, &length) || *value)
		return;
	reply->has_length = true;
	reply->length = length;
}

/* "bytes 100-199/200", or "bytes 100-199/" and an asterisk where the server does not know. */
static void take_range(struct reply *reply, const char *value)
{
	uint64_t first, last, total = 0;
	bool has_total;

	if (!take_word(&value, "bytes ") || !take_number(&value, &first) ||
		!take_word(&value, "-") || !take_number(&value, &last) || !take_word(&value, "/"))
		return;
	has_total = !take_word(&value, "*");
	if ((has_total && !take_number(&value, &total)) || *value || last < first ||
		(has_total && last >= total))
		return;
	reply->has_range = true;
	reply->first = first;
	reply->last = last;
	reply->has_total = has_total;
	reply->total = total;
}

/* A weak tag ("W/...") does not promise the same bytes, and must not stand in If-Range. */
static void take_tag(struct reply *reply, const char *value)
{
	size_t n = strlen(value);

	if (n < 2 || n >= sizeof(reply->tag) || value[0] != '"' || value[n - 1] != '"')
		return;
	for (size_t i = 1; i < n - 1; i++)
		if (value[i] <= ' ' || value[i] > '~' || value[i] == '"')
			return;
	text_copy(reply->tag, sizeof(reply->tag), value);
}

static void take_encoding(struct reply *reply, const char *value)
{
	if (*value && strcasecmp(value, "identity") != 0)
		reply->is_packed = true;
}

/* "HTTP/1.1 206 Partial Content" */
static bool take_status(struct reply *reply, const char *line)
{
	uint64_t status;

	if (!take_word(&line, "HTTP/"))
		return false;
	line += strcspn(line, " ");
	line += strspn(line, " ");
	*reply = (struct reply){};
	if (take_number(&line, &status) && status < 1000)
		reply->status = (unsigned)status;
	return true;
}

static const struct {
	const char *name;
	void (*take)(struct reply *reply, const char *value);
} headers[] = {
	{"Content-Length:", take_length},
	{"Content-Range:", take_range},
	{"Content-Encoding:", take_encoding},
	{"ETag:", take_tag},
};

void reply_take(struct reply *reply, const char *line, size_t n)
{
	char text[LINE_MAX_BYTES];
	const char *value = text;

	while (n > 0 && strchr(" \t\r\n", line[n - 1]) && line[n - 1])
		n--;
	/* None of those that count is so long, or has a NUL. */
	if (n >= sizeof(text) || memchr(line, '\0', n))
		return;
	memcpy(text, line, n);
	text[n] = '\0';
	if (take_status(reply, text))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		if (take_word(&value, headers[i].name)) {
			headers[i].take(reply, value + strspn(value, " \t"));
			return;
		}
}

/* ------------------------------------------------------------------ the judgement */

/* What the usual ones mean to the person who published the address. */
static const struct {
	unsigned status;
	const char *hint;
} hints[] = {
	{401, ": it wants a password: is the address a signed one that has expired?"},
	{403, ": it refuses: is the address a signed one that has expired?"},
	{404, ": there is no such file: was it put there, and is the url right?"},
	{410, ": the file was taken away"},
	{429, ": too many ask at once: a longer spread of [download] helps"},
	{503, ": it is overloaded or down"},
};

static enum reply_result refuse_status(unsigned status, struct reason *reason)
{
	const char *hint = "";

	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (hints[i].status == status)
			hint = hints[i].hint;
	return reason_refuse(REPLY_REFUSED, reason, "the server answers %u%s", status, hint);
}

static enum reply_result judge_length(
	const struct reply *reply, uint64_t expected, uint64_t size, struct reason *reason)
{
	if (reply->has_length && reply->length != expected)
		return reason_refuse(REPLY_REFUSED, reason,
			"the server has %" PRIu64 " bytes instead of %" PRIu64
			" of the image's %" PRIu64 ": is it the image of the wish?",
			reply->length, expected, size);
	return REPLY_REST;
}

static enum reply_result judge_part(
	const struct reply *reply, uint64_t from, uint64_t size, struct reason *reason)
{
	if (!reply->has_range)
		return reason_refuse(REPLY_REFUSED, reason,
			"the server sends a part of the file, and not which (Content-Range)");
	if (reply->has_total && reply->total != size)
		return reason_refuse(REPLY_REFUSED, reason,
			"the server has a file of %" PRIu64 " bytes, and the image has %" PRIu64
			": is it the image of the wish?",
			reply->total, size);
	/* It may send less than it was asked for (RFC 9110, 15.3.7): the next try asks for the
	 * rest. */
	if (reply->first != from || reply->last >= size)
		return reason_refuse(REPLY_REFUSED, reason,
			"the server sends the bytes %" PRIu64 "-%" PRIu64 " instead of %" PRIu64
			"-%" PRIu64,
			reply->first, reply->last, from, size - 1);
	return judge_length(reply, reply->last - from + 1, size, reason);
}

enum reply_result reply_judge(
	const struct reply *reply, uint64_t from, uint64_t size, struct reason *reason)
{
	enum reply_result r;

	if (reply->status == 416 && from > 0)
		return REPLY_NO_RANGE;
	if (reply->status != 200 && reply->status != 206)
		return refuse_status(reply->status, reason);
	if (reply->is_packed)
		return reason_refuse(REPLY_REFUSED, reason,
			"the server packs the file (Content-Encoding), which nobody asked for");
	if (reply->status == 206)
		return judge_part(reply, from, size, reason);
	r = judge_length(reply, size, size, reason);
	return r == REPLY_REST ? REPLY_WHOLE : r;
}
