/* SPDX-License-Identifier: MIT */
/*
 * stub-peer-commands.c - what each frame asks for: see stub-peer.h.
 */
#include <string.h>

#include "base/util.h"
#include "sim/stub-peer.h"

/* Two tables, two look-ups a byte; a copy by words. */
#define CYCLES_OF_SUM	      UINT64_C(40)
#define CYCLES_OF_READ	      UINT64_C(12)

#define SR_WRPERR	      (UINT32_C(1) << 4)
#define SR_PROGRAM_ERROR      (UINT32_C(1) << 2)

#define POLYNOMIAL_IEEE	      UINT32_C(0xEDB88320)
#define POLYNOMIAL_CASTAGNOLI UINT32_C(0x82F63B78)

static bool is_within(uint32_t address, uint32_t size, uint32_t start, uint32_t n)
{
	return address >= start && size <= n && address - start <= n - size;
}

static bool is_in_flash(const struct stub_peer *peer, uint32_t address, uint32_t size)
{
	return is_within(address, size, peer->setup.flash, peer->setup.flash_size);
}

static bool is_in_window(const struct stub_peer *peer, uint32_t address, uint32_t size)
{
	return is_within(address, size, peer->setup.window, peer->setup.window_size);
}

/* Registers of the flash read as 0: there are none here. */
static bool is_in_registers(const struct stub_peer *peer, uint32_t address, uint32_t size)
{
	return is_within(address, size, peer->setup.registers, 256);
}

static void read_memory(const struct stub_peer *peer, uint32_t address, uint8_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		to[i] = 0;
		memory_read(peer->place.memory, address + (uint32_t)i, &to[i]);
	}
}

static uint64_t flash_nsec(const struct stub_peer *peer, uint64_t nsec)
{
	unsigned percent = peer_knobs(peer)->slow_percent;

	return percent ? nsec * percent / 100 : nsec;
}

/* The boot loader's supply range does not count here, but PSIZE of the setup (memory.c, slowness):
 * by bytes a sector takes twice the time. */
static uint64_t erase_nsec(const struct stub_peer *peer, uint64_t by_rom)
{
	const struct memory *memory = peer->place.memory;

	if (memory->chip->voltage_range && memory->voltage < 3 && peer->setup.unit == 4)
		by_rom /= 2;
	return flash_nsec(peer, by_rom);
}

/* --- Queries --- */

static void lie(enum sim_stub_lie what, struct stub_hello *hello)
{
	switch (what) {
	case SIM_STUB_LIE_MAGIC:
		hello->magic ^= 1;
		break;
	case SIM_STUB_LIE_PROTOCOL:
		hello->protocol++;
		break;
	case SIM_STUB_LIE_VERSION:
		hello->version++;
		break;
	case SIM_STUB_LIE_SELF_CRC:
		hello->self_crc ^= 0x8000;
		break;
	case SIM_STUB_LIE_DEV_ID:
		hello->dev_id ^= 0x4;
		break;
	case SIM_STUB_LIE_FLASH_SIZE:
		hello->flash_kib *= 2;
		break;
	case SIM_STUB_LIE_KIND:
		hello->kind = hello->kind == STUB_K1 ? STUB_K3 : STUB_K1;
		break;
	case SIM_STUB_LIE_RING:
		hello->ring_size--;
		break;
	case SIM_STUB_LIE_TICKS:
		hello->train_ticks += hello->train_ticks / 8;
		break;
	case SIM_STUB_LIES_NOT:
	case SIM_STUB_LIE_MAX:
		break;
	}
}

static void say_hello(struct stub_peer *peer)
{
	const struct stub_setup *setup = &peer->setup;
	struct stub_hello hello = {
		.magic = STUB_MAGIC,
		.protocol = STUB_PROTOCOL,
		.version = STUB_VERSION,
		.kind = setup->kind,
		.ring_size = setup->ring_size,
		.train_ticks = peer->train_ticks,
		.brr = peer->rate.brr,
		.cr1 = peer->rate.cr1,
	};
	uint8_t kib[2] = {0};

	hello.self_crc =
		peer_crc(peer, POLYNOMIAL_IEEE, peer->load + 8, peer->image_end - peer->load - 8);
	/* Revision 0x2000, as a word of DBGMCU_IDCODE has it. */
	if (setup->dev_id)
		hello.dev_id = UINT32_C(0x20000000) | peer->place.memory->chip->product_id;
	if (setup->flash_kib)
		read_memory(peer, setup->flash_kib, kib, sizeof(kib));
	hello.flash_kib = (uint16_t)(kib[0] | kib[1] << 8);
	lie(peer_knobs(peer)->lie, &hello);
	peer->has_hello = true;
	peer->has_gap = false;
	peer->expected = peer->last = 0;
	peer->failure = STUB_OK;
	peer->failed_at = peer->flash_status = 0;
	peer->taken = 0;
	peer->lost = 0;
	peer_answer(peer, STUB_OK, (const uint8_t *)&hello, sizeof(hello));
}

