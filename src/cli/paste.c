/* SPDX-License-Identifier: MIT */
#include "cli/paste.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

/* "*", its NUL, and the four bytes that the last character may have. */
#define ROOM_AT_END 8

/*
 * Blanks at the ends of a value are not read back. ";" begins a comment behind a blank: a backslash
 * keeps it from standing there.
 */
char *paste_glob(const char *text, char to[static PASTE_VALUE_MAX])
{
	size_t used = 0;

	for (const char *at = text; *at;) {
		/* Invisible or misleading on the terminal, it would be so in the file. */
		size_t n = text_plain_first(at);
		bool is_end_blank = *at == ' ' && (at == text || !at[1]);

		if (used > PASTE_VALUE_MAX - ROOM_AT_END) {
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

static void write_glob(const char *key, const char *value, bool is_comment, FILE *to)
{
	char glob[PASTE_VALUE_MAX];

	if (value && value[0])
		fprintf(to, "%s%s = %s\n", is_comment ? "# " : "", key, paste_glob(value, glob));
}

int paste_write(const struct facts *facts, const char *name, bool has_own_serial, FILE *to)
{
	fprintf(to, "[board %s]\nusb-id = %04x:%04x\n", name, facts->vendor_id, facts->product_id);
	write_glob("product", facts->product, false, to);
	write_glob("serial", facts->serial, !has_own_serial, to);
	write_glob("path", facts->path, has_own_serial && facts->path, to);
	if (facts->interface > 0)
		fprintf(to, "interface = %d\n", facts->interface);
	fputs("# The chip's name or product id (plugflash probe tells it), and the image below\n"
	      "# image-dir that the board is to have. Mend both, and the wiring where it differs.\n"
	      "chip = 0x410\n"
	      "image = firmware-*.hex\n"
	      "wiring = direct\n",
		to);
	return ferror(to) ? -EIO : 0;
}
