/* SPDX-License-Identifier: MIT */
/*
 * stub-peer.c - the machine: see stub-peer.h.
 *
 * One processor that polls: a byte that arrives goes into the ring at once, whatever else is done.
 * Frames are taken out of it byte by byte, also while the flash is busy with the one before; each
 * is done and answered before the next one is looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/stub-peer.h"

#define NSEC_PER_SEC UINT64_C(1000000000)

/* To take a byte out of its frame with the CRC over it: 60 instructions of 1.5 cycles. */
#define CYCLES_OF_BYTE 90

/* From Go, or the train, until the steps are done. */
#define STEPS_NSEC	UINT64_C(300000)

#define POLYNOMIAL_IEEE UINT32_C(0xEDB88320)

const struct sim_stub_faults *peer_knobs(const struct stub_peer *peer)
{
	return &peer->place.fault->knobs.stub;
}

uint64_t peer_nsec(const struct stub_peer *peer, uint64_t n_cycles)
{
	return n_cycles * NSEC_PER_SEC / peer->clock_hz;
}

/* What half a byte makes of a CRC; made at the first use. */
struct halves {
	uint32_t polynomial;
	uint32_t items[16];
};

static const uint32_t *halves_of(uint32_t polynomial)
{
	static struct halves made[2];
	struct halves *halves = &made[polynomial != POLYNOMIAL_IEEE];

	for (uint32_t i = 0; halves->polynomial == 0 && i < 16; i++) {
		halves->items[i] = i;
		for (int bit = 0; bit < 4; bit++)
			halves->items[i] =
				halves->items[i] >> 1 ^ (halves->items[i] & 1 ? polynomial : 0);
	}
	halves->polynomial = polynomial;
	return halves->items;
}

static uint32_t crc_byte(uint32_t crc, const uint32_t *halves, uint8_t byte)
{
	crc ^= byte;
	crc = crc >> 4 ^ halves[crc & 0xF];
	return crc >> 4 ^ halves[crc & 0xF];
}

static uint32_t crc_bytes(const uint8_t *bytes, size_t n_bytes)
{
	const uint32_t *halves = halves_of(POLYNOMIAL_IEEE);
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < n_bytes; i++)
		crc = crc_byte(crc, halves, bytes[i]);
	return ~crc;
}

uint32_t peer_crc(
	const struct stub_peer *peer, uint32_t polynomial, uint32_t address, uint32_t size)
{
	const uint32_t *halves = halves_of(polynomial);
	uint32_t crc = UINT32_MAX;

	for (uint32_t i = 0; i < size; i++) {
		uint8_t byte = 0;

		memory_read(peer->place.memory, address + i, &byte);
		crc = crc_byte(crc, halves, byte);
	}
	return ~crc;
}

/* --- Start and train --- */

static void read_setup(const struct stub_peer *peer, uint32_t address, struct stub_setup *ret)
{
	uint8_t bytes[sizeof(*ret)];

	for (uint32_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = 0;
		memory_read(peer->place.memory, address + i, &bytes[i]);
	}
	memcpy(ret, bytes, sizeof(*ret));
}

static bool is_setup(const struct stub_setup *setup)
{
	return setup->magic == STUB_MAGIC && setup->protocol == STUB_PROTOCOL &&
	       setup->kind >= STUB_K1 && setup->kind <= STUB_K3 && setup->candidates >= 1 &&
	       setup->candidates <= STUB_CANDIDATES_MAX &&
	       setup->size >= sizeof(*setup) + setup->candidates * sizeof(struct stub_candidate) +
				      setup->steps * sizeof(struct stub_step) &&
	       setup->ring_size >= STUB_RING_MIN && setup->ring_size <= STUB_RING_MAX &&
	       (setup->ring_size & (setup->ring_size - 1)) == 0 && setup->unit >= 1 &&
	       setup->unit <= STUB_UNIT_MAX && setup->fall_back > 0;
}

/* The size of stub.bin is not known here: the first place behind the two words that has a setup. */
static bool find_setup(struct stub_peer *peer, uint32_t address)
{
	for (uint32_t at = address + 8; at <= address + 8 + STUB_SIZE_MAX; at += 4) {
		if (memory_read_word(peer->place.memory, at) != STUB_MAGIC)
			continue;
		read_setup(peer, at, &peer->setup);
		if (!is_setup(&peer->setup))
			continue;
		peer->load = address;
		peer->image_end = at + peer->setup.size;
		return true;
	}
	return false;
}

