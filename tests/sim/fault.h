/* SPDX-License-Identifier: MIT */
/*
 * fault.h - the fault knobs of a simulated board with their counters and its random numbers.
 *
 * Decides when a knob strikes; what then happens is done by the board and the ROM.
 */
#pragma once

#include "sim/sim.h"

struct fault {
	struct sim_faults knobs;
	uint64_t received, sent;
	unsigned pairs, hangs, vanishes;
	unsigned ids_once_erased, reads_once_erased; /* answered falsely so far */
	unsigned unique_ids;
	unsigned blocks; /* of a resident loader */
	unsigned rom_entries;
	unsigned esp_fails, esp_loses, esp_md5s, esp_low_starts, esp_high_starts;
	unsigned ti_loses, ti_nacks, ti_packets, ti_statuses, ti_crcs, ti_stubborn;
	unsigned ti_low_starts, ti_high_starts;
	bool vanished;
	uint32_t random;
};

enum fault_at_pair { FAULT_PAIR_FINE, FAULT_PAIR_NACK, FAULT_PAIR_HANG, FAULT_PAIR_VANISH };

/* Begins anew with these knobs. */
void fault_set(struct fault *fault, const struct sim_faults *knobs);

uint32_t fault_random(struct fault *fault);

/* Never the byte itself: what a receiver at another rate makes of it. */
uint8_t fault_garble(struct fault *fault, uint8_t byte);

/* Counts a byte on its way; false where it is lost, else perhaps another byte. */
bool fault_pass_received(struct fault *fault, uint8_t *byte);
bool fault_pass_sent(struct fault *fault, uint8_t *byte);

/* Whether the byte that was counted last is there twice. */
bool fault_doubles_received(const struct fault *fault);
bool fault_doubles_sent(const struct fault *fault);

/* The power goes, or the bridge, after the byte that was counted last; or the chip is reset at it.
 */
bool fault_cuts_power(const struct fault *fault);
bool fault_resets(const struct fault *fault);
bool fault_takes_bridge(const struct fault *fault);

/* Counts an entry into the ROM; whether its detection is to fail. */
bool fault_spoils_entry(struct fault *fault);

/* Counts a command pair whose complement was right. */
enum fault_at_pair fault_at_pair(struct fault *fault, uint8_t code);

/* Whether this stage of the command is to be NACKed. */
bool fault_at_stage(const struct fault *fault, uint8_t code, unsigned stage);

/* What Get ID answers in place of `id`. */
uint16_t fault_product_id(struct fault *fault, uint16_t id, bool has_erased);

/* Whether this Read Memory is refused. */
bool fault_nacks_read(struct fault *fault, bool has_erased);

/* Counts an answer that holds the unique id; whether a bit of it is flipped. */
bool fault_flips_unique_id(struct fault *fault);

/* Nothing that comes in reaches the chip: it is mute, or babbles by itself. */
bool fault_is_deaf(const struct fault *fault);
bool fault_babbles(const struct fault *fault);
