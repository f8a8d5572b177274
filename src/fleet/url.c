/* SPDX-License-Identifier: MIT */
#include "fleet/url.h"

#include <string.h>
#include <strings.h>

#define HTTPS "https://"
#define HTTP  "http://"

/* Where the host or the user before it begins; NULL: neither https nor http. */
static const char *find_authority(const char *url, bool *ret_is_plain)
{
	*ret_is_plain = strncasecmp(url, HTTP, strlen(HTTP)) == 0;
	if (*ret_is_plain)
		return url + strlen(HTTP);
	return strncasecmp(url, HTTPS, strlen(HTTPS)) == 0 ? url + strlen(HTTPS) : NULL;
}

bool url_is_fit(const char *url, bool plain_http, struct reason *reason)
{
	const char *authority, *wrong = NULL;
	char shown[TEXT_MAX];
	bool is_plain;
	size_t n = strlen(url);

	authority = find_authority(url, &is_plain);
	if (n >= URL_MAX)
		wrong = "is too long: expected at most 2047 bytes";
	else if (!authority || (is_plain && !plain_http))
		wrong = "is refused: expected an address that begins with https://";
	else if (strchr("/?#", *authority))
		wrong = "has no host: expected https://HOST/PATH";
	for (const char *c = url; !wrong && *c; c++)
		if (*c <= ' ' || *c > '~')
			wrong = "has a byte that no address has: expected blanks and the like as %20";
	if (wrong)
		reason_set(reason, "url '%s' %s", url_show(url, shown, sizeof(shown)), wrong);
	return !wrong;
}

char *url_show(const char *url, char *to, size_t size)
{
	char shown[URL_MAX];
	bool is_plain;
	const char *authority = find_authority(url, &is_plain), *begin, *end, *user;
	const char *scheme = !authority ? "" : is_plain ? HTTP : HTTPS;

	begin = authority ? authority : url;
	end = begin + strcspn(begin, "?#");
	user = memrchr(begin, '@', strcspn(begin, "/?#"));
	if (user)
		begin = user + 1;
	snprintf(shown, sizeof(shown), "%s%.*s", scheme,
		end - begin < URL_MAX ? (int)(end - begin) : URL_MAX, begin);
	return text_escape(shown, to, size);
}
