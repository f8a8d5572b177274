/* SPDX-License-Identifier: MIT */
#include "fleet/errand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/names.h"
#include "base/util.h"
#include "fleet/seal.h"

static const struct rollout nobody = {};

struct errand *errand_new(struct household *house, const char *board)
{
	struct errand *errand = calloc(1, sizeof(*errand));

	if (!errand)
		return NULL;
	errand->house = house;
	errand->decision.state = WISH_STATE_MAX;
	text_copy(errand->board, sizeof(errand->board), board);
	return errand;
}

static void stop_placing(struct errand *errand)
{
	if (errand->house->placing != errand)
		return;
	shelf_abort(errand->house->shelf);
	errand->house->placing = NULL;
}

static void stop_fetching(struct errand *errand)
{
	stop_placing(errand);
	if (errand->download)
		errand->download = download_free(errand->download);
}

struct errand *errand_free(struct errand *errand)
{
	if (!errand)
		return NULL;
	stop_fetching(errand);
	free(errand->told);
	free(errand);
	return NULL;
}

/* ------------------------------------------------------------------ look */

/* What is known of one errand in this turn. */
struct look {
	struct decide_input input;
	struct reason seal; /* what `input` points to */
	struct reason why;
};

static struct download_ask ask_of(const struct wish *wish)
{
	return (struct download_ask){.url = wish->url, .sha256 = wish->sha256, .size = wish->size};
}

static void look_at_download(struct errand *errand, struct look *look)
{
	struct decide_input *input = &look->input;
	const struct download_ask ask = ask_of(input->wish);
	struct download_view view;

	/* Another wish took the place of the one that is fetched, or names another place. */
	if (errand->download && !download_is_for(errand->download, &ask))
		stop_fetching(errand);
	input->supply = SUPPLY_NONE;
	if (!errand->download)
		return;
	download_look(errand->download, &view);
	errand->n_bytes = view.n_bytes;
	look->why = *view.reason;
	input->supply = view.state == DOWNLOAD_WHOLE	 ? SUPPLY_THERE
			: view.state == DOWNLOAD_REFUSED ? SUPPLY_REFUSED
							 : SUPPLY_COMING;
}

static void look_at_supply(struct errand *errand, struct look *look)
{
	struct decide_input *input = &look->input;
	int r = shelf_claim(errand->house->shelf, input->wish, &look->why);

	if (r == SHELF_OK) {
		input->supply = SUPPLY_PLACED;
		input->standing = shelf_find(errand->house->shelf, input->wish->image)->rollout;
		errand->n_bytes = input->wish->size;
	} else if (r != SHELF_MISSING) {
		input->supply = r < 0 ? SUPPLY_UNKNOWN : SUPPLY_BLOCKED;
	} else {
		look_at_download(errand, look);
		if (*errand->trouble.text)
			look->why = errand->trouble;
	}
	input->why = look->why.text;
}

/* By the folder that fleet.conf names, else that of the service; while that is not known, where it
 * usually is. */
static const char *keys_of(const struct household *house, const struct board_facts *board)
{
	if (house->trusted_keys)
		return house->trusted_keys;
	return board && *board->trusted_keys ? board->trusted_keys : PATH_KEYS;
}

static void look_at_seal(const struct errand *errand, struct look *look)
{
	const struct household *house = errand->house;
	const struct wish *wish = look->input.wish;
	const struct seal_ask ask = {
		.board = wish->board,
		.image = wish->image,
		.version = wish->version,
		.sha256 = wish->sha256,
		.size = wish->size,
		.manifest = wish->manifest,
		.n_manifest = strlen(wish->manifest),
		.signature = wish->signature,
		.n_signature = strlen(wish->signature),
	};
	char signer[SEAL_SIGNER_SIZE];
	int r = seal_check(keys_of(house, look->input.board), &ask, house->accepts_legacy, signer,
		&look->seal);

	if (r < 0)
		reason_set(&look->seal, "its signature cannot be judged: %s", strerror(-r));
	look->input.seal = r < 0 ? SEAL_UNKNOWN : (enum seal_result)r;
	look->input.seal_why = look->seal.text;
}

static void look_at_results(struct errand *errand, struct look *look)
{
	struct household *house = errand->house;
	struct decide_input *input = &look->input;
	struct hold_record *record = holds_get(&house->holds, errand->board);

	errand->has_results = input->facts >= FACTS_OUTDATED;
	if (errand->has_results)
		results_count(facts_units(house->facts), errand->board, input->wish->sha256,
			input->wish->percent, &errand->results);
	input->hold_why = "";
	if (!record) {
		input->hold = HOLD_COMMAND;
		input->hold_why = HOLDS_FULL;
		return;
	}
	if (hold_review(record, input->wish, errand->has_results ? &errand->results : NULL,
		    &house->limit) &&
		holds_keep(&house->holds) < 0)
		log_warning(
			"state directory: the pause of a rollout cannot be kept: is the disk full?");
	input->hold = record->hold;
	input->hold_why = record->why.text;
}

