/* SPDX-License-Identifier: MIT */
/*
 * choice.c - the order in which it is decided what an attempt gets:
 *
 *   1. The host is short of memory or descriptors: nothing is known of the images.
 *   2. The unit goes back, and its rule still has the image that failed: the image before that.
 *   3. The image is being copied: the bridge is done until a change of the images ends that.
 *   4. No image, or none that may be used: the attempt ends with that outcome.
 *   5. The image of the rule, known by its stamp, so that the worker notices a change since.
 */
#include "service/choice.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "image/copy.h"
#include "records/decide.h"
#include "service/journal.h"

void chooser_done(struct chooser *chooser)
{
	image_cache_clear(&chooser->cache);
}

void chooser_config_changed(struct chooser *chooser)
{
	image_cache_clear(&chooser->cache);
	chooser->images_seq++;
}

void chooser_images_changed(struct chooser *chooser)
{
	image_cache_look_again(&chooser->cache);
	chooser->images_seq++;
}

/* What is known of the unit of that row, or of that id where there is no row. */
static struct rollout_unit unit_of(const struct store_unit *row, const char *id)
{
	struct rollout_unit unit = {.share = ROLLOUT_SHARE_UNKNOWN};

	if (*row->unit)
		id = row->unit;
	if (report_unit_is_told(id))
		unit.share = rollout_share(id);
	if (row->has_state && row->state == UNIT_WHOLE) {
		memcpy(unit.sha256, row->sha256, sizeof(unit.sha256));
		memcpy(unit.version, row->version, sizeof(unit.version));
	}
	return unit;
}

/* The unit that answered last, or before any did the one that was there when the bridge was. */
static struct rollout_unit unit_behind(
	const struct chooser *chooser, struct bridge *bridge, const struct board *board)
{
	const struct attempt *attempt = bridge_flash(bridge);
	struct store_unit row;

	records_find_behind(chooser->records, &bridge->facts, attempt->key, board->name, &row);
	return unit_of(&row, attempt->unit);
}

/*
 * 0; CHOICE_ASKED; -errno where nothing is known of the images: no memory, the host is short of
 * something, or the program failed (then with the entry, which says so).
 */
static int look(struct chooser *chooser, struct bridge *bridge, const struct board *board,
	uint64_t since_usec, const struct image_entry **ret)
{
	const struct rollout_unit unit = unit_behind(chooser, bridge, board);
	int r = image_cache_find(&chooser->cache, board, &unit, since_usec, ret);

	if (r == IMAGE_CACHE_ASKED)
		return CHOICE_ASKED;
	return r < 0 ? r : image_entry_failure(*ret);
}

/*
 * The same at the turn of a bridge. Its image is what the directory holds then: an answer that was
 * asked for before may be of before a change that nobody has told of yet.
 */
static int look_for(struct chooser *chooser, struct bridge *bridge, const struct board *board,
	const struct image_entry **ret)
{
	uint64_t *asked_usec = &bridge->image.asked_usec;
	int r;

	if (*asked_usec == 0)
		*asked_usec = monotonic_usec();
	r = look(chooser, bridge, board, *asked_usec, ret);
	if (r != CHOICE_ASKED)
		*asked_usec = 0;
	return r;
}

/* Nobody waits for it, and the watch tells of each change again. */
static uint64_t a_moment_ago(void)
{
	return monotonic_usec() - COPY_CALM_USEC;
}

/* The facts of the image that the bridge needs, and those that tell it from the next one. 0 or
 * -ENOMEM. */
static int take_image(
	struct chooser *chooser, struct bridge *bridge, const struct library_choice *choice)
{
	char *stamp = choice->stamp ? strdup(choice->stamp) : NULL;

	bridge->image.seq = chooser->images_seq;
	bridge->image.has_address = choice->has_address;
	if (choice->stamp && !stamp)
		return -ENOMEM;
	free(bridge->image.stamp);
	bridge->image.stamp = stamp;
	text_copy(bridge->attempt.image, sizeof(bridge->attempt.image), choice->name);
	text_copy(bridge->attempt.version, sizeof(bridge->attempt.version), choice->version);
	return 0;
}

