/* SPDX-License-Identifier: MIT */
/* start.c - the verb: start the application, as the rule has it or at an address. */
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/summary.h"
#include "cli/work.h"

static int start_board(const struct options *options, uint32_t address)
{
	CLEANUP(work_done) struct work work;

	if (work_open("start", options, FLASH_START, &work)) {
		work.session.assignment.has_start_address = options->start != NULL;
		work.session.assignment.start_address = address;
		work_run(&work);
	}
	return summary_tell(&work.session, stdout);
}

int verb_start(const struct options *options)
{
	char escaped[TEXT_MAX];
	uint32_t address = 0;

	if (!options->start || parse_address(options->start, &address) == 0)
		return start_board(options, address);
	fprintf(stderr, "plugflash start: '%s' is no address such as 0x08000000\n",
		text_escape(options->start, escaped, sizeof(escaped)));
	return EXIT_USAGE;
}
