/* SPDX-License-Identifier: MIT */
/*
 * objects.h - the JSON object that each verb prints with --json (see api/json.h).
 */
#pragma once

#include <stdio.h>

#include "cli/bridges.h"
#include "cli/check.h"
#include "cli/find.h"
#include "cli/session.h"
#include "doctor/finding.h"
#include "records/count.h"
#include "records/store.h"

/* All print the object and a newline. 0, -EIO or -ENOMEM. */

int json_print_session(const struct session *session, FILE *to);

/* `is_good` is whether the rules of the configuration could be read. */
int json_print_bridges(const struct bridges *bridges, bool is_good, FILE *to);

int json_print_finds(const struct finds *finds, const char *directory, FILE *to);

/*
 * A list of any length under one key: begin, an object for each, end. -EIO or -ENOMEM where one
 * fails.
 */
struct json_list {
	FILE *to;
	size_t n_items;
};

int json_list_begin(struct json_list *list, const char *key, FILE *to);
int json_list_attempt(struct json_list *list, const struct store_attempt *attempt);
int json_list_count(struct json_list *list, const struct count_cell *cell);
int json_list_unit(struct json_list *list, const struct store_unit *unit);
int json_list_end(struct json_list *list);

/* How many units, or of `--trials` kinds of chips, are tried again. */
int json_print_retry(bool is_trials, size_t n, FILE *to);

int json_print_check(const struct check *check, FILE *to);

int json_print_findings(const struct findings *findings, FILE *to);
