/* SPDX-License-Identifier: MIT */
/*
 * pattern.h - whether an extended regular expression is allowed in a rule.
 *
 * The C library copies what is repeated: each + doubles it, so that 25 characters can take
 * gigabytes, in the service at a reload. So a pattern has a bound on its size with all repetitions
 * written out.
 */
#pragma once

#define PATTERN_BYTES 255
#define PATTERN_PARTS 500 /* letters, sets and so on, with repetitions written out */

/*
 * NULL where it may; else the expectation that it does not meet, a phrase behind "expected".
 * Refused are what the C library does not take, back references, a repetition right behind another,
 * and what is larger than the bounds above.
 */
const char *pattern_fault(const char *text);
