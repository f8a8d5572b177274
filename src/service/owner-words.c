/* SPDX-License-Identifier: MIT */
#include "service/owner-words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "service/systemd1.h"

#define RULES "/usr/share/plugflash/examples/port-owner.rules"

/* Nobody's name, and no place in the USB tree. */
#define NOTHING "-"

void owner_row_done(struct owner_row *row)
{
	free(row->id);
	free(row->name);
	free(row->usb_path);
	*row = (struct owner_row){0};
}

/* A place with a blank or a comma in it would be two words. */
static bool is_word(const char *text)
{
	return text && *text && !text[strcspn(text, " \t\r\n\v\f,")];
}

void owner_row_write(const struct owner_row *row, char to[static OWNER_ROW_MAX])
{
	snprintf(to, OWNER_ROW_MAX, "%s %s %" PRId64 " %s %s", row->id, row->name, row->stopped_ms,
		row->is_owed ? "owed" : "down", is_word(row->usb_path) ? row->usb_path : NOTHING);
}

static int64_t read_time(const char *text)
{
	uint64_t number;
	const char *at = text;

	return parse_digits(&at, 10, &number) == 0 && !*at && number < INT64_MAX ? (int64_t)number
										 : 0;
}

int owner_row_read(const char *text, struct owner_row *ret)
{
	struct owner_row row CLEANUP(owner_row_done) = {0};
	char **words CLEANUP(parse_list_freep) = NULL;
	bool has_path;
	size_t n;

	if (parse_list(text, &words, &n) < 0)
		return -ENOMEM;
	if (n != 5)
		return -EINVAL;
	has_path = strcmp(words[4], NOTHING) != 0;
	row.id = strdup(words[0]);
	row.name = strdup(words[1]);
	row.usb_path = has_path ? strdup(words[4]) : NULL;
	if (!row.id || !row.name || (has_path && !row.usb_path))
		return -ENOMEM;
	row.stopped_ms = read_time(words[2]);
	row.is_owed = strcmp(words[3], "owed") == 0;
	*ret = row;
	row = (struct owner_row){0};
	return 0;
}

void owner_words_refusal(int fault, const char *unit, const struct reason *said, struct reason *ret)
{
	switch ((enum systemd1_fault)fault) {
	case SYSTEMD1_AWAY:
		reason_set(ret,
			"%s, which owns the port by the rule's port-owner, cannot be stopped: systemd is not reached on the system bus (%s); stop it by hand and take port-owner out of the rule",
			unit, said->text);
		return;
	case SYSTEMD1_REFUSED:
		reason_set(ret,
			"%s owns the port, and polkit does not let plugflashd stop it (%s): name it in a copy of " RULES
			" in /etc/polkit-1/rules.d; plugflashd(8), \"Port owners\", says how",
			unit, said->text);
		return;
	case SYSTEMD1_CONFLICT:
		reason_set(ret,
			"%s owns the port, and systemd does not stop it now: %s; is the host going down?",
			unit, said->text);
		return;
	case SYSTEMD1_SLOW:
		reason_set(ret,
			"%s owns the port and was told to stop, but %s; see 'systemctl status %s', and its TimeoutStopSec",
			unit, said->text, unit);
		return;
	case SYSTEMD1_MASKED:
	case SYSTEMD1_IMPOSSIBLE:
		reason_set(ret,
			"%s owns the port and is not stopped, for it could not be started again: %s; see 'systemctl status %s', or take it out of the rule's port-owner",
			unit, said->text, unit);
		return;
	}
}

const char *owner_words_remedy(int fault)
{
	switch ((enum systemd1_fault)fault) {
	case SYSTEMD1_AWAY:
		return "it is tried again; 'systemctl start' does it at once";
	case SYSTEMD1_REFUSED:
		return "it is tried again; polkit has to allow the verb start as well, see " RULES;
	case SYSTEMD1_CONFLICT:
		return "it is tried again, and where the host goes down, when it is up";
	case SYSTEMD1_IMPOSSIBLE:
		return "it is tried again for some twenty minutes, and then stays down until somebody mends and starts it";
	case SYSTEMD1_SLOW:
	case SYSTEMD1_MASKED:
		break;
	}
	return "it stays down until somebody starts it";
}