static void peer_start(void *program, uint32_t address, uint64_t now)
{
	struct stub_peer *peer = program;
	struct program_place place = peer->place;
	uint32_t entry = memory_read_word(place.memory, address + 4);

	*peer = (struct stub_peer){.place = place, .clock = now + STEPS_NSEC, .heard_at = now};
	place.counters->program_starts++;
	peer->fall_back_at = SIM_NEVER;
	peer->state = PEER_DEAD;
	if (entry != address + 8 + 1 || !find_setup(peer, address) || peer_knobs(peer)->silent)
		return;
	if (peer_knobs(peer)->ring)
		peer->setup.ring_size = peer_knobs(peer)->ring;
	peer->clock_hz = peer->setup.fall_back * UINT64_C(1000) / STUB_FALL_BACK_MS;
	peer->clock_hz = (uint64_t)((int64_t)peer->clock_hz *
				    (1000 + peer_knobs(peer)->clock_permille) / 1000);
	peer->state = PEER_SEARCHING;
}

/* Bytes of the train stand one behind the other: a gap, or another byte, and it begins again. */
static void take_train(struct stub_peer *peer, const struct rom_byte *byte)
{
	uint64_t period = 2 * peer->clock_hz / byte->baud;
	uint64_t wanted = peer->setup.period;
	uint64_t bit = NSEC_PER_SEC / byte->baud;

	if (byte->begin < peer->clock)
		return;
	if (byte->byte != STUB_TRAIN_BYTE || byte->even_parity ||
		byte->begin > peer->train_to + bit || period * 4 < wanted * 3 ||
		period * 4 > wanted * 5)
		peer->train_from = byte->begin;
	peer->train_to = byte->end;
	if (byte->byte != STUB_TRAIN_BYTE ||
		peer->train_to - peer->train_from < STUB_TRAIN_BITS * bit)
		return;
	/* STUB_TRAIN_BITS of the host's bits, counted by the clock of the chip. */
	peer->train_ticks = (uint32_t)(STUB_TRAIN_BITS * peer->clock_hz / byte->baud);
	peer->rate.brr =
		(peer->train_ticks + STUB_TRAIN_BITS / 2) / STUB_TRAIN_BITS >> peer->clock_shift;
	peer->rate.cr1 = peer->setup.cr1;
	peer->usart_at = peer->clock = byte->end + STEPS_NSEC;
	peer->heard_at = peer->clock;
	peer->state = PEER_RUNNING;
}

/* --- The USART --- */

static uint32_t baud_of(const struct stub_peer *peer)
{
	return peer->rate.brr > 0
		       ? (uint32_t)((peer->clock_hz >> peer->clock_shift) / peer->rate.brr)
		       : 1;
}

/* What the line does to a byte at this rate. */
static uint8_t pass_line(struct stub_peer *peer, uint8_t byte)
{
	const struct sim_stub_faults *knobs = peer_knobs(peer);
	uint32_t baud = baud_of(peer);

	if (knobs->max_baud && baud > knobs->max_baud + knobs->max_baud / 20)
		return fault_garble(peer->place.fault, byte);
	if (knobs->damage_every && baud > knobs->damage_above + knobs->damage_above / 20 &&
		++peer->n_damageable % knobs->damage_every == 0)
		return byte ^ 0x20;
	return byte;
}

static void store(struct stub_peer *peer, uint8_t byte, uint64_t now)
{
	if (peer->n_ring == peer->setup.ring_size) {
		peer->lost++;
		peer->place.counters->overruns++;
		return;
	}
	if (peer->n_ring == 0 && !peer->work && peer->clock < now) {
		peer->clock = now;
		peer->idle = 0;
	}
	peer->ring[(peer->first + peer->n_ring) % peer->setup.ring_size] = byte;
	peer->n_ring++;
}

static void peer_receive(void *program, const struct rom_byte *byte)
{
	struct stub_peer *peer = program;
	const struct sim_stub_faults *knobs = peer_knobs(peer);
	uint64_t n = ++peer->n_received;
	uint8_t seen = byte->byte;

	if (n == knobs->drop_received)
		return;
	if (peer->state == PEER_SEARCHING)
		take_train(peer, byte);
	if (peer->state != PEER_RUNNING || byte->begin < peer->usart_at)
		return;
	if (byte->even_parity || !sim_rates_fit(byte->baud, baud_of(peer)))
		seen = fault_garble(peer->place.fault, seen);
	seen = pass_line(peer, seen);
	if (n == knobs->flip_received)
		seen ^= 0x04;
	store(peer, seen, byte->end);
	if (n == knobs->double_received)
		store(peer, seen, byte->end);
}

