/* SPDX-License-Identifier: MIT */
/* verify.c - the verb: compare the flash with the image, change nothing. */
#include "cli/cli.h"
#include "cli/summary.h"
#include "cli/work.h"

int verb_verify(const struct options *options)
{
	CLEANUP(work_done) struct work work;

	if (work_open("verify", options, FLASH_VERIFY, &work))
		work_run(&work);
	return summary_tell(&work.session, stdout);
}
