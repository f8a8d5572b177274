/* SPDX-License-Identifier: MIT */
/*
 * linked.c - for which address an image was linked.
 *
 * A raw image carries no address, but its vectors do. One that belongs behind a boot loader at
 * 0x08007000 has no handler below that; put at 0x08000000 its reset vector may still point into it
 * by chance, into the middle of other code. The vectors alone cannot tell that from an application
 * whose handlers merely stand late, so the code they point to is looked at: compilers begin
 * functions with few kinds of instruction. Where all vectors meet such beginnings the image is
 * where it belongs, and where they do not, the address at which they do is the one it was linked
 * for.
 */
#include "chip/linked.h"

/* Of the 16 words of the processor itself, these are reserved (Armv7-M B1.5.2): some boot loaders
 * keep a checksum in them. */
#define N_SYSTEM  16
#define N_VECTORS (N_SYSTEM + 240)

/* A boot loader has a KiB at least; one below 2 KiB is rare enough to want proof. */
#define LEAST_LOADER 0x400
#define USUAL_LOADER 0x800

/* VTOR has no bits for less than 128 bytes; boot loaders end at pages. */
#define STEP 0x100

/* An image with a gap of gigabytes is for no chip; it bounds the time that is spent here. */
#define MOST_BYTES (16 * 1024 * 1024)

/* Fewer handlers are no whole table: Armv6-M has five beside the reset vector. */
#define LEAST_HANDLERS 4

static bool is_reserved(size_t i)
{
	return (i >= 7 && i <= 10) || i == 13;
}

static void add_target(struct linked *linked, uint32_t address)
{
	if (address < linked->lowest)
		linked->lowest = address;
	if (address > linked->highest)
		linked->highest = address;
	for (size_t i = 0; i < linked->n_targets; i++)
		if (linked->targets[i] == address) {
			linked->counts[i]++;
			return;
		}
	if (linked->n_targets < LINKED_MAX_TARGETS) {
		linked->counts[linked->n_targets] = 1;
		linked->targets[linked->n_targets++] = address;
	}
}

void linked_read(const struct image *image, uint32_t table, struct linked *ret)
{
	const struct segment *last = &image->segments[image->n_segments - 1];
	uint32_t reset = image_word(image, table + 4) & ~UINT32_C(1);
	unsigned n_elsewhere = 0; /* since the last handler: the table may have ended before them */
	uint64_t n_image = (uint64_t)last->address + last->size - table;

	*ret = (struct linked){
		.table = table,
		.n_image = n_image < MOST_BYTES ? (uint32_t)n_image : MOST_BYTES,
		.n_table = 8,
		.lowest = UINT32_MAX,
	};
	add_target(ret, reset);
	for (size_t i = 2; i < N_VECTORS && 4 * (i + 1) <= ret->n_image; i++) {
		uint32_t word = image_word(image, table + 4 * (uint32_t)i), region = word >> 29;
		/* Code runs from flash, RAM, external memories; peripherals, system: never. */
		bool is_code = word % 2 != 0 && region != 2 && region < 5;
		uint32_t distance = word - 1 > reset ? word - 1 - reset : reset - (word - 1);

		if (word == 0 || word == UINT32_MAX) /* empty */
			continue;
		if (!is_code && is_reserved(i))
			continue;
		if (!is_code)
			break; /* code or data: the table has ended */
		if (distance >= ret->n_image) {
			n_elsewhere += !is_reserved(i);
			continue;
		}
		add_target(ret, word - 1);
		ret->n_handlers++;
		ret->n_table = 4 * ((uint32_t)i + 1);
		ret->n_elsewhere += n_elsewhere;
		n_elsewhere = 0;
	}
}

/* ------------------------------------------------------------------ code */

/* Whether compilers begin functions, or people handlers, with these two halfwords of Thumb code. */
static bool is_entry(uint16_t first, uint16_t second)
{
	return (first & 0xFE00) == 0xB400 || first == 0xE92D || /* push */
	       (first & 0xFF80) == 0xB080 ||			/* sub sp */
	       (first & 0xF800) == 0x4800 || first == 0xF8DF || /* ldr from the pool */
	       (first & 0xF800) == 0x2000 || first == 0xF04F || /* mov of a constant */
	       (first & 0xFBF0) == 0xF240 ||			/* movw */
	       (first & 0xFF00) == 0x4600 ||			/* mov of registers */
	       (first & 0xF800) == 0xE000 ||			/* b, also to itself */
	       ((first & 0xF800) == 0xF000 && (second & 0xD000) != 0x8000 &&
		       second >> 15) || /* bl */
	       first == 0x4770 ||
	       (first & 0xFF00) == 0xBE00 || /* bx lr, bkpt */
	       first == 0xF3EF || (first & 0xFFE0) == 0xB660 ||
	       first == 0xF3BF ||		     /* mrs, cps, dsb */
	       first == 0xF3AF || first == 0xE97F || /* bti, pac, nop; sg */
	       (first & 0xFFCF) == 0xBF00 ||	     /* nop, yield, wfe, wfi */
	       (first & 0xFF00) == 0xDE00 ||	     /* udf */
	       (first & 0xF800) == 0xA000 ||	     /* adr */
	       first == 0xF01E;			     /* tst lr: which stack */
}

static uint16_t halfword(const struct image *image, uint32_t address)
{
	return (uint16_t)image_word(image, address);
}