static void switch_rate(struct stub_peer *peer)
{
	peer->before = peer->rate;
	peer->rate = peer->wanted;
	peer->fall_back_at = peer->clock + peer_nsec(peer, peer->setup.fall_back);
}

static void change_rate(struct stub_peer *peer)
{
	struct stub_rate rate;

	if (peer->frame.size != sizeof(rate)) {
		peer_answer(peer, STUB_RANGE, NULL, 0);
		return;
	}
	memcpy(&rate, peer_data(peer), sizeof(rate));
	/* At least 16 without OVER8, whose bit is 15 (RM0008 27.3.4, RM0091 27.5.4). */
	if (rate.brr < (rate.cr1 & 0x8000 ? 8 : 16)) {
		peer_answer(peer, STUB_RANGE, NULL, 0);
		return;
	}
	peer->wanted = rate;
	peer_answer(peer, STUB_OK, peer_data(peer), sizeof(rate));
	peer_work(peer, 0, switch_rate);
}

static void echo(struct stub_peer *peer)
{
	peer_answer(peer, STUB_OK, peer_data(peer), peer->frame.size);
}

/* The sums that follow are those of a flash in which that bit is the other. */
static void turn_bit(struct stub_peer *peer)
{
	struct memory *memory = peer->place.memory;
	uint32_t at = peer_knobs(peer)->blind_at;

	if (at != 0)
		memory->flash[at - memory->chip->flash_base] ^= 1;
}

static void answer_sums(struct stub_peer *peer)
{
	uint8_t sums[STUB_PAGES_MAX * 8];
	uint32_t at = peer->frame.address;
	size_t n = peer->frame.size / 4;

	turn_bit(peer);
	for (size_t i = 0; i < n; i++) {
		uint32_t size = peer_word(peer_data(peer) + 4 * i);
		uint32_t ieee = peer_crc(peer, POLYNOMIAL_IEEE, at, size);

		if (++peer->n_sums == peer_knobs(peer)->wrong_sum)
			ieee ^= 0x100;
		peer_put_word(sums + 8 * i, ieee);
		peer_put_word(sums + 8 * i + 4, peer_crc(peer, POLYNOMIAL_CASTAGNOLI, at, size));
		at += size;
	}
	turn_bit(peer);
	peer_answer(peer, STUB_OK, sums, 8 * n);
}

static void sum(struct stub_peer *peer)
{
	unsigned by_knob = peer_knobs(peer)->cycles_of_sum;
	uint64_t cycles = by_knob ? by_knob : CYCLES_OF_SUM;
	uint32_t at = peer->frame.address, all = 0;
	bool is_fine =
		peer->frame.size % 4 == 0 && peer->frame.size / 4 <= STUB_PAGES_MAX && at % 4 == 0;

	for (size_t i = 0; is_fine && i < peer->frame.size / 4u; i++) {
		uint32_t size = peer_word(peer_data(peer) + 4 * i);

		is_fine = size % 4 == 0 && is_in_flash(peer, at + all, size);
		all += size;
	}
	if (is_fine)
		peer_work(peer, peer_nsec(peer, all * cycles), answer_sums);
	else
		peer_answer(peer, STUB_RANGE, NULL, 0);
}

static void answer_read(struct stub_peer *peer)
{
	uint8_t bytes[STUB_DATA_MAX];
	uint32_t size = peer_word(peer_data(peer));

	read_memory(peer, peer->frame.address, bytes, size);
	peer_answer(peer, STUB_OK, bytes, size);
}

