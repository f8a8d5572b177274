/* SPDX-License-Identifier: MIT */
/*
 * decide.c - a wish is judged in this order, and the first that applies is what is said of it:
 *
 *   1. What no waiting mends: no such rule, a rule that does not demand a signature, a name that it
 *      would not take, a version below the floor, a seal that does not hold. Nothing is fetched.
 *      The service tells when its rules are others; keys and files do not, and are looked at
 *      again.
 *   2. Somebody holds it: its owner, the command, this gateway itself.
 *   3. The bytes are not there yet.
 *   4. They are: the time, the window and the percent say which units get them.
 *   5. No unit gets the image that would not have got it before, unless the service has told its
 *      rules and floors and nothing happened since.
 *
 * Until 4 no unit gets the image: its rollout is 0 percent. Bytes are fetched before the time and
 * outside of the window, for only a unit that is updated is in anybody's way; and the thousands of
 * gateways do not all fetch as the window opens.
 */
#include "fleet/decide.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "image/version.h"

static const char *const states[WISH_STATE_MAX] = {
	[WISH_STATE_REFUSED] = "refused",
	[WISH_STATE_WAITING] = "waiting",
	[WISH_STATE_FETCHING] = "fetching",
	[WISH_STATE_READY] = "ready",
	[WISH_STATE_OFFERED] = "offered",
	[WISH_STATE_PAUSED] = "paused",
	[WISH_STATE_HALTED] = "halted",
};

const char *wish_state_to_string(enum wish_state state)
{
	return states[state];
}

bool decide_fits_rule(const struct board_facts *board, const char *image)
{
	char path[sizeof(FLEET_FOLDER) + WISH_IMAGE_MAX];

	snprintf(path, sizeof(path), "%s/%s", FLEET_FOLDER, image);
	return fnmatch(board->image, path, FNM_PATHNAME | FNM_PERIOD) == 0;
}

/* ------------------------------------------------------------------ what no waiting mends */

/* By the rule that was told last: while the service is away, it is most likely as it was. */
static bool is_against_rule(const struct decide_input *input, struct reason *reason)
{
	const struct board_facts *board = input->board;
	const struct wish *wish = input->wish;
	char shown[TEXT_MAX];

	text_escape(board ? board->image : wish->board, shown, sizeof(shown));
	if (input->facts == FACTS_NONE)
		return false;
	if (!board)
		reason_set(reason,
			"there is no rule [board %s] on this gateway: add it, or publish for another group",
			shown);
	else if (board->is_cut)
		reason_set(reason,
			"a text of the rule [board %s] is longer than %d bytes, its image or its trusted-keys: shorten it",
			board->board, TEXT_MAX - 1);
	else if (!board->requires_signature)
		reason_set(reason,
			"the rule takes images without a signature: set require-signature = yes, without which nothing is fetched from the network");
	else if (!decide_fits_rule(board, wish->image))
		reason_set(reason,
			"the rule takes '%s', which does not fit %s/%s: set its image, or name the file otherwise",
			shown, FLEET_FOLDER, wish->image);
	else if (*board->floor && version_compare(wish->version, board->floor) < 0)
		reason_set(reason,
			"version %s is below %s, the floor of this board: publish a newer one, or lower it by 'plugflash floor'",
			wish->version, board->floor);
	else
		return false;
	return true;
}

static bool is_refused(const struct decide_input *input, struct decision *decision)
{
	struct reason *reason = &decision->reason;
	bool may_be_mended = false;
	char shown[TEXT_MAX];

	if (is_against_rule(input, reason))
		return true;
	if (input->seal != SEAL_OK) {
		reason_set(reason, "%s", input->seal_why);
		may_be_mended = input->seal == SEAL_UNKNOWN;
	} else if (input->namesake) {
		reason_set(reason,
			"the wish for board '%s' names the same file: give each its own name",
			text_escape(input->namesake, shown, sizeof(shown)));
	} else if (input->supply == SUPPLY_REFUSED || input->supply == SUPPLY_BLOCKED) {
		reason_set(reason, "%s", input->why);
		may_be_mended = input->supply == SUPPLY_BLOCKED;
	} else {
		return false;
	}
	if (may_be_mended)
		decision->again_s = input->now_s + MENDED_S;
	return true;
}

/* ------------------------------------------------------------------ who gets it */

