/* SPDX-License-Identifier: MIT */
/*
 * The rollout file beside an image, which whoever brings images writes: any bytes. One that is
 * taken is within its bounds, and reads the same once it was written; one that is not says where
 * and why, and changes nothing.
 */
#include "fuzz.h"
#include "image/rollout.h"

#define NAME "gate.hex.rollout"

static void must_be_rollout(const struct rollout *rollout)
{
	MUST(rollout->percent <= 100);
	MUST(rollout->until_s >= 0 && rollout->until_s <= ROLLOUT_UNTIL_MOST);
	MUST(rollout_below(rollout, 0) == rollout->percent * (ROLLOUT_SHARES / 100));
	MUST(rollout->until_s == 0 || rollout_below(rollout, rollout->until_s) == 0);
}

static void must_come_back(const struct rollout *rollout)
{
	char text[ROLLOUT_TEXT_MAX];
	struct reason reason = {};
	struct rollout again = {};

	rollout_write(rollout, text);
	MUST(rollout_read("again", text, strlen(text), &again, &reason) == ROLLOUT_OK);
	MUST(rollout_equals(&again, rollout));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rollout before = {.percent = 7, .until_s = 7};
	struct rollout rollout = before;
	struct reason reason = {};
	int r = rollout_read(NAME, (const char *)data, size, &rollout, &reason);

	MUST(r == ROLLOUT_OK || r == ROLLOUT_REFUSED);
	if (r == ROLLOUT_OK) {
		must_be_rollout(&rollout);
		must_come_back(&rollout);
		return 0;
	}
	fuzz_must_be_sentence(reason.text);
	MUST(strncmp(reason.text, NAME ":", sizeof(NAME)) == 0);
	MUST(rollout_equals(&rollout, &before));
	return 0;
}
