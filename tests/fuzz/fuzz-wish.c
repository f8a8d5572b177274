/* SPDX-License-Identifier: MIT */
/*
 * A payload of a desired topic: any bytes. A wish that is taken is within its bounds, names a file
 * that leads nowhere else, and is decided upon like any other; one that is not says why.
 */
#include <errno.h>
#include <time.h>

#include "fleet/decide.h"
#include "fleet/moment.h"
#include "fuzz.h"
#include "image/manifest.h"
#include "image/signature.h"
#include "image/version.h"

#define NOW INT64_C(1796385600)

static void must_be_wish(const struct wish *wish)
{
	MUST(*wish->board && strlen(wish->board) < sizeof(wish->board));
	MUST(*wish->image && *wish->image != '.' && *wish->image != '-');
	MUST(!strpbrk(wish->image, "/*?[]\\ \n"));
	MUST(version_is_fit(wish->version));
	MUST(strlen(wish->sha256) == 64);
	MUST(strspn(wish->sha256, "0123456789abcdef") == 64);
	MUST(wish->size > 0 && wish->size <= WISH_SIZE_MAX);
	MUST(*wish->url && strlen(wish->url) <= WISH_URL_MAX && !strpbrk(wish->url, "\r\n"));
	MUST(*wish->manifest && strlen(wish->manifest) <= MANIFEST_MAX_BYTES);
	MUST(*wish->signature && strlen(wish->signature) <= SIGNATURE_MAX_BYTES);
	MUST(wish->percent <= 100);
	MUST(wish->not_before_s >= 0 && wish->not_before_s <= MOMENT_MOST);
	MUST(!wish->window.is_given || wish->window.days > 0);
	MUST(wish->window.opens_min < 24 * 60 && wish->window.closes_min <= 24 * 60);
}

/* Whatever the wish says, no unit gets the image while it is paused, and none too many else; least
 * of all where the service has not said what it knows. */
static void try_decision(const struct wish *wish, enum facts_age facts)
{
	struct board_facts board = {.image = "fleet/*", .requires_signature = true};
	struct decide_input input = {.wish = wish,
		.board = &board,
		.facts = facts,
		.facts_why = "plugflashd has not told them yet",
		.supply = SUPPLY_PLACED,
		.why = "",
		.hold_why = "",
		.now_s = NOW};
	struct decision got;

	decide_wish(&input, &got);
	MUST(got.rollout.percent <= wish->percent);
	MUST(got.state == WISH_STATE_OFFERED || got.rollout.percent == 0);
	MUST(!wish->paused || got.rollout.percent == 0);
	MUST(wish->not_before_s <= NOW || got.rollout.percent == 0);
	MUST(got.again_s > NOW);
	MUST(got.rollout.until_s == 0 || got.rollout.until_s == got.again_s);
	if (*got.reason.text)
		fuzz_must_be_sentence(got.reason.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wish wish = {};
	struct reason note = {}, reason = {};
	int r = wish_parse((const char *)data, size, NULL, &wish, &note, &reason);

	MUST(r == WISH_OK || r == WISH_REFUSED);
	if (*note.text)
		fuzz_must_be_sentence(note.text);
	if (r == WISH_REFUSED) {
		fuzz_must_be_sentence(reason.text);
		MUST(!wish.url && !wish.manifest && !wish.signature);
		return 0;
	}
	must_be_wish(&wish);
	for (enum facts_age facts = FACTS_NONE; facts <= FACTS_FRESH; facts++)
		try_decision(&wish, facts);
	wish_done(&wish);
	return 0;
}
