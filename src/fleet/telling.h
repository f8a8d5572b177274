/* SPDX-License-Identifier: MIT */
/*
 * telling.h - which topics are to hold what, by what is known of the service: gateway, slots, units
 * and, where that is wanted, where Home Assistant looks for them. It says all of it each time; the
 * outbox knows what is new. Pure.
 *
 * All return 0, -ENOMEM, or -E2BIG where there are more topics than the outbox takes. What has no
 * topic (its name is too long) is left out.
 */
#pragma once

#include "api/state.h"
#include "fleet/outbox.h"
#include "fleet/payload.h"
#include "fleet/settings.h"

struct telling {
	const struct fleet_settings *settings;
	bool may_retry; /* a command of that verb is taken: the button of Home Assistant works */
	struct outbox *outbox;
};

int telling_gateway(const struct telling *telling, const struct payload_gateway *gateway,
	const struct state *state);

/* Of a service that is there. Slots that are not in the state any more are taken back. */
int telling_slots(const struct telling *telling, const struct state *state);

/*
 * The units of these rows of ListUnits, the one that was seen last first; `latest` has the version
 * that a unit is to have by the name of its board. Units that are not among them are taken back.
 */
int telling_units(const struct telling *telling, const struct state *state, const struct dict *rows,
	size_t n_rows, const struct dict *latest);
