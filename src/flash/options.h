/* SPDX-License-Identifier: MIT */
/*
 * options.h - the settings that a chip has beside its flash (its option bytes), as a rule or a
 * command wants them. The steps of a pass; only the files of the procedures include it.
 */
#pragma once

#include "flash/run.h"

/*
 * Reads them, where the job wants some, and notes in `run->options` whether they differ. They are
 * read through the boot loader that was met, before another one takes its place. GO_ON; BAD_CONFIG
 * where this chip does not take what is wanted, whatever was known of it before.
 */
enum outcome options_look(struct run *run);

/*
 * Writes those that differ, meets the chip again behind the reset that it makes, and compares:
 * GO_ON where all are as wanted. Called once every byte of the image is proved; in a dry run it
 * says in the remark what it would write.
 */
enum outcome options_settle(struct run *run);

/* For a job that changes nothing: GO_ON, or VERIFY_DIFFERS with each one that differs. */
enum outcome options_compare(struct run *run);

/* FLASH_OPTIONS: reads all of them for the caller. */
enum outcome options_show(struct run *run);