/* As the rule is now: a reload while the worker runs is for the next attempt. 0 or -ENOMEM. */
static int set_policy(
	struct bridge *bridge, const struct board *board, const struct image_entry *entry)
{
	const struct library_choice *choice = &entry->found.choice;
	CLEANUP(freep) char *rule = bridge_rule_text(board);

	if (!rule)
		return -ENOMEM;
	bridge->attempt.policy = (struct attempt_policy){
		.is_asked = *bridge->ask.id,
		.update = bridge->ask.force ? BOARD_UPDATE_ALWAYS : board->update,
		.quarantine_after = board->quarantine_after,
		.again_after_usec = board->again_after_usec,
		/* Going back is an attempt of the service, which would not know which of two rules
		 * was named. */
		.rollback = board->rollback && bridge->match.result == MATCH_ONE,
		.anti_rollback = board->anti_rollback,
		.serialize = board->serialize,
		.serialize_limit = board->serialize_limit,
		.chosen_for = entry->unit,
		.span = choice->span,
		.learns =
			{
				[TRUST_STUB] = board->stub == BOARD_USE_AUTO,
				[TRUST_BURSTS] = board->bursts == BOARD_USE_AUTO,
			},
	};
	text_copy(bridge->attempt.policy.requires, sizeof(bridge->attempt.policy.requires),
		choice->requires);
	records_mark_rule(rule, bridge->attempt.policy.rule_mark);
	return 0;
}

/* An attempt to go back is none any more once the rule finds another image than the one that
 * failed. */
static void drop_stale_rollback(struct bridge *bridge, const struct library_choice *choice)
{
	if (!bridge->image.stamp || !choice->stamp ||
		strcmp(bridge->image.stamp, choice->stamp) != 0)
		rollback_enter(&bridge->attempt.rollback, ROLLBACK_NONE);
}

static struct assignment assignment_for(const struct chooser *chooser, const struct bridge *bridge,
	const struct board *board, enum flash_action action)
{
	const struct config *config = chooser->cache.parts.config;

	return (struct assignment){
		.action = action,
		.port = bridge->facts.port,
		.devnum = bridge->facts.devnum,
		.image_dir = config->service.image_dir,
		.require_signature = config->service.require_signature,
		.accept_legacy_signatures = config->service.accept_legacy_signatures,
		.trusted_keys = config->service.trusted_keys,
		.chips = (char *)chooser->cache.parts.chips,
		.chips_dir = (char *)chooser->chips_dir,
		.board = *board, /* borrowed: the text of it is the worker's own copy */
	};
}

/*
 * What was found for the turn of a bridge: 0 and the entry, whatever is in it; CHOICE_NONE where
 * the look-up failed; CHOICE_ASKED, -errno.
 */
static int find_for(struct chooser *chooser, struct bridge *bridge, const struct board *board,
	const struct image_entry **ret, struct report *ret_end)
{
	const struct image_entry *entry = NULL;
	int r = look_for(chooser, bridge, board, &entry);

	bridge->ask.images_seq = chooser->images_seq;
	if (r < 0 && entry && !decide_is_shortage(r)) {
		*ret_end = (struct report){
			.outcome = OUTCOME_FAILED,
			.phase = PHASE_IMAGE,
			.error = -r,
			.reason = entry->found.reason,
		};
		return CHOICE_NONE;
	}
	if (r == 0)
		*ret = entry;
	return r;
}

/* The end of an attempt for which no image may be used. */
static int choose_none(const struct finding *found, struct report *ret_end)
{
	bool is_none = found->result < 0 || found->result == LIBRARY_NONE;

	*ret_end = (struct report){
		.outcome = is_none ? OUTCOME_NO_IMAGE : OUTCOME_BAD_IMAGE,
		.phase = PHASE_IMAGE,
		.reason = found->reason,
	};
	return CHOICE_NONE;
}

