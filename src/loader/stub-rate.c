/* SPDX-License-Identifier: MIT */
/*
 * stub-rate.c - see stub-rate.h.
 *
 * LINK is answered at the old rate, then both sides switch. The host asks at the new one until it
 * is answered, and then lets a kilobyte come back that is hard for a line: long zeros, long ones,
 * each bit another, and chance. Where that is not what was sent, both go back: the host tells the
 * stub so at the new rate, in case it was heard there, and asks at the old one; a stub that has
 * heard nothing at the new rate goes back by itself after STUB_FALL_BACK_MS.
 *
 * The divider is computed from the ticks that the stub has counted for the host's own bits, so an
 * RC oscillator that is off by percents costs nothing: what is left is the rounding of the divider.
 */
#include "loader/stub-rate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "loader/loader.h"

/* HELLO and its like after a switch: so often, with so long for an answer each. */
#define TRIES	  5
#define TRY_USEC  (20 * USEC_PER_MSEC)
#define LINK_USEC (100 * USEC_PER_MSEC)
/* The echo of a kilobyte, where the host is busy. */
#define PROOF_USEC (150 * USEC_PER_MSEC)

/* The stub is back at the old rate by then, and its answer is here. */
#define FALL_BACK_USEC ((STUB_FALL_BACK_MS + 100) * USEC_PER_MSEC)

/* How far a rate may be off by the rounding of its divider: half of what a receiver bears. */
#define PERMILLE_MAX 15

/* Least divider of a USART that samples a bit 16 times (RM0008 27.3.4). */
#define BRR_MIN 16

static const uint32_t ladder[] = {921600, 460800, 230400};

/* Ticks of the USART for one bit at that rate, rounded. */
static uint32_t divider(const struct stub_rate_state *rate, uint32_t baud)
{
	uint64_t ticks = (uint64_t)rate->train_ticks * rate->start >> rate->clock_shift;
	uint64_t bits = (uint64_t)STUB_TRAIN_BITS * baud;

	return (uint32_t)((ticks + bits / 2) / bits);
}

/* Whether the chip can make this rate well enough. */
static bool is_reached(const struct stub_rate_state *rate, uint32_t baud)
{
	uint64_t ticks = (uint64_t)rate->train_ticks * rate->start >> rate->clock_shift;
	uint64_t bits = (uint64_t)STUB_TRAIN_BITS * baud;
	uint64_t made = divider(rate, baud) * bits;
	uint64_t off = made > ticks ? made - ticks : ticks - made;

	return divider(rate, baud) >= BRR_MIN && off * 1000 <= ticks * PERMILLE_MAX;
}

bool stub_rate_init(struct stub_rate_state *rate, const struct stub_hello *hello, uint32_t baud)
{
	struct stub_rate_state made = {
		.start = baud,
		.baud = baud,
		.brr = hello->brr,
		.cr1 = hello->cr1,
		.train_ticks = hello->train_ticks,
	};
	uint32_t ticks = hello->train_ticks / STUB_TRAIN_BITS +
			 (hello->train_ticks % STUB_TRAIN_BITS >= STUB_TRAIN_BITS / 2);

	while (made.clock_shift < 4 && ticks >> made.clock_shift != hello->brr)
		made.clock_shift++;
	if (made.clock_shift == 4 || hello->brr < BRR_MIN)
		return false;
	*rate = made;
	return true;
}

static int configure(struct stub_link *link, uint32_t baud)
{
	struct reason reason;
	int r = port_configure(link->port, baud, PORT_PARITY_NONE, &reason);

	if (r == 0)
		stub_link_forget_input(link);
	return r;
}

/* Asks until the stub answers. NO_ANSWER after so long. */
static int meet(struct stub_link *link, unsigned n_tries)
{
	struct stub_reply reply;
	int r = LOADER_NO_ANSWER;

	for (unsigned i = 0; r == LOADER_NO_ANSWER && i < n_tries; i++)
		r = stub_link_try(link, STUB_ECHO, NULL, 0, i, TRY_USEC, &reply);
	return r;
}

static void make_pattern(uint8_t *to, size_t n)
{
	uint32_t random = 0x2545F491;

	for (size_t i = 0; i < n; i++) {
		random ^= random << 13;
		random ^= random >> 17;
		random ^= random << 5;
		to[i] = i < n / 4	? 0x00
			: i < n / 2	? 0xFF
			: i < n / 4 * 3 ? 0x55
					: (uint8_t)random;
	}
}

/* A kilobyte each way, in parts that ring and bridge can hold. NO_ANSWER: it did not come back. */
static int prove(struct stub_link *link)
{
	size_t most = stub_link_data_max(link), n = most < STUB_FETCH_MAX ? most : STUB_FETCH_MAX;
	uint8_t pattern[STUB_FETCH_MAX];
	struct stub_reply reply;
	int r = 0;

	make_pattern(pattern, n);
	for (size_t done = 0; r == 0 && done < STUB_DATA_MAX; done += n) {
		r = stub_link_try(link, STUB_ECHO, pattern, n, 0, PROOF_USEC, &reply);
		if (r == 0 && (reply.head.size != n || memcmp(reply.data, pattern, n) != 0))
			r = LOADER_NO_ANSWER;
	}
	return r;
}

