/* SPDX-License-Identifier: MIT */
#include "service/choice.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "records/decide.h"
#include "service/journal.h"
#include "service/memory-unit.h"

void chooser_done(struct chooser *chooser)
{
	shelves_done(&chooser->shelves);
}

void chooser_config_changed(struct chooser *chooser)
{
	shelves_done(&chooser->shelves);
	chooser->images_seq++;
}

void chooser_images_changed(struct chooser *chooser)
{
	shelves_look_again(&chooser->shelves);
	chooser->images_seq++;
}

/* NULL without memory. What a shortage of the host hid is looked for again the next time. */
static const struct shelf *look(struct chooser *chooser, const struct board *board)
{
	const struct shelf *shelf =
		shelves_find(&chooser->shelves, chooser->config, board, chooser->watch);

	if (shelf && shelf->result < 0 && decide_is_shortage(shelf->result))
		shelves_look_again(&chooser->shelves);
	return shelf;
}

/* What the bridge needs of the image, and what tells it from the next one. 0 or -ENOMEM. */
static int take_image(
	struct chooser *chooser, struct bridge *bridge, const struct library_choice *choice)
{
	char *identity = choice->identity ? strdup(choice->identity) : NULL;

	bridge->image.seq = chooser->images_seq;
	bridge->image.has_address = choice->has_address;
	if (choice->identity && !identity)
		return -ENOMEM;
	free(bridge->image.identity);
	bridge->image.identity = identity;
	text_copy(bridge->attempt.image, sizeof(bridge->attempt.image), choice->name);
	text_copy(bridge->attempt.version, sizeof(bridge->attempt.version), choice->version);
	return 0;
}

/* As the rule is now: a reload while the worker runs is for the next attempt. */
static void set_policy(
	struct bridge *bridge, const struct board *board, const struct library_choice *choice)
{
	bridge->attempt.policy = (struct attempt_policy){
		.update = board->update,
		.quarantine_after = board->quarantine_after,
		.again_after_usec = board->again_after_usec,
		.rollback = board->rollback,
		.serialize = board->serialize,
		.serialize_limit = board->serialize_limit,
	};
	text_copy(bridge->attempt.policy.requires, sizeof(bridge->attempt.policy.requires),
		choice->requires);
	memory_mark_rule(bridge->match.rule, bridge->attempt.policy.rule_mark);
}

/* An attempt to go back is none any more once the rule finds another image than the one that
 * failed. */
static void drop_stale_rollback(struct bridge *bridge, const struct library_choice *choice)
{
	if (!bridge->image.identity || !choice->identity ||
		strcmp(bridge->image.identity, choice->identity) != 0)
		attempt_drop_rollback(&bridge->attempt);
}

int chooser_choose(struct chooser *chooser, struct bridge *bridge, const struct board *board,
	struct assignment *ret, struct report *ret_end)
{
	const struct shelf *shelf = look(chooser, board);
	const struct config *config = chooser->config;
	struct assignment assignment = {
		.action = FLASH_UPDATE,
		.port = bridge->facts.port,
		.devnum = bridge->facts.devnum,
		.image_dir = config->service.image_dir,
		.require_signature = config->service.require_signature,
		.accept_legacy_signatures = config->service.accept_legacy_signatures,
		.trusted_keys = config->service.trusted_keys,
		.chips = (char *)chooser->chips,
		.chips_dir = (char *)chooser->chips_dir,
		.board = *board, /* borrowed: the text of it is the worker's own copy */
	};

	if (!shelf)
		return -ENOMEM;
	/* Nothing is known of the images then, and this is no word about them. */
	if (shelf->result < 0 && decide_is_shortage(shelf->result))
		return shelf->result;
	drop_stale_rollback(bridge, &shelf->choice);
	if (!attempt_goes_back(&bridge->attempt) && take_image(chooser, bridge, &shelf->choice) < 0)
		return -ENOMEM;
	set_policy(bridge, board, &shelf->choice);
	assignment.image = *bridge->attempt.image ? bridge->attempt.image : NULL;
	assignment.version = *bridge->attempt.version ? bridge->attempt.version : NULL;
	if (attempt_goes_back(&bridge->attempt)) {
		assignment.sha256 = bridge->attempt.rollback.sha256;
	} else if (shelf->result == LIBRARY_AWAITED && chooser->watch) {
		/* Whatever the copy brings is another image than this. */
		free(bridge->image.identity);
		bridge->image.identity = NULL;
		return CHOICE_WAIT;
	} else if (shelf->result != LIBRARY_OK) {
		bool is_none = shelf->result < 0 || shelf->result == LIBRARY_NONE;

		*ret_end = (struct report){
			.outcome = is_none ? OUTCOME_NO_IMAGE : OUTCOME_BAD_IMAGE,
			.phase = PHASE_IMAGE,
			.reason = shelf->reason,
		};
		return CHOICE_NONE;
	} else {
		assignment.identity = bridge->image.identity;
		assignment.known_sha256 =
			bridge->image.held_sha256[0] ? bridge->image.held_sha256 : NULL;
	}
	*ret = assignment;
	return 0;
}

