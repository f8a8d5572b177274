/* SPDX-License-Identifier: MIT */
/*
 * rom-commands.c - what the commands of the boot loader do, by AN3155 section 3, and where V2.2
 * differs from it. The table at the end is all the commands there are.
 */
#include "sim/rom-commands.h"
#include "base/util.h"

struct rom_command {
	uint8_t code;
	bool while_protected;
	bool (*is_there)(const struct sim_chip *chip); /* NULL: on all */
	rom_fn begin;				       /* after its ACK */
};

static size_t list_codes(const struct sim_chip *chip, uint8_t *ret_codes);

void rom_ack(struct rom *rom)
{
	rom->clock += rom->fault->knobs.slow_ack_nsec;
	for (unsigned n = 0; n <= rom->fault->knobs.more_acks; n++)
		rom_put(rom, ROM_ACK);
}

void rom_nack(struct rom *rom)
{
	rom->clock += rom->fault->knobs.slow_ack_nsec;
	rom_put(rom, ROM_NACK);
}

void rom_ack_and_reset(struct rom *rom)
{
	rom_ack(rom);
	rom->wish = ROM_RESETS;
}

bool rom_is_refused_late(struct rom *rom)
{
	if (!fault_at_stage(rom->fault, rom->code, 2))
		return false;
	rom_nack(rom);
	return true;
}

bool rom_has_erased(const struct rom *rom)
{
	const struct sim_counters *counters = rom->counters;

	return counters->pages_erased > 0 || counters->mass_erases > 0 || counters->unprotects > 0;
}

uint32_t rom_frame_word(const struct rom *rom)
{
	return (uint32_t)rom->frame[0] << 24 | (uint32_t)rom->frame[1] << 16 |
	       (uint32_t)rom->frame[2] << 8 | rom->frame[3];
}

/* --- Get, Get Version, Get ID --- */

/* The length, the bytes, an ACK. A knob may lie about the length: N is one less than it should be.
 */
static void put_list(struct rom *rom, const uint8_t *bytes, size_t n_bytes, int claim)
{
	size_t length = claim ? (size_t)(claim < 0 ? 0 : claim) : n_bytes - 1;

	rom_put(rom, (uint8_t)length);
	for (size_t i = 0; i < n_bytes || i < length + 1; i++)
		rom_put(rom, i < n_bytes ? bytes[i] : 0xEE);
	rom_ack(rom);
}

static void begin_get(struct rom *rom)
{
	uint8_t answer[1 + 32];
	size_t n_codes;

	answer[0] = rom->chip->version;
	n_codes = list_codes(rom->chip, answer + 1);
	put_list(rom, answer, 1 + n_codes, rom->fault->knobs.get_length);
}

/* The two option bytes are zero on all but F105 and F107 (AN3155 3.2). */
static void begin_get_version(struct rom *rom)
{
	rom_put(rom, rom->chip->version);
	rom_put(rom, 0x00);
	rom_put(rom, 0x00);
	rom_ack(rom);
}

static void begin_get_id(struct rom *rom)
{
	uint16_t id = fault_product_id(rom->fault, rom->chip->product_id, rom_has_erased(rom));

	put_list(rom, (uint8_t[]){(uint8_t)(id >> 8), (uint8_t)id}, 2,
		rom->fault->knobs.get_id_length);
}

/* --- Protection --- */

static void on_write_protect_list(struct rom *rom)
{
	if (!rom_frame_is_sound(rom)) {
		rom_nack(rom);
		return;
	}
	if (rom_is_refused_late(rom))
		return;
	memory_protect_sectors(rom->memory, rom->frame + 1, rom->frame[0] + 1u);
	rom_ack_and_reset(rom);
}

static void on_write_protect_count(struct rom *rom)
{
	rom_expect_more(rom, rom->frame[0] + 2u, on_write_protect_list);
}

