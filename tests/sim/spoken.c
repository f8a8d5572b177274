/* SPDX-License-Identifier: MIT */
/*
 * spoken.c - see spoken.h.
 */
#include "sim/spoken.h"

#include <string.h>

#include "base/util.h"
#include "sim/fault.h"

#define NSEC_PER_SEC UINT64_C(1000000000)
#define NSEC_PER_MS  UINT64_C(1000000)

#define LAUNCH_NSEC  (50 * NSEC_PER_MS)
#define RESET_NSEC   (300 * NSEC_PER_MS)

static const struct spoken_protocol *const protocols[] = {
	&spoken_ezsp, &spoken_cpc, &spoken_spinel, &spoken_zwave};

static const struct sim_spoken_faults *knobs(const struct spoken *spoken)
{
	return &spoken->fault->knobs.spoken;
}

/* ------------------------------------------------------------------ what the flash has */

static const struct spoken_protocol *protocol_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (strcmp(protocols[i]->name, name) == 0)
			return protocols[i];
	return NULL;
}

static const char *find_words(const struct memory *memory, char *to, size_t n_to)
{
	size_t n_begin = strlen(SPOKEN_BEGIN), left, n = 0;
	const uint8_t *found =
		memmem(memory->flash, memory->chip->flash_size, SPOKEN_BEGIN, n_begin);

	if (!found)
		return NULL;
	found += n_begin;
	left = memory->chip->flash_size - (size_t)(found - memory->flash);
	while (n < left && n + 1 < n_to && found[n] >= ' ' && found[n] < 0x7F)
		n++;
	memcpy(to, found, n);
	to[n] = '\0';
	return n < left && found[n] == '\r' ? to : NULL;
}

bool spoken_start(struct spoken *spoken, const struct memory *memory, uint64_t now)
{
	const struct spoken_protocol *protocol;
	char words[80], name[16], version[32];
	unsigned baud;

	spoken_stop(spoken);
	if (!find_words(memory, words, sizeof(words)) ||
		sscanf(words, "%15s %31s %u", name, version, &baud) != 3)
		return false;
	protocol = protocol_named(name);
	if (!protocol || baud == 0)
		return false;
	*spoken = (struct spoken){
		.chip = spoken->chip,
		.fault = spoken->fault,
		.counters = spoken->counters,
		.outgoing = spoken->outgoing,
		.protocol = protocol,
		.baud = baud,
		.is_clear = spoken->is_clear,
		.now = now,
		.line_free_at = now,
		.due_at = SIM_NEVER,
		.leaves_at = SIM_NEVER,
	};
	memcpy(spoken->version, version, sizeof(spoken->version));
	(void)sscanf(version, "%u.%u.%u.%u", &spoken->numbers[0], &spoken->numbers[1],
		&spoken->numbers[2], &spoken->numbers[3]);
	protocol->start(spoken);
	return true;
}

void spoken_stop(struct spoken *spoken)
{
	spoken->protocol = NULL;
	spoken->due_at = SIM_NEVER;
	spoken->leaves_at = SIM_NEVER;
}

const char *spoken_version(const struct spoken *spoken)
{
	return knobs(spoken)->version ? knobs(spoken)->version : spoken->version;
}

/* ------------------------------------------------------------------ time and bytes */

void spoken_receive(struct spoken *spoken, uint8_t byte, uint64_t now)
{
	spoken->now = now;
	if (spoken->leaves_at == SIM_NEVER && !spoken->is_resetting)
		spoken->protocol->hear(spoken, byte);
}

uint64_t spoken_next(const struct spoken *spoken)
{
	return spoken->due_at < spoken->leaves_at ? spoken->due_at : spoken->leaves_at;
}

void spoken_step(struct spoken *spoken)
{
	void (*on_due)(struct spoken * spoken) = spoken->on_due;

	spoken->now = spoken->due_at;
	spoken->due_at = SIM_NEVER;
	spoken->is_resetting = false;
	if (on_due)
		on_due(spoken);
}

bool spoken_has_left(const struct spoken *spoken, uint64_t now)
{
	return spoken->protocol && spoken->leaves_at <= now;
}

static enum spoken_fate fate(uint64_t nth, uint64_t lost, uint64_t spoilt, uint64_t cut)
{
	if (nth == lost)
		return SPOKEN_LOST;
	if (nth == spoilt)
		return SPOKEN_SPOILT;
	return nth == cut ? SPOKEN_CUT : SPOKEN_WHOLE;
}

enum spoken_fate spoken_count_heard(struct spoken *spoken)
{
	return fate(++spoken->n_heard, knobs(spoken)->drop_heard, knobs(spoken)->spoil_heard, 0);
}

enum spoken_fate spoken_count_said(struct spoken *spoken)
{
	if (knobs(spoken)->is_mute || (knobs(spoken)->needs_rts && !spoken->is_clear))
		return SPOKEN_LOST;
	return fate(++spoken->n_said, knobs(spoken)->drop_said, knobs(spoken)->spoil_said,
		knobs(spoken)->cut_said);
}

void spoken_put(struct spoken *spoken, const uint8_t *bytes, size_t n_bytes)
{
	uint64_t at = spoken->now + knobs(spoken)->slow_said_nsec;

	if (spoken->line_free_at < at)
		spoken->line_free_at = at;
	for (size_t i = 0; i < n_bytes; i++) {
		spoken->line_free_at += 10 * NSEC_PER_SEC / spoken->baud;
		outgoing_put(spoken->outgoing, &(struct outgoing_byte){
						       .at = spoken->line_free_at,
						       .baud = spoken->baud,
						       .byte = bytes[i],
					       });
	}
}

void spoken_put_frame(struct spoken *spoken, const uint8_t *bytes, size_t n_bytes, size_t check)
{
	uint8_t spoilt[SPOKEN_FRAME_BYTES * 2];

	switch (spoken_count_said(spoken)) {
	case SPOKEN_WHOLE:
		spoken_put(spoken, bytes, n_bytes);
		break;
	case SPOKEN_LOST:
		break;
	case SPOKEN_SPOILT:
		memcpy(spoilt, bytes, n_bytes);
		/* One that neither was a byte with a meaning of its own nor becomes one. */
		spoilt[n_bytes - check] ^= spoilt[n_bytes - check] & 0x80 ? 0x01 : 0x81;
		spoken_put(spoken, spoilt, n_bytes);
		break;
	case SPOKEN_CUT:
		spoken_put(spoken, bytes, n_bytes / 2);
		break;
	}
}

void spoken_launch(struct spoken *spoken)
{
	uint64_t nsec = knobs(spoken)->launch_nsec ? knobs(spoken)->launch_nsec : LAUNCH_NSEC;

	spoken->counters->application_commands++;
	if (knobs(spoken)->launch_is_lost)
		return;
	spoken->leaves_at =
		(spoken->line_free_at > spoken->now ? spoken->line_free_at : spoken->now) + nsec;
}

void spoken_begin_reset(struct spoken *spoken, void (*on_end)(struct spoken *spoken))
{
	uint64_t nsec = knobs(spoken)->reset_nsec ? knobs(spoken)->reset_nsec : RESET_NSEC;
	uint64_t begin = spoken->line_free_at > spoken->now ? spoken->line_free_at : spoken->now;

	spoken->due_at = begin + nsec;
	spoken->on_due = on_end;
	spoken->is_resetting = true;
}