static void put(struct stub_peer *peer, uint8_t byte)
{
	const struct sim_stub_faults *knobs = peer_knobs(peer);
	uint64_t n = ++peer->n_sent;
	struct outgoing_byte sent = {.baud = baud_of(peer), .byte = pass_line(peer, byte)};

	peer->clock += 10 * NSEC_PER_SEC / sent.baud;
	sent.at = peer->clock;
	if (n == knobs->flip_sent)
		sent.byte ^= 0x10;
	if (n != knobs->drop_sent)
		outgoing_put(peer->place.outgoing, &sent);
	if (n == knobs->double_sent)
		outgoing_put(peer->place.outgoing, &sent);
}

/* COBS: each run has its length and one in front, and stands for a zero behind it unless full. */
static void put_frame(struct stub_peer *peer, const uint8_t *bytes, size_t n_bytes)
{
	size_t at = 0;

	for (;;) {
		size_t n = 0;

		while (at + n < n_bytes && n < 254 && bytes[at + n] != 0)
			n++;
		put(peer, (uint8_t)(n + 1));
		for (size_t i = 0; i < n; i++)
			put(peer, bytes[at + i]);
		at += n;
		if (at == n_bytes)
			break;
		if (n < 254)
			at++;
		/* A zero was the last byte: an empty run says so. */
	}
	put(peer, 0);
}

/* --- Frames --- */

static void send_answer(struct stub_peer *peer, uint8_t type, uint8_t sequence,
	enum stub_status status, const uint8_t *data, size_t n_data)
{
	uint8_t bytes[STUB_ANSWER_MAX];
	const struct stub_answer answer = {
		.type = type | STUB_ANSWER,
		.sequence = sequence,
		.expected = peer->expected,
		.status = (uint8_t)status,
		.taken = peer->taken,
		.address = peer->failed_at,
		.flash_status = peer->flash_status,
		.size = (uint16_t)n_data,
		.failure = (uint8_t)peer->failure,
		.lost = peer->lost,
	};

	memcpy(bytes, &answer, sizeof(answer));
	if (n_data > 0)
		memcpy(bytes + sizeof(answer), data, n_data);
	if (peer_knobs(peer)->bend)
		peer_knobs(peer)->bend(peer_knobs(peer)->userdata, bytes, sizeof(answer) + n_data);
	peer_put_word(bytes + sizeof(answer) + n_data, crc_bytes(bytes, sizeof(answer) + n_data));
	put_frame(peer, bytes, sizeof(answer) + n_data + STUB_CRC_SIZE);
	peer->heard_at = peer->clock;
}

void peer_answer(
	struct stub_peer *peer, enum stub_status status, const uint8_t *data, size_t n_data)
{
	send_answer(peer, peer->frame.type, peer->frame.sequence, status, data, n_data);
}

const uint8_t *peer_data(const struct stub_peer *peer)
{
	return peer->body + sizeof(struct stub_frame);
}

void peer_work(struct stub_peer *peer, uint64_t nsec, peer_fn work)
{
	peer->clock += nsec;
	peer->work = work;
}

void peer_work_flash(struct stub_peer *peer, uint64_t nsec, peer_fn work)
{
	peer->idle += nsec;
	peer_work(peer, nsec, work);
}

/* Whether it goes on: no knob has struck. */
static bool survives(struct stub_peer *peer)
{
	const struct sim_stub_faults *knobs = peer_knobs(peer);

	if (++peer->n_types[peer->frame.type] != knobs->hang_nth ||
		peer->frame.type != knobs->hang_type)
		return true;
	peer->state = PEER_DEAD;
	peer->wish = knobs->hang_resets ? PROGRAM_RESETS : PROGRAM_STAYS;
	return false;
}

static void take_damage(struct stub_peer *peer)
{
	peer->place.counters->stub_damaged++;
	if (!peer->has_hello || peer->has_gap)
		return;
	peer->has_gap = true;
	send_answer(peer, STUB_DAMAGE, 0, STUB_EXPECTED, NULL, 0);
}

/* Of a posted frame: whether it is to be done now. */
static bool is_due(struct stub_peer *peer)
{
	uint8_t number = peer->frame.sequence;
	uint8_t ahead = (uint8_t)(number - peer->expected);
	uint8_t from_last = (uint8_t)(number - peer->last);
	bool is_later = from_last > 0 && from_last < 128;

	peer->last = number;
	if (ahead == 0) {
		peer->has_gap = false;
		return true;
	}
	if (ahead >= 128) {
		peer_answer(peer, peer->failure, NULL, 0);
	} else if (!peer->has_gap || !is_later) {
		peer->has_gap = true;
		peer_answer(peer, STUB_EXPECTED, NULL, 0);
	}
	return false;
}