static void begin_write_protect(struct rom *rom)
{
	rom_expect(rom, 1, on_write_protect_count);
}

static void begin_write_unprotect(struct rom *rom)
{
	if (rom_is_refused_late(rom))
		return;
	memory_unprotect_sectors(rom->memory);
	rom_ack_and_reset(rom);
}

static void begin_readout_protect(struct rom *rom)
{
	if (rom_is_refused_late(rom))
		return;
	memory_protect_readout(rom->memory, true);
	rom_ack_and_reset(rom);
}

static void end_readout_unprotect(struct rom *rom)
{
	memory_wipe(rom->memory);
	memory_protect_readout(rom->memory, false);
	memory_unprotect_sectors(rom->memory);
	rom_ack_and_reset(rom);
}

/* No question whether anything was protected; RAM first, then the flash (AN3155 3.12, V2.2). */
static void begin_readout_unprotect(struct rom *rom)
{
	uint64_t nsec = memory_mass_erase_nsec(rom->memory);

	if (rom_is_refused_late(rom))
		return;
	rom->counters->unprotects++;
	memory_clear_ram(rom->memory);
	rom->work_end = rom->clock + nsec;
	rom_work(rom, nsec, end_readout_unprotect);
}

/* --- Get Checksum (AN3155 3.13): the size counts words --- */

/* The CRC unit of the STM32: whole words, highest bit first, nothing reflected. */
static uint32_t add_to_checksum(uint32_t checksum, uint32_t word, uint32_t polynomial)
{
	checksum ^= word;
	for (unsigned i = 0; i < 32; i++)
		checksum =
			checksum & UINT32_C(1) << 31 ? checksum << 1 ^ polynomial : checksum << 1;
	return checksum;
}

static void on_checksum_initial(struct rom *rom)
{
	uint32_t checksum = rom_frame_word(rom);
	uint8_t sum = 0;

	if (!rom_frame_is_sound(rom)) {
		rom_nack(rom);
		return;
	}
	rom_ack(rom);
	for (uint32_t i = 0; i < rom->checksum_words; i++)
		checksum = add_to_checksum(checksum,
			memory_read_word(rom->memory, rom->address + 4 * i),
			rom->checksum_polynomial);
	rom_ack(rom);
	for (int shift = 24; shift >= 0; shift -= 8) {
		sum ^= (uint8_t)(checksum >> shift);
		rom_put(rom, (uint8_t)(checksum >> shift));
	}
	rom_put(rom, sum);
}

static void on_checksum_polynomial(struct rom *rom)
{
	if (!rom_frame_is_sound(rom)) {
		rom_nack(rom);
		return;
	}
	rom->checksum_polynomial = rom_frame_word(rom);
	rom_ack(rom);
	rom_expect(rom, 5, on_checksum_initial);
}

static void on_checksum_size(struct rom *rom)
{
	uint32_t words = rom_frame_word(rom);
	uint32_t offset = rom->address - rom->chip->flash_base;

	if (!rom_frame_is_sound(rom) || !words || words > (rom->chip->flash_size - offset) / 4) {
		rom_nack(rom);
		return;
	}
	rom->checksum_words = words;
	rom_ack(rom);
	rom_expect(rom, 5, on_checksum_polynomial);
}

static void on_checksum_address(struct rom *rom)
{
	rom->address = rom_frame_word(rom);
	if (!rom_frame_is_sound(rom) || fault_at_stage(rom->fault, rom->code, 1)) {
		rom_nack(rom);
		return;
	}
	if (memory_area(rom->memory, rom->address) != MEMORY_FLASH) {
		rom->counters->bad_addresses++;
		rom_nack(rom);
		return;
	}
	rom_ack(rom);
	rom_expect(rom, 5, on_checksum_size);
}

static void begin_checksum(struct rom *rom)
{
	rom_expect(rom, 5, on_checksum_address);
}

