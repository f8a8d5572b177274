/* SPDX-License-Identifier: MIT */
/*
 * settings.h - the configuration as the service takes it: whole and checked, or not at all, with
 * the entries that say why.
 */
#pragma once

#include "rules/config.h"

struct settings_source {
	const char *directory; /* plugflash.conf, boards.d */
	const char *chips;     /* the chip table and what is laid over it */
	const char *chips_dir;
};

/*
 * 0 and the configuration; else `ret` is left alone, every problem is an entry (a bounded number of
 * them), closed by one that tells the `consequence`. OUTCOME_BAD_CONFIG or -errno. The first
 * problems are `told` then, a line each as far as there is room; "" with 0.
 */
int settings_load(const struct settings_source *source, const char *consequence, struct config *ret,
	char *told, size_t n_told);

/*
 * Notes in the runtime directory that the configuration of this directory was read now, for
 * `plugflash list`, which warns of files that are newer. Nothing depends on it.
 */
void settings_note_loaded(const char *runtime, const char *directory);
