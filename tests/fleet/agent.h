/* SPDX-License-Identifier: MIT */
/*
 * agent.h - one host of the fleet: the real plugflash-fleet with folders of its own, on a gateway
 * that is not there, or beside a service that the test runs.
 */
#pragma once

#include "fleet/broker.h"
#include "fleet/farm.h"
#include "fleet/gateway.h"
#include "fleet/signing.h"

struct agent_setup {
	const char *name;	 /* of the gateway */
	const char *certificate; /* of broker_make_certificate(), in `certificates` */
	const char *certificates;
	struct broker *broker;
	struct signing *signing;
	unsigned n_units;
	const struct made_image *holds; /* all of its units; NULL: nothing is known */
	const char *fleet;		/* further keys of [fleet]; NULL: none */
	const char *sections;		/* further keys of [download], and sections; NULL: none */
	/* Bus and folder of a service that is real; NULL: a gateway that is not there is made. */
	const char *address, *images;
};

struct agent;

/* Makes folders, configuration and gateway; the agent does not run yet. Borrows farm and broker. */
struct agent *agent_new(struct farm *farm, const struct agent_setup *setup);
struct agent *agent_free(struct agent *agent); /* NULL is fine */

/* `environment`: at most four "NAME=value" besides, NULL-terminated; NULL: none. */
void agent_start(struct agent *agent, const char *const *environment);
/* With kill-preload.c, and one word for it: "KILL_AT=N" or "KILL_COUNT=FILE". */
void agent_start_killable(struct agent *agent, const char *word);
struct child *agent_child(struct agent *agent);
struct gateway *agent_gateway(const struct agent *agent); /* NULL: it is real */
const char *agent_name(const struct agent *agent);
/* Its state directory, and the file with what it said. */
const char *agent_state(const struct agent *agent);
const char *agent_log(const struct agent *agent);

/* A topic of the gateway, "plugflash/NAME/..."; the caller's to free. */
char *agent_topic(const struct agent *agent, const char *format, ...) PRINTF_LIKE(2, 3);

/* ------------------------------------------------------------------------------- wishes */

/* Where percent is -1 and a text NULL, the wish does not have that key. */
struct desired {
	const struct made_image *image;
	const char *url;
	int percent;
	const char *not_before, *window;
	bool is_paused;
};

/* The payload of a wish for the board of the image; the caller's to free. */
char *desired_text(const struct desired *desired);