/* As a wish may say it. Returns `to`. */
static char *show_moment(int64_t moment_s, char to[static 32])
{
	time_t moment = (time_t)moment_s;
	struct tm at;

	if (!gmtime_r(&moment, &at) || strftime(to, 32, "%Y-%m-%dT%H:%M:%SZ", &at) == 0)
		snprintf(to, 32, "%" PRId64, moment_s);
	return to;
}

/* No unit more than `standing` gives it to, nor for longer. */
static struct rollout not_above(
	const struct rollout *rollout, const struct rollout *standing, int64_t now_s)
{
	struct rollout least = *rollout;

	/* A file that cannot be read stands as more than 100 percent, and gives it to nobody. */
	if (standing->percent > 100 || rollout_below(standing, now_s) == 0)
		return (struct rollout){};
	if (standing->percent < least.percent)
		least.percent = standing->percent;
	if (standing->until_s > 0 && (least.until_s == 0 || standing->until_s < least.until_s))
		least.until_s = standing->until_s;
	return least;
}

static void wait_for_rules(const struct decide_input *input, struct decision *decision)
{
	decision->waits_for_rules = true;
	reason_set(&decision->reason, "the rules are waited for: %s", input->facts_why);
}

/* To the units that are wished, as far as the rules are known. */
static void offer_to(
	const struct decide_input *input, const struct rollout *wished, struct decision *decision)
{
	decision->rollout = *wished;
	if (input->facts != FACTS_FRESH)
		decision->rollout = not_above(wished, &input->standing, input->now_s);
	decision->state = decision->rollout.percent > 0 ? WISH_STATE_OFFERED : WISH_STATE_WAITING;
	if (!rollout_equals(&decision->rollout, wished))
		wait_for_rules(input, decision);
}

static void offer(const struct decide_input *input, struct decision *decision)
{
	const struct wish *wish = input->wish;
	struct window_state window;
	char shown[32];

	decision->state = WISH_STATE_READY;
	window_at(&wish->window, input->now_s, &window);
	if (wish->not_before_s > input->now_s) {
		decision->again_s = wish->not_before_s;
		reason_set(
			&decision->reason, "not before %s", show_moment(wish->not_before_s, shown));
		return;
	}
	decision->again_s = window.until_s;
	if (!window.is_open)
		reason_set(&decision->reason, "the window opens at %s",
			show_moment(window.until_s, shown));
	else if (wish->percent == 0)
		reason_set(&decision->reason, "percent is 0");
	else
		offer_to(input,
			&(struct rollout){.percent = wish->percent,
				.until_s = window.until_s == INT64_MAX ? 0 : window.until_s},
			decision);
}

static bool is_held(const struct decide_input *input, struct decision *decision)
{
	if (input->wish->paused) {
		decision->state = WISH_STATE_PAUSED;
		reason_set(&decision->reason, "by the wish itself");
	} else if (input->hold != HOLD_NONE) {
		decision->state =
			input->hold == HOLD_FAILURES ? WISH_STATE_HALTED : WISH_STATE_PAUSED;
		reason_set(&decision->reason, "%s", input->hold_why);
	} else {
		return false;
	}
	return true;
}

/* The bytes are to be had, or are there. */
static void go_on(const struct decide_input *input, struct decision *decision)
{
	decision->is_wanted = true;
	if (input->supply == SUPPLY_UNKNOWN) {
		reason_set(&decision->reason, "%s", input->why);
		decision->again_s = input->now_s + RETRY_S;
	} else if (input->supply != SUPPLY_PLACED) {
		decision->state = WISH_STATE_FETCHING;
		reason_set(&decision->reason, "%s", input->why);
	} else if (input->now_s < CLOCK_LEAST) {
		reason_set(&decision->reason,
			"the clock of this gateway is not set: it is waited for");
		decision->again_s = CLOCK_LEAST;
	} else {
		offer(input, decision);
	}
}

void decide_wish(const struct decide_input *input, struct decision *ret)
{
	struct decision decision = {.state = WISH_STATE_WAITING, .again_s = INT64_MAX};

	if (is_refused(input, &decision))
		decision.state = WISH_STATE_REFUSED;
	else if (is_held(input, &decision))
		decision.is_wanted = false;
	else if (input->facts < FACTS_OUTDATED && input->supply != SUPPLY_PLACED)
		wait_for_rules(input, &decision);
	else
		go_on(input, &decision);
	*ret = decision;
}
