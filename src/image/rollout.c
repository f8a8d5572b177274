/* SPDX-License-Identifier: MIT */
#include "image/rollout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ini.h"
#include "base/parse.h"
#include "base/util.h"

#define SECTION "rollout"

/*
 * FNV-1a, and behind it the mixing that MurmurHash3 ends with: ids of chips of one batch differ in
 * a few low bits. It keeps no secret, and a digest would link the service with a library.
 */
unsigned rollout_share(const char *unit)
{
	uint64_t hash = 0xcbf29ce484222325;

	if (!*unit)
		return ROLLOUT_SHARE_UNKNOWN;
	for (; *unit; unit++)
		hash = (hash ^ (uint8_t)*unit) * 0x100000001b3;
	hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
	hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
	return (unsigned)((hash ^ hash >> 33) % ROLLOUT_SHARES);
}

unsigned rollout_below(const struct rollout *rollout, int64_t now_s)
{
	if (rollout->until_s > 0 && now_s >= rollout->until_s)
		return 0;
	return rollout->percent * (ROLLOUT_SHARES / 100);
}

bool rollout_equals(const struct rollout *one, const struct rollout *other)
{
	return one->percent == other->percent && one->until_s == other->until_s;
}

bool rollout_is_same(const struct rollout_span *span, const struct rollout_unit *one,
	const struct rollout_unit *other)
{
	if (span->below > 0 && (other->share < span->from || other->share >= span->below))
		return false;
	return !span->is_of_held || strcmp(one->sha256, other->sha256) == 0;
}

/* ------------------------------------------------------------------ as text */

/* What stands in the file, before it is known that all of it does. */
struct found {
	struct rollout rollout;
	bool has_percent;
};

static int parse_percent(const char *value, void *field, const char **ret_expected)
{
	struct found *found = field;
	uint64_t number;

	*ret_expected = "a whole number from 0 to 100";
	if (parse_digits(&value, 10, &number) != 0 || *value || number > 100)
		return -EINVAL;
	found->rollout.percent = (unsigned)number;
	found->has_percent = true;
	return 0;
}

static int parse_until(const char *value, void *field, const char **ret_expected)
{
	struct found *found = field;
	uint64_t number;

	*ret_expected = "a time in seconds since 1970";
	if (parse_digits(&value, 10, &number) != 0 || *value || number == 0 ||
		number > ROLLOUT_UNTIL_MOST)
		return -EINVAL;
	found->rollout.until_s = (int64_t)number;
	return 0;
}

static const struct ini_key keys[] = {
	{"percent", 0, parse_percent},
	{"until", 0, parse_until},
};

static int take_sections(
	const struct ini *ini, const char *name, struct found *found, struct ini_problems *problems)
{
	int r = 0;

	for (size_t i = 0; i < ini->n_sections && r == 0; i++) {
		const struct ini_section *section = &ini->sections[i];
		bool is_ours = strcmp(section->kind, SECTION) == 0 && !*section->name;

		r = is_ours ? ini_section_apply(section, keys, ARRAY_SIZE(keys), found, problems)
			    : ini_section_expect(section, NULL, "[" SECTION "]", problems);
		if (r == 0 && is_ours && !found->has_percent && problems->n_items == 0)
			r = ini_section_problem(section, "percent", problems, "the key is missing");
	}
	if (r < 0 || ini->n_sections > 0 || problems->n_items > 0)
		return r;
	return ini_problem_add(problems, name, 1, NULL, NULL, "there is no [" SECTION "]");
}

int rollout_read(const char *name, const char *text, size_t n_text, struct rollout *ret,
	struct reason *reason)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(ini_done) struct ini ini = {0};
	struct found found = {0};
	char line[sizeof(reason->text)];
	int r = ini_load_text(&ini, name, text, n_text, &problems);

	if (r == 0)
		r = take_sections(&ini, name, &found, &problems);
	if (r < 0)
		return r;
	if (problems.n_items > 0)
		return reason_refuse(ROLLOUT_REFUSED, reason, "%s",
			ini_problem_format(&problems.items[0], line, sizeof(line)));
	*ret = found.rollout;
	return ROLLOUT_OK;
}

char *rollout_write(const struct rollout *rollout, char to[static ROLLOUT_TEXT_MAX])
{
	int n = snprintf(to, ROLLOUT_TEXT_MAX, "[" SECTION "]\npercent = %u\n", rollout->percent);

	if (rollout->until_s > 0)
		snprintf(to + n, ROLLOUT_TEXT_MAX - (size_t)n, "until = %" PRId64 "\n",
			rollout->until_s);
	return to;
}
