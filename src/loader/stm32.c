/* SPDX-License-Identifier: MIT */
/*
 * stm32.c - the boot loader in the ROM of an STM32: the commands of AN3155, with what the chip
 * table says of the chip behind them.
 *
 * Two facts shape this file. A ROM before V3.1 acknowledges an address that it does not have, and
 * takes the next bytes for commands, one of which wipes the chip (stm32-rom.md 8): no address is
 * sent that the table does not name. The ROM measures the baud rate once after a reset: a failure
 * there is mended by the next reset alone. And since answers have no checksum, every fact of the
 * chip that decides something is read by steady_read().
 */
#include "loader/stm32.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "chip/family.h"
#include "device/transcript.h"
#include "loader/steady.h"
#include "stub/protocol.h"

/* F2, F4, F7: writing the supply range here lets the ROM program 32 bits at once (AN2606). */
#define VOLTAGE_RANGE_ADDRESS UINT32_C(0xFFFF0000)
#define VOLTAGE_2V7_TO_3V6    0x03

/* The most pages in one command. */
#define ERASE_LIST_MAX 255

#define UNIQUE_ID_SIZE 12

/* Bytes of an image from which on it pays to load the program into the RAM (some 0.5 s at 115200).
 */
#define PROMOTE_FROM 8192

/* L0, L1: the third word is not beside the second (their reference manuals, unique device id). */
#define UNIQUE_ID_THIRD_WORD 0x14

static int stm32_open(const struct loader *base, struct loader **ret)
{
	struct stm32 *stm32 = calloc(1, sizeof(*stm32));

	if (!stm32)
		return -ENOMEM;
	stm32->base = *base;
	stm32->bl.port = base->port;
	if (base->board->bursts == BOARD_USE_NO)
		stm32->bl.bursts = AN3155_BURSTS_FAIL;
	*ret = &stm32->base;
	return 0;
}

static struct loader *stm32_close(struct loader *loader)
{
	free(stm32_of(loader));
	return NULL;
}

/*
 * The budget from the first 0x7F to the last fact of the chip. A ROM needs some twenty answers,
 * each within milliseconds, and less than 4 KiB of them; the rest is for a busy host.
 */
#define MEETING_USEC  (15 * USEC_PER_SEC)
#define MEETING_BYTES 4096

/* The answer to Get: the version decides which addresses are safe, the list which erase there is.
 */
struct commands {
	uint8_t version;
	bool has[ARRAY_SIZE(((struct an3155 *)NULL)->has)];
};

static int ask_commands(void *userdata, void *to)
{
	struct an3155 *bl = userdata;
	struct commands *commands = to;
	int r = an3155_get(bl);

	commands->version = bl->version;
	memcpy(commands->has, bl->has, sizeof(commands->has));
	return r;
}

/*
 * An ACK alone may be noise of the right shape, and a badly measured rate shows in longer answers
 * only: the link counts once Get was answered twice the same.
 */
static int stm32_sync(struct loader *loader, bool was_reset)
{
	struct stm32 *stm32 = stm32_of(loader);
	struct commands agreed; /* the last answer to be had, which `bl` keeps as well */
	int r;

	stm32->voltage_is_set = false;
	loader->has_burst = loader->has_lost_burst = false;
	stm32->bl.in_turns = false;
	stm32->bl.deadline = port_now(stm32->bl.port) + MEETING_USEC +
			     port_line_time(stm32->bl.port, MEETING_BYTES);
	if (was_reset)
		stm32->bl.erase_may_be_pending = false;
	r = an3155_sync(&stm32->bl);
	if (r == LOADER_NO_ANSWER && !was_reset)
		r = an3155_resync(&stm32->bl);
	if (r == 0)
		r = steady_read(ask_commands, &stm32->bl, &agreed, sizeof(agreed));
	return r == 0 && !stm32->bl.has[AN3155_GET_ID] ? LOADER_FOREIGN : r;
}

/* A ROM behind a reset takes the first byte for its rate, and answers 0x7F alone. */
static int stm32_goes_on(struct loader *loader)
{
	struct stm32 *stm32 = stm32_of(loader);

	stm32->bl.deadline = 0;
	return an3155_get(&stm32->bl);
}

