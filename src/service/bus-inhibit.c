/* SPDX-License-Identifier: MIT */
/*
 * bus-inhibit.c - an inhibitor is a pipe. The caller has the one end, and the hold lasts until it
 * is closed, however he ends; ours says so by EPOLLHUP. One that is for a bridge is given once no
 * worker has that bridge, so that whoever has it may open the port.
 *
 * A caller who leaves while he waits is not seen: the descriptor that is sent to him then is closed
 * by the bus, which releases the hold.
 */
#include "service/bus-inhibit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/names.h"
#include "base/util.h"
#include "service/steering.h"

/* An inhibitor, from the call on. */
struct inhibit {
	TAILQ_ENTRY(inhibit) link;
	struct inhibits *inhibits;
	unsigned id;	   /* the dispatcher's */
	uint64_t bridge;   /* 0: all of them */
	bool needs_owners; /* they are still to be stopped */
	bool is_asking;	   /* they are being stopped */
	bool changes_flash;
	int ours; /* the end that sees the other one closed */
	sd_event_source *source;
	sd_bus_message *call; /* waits for the answer; NULL: it was given */
	int theirs;	      /* until then */
};

static void release(struct inhibit *inhibit)
{
	struct inhibits *inhibits = inhibit->inhibits;

	TAILQ_REMOVE(&inhibits->items, inhibit, link);
	dispatcher_forget_owners(inhibits->dispatcher, inhibit);
	dispatcher_release(inhibits->dispatcher, inhibit->id);
	sd_event_source_disable_unref(inhibit->source);
	closep(&inhibit->ours);
	closep(&inhibit->theirs);
	sd_bus_message_unref(inhibit->call);
	free(inhibit);
}

static int on_hang_up(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	(void)source;
	(void)fd;
	(void)events;
	release(userdata);
	return 0;
}

static int make_inhibit(struct inhibits *inhibits, unsigned id, const struct inhibit_wish *wish,
	sd_bus_message *call)
{
	struct inhibit *inhibit = calloc(1, sizeof(*inhibit));
	int ends[2], r;

	if (!inhibit || pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		r = inhibit ? -errno : -ENOMEM;
		free(inhibit);
		dispatcher_release(inhibits->dispatcher, id);
		return r;
	}
	*inhibit = (struct inhibit){.inhibits = inhibits,
		.id = id,
		.bridge = wish->bridge,
		.needs_owners = wish->stops_owners,
		.changes_flash = wish->changes_flash,
		.ours = ends[0],
		.theirs = ends[1],
		.call = sd_bus_message_ref(call)};
	TAILQ_INSERT_TAIL(&inhibits->items, inhibit, link);
	/* No event but the other end's close, which is always told. */
	r = sd_event_add_io(
		inhibits->event, &inhibit->source, inhibit->ours, 0, on_hang_up, inhibit);
	/* Its hold goes with it. */
	if (r < 0)
		release(inhibit);
	return r < 0 ? r : 0;
}

/* Once nobody else has the port; the copy of the descriptor that is sent is theirs alone. */
static int give(struct inhibit *inhibit)
{
	int r;

	/* Before the first erase, as for an update of the service's own. */
	if (inhibit->changes_flash)
		dispatcher_distrust(inhibit->inhibits->dispatcher, inhibit->bridge);
	r = sd_bus_reply_method_return(inhibit->call, "h", inhibit->theirs);

	inhibit->call = sd_bus_message_unref(inhibit->call);
	closep(&inhibit->theirs);
	inhibit->theirs = -1;
	return r;
}

static void on_owners(void *userdata, const struct owners_answer *answer)
{
	struct inhibit *inhibit = userdata;

	inhibit->is_asking = inhibit->needs_owners = false;
	if (answer->is_free)
		return;
	(void)sd_bus_reply_method_errorf(inhibit->call, BUS_ERROR_BUSY, "%s", answer->reason.text);
	release(inhibit);
}

/* Has the units stopped that own the port, once: whether they have ended by now. */
static bool has_owners(struct inhibit *inhibit)
{
	if (inhibit->is_asking)
		return false;
	if (!inhibit->needs_owners)
		return true;
	inhibit->is_asking = dispatcher_hold_owners(inhibit->inhibits->dispatcher, inhibit->id,
				     inhibit->bridge, on_owners, inhibit) == HOLD_OWNERS_ASKED;
	return !inhibit->is_asking;
}

int inhibits_take(struct inhibits *inhibits, const struct inhibit_wish *wish, sd_bus_message *call,
	struct reason *reason)
{
	unsigned id;
	int r = dispatcher_inhibit(
		inhibits->dispatcher, wish->bridge, wish->who, wish->why, &id, reason);

	if (r != 0)
		return r;
	r = make_inhibit(inhibits, id, wish, call);
	if (r < 0)
		return r;
	inhibits_turn(inhibits);
	return 0;
}

void inhibits_turn(struct inhibits *inhibits)
{
	struct inhibit *inhibit = TAILQ_FIRST(&inhibits->items), *next;

	for (; inhibit; inhibit = next) {
		next = TAILQ_NEXT(inhibit, link);
		if (!inhibit->call)
			continue;
		if (inhibit->bridge > 0 &&
			(dispatcher_has_worker(inhibits->dispatcher, inhibit->bridge) ||
				!has_owners(inhibit)))
			continue;
		if (give(inhibit) < 0)
			release(inhibit);
	}
}

void inhibits_drop(struct inhibits *inhibits)
{
	struct inhibit *inhibit = TAILQ_FIRST(&inhibits->items), *next;

	for (; inhibit; inhibit = next) {
		next = TAILQ_NEXT(inhibit, link);
		if (inhibit->call)
			release(inhibit);
	}
}

void inhibits_init(struct inhibits *inhibits, sd_event *event, struct dispatcher *dispatcher)
{
	*inhibits = (struct inhibits){.event = event, .dispatcher = dispatcher};
	TAILQ_INIT(&inhibits->items);
}

void inhibits_done(struct inhibits *inhibits)
{
	struct inhibit *inhibit = TAILQ_FIRST(&inhibits->items), *next;

	for (; inhibit; inhibit = next) {
		next = TAILQ_NEXT(inhibit, link);
		release(inhibit);
	}
}
