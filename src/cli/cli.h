/* SPDX-License-Identifier: MIT */
/*
 * cli.h - the verbs of `plugflash`: a function each, which gets the parsed options, prints, and
 * returns the exit code.
 */
#pragma once

#include <stddef.h>

#include "cli/options.h"

int verb_list(const struct options *options);
int verb_setup(const struct options *options);
int verb_flash(const struct options *options);
int verb_verify(const struct options *options);
int verb_read(const struct options *options);
int verb_probe(const struct options *options);
int verb_identify(const struct options *options);
int verb_erase(const struct options *options);
int verb_start(const struct options *options);
int verb_protect(const struct options *options);
int verb_unprotect(const struct options *options);
int verb_write_unprotect(const struct options *options);
int verb_option_bytes(const struct options *options);
int verb_stub_test(const struct options *options);
int verb_images(const struct options *options);
int verb_status(const struct options *options);
int verb_monitor(const struct options *options);
int verb_history(const struct options *options);
int verb_retry(const struct options *options);
int verb_pause(const struct options *options);
int verb_floor(const struct options *options);
int verb_resume(const struct options *options);
int verb_batch(const struct options *options);
int verb_check_config(const struct options *options);
int verb_report(const struct options *options);
int verb_doctor(const struct options *options);
int verb_complete(const struct options *options);

extern const struct verb verbs[];
extern const size_t n_verbs;

/* The verb of that name, or NULL. */
const struct verb *verb_find(const struct verb *table, size_t n_table, const char *name);

/*
 * The verb whose name is nearest to what was typed: one it begins, else at most two letters wrong,
 * left out or too many; NULL where none is near.
 */
const struct verb *verb_nearest(const struct verb *table, size_t n_table, const char *typed);
