/* SPDX-License-Identifier: MIT */
/*
 * config.h - the service's settings, the board rules and the names of slots, as read from INI
 * files.
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
#include "rules/slot.h"

struct config {
	struct service_config service;
	struct board *boards;
	size_t n_boards;
	struct slot *slots; /* in the order in which they are written */
	size_t n_slots;
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

/* By name or by path; NULL: there is none. */
const struct slot *config_find_slot(const struct config *config, const char *name_or_path);

/* The name that is nearest to a name that was typed; NULL: there is none. Points into `config`. */
const char *config_nearest_slot(const struct config *config, const char *name);
const char *config_nearest_board(const struct config *config, const char *name);

/* Name of the slot at this place (ID_PATH, may be NULL); "": it has none. Points into `config`. */
const char *config_slot_name(const struct config *config, const char *usb_path);
