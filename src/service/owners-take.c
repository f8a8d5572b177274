/* SPDX-License-Identifier: MIT */
/*
 * owners-take.c - a job that needs its port takes the owners of that:
 *
 *   owners_take()   systemd is asked for the state of the units
 *   on_list()       those that run are ordered to stop, each with its row in the store first
 *   on_stopped()    one has ended, or could not be stopped
 *   the callback    none is on its way any more: the job is answered
 *
 * Two jobs may wait for one unit, which is stopped once. A unit that could not be stopped ends the
 * jobs that wait for it; what was stopped for them is started by the next turn, as for any job that
 * has ended.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/util.h"
#include "service/handover.h"
#include "service/owners-private.h"

static struct owner *find_owner(struct owners *owners, const char *id)
{
	struct owner *owner;

	TAILQ_FOREACH(owner, &owners->items, link)
	{
		if (strcmp(owner->row.id, id) == 0)
			return owner;
	}
	return NULL;
}

/* ---------------------------------------------------------------------------------- a job */

static void taking_free(struct taking *taking)
{
	struct owners *owners = taking->owners;

	TAILQ_REMOVE(&owners->takings, taking, link);
	if (owners->systemd1)
		systemd1_forget(owners->systemd1, taking);
	parse_list_free(taking->names);
	free(taking);
}

static bool waits_for(const struct taking *taking, const struct owner *owner)
{
	return owner_is_named(taking->names, taking->n_names, owner);
}

/* The first reason counts. */
static void refuse_taking(
	struct taking *taking, int fault, const char *unit, const struct reason *said)
{
	if (!taking->answer.is_free)
		return;
	taking->answer.is_free = false;
	taking->answer.is_final = fault != SYSTEMD1_AWAY && fault != SYSTEMD1_CONFLICT;
	owner_words_refusal(fault, unit, said, &taking->answer.reason);
}

static void answer_if_over(struct taking *taking)
{
	struct owners *owners = taking->owners;
	struct owners_answer answer;
	const struct owner *owner;
	owners_callback callback = taking->callback;
	void *userdata = taking->userdata;

	if (!taking->is_listed)
		return;
	TAILQ_FOREACH(owner, &owners->items, link)
	{
		if ((owner->state == OWNER_STOPPING || owner->state == OWNER_AWAITED) &&
			waits_for(taking, owner))
			return;
	}
	answer = taking->answer;
	answer.took_usec = monotonic_usec() - taking->begun_usec;
	taking_free(taking);
	callback(userdata, &answer);
}

/* Answers jobs that have all they waited for. Each answer may change the list. */
static void answer_takings(struct owners *owners)
{
	struct taking *taking = TAILQ_FIRST(&owners->takings), *next;

	for (; taking; taking = next) {
		next = TAILQ_NEXT(taking, link);
		answer_if_over(taking);
	}
	owners_wake(owners);
}

/* -------------------------------------------------------------------------------- the stop */

static void refuse_takings(const struct owner *owner, int fault, const struct reason *said)
{
	struct taking *taking;

	TAILQ_FOREACH(taking, &owner->owners->takings, link)
	{
		if (waits_for(taking, owner))
			refuse_taking(taking, fault, owner->row.id, said);
	}
}

/* Whether it may be down: an order that was refused has changed nothing. */
static bool is_touched(const struct systemd1_answer *answer)
{
	return answer->fault == 0 || answer->fault == SYSTEMD1_SLOW ||
	       answer->fault == SYSTEMD1_AWAY;
}

static void on_stopped(void *userdata, const struct systemd1_answer *answer)
{
	struct owner *owner = userdata;
	struct owners *owners = owner->owners;
	struct reason why = answer->reason;

	if (answer->fault)
		refuse_takings(owner, answer->fault, &why);
	else if (!handover_is_done(answer->result)) {
		reason_set(&why, "its job ended as '%s'", answer->result);
		refuse_takings(owner, SYSTEMD1_CONFLICT, &why);
	}
	owner->is_forced = answer->fault == SYSTEMD1_SLOW;
	if (owner->state == OWNER_AWAITED || !is_touched(answer))
		owner_forget(owner);
	else
		owner->state = OWNER_DOWN;
	answer_takings(owners);
}

