/* SPDX-License-Identifier: MIT */
/*
 * application-version.h - the texts in which applications say their version, and whether such a
 * text is the version of an image. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "application/application-protocol.h"

/*
 * A text of an application up to its NUL or to the byte `end` (0: NUL alone), without blanks at its
 * ends. False where nothing is left of it, where it has no room, or where it is not printable
 * ASCII.
 */
bool application_version_read(
	const uint8_t *bytes, size_t n_bytes, char end, char ret[static APPLICATION_VERSION_BYTES]);

/*
 * Whether what the application said of itself is the version that an image has, by its metadata,
 * manifest or name: the same text; or the first number of `wanted` ("7.4.3", "20240710", that of
 * "SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4") is one of those in `said`, by version_compare(), and no
 * other commit ("GitHub-...") is named on both sides.
 */
bool application_version_is(const char *said, const char *wanted);

/*
 * The same for an application that was just flashed: names of files are often short, so a number of
 * two parts and more in `wanted` may also be the begin of one in `said`: "7.3" is confirmed by
 * "7.3.1.0". It does not tell whether an application that was there before is the same.
 */
bool application_version_confirms(const char *said, const char *wanted);
