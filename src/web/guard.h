/* SPDX-License-Identifier: MIT */
/*
 * guard.h - which requests are answered at all; pure.
 *
 * The person at this computer may ask. Foreign pages in the browser of that person may not, and
 * there are three ways for them, each of which is closed here:
 * - a name of theirs that leads to 127.0.0.1 (DNS rebinding): Host must be one of our names;
 * - a request sent across sites: Sec-Fetch-Site and Origin tell, and browsers set both themselves;
 * - a POST that a form can make: it needs the page's token in a header, which no form sets, and
 *   which nobody can read across sites.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define GUARD_TOKEN_HEADER "X-Plugflash-Token"
#define GUARD_TOKEN_SIZE   33
#define GUARD_NO_TOKEN     \
	GUARD_TOKEN_HEADER \
	": the token is missing or of an earlier start of plugflash-web; load the page again"

#define GUARD_MAX_PORTS 8
#define GUARD_MAX_HOSTS 16

struct guard {
	uint16_t ports[GUARD_MAX_PORTS]; /* on which we listen */
	size_t n_ports;
	const char *hosts[GUARD_MAX_HOSTS]; /* more names, of the administrator; not ours to free */
	size_t n_hosts;
	char token[GUARD_TOKEN_SIZE]; /* hexadecimal; another for each start of the process */
};

/* Headers; NULL: the request has none of that name. */
struct guard_request {
	bool is_post;
	bool is_page; /* a link of another page may lead to it */
	const char *host, *origin, *fetch_site, *token;
};

enum guard_verdict {
	GUARD_ANSWER,
	GUARD_HOST,  /* not one of our names: 421, or 400 where there is none */
	GUARD_CROSS, /* from another site: 403 */
	GUARD_TOKEN, /* a POST without the token: 403 */
	GUARD_MAX,
};

/*
 * A name that the administrator lists: NAME (alone, or with one of our ports), or NAME:PORT (that
 * port alone), with letters, digits, dots, hyphens, or an address (IPv6 in brackets). Whether it
 * can be one.
 */
bool guard_host_is_well_formed(const char *host);

/* 0, -E2BIG (too many), or -EINVAL (no name). */
int guard_allow_host(struct guard *guard, const char *host);

/* A fresh token. 0 or -errno. */
int guard_make_token(struct guard *guard);

enum guard_verdict guard_check(
	const struct guard *guard, const struct guard_request *request, struct reason *reason);
