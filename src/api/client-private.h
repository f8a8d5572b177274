/* SPDX-License-Identifier: MIT */
/* client-private.h - what the files of the client share. */
#pragma once

#include <sys/queue.h>
#include <systemd/sd-bus.h>

#include "api/client.h"
#include "base/text.h"

/* A call that was not answered yet. */
struct call {
	LIST_ENTRY(call) link;
	struct client *client;
	sd_bus_slot *slot;    /* of the question; NULL: nobody can be asked */
	sd_event_source *now; /* in its place: the refusal, at the next round */
	client_reply *reply;  /* NULL: nobody waits any more */
	void *userdata;
	uint64_t deadline_usec;
};

struct client {
	sd_event *event;
	const struct client_callbacks *callbacks;
	void *userdata;
	enum client_presence presence;
	struct reason why;

	sd_bus *bus; /* NULL: between two connections */
	bool is_connected;
	sd_bus_slot *owner_signal, *owner_question;
	sd_event_source *again; /* to connect, or to ask, once more */

	char *owner; /* unique name of the service, NULL: it is not there */
	sd_bus_slot *signals, *manager_question, *tree_question;
	bool has_manager; /* its properties are in the mirror; signals before are in them */
	bool has_tree;	  /* the same of all other objects */
	struct mirror mirror;

	LIST_HEAD(, call) calls;
};

/* The interface of that kind; the kind of that interface, or CLIENT_KIND_MAX. */
const char *client_interface(enum client_kind kind);
enum client_kind client_kind_of(const char *interface);

void client_set_presence(struct client *client, enum client_presence presence);

/* What the service tells cannot be used: it is asked again later. */
void client_refuse(struct client *client, const char *why);

/* Whether it is an answer and no error, upon which client_refuse() was called. */
bool client_take_answer(struct client *client, sd_bus_message *message);

/* Asks for everything; what is in the mirror already stays there meanwhile. 0 or -errno. */
int client_ask_for_all(struct client *client);

/* A signal of the service's objects. A handler of sd-bus. */
int client_on_signal(sd_bus_message *message, void *userdata, sd_bus_error *error);

/* Answers every call by CLIENT_AWAY, at the next round. */
void client_end_calls(struct client *client);

/* Drops every call. */
void client_drop_calls(struct client *client);