uint64_t chooser_resume_rest(struct chooser *chooser, struct memory *memory, struct bridge *bridge,
	const struct board *board)
{
	const struct shelf *shelf = memory ? look(chooser, board) : NULL;
	char name[TEXT_MAX];
	uint64_t rest;

	if (!shelf || shelf->result != LIBRARY_OK)
		return 0;
	rest = memory_unit_rest(
		memory, &bridge->facts, bridge->match.rule, board, shelf->choice.name);
	/* With the image it was looked at with, so that another one ends the wait. */
	if (rest == 0 || take_image(chooser, bridge, &shelf->choice) < 0)
		return 0;
	bridge->attempt.has_failed = true;
	log_info(
		"%s: board '%s' failed before the service was started; it is tried again in %llu s, or when it is plugged in again",
		bridge->facts.port, text_escape(bridge->match.board, name, sizeof(name)),
		(unsigned long long)(rest / USEC_PER_SEC));
	return rest;
}

bool chooser_review(struct chooser *chooser, struct bridge *bridge)
{
	const struct board *board = config_find_board(chooser->config, bridge->match.board);
	const struct shelf *shelf = board ? look(chooser, board) : NULL;

	if (shelf && shelf->result < 0 && decide_is_shortage(shelf->result))
		return false;
	bridge->image.seq = chooser->images_seq;
	if (!shelf || shelf->result == LIBRARY_AWAITED)
		return false;
	if (shelf->choice.identity)
		return !bridge->image.identity ||
		       strcmp(shelf->choice.identity, bridge->image.identity) != 0;
	if (bridge->image.identity)
		shelf_tell_loss(&chooser->shelves, shelf);
	return false;
}

/* ------------------------------------------------------------------------------ going back */

/* The store keeps names escaped, as they are shown in messages. */
static bool has_told_name(const struct library_candidate *candidate, const char *told)
{
	char shown[TEXT_MAX];

	return strcmp(text_escape(candidate->name, shown, sizeof(shown)), told) == 0;
}

/*
 * The file of the previous image's name, else any but the one that failed: the file may have been
 * renamed, and the worker looks for its digest. NULL where there is none.
 */
static const struct library_candidate *find_candidate(
	const struct library_list *list, const struct rollback *rollback)
{
	const struct library_candidate *other = NULL;

	for (size_t i = 0; i < list->n_items; i++) {
		const struct library_candidate *candidate = &list->items[i];

		if (candidate->state == LIBRARY_CANDIDATE_PASSED_OVER)
			continue;
		if (has_told_name(candidate, rollback->image))
			return candidate;
		if (!has_told_name(candidate, rollback->failed))
			other = candidate;
	}
	return other;
}

static void give_up_rollback(
	struct memory *memory, struct bridge *bridge, int error, struct reason *reason)
{
	struct report report = {.outcome = OUTCOME_NOT_CONFIRMED};
	unsigned n_failures;

	text_copy(report.unit, sizeof(report.unit), bridge->attempt.unit);
	/* What is wrong with the image that failed is not why there is no other. */
	if (error == -ENOENT)
		reason_set(reason, "the image directory has no other image for the rule");
	else if (!*reason->text)
		reason_set(reason, "%s", strerror(-error));
	journal_no_rollback(&bridge->attempt, &bridge->facts, reason);
	if (memory_end_rollback(memory, &bridge->attempt, &n_failures))
		journal_quarantined(&bridge->attempt, &bridge->facts, &report, n_failures);
}

void chooser_begin_rollback(struct chooser *chooser, struct memory *memory, struct bridge *bridge)
{
	const struct board *board = config_find_board(chooser->config, bridge->match.board);
	CLEANUP(library_choice_done) struct library_choice choice = {0};
	CLEANUP(library_list_done) struct library_list list = {0};
	const struct library_candidate *candidate = NULL;
	struct attempt *attempt = &bridge->attempt;
	struct library_query query;
	struct reason reason = {0};
	int r = -ENOENT;

	if (board) {
		query = library_query_for(chooser->config, board);
		r = library_list(&query, &list, &choice, &reason);
	}
	if (r >= 0)
		candidate = find_candidate(&list, &attempt->rollback);
	if (!candidate) {
		give_up_rollback(memory, bridge, r < 0 ? r : -ENOENT, &reason);
		return;
	}
	journal_rollback(attempt, &bridge->facts);
	text_copy(attempt->image, sizeof(attempt->image), candidate->name);
	text_copy(attempt->version, sizeof(attempt->version), attempt->rollback.version);
	attempt_begin_rollback(attempt);
	bridge_schedule(bridge, SCHEDULE_ROLLBACK, 0);
}