int chooser_choose(struct chooser *chooser, struct bridge *bridge, const struct board *board,
	struct assignment *ret, struct report *ret_end)
{
	struct assignment assignment = assignment_for(chooser, bridge, board, FLASH_UPDATE);
	const struct image_entry *entry = NULL;
	const struct finding *found;
	int r = find_for(chooser, bridge, board, &entry, ret_end);

	if (r != 0)
		return r;
	found = &entry->found;
	bridge->image.is_noted_only = false;
	drop_stale_rollback(bridge, &found->choice);
	if (!attempt_goes_back(&bridge->attempt) && take_image(chooser, bridge, &found->choice) < 0)
		return -ENOMEM;
	if (set_policy(bridge, board, entry) < 0)
		return -ENOMEM;
	assignment.image = *bridge->attempt.image ? bridge->attempt.image : NULL;
	assignment.version = *bridge->attempt.version ? bridge->attempt.version : NULL;
	if (attempt_goes_back(&bridge->attempt)) {
		assignment.sha256 = bridge->attempt.rollback.sha256;
	} else if (found->result == LIBRARY_AWAITED && chooser->cache.parts.watch) {
		/* The copy brings another image than this. */
		free(bridge->image.stamp);
		bridge->image.stamp = NULL;
		return CHOICE_WAIT;
	} else if (found->result != LIBRARY_OK) {
		return choose_none(found, ret_end);
	} else {
		assignment.stamp = bridge->image.stamp;
		/* Whoever asks may have changed the board behind the bridge. */
		assignment.known_sha256 = bridge->image.held_sha256[0] && !*bridge->ask.id
						  ? bridge->image.held_sha256
						  : NULL;
	}
	*ret = assignment;
	return 0;
}

int chooser_choose_check(struct chooser *chooser, struct bridge *bridge, const struct board *board,
	struct assignment *ret, struct report *ret_end)
{
	static const enum flash_action actions[OPERATION_MAX] = {
		[OPERATION_VERIFY] = FLASH_VERIFY,
		[OPERATION_PROBE] = FLASH_PROBE,
		[OPERATION_IDENTIFY] = FLASH_IDENTIFY,
	};
	struct assignment assignment =
		assignment_for(chooser, bridge, board, actions[bridge->ask.operation]);
	const struct image_entry *entry = NULL;
	const struct finding *found;
	int r = bridge_needs_image(bridge) ? find_for(chooser, bridge, board, &entry, ret_end) : 0;

	if (r != 0)
		return r;
	found = entry ? &entry->found : NULL;
	if (found && found->result == LIBRARY_AWAITED && chooser->cache.parts.watch)
		return CHOICE_WAIT;
	if (found && found->result != LIBRARY_OK)
		return choose_none(found, ret_end);
	if (found) {
		assignment.image = found->choice.name;
		assignment.version = found->choice.version;
		assignment.stamp = found->choice.stamp;
	}
	*ret = assignment;
	return 0;
}

uint64_t chooser_resume_rest(
	const struct chooser *chooser, struct bridge *bridge, const struct board *board)
{
	struct records *records = chooser->records;
	char name[TEXT_MAX], mark[17];
	uint64_t rest = 0;

	if (records && bridge->is_from_start) {
		records_mark_rule(bridge->match.rule, mark);
		rest = records_rest(records, &bridge->facts, board, mark, bridge->attempt.image);
	}
	bridge->is_from_start = false;
	if (rest == 0)
		return 0;
	bridge->attempt.has_failed = true;
	log_info(
		"%s: board '%s' failed before the service was started; it is tried again in %llu s, or when it is plugged in again",
		bridge->facts.port, text_escape(bridge->match.board, name, sizeof(name)),
		(unsigned long long)(rest / USEC_PER_SEC));
	return rest;
}