static void look_around(
	struct errand *errand, const struct wish *wish, const char *namesake, struct look *look)
{
	struct household *house = errand->house;

	*look = (struct look){.input = {.wish = wish, .namesake = namesake}};
	look->input.now_s = realtime_usec() / (int64_t)USEC_PER_SEC;
	look->input.facts = facts_age(house->facts);
	look->input.facts_why = facts_why(house->facts);
	look->input.board = board_find(facts_boards(house->facts), errand->board);
	errand->n_bytes = 0;
	look_at_seal(errand, look);
	look_at_supply(errand, look);
	look_at_results(errand, look);
}

/* ------------------------------------------------------------------ act */

static void on_download(struct download *download, void *userdata)
{
	struct errand *errand = userdata;

	(void)download;
	errand->house->want_turn(errand->house->userdata);
}

static int fetch(struct errand *errand, const struct wish *wish)
{
	struct household *house = errand->house;
	const struct download_ask ask = ask_of(wish);
	int r = download_new(house->downloads, &ask, on_download, errand, &errand->download);

	if (r == 0)
		house->want_turn(house->userdata);
	return r;
}

static void note_trouble(struct errand *errand, const struct reason *reason)
{
	errand->trouble = *reason;
	errand->again_s = realtime_usec() / (int64_t)USEC_PER_SEC + RETRY_S;
	errand->house->want_turn(errand->house->userdata);
}

/* Nobody gets it before the next turn has decided who. */
static void begin_placing(struct errand *errand, const struct wish *wish)
{
	struct household *house = errand->house;
	struct reason reason = {""};
	int fd = download_open(errand->download), r;

	if (fd < 0)
		r = reason_refuse(fd, &reason, "%s: %s", wish->image, strerror(-fd));
	else
		r = shelf_begin(house->shelf, wish, fd, &nobody, &reason);
	if (r == SHELF_MORE) {
		house->placing = errand;
		house->want_steps(house->userdata);
	} else if (r != SHELF_OK) {
		note_trouble(errand, &reason);
	}
}

void errand_placed(struct errand *errand, int result, const struct reason *reason)
{
	errand->house->placing = NULL;
	errand->trouble.text[0] = '\0';
	/* It lies there; or what was fetched is not what it was any more, and is fetched anew. */
	if (result == SHELF_OK || result == SHELF_REFUSED)
		errand->download = download_forget(errand->download);
	if (result != SHELF_OK)
		note_trouble(errand, reason);
	errand->house->want_turn(errand->house->userdata);
}

static void get_image(
	struct errand *errand, const struct decide_input *input, struct decision *decision)
{
	if (!decision->is_wanted) {
		/* A download that is refused stays, so that the next turn finds it refused. */
		if (input->supply != SUPPLY_REFUSED)
			stop_fetching(errand);
		return;
	}
	/* A clock that was set back is no reason to wait for a day. */
	if (errand->again_s > input->now_s + RETRY_S)
		errand->again_s = 0;
	if (input->supply == SUPPLY_NONE && fetch(errand, input->wish) < 0)
		decision->again_s = input->now_s + RETRY_S;
	else if (input->supply == SUPPLY_THERE && errand->again_s > input->now_s)
		decision->again_s = errand->again_s;
	else if (input->supply == SUPPLY_THERE && !errand->house->placing)
		begin_placing(errand, input->wish);
}

static void offer(struct errand *errand, const struct desired_item *item, int64_t now_s)
{
	struct decision *decision = &errand->decision;
	int r;

	if (errand->download)
		errand->download = download_forget(errand->download);
	errand->trouble.text[0] = '\0';
	r = shelf_offer(errand->house->shelf, item->wish.image, errand->board, item->group,
		&decision->rollout);
	if (r == 0)
		return;
	decision->state = WISH_STATE_WAITING;
	decision->again_s = now_s + RETRY_S;
	if (r == SHELF_MISSING)
		reason_set(&decision->reason,
			"its rollout file cannot be written, so the image was removed: is the disk full?");
	else
		reason_set(
			&decision->reason, "its rollout file cannot be written: %s", strerror(-r));
}

void errand_turn(struct errand *errand, const struct desired_item *item, const char *namesake)
{
	struct decision *decision = &errand->decision;
	struct look look;

	if (!item->is_good) {
		stop_fetching(errand);
		*decision = (struct decision){
			.state = WISH_STATE_REFUSED, .reason = item->fault, .again_s = INT64_MAX};
		errand->has_results = errand->is_offering = false;
		return;
	}
	look_around(errand, &item->wish, namesake, &look);
	decide_wish(&look.input, decision);
	errand->is_offering = look.input.supply == SUPPLY_PLACED && !namesake;
	if (errand->is_offering)
		offer(errand, item, look.input.now_s);
	else
		get_image(errand, &look.input, decision);
}
