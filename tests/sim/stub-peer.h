/* SPDX-License-Identifier: MIT */
/*
 * stub-peer.h - speaks as the program of src/stub does, in plain C: made from src/stub/protocol.h
 * alone and from no code of the stub or of the host.
 *
 * It is started as the stub is: it looks for struct stub_setup in the RAM behind the first two
 * words, and all that the setup has counts (flash kind, ring, limits, silence). What it does not
 * have is a processor: steps of the setup are not taken, and the flash is that of memory.h.
 * stub-peer.c is the machine (train, USART, ring, frames, time), stub-peer-commands.c what each
 * frame asks for.
 */
#pragma once

#include "sim/program.h"
#include "stub/protocol.h"

extern const struct program_ops stub_peer_program;

enum peer_state {
	PEER_OFF,
	PEER_DEAD,	/* until a reset */
	PEER_SEARCHING, /* for the train */
	PEER_RUNNING,
};

struct stub_peer;
typedef void (*peer_fn)(struct stub_peer *peer);

struct stub_peer {
	struct program_place place;
	enum peer_state state;
	enum program_wish wish;
	struct stub_setup setup;
	uint32_t load, image_end; /* what was loaded, up to the end of the setup */
	uint64_t clock_hz;	  /* of the processor */
	uint64_t clock;		  /* busy until */
	uint64_t idle;		  /* of the work before: the next frame was taken meanwhile */
	uint64_t heard_at;	  /* the last sound frame, or the start */

	uint64_t train_from, train_to;
	uint32_t train_ticks;
	uint8_t clock_shift; /* of the one USART that there is */

	uint64_t usart_at; /* it hears what begins later */
	struct stub_rate rate, before, wanted;
	uint64_t fall_back_at; /* SIM_NEVER: the rate was heard at */

	uint8_t ring[STUB_RING_MAX];
	uint32_t first, n_ring;
	uint32_t taken;
	uint8_t lost;

	/* The frame that is taken out of the ring. */
	uint8_t body[STUB_FRAME_MAX];
	size_t n_body;
	unsigned left; /* of the COBS run */
	bool has_begun, has_zero, is_bad;
	struct stub_frame frame; /* its header, once it is sound */

	bool has_hello, has_gap;
	uint8_t expected, last;
	enum stub_status failure;
	uint32_t failed_at, flash_status;

	peer_fn work; /* called when `clock` has come */
	uint32_t n_done;

	/* For the knobs, from the start of the program on. */
	uint64_t n_received, n_sent, n_damageable;
	unsigned n_types[256];
	unsigned n_sums;
};

/* Cycles of the processor as time. */
uint64_t peer_nsec(const struct stub_peer *peer, uint64_t n_cycles);

/* Its data: `frame.size` bytes. */
const uint8_t *peer_data(const struct stub_peer *peer);

/* Keeps the processor busy for so long; then `work` is called. */
void peer_work(struct stub_peer *peer, uint64_t nsec, peer_fn work);

/* The same with the flash busy: the processor takes the next frame meanwhile. */
void peer_work_flash(struct stub_peer *peer, uint64_t nsec, peer_fn work);

/* Answers the frame under way; the clock goes on to the last bit. */
void peer_answer(
	struct stub_peer *peer, enum stub_status status, const uint8_t *data, size_t n_data);

/* CRC-32, reflected, of what lies in memory. */
uint32_t peer_crc(
	const struct stub_peer *peer, uint32_t polynomial, uint32_t address, uint32_t size);

/* A sound frame with type and number as they should be: begins what it asks for. */
void peer_obey(struct stub_peer *peer);

const struct sim_stub_faults *peer_knobs(const struct stub_peer *peer);

static inline uint32_t peer_word(const uint8_t *from)
{
	return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static inline void peer_put_word(uint8_t *to, uint32_t word)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (uint8_t)(word >> 8 * i);
}
