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

/* What the job needs of the image, and what tells it from the next one. 0 or -ENOMEM. */
static int take_image(struct chooser *chooser, struct job *job, const struct library_choice *choice)
{
	char *identity = choice->identity ? strdup(choice->identity) : NULL;

	job->library = chooser->images_seq;
	job->has_address = choice->has_address;
	if (choice->identity && !identity)
		return -ENOMEM;
	free(job->identity);
	job->identity = identity;
	text_copy(job->attempt.image, sizeof(job->attempt.image), choice->name);
	text_copy(job->attempt.version, sizeof(job->attempt.version), choice->version);
	return 0;
}

/* As the rule is now: a reload while the worker runs is for the next attempt. */
static void set_policy(
	struct job *job, const struct board *board, const struct library_choice *choice)
{
	job->attempt.policy = (struct attempt_policy){
		.update = board->update,
		.quarantine_after = board->quarantine_after,
		.again_after_usec = board->again_after_usec,
		.rollback = board->rollback,
		.serialize = board->serialize,
		.serialize_limit = board->serialize_limit,
	};
	text_copy(job->attempt.policy.requires, sizeof(job->attempt.policy.requires),
		choice->requires);
	memory_mark_rule(job->rule, job->attempt.policy.rule_mark);
}

/* An attempt to go back is none any more once the rule finds another image than the one that
 * failed. */
static void drop_stale_rollback(struct job *job, const struct library_choice *choice)
{
	if (!job->identity || !choice->identity || strcmp(job->identity, choice->identity) != 0)
		attempt_drop_rollback(&job->attempt);
}

int chooser_choose(struct chooser *chooser, struct job *job, const struct board *board,
	struct assignment *ret, struct report *ret_end)
{
	const struct shelf *shelf = look(chooser, board);
	const struct config *config = chooser->config;
	struct assignment assignment = {
		.action = FLASH_UPDATE,
		.port = job->facts.port,
		.devnum = job->facts.devnum,
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
	drop_stale_rollback(job, &shelf->choice);
	if (!attempt_goes_back(&job->attempt) && take_image(chooser, job, &shelf->choice) < 0)
		return -ENOMEM;
	set_policy(job, board, &shelf->choice);
	assignment.image = *job->attempt.image ? job->attempt.image : NULL;
	assignment.version = *job->attempt.version ? job->attempt.version : NULL;
	if (attempt_goes_back(&job->attempt)) {
		assignment.sha256 = job->attempt.rollback.sha256;
	} else if (shelf->result == LIBRARY_AWAITED && chooser->watch) {
		/* Whatever the copy brings is another image than this. */
		free(job->identity);
		job->identity = NULL;
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
		assignment.identity = job->identity;
		assignment.known_sha256 = job->held_sha256[0] ? job->held_sha256 : NULL;
	}
	*ret = assignment;
	return 0;
}

uint64_t chooser_resume_rest(
	struct chooser *chooser, struct memory *memory, struct job *job, const struct board *board)
{
	const struct shelf *shelf = memory ? look(chooser, board) : NULL;
	char name[TEXT_MAX];
	uint64_t rest;

	if (!shelf || shelf->result != LIBRARY_OK)
		return 0;
	rest = memory_unit_rest(memory, &job->facts, job->rule, board, shelf->choice.name);
	/* With the image it was looked at with, so that another one ends the wait. */
	if (rest == 0 || take_image(chooser, job, &shelf->choice) < 0)
		return 0;
	job->attempt.has_failed = true;
	log_info(
		"%s: board '%s' failed before the service was started; it is tried again in %llu s, or when it is plugged in again",
		job->facts.port, text_escape(job->board, name, sizeof(name)),
		(unsigned long long)(rest / USEC_PER_SEC));
	return rest;
}

bool chooser_finds_other(struct chooser *chooser, struct job *job, const struct board *board)
{
	const struct shelf *shelf = look(chooser, board);

	if (shelf && shelf->result < 0 && decide_is_shortage(shelf->result))
		return false;
	job->library = chooser->images_seq;
	if (!shelf || shelf->result == LIBRARY_AWAITED)
		return false;
	if (!shelf->choice.identity) {
		if (job->identity)
			shelf_tell_loss(&chooser->shelves, shelf);
		return false;
	}
	return !job->identity || strcmp(shelf->choice.identity, job->identity) != 0;
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

/* Its name goes to the attempt. 0; -ENOENT where there is none; another -errno, maybe with the
 * reason. */
static int find_previous(
	struct chooser *chooser, const char *name, struct attempt *attempt, struct reason *reason)
{
	const struct board *board = config_find_board(chooser->config, name);
	CLEANUP(library_choice_done) struct library_choice choice = {0};
	CLEANUP(library_list_done) struct library_list list = {0};
	const struct library_candidate *candidate;
	struct library_query query;
	int r;

	if (!board)
		return -ENOENT;
	query = library_query_for(chooser->config, board);
	r = library_list(&query, &list, &choice, reason);
	if (r < 0)
		return r;
	candidate = find_candidate(&list, &attempt->rollback);
	if (!candidate)
		return -ENOENT;
	text_copy(attempt->image, sizeof(attempt->image), candidate->name);
	text_copy(attempt->version, sizeof(attempt->version), attempt->rollback.version);
	return 0;
}

static void give_up_rollback(
	struct memory *memory, struct job *job, int error, struct reason *reason)
{
	struct report report = {.outcome = OUTCOME_NOT_CONFIRMED};
	unsigned n_failures;

	snprintf(report.unit, sizeof(report.unit), "%s", job->attempt.unit);
	/* What is wrong with the image that failed is not why there is no other. */
	if (error == -ENOENT)
		reason_set(reason, "the image directory has no other image for the rule");
	else if (!*reason->text)
		reason_set(reason, "%s", strerror(-error));
	journal_no_rollback(&job->attempt, &job->facts, reason);
	if (memory_end_rollback(memory, &job->attempt, &n_failures))
		journal_quarantined(&job->attempt, &job->facts, &report, n_failures);
}

void chooser_begin_rollback(struct chooser *chooser, struct memory *memory, struct job *job)
{
	struct reason reason = {0};
	int r = find_previous(chooser, job->board, &job->attempt, &reason);

	if (r < 0) {
		give_up_rollback(memory, job, r, &reason);
		return;
	}
	journal_rollback(&job->attempt, &job->facts);
	attempt_begin_rollback(&job->attempt);
	job->again_usec = 1;
}
