/* SPDX-License-Identifier: MIT */
/*
 * fault.c - see fault.h.
 */
#include "sim/fault.h"

void fault_set(struct fault *fault, const struct sim_faults *knobs)
{
	*fault = (struct fault){
		.knobs = *knobs,
		.random = knobs->seed * UINT32_C(2654435761) + UINT32_C(0x9E3779B9),
	};
	if (!fault->random)
		fault->random = 1;
}

/* Marsaglia's xorshift: the same seed gives the same run on every machine. */
uint32_t fault_random(struct fault *fault)
{
	fault->random ^= fault->random << 13;
	fault->random ^= fault->random >> 17;
	fault->random ^= fault->random << 5;
	return fault->random;
}

uint8_t fault_garble(struct fault *fault, uint8_t byte)
{
	return byte ^ (uint8_t)(1 + fault_random(fault) % 255);
}

static bool pass(struct fault *fault, uint8_t *byte, uint64_t nth, uint64_t drop, uint64_t flip)
{
	if (nth == drop)
		return false;
	if (nth == flip)
		*byte ^= fault->knobs.flip_mask ? fault->knobs.flip_mask
						: (uint8_t)(1u << (fault_random(fault) & 7));
	return true;
}

bool fault_pass_received(struct fault *fault, uint8_t *byte)
{
	return pass(fault, byte, ++fault->received, fault->knobs.drop_received,
		fault->knobs.flip_received);
}

bool fault_pass_sent(struct fault *fault, uint8_t *byte)
{
	return pass(fault, byte, ++fault->sent, fault->knobs.drop_sent, fault->knobs.flip_sent);
}

bool fault_doubles_received(const struct fault *fault)
{
	return fault->received == fault->knobs.double_received;
}

bool fault_doubles_sent(const struct fault *fault)
{
	return fault->sent == fault->knobs.double_sent;
}

bool fault_cuts_power(const struct fault *fault)
{
	return fault->received == fault->knobs.power_cut_received;
}

bool fault_resets(const struct fault *fault)
{
	return fault->received == fault->knobs.reset_received;
}

bool fault_takes_bridge(const struct fault *fault)
{
	return fault->received == fault->knobs.vanish_received;
}

bool fault_spoils_entry(struct fault *fault)
{
	return ++fault->rom_entries <= fault->knobs.silent_syncs;
}

enum fault_at_pair fault_at_pair(struct fault *fault, uint8_t code)
{
	const struct sim_faults *knobs = &fault->knobs;

	fault->pairs++;
	if (knobs->vanish_nth && code == knobs->vanish_code &&
		++fault->vanishes == knobs->vanish_nth)
		return FAULT_PAIR_VANISH;
	if (knobs->hang_nth && code == knobs->hang_code && ++fault->hangs == knobs->hang_nth)
		return FAULT_PAIR_HANG;
	if (fault->pairs == knobs->nack_command || (knobs->nack_code && code == knobs->nack_code))
		return FAULT_PAIR_NACK;
	return FAULT_PAIR_FINE;
}

bool fault_at_stage(const struct fault *fault, uint8_t code, unsigned stage)
{
	return fault->knobs.nack_stage == stage && fault->knobs.nack_stage_code == code;
}

bool fault_babbles(const struct fault *fault)
{
	return fault->sent >= fault->knobs.babble_after &&
	       (fault->knobs.garbage || fault->knobs.ack_stream || fault->knobs.call_stream ||
		       fault->knobs.text_stream);
}

uint16_t fault_product_id(struct fault *fault, uint16_t id, bool has_erased)
{
	const struct sim_faults *knobs = &fault->knobs;

	if (has_erased && knobs->id_once_erased && fault->ids_once_erased < knobs->n_once_erased) {
		fault->ids_once_erased++;
		return knobs->id_once_erased;
	}
	return knobs->product_id ? knobs->product_id : id;
}

bool fault_nacks_read(struct fault *fault, bool has_erased)
{
	if (!has_erased || fault->reads_once_erased >= fault->knobs.nack_reads_once_erased)
		return false;
	fault->reads_once_erased++;
	return true;
}

bool fault_flips_unique_id(struct fault *fault)
{
	return ++fault->unique_ids == fault->knobs.flip_unique_id;
}

bool fault_is_deaf(const struct fault *fault)
{
	return fault->knobs.silent || fault_babbles(fault);
}
