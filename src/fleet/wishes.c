/* SPDX-License-Identifier: MIT */
/*
 * wishes.c - an errand for each board that has a wish. Messages come by the inbox. Whatever happens
 * (a message, bytes, a job that ended, a time that came) asks for a turn. A turn goes through all
 * errands, tells what is another than before, and at its end tidies the shelf.
 */
#include "fleet/wishes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "fleet/budget.h"
#include "fleet/errand.h"
#include "fleet/inbox.h"
#include "fleet/tidy.h"
#include "fleet/wish-word.h"

/* A clock that is set moves what was computed from it: while a time is waited for, it is looked at
 * again at least so often. */
#define LOOK_MOST_S 600

struct wishes {
	struct wishes_options options;
	struct household house;
	struct wishes_callbacks callbacks;
	void *userdata;
	struct inbox *inbox;
	struct errand **errands;
	size_t n_errands;
	sd_event_source *turn;
	sd_event_source *step;
	sd_event_source *timer;
	bool has_told_all;
	uint64_t times[2];    /* wishes_changed() */
	struct budget faults; /* messages that cannot be understood, in the journal */
};

static void want_turn(void *userdata)
{
	struct wishes *wishes = userdata;

	(void)sd_event_source_set_enabled(wishes->turn, SD_EVENT_ONESHOT);
}

static void want_steps(void *userdata)
{
	struct wishes *wishes = userdata;

	(void)sd_event_source_set_enabled(wishes->step, SD_EVENT_ON);
}

/* ------------------------------------------------------------------ errands */

static const struct desired_item *item_of(const struct wishes *wishes, const char *board)
{
	return desired_find(
		&wishes->house.desired, wishes->options.groups, wishes->options.n_groups, board);
}

static struct errand *find_errand(const struct wishes *wishes, const char *board)
{
	for (size_t i = 0; i < wishes->n_errands; i++)
		if (strcmp(wishes->errands[i]->board, board) == 0)
			return wishes->errands[i];
	return NULL;
}

static int add_errand(struct wishes *wishes, const char *board)
{
	struct errand **grown = room_for_one(wishes->errands, wishes->n_errands, sizeof(*grown));
	struct errand *errand;

	if (!grown)
		return -ENOMEM;
	wishes->errands = grown;
	errand = errand_new(&wishes->house, board);
	if (!errand)
		return -ENOMEM;
	wishes->errands[wishes->n_errands++] = errand;
	return 0;
}

/* One for each board that something is desired for. The next turn finds what is missed now. */
static int add_errands(struct wishes *wishes)
{
	const struct desired *desired = &wishes->house.desired;
	int r = 0;

	for (size_t i = 0; i < desired->n_items && r == 0; i++) {
		const char *board = desired_board(&desired->items[i]);

		if (*board && !find_errand(wishes, board))
			r = add_errand(wishes, board);
	}
	return r;
}

/* The wish in force for the board, where it names that image. */
static const struct desired_item *wish_of(
	const struct wishes *wishes, const char *board, const char *image)
{
	const struct desired_item *item = item_of(wishes, board);

	return item && item->is_good && strcmp(item->wish.image, image) == 0 ? item : NULL;
}

/* Of two wishes for one file that has it for which it was offered last; before, the errand that
 * came first. */
static const char *namesake_of(
	const struct wishes *wishes, const struct errand *errand, const struct desired_item *mine)
{
	const char *image = mine->wish.image;
	const struct shelf_item *brought = shelf_find(wishes->house.shelf, image);
	const struct desired_item *last = brought ? wish_of(wishes, brought->board, image) : NULL;

	if (last)
		return last == mine ? NULL : last->wish.board;
	for (size_t i = 0; i < wishes->n_errands && wishes->errands[i] != errand; i++)
		if (wish_of(wishes, wishes->errands[i]->board, image))
			return wishes->errands[i]->board;
	return NULL;
}

/* ------------------------------------------------------------------ tell */

static void log_state(const struct errand *errand, const struct desired_item *item)
{
	const struct decision *decision = &errand->decision;
	bool is_bad = decision->state == WISH_STATE_REFUSED || decision->state == WISH_STATE_HALTED;
	char shown[TEXT_MAX];

	log_event(is_bad ? LOG_WARNING : LOG_INFO, NULL, NULL, "wish for board '%s': %s%s%s%s%s",
		text_escape(errand->board, shown, sizeof(shown)),
		item->is_good ? item->wish.image : "", item->is_good ? ": " : "",
		wish_state_to_string(decision->state), *decision->reason.text ? ": " : "",
		decision->reason.text);
}

