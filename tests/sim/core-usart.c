/* SPDX-License-Identifier: MIT */
/*
 * core-usart.c - a USART of either layout (RM0008 27, RM0090 30; RM0091 27, RM0444 33).
 *
 * One shift register and one data register each way. A byte that ends while the data register is
 * full is lost and sets ORE, and with ORE set nothing comes any more until the program clears it.
 * A byte is heard as it was sent only where rate and format are the host's.
 */
#include "base/util.h"
#include "sim/core-private.h"

#define RXNE  (1u << 5)
#define TC    (1u << 6)
#define TXE   (1u << 7)
#define ORE   (1u << 3)
#define FE    (1u << 1)
#define OVER8 (1u << 15)
#define PCE   (1u << 10)
#define M0    (1u << 12)
#define TE    (1u << 3)
#define RE    (1u << 2)

struct layout {
	uint32_t cr1, cr2, cr3, brr, status, receive, send, clear;
	uint32_t enable;
};

static const struct layout v1 = {0x0C, 0x10, 0x14, 0x08, 0x00, 0x04, 0x04, 0xFF, 1u << 13};
static const struct layout v2 = {0x00, 0x04, 0x08, 0x0C, 0x1C, 0x24, 0x28, 0x20, 1u << 0};

static const struct layout *layout_of(const struct core *core)
{
	return core->family->has_usart_v2 ? &v2 : &v1;
}

static bool is_on(const struct core *core, const struct core_usart *usart)
{
	return usart->cr1 & layout_of(core)->enable && core_has_clock(core, usart->facts->base);
}

void core_usart_reset(struct core_usart *usart)
{
	*usart = (struct core_usart){.facts = usart->facts};
}

/* The kernel's clock is as much off as the oscillator. */
uint32_t core_usart_baud(const struct core *core, const struct core_usart *usart)
{
	uint64_t hz = core_rcc_usart_hz(core, usart->facts) / 10000 *
		      (uint64_t)(10000 + core->knobs->clock_permyriad);
	uint64_t divider = usart->brr;

	if (usart->cr1 & OVER8 && core->family->has_usart_v2) {
		divider = (divider & ~UINT64_C(15)) | (divider & 7) << 1;
		hz *= 2;
	} else if (usart->cr1 & OVER8) {
		divider = (divider >> 4) * 8 + (divider & 7);
	}
	return divider ? (uint32_t)(hz / divider) : 0;
}

static bool is_even(const struct core_usart *usart)
{
	return usart->cr1 & PCE && !(usart->cr1 & 1u << 9);
}

static uint64_t byte_fs(const struct core *core, const struct core_usart *usart)
{
	uint64_t baud = core_usart_baud(core, usart);
	uint64_t bits = usart->cr1 & M0 ? 11 : 10;

	return baud ? bits * (UINT64_C(1000000000000000) / baud) : 0;
}

static uint32_t status(struct core *core, struct core_usart *usart)
{
	uint32_t value = 0;

	value |= usart->has_data ? RXNE : 0;
	value |= usart->overrun ? ORE : 0;
	value |= usart->bad_format ? FE : 0;
	value |= core->clock >= usart->free_at ? TXE : 0;
	value |= core->clock >= usart->sent_at ? TC : 0;
	if (core->family->has_usart_v2 && is_on(core, usart))
		value |= (usart->cr1 & TE ? 1u << 21 : 0) | (usart->cr1 & RE ? 1u << 22 : 0);
	return value;
}

static uint32_t take(struct core *core, struct core_usart *usart)
{
	usart->has_data = false;
	if (!core->family->has_usart_v2 && usart->saw_status)
		usart->overrun = usart->bad_format = false;
	usart->saw_status = false;
	return usart->data;
}

uint32_t core_usart_read(struct core *core, struct core_usart *usart, uint32_t offset)
{
	const struct layout *layout = layout_of(core);

	if (offset == layout->status) {
		core_note_poll(core);
		usart->saw_status = true;
		return status(core, usart);
	}
	if (offset == layout->receive) {
		core->round.acts |= usart->has_data;
		return take(core, usart);
	}
	if (offset == layout->cr1)
		return usart->cr1;
	if (offset == layout->cr2)
		return usart->cr2;
	if (offset == layout->cr3)
		return usart->cr3;
	if (offset == layout->brr)
		return usart->brr;
	core_violation(core, "the USART's register 0x%X is read", offset);
	return 0;
}

/* --- Sending --- */

