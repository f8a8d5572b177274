/* SPDX-License-Identifier: MIT */
/* names.h - names of slots and rules that somebody typed. */
#pragma once

#include "cli/cli.h"

/*
 * Warns on standard error of --slot and --board that are in no configuration, with the nearest
 * name: for a verb that found nothing by them, where a slip of the finger looks like a good answer.
 * Says nothing where the configuration cannot be read.
 */
void names_warn(const char *verb, const struct options *options);