/* --- Special (AN3155 3.14), with the one sub-command that AN2606 table 218 has for U5 --- */

static void on_special_data(struct rom *rom)
{
	static const uint8_t answer[] = {0, 0, 0, 1, 0}; /* no data, one byte of status: done */

	if (!rom_frame_is_sound(rom)) {
		rom_nack(rom);
		return;
	}
	rom_ack(rom);
	for (size_t i = 0; i < sizeof(answer); i++)
		rom_put(rom, answer[i]);
	rom_ack(rom);
}

static void on_special_size(struct rom *rom)
{
	unsigned size = (unsigned)(rom->frame[0] << 8 | rom->frame[1]);

	if (size > 128)
		rom_nack(rom);
	else
		rom_expect_more(rom, size + 1, on_special_data);
}

static void on_special_code(struct rom *rom)
{
	if (!rom_frame_is_sound(rom) || rom->frame[0] != 0x00 || rom->frame[1] != 0x82) {
		rom_nack(rom);
		return;
	}
	rom_ack(rom);
	rom_expect(rom, 2, on_special_size);
}

static void begin_special(struct rom *rom)
{
	rom_expect(rom, 3, on_special_code);
}

/* --- The table --- */

static bool has_id(const struct sim_chip *chip)
{
	return !chip->has_no_id;
}

static bool has_erase(const struct sim_chip *chip)
{
	return !chip->extended_erase;
}

static bool has_extended_erase(const struct sim_chip *chip)
{
	return chip->extended_erase;
}

static bool has_protection(const struct sim_chip *chip)
{
	return !chip->has_no_protection;
}

static bool has_special(const struct sim_chip *chip)
{
	return chip->has_special;
}

static bool has_checksum(const struct sim_chip *chip)
{
	return chip->has_checksum;
}

static const struct rom_command commands[] = {
	{0x00, true, NULL, begin_get},
	{0x01, true, NULL, begin_get_version},
	{0x02, true, has_id, begin_get_id},
	{0x11, false, NULL, rom_begin_read},
	{0x21, false, NULL, rom_begin_go},
	{0x31, false, NULL, rom_begin_write},
	{0x43, false, has_erase, rom_begin_erase},
	{0x44, false, has_extended_erase, rom_begin_extended_erase},
	{0x50, false, has_special, begin_special},
	{0x63, false, NULL, begin_write_protect},
	{0x73, false, NULL, begin_write_unprotect},
	{0x82, false, has_protection, begin_readout_protect},
	{0x92, true, has_protection, begin_readout_unprotect},
	{0xA1, false, has_checksum, begin_checksum},
};

static size_t list_codes(const struct sim_chip *chip, uint8_t *ret_codes)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!commands[i].is_there || commands[i].is_there(chip))
			ret_codes[n++] = commands[i].code;
	}
	return n;
}

static const struct rom_command *find_command(const struct rom *rom)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].code == rom->code &&
			(!commands[i].is_there || commands[i].is_there(rom->chip)))
			return &commands[i];
	}
	return NULL;
}

/* Some ROMs send two NACKs for Read, Go and Write under read-out protection (AN3155 3.4, note). */
static void refuse_protected(struct rom *rom)
{
	rom_nack(rom);
	if (rom->chip->double_nack_protected &&
		(rom->code == 0x11 || rom->code == 0x21 || rom->code == 0x31))
		rom_nack(rom);
}

void rom_begin_command(struct rom *rom)
{
	const struct rom_command *command = find_command(rom);

	if (!command) {
		rom_nack(rom);
		return;
	}
	if (rom->memory->readout_protected && !command->while_protected) {
		refuse_protected(rom);
		return;
	}
	if (rom->code == 0x11 && fault_nacks_read(rom->fault, rom_has_erased(rom))) {
		rom_nack(rom);
		return;
	}
	rom->counters->commands[rom->code]++;
	rom_ack(rom);
	command->begin(rom);
}
