/* SPDX-License-Identifier: MIT */
/*
 * orders.h - a chip whose flash is full, to which a person gives orders. Include after cmocka.h.
 */
#pragma once

#include <string.h>

#include "sim/bench.h"

#define F103	"chip = F103xC\nretries = 0\nretry-delay = 0\n"
#define F103X2	"chip = F103xC\nretries = 1\nretry-delay = 0\n"
#define PAGE	2048u
#define CONTENT 0x5A

enum { WRITE_UNPROTECT = 0x73, PROTECT = 0x82, UNPROTECT = 0x92, GO = 0x21 };

static inline struct bench *filled(const struct sim_options *options, const char *rule)
{
	struct bench *bench = bench_new_with(options, rule);

	memset(sim_flash(bench->sim), CONTENT, sim_flash_size(bench->sim));
	return bench;
}

static inline struct bench *f103(const struct sim_faults *faults, const char *rule)
{
	struct sim_options options = {.chip = sim_chip_find("f103xc")};

	if (faults)
		options.faults = *faults;
	return filled(&options, rule);
}

static inline const struct sim_counters *counters(const struct bench *bench)
{
	return sim_counters(bench->sim);
}

static inline void must_be(struct bench *bench, enum flash_action action, enum outcome expected)
{
	if (bench_run(bench, action) != expected)
		fail_msg("%s, not %s: %s", outcome_to_string(bench->report.outcome),
			outcome_to_string(expected), bench->report.reason.text);
}

static inline void reason_has(const struct bench *bench, const char *text)
{
	if (!strstr(bench->report.reason.text, text))
		fail_msg("'%s' is not in: %s", text, bench->report.reason.text);
}

static inline void remark_is(const struct bench *bench, const char *text)
{
	assert_string_equal(bench->report.remark, text);
}

/* Whether the bytes are all of this value. */
static inline bool holds(struct bench *bench, uint32_t offset, uint32_t size, uint8_t value)
{
	const uint8_t *bytes = sim_flash(bench->sim) + offset;

	for (uint32_t i = 0; i < size; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

static inline void wish(struct bench *bench, const char *pages, const char *range)
{
	bench->erase = (struct erase_wish){.what = ERASE_ALL};
	if (pages)
		assert_int_equal(erase_parse_pages(pages, &bench->erase), 0);
	if (range)
		assert_int_equal(erase_parse_range(range, &bench->erase), 0);
}
