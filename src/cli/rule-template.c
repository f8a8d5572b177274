/* SPDX-License-Identifier: MIT */
#include "cli/rule-template.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "cli/units.h"

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

int rule_template_write(const struct facts *facts, const char *slot, const char *name,
	bool has_own_serial, FILE *to)
{
	bool has_product = facts->product && facts->product[0];
	char port[64];

	fprintf(to, "[board %s]\nusb-id = %04x:%04x\n", name, facts->vendor_id, facts->product_id);
	write_glob("product", facts->product, NULL, to);
	if (has_own_serial)
		write_glob("serial", facts->serial, "this unit", to);
	/* Without a name any bridge of that id would fit. */
	write_glob(*slot ? "slot" : "path", *slot ? slot : facts->usb_path,
		has_product ? "this socket" : NULL, to);
	if (facts->interface > 0)
		fprintf(to, "interface = %d\n", facts->interface);
	units_port(facts->port, port, sizeof(port));
	fprintf(to,
		"# To be mended: the chip, the image below image-dir, and the wiring. The first of these\n"
		"# that a boot loader answers tells chip and wiring:\n"
		"#     plugflash probe -p %s --wiring direct\n"
		"#     plugflash probe -p %s --wiring one-key\n"
		"#     plugflash probe -p %s --wiring esp\n"
		"#     plugflash probe -p %s --protocol esp\n"
		"#     plugflash probe -p %s --protocol bsl\n"
		"# What the application of a stick for Zigbee, Thread or Z-Wave speaks:\n"
		"#     plugflash probe -p %s --application ezsp,cpc,spinel,zwave,mt\n"
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
		port, port, port, port, port, port);
	return ferror(to) ? -EIO : 0;
}
