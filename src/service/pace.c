/* SPDX-License-Identifier: MIT */
/*
 * pace.c - from lines of progress to share, rate and expected end:
 *
 *   ... identify ── compare ── erase ── write ── verify ── write ── verify ── leave
 *                                       the rest           the start
 *
 * Each phase has a span of the whole, which the share of the phase fills. The spans are those of
 * flashes of 32 KiB to 1 MiB at 115200 baud: written and read back they take most of the time.
 * Write and verify come a second time, for the bytes that the chip starts by, and are short then:
 * the share stays where it is, as with everything that would take it back. A fresh reset after a
 * part of the work is another pass, and begins anew; the one after the read-out protection was set
 * is not.
 *
 * The rate is the mean of the phase, so that the end that is expected moves little. It is known
 * once the phase has lasted for RATE_LEAST_USEC. Verify reads what was written at about the rate of
 * a comparison that came before, and where none did at that of the writing, since both fill the
 * line.
 */
#include "service/pace.h"

#include "base/util.h"

#define RATE_LEAST_USEC (500 * USEC_PER_MSEC)

/* Longer than any job may take: then the numbers are wrong. */
#define LEFT_MOST_SEC (24.0 * 3600)

struct span {
	double from, to;
};

static const struct span spans[PHASE_MAX] = {
	[PHASE_NONE] = {0, 0},
	[PHASE_IMAGE] = {0, 0},
	[PHASE_OPEN] = {0, 0},
	[PHASE_ENTER] = {0.01, 0.01},
	[PHASE_SYNC] = {0.01, 0.01},
	[PHASE_IDENTIFY] = {0.02, 0.02},
	[PHASE_COMPARE] = {0.02, 0.10},
	[PHASE_ERASE] = {0.10, 0.15},
	[PHASE_WRITE] = {0.15, 0.60},
	[PHASE_VERIFY] = {0.60, 0.97},
	[PHASE_PROTECT] = {0.97, 0.97},
	[PHASE_LEAVE] = {0.98, 0.98},
	[PHASE_CONFIRM] = {0.99, 0.99},
	[PHASE_READ] = {0.02, 0.97},
};

/* Of one that compares and does nothing else. */
static const struct span compare_alone = {0.02, 0.97};

static double share_of(const struct progress *progress)
{
	if (progress->total == 0)
		return 0;
	return progress->done < progress->total ? (double)progress->done / (double)progress->total
						: 1;
}

static bool moves_bytes(enum phase phase)
{
	return phase == PHASE_COMPARE || phase == PHASE_WRITE || phase == PHASE_VERIFY ||
	       phase == PHASE_READ;
}

static void begin_phase(struct pace *pace, const struct progress *progress, uint64_t now_usec)
{
	/* The lines of a fresh reset, after something was compared, written or verified. */
	if (progress->phase == PHASE_ENTER && moves_bytes(pace->phase)) {
		pace->progress = 0;
		pace->has_verified = false;
		pace->expected_end_ms = 0;
	}
	if (pace->phase == PHASE_VERIFY && progress->phase != PHASE_VERIFY)
		pace->has_verified = true;
	if ((pace->phase == PHASE_COMPARE || pace->phase == PHASE_VERIFY) && pace->rate > 0)
		pace->read_rate = pace->rate;
	pace->phase = progress->phase;
	pace->began_usec = now_usec;
	pace->began_done = progress->done;
	pace->rate = 0;
}

static void measure(struct pace *pace, const struct progress *progress, uint64_t now_usec)
{
	uint64_t usec = now_usec - pace->began_usec;
	double rate;

	if (!moves_bytes(pace->phase) || usec < RATE_LEAST_USEC)
		return;
	rate = (double)(progress->done - pace->began_done) * 1e6 / (double)usec;
	pace->rate = rate < (double)INT64_MAX ? (uint64_t)rate : 0;
}

/* Seconds until the end, less than 0 where that is not known. */
static double seconds_left(const struct pace *pace, const struct progress *progress)
{
	double rest = (double)(progress->total - progress->done), total = (double)progress->total;
	uint64_t rate = pace->rate, read_rate = pace->read_rate > 0 ? pace->read_rate : rate;

	if (progress->total == 0 || progress->done > progress->total)
		return -1;
	switch (pace->phase) {
	case PHASE_COMPARE:
		return pace->is_check && rate > 0 ? rest / (double)rate : -1;
	case PHASE_READ:
		return rate > 0 ? rest / (double)rate : -1;
	case PHASE_WRITE:
		return rate > 0 ? rest / (double)rate + total / (double)read_rate : -1;
	case PHASE_VERIFY:
		if (rate == 0)
			rate = pace->read_rate;
		return rate > 0 ? rest / (double)rate : -1;
	case PHASE_NONE:
	case PHASE_IMAGE:
	case PHASE_OPEN:
	case PHASE_ENTER:
	case PHASE_SYNC:
	case PHASE_IDENTIFY:
	case PHASE_ERASE:
	case PHASE_PROTECT:
	case PHASE_LEAVE:
	case PHASE_CONFIRM:
	case PHASE_MAX:
		break;
	}
	return -1;
}

void pace_take(
	struct pace *pace, const struct progress *progress, uint64_t now_usec, int64_t now_ms)
{
	struct span span = spans[progress->phase];
	double progress_now, left;

	if (progress->phase != pace->phase || progress->done < pace->began_done)
		begin_phase(pace, progress, now_usec);
	measure(pace, progress, now_usec);
	if (pace->is_check && progress->phase == PHASE_COMPARE)
		span = compare_alone;
	progress_now = span.from + (span.to - span.from) * share_of(progress);
	if (progress_now > pace->progress)
		pace->progress = progress_now;
	/* The start of the flash is a few blocks: the end that was expected stays. */
	if (pace->has_verified || (progress->phase > PHASE_VERIFY && progress->phase != PHASE_READ))
		return;
	left = seconds_left(pace, progress);
	pace->expected_end_ms =
		left >= 0 && left < LEFT_MOST_SEC ? now_ms + (int64_t)(left * 1000) : 0;
}
