/* SPDX-License-Identifier: MIT */
/*
 * facts.h - what the service says of its rules and units, asked again when something happened.
 */
#pragma once

#include <stdbool.h>

#include <systemd/sd-event.h>

#include "api/client.h"
#include "fleet/board.h"

/* Units that are looked at; further ones are not counted. */
#define FACTS_UNITS_MOST 4096

struct facts_asker;

/* `on_facts` is called from the event loop when they are others, or are not known any more, or
 * facts_why() is another. */
int facts_new(sd_event *event, struct client *client, void (*on_facts)(void *userdata),
	void *userdata, struct facts_asker **ret);
struct facts_asker *facts_free(struct facts_asker *asker);

/* What cannot be undone is done with fresh ones alone. */
enum facts_age facts_age(const struct facts_asker *asker);

/* Why they are not fresh, and what to do; while they are, that says nothing. */
const char *facts_why(const struct facts_asker *asker);

/* Whether the service is there and an answer is on its way: they are fresh in a moment, or
 * facts_why() says why not. */
bool facts_are_awaited(const struct facts_asker *asker);

/* As they were told last; empty ones before. */
const struct board_list *facts_boards(const struct facts_asker *asker);
const struct unit_list *facts_units(const struct facts_asker *asker);

/* They may be others now. Many such words in a short time are one question. */
void facts_outdate(struct facts_asker *asker);

/* The same where something waits for the answer: they are asked at once. */
void facts_ask(struct facts_asker *asker);

void facts_presence(struct facts_asker *asker, enum client_presence presence);
