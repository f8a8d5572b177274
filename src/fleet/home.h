/* SPDX-License-Identifier: MIT */
/*
 * home.h - a unit as Home Assistant wants it announced: an `update` entity by MQTT discovery, which
 * reads what the unit's topic says already. Pure.
 */
#pragma once

#include "api/dict.h"
#include "base/text.h"

/*
 * What Home Assistant calls it: letters, digits, '_' and '-' alone, two units of two gateways never
 * the same. To be freed; NULL without memory.
 */
char *home_id(const char *gateway, const char *unit);

/* Likewise, of the command that the button of that unit sends to its gateway. */
char *home_command_id(const char *unit);

struct home_unit {
	const char *gateway;
	const char *unit;	   /* payload_unit_name() */
	const char *id;		   /* home_id() */
	const struct dict *row;	   /* of ListUnits */
	const char *status_topic;  /* of the gateway */
	const char *unit_topic;	   /* what it reads */
	const char *command_topic; /* its button writes there; NULL: it has none */
};

/* Its configuration, for free(). 0 or -ENOMEM. */
int home_payload(const struct home_unit *unit, char **ret);
