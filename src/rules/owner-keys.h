/* SPDX-License-Identifier: MIT */
/*
 * owner-keys.h - `port-owner`: the units of systemd that use the port of a board while nobody
 * flashes it.
 */
#pragma once

#include "base/ini.h"

/* More than this is no list of programs that share one port. */
#define OWNERS_MOST 16

/* Of a struct board: its `port_owner` and `n_port_owner`. */
int parse_owners(const char *value, void *field, const char **ret_expected);
