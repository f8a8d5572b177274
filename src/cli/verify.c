/* SPDX-License-Identifier: MIT */
/* verify.c - the verb: compare the flash with the image, change nothing. */
#include "cli/cli.h"
#include "cli/summary.h"

int verb_verify(const struct options *options)
{
	CLEANUP(session_done) struct session session = {0};

	if (session_open("verify", options, FLASH_VERIFY, &session))
		session_run(&session);
	return summary_tell(&session, stdout);
}
