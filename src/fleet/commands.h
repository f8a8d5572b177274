/* SPDX-License-Identifier: MIT */
/*
 * commands.h - the commands at cmd/{id}: which are under way, what they ask of the service, and
 * which answer stands at their topics. command.h reads and writes the payloads.
 */
#pragma once

#include <systemd/sd-event.h>

#include "api/client.h"
#include "fleet/command.h"
#include "fleet/mqtt.h"

/* Commands that are under way, or whose answer the broker has not taken yet. */
#define COMMANDS_MOST 32

struct commands;

struct commands_callbacks {
	/*
	 * Publishes the payload at the topic of this id, retained, at least once. 0: it was handed
	 * over; MQTT_TOO_LARGE: it never will be; else not now, and commands_pump() tries it again.
	 * The payload is copied.
	 */
	int (*publish)(void *userdata, const char *id, const char *payload, size_t n);
	/*
	 * Pauses the wish of that board on this gateway, or ends each pause of it that the gateway
	 * made. 0, or another number with the reason: there is none.
	 */
	int (*pause_wish)(void *userdata, const char *board, bool is_paused, struct reason *reason);
};

/*
 * `client` is borrowed and outlives it; its owner forwards what the functions below take. No verb
 * is allowed at first. 0 or -ENOMEM.
 */
int commands_new(sd_event *event, struct client *client, const struct commands_callbacks *callbacks,
	void *userdata, struct commands **ret);
struct commands *commands_free(struct commands *commands);
void commands_freep(struct commands **commands); /* for CLEANUP() */

/* A bit 1U << enum command_verb each; of commands that come from now on. */
void commands_allow(struct commands *commands, unsigned allowed);

/*
 * What came at the topic of this id, also our own answers as the broker sends them back, and an
 * empty payload (the topic was cleared). `is_retained`: the broker had it before the subscription.
 */
void commands_take(
	struct commands *commands, const char *id, const char *payload, size_t n, bool is_retained);

/* The broker is there and was asked for the topics: each answer that it did not send back is
 * published again. */
void commands_connected(struct commands *commands);

/* There is room: publishes what waits. */
void commands_pump(struct commands *commands);

/* Forwarded from the callbacks of the client. */
void commands_job_removed(struct commands *commands, const char *path, const char *outcome,
	const struct dict *report);
void commands_presence(struct commands *commands, enum client_presence presence);