static void tell(struct wishes *wishes, struct errand *errand, const struct desired_item *item)
{
	const struct wish_word word = {
		.gateway = wishes->options.gateway,
		.board = errand->board,
		.item = item,
		.decision = &errand->decision,
		.results = errand->has_results ? &errand->results : NULL,
		.n_bytes = errand->n_bytes,
	};
	CLEANUP(freep) char *text = NULL;
	bool is_wished = item->is_good && errand->decision.state != WISH_STATE_REFUSED;

	if (wish_word_make(&word, &text) < 0) {
		log_error("wish: no memory to tell its state");
		return;
	}
	if (errand->told && strcmp(errand->told, text) == 0)
		return;
	free(errand->told);
	errand->told = TAKE_PTR(text);
	wishes->callbacks.tell(wishes->userdata, errand->board, errand->told);
	wishes->callbacks.tell_version(
		wishes->userdata, errand->board, is_wished ? item->wish.version : "");
}

static void tell_end(struct wishes *wishes, const struct errand *errand)
{
	char shown[TEXT_MAX];

	log_info("wish for board '%s': taken back",
		text_escape(errand->board, shown, sizeof(shown)));
	wishes->callbacks.tell(wishes->userdata, errand->board, NULL);
	wishes->callbacks.tell_version(wishes->userdata, errand->board, "");
}

/* ------------------------------------------------------------------ the turn */

static void look_again(struct wishes *wishes, int64_t at_s)
{
	int64_t now_s = realtime_usec() / (int64_t)USEC_PER_SEC, rest_s = at_s - now_s;

	if (at_s == INT64_MAX) {
		(void)sd_event_source_set_enabled(wishes->timer, SD_EVENT_OFF);
		return;
	}
	rest_s = rest_s < 1 ? 1 : rest_s > LOOK_MOST_S ? LOOK_MOST_S : rest_s;
	(void)sd_event_source_set_time(
		wishes->timer, monotonic_usec() + (uint64_t)rest_s * USEC_PER_SEC);
	(void)sd_event_source_set_enabled(wishes->timer, SD_EVENT_ONESHOT);
}

/* Nothing is desired for it any more. */
static void end_errand(struct wishes *wishes, size_t i)
{
	struct errand *errand = wishes->errands[i];

	tell_end(wishes, errand);
	errand_free(errand);
	wishes->n_errands--;
	memmove(&wishes->errands[i], &wishes->errands[i + 1],
		(wishes->n_errands - i) * sizeof(*wishes->errands));
}

static int64_t turn_errand(struct wishes *wishes, size_t i)
{
	struct errand *errand = wishes->errands[i];
	const struct desired_item *item = item_of(wishes, errand->board);
	struct decision before = errand->decision;
	const char *namesake = item->is_good ? namesake_of(wishes, errand, item) : NULL;

	errand_turn(errand, item, namesake);
	/* The answer is there in a moment: of each gateway that would be two messages more a wish.
	 */
	if (errand->told && errand->decision.waits_for_rules &&
		facts_are_awaited(wishes->house.facts))
		return errand->decision.again_s;
	if (before.state != errand->decision.state ||
		strcmp(before.reason.text, errand->decision.reason.text) != 0)
		log_state(errand, item);
	tell(wishes, errand, item);
	return errand->decision.again_s;
}

/* From the last on: one that is removed is replaced by the last. */
static bool withdraw_unwished(struct wishes *wishes)
{
	const struct shelf *shelf = wishes->house.shelf;
	bool is_done = true;

	for (size_t i = shelf_count(shelf); i-- > 0;) {
		const struct shelf_item *item = shelf_at(shelf, i);
		const struct errand *errand = find_errand(wishes, item->board);

		if (!tidy_withdraw(&wishes->house, errand,
			    errand ? item_of(wishes, item->board) : NULL, item))
			is_done = false;
	}
	return is_done;
}

static int on_turn(sd_event_source *source, void *userdata)
{
	struct wishes *wishes = userdata;
	int64_t again_s = INT64_MAX;

	(void)source;
	if (add_errands(wishes) < 0)
		log_error("wish: no memory for another board");
	for (size_t i = wishes->n_errands; i-- > 0;)
		if (!item_of(wishes, wishes->errands[i]->board))
			end_errand(wishes, i);
	for (size_t i = 0; i < wishes->n_errands; i++) {
		int64_t at_s = turn_errand(wishes, i);

		again_s = at_s < again_s ? at_s : again_s;
	}
	if (!withdraw_unwished(wishes) && again_s == INT64_MAX)
		again_s--; /* so that it is tried again, as late as may be */
	tidy_remove(&wishes->house);
	look_again(wishes, again_s);
	if (!wishes->has_told_all)
		wishes->callbacks.told_all(wishes->userdata);
	wishes->has_told_all = true;
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	want_turn(userdata);
	return 0;
}

