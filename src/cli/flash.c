/* SPDX-License-Identifier: MIT */
/* flash.c - the verb: write the image, verify it, start it. */
#include "cli/cli.h"
#include "cli/summary.h"

int verb_flash(const struct options *options)
{
	CLEANUP(session_done) struct session session = {0};

	if (session_open("flash", options, FLASH_UPDATE, &session))
		session_run(&session);
	return summary_tell(&session, stdout);
}
