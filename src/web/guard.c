/* SPDX-License-Identifier: MIT */
#include "web/guard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/parse.h"

#define HOST_MOST 255

static const char *const own_names[] = {"localhost", "127.0.0.1", "[::1]"};

/* ----------------------------------------------------------------------------------- hosts */

/* Where the port begins, behind the colon, or NULL without one; *ret_size: bytes of the name. */
static const char *port_of(const char *host, size_t *ret_size)
{
	const char *from = *host == '[' ? strchr(host, ']') : host;
	const char *colon = from ? strchr(from, ':') : NULL;

	*ret_size = colon ? (size_t)(colon - host) : strlen(host);
	return colon ? colon + 1 : NULL;
}

/* Digits alone: 1 to 65535. */
static bool read_port(const char *text, uint16_t *ret)
{
	uint64_t port;

	if (parse_digits(&text, 10, &port) < 0 || *text || port == 0 || port > UINT16_MAX)
		return false;
	*ret = (uint16_t)port;
	return true;
}

static bool is_name(const char *name, size_t n)
{
	const char *more = ".-_";

	if (n > 2 && name[0] == '[' && name[n - 1] == ']') {
		more = ":.";
		name++;
		n -= 2;
	}
	if (n == 0 || n > HOST_MOST)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool is_letter =
			(name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z');
		bool is_digit = name[i] >= '0' && name[i] <= '9';

		if (!is_letter && !is_digit && !strchr(more, name[i]))
			return false;
	}
	return true;
}

bool guard_host_is_well_formed(const char *host)
{
	size_t n;
	const char *port = port_of(host, &n);
	uint16_t number;

	return is_name(host, n) && (!port || read_port(port, &number));
}

int guard_allow_host(struct guard *guard, const char *host)
{
	if (!guard_host_is_well_formed(host))
		return -EINVAL;
	if (guard->n_hosts == GUARD_MAX_HOSTS)
		return -E2BIG;
	guard->hosts[guard->n_hosts++] = host;
	return 0;
}

static bool is_own_port(const struct guard *guard, const char *text)
{
	uint16_t port;

	/* A browser leaves out the port of its scheme. */
	if (!text) {
		port = 80;
	} else if (!read_port(text, &port)) {
		return false;
	}
	for (size_t i = 0; i < guard->n_ports; i++)
		if (guard->ports[i] == port)
			return true;
	return false;
}

static bool is_same_name(const char *name, const char *host, size_t n)
{
	return strlen(name) == n && strncasecmp(name, host, n) == 0;
}

static bool is_our_host(const struct guard *guard, const char *host)
{
	size_t n, n_listed;
	const char *port = port_of(host, &n), *listed_port;

	for (size_t i = 0; i < ARRAY_SIZE(own_names); i++)
		if (is_same_name(own_names[i], host, n) && is_own_port(guard, port))
			return true;
	for (size_t i = 0; i < guard->n_hosts; i++) {
		listed_port = port_of(guard->hosts[i], &n_listed);
		if (listed_port ? strcasecmp(guard->hosts[i], host) == 0
				: is_same_name(guard->hosts[i], host, n) &&
					  (!port || is_own_port(guard, port)))
			return true;
	}
	return false;
}

/* ---------------------------------------------------------------------------------- origin */

/* The page that asks is the one that came from this host: "http://" or "https://" and it. */
static bool is_origin_of(const char *origin, const char *host)
{
	static const char *const schemes[] = {"http://", "https://"};

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (strncmp(origin, schemes[i], strlen(schemes[i])) == 0)
			return strcasecmp(origin + strlen(schemes[i]), host) == 0;
	return false;
}

static bool is_cross_site(const struct guard_request *request)
{
	const char *site = request->fetch_site;

	if (request->origin && !is_origin_of(request->origin, request->host))
		return true;
	if (!site || strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0)
		return false;
	return !request->is_page;
}

/* ----------------------------------------------------------------------------------- token */

int guard_make_token(struct guard *guard)
{
	uint8_t bytes[(GUARD_TOKEN_SIZE - 1) / 2];

	/* So few bytes come whole, or not at all: getrandom(2). */
	if (getrandom(bytes, sizeof(bytes), 0) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(guard->token + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

/* It takes as long whichever byte differs, so that none can be found by its time. */
static bool is_token(const struct guard *guard, const char *text)
{
	volatile uint8_t differs = 0;

	if (!text || strlen(text) != GUARD_TOKEN_SIZE - 1 || !guard->token[0])
		return false;
	for (size_t i = 0; i < GUARD_TOKEN_SIZE - 1; i++)
		differs |= (uint8_t)(text[i] ^ guard->token[i]);
	return differs == 0;
}

enum guard_verdict guard_check(
	const struct guard *guard, const struct guard_request *request, struct reason *reason)
{
	char shown[TEXT_MAX];

	if (!request->host)
		return reason_refuse(GUARD_HOST, reason, "Host: the request names none");
	if (!is_our_host(guard, request->host))
		return reason_refuse(GUARD_HOST, reason,
			"Host '%s': this is no name of this page; open it as localhost, or have the administrator allow the name (--allow-host)",
			text_escape(request->host, shown, sizeof(shown)));
	if (is_cross_site(request))
		return reason_refuse(GUARD_CROSS, reason,
			"the request comes from a page of another site; open this address itself");
	if (request->is_post && !is_token(guard, request->token))
		return reason_refuse(GUARD_TOKEN, reason, GUARD_NO_TOKEN);
	return GUARD_ANSWER;
}