static int on_step(sd_event_source *source, void *userdata)
{
	struct wishes *wishes = userdata;
	struct errand *errand = wishes->house.placing;
	struct reason reason = {""};
	int r = errand ? shelf_fill(wishes->house.shelf, &reason) : SHELF_OK;

	if (r == SHELF_MORE)
		return 0;
	(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
	if (errand)
		errand_placed(errand, r, &reason);
	return 0;
}

/* ------------------------------------------------------------------ what happens */

/* A few are told; who sends more of them fills no disk. */
static void log_fault(struct wishes *wishes, const char *board, const struct reason *reason)
{
	static const struct budget_rate rate = {10, 60 * USEC_PER_SEC};
	char shown[TEXT_MAX];

	if (budget_take(&wishes->faults, rate, monotonic_usec()))
		log_warning("wish for board '%s': %s",
			text_escape(board ? board : "", shown, sizeof(shown)), reason->text);
}

/* The turn of a message has come. */
static void act_on(
	void *userdata, const char *group, const char *board, const void *payload, size_t n_payload)
{
	struct wishes *wishes = userdata;
	struct reason reason = {""};
	int r = desired_take(&wishes->house.desired, group, board, payload, n_payload, &reason);

	if (r == DESIRED_REFUSED || r < 0)
		log_fault(wishes, board, &reason);
	if (r == DESIRED_SAME)
		return;
	/* By rules and floors as they are now, whatever happened since they were told. */
	facts_ask(wishes->house.facts);
	want_turn(wishes);
}

void wishes_take(struct wishes *wishes, const char *group, const char *board, const void *payload,
	size_t n_payload)
{
	struct desired *desired = &wishes->house.desired;
	struct reason reason = {""};
	int r;

	group = group ? group : "";
	board = board ? board : "";
	r = desired_judge(desired, group, board, payload, n_payload,
		inbox_promised(wishes->inbox, group, board), &reason);
	if (r == DESIRED_SAME)
		inbox_drop(wishes->inbox, group, board);
	if (r == DESIRED_CHANGED) {
		size_t most = desired->payload_most;

		r = inbox_put(wishes->inbox, group, board, payload,
			n_payload > most ? most + 1 : n_payload,
			!desired_has(desired, group, board));
		if (r < 0)
			reason_set(&reason, "%s: it is read when it comes again", strerror(-r));
	}
	if (r == DESIRED_REFUSED || r < 0)
		log_fault(wishes, board, &reason);
}

void wishes_connected(struct wishes *wishes)
{
	inbox_clear(wishes->inbox);
	desired_begin(&wishes->house.desired);
}

void wishes_spare(struct wishes *wishes, const char *group)
{
	desired_spare(&wishes->house.desired, group);
}

void wishes_heard_all(struct wishes *wishes)
{
	if (desired_end(&wishes->house.desired) < 0)
		log_warning(
			"state directory: a wish that was taken back cannot be forgotten: is the disk read-only?");
	want_turn(wishes);
}

static void on_facts(void *userdata)
{
	want_turn(userdata);
}

void wishes_presence(struct wishes *wishes, enum client_presence presence)
{
	facts_presence(wishes->house.facts, presence);
}

/* Rules and floors are what a wish is judged by, and each of these goes up with them. */
void wishes_changed(struct wishes *wishes, const struct client_object *object)
{
	static const char *const times[] = {"ConfigTime", "FloorTime"};

	if (object->kind != CLIENT_MANAGER)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		uint64_t now = dict_long(&object->properties, times[i]);

		if (now != wishes->times[i])
			facts_ask(wishes->house.facts);
		wishes->times[i] = now;
	}
}

void wishes_job_removed(struct wishes *wishes)
{
	facts_outdate(wishes->house.facts);
}

/*
 * Wishes for the board that came before a command are acted on before it: a pause would be of the
 * image before, and end with the turn of the next. The one in force; NULL: there is none.
 */
static const struct desired_item *catch_up(struct wishes *wishes, const char *board)
{
	struct household *house = &wishes->house;
	const struct desired_item *item;
	struct hold_record *record;

	inbox_hurry(wishes->inbox, board);
	(void)add_errands(wishes);
	item = item_of(wishes, board);
	record = item && item->is_good ? holds_get(&house->holds, board) : NULL;
	if (record && strcmp(record->sha256, item->wish.sha256) != 0)
		(void)hold_review(record, &item->wish, NULL, &house->limit);
	return item;
}

