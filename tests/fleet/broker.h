/* SPDX-License-Identifier: MIT */
/*
 * broker.h - Debian's mosquitto, started by the test: TLS with client certificates for agents, on
 * FARM_TLS_PORT, and a listener without for the test's own clients, on FARM_PORT.
 *
 * An agent is known by its certificate, whose name is that of its gateway, and reads and writes
 * what is its own: the ACL is the one that src/doc/fleet.md tells.
 */
#pragma once

#include "fleet/farm.h"

struct broker;

/* Makes the certificates; it does not run yet. Borrows the farm. */
struct broker *broker_new(struct farm *farm);
struct broker *broker_free(struct broker *broker);

/* Comes back when it takes connections. Sessions and retained messages of before are there. */
void broker_start(struct broker *broker);
/* As a power cut takes it: what it had not written is lost. */
void broker_kill(struct broker *broker);
/* Writes what it knows to its disk, which a kill does not take. */
void broker_save(struct broker *broker);

struct child *broker_child(struct broker *broker);

/* The file of the authority that agents believe. */
const char *broker_ca(const struct broker *broker);

/*
 * A certificate of that name, "NAME.crt" and "NAME.key" in the folder. An agent that has one of
 * BROKER_ANY may say everything: for so many agents that certificates would take longer than the
 * test.
 */
#define BROKER_ANY "any"
void broker_make_certificate(struct broker *broker, const char *name, const char *folder);
