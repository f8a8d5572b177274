/* SPDX-License-Identifier: MIT */
/*
 * circuits.c - the table of circuits, and the choice of those to try.
 *
 * The usual ones come first, and of STM32 before others: an ESP tells by its text that it is none,
 * and a chip of TI is not disturbed. No try erases anything. Each one moves lines, which may reset
 * an application; and sends a few bytes, which one that goes on running may take for its own.
 */
#include "cli/circuits.h"

#include <string.h>

#include "base/util.h"

#define SEPARATORS ", \t"

/* A pin for each state of the lines: neither asserted, DTR alone, RTS alone, both. */
#define PIN(neither, dtr, rts, both) ((neither) | (dtr) << 1 | (rts) << 2 | (both) << 3)
#define WITH_DTR		     PIN(0, 1, 0, 1)
#define WITHOUT_DTR		     PIN(1, 0, 1, 0)
#define WITH_RTS		     PIN(0, 0, 1, 1)
#define WITHOUT_RTS		     PIN(1, 1, 0, 0)
#define DTR_ALONE		     PIN(0, 1, 0, 0)
#define RTS_ALONE		     PIN(0, 0, 1, 0)

const struct circuit circuits[] = {
	{"stm32-direct", "stm32", "STM32, DTR at reset, RTS through a transistor at BOOT0",
		.protocol = "stm32", .wiring = "direct", .reset_pin = WITH_DTR,
		.boot_pin = WITH_RTS},
	{"stm32-plain", "stm32", "STM32, DTR at reset, RTS at BOOT0, nothing between",
		.protocol = "stm32", .boot = "!rts", .reset_pin = WITH_DTR,
		.boot_pin = WITHOUT_RTS},
	{"stm32-swapped", "stm32", "STM32, RTS at reset, DTR through a transistor at BOOT0",
		.protocol = "stm32", .reset = "rts", .boot = "dtr", .reset_pin = WITH_RTS,
		.boot_pin = WITH_DTR},
	{"stm32-inverted", "stm32", "STM32, DTR and RTS each through a transistor",
		.protocol = "stm32", .reset = "!dtr", .boot = "rts", .reset_pin = WITHOUT_DTR,
		.boot_pin = WITH_RTS},
	{"stm32-one-key", "stm32", "STM32, two transistors for \"one key download\"",
		.protocol = "stm32", .wiring = "one-key", .reset_pin = RTS_ALONE,
		.boot_pin = WITH_RTS},
	{"stm32-esp", "stm32", "STM32, two transistors crossed over, as on ESP boards",
		.protocol = "stm32", .wiring = "esp", .reset_pin = RTS_ALONE,
		.boot_pin = DTR_ALONE},
	{"esp", "esp", "ESP32 or a relative, two transistors crossed over", .protocol = "esp",
		.wiring = "esp"},
	{"ti", "ti", "CC2538, CC13xx or CC26xx of TI, two transistors crossed over or none",
		.protocol = "bsl", .wiring = "esp direct"},
	{"application", "application",
		"a stick for Zigbee, Thread or Z-Wave, whose application answers",
		.application = "ezsp,cpc,spinel,zwave,mt"},
};

const size_t n_circuits = ARRAY_SIZE(circuits);
_Static_assert(ARRAY_SIZE(circuits) <= CIRCUITS_MAX, "a list has room for all circuits");

static bool is_word(const char *name, const char *word, size_t n)
{
	return name && strlen(name) == n && strncmp(name, word, n) == 0;
}

/* Whether the word of `n` letters chooses any; those are marked. */
static bool mark(const char *word, size_t n, bool is_chosen[static CIRCUITS_MAX])
{
	bool is_found = false;

	for (size_t i = 0; i < n_circuits; i++) {
		const struct circuit *circuit = &circuits[i];
		bool fits = is_word(circuit->name, word, n) || is_word(circuit->kind, word, n) ||
			    is_word(circuit->protocol, word, n);

		is_chosen[i] = is_chosen[i] || fits;
		is_found = is_found || fits;
	}
	return is_found;
}

/* "stm32-direct, stm32-plain, ..." */
static void names_text(char *to, size_t size)
{
	size_t used = 0;

	to[0] = '\0';
	for (size_t i = 0; i < n_circuits && used < size; i++)
		used += (size_t)snprintf(
			to + used, size - used, "%s%s", i ? ", " : "", circuits[i].name);
}

bool circuits_choose(const char *list, struct circuit_list *ret, struct reason *reason)
{
	bool is_chosen[CIRCUITS_MAX] = {false};
	const char *at = list ? list + strspn(list, SEPARATORS) : "";
	char word[TEXT_MAX / 2], escaped[TEXT_MAX / 2], names[TEXT_MAX];

	for (size_t n; (n = strcspn(at, SEPARATORS)) > 0; at += n, at += strspn(at, SEPARATORS)) {
		if (mark(at, n, is_chosen))
			continue;
		snprintf(word, sizeof(word), "%.*s", (int)n, at);
		names_text(names, sizeof(names));
		reason_set(reason, "'%s' is no circuit to try: %s, or stm32 for all of these",
			text_escape(word, escaped, sizeof(escaped)), names);
		return false;
	}
	*ret = (struct circuit_list){0};
	for (size_t i = 0; i < n_circuits; i++)
		if (is_chosen[i] || !list)
			ret->items[ret->n_items++] = &circuits[i];
	if (ret->n_items == 0)
		reason_set(reason, "the list of circuits to try is empty");
	return ret->n_items > 0;
}

void circuit_take(const struct circuit *circuit, struct options *options)
{
	options->protocol = circuit->protocol;
	options->wiring = circuit->wiring;
	options->reset = circuit->reset;
	options->boot = circuit->boot;
	options->application = circuit->application;
}

/* What stands around a key and its value. */
struct key_style {
	const char *first, *between, *equals, *inverted;
};

static char *format_keys(
	const struct circuit *circuit, const struct key_style *style, char *to, size_t size)
{
	const struct {
		const char *key, *value;
	} keys[] = {
		{"wiring", circuit->wiring},
		{"reset", circuit->reset},
		{"boot", circuit->boot},
	};
	size_t used = 0;

	to[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(keys) && used < size; i++) {
		const char *value = keys[i].value;
		bool is_inverted = value && value[0] == '!';

		if (value)
			used += (size_t)snprintf(to + used, size - used, "%s%s%s%s%s",
				used ? style->between : style->first, keys[i].key, style->equals,
				is_inverted ? style->inverted : "", value + is_inverted);
	}
	return to;
}

char *circuit_keys(const struct circuit *circuit, const char *between, char *to, size_t size)
{
	return format_keys(circuit, &(struct key_style){"", between, " = ", "!"}, to, size);
}

char *circuit_arguments(const struct circuit *circuit, char *to, size_t size)
{
	return format_keys(circuit, &(struct key_style){" --", " --", " ", "not-"}, to, size);
}
