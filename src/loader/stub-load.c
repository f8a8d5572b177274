/* SPDX-License-Identifier: MIT */
/*
 * stub-load.c - makes the load image of the stub for one chip.
 *
 * The image lies at the start of the RAM that the ROM lets be written. Behind it, and below the
 * image in the RAM that was the ROM's own before Go, are the work area and the ring: the largest
 * ring that fits into what the smallest part with that much flash has. The row of the table knows
 * the largest part alone.
 */
#include "loader/stub-load.h"

#include <string.h>
#include <strings.h>

#include "chip/chips.h"
#include "chip/family-stm32.h"
#include "chip/family.h"
#include "image/digest.h"

#define RAM_START	 0x20000000u
#define IWDG_KR		 0x40003000u
#define VTOR		 0xE000ED08u
#define USART_2		 0x40004400u
#define USART_3		 0x40004800u

#define DUAL_BANK_OPTION 0x00200000u /* DUALBANK of L47 and L49, DUAL_BANK of G0B */
#define XL_BANK_2	 0x08080000u
#define XL_REGISTERS	 0x40u
#define SNB_BANK_2	 12 /* the first sector of bank 2, which is SNB 16 */
#define SNB_JUMP	 4

/* How long the stub waits: for a step (PLLs lock within 0.5 ms), and for a sound frame. */
#define STEP_LIMIT_USEC	   (10 * USEC_PER_MSEC)
#define SILENCE_LIMIT_USEC (10 * USEC_PER_SEC)

/* What differs between the kinds alone. Bits of SR by ST's headers: of K3 neither OPTVERR, which
 * may be left from before, nor PEMPTY (bit 17 of L4), which a 1 would turn. */
static const struct {
	uint8_t unit;
	uint32_t control, errors, clear, erase_all, erase_both;
} kinds[] = {
	[STUB_K1] = {2, 0, 0x14, 0x34, 0x4, 0x4},
	[STUB_K2] = {4, 2u << 8, 0xF2, 0xF3, 0x4, 0x8004},
	[STUB_K3] = {8, 0, 0x43FA, 0xC3FB, 0x4, 0x8004},
};

static const uint32_t cr1_of[] = {[STUB_USART_V1] = 0x200C, [STUB_USART_V2] = 0x000D};

/* ------------------------------------------------------------------ banks */

uint32_t stub_select(const struct stub_banks *banks, const struct chip_page *page)
{
	bool is_second = banks->second && page->number >= banks->page;

	switch (banks->kind) {
	case STUB_K1:
		return page->address;
	case STUB_K2:
		return (page->number + (is_second ? SNB_JUMP : 0)) << 3;
	case STUB_K3:
		break;
	}
	return is_second ? (page->number - banks->page) << 3 | banks->bit : page->number << 3;
}

/* The two halves of the flash, K3. */
static void split(const struct stub_load_question *question, const struct stub_list *list,
	struct stub_banks *ret)
{
	const struct chip *chip = question->chip;

	ret->second = chip->flash.start + question->flash_bytes / 2;
	ret->page = question->flash_bytes / 2 / chip->pages.runs[0].size;
	ret->bit = list->bank_2;
}

static int find_banks(const struct stub_load_question *question, const struct stub_list *list,
	struct stub_banks *ret, struct reason *reason)
{
	const struct chip *chip = question->chip;
	bool is_largest = question->flash_bytes == chip->flash.size;
	bool is_dual = question->option_word & DUAL_BANK_OPTION;
	struct chip_page page;

