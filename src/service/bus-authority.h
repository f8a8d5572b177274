/* SPDX-License-Identifier: MIT */
/*
 * bus-authority.h - may the sender of this call do that? root and the user of the service may; for
 * all others polkit is asked, and the answer is waited for by nobody.
 */
#pragma once

#include <stddef.h>
#include <sys/queue.h>

#include <systemd/sd-bus.h>

/*
 * Calls that wait for an answer. The bus says at once whose a call is. polkit may let somebody type
 * a password meanwhile: of its places one user has no more than half, so that nobody who is not
 * allowed keeps the others from steering, and root needs none.
 */
#define AUTHORITY_MOST_OF_ONE  8 /* sender */
#define AUTHORITY_MOST_OF_USER 32
#define AUTHORITY_MOST_ASKED   64 /* of polkit */
#define AUTHORITY_MOST	       256

struct authority {
	sd_bus *bus; /* NULL: there is none */
	TAILQ_HEAD(petition_list, petition) petitions;
	size_t n_petitions;
};

/* Does what was asked for, and answers: < 0 and the error of sd-bus, or a reply was sent. What the
 * call was about may be gone by then. */
typedef int (*authority_handler)(void *userdata, sd_bus_message *call, sd_bus_error *error);

void authority_init(struct authority *authority);

/* On this bus from now on. */
void authority_put(struct authority *authority, sd_bus *bus);

/* The bus goes, and all that waits with it. */
void authority_drop(struct authority *authority);

/*
 * Asks, and calls the handler once the sender may; else he is told that he may not. To be returned
 * by the handler of a method: 1, or < 0 and the error.
 */
int authority_ask(struct authority *authority, sd_bus_message *call, const char *action,
	authority_handler handler, void *userdata, sd_bus_error *error);
