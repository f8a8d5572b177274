/* SPDX-License-Identifier: MIT */
/*
 * inbox.h - messages of the desired topics that say something new, on their way to whoever acts on
 * them: no more than that can be paid for, whoever publishes them, for each costs writes that wait
 * for the disk, entries of the journal, and a question to the service.
 *
 * INBOX_AT_ONCE of them pass at once, and then one each INBOX_EACH_USEC. Of those beyond the newest
 * of each topic waits, in the order in which the topics came. One that stops something, since it is
 * empty or has `paused`, goes before those that do not; where both wait, they go in turn, so that
 * neither is kept up by a flood of the others.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <systemd/sd-event.h>

#include "base/util.h"
#include "fleet/desired.h"

/* What is kept, as it comes with the first connection, all of it once more, and one. */
#define INBOX_AT_ONCE	(2 * DESIRED_MOST + 1)
#define INBOX_EACH_USEC (6 * USEC_PER_SEC)

struct inbox;

/* The message's turn has come. Group and board: "" where there is none. */
typedef void inbox_handler(void *userdata, const char *group, const char *board,
	const void *payload, size_t n_payload);

/* 0 or -errno. */
int inbox_new(sd_event *event, inbox_handler *handler, void *userdata, struct inbox **ret);
struct inbox *inbox_free(struct inbox *inbox);

/*
 * A message of a topic, which desired_judge() took for new; the texts are within its bounds. The
 * handler is called within, or later; one of the same topic that waits goes. `is_new`: no message
 * of the topic is kept. 0, or -ENOMEM: it is lost, and what waited as well.
 */
int inbox_put(struct inbox *inbox, const char *group, const char *board, const void *payload,
	size_t n_payload, bool is_new);

/*
 * What waits for the board passes now, and those that come later pay for it: something came behind
 * it that does not wait.
 */
void inbox_hurry(struct inbox *inbox, const char *board);

/* The topic says again what is kept of it: what waits goes. */
void inbox_drop(struct inbox *inbox, const char *group, const char *board);

/* All that is retained comes once more: what waits goes. */
void inbox_clear(struct inbox *inbox);

/* Topics that wait and were new, but for this one. */
size_t inbox_promised(const struct inbox *inbox, const char *group, const char *board);