static void add_stopped(struct taking *taking, const char *id)
{
	size_t n = strlen(taking->answer.stopped);

	snprintf(taking->answer.stopped + n, sizeof(taking->answer.stopped) - n, "%s%s",
		n > 0 ? " " : "", id);
}

/* Orders its stop, as one of ours or of somebody else. */
static int stop(struct taking *taking, struct owner *owner, const struct systemd_unit *unit)
{
	struct owners *owners = taking->owners;
	bool is_ours = owner->state != OWNER_AWAITED;

	systemd1_forget(owners->systemd1, owner);
	if (is_ours) {
		owner->state = OWNER_STOPPING;
		owner_keep(owner);
		add_stopped(taking, unit->id);
	}
	return systemd1_stop(owners->systemd1, unit, on_stopped, owner);
}

static int take_unit(struct taking *taking, const struct systemd_unit *unit)
{
	struct owners *owners = taking->owners;
	struct owner *owner = find_owner(owners, unit->id);
	enum handover_way way = handover_way_of(unit, owner && owner->state == OWNER_OWED);
	enum owner_state state = way == HANDOVER_AWAIT ? OWNER_AWAITED : OWNER_STOPPING;
	struct reason why;

	if (owner && (owner->state == OWNER_STOPPING || owner->state == OWNER_AWAITED))
		return 0;
	if (way == HANDOVER_TAKE && owner)
		owner->state = OWNER_DOWN;
	/* polkit is still asked about its start, so that systemd knows of none yet. */
	if (way == HANDOVER_LEAVE && owner && owner->state == OWNER_STARTING)
		way = HANDOVER_STOP;
	if (way == HANDOVER_REFUSE) {
		reason_set(&why, "it is '%s'", unit->load);
		refuse_taking(taking, SYSTEMD1_IMPOSSIBLE, unit->id, &why);
	}
	if (way != HANDOVER_STOP && way != HANDOVER_AWAIT)
		return 0;
	if (!owner)
		owner = owner_add(owners, state, unit->id, unit->name, wall_clock_msec());
	return owner ? stop(taking, owner, unit) : -ENOMEM;
}

static void on_list(void *userdata, const struct systemd1_answer *answer)
{
	struct taking *taking = userdata;
	struct owners *owners = taking->owners;
	struct reason why;
	int r = 0;

	taking->is_listed = true;
	if (answer->fault)
		refuse_taking(taking, answer->fault, taking->names[0], &answer->reason);
	for (size_t i = 0; i < answer->n_units && taking->answer.is_free; i++) {
		r = take_unit(taking, &answer->units[i]);
		if (r < 0)
			reason_set(&why, "%s", strerror(-r));
		if (r < 0)
			refuse_taking(taking, SYSTEMD1_AWAY, answer->units[i].id, &why);
	}
	answer_takings(owners);
}

int owners_take(struct owners *owners, char *const *names, size_t n_names, owners_callback callback,
	void *userdata)
{
	struct taking *taking;
	int r = owners->systemd1 ? 0 : systemd1_new(owners->parts.event, &owners->systemd1);

	if (r < 0)
		return r;
	taking = calloc(1, sizeof(*taking));
	if (!taking)
		return -ENOMEM;
	*taking = (struct taking){.owners = owners,
		.callback = callback,
		.userdata = userdata,
		.n_names = n_names,
		.begun_usec = monotonic_usec(),
		.answer.is_free = true};
	TAILQ_INSERT_TAIL(&owners->takings, taking, link);
	r = parse_list_copy(names, n_names, &taking->names);
	if (r == 0)
		r = systemd1_list(owners->systemd1, taking->names, n_names, on_list, taking);
	if (r < 0)
		taking_free(taking);
	return r;
}

void owners_forget(struct owners *owners, const void *userdata)
{
	struct taking *taking = TAILQ_FIRST(&owners->takings), *next;

	for (; taking; taking = next) {
		next = TAILQ_NEXT(taking, link);
		if (taking->userdata == userdata)
			taking_free(taking);
	}
}

void owners_drop_takings(struct owners *owners)
{
	struct taking *taking;

	while ((taking = TAILQ_FIRST(&owners->takings)))
		taking_free(taking);
}