struct score {
	size_t n_inside;  /* targets that are in the image */
	size_t n_entries; /* of these, where a function begins */
};

/* What the vectors meet if the table was linked for `address`. */
static struct score score_at(
	const struct image *image, const struct linked *linked, uint32_t address)
{
	struct score score = {0, 0};

	for (size_t i = 0; i < linked->n_targets; i++) {
		uint32_t at = linked->targets[i] - address + linked->table;

		if (at - linked->table >= linked->n_image || !image_touches(image, at, 1))
			continue;
		score.n_inside++;
		score.n_entries += is_entry(halfword(image, at), halfword(image, at + 2));
	}
	return score;
}

/* Places for which all vectors are in the image, and behind the table. */
struct range {
	uint32_t first, last;
};

static bool possible_places(const struct linked *linked, struct range *ret)
{
	uint32_t span = linked->highest - linked->lowest;

	if (span >= linked->n_image || linked->lowest < linked->n_table)
		return false;
	ret->last = (linked->lowest - linked->n_table) / STEP * STEP;
	ret->first = linked->highest >= linked->n_image
			     ? (linked->highest - linked->n_image) / STEP * STEP + STEP
			     : 0;
	return ret->first <= ret->last;
}

/*
 * The place where the vectors meet the most beginnings of functions; of equals the roundest, since
 * boot loaders end at round addresses. That of the image itself (`linked->table`) is left out.
 */
static struct score best_place(
	const struct image *image, const struct linked *linked, struct range range, uint32_t *ret)
{
	struct score best = {0, 0};

	*ret = range.last;
	for (uint64_t at = range.first; at <= range.last; at += STEP) {
		uint32_t address = (uint32_t)at;
		struct score score = score_at(image, linked, address);

		if (address == linked->table || score.n_entries < best.n_entries)
			continue;
		if (score.n_entries > best.n_entries || (address & -address) >= (*ret & -*ret)) {
			best = score;
			*ret = address;
		}
	}
	return best;
}

/* A gap, or bytes of one value up to the first handler: the linker left it out on purpose. */
static bool is_left_out(const struct image *image, const struct linked *linked)
{
	uint32_t begin = linked->table + linked->n_table;
	uint8_t first = image_byte(image, begin);

	for (uint32_t at = begin; at < linked->lowest; at++)
		if (image_byte(image, at) != first)
			return false;
	return true;
}

bool linked_guess(const struct image *image, const struct linked *linked, uint32_t *ret_address)
{
	struct range range;
	struct score best;
	uint32_t address;

	if (!possible_places(linked, &range))
		return false;
	best = best_place(image, linked, range, &address);
	/* Three quarters: with code that is not of a compiler, the first handler is all there is.
	 */
	if (linked->n_targets < 3 || best.n_entries * 4 < linked->n_targets * 3) {
		address = range.last / LEAST_LOADER * LEAST_LOADER;
		if (address < range.first)
			address = range.last;
	}
	*ret_address = address;
	return address != linked->table;
}

/* An endless loop, which is the default handler of most libraries, as such a one is aligned. */
static bool is_loop(const struct image *image, uint32_t at)
{
	uint16_t first = halfword(image, at);

	return first == 0xE7FE || (first == 0xBF00 && halfword(image, at + 2) == 0xE7FE);
}

/*
 * Whether the one handler that most vectors have is an endless loop if the image was linked for
 * `address`, and none here: one halfword of thousands, so that it counts where there are few
 * others.
 */
static bool default_is_at(const struct image *image, const struct linked *linked, uint32_t address)
{
	size_t common = 0;

	for (size_t i = 1; i < linked->n_targets; i++)
		if (linked->counts[i] > linked->counts[common])
			common = i;
	return linked->counts[common] >= 8 && !is_loop(image, linked->targets[common]) &&
	       is_loop(image, linked->targets[common] - address + linked->table) &&
	       score_at(image, linked, address).n_entries == linked->n_targets;
}

bool linked_is_elsewhere(
	const struct image *image, const struct linked *linked, uint32_t *ret_address)
{
	uint32_t room = linked->lowest - linked->table - linked->n_table;
	struct score here = score_at(image, linked, linked->table), best;
	bool is_inside = here.n_inside == linked->n_targets, fits;
	struct range range;
	uint32_t address;

	if (linked->n_handlers < LEAST_HANDLERS || linked->n_elsewhere > 0 ||
		linked->lowest < linked->table + linked->n_table || room < LEAST_LOADER ||
		!possible_places(linked, &range))
		return false;
	best = best_place(image, linked, range, &address);
	/* In the right place nearly all vectors meet the beginning of a function, and elsewhere a
	 * third: of few vectors half is asked, of many two thirds. */
	fits = here.n_inside < 6 ? here.n_entries * 2 >= here.n_inside
				 : here.n_entries * 3 >= here.n_inside * 2;
	if (is_inside ? fits && !default_is_at(image, linked, address)
		      : here.n_inside >= 3 && here.n_entries == here.n_inside)
		return false;
	if (is_inside && is_left_out(image, linked))
		return false;
	if (is_inside && best.n_entries * 4 < linked->n_targets * 3 &&
		(room < USUAL_LOADER || here.n_entries * 2 >= linked->n_targets))
		return false;
	return linked_guess(image, linked, ret_address);
}