	*ret = (struct stub_banks){.kind = list->kind};
	switch (list->banks) {
	case STUB_BANKS_ONE:
		break;
	case STUB_BANKS_XL:
		ret->second = XL_BANK_2;
		ret->page = (XL_BANK_2 - chip->flash.start) / chip->pages.runs[0].size;
		break;
	case STUB_BANKS_SNB:
		if (chip_page_numbered(chip, SNB_BANK_2, &page) &&
			page.address - chip->flash.start < question->flash_bytes)
			*ret = (struct stub_banks){
				.kind = list->kind, .second = page.address, .page = SNB_BANK_2};
		break;
	case STUB_BANKS_OPTION:
		if (is_dual)
			split(question, list, ret);
		break;
	case STUB_BANKS_LARGEST:
		if (is_dual || is_largest)
			split(question, list, ret);
		break;
	case STUB_BANKS_PAGE_SIZE_GAP:
		if (!is_largest && chip->pages.runs[0].size == list->two_bank_page)
			return reason_refuse(STUB_LOAD_NONE, reason,
				"its flash has two banks with a gap between them");
		/* fall through */
	case STUB_BANKS_PAGE_SIZE:
		if (chip->pages.runs[0].size == list->two_bank_page)
			split(question, list, ret);
		break;
	}
	return 0;
}

/* ------------------------------------------------------------------ steps */

/* The image as it grows. What does not fit is counted and not written. */
struct writer {
	uint8_t *bytes;
	size_t n, n_max;
};

static void put(struct writer *writer, const void *data, size_t n_data)
{
	if (n_data > 0 && writer->n <= writer->n_max && n_data <= writer->n_max - writer->n)
		memcpy(writer->bytes + writer->n, data, n_data);
	writer->n += n_data;
}

static unsigned put_step(struct writer *writer, struct stub_step step)
{
	put(writer, &step, sizeof(step));
	return 1;
}

static unsigned put_steps(struct writer *writer, const struct stub_step *steps, size_t n_steps)
{
	put(writer, steps, n_steps * sizeof(*steps));
	return (unsigned)n_steps;
}

static uint32_t port_of(const struct stub_list *list, const struct stub_pins *pins)
{
	return list->port_a + 0x400u * (uint32_t)(pins->port - 'A');
}

static unsigned listening_pin(const struct stub_pins *pins)
{
	return pins->listens ? pins->listens : pins->rx;
}

/* F1: four bits of CRL or CRH. */
static unsigned put_crl(struct writer *writer, uint32_t port, unsigned pin, uint32_t value)
{
	unsigned shift = pin % 8 * 4;

	return put_step(writer, (struct stub_step)STUB_CHANGE(port + (pin < 8 ? 0x00 : 0x04),
					0xFu << shift, value << shift));
}

/* Two bits of MODER or PUPDR. */
static unsigned put_two_bits(struct writer *writer, uint32_t address, unsigned pin, uint32_t value)
{
	return put_step(
		writer, (struct stub_step)STUB_CHANGE(address, 3u << pin * 2, value << pin * 2));
}

/* Before any is picked: an input with pull-up, so that a pin that leads nowhere rests. */
static unsigned put_listening(
	struct writer *writer, const struct stub_list *list, const struct stub_pins *pins)
{
	uint32_t port = port_of(list, pins);
	unsigned pin = listening_pin(pins), n = 0;

	switch (list->gpio) {
	case STUB_GPIO_CRL:
		n += put_step(writer, (struct stub_step)STUB_STORE(port + 0x10, 1u << pin));
		n += put_crl(writer, port, pin, 0x8);
		break;
	case STUB_GPIO_MODER:
		n += put_two_bits(writer, port + 0x0C, pin, 1);
		n += put_two_bits(writer, port + 0x00, pin, 0);
		break;
	}
	return n;
}

/* AFRL, AFRH; pull-up; then the alternate function itself. */
static unsigned put_function(struct writer *writer, uint32_t port, unsigned pin, uint32_t function)
{
	unsigned shift = pin % 8 * 4, n = 0;

	n += put_step(writer, (struct stub_step)STUB_CHANGE(port + (pin < 8 ? 0x20 : 0x24),
				      0xFu << shift, function << shift));
	n += put_two_bits(writer, port + 0x0C, pin, 1);
	n += put_two_bits(writer, port + 0x00, pin, 2);
	return n;
}

/* Once it is picked. F1: RX stays as it is; TX is the push-pull output of the USART, 10 MHz. */
static unsigned put_picked(
	struct writer *writer, const struct stub_list *list, const struct stub_pins *pins)
{
	uint32_t port = port_of(list, pins);
	unsigned n = put_steps(writer, pins->steps, pins->n_steps);

