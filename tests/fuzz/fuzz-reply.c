/* SPDX-License-Identifier: MIT */
/*
 * What a web server says above the bytes of an image, and an address out of a wish. The first byte
 * says how much of the image is there already; then lines of the head, the last of which is the
 * address.
 */
#include "fleet/reply.h"
#include "fleet/url.h"
#include "fuzz.h"

#define IMAGE_BYTES 100000

/* What is believed of a head must be in it, and nothing that is believed leads outside. */
static void try_head(const char *text, size_t n, uint64_t from)
{
	struct reply reply = {};
	struct reason reason = {};
	enum reply_result result;

	while (n > 0) {
		const char *end = memchr(text, '\n', n);
		size_t n_line = end ? (size_t)(end - text) + 1 : n;

		reply_take(&reply, text, n_line);
		text += n_line;
		n -= n_line;
	}
	MUST(reply.status < 1000);
	MUST(!reply.has_range || reply.first <= reply.last);
	MUST(strlen(reply.tag) < sizeof(reply.tag) && !strpbrk(reply.tag, " \r\n"));
	result = reply_judge(&reply, from, IMAGE_BYTES, &reason);
	if (result == REPLY_REFUSED)
		fuzz_must_be_sentence(reason.text);
	if (result == REPLY_REST && reply.status == 206)
		MUST(reply.first == from && reply.last < IMAGE_BYTES);
	MUST(result != REPLY_REST || reply.status == 206);
	MUST(result != REPLY_WHOLE || reply.status == 200);
	MUST(result != REPLY_NO_RANGE || from > 0);
}

static void try_url(const char *url)
{
	struct reason reason = {};
	char shown[TEXT_MAX];

	if (!url_is_fit(url, false, &reason)) {
		fuzz_must_be_sentence(reason.text);
	} else {
		MUST(strncasecmp(url, "https://", 8) == 0 && strlen(url) < URL_MAX);
		MUST(!strpbrk(url, " \t\r\n"));
	}
	url_show(url, shown, sizeof(shown));
	MUST(text_is_utf8(shown, strlen(shown)) && !strpbrk(shown, "?#\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1, *last;
	size_t n;
	char *url;

	if (size < 1)
		return 0;
	n = size - 1;
	last = memrchr(text, '\n', n);
	url = last ? strndup(last + 1, n - (size_t)(last + 1 - text)) : strndup(text, n);
	MUST(url);
	try_url(url);
	free(url);
	try_head(text, n, data[0] * UINT64_C(400));
	return 0;
}