static void send(struct core *core, struct core_usart *usart, uint8_t byte)
{
	uint64_t begin = usart->sent_at > core->clock ? usart->sent_at : core->clock;

	if (!is_on(core, usart) || !(usart->cr1 & TE) || !usart->brr) {
		core_violation(core, "a byte is given to a USART that does not send");
		return;
	}
	if (core->clock < usart->free_at) {
		core_violation(core, "a byte is given to the USART while TXE is 0");
		return;
	}
	if (!core_gpio_sends(core, usart->facts)) {
		core_violation(
			core, "USART%u sends, and its pin is not its own", usart->facts->number);
		return;
	}
	usart->free_at = begin;
	usart->sent_at = begin + byte_fs(core, usart);
	if (usart->facts != core->line)
		return; /* nobody is there */
	if (!core->state.first_sent_msec)
		core->state.first_sent_msec =
			(unsigned)(usart->sent_at / CORE_FS_PER_NSEC / 1000000) + 1;
	outgoing_put(core->place.outgoing,
		&(struct outgoing_byte){
			.at = core->origin + usart->sent_at / CORE_FS_PER_NSEC,
			.baud = core_usart_baud(core, usart),
			.even_parity = is_even(usart),
			.byte = byte,
		});
}

/* --- Control --- */

static void set_control(struct core *core, struct core_usart *usart, uint32_t value)
{
	uint32_t enable = layout_of(core)->enable;
	uint32_t before = usart->cr1;
	bool listened = before & enable && before & RE;
	bool listens = value & enable && value & RE;

	if (core->clock < usart->sent_at && before & enable && !(value & enable))
		core_violation(core, "the USART is switched off while a byte goes out");
	usart->cr1 = value;
	if (listens && !listened) {
		usart->listens_from = core->clock;
		core->has_line = true;
		core->polled_at = core->clock;
		core->polled_instructions = core->instructions;
	} else if (!listens && listened) {
		core->has_line = false;
		/* The younger one forgets its flags with UE (RM0444, UE). */
		if (core->family->has_usart_v2)
			usart->has_data = usart->overrun = usart->bad_format = false;
	}
	/* An idle frame goes out first. */
	if (value & enable && value & TE && !(before & enable && before & TE))
		usart->free_at = usart->sent_at = core->clock + byte_fs(core, usart);
	core->state.baud = core_usart_baud(core, usart);
}

static void set_rate(struct core *core, struct core_usart *usart, uint32_t value)
{
	if (core->clock < usart->sent_at)
		core_violation(core, "the rate is changed while a byte goes out");
	usart->brr = value & 0xFFFF;
	if (usart->brr < 16)
		core_violation(core, "BRR gets %u", usart->brr);
	core->state.baud = core_usart_baud(core, usart);
}

void core_usart_write(struct core *core, struct core_usart *usart, uint32_t offset, uint32_t value)
{
	const struct layout *layout = layout_of(core);

	if (offset == layout->send) {
		send(core, usart, (uint8_t)value);
	} else if (offset == layout->cr1) {
		set_control(core, usart, value);
	} else if (offset == layout->brr) {
		set_rate(core, usart, value);
	} else if (offset == layout->cr2) {
		usart->cr2 = value;
	} else if (offset == layout->cr3) {
		usart->cr3 = value;
	} else if (offset == layout->clear) {
		if (value & ORE)
			usart->overrun = false;
		if (value & FE)
			usart->bad_format = false;
	} else if (offset == layout->status && !core->family->has_usart_v2) {
		/* Flags that a 0 clears: TC, RXNE. */
		usart->has_data &= (value & RXNE) != 0;
	} else if (!(core->family->has_usart_v2 &&
			   (offset == 0x18 || offset == 0x2C || offset == 0x14))) {
		core_violation(core, "the USART's register 0x%X is written", offset);
	}
}

/* --- Receiving --- */

void core_usart_receive(struct core *core, struct core_usart *usart, const struct rom_byte *byte)
{
	uint64_t begin =
		byte->begin > core->origin ? (byte->begin - core->origin) * CORE_FS_PER_NSEC : 0;
	bool is_heard = is_on(core, usart) && usart->cr1 & RE;
	bool fits = sim_rates_fit(byte->baud, core_usart_baud(core, usart)) &&
		    byte->even_parity == is_even(usart);

	if (!is_heard || begin < usart->listens_from)
		return;
	if (!core_gpio_hears(core, usart->facts)) {
		core_violation(
			core, "USART%u listens, and its pin is not its own", usart->facts->number);
		return;
	}
	if (usart->has_data || usart->overrun) {
		usart->overrun = true;
		core->state.overruns += core->has_line;
		return;
	}
	usart->data = fits ? byte->byte : fault_garble(core->place.fault, byte->byte);
	usart->bad_format |= !fits;
	usart->has_data = true;
}

uint64_t core_usart_next(const struct core *core)
{
	uint64_t next = CORE_NEVER;

	for (size_t i = 0; i < ARRAY_SIZE(core->usarts) && core->usarts[i].facts; i++) {
		const struct core_usart *usart = &core->usarts[i];

		if (usart->free_at > core->clock && usart->free_at < next)
			next = usart->free_at;
		if (usart->sent_at > core->clock && usart->sent_at < next)
			next = usart->sent_at;
	}
	return next;
}