static void take_frame(struct stub_peer *peer)
{
	size_t n = peer->n_body;

	if (peer->is_bad || n < sizeof(peer->frame) + STUB_CRC_SIZE ||
		peer_word(peer->body + n - STUB_CRC_SIZE) !=
			crc_bytes(peer->body, n - STUB_CRC_SIZE)) {
		take_damage(peer);
		return;
	}
	memcpy(&peer->frame, peer->body, sizeof(peer->frame));
	if (peer->frame.size != n - sizeof(peer->frame) - STUB_CRC_SIZE) {
		take_damage(peer);
		return;
	}
	peer->heard_at = peer->clock;
	peer->fall_back_at = SIM_NEVER;
	if ((!peer->has_hello && peer->frame.type != STUB_HELLO) || !survives(peer))
		return;
	if (peer->frame.type & STUB_POSTED) {
		peer->place.counters->stub_posted++;
		if (!is_due(peer))
			return;
	}
	peer_obey(peer);
}

static void add(struct stub_peer *peer, uint8_t byte)
{
	if (peer->n_body == sizeof(peer->body))
		peer->is_bad = true;
	else
		peer->body[peer->n_body++] = byte;
}

/* The next byte of the ring. */
static void take_byte(struct stub_peer *peer)
{
	unsigned by_knob = peer_knobs(peer)->cycles_of_byte;
	uint64_t nsec = peer_nsec(peer, by_knob ? by_knob : CYCLES_OF_BYTE);
	uint8_t byte = peer->ring[peer->first];

	peer->first = (peer->first + 1) % peer->setup.ring_size;
	peer->n_ring--;
	peer->taken++;
	if (peer->idle >= nsec)
		peer->idle -= nsec;
	else
		peer->clock += nsec;
	if (byte == 0) {
		bool has_begun = peer->has_begun;

		peer->is_bad = peer->is_bad || peer->left > 0;
		peer->idle = 0;
		if (has_begun)
			take_frame(peer);
		peer->n_body = 0;
		peer->left = 0;
		peer->has_begun = peer->has_zero = peer->is_bad = false;
	} else if (peer->left > 0) {
		peer->left--;
		add(peer, byte);
	} else {
		if (peer->has_zero)
			add(peer, 0);
		peer->has_begun = true;
		peer->has_zero = byte < 255;
		peer->left = byte - 1u;
	}
}

/* --- The table --- */

static void *peer_new(const struct program_place *place)
{
	struct stub_peer *peer = calloc(1, sizeof(*peer));

	if (peer)
		peer->place = *place;
	return peer;
}

static void *peer_free(void *program)
{
	free(program);
	return NULL;
}

static void peer_stop(void *program, uint64_t now)
{
	struct stub_peer *peer = program;

	(void)now;
	peer->state = PEER_OFF;
	peer->wish = PROGRAM_STAYS;
	peer->work = NULL;
}

static uint64_t silence_at(const struct stub_peer *peer)
{
	if (peer->setup.silence_limit == 0)
		return SIM_NEVER;
	return peer->heard_at + peer_nsec(peer, peer->setup.silence_limit);
}

static uint64_t peer_next(const void *program)
{
	const struct stub_peer *peer = program;
	uint64_t next;

	if (peer->state == PEER_SEARCHING)
		return silence_at(peer);
	if (peer->state != PEER_RUNNING)
		return SIM_NEVER;
	if (peer->work || peer->n_ring > 0)
		return peer->clock;
	next = silence_at(peer) < peer->fall_back_at ? silence_at(peer) : peer->fall_back_at;
	return next < peer->clock ? peer->clock : next;
}

static void peer_step(void *program)
{
	struct stub_peer *peer = program;
	peer_fn work = peer->work;

	if (peer->state == PEER_SEARCHING) {
		peer->wish = PROGRAM_RESETS;
	} else if (work) {
		peer->work = NULL;
		work(peer);
	} else if (peer->fall_back_at <= peer->clock ||
		   (peer->n_ring == 0 && peer->fall_back_at <= silence_at(peer))) {
		if (peer->clock < peer->fall_back_at)
			peer->clock = peer->fall_back_at;
		peer->rate = peer->before;
		peer->fall_back_at = SIM_NEVER;
	} else if (peer->n_ring > 0) {
		take_byte(peer);
	} else {
		peer->wish = PROGRAM_RESETS;
	}
}

static enum program_wish peer_wish(const void *program)
{
	return ((const struct stub_peer *)program)->wish;
}

const struct program_ops stub_peer_program = {
	.new = peer_new,
	.free = peer_free,
	.start = peer_start,
	.stop = peer_stop,
	.receive = peer_receive,
	.next = peer_next,
	.step = peer_step,
	.wish = peer_wish,
};