int wishes_pause(struct wishes *wishes, const char *board, bool pause, struct reason *reason)
{
	struct household *house = &wishes->house;
	struct errand *errand = catch_up(wishes, board) ? find_errand(wishes, board) : NULL;
	struct hold_record *record = errand ? holds_get(&house->holds, board) : NULL;
	const struct results *results = errand && errand->has_results ? &errand->results : NULL;

	if (!errand)
		return reason_refuse(1, reason, "there is no wish for this board");
	if (!record)
		return reason_refuse(1, reason, HOLDS_FULL);
	if (pause && !hold_pause(record))
		return 0; /* it gives the image to nobody already */
	if (!pause && !hold_resume(record, results))
		return reason_refuse(1, reason, "the wish for this board is not held here");
	if (holds_keep(&house->holds) < 0)
		log_warning(
			"state directory: the pause of a rollout cannot be kept: is the disk full?");
	want_turn(wishes);
	return 0;
}

/* ------------------------------------------------------------------ life */

static int add_sources(struct wishes *wishes, sd_event *event)
{
	int r = sd_event_add_defer(event, &wishes->turn, on_turn, wishes);

	if (r >= 0)
		r = sd_event_add_defer(event, &wishes->step, on_step, wishes);
	if (r >= 0)
		r = sd_event_source_set_enabled(wishes->step, SD_EVENT_OFF);
	/* Between two steps all others have their turn. */
	if (r >= 0)
		r = sd_event_source_set_priority(wishes->step, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = sd_event_add_time(
			event, &wishes->timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_timer, wishes);
	if (r >= 0)
		r = sd_event_source_set_enabled(wishes->timer, SD_EVENT_OFF);
	return r < 0 ? r : 0;
}

static int read_kept(struct wishes *wishes, struct reason *reason)
{
	const struct wishes_options *options = &wishes->options;
	struct household *house = &wishes->house;
	int r = shelf_open(options->images, options->state, &house->shelf, reason);

	house->desired.state = options->state;
	house->desired.payload_most =
		options->message_most < WISH_MAX_BYTES ? options->message_most : WISH_MAX_BYTES;
	if (r == 0)
		r = desired_read(&house->desired, options->groups, options->n_groups, reason);
	if (r == 0) {
		r = holds_read(&house->holds, options->state);
		if (r < 0)
			reason_set(reason, "state directory: %s", strerror(-r));
	}
	return r;
}

int wishes_new(sd_event *event, struct client *client, struct downloads *downloads,
	const struct wishes_options *options, const struct wishes_callbacks *callbacks,
	void *userdata, struct wishes **ret, struct reason *reason)
{
	struct wishes *wishes = calloc(1, sizeof(*wishes));
	int r;

	if (!wishes)
		return reason_refuse(-ENOMEM, reason, "%s", strerror(ENOMEM));
	*wishes =
		(struct wishes){.options = *options, .callbacks = *callbacks, .userdata = userdata};
	wishes->house = (struct household){.downloads = downloads,
		.trusted_keys = options->trusted_keys,
		.accepts_legacy = options->accepts_legacy,
		.limit = options->limit,
		.want_turn = want_turn,
		.want_steps = want_steps,
		.userdata = wishes};
	r = read_kept(wishes, reason);
	if (r == 0) {
		r = add_sources(wishes, event);
		if (r == 0)
			r = inbox_new(event, act_on, wishes, &wishes->inbox);
		if (r == 0)
			r = facts_new(event, client, on_facts, wishes, &wishes->house.facts);
		if (r < 0)
			reason_set(reason, "%s", strerror(-r));
	}
	if (r < 0) {
		wishes_free(wishes);
		return r;
	}
	*ret = wishes;
	return 0;
}

struct wishes *wishes_free(struct wishes *wishes)
{
	if (!wishes)
		return NULL;
	for (size_t i = 0; i < wishes->n_errands; i++)
		errand_free(wishes->errands[i]);
	free(wishes->errands);
	inbox_free(wishes->inbox);
	facts_free(wishes->house.facts);
	desired_done(&wishes->house.desired);
	holds_done(&wishes->house.holds);
	shelf_free(wishes->house.shelf);
	sd_event_source_disable_unref(wishes->turn);
	sd_event_source_disable_unref(wishes->step);
	sd_event_source_disable_unref(wishes->timer);
	free(wishes);
	return NULL;
}
