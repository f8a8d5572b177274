/* SPDX-License-Identifier: MIT */
/*
 * The headers by which a request is let in, and its query. The bytes are texts with a NUL after
 * each: Host, Origin, Sec-Fetch-Site, the token, "POST" or else, then names and values in turn.
 */
#include <strings.h>

#include "fuzz.h"
#include "web/guard.h"
#include "web/query.h"

#define TOKEN "0123456789abcdef0123456789abcdef"

/* The next text, "" behind the last. */
static const char *take(const char **at, const char *end)
{
	const char *text = *at;

	if (text >= end)
		return "";
	*at += strlen(text) + 1;
	return text;
}

/* By an enumeration, where guard.c takes names apart. */
static bool is_one_of_ours(const char *host)
{
	static const char *const hosts[] = {"localhost:8474", "127.0.0.1:8474", "[::1]:8474",
		"screen.factory", "screen.factory:8474", "proxy.factory:443"};
	const char *colon = strrchr(host, ':');
	char plain[32];

	/* A port may have zeros before it. */
	if (colon && strlen(host) < sizeof(plain) && strspn(colon + 1, "0") > 0) {
		snprintf(plain, sizeof(plain), "%.*s%s", (int)(colon + 1 - host), host,
			colon + 1 + strspn(colon + 1, "0"));
		host = plain;
	}
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		if (strcasecmp(host, hosts[i]) == 0)
			return true;
	return strlen(host) > 16 && colon && strspn(colon + 1, "0") > 8;
}

static void try_guard(const struct guard_request *request)
{
	struct guard guard = {.ports = {8474}, .n_ports = 1, .token = TOKEN};
	struct reason reason = {0};
	enum guard_verdict verdict;

	MUST(guard_allow_host(&guard, "screen.factory") == 0);
	MUST(guard_allow_host(&guard, "proxy.factory:443") == 0);
	verdict = guard_check(&guard, request, &reason);
	if (verdict != GUARD_ANSWER) {
		fuzz_must_be_sentence(reason.text);
		return;
	}
	MUST(is_one_of_ours(request->host));
	MUST(!request->is_post || strcmp(request->token, TOKEN) == 0);
	MUST(!request->origin || strcasecmp(strstr(request->origin, "//") + 2, request->host) == 0);
}

static void try_query(const char *at, const char *end)
{
	struct dict options = {0};
	struct query query;

	query_init(&query, (1U << QUERY_MAX) - 1);
	while (at < end) {
		const char *name = take(&at, end), *value = take(&at, end);

		if (query_take(&query, name, value) < 0)
			fuzz_must_be_sentence(query.reason.text);
	}
	MUST(query.limit <= QUERY_LIMIT_MOST && query.after <= INT64_MAX);
	MUST(query_to_options(&query, &options) == 0);
	for (size_t i = 0; i < options.n_entries; i++)
		MUST(text_is_utf8(options.entries[i].text, strlen(options.entries[i].text)));
	dict_done(&options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	const char *at = text, *end = text + size;
	struct guard_request request = {0};

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	request.host = take(&at, end);
	request.origin = take(&at, end);
	request.fetch_site = take(&at, end);
	request.token = take(&at, end);
	request.is_post = strcmp(take(&at, end), "POST") == 0;
	if (!*request.origin)
		request.origin = NULL;
	if (!*request.fetch_site)
		request.fetch_site = NULL;
	(void)guard_host_is_well_formed(request.host);
	try_guard(&request);
	try_query(at, end);
	free(text);
	return 0;
}
