/* SPDX-License-Identifier: MIT */
#include "records/trust.h"

#include <string.h>

#include "base/util.h"

static const char *const ways[TRUST_WAY_MAX] = {
	[TRUST_STUB] = "stub",
	[TRUST_BURSTS] = "bursts",
};

const char *trust_way_to_string(enum trust_way way)
{
	return ways[way];
}

bool trust_row(enum trust_way way, const struct report *report, struct store_trust *ret)
{
	unsigned major = report->bootloader_version >> 4, minor = report->bootloader_version & 0xF;
	char program[16] = "", told[32] = "", chip[TEXT_MAX];

	*ret = (struct store_trust){0};
	if (!report->has_product_id || !*report->family ||
		(way == TRUST_STUB && report->stub_version == 0))
		return false;
	if (way == TRUST_STUB) {
		snprintf(program, sizeof(program), " %u", report->stub_version);
		snprintf(told, sizeof(told), ", program %u", report->stub_version);
	}
	snprintf(ret->kind, sizeof(ret->kind), "%s %s:0x%03x %u.%u%s", ways[way], report->family,
		report->product_id, major, minor, program);
	text_escape(report->chip, chip, sizeof(chip));
	snprintf(ret->name, sizeof(ret->name), "%s of %.96s (0x%03x), boot loader %u.%u%s",
		ways[way], chip, report->product_id, major, minor, told);
	return true;
}

enum trust trust_of(const struct store_trust *row)
{
	if (row->off_ms > 0)
		return TRUST_OFF;
	return row->proved >= TRUST_PROOFS ? TRUST_FULL : TRUST_ON_TRIAL;
}

/* The program's own words, where it has some. */
static void set_reason(struct store_trust *row, enum trust_way way, const struct report *report)
{
	if (way == TRUST_STUB && *report->stub)
		text_copy(row->reason, sizeof(row->reason), report->stub);
	else
		text_copy(row->reason, sizeof(row->reason),
			way == TRUST_STUB
				? "it was given up after an erase, or its work was not what it said"
				: "a block was refused or lost, or was not in the flash as it was sent");
}

int trust_learn(
	struct store_trust *row, enum trust_way way, const struct report *report, int64_t now_ms)
{
	enum trial trial =
		(enum trial)(way == TRUST_STUB ? report->stub_trial : report->bursts_trial);
	enum trust trust = trust_of(row);

	if (trust == TRUST_OFF)
		return TRUST_NO_NEWS;
	if (trial == TRIAL_FAILED) {
		row->proved = 0;
		row->off_ms = row->seen_ms = now_ms > 0 ? now_ms : 1;
		set_reason(row, way, report);
		return TRUST_TURNED_OFF;
	}
	if (trial != TRIAL_PASSED || trust != TRUST_ON_TRIAL)
		return TRUST_NO_NEWS;
	row->proved++;
	row->seen_ms = now_ms;
	return TRUST_COUNTED;
}
