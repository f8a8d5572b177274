/* SPDX-License-Identifier: MIT */
/*
 * facts.c - one question at a time: the rules, then the units page by page, into lists of their
 * own, which take the place of the others when all of it is told.
 */
#include "fleet/facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"

/* Jobs of many slots end at nearly the same time. */
#define PAUSE_USEC (500 * USEC_PER_MSEC)

/* The service was busy, or has no rights for us: it is asked again. */
#define RETRY_USEC (30 * USEC_PER_SEC)

#define PAGE_ROWS  200

struct facts_asker {
	struct client *client;
	void (*on_facts)(void *userdata);
	void *userdata;
	sd_event_source *timer;
	bool was_told;
	bool is_known; /* and the service was not away since */
	bool is_asking;
	bool is_outdated;
	struct reason trouble; /* of the last question; "": it was answered, or is the first */
	struct board_list boards;
	struct unit_list units;
	struct board_list new_boards; /* as far as they are told */
	struct unit_list new_units;
};

static void ask_later(struct facts_asker *asker, uint64_t usec)
{
	(void)sd_event_source_set_time(asker->timer, monotonic_usec() + usec);
	(void)sd_event_source_set_enabled(asker->timer, SD_EVENT_ONESHOT);
}

static void end_asking(struct facts_asker *asker)
{
	asker->is_asking = false;
	board_list_done(&asker->new_boards);
	unit_list_done(&asker->new_units);
}

/* ------------------------------------------------------------------ answers */

static void take_over(struct facts_asker *asker)
{
	board_list_done(&asker->boards);
	unit_list_done(&asker->units);
	asker->boards = asker->new_boards;
	asker->units = asker->new_units;
	asker->new_boards = (struct board_list){};
	asker->new_units = (struct unit_list){};
	asker->was_told = asker->is_known = true;
	asker->trouble.text[0] = '\0';
	end_asking(asker);
	if (asker->is_outdated)
		ask_later(asker, PAUSE_USEC);
	asker->on_facts(asker->userdata);
}

/* What was told before is not fresh until there is an answer. */
static void give_up(struct facts_asker *asker, const char *why)
{
	struct reason before = asker->trouble;

	end_asking(asker);
	asker->is_outdated = true;
	ask_later(asker, RETRY_USEC);
	reason_set(&asker->trouble,
		"plugflashd does not tell its rules and units: %s; journalctl -u plugflashd", why);
	if (strcmp(before.text, asker->trouble.text) != 0)
		asker->on_facts(asker->userdata);
}

/* Whether there is one. */
static bool take_answer(struct facts_asker *asker, const struct client_answer *answer)
{
	if (answer->result != CLIENT_DONE)
		give_up(asker, answer->reason ? answer->reason : strerror(ENOMEM));
	return answer->result == CLIENT_DONE;
}

static void on_units(void *userdata, struct client_answer *answer);

static int ask_units(struct facts_asker *asker, uint64_t after_id)
{
	const struct client_call call = {.kind = CLIENT_MANAGER, .method = "ListUnits"};

	return client_call(
		asker->client, &call, on_units, asker, "tu", after_id, (uint32_t)PAGE_ROWS);
}

static void on_units(void *userdata, struct client_answer *answer)
{
	struct facts_asker *asker = userdata;
	uint64_t last_id =
		answer->n_rows > 0 ? dict_long(&answer->rows[answer->n_rows - 1], "id") : 0;
	int r;

	if (!take_answer(asker, answer))
		return;
	r = unit_list_add(&asker->new_units, answer->rows, answer->n_rows);
	if (r == 0 && last_id > 0 && answer->n_rows == PAGE_ROWS &&
		asker->new_units.n_items < FACTS_UNITS_MOST)
		r = ask_units(asker, last_id);
	else if (r == 0)
		take_over(asker);
	if (r < 0)
		give_up(asker, strerror(-r));
}

static void on_boards(void *userdata, struct client_answer *answer)
{
	struct facts_asker *asker = userdata;
	int r;

	if (!take_answer(asker, answer))
		return;
	r = board_list_add(&asker->new_boards, answer->rows, answer->n_rows);
	if (r == 0)
		r = ask_units(asker, 0);
	if (r < 0)
		give_up(asker, strerror(-r));
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	const struct client_call call = {.kind = CLIENT_MANAGER, .method = "ListBoards"};
	struct facts_asker *asker = userdata;
	int r;

	(void)source;
	(void)usec;
	if (asker->is_asking || client_presence(asker->client) != CLIENT_THERE)
		return 0;
	asker->is_outdated = false;
	r = client_call(asker->client, &call, on_boards, asker, "");
	asker->is_asking = r == 0;
	if (r < 0)
		give_up(asker, strerror(-r));
	return 0;
}

/* ------------------------------------------------------------------ what others see */

enum facts_age facts_age(const struct facts_asker *asker)
{
	if (!asker->is_known)
		return asker->was_told ? FACTS_OLD : FACTS_NONE;
	return asker->is_asking || asker->is_outdated ? FACTS_OUTDATED : FACTS_FRESH;
}

const char *facts_why(const struct facts_asker *asker)
{
	if (client_presence(asker->client) != CLIENT_THERE)
		return client_why(asker->client);
	return *asker->trouble.text ? asker->trouble.text : "plugflashd has not told them yet";
}

bool facts_are_awaited(const struct facts_asker *asker)
{
	return client_presence(asker->client) == CLIENT_THERE && !*asker->trouble.text &&
	       (asker->is_asking || asker->is_outdated);
}

const struct board_list *facts_boards(const struct facts_asker *asker)
{
	return &asker->boards;
}

const struct unit_list *facts_units(const struct facts_asker *asker)
{
	return &asker->units;
}

void facts_outdate(struct facts_asker *asker)
{
	if (!asker->is_outdated && !asker->is_asking)
		ask_later(asker, PAUSE_USEC);
	asker->is_outdated = true;
}

void facts_ask(struct facts_asker *asker)
{
	if (!asker->is_asking)
		ask_later(asker, 0);
	asker->is_outdated = true;
}

void facts_presence(struct facts_asker *asker, enum client_presence presence)
{
	client_forget(asker->client, asker);
	end_asking(asker);
	asker->is_outdated = true;
	asker->trouble.text[0] = '\0';
	if (presence == CLIENT_THERE) {
		ask_later(asker, 0);
	} else {
		asker->is_known = false;
		asker->on_facts(asker->userdata);
	}
}

int facts_new(sd_event *event, struct client *client, void (*on_facts)(void *userdata),
	void *userdata, struct facts_asker **ret)
{
	struct facts_asker *asker = calloc(1, sizeof(*asker));
	int r;

	if (!asker)
		return -ENOMEM;
	*asker = (struct facts_asker){
		.client = client, .on_facts = on_facts, .userdata = userdata, .is_outdated = true};
	r = sd_event_add_time(
		event, &asker->timer, CLOCK_MONOTONIC, monotonic_usec(), 0, on_timer, asker);
	if (r < 0) {
		facts_free(asker);
		return r;
	}
	*ret = asker;
	return 0;
}

struct facts_asker *facts_free(struct facts_asker *asker)
{
	if (!asker)
		return NULL;
	client_forget(asker->client, asker);
	sd_event_source_disable_unref(asker->timer);
	end_asking(asker);
	board_list_done(&asker->boards);
	unit_list_done(&asker->units);
	free(asker);
	return NULL;
}
