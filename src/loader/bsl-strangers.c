/* SPDX-License-Identifier: MIT */
/*
 * bsl-strangers.c - who is there where TI's boot loader does not answer.
 *
 * A ROM of TI says nothing by itself, so that a chip that is dead, one of another maker, and one
 * whose application runs look the same. A Sonoff ZBDongle-E has the bridge and the lines of a
 * ZBDongle-P, and an EFR32 of Silicon Labs behind them: it says so behind each reset, by the menu
 * of its boot loader or by the frame of its application (ti-bsl.md 3.4, 15.1). A choice of that
 * menu starts an upload, so that nothing is sent to it before it was given time to speak, and never
 * a `1`. Z-Stack is asked for its version: where it answers, the chip is well, and the lines or the
 * pin of the firmware are not those of the rule.
 */
#include "loader/bsl-strangers.h"

#include <errno.h>
#include <string.h>

#include "application/application-protocol.h"
#include "base/util.h"
#include "chip/family-cc13xx.h"
#include "loader/heard.h"

/* An EFR32 starts its application within half a second, Z-Stack within three (ti-bsl.md 8). */
#define SPEAKS_USEC  (800 * USEC_PER_MSEC)
#define STARTS_USEC  (3 * USEC_PER_SEC)
#define ANSWERS_USEC (500 * USEC_PER_MSEC)

#define MENU_USEC    (300 * USEC_PER_MSEC)

#define HEARD_BYTES  512

static const char speaks_ezsp[] =
	"no boot loader of TI: the stick speaks EZSP, so that it has an EFR32 of Silicon Labs, as a SkyConnect, or a Sonoff ZBDongle-E, which looks like a ZBDongle-P: give it a rule with `protocol = xmodem` and `entry = ezsp`";

/* CRC-CCITT, most significant bit first, as ASH has it. */
static uint16_t crc_ccitt(const uint8_t *bytes, size_t n)
{
	uint16_t crc = 0xFFFF;

	for (size_t i = 0; i < n; i++) {
		crc ^= (uint16_t)(bytes[i] << 8);
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
	}
	return crc;
}

/* RSTACK: C1, the version of ASH, the reason of the reset, a CRC, and the flag 7E. */
static bool is_rstack(const uint8_t *at)
{
	return at[0] == 0xC1 && at[1] == 0x02 && at[5] == 0x7E &&
	       crc_ccitt(at, 3) == (at[3] << 8 | at[4]);
}

const char *bsl_name_stranger(const uint8_t *bytes, size_t n_bytes)
{
	static const char menu[] = "Gecko Bootloader";
	struct heard heard = {
		.n_bytes = n_bytes < sizeof(heard.bytes) ? n_bytes : sizeof(heard.bytes)};

	if (memmem(bytes, n_bytes, menu, strlen(menu)))
		return "no boot loader of TI: that of an EFR32 of Silicon Labs answers, as in a Sonoff ZBDongle-E, which looks like a ZBDongle-P: give it a rule with `protocol = xmodem` and `menu = gecko`";
	for (size_t i = 0; i + 6 <= n_bytes; i++)
		if (is_rstack(bytes + i))
			return speaks_ezsp;
	memcpy(heard.bytes, bytes, heard.n_bytes);
	return heard_foreign(&heard);
}

/* LOADER_FOREIGN with the sentence, or 0 where nobody has said what he is. */
static int listen(struct loader *loader, uint64_t usec, struct reason *ret, size_t *ret_n)
{
	uint64_t deadline = port_now(loader->port) + usec;
	uint8_t bytes[HEARD_BYTES];
	const char *name = NULL;
	size_t n = 0;
	int r = 0;

	while (!name && n < sizeof(bytes)) {
		size_t n_part = 0;

		r = port_read_some(loader->port, bytes + n, sizeof(bytes) - n, deadline, &n_part);
		if (r < 0)
			break;
		n += n_part;
		name = bsl_name_stranger(bytes, n);
	}
	if (r < 0 && r != -ETIMEDOUT)
		return r;
	*ret_n = n;
	if (!name)
		return 0;
	reason_set(ret, "%s", name);
	return LOADER_FOREIGN;
}

