/* SPDX-License-Identifier: MIT */
/*
 * protect.c - the verbs on protection. What cannot be taken back is asked for before the port is
 * opened, once it is known which board is meant.
 */
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/summary.h"
#include "cli/units.h"
#include "cli/work.h"

/* `lost`: what it costs, as a sentence that goes on after the name of the board. */
static int protect(
	const struct options *options, const char *verb, enum flash_action action, const char *lost)
{
	CLEANUP(work_done) struct work work;
	char sentence[sizeof((struct reason){""}.text)], port[64], rule[TEXT_MAX];
	int exit_code;

	if (work_open(verb, options, action, &work)) {
		const struct assignment *assignment = &work.session.assignment;

		snprintf(sentence, sizeof(sentence), "the board behind %s (%s) %s",
			units_port(assignment->port, port, sizeof(port)),
			text_escape(assignment->board.name, rule, sizeof(rule)), lost);
		if (!ask_yes(options, verb, sentence, &exit_code))
			return exit_code;
		work_run(&work);
	}
	return summary_tell(&work.session, stdout);
}

int verb_protect(const struct options *options)
{
	return protect(options, "protect", FLASH_PROTECT,
		"gets read-out protection: its flash can be read or compared by nobody any more, and only a wipe of all of it lifts that");
}

int verb_unprotect(const struct options *options)
{
	return protect(options, "unprotect", FLASH_UNPROTECT,
		"loses all that its flash holds, application, settings and keys, where it has read-out protection: lifting that wipes it");
}

int verb_write_unprotect(const struct options *options)
{
	return protect(options, "write-unprotect", FLASH_WRITE_UNPROTECT,
		"loses the write protection of all its pages, such as those of a boot loader of its own; the boot loader of an STM32F1 puts its other option bytes back to those of a new chip with it");
}
