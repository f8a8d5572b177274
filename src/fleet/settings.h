/* SPDX-License-Identifier: MIT */
/*
 * settings.h - fleet.conf: which broker, under which name, and what this gateway lets the fleet do.
 *
 * Knows keys, defaults and bounds, and nothing of how they are used. Every file that is named is
 * looked at, so that `plugflash-fleet --check` says what would fail at night.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ini.h"
#include "fleet/topics.h"

/* NULL: none, but where it says otherwise. */
struct fleet_broker {
	char *host; /* never NULL */
	uint16_t port;
	bool is_tls;
	char *ca; /* file of certificates; NULL: those of the system */
	char *certificate;
	char *key;
	char *alpn; /* a protocol name, as AWS IoT wants it on port 443 */
	char *user;
	char *password;
	char *client_id;	  /* never NULL */
	uint64_t keep_alive_usec; /* whole seconds */
	uint64_t retry_usec;	  /* after the first failure; doubled with each in a row */
	uint32_t rate;		  /* messages a second that are sent at the most */
	uint32_t message_most;	  /* bytes of one, in either direction */
};

struct fleet_download {
	char *ca; /* NULL: those of the system */
	char *certificate;
	char *key;
	uint32_t size_most;  /* bytes of one image */
	uint32_t space_left; /* bytes that stay free on the file system */
	uint32_t rate;	     /* bytes a second; 0: as fast as it comes */
	uint64_t idle_usec;  /* without a byte for so long: given up, and tried again */
	uint64_t spread_usec;
	bool plain_http; /* also http, to a loopback address */
};

struct fleet_rollout {
	uint32_t pause_after; /* failures of an image; 0: their number does not matter */
	uint32_t pause_share; /* percent of the units that tried it; 0: the share does not matter */
};

struct fleet_settings {
	char *gateway; /* never NULL */
	char **groups; /* as parse_list() makes one; the first wins over the next */
	size_t n_groups;
	char *trusted_keys; /* NULL: that of the service */
	bool accepts_legacy;
	bool home_assistant;
	struct fleet_broker broker;
	struct topics topics;
	struct fleet_download download;
	struct fleet_rollout rollout;
	unsigned commands; /* bits of enum command_verb that are allowed */
};

/*
 * Reads DIRECTORY/fleet.conf. All problems are collected; where there are any, `ret` is left alone
 * and the result is OUTCOME_BAD_CONFIG. A missing file is a problem. -errno when the environment
 * fails.
 */
int fleet_settings_load(
	const char *directory, struct fleet_settings *ret, struct ini_problems *problems);

/* Frees it, the password overwritten. For CLEANUP(), too. */
void fleet_settings_done(struct fleet_settings *settings);