static void read_flash(struct stub_peer *peer)
{
	uint32_t at = peer->frame.address, size;

	size = peer->frame.size == 4 ? peer_word(peer_data(peer)) : UINT32_MAX;
	if (size > STUB_DATA_MAX ||
		(!is_in_flash(peer, at, size) && !is_in_window(peer, at, size) &&
			!is_in_registers(peer, at, size)))
		peer_answer(peer, STUB_RANGE, NULL, 0);
	else
		peer_work(peer, peer_nsec(peer, size * CYCLES_OF_READ), answer_read);
}

/* READ of 4 bytes. */
static void peek(struct stub_peer *peer)
{
	uint32_t at = peer->frame.address;
	uint8_t word[4];

	if (peer->frame.size != 0 || (!is_in_flash(peer, at, 4) && !is_in_window(peer, at, 4) &&
					     !is_in_registers(peer, at, 4))) {
		peer_answer(peer, STUB_RANGE, NULL, 0);
		return;
	}
	read_memory(peer, at, word, sizeof(word));
	peer_answer(peer, STUB_OK, word, sizeof(word));
}

static void wish_reset(struct stub_peer *peer)
{
	peer->wish = PROGRAM_RESETS;
	peer->state = PEER_DEAD;
}

static void reset(struct stub_peer *peer)
{
	peer_answer(peer, STUB_OK, NULL, 0);
	peer_work(peer, 0, wish_reset);
}

/* --- Flash --- */

static void fail(struct stub_peer *peer, enum stub_status status, uint32_t address, uint32_t bits)
{
	peer->failure = status;
	peer->failed_at = address;
	peer->flash_status = bits;
}

/* The end of a posted frame: it counts as done, however it ended. */
static void end_posted(struct stub_peer *peer)
{
	peer->expected++;
	peer_answer(peer, peer->failure, NULL, 0);
}

static unsigned page_of(const struct stub_peer *peer, uint32_t address)
{
	return memory_page_at(peer->place.memory, address - peer->setup.flash);
}

static bool is_protected(const struct stub_peer *peer, uint32_t address)
{
	const struct sim_stub_faults *knobs = peer_knobs(peer);

	return memory_page_is_protected(peer->place.memory, page_of(peer, address)) ||
	       (address >= knobs->protected_start &&
		       address - knobs->protected_start < knobs->protected_size);
}

/* The index of the page that `select` selects in the hardware; false where it selects none. */
static bool select_page(const struct stub_peer *peer, uint32_t address, uint32_t size,
	uint32_t select, unsigned *ret)
{
	const struct stub_setup *setup = &peer->setup;
	bool is_bank2 = setup->bank2 && address >= setup->bank2;
	uint32_t number = select >> 3 & 0x1F;

	switch ((enum stub_kind)setup->kind) {
	case STUB_K1:
		*ret = page_of(peer, select);
		return select == address;
	case STUB_K2:
		/* Bank 2 counts from 16 on (RM0090 3.9.8), and the table of the chip from 12. */
		if (setup->bank2 && number >= 12)
			number = number >= 16 ? number - 4 : UINT32_MAX;
		return memory_page_numbered(peer->place.memory, number, ret);
	case STUB_K3:
		number = (select & ~setup->bank2_select) >> 3;
		if (setup->bank2_select && is_bank2 != ((select & setup->bank2_select) != 0))
			return false;
		number -= is_bank2 ? setup->bank2_page : 0;
		*ret = page_of(peer, address);
		return number == (address - (is_bank2 ? setup->bank2 : setup->flash)) / size;
	}
	return false;
}

static void erase(struct stub_peer *peer)
{
	const struct sim_stub_faults *knobs = peer_knobs(peer);
	uint32_t at = peer->frame.address;
	struct stub_erase what = {0};
	uint64_t nsec = 0;
	unsigned page;

	if (peer->frame.size == sizeof(what))
		memcpy(&what, peer_data(peer), sizeof(what));
	if (peer->failure != STUB_OK) {
		end_posted(peer);
		return;
	}
	if (what.size == 0 || !is_in_flash(peer, at, what.size) ||
		!select_page(peer, at, what.size, what.select, &page)) {
		fail(peer, STUB_RANGE, at, 0);
	} else if (is_protected(peer, at)) {
		fail(peer, STUB_WRITE_PROTECTED, at, SR_WRPERR);
	} else {
		unsigned wrong = knobs->wrong_page;

		if (wrong && peer->n_types[STUB_ERASE] == wrong)
			page = page + 1 < memory_page_count(peer->place.memory) ? page + 1
										: page - 1;
		nsec = memory_page_erase_nsec(peer->place.memory, page);
		memory_erase_page(peer->place.memory, page);
	}
	peer_work_flash(peer, erase_nsec(peer, nsec), end_posted);
}

