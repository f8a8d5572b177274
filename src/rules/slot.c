/* SPDX-License-Identifier: MIT */
#include "rules/slot.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"

void slot_done(struct slot *slot)
{
	free(slot->name);
	free(slot->path);
	free(slot->file);
	*slot = (struct slot){0};
}

/*
 * udev makes ID_PATH of letters, digits and a few signs. What is a glob elsewhere is refused, since
 * it would fit no place at all, or be meant to fit several.
 */
static int parse_place(const char *value, void *field, const char **ret_expected)
{
	size_t n = strlen(value);

	*ret_expected = "the PATH of one socket, as `plugflash list` shows it";
	if (n == 0 || n >= TEXT_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (!isgraph((unsigned char)value[i]) || strchr("\"'\\,#", value[i]))
			return -EINVAL;
	*ret_expected =
		"the PATH of the socket, as `plugflash list` shows it, not the port, whose number goes by the order of plugging in";
	if (value[0] == '/' || strncmp(value, "tty", 3) == 0)
		return -EINVAL;
	*ret_expected =
		"the PATH of one socket, no glob: a slot is one place, and a rule may name several slots";
	return strpbrk(value, "*?[]") ? -EINVAL : ini_parse_string(value, field, ret_expected);
}

static const struct ini_key slot_keys[] = {
	{"path", offsetof(struct slot, path), parse_place},
};

int slot_read(const struct ini_section *section, struct slot *ret, struct ini_problems *problems)
{
	struct slot made CLEANUP(slot_done) = {.line = section->line};
	int r = 0;

	made.name = strdup(section->name);
	made.file = strdup(section->file);
	if (!made.name || !made.file)
		return -ENOMEM;
	r = ini_section_apply(section, slot_keys, ARRAY_SIZE(slot_keys), &made, problems);
	if (r == 0 && !ini_section_find(section, "path"))
		r = ini_section_expect(section, "path",
			"the PATH of one socket, as `plugflash list` shows it", problems);
	if (r < 0)
		return r;
	*ret = made;
	made = (struct slot){0};
	return 0;
}