static bool range_holds(const struct chip_range *range, uint32_t address, size_t n)
{
	return address >= range->start && n <= range->size &&
	       address - range->start <= range->size - n;
}

/* Whether a bad address may be answered by silence: by table or version (stm32-rom.md 6). */
static bool is_silent_at_bad_address(const struct stm32 *stm32)
{
	return stm32_row(stm32->chip)->flags & STM32_SILENT_BAD_ADDRESS || stm32->bl.version < 0x31;
}

/*
 * Whether the ROM is known to have all these addresses for reading. How much RAM this part has is
 * not known: a ROM that may fall silent behind the end of it gets no count that is a command.
 */
static bool is_readable(const struct stm32 *stm32, uint32_t address, size_t n)
{
	const struct stm32_row *row = stm32_row(stm32->chip);

	return range_holds(&stm32->flash, address, n) ||
	       range_holds(&row->system_memory, address, n) ||
	       range_holds(&row->option_bytes, address, n) ||
	       (!(row->flags & STM32_NO_RAM_ACCESS) && range_holds(&row->ram, address, n) &&
		       !(is_silent_at_bad_address(stm32) && stm32->bl.has[(uint8_t)(n - 1)]));
}

struct place {
	struct stm32 *stm32;
	uint32_t address;
	size_t n;
};

/*
 * Reads a register of the chip's factory data. Most lie outside what the ROM's table of memories
 * names, and some ROMs refuse short reads there (stm32-rom.md 14): then the whole block of 256 that
 * holds it. On ROMs that fall silent at a bad address 256 is also the one count that is no command
 * (N-1 is FF).
 */
static int ask_factory(void *userdata, void *to)
{
	const struct place *place = userdata;
	struct stm32 *stm32 = place->stm32;
	const struct stm32_row *row = stm32_row(stm32->chip);
	uint8_t block[AN3155_BLOCK];
	uint32_t start = place->address & ~(uint32_t)(AN3155_BLOCK - 1);
	uint32_t offset = place->address - start;
	int r;

	if (is_readable(stm32, place->address, place->n) ||
		(!(row->flags & STM32_UID_WHOLE_BLOCK) && !is_silent_at_bad_address(stm32)))
		return an3155_read_memory(&stm32->bl, place->address, to, place->n);
	if (offset + place->n > sizeof(block))
		return LOADER_UNSUPPORTED;
	r = an3155_read_memory(&stm32->bl, start, block, sizeof(block));
	if (r == 0)
		memcpy(to, block + offset, place->n);
	return r;
}

int stm32_read_fact(struct stm32 *stm32, uint32_t address, void *to, size_t n)
{
	return steady_read(ask_factory, &(struct place){stm32, address, n}, to, n);
}

/*
 * Flash size and unique id are not needed: clones refuse to have them read. A refusal leaves the
 * size of the table and no id; silence and noise are errors as everywhere.
 */
