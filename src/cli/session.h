/* SPDX-License-Identifier: MIT */
/*
 * session.h - one run of a verb that works on a board: which bridge, which rule, which image, then
 * the job itself.
 *
 * Prints problems of the configuration and progress to standard error, and nothing to standard
 * output: the report says how it ended, and summary.h prints that.
 */
#pragma once

#include "cli/options.h"
#include "cli/recorder.h"
#include "flash/assignment.h"
#include "rules/facts.h"

struct session {
	const char *verb;
	const struct options *options;
	bool is_wrong_use; /* of the command, see the reason; the exit code is EXIT_USAGE */
	struct config config;
	struct facts bridge;
	struct assignment assignment;
	struct report report;
	struct recorder recorder;
	bool was_asked_to_end; /* by a signal, while it ran */
	uint8_t *read;	       /* FLASH_READ: the bytes */
	uint32_t n_read;
	struct chip_options options_read; /* FLASH_OPTIONS */
};

/*
 * Chooses all of it without opening a port. False: the report's outcome and reason say why not, or
 * that the command was used wrongly. Free with session_done() either way. Without `has_image` no
 * image is chosen, also where the action needs one: the service chooses it.
 */
bool session_open(const char *verb, const struct options *options, enum flash_action action,
	bool has_image, struct session *ret);

/* Runs the job with progress on standard error. Signals cancel it until the erase begins. */
void session_run(struct session *session);

void session_done(struct session *session);
