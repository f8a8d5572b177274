/* SPDX-License-Identifier: MIT */
/* flash.c - the verb: write the image, verify it, start it. */
#include "cli/cli.h"
#include "cli/summary.h"
#include "cli/work.h"

int verb_flash(const struct options *options)
{
	CLEANUP(work_done) struct work work;

	if (work_open("flash", options, FLASH_UPDATE, &work))
		work_run(&work);
	return summary_tell(&work.session, stdout);
}
