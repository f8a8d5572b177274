/* SPDX-License-Identifier: MIT */
/* identify.c - the verb: have a board show which one it is. */
#include "cli/cli.h"
#include "cli/summary.h"
#include "cli/work.h"

int verb_identify(const struct options *options)
{
	CLEANUP(work_done) struct work work;

	if (work_open("identify", options, FLASH_IDENTIFY, &work))
		work_run(&work);
	return summary_tell(&work.session, stdout);
}
