/* SPDX-License-Identifier: MIT */
/* verbs.c - all verbs, in the order of the help. */
#include "base/util.h"
#include "cli/cli.h"

#define OPTIONS_JOB (OPTIONS_COMMON | OPTIONS_BRIDGE)

const struct verb verbs[] = {
	{"list", NULL, "Bridges present, and the rule each would get; opens no port.",
		OPTIONS_COMMON, verb_list},
	{"flash", NULL,
		"Write an image, verify it and start it, unless the board holds it already.",
		OPTIONS_JOB | OPTIONS_IMAGE | OPTIONS_DRY_RUN, verb_flash},
	{"verify", NULL, "Compare the flash with the image; change nothing.",
		OPTIONS_JOB | OPTIONS_IMAGE, verb_verify},
	{"read", "FILE", "Read the flash to a raw file; - is standard output.",
		OPTIONS_JOB | OPTIONS_RANGE, verb_read},
	{"probe", NULL, "Enter the boot loader and tell what chip it is; change nothing.",
		OPTIONS_JOB, verb_probe},
	{"erase", "[all]", "Erase the whole flash, or pages of it; nothing is written.",
		OPTIONS_JOB | OPTIONS_ERASE | OPTIONS_DRY_RUN, verb_erase},
	{"start", NULL, "Start the application, or what begins at an address.",
		OPTIONS_JOB | OPTIONS_START, verb_start},
	{"protect", NULL, "Set the read-out protection: nobody reads the flash any more.",
		OPTIONS_JOB | OPTIONS_YES, verb_protect},
	{"unprotect", NULL, "Lift the read-out protection, which wipes the whole flash.",
		OPTIONS_JOB | OPTIONS_YES, verb_unprotect},
	{"write-unprotect", NULL, "Lift the write protection of all pages.", OPTIONS_JOB,
		verb_write_unprotect},
	{"option-bytes", "[set NAME=VALUE...]",
		"Show the chip's option bytes by their names, or set some; STM32 alone.",
		OPTIONS_JOB | OPTIONS_YES, verb_option_bytes},
	{"stub-test", NULL,
		"Try the program in an STM32's RAM on one board, and tell what came of it.",
		OPTIONS_JOB | OPTIONS_IMAGE | OPTIONS_STUB | OPTIONS_YES, verb_stub_test},
	{"images", NULL, "The images each rule finds, the one it gets, and why; opens no port.",
		OPTIONS_COMMON, verb_images},
	{"status", NULL, "What the service does now, slot by slot, and what to do next.",
		OPTIONS_COMMON, verb_status},
	{"monitor", NULL, "The same live, until Ctrl-C; a line an event where it is no terminal.",
		OPTIONS_COMMON, verb_monitor},
	{"history", NULL, "What the service flashed, when, and how it ended.",
		OPTIONS_COMMON | OPTIONS_UNITS | OPTIONS_ATTEMPTS, verb_history},
	{"retry", NULL, "Have the service try units again that failed.",
		OPTIONS_COMMON | OPTIONS_UNITS | OPTIONS_TRIALS, verb_retry},
	{"pause", "[REASON]",
		"Have the service begin with no board until resume; it finishes those it has.",
		OPTIONS_MACHINE, verb_pause},
	{"resume", NULL, "End the pause.", OPTIONS_MACHINE, verb_resume},
	{"batch", "[start RULE | stop]",
		"So many boards of a rule, and then a pause; without a word: show it.",
		OPTIONS_MACHINE | OPTIONS_BATCH, verb_batch},
	{"check-config", NULL, "Say whether the configuration is good, and everything that is not.",
		OPTIONS_COMMON, verb_check_config},
};

const size_t n_verbs = ARRAY_SIZE(verbs);