static void put_rate(uint8_t to[static 8], uint32_t brr, uint32_t cr1)
{
	word_put(to, brr);
	word_put(to + 4, cr1);
}

/* Back to the rate that is kept in `rate`, from one at which the stub may be or not. */
static int go_back(struct stub_rate_state *rate, struct stub_link *link)
{
	struct stub_reply reply;
	uint8_t data[8];
	unsigned n_tries;
	int r;

	put_rate(data, rate->brr, rate->cr1);
	r = stub_link_try(link, STUB_LINK, data, sizeof(data), 0, TRY_USEC, &reply);
	if (r != 0 && r != LOADER_NO_ANSWER)
		return r;
	if (r == 0)
		r = port_wait(link->port, STUB_SWITCH_MS * USEC_PER_MSEC);
	else
		r = 0;
	if (r == 0)
		r = configure(link, rate->baud);
	n_tries = (unsigned)(FALL_BACK_USEC / TRY_USEC);
	return r == 0 ? meet(link, n_tries) : r;
}

enum step { STEP_DONE, STEP_REFUSED, STEP_SILENT, STEP_DAMAGED };

/* To another rate and its proof; where that fails, back again. */
static int step_to(
	struct stub_rate_state *rate, struct stub_link *link, uint32_t baud, enum step *ret)
{
	uint32_t brr = divider(rate, baud);
	struct stub_reply reply;
	uint8_t data[8];
	int r;

	put_rate(data, brr, rate->cr1);
	r = stub_link_try(link, STUB_LINK, data, sizeof(data), 0, LINK_USEC, &reply);
	*ret = STEP_REFUSED;
	if (r == 0 && reply.head.status != STUB_OK)
		return 0;
	/* Where the answer was lost the stub has switched all the same. */
	if (r == 0 || r == LOADER_NO_ANSWER)
		r = port_wait(link->port, STUB_SWITCH_MS * USEC_PER_MSEC);
	if (r == 0)
		r = configure(link, baud);
	if (r != 0)
		return r;
	*ret = STEP_SILENT;
	r = meet(link, TRIES);
	if (r == 0) {
		*ret = STEP_DAMAGED;
		r = prove(link);
	}
	if (r == LOADER_NO_ANSWER)
		return go_back(rate, link);
	if (r != 0)
		return r;
	*ret = STEP_DONE;
	rate->baud = baud;
	rate->brr = brr;
	return 0;
}

/* Whether the bridge can do it: the driver says so, and nothing is sent. */
static int ask_bridge(
	const struct stub_rate_state *rate, struct stub_link *link, uint32_t baud, bool *ret)
{
	int r = configure(link, baud);

	*ret = r == 0;
	if (r != 0 && r != -ENOTSUP && r != -EINVAL)
		return r;
	return configure(link, rate->baud);
}

static void say_why(struct stub_rate_state *rate, uint32_t baud, const char *why)
{
	if (!*rate->why_not_faster)
		snprintf(rate->why_not_faster, sizeof(rate->why_not_faster), "%" PRIu32 ": %s",
			baud, why);
}

int stub_rate_raise(struct stub_rate_state *rate, struct stub_link *link, uint32_t max_baud)
{
	static const char *const words[] = {
		[STEP_REFUSED] = "the stub refuses it",
		[STEP_SILENT] = "nothing is heard at it",
		[STEP_DAMAGED] = "an echo comes back damaged",
	};

	for (size_t i = 0; i < ARRAY_SIZE(ladder); i++) {
		uint32_t baud = ladder[i];
		bool is_fine = false;
		enum step step;
		int r;

		if (baud > max_baud || baud <= rate->start)
			continue;
		if (!is_reached(rate, baud)) {
			say_why(rate, baud, "the clock of the chip does not divide into it");
			continue;
		}
		r = ask_bridge(rate, link, baud, &is_fine);
		if (r == 0 && !is_fine) {
			say_why(rate, baud, "the bridge does not reach it");
			continue;
		}
		if (r == 0)
			r = step_to(rate, link, baud, &step);
		if (r != 0 || step == STEP_DONE)
			return r;
		say_why(rate, baud, words[step]);
	}
	return 0;
}

int stub_rate_lower(struct stub_rate_state *rate, struct stub_link *link)
{
	uint32_t from = rate->baud;

	for (size_t i = 0; i <= ARRAY_SIZE(ladder); i++) {
		uint32_t baud = i < ARRAY_SIZE(ladder) ? ladder[i] : rate->start;
		enum step step;
		int r;

		if (baud >= from || baud < rate->start || !is_reached(rate, baud))
			continue;
		r = step_to(rate, link, baud, &step);
		if (r == 0 && step == STEP_DONE)
			snprintf(rate->why_not_faster, sizeof(rate->why_not_faster),
				"%" PRIu32 ": too many frames arrive damaged", from);
		if (r != 0 || step == STEP_DONE)
			return r;
	}
	return 0;
}