static int read_factory_data(struct stm32 *stm32, struct chip_identity *identity)
{
	const struct stm32_row *row = stm32_row(stm32->chip);
	bool is_split = row->flags & STM32_UID_SPLIT;
	uint8_t bytes[UNIQUE_ID_THIRD_WORD + 4] = {0};
	uint32_t kib = 0;
	int r = 0;

	if (row->flash_size_register)
		r = stm32_read_fact(stm32, row->flash_size_register, bytes, 2);
	if (r != 0 && !loader_is_refusal(r))
		return r;
	if (r == 0)
		kib = (uint32_t)(bytes[0] | bytes[1] << 8);
	/*
	 * Early silicon that was not programmed has 0 or 0xFFFF there (stm32-chips.md 3); L1 of id
	 * 0x436 have a code there, 0 or 1 (RM0038, F_SIZE). The smallest STM32 has 8 KiB.
	 */
	stm32->has_flash_size = kib >= 8 && kib <= stm32->chip->flash.size / 1024;
	if (stm32->has_flash_size)
		identity->flash_bytes = kib * 1024;
	if (!row->unique_id)
		return 0;
	transcript_begin(port_transcript(stm32->bl.port), TRANSCRIPT_UNIT, 0, 0);
	r = stm32_read_fact(
		stm32, row->unique_id, bytes, is_split ? sizeof(bytes) : UNIQUE_ID_SIZE);
	transcript_end(port_transcript(stm32->bl.port));
	if (r != 0)
		return loader_is_refusal(r) ? 0 : r;
	if (is_split)
		memcpy(bytes + 8, bytes + UNIQUE_ID_THIRD_WORD, 4);
	for (size_t i = 0; i < UNIQUE_ID_SIZE; i++)
		snprintf(identity->unique_id + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

/* Whether the flash may be read, and whether in bursts. It is protected where a read is refused
 * twice. */
static int look_into_flash(struct stm32 *stm32, struct chip_identity *identity)
{
	uint32_t start = stm32->flash.start;
	uint8_t word[4];
	int r;

	if (!range_holds(&stm32->flash, start, AN3155_BLOCK))
		return 0;
	r = stm32_read_fact(stm32, start, word, sizeof(word));
	identity->is_protected = r == LOADER_REFUSED;
	/*
	 * The flag of an empty flash is set at power-on, or when the option bytes are loaded;
	 * neither programming nor a reset clears it (RM0444, RM0091).
	 */
	identity->stays_inside = r == 0 && stm32_row(stm32->chip)->flags & STM32_EMPTY_CHECK &&
				 memcmp(word, "\xFF\xFF\xFF\xFF", sizeof(word)) == 0;
	if (r == 0)
		r = an3155_try_bursts(&stm32->bl, start, word, sizeof(word));
	return r == LOADER_REFUSED ? 0 : r;
}

/*
 * Reads the bit that counts for a part of this size. REFUSED where the ROM does not let it be read.
 * Families from the L5 on, and the H7, have their option bytes in registers of the flash unit. The
 * ROMs of H7 and U5 name them on USB, ST's open boot loader reads them for the others, AN2606 names
 * none: a ROM from V3.1 on refuses what it does not have, and an older one is not asked.
 */
static int read_option_bit(struct stm32 *stm32, const struct stm32_layout *layout, bool *ret_is_so)
{
	bool is_largest = stm32->flash.size == stm32->chip->flash.size;
	const struct stm32_bit *bit = is_largest ? &layout->largest : &layout->smaller;
	uint8_t word[4];
	int r;

	*ret_is_so = true;
	if (bit->is_any)
		return 0;
	if (!is_readable(stm32, layout->address, sizeof(word)) && is_silent_at_bad_address(stm32))
		return LOADER_REFUSED;
	r = stm32_read_fact(stm32, layout->address, word, sizeof(word));
	if (r == 0)
		*ret_is_so = (word[bit->number / 8] >> (bit->number % 8) & 1) == bit->is_set;
	return r;
}

/*
 * Where two banks are made into one (DBANK, RM0440, RM0432) a page has twice the size, and its
 * number stands for another address: an erase by the table's layout would take data behind the
 * image. Exchanged banks are refused: an erase goes by the physical bank there, a write by the
 * address (RM0444 3.3.2), and no document says which page the ROM erases for a number.
 */
static int check_pages(struct stm32 *stm32, enum identity_pages *ret)
{
	const struct stm32_layout *swap = &stm32_row(stm32->chip)->swap;
	const struct stm32_layout *layout = &stm32_row(stm32->chip)->layout;
	enum identity_pages pages = IDENTITY_PAGES_SURE;
	bool is_so = false;
	int r = swap->address ? read_option_bit(stm32, swap, &is_so) : 0;

	if (r == LOADER_REFUSED)
		pages = IDENTITY_PAGES_UNSURE;
	else if (r != 0)
		return r;
	else if (is_so) {
		*ret = IDENTITY_PAGES_SWAPPED;
		return 0;
	}
	r = layout->address ? read_option_bit(stm32, layout, &is_so) : 0;
	if (r == LOADER_REFUSED)
		pages = IDENTITY_PAGES_UNSURE;
	else if (r != 0)
		return r;
	else if (layout->address && !is_so && !chip_use_other_pages(&stm32->row, stm32->flash.size))
		pages = IDENTITY_PAGES_UNKNOWN;
	*ret = pages;
	return 0;
}

/*
 * Finds the known limitations of this ROM. A ROM whose id cannot be read is taken to have all that
 * need care. A cleared flag of an empty flash needs none, since Go is right in both cases.
 */
static int find_limits(struct stm32 *stm32)
{
	const struct stm32_row *row = stm32_row(stm32->chip);
	int r = row->bootloader_id_at ? 0 : LOADER_REFUSED;
	bool is_id_asked = false;
	uint8_t id = 0;

	for (size_t i = 0; i < row->n_limits; i++)
		is_id_asked = is_id_asked || !row->limits[i].is_of_all;
	if (is_id_asked && r == 0)
		r = stm32_read_fact(stm32, row->bootloader_id_at, &id, sizeof(id));
	if (r != 0 && !loader_is_refusal(r))
		return r;
	stm32->limits = 0;
	for (size_t i = 0; i < row->n_limits; i++)
		if (row->limits[i].is_of_all || (r == 0 && row->limits[i].id == id) ||
			(r != 0 && row->limits[i].flag != STM32_EMPTY_FLAG_CLEARED))
			stm32->limits |= row->limits[i].flag;
	/* An erase that is acknowledged early has no visible end: its longest time is waited. */
	if (stm32->limits & (STM32_ERASE_EARLY | STM32_ERASE_EARLY_BANK_2))
		stm32->row.no_mass_erase = true;
	return 0;
}

static int ask_product_id(void *userdata, void *to)
{
	uint16_t id = 0;
	int r = an3155_get_id(userdata, &id);

	*(uint32_t *)to = id;
	return r;
}

/* Whether it is worth while to ask stm32_promote(). */
static bool can_promote(const struct stm32 *stm32, const struct chip_identity *identity)
{
	const struct stm32_row *row = stm32_row(stm32->chip);
	const bool *has = stm32->bl.has;

	return *row->stub && !identity->is_protected && !(row->flags & STM32_NO_RAM_ACCESS) &&
	       has[AN3155_READ_MEMORY] && has[AN3155_WRITE_MEMORY] && has[AN3155_GO];
}

static int identify(struct stm32 *stm32, struct chip_identity *ret)
{
	const struct chip *chip;
	struct chip_identity identity = {
		.bootloader_version = stm32->bl.version,
		.can_protect = stm32->bl.has[AN3155_READOUT_PROTECT],
	};
	int r = steady_read(
		ask_product_id, &stm32->bl, &identity.product_id, sizeof(identity.product_id));

	if (r != 0)
		return r;
	stm32->chip = NULL;
	chip = chip_table_find(stm32->base.chips, family_stm32_rows.name, identity.product_id);
	if (!chip) {
		*ret = identity;
		return LOADER_UNKNOWN_CHIP;
	}
	stm32->row = *chip;
	stm32->chip = identity.chip = &stm32->row;
	stm32->flash = stm32->chip->flash;
	stm32->bl.flash_start = stm32->flash.start;
	stm32->bl.flash_size = stm32->flash.size;
	identity.flash_bytes = stm32->flash.size;
	r = look_into_flash(stm32, &identity);
	if (r != 0)
		return r;
	if (!identity.is_protected) {
		r = read_factory_data(stm32, &identity);
		if (r != 0)
			return r;
		stm32->flash.size = identity.flash_bytes;
		r = check_pages(stm32, &identity.pages);
		if (r == 0)
			r = find_limits(stm32);
		if (r != 0)
			return r;
		if (stm32->limits & STM32_EMPTY_FLAG_CLEARED)
			identity.stays_inside = false;
	}
	identity.can_promote = can_promote(stm32, &identity);
	*ret = identity;
	return 0;
}

/* The budget of the meeting ends here; that of the attempt counts from now on. */
static int stm32_identify(struct loader *loader, struct chip_identity *ret)
{
	struct stm32 *stm32 = stm32_of(loader);
	int r = identify(stm32, ret);

	stm32->bl.deadline = 0;
	return r;
}

/* Bursts, for now; a rule that says `no` has none from the start. */
static bool is_off(const struct loader *loader)
{
	return loader->trusts && loader->trusts->bursts == TRUST_OFF;
}

/* Then what was written in bursts is read turn by turn. */
static bool is_on_trial(const struct loader *loader)
{
	return loader->trusts && loader->trusts->bursts == TRUST_ON_TRIAL;
}

static int stm32_read(struct loader *loader, uint32_t address, uint8_t *to, size_t n_to)
{
	struct stm32 *stm32 = stm32_of(loader);

	if (!is_readable(stm32, address, n_to))
		return LOADER_REFUSED;
	stm32->bl.in_turns = is_off(loader) || (is_on_trial(loader) && loader->has_burst);
	return an3155_read_memory(&stm32->bl, address, to, n_to);
}

static int write_flash(struct stm32 *stm32, uint32_t address, const uint8_t *data, size_t n_data)
{
	struct loader *loader = &stm32->base;
	int r;

	stm32->bl.in_turns = is_off(loader);
	r = an3155_write_memory(&stm32->bl, address, data, n_data, stm32->chip->program_max_usec);
	loader->has_burst = loader->has_burst || stm32->bl.was_burst;
	loader->has_lost_burst = loader->has_lost_burst || (stm32->bl.was_burst && r > 0);
	return r;
}

/* Flash only, and aligned: on some chips one misaligned write makes all later ones fail (AN2606
 * table 7). */
static int stm32_write(struct loader *loader, uint32_t address, const uint8_t *data, size_t n_data)
{
	struct stm32 *stm32 = stm32_of(loader);
	const struct chip *chip = stm32->chip;
	int r = 0;

	if (!range_holds(&stm32->flash, address, n_data) || address % chip->write_align != 0 ||
		n_data % chip->write_align != 0)
		return LOADER_REFUSED;
	/*
	 * The remedy is ST's: that word is written first, alone, with the same bytes. The ROM loses
	 * it, and programs the word once; a ROM without the fault programs the same cells and ECC
	 * twice.
	 */
	if (stm32->limits & STM32_WORD_LOST_AFTER_READ && stm32->bl.has_read)
		r = write_flash(stm32, address, data, chip->write_align);
	return r == 0 ? write_flash(stm32, address, data, n_data) : r;
}

/*
 * Without the supply range the ROM programs and erases byte by byte, four times as slow
 * (stm32-rom.md 14). It is set before the first erase, when the chip is known to be the right one.
 */
static int set_voltage_range(struct stm32 *stm32)
{
	const uint8_t range = VOLTAGE_2V7_TO_3V6;
	int r;

	if (!(stm32_row(stm32->chip)->flags & STM32_VOLTAGE_RANGE) || stm32->voltage_is_set)
		return 0;
	stm32->bl.in_turns = is_off(&stm32->base);
	r = an3155_write_memory(&stm32->bl, VOLTAGE_RANGE_ADDRESS, &range, sizeof(range), 0);
	if (r != 0 && r != LOADER_REFUSED)
		return r;
	stm32->voltage_is_set = true;
	return 0;
}

/* How many of these pages one command may name, and whether its ACK comes before they are erased.
 */
static size_t pages_at_once(const struct stm32 *stm32, const struct chip_page *pages,
	size_t n_pages, bool *ret_is_early)
{
	uint32_t bank_2 = stm32->flash.start + stm32->flash.size / 2;
	bool is_bank_2 = pages[0].address >= bank_2;
	uint32_t limits = stm32->limits;
	bool splits = limits & (STM32_ERASE_SINGLY_BANK_2 | STM32_ERASE_EARLY_BANK_2);
	size_t max = stm32_row(stm32->chip)->max_erase_pages;
	size_t n = 0;

	if (!is_bank_2)
		limits &= ~(uint32_t)(STM32_ERASE_SINGLY_BANK_2 | STM32_ERASE_EARLY_BANK_2);
	*ret_is_early = limits & (STM32_ERASE_EARLY | STM32_ERASE_EARLY_BANK_2);
	if (limits & (STM32_ERASE_SINGLY | STM32_ERASE_SINGLY_BANK_2) || *ret_is_early)
		return 1;
	if (max < 1 || max > ERASE_LIST_MAX)
		max = ERASE_LIST_MAX;
	while (n < n_pages && n < max && (!splits || (pages[n].address >= bank_2) == is_bank_2))
		n++;
	return n;
}

static int stm32_erase_pages(struct loader *loader, const struct chip_page *pages, size_t n_pages)
{
	struct stm32 *stm32 = stm32_of(loader);
	const struct chip *chip = stm32->chip;
	uint16_t numbers[ERASE_LIST_MAX];
	int r = set_voltage_range(stm32);

	while (r == 0 && n_pages > 0) {
		bool is_early;
		size_t n = pages_at_once(stm32, pages, n_pages, &is_early);

		for (size_t i = 0; i < n; i++) {
			/* From 0xFFF0 on the numbers mean mass erase (AN3155 3.8). */
			if (pages[i].number >= 0xFFF0)
				return -EINVAL;
			numbers[i] = (uint16_t)pages[i].number;
		}
		r = an3155_erase_pages(&stm32->bl, numbers, n, n * chip->page_erase_max_usec);
		/* The longest time of the data sheet; the table has twice that. */
		if (r == 0 && is_early)
			r = port_wait(stm32->bl.port, chip->page_erase_max_usec / 2);
		pages += n;
		n_pages -= n;
	}
	return r;
}

static int stm32_erase_all(struct loader *loader)
{
	struct stm32 *stm32 = stm32_of(loader);
	int r;

	if (stm32->chip->no_mass_erase)
		return LOADER_UNSUPPORTED;
	r = set_voltage_range(stm32);
	if (r != 0)
		return r;
	return an3155_erase_all(&stm32->bl, stm32->chip->mass_erase_max_usec);
}

static int stm32_unprotect(struct loader *loader)
{
	struct stm32 *stm32 = stm32_of(loader);

	return an3155_readout_unprotect(&stm32->bl, stm32->chip->mass_erase_max_usec);
}

static int stm32_protect(struct loader *loader)
{
	return an3155_readout_protect(&stm32_of(loader)->bl);
}

static int stm32_write_unprotect(struct loader *loader)
{
	return an3155_write_unprotect(&stm32_of(loader)->bl);
}

static int stm32_start(struct loader *loader, uint32_t address)
{
	struct stm32 *stm32 = stm32_of(loader);

	if (!range_holds(&stm32->flash, address, 8))
		return LOADER_REFUSED;
	return an3155_go(&stm32->bl, address);
}

const struct loader_ops loader_stm32 = {
	.name = "stm32",
	.parity = PORT_PARITY_EVEN,
	.foreign =
		"the boot loader does not list Get ID (0x02), which every one of ST's does: it is another maker's, like that of the GD32VW553, and does not say which chip this is; choose another way to flash it",
	.unanswered =
		": it answered 0x7F but no command: a rate too high (put a lower one into `baud`), or an adapter that drops parity",
	.has_trials = true,
	.frees_boot_pin = true,
	.block_size = AN3155_BLOCK,
	.open = stm32_open,
	.close = stm32_close,
	.sync = stm32_sync,
	.goes_on = stm32_goes_on,
	.identify = stm32_identify,
	.describe = stm32_describe,
	.promote = stm32_promote,
	.promote_from = PROMOTE_FROM,
	.promote_version = STUB_VERSION,
	.read = stm32_read,
	.write = stm32_write,
	.erase_pages = stm32_erase_pages,
	.erase_all = stm32_erase_all,
	.unprotect = stm32_unprotect,
	.protect = stm32_protect,
	.write_unprotect = stm32_write_unprotect,
	.write_options = stm32_write_options,
	.start = stm32_start,
	.starts_anywhere = true,
};