static void erase_all(struct stub_peer *peer)
{
	struct memory *memory = peer->place.memory;
	uint64_t nsec = 0;

	for (uint32_t i = 0; peer->failure == STUB_OK && i < peer->setup.flash_size; i += 1024)
		if (is_protected(peer, peer->setup.flash + i))
			fail(peer, STUB_WRITE_PROTECTED, peer->setup.flash, SR_WRPERR);
	if (peer->failure == STUB_OK) {
		nsec = memory_mass_erase_nsec(memory);
		memory_wipe(memory);
		peer->place.counters->mass_erases++;
	}
	peer_work_flash(peer, erase_nsec(peer, nsec), end_posted);
}

static bool is_erased(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != 0xFF)
			return false;
	return true;
}

/* Eight bytes, unit by unit. */
static void program_group(struct stub_peer *peer, uint32_t at, const uint8_t *group)
{
	struct memory *memory = peer->place.memory;
	uint32_t n_unit = peer->setup.unit, pulse = memory_program_unit(memory);
	uint8_t got[STUB_UNIT_MAX];
	bool is_taken = true;

	if (pulse > n_unit)
		pulse = n_unit;
	read_memory(peer, at, got, sizeof(got));
	if (!is_erased(got, sizeof(got))) {
		fail(peer, STUB_NOT_BLANK, at, 0);
		return;
	}
	if (is_protected(peer, at)) {
		fail(peer, STUB_WRITE_PROTECTED, at, SR_WRPERR);
		return;
	}
	for (uint32_t i = 0; is_taken && i < sizeof(got); i += pulse)
		is_taken = memory_program(memory, at + i, group + i, pulse);
	read_memory(peer, at, got, sizeof(got));
	if (!is_taken)
		fail(peer, STUB_FLASH_ERROR, at, SR_PROGRAM_ERROR);
	else if (memcmp(got, group, sizeof(got)) != 0)
		fail(peer, STUB_DIFFERS, at, 0);
}

static void write_on(struct stub_peer *peer)
{
	uint64_t pulse = flash_nsec(peer, peer->place.memory->chip->program_nsec);

	while (peer->failure == STUB_OK && peer->n_done < peer->frame.size) {
		const uint8_t *group = peer_data(peer) + peer->n_done;
		uint32_t at = peer->frame.address + peer->n_done;

		peer->n_done += STUB_UNIT_MAX;
		if (is_erased(group, STUB_UNIT_MAX))
			continue;
		program_group(peer, at, group);
		peer_work_flash(peer, pulse * STUB_UNIT_MAX / peer->setup.unit, write_on);
		return;
	}
	end_posted(peer);
}

static void write_flash(struct stub_peer *peer)
{
	uint32_t at = peer->frame.address;
	unsigned nth = peer->n_types[STUB_DATA];

	peer->n_done = 0;
	if (peer->failure == STUB_OK && (at % STUB_UNIT_MAX || peer->frame.size % STUB_UNIT_MAX ||
						!is_in_flash(peer, at, peer->frame.size)))
		fail(peer, STUB_RANGE, at, 0);
	if (peer->failure == STUB_OK)
		peer->place.counters->blocks_written++;
	if (nth == peer_knobs(peer)->unwritten)
		end_posted(peer);
	else
		write_on(peer);
}

void peer_obey(struct stub_peer *peer)
{
	static const peer_fn commands[256] = {
		[STUB_HELLO] = say_hello,
		[STUB_LINK] = change_rate,
		[STUB_ECHO] = echo,
		[STUB_SUM] = sum,
		[STUB_READ] = read_flash,
		[STUB_PEEK] = peek,
		[STUB_RESET] = reset,
		[STUB_ERASE] = erase,
		[STUB_ERASE_ALL] = erase_all,
		[STUB_DATA] = write_flash,
	};

	if (commands[peer->frame.type])
		commands[peer->frame.type](peer);
	else
		peer_answer(peer, STUB_UNKNOWN, NULL, 0);
}