	switch (list->gpio) {
	case STUB_GPIO_CRL:
		n += put_crl(writer, port, pins->tx, 0x9);
		break;
	case STUB_GPIO_MODER:
		n += put_function(writer, port, pins->rx, pins->function);
		n += put_function(writer, port, pins->tx, pins->function);
		break;
	}
	return n;
}

static uint32_t usart_of(const struct stub_list *list, const struct stub_pins *pins)
{
	return pins->usart == 1 ? list->usart_1 : pins->usart == 2 ? USART_2 : USART_3;
}

/* Candidates and all steps, behind the setup; their numbers go into it. */
static void put_all_steps(
	struct writer *writer, const struct stub_list *list, struct stub_setup *setup)
{
	size_t at = writer->n;
	struct stub_candidate candidates[STUB_CANDIDATES_MAX] = {0};
	unsigned n;

	put(writer, candidates, list->n_pins * sizeof(*candidates));
	n = put_steps(writer, list->steps, list->n_steps);
	for (size_t i = 0; i < list->n_pins; i++)
		n += put_listening(writer, list, &list->pins[i]);
	setup->steps = (uint8_t)n;
	setup->candidates = (uint8_t)list->n_pins;
	for (size_t i = 0; i < list->n_pins; i++) {
		const struct stub_pins *pins = &list->pins[i];
		bool is_crl = list->gpio == STUB_GPIO_CRL;

		candidates[i] = (struct stub_candidate){
			.idr = port_of(list, pins) + (is_crl ? 0x08 : 0x10),
			.mask = 1u << listening_pin(pins),
			.usart = usart_of(list, pins),
			.clock_shift = pins->clock_shift,
			.steps = (uint8_t)put_picked(writer, list, pins),
		};
	}
	put(&(struct writer){writer->bytes, at, writer->n_max}, candidates,
		list->n_pins * sizeof(*candidates));
}

/* ------------------------------------------------------------------ memory */

static uint32_t round_up(uint32_t value, uint32_t to)
{
	return (value + to - 1) / to * to;
}

/* Free RAM: taken from its start on. */
struct space {
	uint32_t start, end;
};

static bool take(struct space *space, uint32_t size, uint32_t align, uint32_t *ret)
{
	uint32_t start = round_up(space->start, align);

	if (start > space->end || size > space->end - start)
		return false;
	*ret = start;
	space->start = start + size;
	return true;
}

/* Both behind the image or below it, each in whatever place it fits. */
static bool place(const struct space spaces[static 2], uint32_t ring_size, struct stub_setup *setup)
{
	for (unsigned way = 0; way < 4; way++) {
		struct space free[2] = {spaces[0], spaces[1]};

		if (take(&free[way & 1], ring_size, 4, &setup->ring) &&
			take(&free[way >> 1], STUB_WORK_SIZE, STUB_WORK_ALIGN, &setup->work)) {
			setup->ring_size = ring_size;
			return true;
		}
	}
	return false;
}

/* The end of the RAM that every part with that much flash has, and that the ROM lets be written. */
static uint32_t end_of_ram(const struct stub_load_question *question)
{
	const struct stm32_row *row = stm32_row(question->chip);
	uint32_t end = row->ram.start + row->ram.size;
	uint32_t kib = stub_smallest_ram(question->chip->product_id, question->flash_bytes / 1024);

	return kib < (end - RAM_START) / 1024 ? RAM_START + kib * 1024 : end;
}

static bool find_places(const struct stub_load_question *question, const struct stub_load *load,
	struct stub_setup *setup)
{
	const struct stm32_row *row = stm32_row(question->chip);
	uint32_t end = end_of_ram(question);
	const struct space spaces[2] = {
		{load->address + (uint32_t)load->n_bytes, end}, {RAM_START, row->ram.start}};

