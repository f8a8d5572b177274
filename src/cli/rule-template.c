/* SPDX-License-Identifier: MIT */
#include "cli/rule-template.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/text.h"
#include "base/util.h"
#include "cli/units.h"
#include "rules/protocol-words.h"

/* "*", its NUL, and the four bytes that the last character may have. */
#define ROOM_AT_END 8

/*
 * Blanks at the ends of a value are not read back. ";" begins a comment behind a blank: a backslash
 * keeps it from standing there.
 */
char *rule_template_glob(const char *text, char to[static RULE_TEMPLATE_VALUE_MAX])
{
	size_t used = 0;

	for (const char *at = text; *at;) {
		/* Invisible or misleading on the terminal, it would be so in the file. */
		size_t n = text_plain_first(at);
		bool is_end_blank = *at == ' ' && (at == text || !at[1]);

		if (used > RULE_TEMPLATE_VALUE_MAX - ROOM_AT_END) {
			to[used++] = '*';
			break;
		}
		if (n == 0 || is_end_blank) {
			to[used++] = '?';
			at++;
			continue;
		}
		if (strchr("*?[]\\;#\"'", *at))
			to[used++] = '\\';
		memcpy(to + used, at, n);
		used += n;
		at += n;
	}
	to[used] = '\0';
	return to;
}

/* `only` is what the key narrows the rule to: a comment then, which is good to be taken in. */
static void write_glob(const char *key, const char *value, const char *only, FILE *to)
{
	char glob[RULE_TEMPLATE_VALUE_MAX];

	if (!value || !value[0])
		return;
	fprintf(to, "%s%s = %s%s%s\n", only ? "# " : "", key, rule_template_glob(value, glob),
		only ? " ; only " : "", only ? only : "");
}

static void write_bridge(const struct rule_template *template, FILE *to)
{
	const struct facts *facts = template->facts;
	bool has_product = facts->product && facts->product[0];
	bool is_path = template->only == RULE_TEMPLATE_PATH || !has_product;
	bool is_serial = template->only == RULE_TEMPLATE_SERIAL;
	const char *place = *template->slot ? template->slot : facts->usb_path;

	fprintf(to, "[board %s]\nusb-id = %04x:%04x\n", template->name, facts->vendor_id,
		facts->product_id);
	write_glob("product", facts->product, NULL, to);
	if (template->has_own_serial || is_serial)
		write_glob("serial", facts->serial, is_serial ? NULL : "this unit", to);
	/* Without a name any bridge of that id would fit. */
	write_glob(*template->slot ? "slot" : "path", place, is_path ? NULL : "this socket", to);
	if (facts->interface > 0)
		fprintf(to, "interface = %d\n", facts->interface);
}

static void write_guess(const struct facts *facts, FILE *to)
{
	char port[64];

	units_port(facts->port, port, sizeof(port));
	fprintf(to,
		"# To be mended: the chip, the image below image-dir, and the wiring. This tries them all,\n"
		"# and erases nothing; as root `plugflash setup -p %s` does the rest as well:\n"
		"#     plugflash probe -p %s --wiring auto\n"
		"chip = 0x410\n"
		"image = firmware-*.hex\n"
		"wiring = direct\n"
		"# For an ESP32 or one of its relatives, in the place of these three:\n"
		"# protocol = esp\n"
		"# chip = esp32\n"
		"# image = firmware-*/flasher_args.json\n"
		"# For a Zigbee stick with a chip of TI; the probe tells the pin as well:\n"
		"# protocol = bsl\n"
		"# chip = cc2652p\n"
		"# backdoor-pin = 15\n"
		"# image = firmware-*.hex\n"
		"# For one with a chip of Silicon Labs, whose application the probe found:\n"
		"# protocol = xmodem\n"
		"# entry = ezsp\n"
		"# image = firmware-*.gbl\n",
		port, port);
}

/* "backdoor DIO15 low", as the probe of a chip of TI describes its firmware's pin. */
static void write_backdoor(const char *details, FILE *to)
{
	static const char mark[] = "backdoor DIO";
	const char *at = strstr(details, mark);
	uint64_t pin;

	if (!at)
		return;
	at += strlen(mark);
	if (parse_digits(&at, 10, &pin) < 0)
		return;
	fprintf(to, "backdoor-pin = %u\n", (unsigned)pin);
	if (strncmp(at, " high", 5) == 0)
		fputs("backdoor-level = high\n", to);
}

static void write_board(const struct rule_template_board *board, FILE *to)
{
	const struct circuit *circuit = board->circuit;
	const struct report *report = board->report;
	char keys[TEXT_MAX], chip[TEXT_MAX];

	if (!circuit_has_lines(circuit)) {
		fprintf(to, "protocol = %s\nentry = %s\n", protocol_word_of_sticks(),
			report->application);
	} else {
		circuit_keys(circuit, "\n", keys, sizeof(keys));
		fprintf(to, "protocol = %s\n%s\nchip = 0x%03x ; %s\n", circuit->protocol, keys,
			report->product_id, text_cell(report->chip, chip, sizeof(chip)));
		write_backdoor(report->details, to);
	}
	fprintf(to, "image = %s\n", board->image);
	if (board->address)
		fprintf(to, "address = %s\n", board->address);
}

int rule_template_write(const struct rule_template *template, FILE *to)
{
	write_bridge(template, to);
	if (template->board)
		write_board(template->board, to);
	else
		write_guess(template->facts, to);
	return ferror(to) ? -EIO : 0;
}
