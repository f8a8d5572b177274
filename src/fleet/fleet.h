/* SPDX-License-Identifier: MIT */
/* fleet.h - the life of plugflash-fleet: between the service's bus and the broker. */
#pragma once

#include "base/text.h"
#include "fleet/settings.h"

struct fleet_options {
	const char *configuration; /* directory of fleet.conf, which a reload reads again */
	const char *state;	   /* directory of this process alone, which is there */
	const char *images;	   /* the folder in which the service finds what the fleet wants */
};

/* Whether the folder of images is there and may be written. 0, or -errno with the reason. */
int fleet_check_images(const char *images, struct reason *reason);

/*
 * Until SIGTERM, once the broker was told. Takes the settings. 0, or -errno with the reason.
 */
int fleet_run(const struct fleet_options *options, struct fleet_settings *settings,
	struct reason *reason);