	if (load->address + load->n_bytes > end)
		return false;
	for (uint32_t size = STUB_RING_MAX; size >= STUB_RING_MIN; size /= 2)
		if (place(spaces, size, setup))
			return true;
	return false;
}

/* ------------------------------------------------------------------ the setup */

/* Unique id, flash size and option bytes lie near each other, with holes between them. */
static void find_window(const struct chip *chip, struct stub_setup *setup)
{
	const struct stm32_row *row = stm32_row(chip);
	const struct chip_range parts[] = {{row->unique_id, row->unique_id ? 12 : 0},
		{row->flash_size_register, row->flash_size_register ? 4 : 0}, row->option_bytes};
	uint32_t start = UINT32_MAX, end = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (parts[i].size == 0)
			continue;
		if ((parts[i].start & ~3u) < start)
			start = parts[i].start & ~3u;
		if (parts[i].start + parts[i].size > end)
			end = parts[i].start + parts[i].size;
	}
	setup->window = end ? start : 0;
	setup->window_size = end ? end - start : 0;
}

static uint32_t ticks(uint32_t clock_hz, uint64_t usec)
{
	uint64_t n = usec > UINT64_MAX / clock_hz ? UINT64_MAX : usec * clock_hz / USEC_PER_SEC;

	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

/* The limit of 256 bytes shared out among their units, and twice of it. */
static uint64_t unit_max_usec(const struct chip *chip, uint8_t unit)
{
	return chip->program_max_usec / (256 / unit) * 2;
}

static void describe_flash(const struct stub_load_question *question, const struct stub_load *load,
	struct stub_setup *setup)
{
	const struct chip *chip = question->chip;
	const struct stub_list *list = load->list;
	const struct stub_banks *banks = &load->banks;
	bool is_xl = list->banks == STUB_BANKS_XL;

	setup->kind = (uint8_t)list->kind;
	setup->unit = kinds[list->kind].unit;
	setup->registers = list->registers;
	setup->bank2_registers = list->registers + (is_xl ? XL_REGISTERS : 0);
	setup->flash = chip->flash.start;
	setup->flash_size = question->flash_bytes;
	setup->bank2 = banks->second;
	setup->bank2_select = banks->bit;
	setup->control = kinds[list->kind].control;
	setup->erase_all =
		banks->second ? kinds[list->kind].erase_both : kinds[list->kind].erase_all;
	setup->busy = list->busy;
	setup->errors = kinds[list->kind].errors;
	setup->clear = kinds[list->kind].clear;
	setup->program_limit = ticks(list->clock_hz, unit_max_usec(chip, setup->unit));
	setup->erase_limit = ticks(list->clock_hz, chip->page_erase_max_usec);
	setup->erase_all_limit = ticks(list->clock_hz, chip->mass_erase_max_usec);
}

static void describe_chip(const struct stub_load_question *question, const struct stub_list *list,
	struct stub_setup *setup)
{
	setup->magic = STUB_MAGIC;
	setup->protocol = STUB_PROTOCOL;
	setup->usart = (uint8_t)list->usart;
	setup->cr1 = cr1_of[list->usart];
	setup->period = 2 * list->clock_hz / question->train_baud;
	setup->step_limit = ticks(list->clock_hz, STEP_LIMIT_USEC);
	setup->fall_back = ticks(list->clock_hz, STUB_FALL_BACK_MS * USEC_PER_MSEC);
	setup->silence_limit = ticks(list->clock_hz, SILENCE_LIMIT_USEC);
	setup->iwdg = IWDG_KR;
	setup->dev_id = list->dev_id;
	setup->flash_kib = stm32_row(question->chip)->flash_size_register;
	setup->vtor = list->has_vtor ? VTOR : 0;
	find_window(question->chip, setup);
}

/* ------------------------------------------------------------------ all of it */

/* Whether the rule's names for this chip all begin so, with or without the prefix of its family. */
static bool is_called(const struct chip *chip, char *const *names, const char *beginning)
{
	const char *prefix = chip->family->rows->prefix;
	bool is_called = false;

	for (; names && *names; names++) {
		const char *name = *names;

		if (!chip_is_named(chip, name))
			continue;
		if (strncasecmp(name, prefix, strlen(prefix)) == 0)
			name += strlen(prefix);
		if (strncasecmp(name, beginning, strlen(beginning)) != 0)
			return false;
		is_called = true;
	}
	return is_called;
}

static const struct stub_list *find_list(const struct stub_load_question *question)
{
	const struct stub_list *list = stub_list_find(stm32_row(question->chip)->stub);

	return list && list->faster && is_called(question->chip, question->names, list->faster_for)
		       ? stub_list_find(list->faster)
		       : list;
}

uint32_t stub_load_option_word(const struct chip *chip)
{
	const struct stm32_row *row = stm32_row(chip);
	const struct stub_list *list = stub_list_find(row->stub);

	return list && list->window_watchdog && row->option_bytes.size >= 4
		       ? row->option_bytes.start
		       : 0;
}

static int check(const struct stub_load_question *question, const struct stub_list *list,
	struct reason *reason)
{
	const struct stm32_row *row = stm32_row(question->chip);

	if (!list)
		return reason_refuse(STUB_LOAD_NONE, reason,
			"there is no setup list '%s'; known words are those of chips.ini",
			row->stub);
	if (row->ram.size == 0 || row->flags & STM32_NO_RAM_ACCESS)
		return reason_refuse(
			STUB_LOAD_NONE, reason, "its boot loader does not let the RAM be written");
	if (question->chip->pages.n_runs == 0)
		return reason_refuse(
			STUB_LOAD_NONE, reason, "the pages of its flash are not known");
	if (!list->window_watchdog)
		return 0;
	if (stub_load_option_word(question->chip) == 0)
		return reason_refuse(STUB_LOAD_NONE, reason,
			"its option bytes are not known, so a watchdog may run that is not served");
	if (!(question->option_word & list->window_watchdog))
		return reason_refuse(STUB_LOAD_NONE, reason,
			"its window watchdog runs from the reset on (WWDG_SW is 0)");
	return 0;
}

int stub_load_make(
	const struct stub_load_question *question, struct stub_load *ret, struct reason *reason)
{
	const struct stm32_row *row = stm32_row(question->chip);
	const struct stub_list *list = find_list(question);
	struct stub_load load = {.list = list};
	struct writer writer = {.bytes = load.bytes, .n_max = sizeof(load.bytes)};
	struct stub_setup setup = {0};
	uint32_t header[2] = {0};
	size_t at;
	int r = check(question, list, reason);

	if (r == 0)
		r = find_banks(question, list, &load.banks, reason);
	if (r != 0)
		return r;
	load.address = round_up(row->ram.start, 16);
	put(&writer, header, sizeof(header));
	put(&writer, question->program, question->n_program);
	at = writer.n;
	put(&writer, &setup, sizeof(setup));
	put_all_steps(&writer, list, &setup);
	load.n_bytes = writer.n;
	if (load.n_bytes > sizeof(load.bytes) || !find_places(question, &load, &setup))
		return reason_refuse(STUB_LOAD_NONE, reason,
			"its RAM, %u bytes from 0x%08X on, is too small", row->ram.size,
			row->ram.start);
	describe_flash(question, &load, &setup);
	describe_chip(question, list, &setup);
	setup.size = (uint16_t)(load.n_bytes - at);
	header[0] = setup.work + STUB_WORK_SIZE;
	header[1] = (load.address + (uint32_t)sizeof(header)) | 1;
	memcpy(load.bytes, header, sizeof(header));
	memcpy(load.bytes + at, &setup, sizeof(setup));
	load.self_crc = digest_crc32(load.bytes + sizeof(header), load.n_bytes - sizeof(header));
	load.ring_size = setup.ring_size;
	load.kind = list->kind;
	load.clock_hz = list->clock_hz;
	load.max_baud = list->max_baud;
	load.unit_max_nsec = unit_max_usec(question->chip, setup.unit) * 1000;
	load.may_have_no_dev_id = list->may_have_no_dev_id;
	*ret = load;
	return 0;
}
