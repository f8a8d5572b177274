/* SPDX-License-Identifier: MIT */
/*
 * gateway.h - gateways that are not there: what plugflash-fleet sees of a host, the system bus and
 * plugflashd on it with bridges, slots, units and attempts, many of them in the test's own process.
 *
 * A gateway listens where its agent's DBUS_SYSTEM_BUS_ADDRESS points, and is bus and service in
 * one, as plugflash-bus(5) has them. Its units are updated by what lies in its image directory,
 * chosen and loaded by the library of the service, rollout files and signatures included; nothing
 * is flashed: an attempt ends in the turn in which it began, unless the test ends it. An image with
 * GATEWAY_BAD in its bytes is written well and not confirmed, and the unit goes back to what it
 * held, as by `rollback = yes`.
 *
 * Its clock is the wall clock and what the test adds. Failures end the test. Only tests include it,
 * after cmocka.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "records/store.h"

#define GATEWAY_BOARD "gate"
/* Below the image directory; the folder is the agent's. */
#define GATEWAY_FLEET "fleet"
#define GATEWAY_GLOB  GATEWAY_FLEET "/gate-*.hex"
/* In the bytes of an image that no unit confirms. */
#define GATEWAY_BAD "this application does not start"

struct gateway_setup {
	const char *name;   /* also of its units: NAME's sha256 is where their ids begin */
	const char *folder; /* there already, and the gateway's; "bus" and "images" are made */
	const char *trusted_keys; /* NULL: no signature is required */
	unsigned n_units;
	const char *image, *version, *sha256; /* that all units hold; NULL: nothing is known */
};

struct gateway;

/* The loop is referenced, the setup's texts are copied. */
struct gateway *gateway_new(sd_event *event, const struct gateway_setup *setup);
struct gateway *gateway_free(struct gateway *gateway); /* NULL is fine */

const char *gateway_name(const struct gateway *gateway);
/* The value of DBUS_SYSTEM_BUS_ADDRESS, and the folder in which the agent places images. */
const char *gateway_address(const struct gateway *gateway);
const char *gateway_images(const struct gateway *gateway);

/* ------------------------------------------------------------------------------- units */

/* What is kept of the unit of that number, from 0 on. */
const struct store_unit *gateway_unit(const struct gateway *gateway, unsigned number);
unsigned gateway_count_units(const struct gateway *gateway);
/* Units that hold this version whole. */
unsigned gateway_count_version(const struct gateway *gateway, const char *version);

/* Looks into the image directory by itself whenever something changes there; this is for what
 * changes with time alone. */
void gateway_look(struct gateway *gateway);

/* One more unit, in a slot of its own, as if it had just been plugged in; its number. */
unsigned gateway_plug(struct gateway *gateway);
void gateway_unplug(struct gateway *gateway, unsigned number);

/* ---------------------------------------------------------------------------- attempts */

/* From now on an attempt that began stays until gateway_end_attempts(), or those to come end at
 * once again. */
void gateway_hold_attempts(struct gateway *gateway);
void gateway_release_attempts(struct gateway *gateway);
/* Ends those that are under way, each with its way back; they are held on where they were. */
void gateway_end_attempts(struct gateway *gateway);

/* So many attempts are under way at the most, as `jobs` of plugflash.conf(5) has it; others begin
 * with the next look. */
void gateway_limit_attempts(struct gateway *gateway, unsigned most);
unsigned gateway_count_running(const struct gateway *gateway);

/* An attempt of that unit that has ended so, as if it had been plugged in again; its id. */
int64_t gateway_attempt(struct gateway *gateway, unsigned number, enum outcome outcome);
/* All ids are 1 to this one. */
int64_t gateway_last_id(const struct gateway *gateway);
unsigned gateway_count_attempts(const struct gateway *gateway, enum outcome outcome);
/* The store knows those from here on alone. */
void gateway_forget_attempts(struct gateway *gateway, int64_t first_id);

/* The clock of the gateway goes ahead. */
void gateway_pass(struct gateway *gateway, int64_t msec);

/* ----------------------------------------------------------------------------- service */

/* plugflashd ends, or starts; the bus stays. */
void gateway_stop_service(struct gateway *gateway);
void gateway_start_service(struct gateway *gateway);

/* Calls of that method so far, Retry and its like included; connections that are open. */
unsigned gateway_count_calls(const struct gateway *gateway, const char *method);
unsigned gateway_count_connections(const struct gateway *gateway);
