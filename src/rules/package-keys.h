/* SPDX-License-Identifier: MIT */
/*
 * package-keys.h - `fw-type`: which kinds of firmware a file of a boot loader's own format may be,
 * by the word that its maker put into it.
 */
#pragma once

#include "base/ini.h"

/* The word of a rule for a file that does not say it. */
#define FW_TYPE_UNSAID "unsaid"

/* Of a struct board: its `fw_type` and `n_fw_type`. */
int parse_fw_types(const char *value, void *field, const char **ret_expected);
