/* SPDX-License-Identifier: MIT */
#include "fleet/inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "fleet/budget.h"

static const struct budget_rate rate = {INBOX_AT_ONCE, INBOX_EACH_USEC};

/* The newest of a topic. */
struct waiting {
	char group[DESIRED_GROUP_MAX];
	char board[WISH_BOARD_MAX];
	char wish_board[WISH_BOARD_MAX]; /* which it is for; "": that cannot be known */
	bool is_new;
	bool is_stop;
	char *payload;
	size_t n_payload;
};

struct inbox {
	inbox_handler *handler;
	void *userdata;
	sd_event_source *timer;
	struct budget budget;
	struct budget lines;
	struct waiting *items; /* in the order in which their topics came */
	size_t n_items;
	bool was_stop; /* the last that had its turn */
};

/* ------------------------------------------------------------------ what waits */

static bool is_of(const struct waiting *item, const char *group, const char *board)
{
	return strcmp(item->group, group) == 0 && strcmp(item->board, board) == 0;
}

static struct waiting *find(struct inbox *inbox, const char *group, const char *board)
{
	for (size_t i = 0; i < inbox->n_items; i++)
		if (is_of(&inbox->items[i], group, board))
			return &inbox->items[i];
	return NULL;
}

/* Its payload is the caller's. */
static struct waiting take_off(struct inbox *inbox, struct waiting *item)
{
	struct waiting taken = *item;

	inbox->n_items--;
	memmove(item, item + 1, (size_t)(inbox->items + inbox->n_items - item) * sizeof(*item));
	return taken;
}

static struct waiting *add(struct inbox *inbox, const char *group, const char *board, bool is_new)
{
	struct waiting *grown = room_for_one(inbox->items, inbox->n_items, sizeof(*grown));

	if (!grown)
		return NULL;
	inbox->items = grown;
	grown = &grown[inbox->n_items++];
	*grown = (struct waiting){.is_new = is_new};
	text_copy(grown->group, sizeof(grown->group), group);
	text_copy(grown->board, sizeof(grown->board), board);
	return grown;
}

size_t inbox_promised(const struct inbox *inbox, const char *group, const char *board)
{
	size_t n = 0;

	for (size_t i = 0; i < inbox->n_items; i++)
		n += inbox->items[i].is_new && !is_of(&inbox->items[i], group, board);
	return n;
}

void inbox_drop(struct inbox *inbox, const char *group, const char *board)
{
	struct waiting *item = find(inbox, group, board);

	if (item)
		free(take_off(inbox, item).payload);
}

void inbox_clear(struct inbox *inbox)
{
	for (size_t i = 0; i < inbox->n_items; i++)
		free(inbox->items[i].payload);
	inbox->n_items = 0;
}

/* ------------------------------------------------------------------ whose turn it is */

/* For which board it is, and whether no further unit gets an image by it. */
static void look_at(struct waiting *item)
{
	struct reason note, reason;
	struct wish wish = {0};
	const char *board = *item->board ? item->board : NULL;
	bool is_good = item->n_payload > 0 && wish_parse(item->payload, item->n_payload, board,
						      &wish, &note, &reason) == WISH_OK;

	item->is_stop = item->n_payload == 0 || (is_good && wish.paused);
	text_copy(item->wish_board, sizeof(item->wish_board), is_good ? wish.board : item->board);
	wish_done(&wish);
}

static struct waiting *first(struct inbox *inbox, bool is_stop)
{
	for (size_t i = 0; i < inbox->n_items; i++)
		if (inbox->items[i].is_stop == is_stop)
			return &inbox->items[i];
	return NULL;
}

/* NULL: nothing waits. */
static struct waiting *choose(struct inbox *inbox)
{
	struct waiting *stop = first(inbox, true), *other = first(inbox, false);

	return stop && !(inbox->was_stop && other) ? stop : other;
}

static void arm(struct inbox *inbox, uint64_t now)
{
	bool is_on = inbox->n_items > 0;

	if (is_on)
		(void)sd_event_source_set_time(
			inbox->timer, now + budget_wait_usec(&inbox->budget, rate, now));
	(void)sd_event_source_set_enabled(inbox->timer, is_on ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static void hand_over(struct inbox *inbox, struct waiting *next)
{
	struct waiting item = take_off(inbox, next);

	inbox->handler(inbox->userdata, item.group, item.board, item.payload, item.n_payload);
	free(item.payload);
}

static void work_off(struct inbox *inbox)
{
	uint64_t now = monotonic_usec();
	struct waiting *next;

	while ((next = choose(inbox)) && budget_take(&inbox->budget, rate, now)) {
		inbox->was_stop = next->is_stop;
		hand_over(inbox, next);
	}
	arm(inbox, now);
}

void inbox_hurry(struct inbox *inbox, const char *board)
{
	uint64_t now = monotonic_usec();

	for (size_t i = 0; i < inbox->n_items;) {
		if (strcmp(inbox->items[i].wish_board, board) != 0) {
			i++;
			continue;
		}
		budget_spend(&inbox->budget, rate, now);
		hand_over(inbox, &inbox->items[i]);
	}
	arm(inbox, now);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	work_off(userdata);
	return 0;
}

/* ------------------------------------------------------------------ what comes */

static void tell_wait(struct inbox *inbox)
{
	static const struct budget_rate seldom = {1, 600 * USEC_PER_SEC};

	if (inbox->n_items > 0 && budget_take(&inbox->lines, seldom, monotonic_usec()))
		log_warning(
			"broker: more wishes change than one in %u s: the newest of each topic waits for its turn, those that stop something before others; look who publishes them",
			(unsigned)(INBOX_EACH_USEC / USEC_PER_SEC));
}

int inbox_put(struct inbox *inbox, const char *group, const char *board, const void *payload,
	size_t n_payload, bool is_new)
{
	struct waiting *item = find(inbox, group, board);
	char *copy = malloc(n_payload + 1);

	if (copy && !item)
		item = add(inbox, group, board, is_new);
	if (!copy || !item) {
		free(copy);
		inbox_drop(inbox, group, board);
		return -ENOMEM;
	}
	memcpy(copy, payload, n_payload);
	free(item->payload);
	item->payload = copy;
	item->n_payload = n_payload;
	look_at(item);
	work_off(inbox);
	tell_wait(inbox);
	return 0;
}

/* ------------------------------------------------------------------ life */

int inbox_new(sd_event *event, inbox_handler *handler, void *userdata, struct inbox **ret)
{
	struct inbox *inbox = calloc(1, sizeof(*inbox));
	int r;

	if (!inbox)
		return -ENOMEM;
	*inbox = (struct inbox){.handler = handler, .userdata = userdata};
	r = sd_event_add_time(
		event, &inbox->timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_timer, inbox);
	if (r >= 0)
		r = sd_event_source_set_enabled(inbox->timer, SD_EVENT_OFF);
	if (r < 0) {
		inbox_free(inbox);
		return r;
	}
	*ret = inbox;
	return 0;
}

struct inbox *inbox_free(struct inbox *inbox)
{
	if (!inbox)
		return NULL;
	inbox_clear(inbox);
	free(inbox->items);
	sd_event_source_disable_unref(inbox->timer);
	free(inbox);
	return NULL;
}
