/* SPDX-License-Identifier: MIT */
/*
 * config-keys.h - the keys of [service] and [board NAME]: names, defaults, ranges. For config.c
 * only.
 */
#pragma once

#include "rules/board.h"
#include "rules/service-config.h"

/* Sets the defaults, then applies the section. 0 or -ENOMEM; problems are added. */
int service_read(const struct ini_section *section, struct service_config *service,
	struct ini_problems *problems);
int service_set_defaults(struct service_config *service);

/* One rule out of its section, without `source`, `file` and `name`. 0 or -ENOMEM; problems are
 * added. */
int board_read(
	const struct ini_section *section, struct board *board, struct ini_problems *problems);
