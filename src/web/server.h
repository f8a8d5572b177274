/* SPDX-License-Identifier: MIT */
/* server.h - the life of plugflash-web. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "web/listen.h"

struct server_options {
	const struct listening *listening;
	const char *page; /* directory of its files */
	const char *const
		*hosts;	 /* more names under which the page may be opened; NULL ends them */
	uint32_t idle_s; /* it ends after so long without a connection; 0: never */
};

/* Until SIGTERM, or nobody is connected for so long. 0, or -errno with the reason. */
int server_run(const struct server_options *options, struct reason *reason);
