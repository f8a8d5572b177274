/* SPDX-License-Identifier: MIT */
/* url.h - addresses of images: which are taken, and how they are shown. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

#define URL_MAX 2048 /* with the NUL */

/*
 * Whether an image may be fetched from there: https, or http where `plain_http`; a host; nothing
 * that is not printable ASCII, as RFC 3986 wants it. Otherwise the reason says what.
 */
bool url_is_fit(const char *url, bool plain_http, struct reason *reason);

/*
 * Without what may be secret: user, password, and the query, in which signed addresses of clouds
 * have their key. Escaped, and cut as text_escape() does. Returns `to`.
 */
char *url_show(const char *url, char *to, size_t size);
