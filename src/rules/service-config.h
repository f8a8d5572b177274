/* SPDX-License-Identifier: MIT */
/* service-config.h - the [service] of plugflash.conf as plain data. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct service_config {
	char *image_dir;
	uint32_t max_jobs; /* 0: no limit */
	uint64_t settle_usec;
	bool require_signature;
	bool accept_legacy_signatures; /* of minisign, over the bytes and not their hash */
	char *on_outcome;	       /* program run after each job, NULL: none */
	bool require_store;	       /* nothing is erased that cannot be remembered */
	char *trusted_keys;
	uint32_t transcripts; /* of so many jobs they are kept */
};