/* Asks until it has answered or has had its time to start. 0 where it answers. */
static int ask(struct loader *loader, enum application_protocol protocol, uint64_t usec,
	char version[static APPLICATION_VERSION_BYTES])
{
	const struct application_protocol_ops *ops = application_protocol_of(protocol);
	uint64_t end = port_now(loader->port) + usec;
	int r = APPLICATION_SILENT;

	while (ops && r == APPLICATION_SILENT && port_now(loader->port) < end) {
		struct application_link link = {.expect = loader->expect,
			.deadline = port_now(loader->port) + ANSWERS_USEC};

		r = expect_forget(loader->expect);
		if (r == 0)
			r = ops->ask(&link, version);
	}
	return r;
}

/* That its application answers says that chip, power and both wires of the line are well. */
static void advise_alive(const struct loader *loader, const char *version, struct reason *ret)
{
	const struct board *board = loader->board;
	const char *way = board->entry == BOARD_ENTRY_LINES
				  ? "the lines do not lead into the boot loader: check `wiring`"
				  : "it is not in its boot loader";
	/* A probe without a rule names none. */
	char pin[20] = "that of the lines";

	if (board->has_backdoor_pin)
		snprintf(pin, sizeof(pin), "DIO%u", board->backdoor_pin);
	reason_set(ret,
		", but its application answers (Z-Stack%s%s): %s; or the firmware in it has another backdoor pin than %s, which leads there when it is held %s while the stick is plugged in, or none, and only a debugger helps",
		*version ? " " : "", version, way, pin, board->is_backdoor_high ? "high" : "low");
}

/*
 * The same lines lead an EFR32 into its boot loader, whose menu was shown while the port spoke
 * another rate. It is shown again upon a key that is no choice (ti-bsl.md 15.3).
 */
static int look_inside(struct loader *loader, struct reason *ret)
{
	static const uint8_t no_choice[] = {'\n'};
	size_t n_heard;
	int r = expect_forget(loader->expect);

	if (r == 0)
		r = expect_say(loader->expect, no_choice, sizeof(no_choice));
	return r == 0 ? listen(loader, MENU_USEC, ret, &n_heard) : r;
}

static int look_last(struct loader *loader, struct reason *ret)
{
	char version[APPLICATION_VERSION_BYTES] = "";
	size_t n_heard = 0;
	int r = listen(loader, SPEAKS_USEC, ret, &n_heard);

	if (r != 0)
		return r;
	r = ask(loader, APPLICATION_MT, STARTS_USEC, version);
	if (r < 0)
		return r;
	if (r != APPLICATION_SILENT) {
		advise_alive(loader, version, ret);
		return 0;
	}
	r = ask(loader, APPLICATION_EZSP, ANSWERS_USEC, version);
	if (r < 0)
		return r;
	if (r != APPLICATION_SILENT) {
		reason_set(ret, "%s", speaks_ezsp);
		return LOADER_FOREIGN;
	}
	reason_set(ret, "%s",
		n_heard > 0
			? ", and bytes came at 115200 baud that are not of Z-Stack: is it another application, or another chip? else check `wiring`"
			: ", and no application answers either: check power, `wiring`, and that no other program has the port open; a firmware for another backdoor pin is reached with that pin held low while the stick is plugged in");
	return 0;
}

int bsl_look(struct loader *loader, enum loader_look look, struct reason *ret)
{
	size_t n_heard;

	switch (look) {
	case LOADER_LOOK_INSIDE:
		return look_inside(loader, ret);
	case LOADER_LOOK_STARTED:
		return listen(loader, SPEAKS_USEC, ret, &n_heard);
	case LOADER_LOOK_LAST:
		break;
	}
	return look_last(loader, ret);
}
