/* SPDX-License-Identifier: MIT */
/*
 * config.h - the service's settings and the board rules, as read from INI files.
 *
 * Knows the keys and their defaults; does not know the chip table (names in `chip` are checked
 * where both are at hand) and touches no device.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/ini.h"
#include "rules/board.h"
#include "rules/service-config.h"

struct config {
	struct service_config service;
	struct board *boards;
	size_t n_boards;
};

/*
 * Reads DIRECTORY/plugflash.conf and DIRECTORY/boards.d/(asterisk).conf in name order. All problems
 * are collected; where there are any, `ret` is left alone and the result is OUTCOME_BAD_CONFIG. A
 * missing plugflash.conf is a problem (a service with no configuration is a mistake, not a
 * default), no boards at all is none. -errno when the environment fails.
 */
int config_load(const char *directory, struct config *ret, struct ini_problems *problems);

/* One board out of the text config_write_board() made; for the worker. Same results. */
int config_read_board(const struct ini *ini, struct board *ret, struct ini_problems *problems);

/* Writes the board as an INI section that config_read_board() reads to the same rule. */
int config_write_board(const struct board *board, FILE *to);

void config_done(struct config *config);

const struct board *config_find_board(const struct config *config, const char *name);