bool chooser_chose_for_another(
	const struct chooser *chooser, const struct bridge *bridge, const struct report *so_far)
{
	const struct attempt_policy *policy = &bridge->attempt.policy;
	struct rollout_unit unit;
	struct store_unit row;
	char key[STORE_KEY_MAX];

	if (attempt_goes_back(&bridge->attempt) || !report_unit_is_told(so_far->unit))
		return false;
	attempt_unit_key(&bridge->facts, so_far, key);
	records_find_behind(chooser->records, &bridge->facts, key, NULL, &row);
	unit = unit_of(&row, so_far->unit);
	return !rollout_is_same(&policy->span, &policy->chosen_for, &unit);
}

/* The image that is there is none to begin anew for. Without memory for its stamp it is. */
static bool note_image(struct bridge *bridge, const char *stamp)
{
	char *copy = stamp ? strdup(stamp) : NULL;

	bridge->image.is_noted_only = false;
	if (stamp && !copy)
		return true;
	free(bridge->image.stamp);
	bridge->image.stamp = copy;
	return false;
}

bool chooser_review(struct chooser *chooser, struct bridge *bridge)
{
	const struct board *board =
		config_find_board(chooser->cache.parts.config, bridge->match.board);
	const struct image_entry *entry = NULL;
	const char *stamp;
	int r = board ? look(chooser, bridge, board, a_moment_ago(), &entry) : 0;

	/* While it is being looked up: the answer is followed by another turn. Without memory for
	 * an entry the next turn has it. */
	if (r == CHOICE_ASKED || (r < 0 && !entry))
		return false;
	/* After a failure the next change is waited for: the cache has one told. */
	bridge->image.seq = chooser->images_seq;
	if (r < 0 || !entry || entry->found.result == LIBRARY_AWAITED)
		return false;
	stamp = entry->found.choice.stamp;
	if (bridge->image.is_noted_only)
		return note_image(bridge, stamp);
	if (!stamp && bridge->image.stamp)
		image_cache_tell_loss(&chooser->cache, entry);
	return stamp && (!bridge->image.stamp || strcmp(stamp, bridge->image.stamp) != 0);
}

/* ------------------------------------------------------------------------------ going back */

static void give_up_rollback(
	struct records *records, struct bridge *bridge, int error, struct reason *reason)
{
	struct report report = {.outcome = OUTCOME_NOT_CONFIRMED};
	unsigned n_failures;

	text_copy(report.unit, sizeof(report.unit), bridge->attempt.unit);
	/* A fault of the image that failed is not the reason why there is no other. */
	if (error == -ENOENT)
		reason_set(reason, "the image directory has no other image for the rule");
	else if (!*reason->text)
		reason_set(reason, "%s", strerror(-error));
	journal_no_rollback(bridge, reason);
	n_failures = records_end_rollback(records, &bridge->attempt);
	if (n_failures > 0)
		journal_quarantined(bridge, &report, n_failures);
}

void chooser_begin_rollback(struct chooser *chooser, struct bridge *bridge)
{
	const struct board *board =
		config_find_board(chooser->cache.parts.config, bridge->match.board);
	struct attempt *attempt = &bridge->attempt;
	const struct image_entry *entry = NULL;
	struct reason reason = {0};
	int r = -ENOENT;

	if (board)
		r = image_cache_find_previous(&chooser->cache, board, attempt->rollback.image,
			attempt->rollback.failed, a_moment_ago(), &entry);
	if (r == IMAGE_CACHE_ASKED)
		return;
	if (r == IMAGE_CACHE_FOUND) {
		reason = entry->found.reason;
		r = entry->error < 0	      ? entry->error
		    : entry->found.result > 0 ? -ENOENT
					      : entry->found.result;
	}
	if (r < 0) {
		give_up_rollback(chooser->records, bridge, r, &reason);
		return;
	}
	journal_rollback(bridge);
	text_copy(attempt->image, sizeof(attempt->image), entry->found.choice.name);
	text_copy(attempt->version, sizeof(attempt->version), attempt->rollback.version);
	rollback_enter(&attempt->rollback, ROLLBACK_BEGUN);
	bridge_schedule(bridge, SCHEDULE_ROLLBACK, 0);
}
