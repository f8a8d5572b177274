/* SPDX-License-Identifier: MIT */
/*
 * owner-keys.c - names of units, by the rules of systemd.unit(5): a prefix of ASCII letters,
 * digits and ":-_.\", for an instance "@" and its name behind it, and a suffix that says the type;
 * 255 characters in all.
 *
 * Types that can be stopped and started again, and that hold a port or start what holds one, are
 * taken. A target stops more than one program, a scope cannot be started. Units that the service
 * needs to have the others started again are refused: it would stop itself, the bus, or polkit.
 */
#include "rules/owner-keys.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "rules/board.h"

#define UNIT_NAME_MAX 255

static bool has_type(const char *suffix)
{
	static const char *const types[] = {".service", ".socket", ".timer", ".path"};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(suffix, types[i]) == 0)
			return true;
	return false;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr(":-_.\\@", c));
}

static bool has_letters_alone(const char *name)
{
	while (is_letter(*name))
		name++;
	return !*name;
}

static bool is_unit_name(const char *name)
{
	size_t n = strlen(name);
	const char *suffix = strrchr(name, '.');

	return n <= UNIT_NAME_MAX && suffix && suffix != name && has_type(suffix) &&
	       has_letters_alone(name);
}

/* A "@" begins the instance, which a template does not have. */
static bool is_template(const char *name)
{
	const char *at = strchr(name, '@');

	return at && (at == name || at + 1 == strrchr(name, '.'));
}

static bool is_needed(const char *name)
{
	static const char *const beginnings[] = {
		"plugflashd.", "plugflash-web.", "dbus.", "dbus-broker.", "polkit.", "systemd-"};

	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
		if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

static bool is_twice(char **names, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(names[i], names[j]) == 0)
			return true;
	return false;
}

int parse_owners(const char *value, void *field, const char **ret_expected)
{
	struct board *board = field;
	char **words CLEANUP(parse_list_freep) = NULL;
	size_t n;

	*ret_expected =
		"1 to 16 units of systemd, each once and with its type, like zigbee2mqtt.service; .service, .socket, .timer or .path";
	if (parse_list(value, &words, &n) < 0)
		return -ENOMEM;
	if (n == 0 || n > OWNERS_MOST)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (!is_unit_name(words[i]) || is_twice(words, i))
			return -EINVAL;
		if (is_template(words[i])) {
			*ret_expected =
				"the name of an instance, like home-assistant@homeassistant.service: a template alone does not run";
			return -EINVAL;
		}
		if (is_needed(words[i])) {
			*ret_expected =
				"no unit that plugflash itself needs: not its own, and none of D-Bus, polkit and systemd";
			return -EINVAL;
		}
	}
	parse_list_free(board->port_owner);
	board->port_owner = TAKE_PTR(words);
	board->n_port_owner = n;
	return 0;
}
