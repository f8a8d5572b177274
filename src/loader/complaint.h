/* SPDX-License-Identifier: MIT */
/*
 * complaint.h - whether a line of text that a boot loader prints says that something failed. Pure.
 */
#pragma once

#include <stdbool.h>

/*
 * Any word for a failure ("CRC error", "Verification failed", "Aborted", "invalid image"), in any
 * case. Counts of nothing are no failure: "0 errors", "no CRC error", "errors: 0", "error code
 * 0x00"; nor is an offer: "press a to abort".
 */
bool complaint_is_in(const char *line);

/* The same, about starting: the line also names the boot, the application, the image ... */
bool complaint_is_about_start(const char *line);
