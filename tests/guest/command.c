/* SPDX-License-Identifier: MIT */
#include "guest/command.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "guest/fault-keys.h"
#include "guest/vhci.h"

#define WORDS_MAX 32

static const char *const circuits[] = {
	[SIM_CIRCUIT_DIRECT] = "direct",
	[SIM_CIRCUIT_ONE_KEY] = "one-key",
	[SIM_CIRCUIT_ESP] = "esp",
	[SIM_CIRCUIT_BSL] = "bsl",
	[SIM_CIRCUIT_PLAIN] = "plain",
	[SIM_CIRCUIT_INVERTED] = "inverted",
	[SIM_CIRCUIT_NONE] = "none",
	[SIM_CIRCUIT_ROM] = "rom",
};

static const char *const residents[] = {
	[SIM_RESIDENT_NONE] = "none",
	[SIM_RESIDENT_IAP] = "iap",
	[SIM_RESIDENT_GECKO] = "gecko",
};

static const char *const programs[] = {
	[SIM_PROGRAM_NONE] = "none",
	[SIM_PROGRAM_PEER] = "peer",
	[SIM_PROGRAM_CORE] = "core",
};

static const char *const states[] = {
	[SIM_RESET] = "reset",
	[SIM_APPLICATION] = "application",
	[SIM_ROM] = "rom",
	[SIM_DEAD] = "dead",
	[SIM_LOADER] = "loader",
	[SIM_PROGRAM] = "program",
};

struct words {
	char *items[WORDS_MAX];
	size_t n_items;
};

static struct board *find(const struct commands *commands, const char *name)
{
	for (struct board *board = commands->boards; board; board = board->next)
		if (strcmp(board->name, name) == 0)
			return board;
	return NULL;
}

static struct board *add(struct commands *commands, const char *name)
{
	struct board *board = board_new(name);

	if (board) {
		board->next = commands->boards;
		commands->boards = board;
	}
	return board;
}

void commands_done(struct commands *commands)
{
	while (commands->boards) {
		struct board *board = commands->boards;

		commands->boards = board->next;
		board_free(board);
	}
}

/* ------------------------------------------------------------------ what is said of a board */

static void take_text(char *to, size_t size, const char *value)
{
	size_t n = 0;

	for (; *value && n + 1 < size; value++) {
		char hex[3] = {0};

		to[n++] = *value == '+' ? ' ' : *value;
		if (*value != '%' || !isxdigit((unsigned char)value[1]) ||
			!isxdigit((unsigned char)value[2]))
			continue;
		memcpy(hex, value + 1, 2);
		to[n - 1] = (char)strtoul(hex, NULL, 16);
		value += 2;
	}
	to[n] = 0;
}

static int take_circuit(struct board *board, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(circuits); i++) {
		if (strcmp(circuits[i], value) == 0) {
			board->options.circuit = (enum sim_circuit)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int take_bridge(struct board *board, const char *value)
{
	board->identity.kind = bridge_kind_find(value);
	board->identity.product_id = 0;
	board->identity.product[0] = 0;
	return board->identity.kind ? 0 : -EINVAL;
}

static int take_resident(struct board *board, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(residents); i++) {
		if (strcmp(residents[i], value) == 0) {
			board->options.resident = (enum sim_resident)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int take_program(struct board *board, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		if (strcmp(programs[i], value) == 0) {
			board->options.program = (enum sim_program)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* 24 digits, or of an Espressif chip the 12 of its MAC, or of one of TI the 16 of its IEEE address.
 */
static int take_unique_id(struct board *board, const char *value)
{
	const struct sim_chip *chip = board->options.chip;
	uint8_t *id = board->options.unique_id;
	size_t n = sizeof(board->options.unique_id);

	if (chip->esp) {
		id = board->options.esp.mac;
		n = sizeof(board->options.esp.mac);
	} else if (chip->ti) {
		id = board->options.ti.ieee;
		n = sizeof(board->options.ti.ieee);
	}
	if (strlen(value) != 2 * n || strspn(value, "0123456789abcdef") != 2 * n)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		char hex[3] = {value[2 * i], value[2 * i + 1]};

		id[i] = (uint8_t)strtoul(hex, NULL, 16);
	}
	return 0;
}

/* What the application says and hears. */
static int take_speech(struct board *board, const char *key, const char *value)
{
	static const struct {
		const char *key;
		size_t offset;
	} texts[] = {
		{"chatter", offsetof(struct sim_options, chatter)},
		{"command", offsetof(struct sim_options, command)},
		{"reply", offsetof(struct sim_options, reply)},
		{"query", offsetof(struct sim_options, query)},
	};
	char text[256], *copy;

	take_text(text, sizeof(text), value);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (strcmp(texts[i].key, key) != 0)
			continue;
		/* Lives as long as the process, as a board does. */
		copy = strdup(text);
		if (!copy)
			return -ENOMEM;
		memcpy((char *)&board->options + texts[i].offset, &copy, sizeof(copy));
		return 0;
	}
	return -EINVAL;
}

/* A devkit with an Espressif chip has the two transistors, and so has the ZBDongle-P, whatever is
 * not said of it. */
static int take_chip(struct board *board, const char *value)
{
	board->options.chip = sim_chip_find(value);
	if (!board->options.chip)
		return -EINVAL;
	if (board->options.chip->esp || board->options.chip->ti)
		board->options.circuit = SIM_CIRCUIT_ESP;
	return 0;
}

/* What cannot change while there is a chip; said once more it does no harm. */
static int take_soldered(struct board *board, const char *key, const char *value)
{
	struct sim_options before = board->options;
	int r = -EINVAL;

	if (strcmp(key, "chip") == 0) {
		r = take_chip(board, value);
	} else if (strcmp(key, "circuit") == 0) {
		r = take_circuit(board, value);
	} else if (board->sim) {
		r = -EBUSY;
	} else if (strcmp(key, "resident") == 0) {
		r = take_resident(board, value);
	} else if (strcmp(key, "program") == 0) {
		r = take_program(board, value);
	} else if (strcmp(key, "unit") == 0) {
		r = take_unique_id(board, value);
	} else {
		r = take_speech(board, key, value);
	}
	if (r == 0 && board->sim &&
		(board->options.chip != before.chip || board->options.circuit != before.circuit))
		r = -EBUSY;
	if (r < 0)
		board->options = before;
	return r;
}

static int take_number(const char *value, long *ret)
{
	char *end;

	errno = 0;
	*ret = strtol(value, &end, 0);
	return errno || *end || end == value ? -EINVAL : 0;
}

static int take_key(struct board *board, const char *key, const char *value)
{
	struct bridge_identity *identity = &board->identity;
	long number = 0;

	if (strcmp(key, "bridge") == 0)
		return take_bridge(board, value);
	if (strcmp(key, "serial") == 0)
		take_text(identity->serial, sizeof(identity->serial), value);
	else if (strcmp(key, "product") == 0)
		take_text(identity->product, sizeof(identity->product), value);
	else if (strcmp(key, "manufacturer") == 0)
		take_text(identity->manufacturer, sizeof(identity->manufacturer), value);
	else if (strcmp(key, "interface") == 0 && take_number(value, &number) == 0 && number >= 0 &&
		 number < BRIDGE_INTERFACES)
		board->interface = (unsigned)number;
	else if (strcmp(key, "port") == 0 && take_number(value, &number) == 0)
		board->port = (int)number;
	else if (strcmp(key, "latency") == 0 && take_number(value, &number) == 0 && number >= 0)
		board->latency_nsec = (uint64_t)number * 1000000;
	else if (strcmp(key, "vid") == 0 && take_number(value, &number) == 0)
		identity->vendor_id = (uint16_t)number;
	else if (strcmp(key, "pid") == 0 && take_number(value, &number) == 0)
		identity->product_id = (uint16_t)number;
	else
		return take_soldered(board, key, value);
	return 0;
}

/* ------------------------------------------------------------------ commands */

static int fail(FILE *out, const char *what, int error)
{
	fprintf(out, "error: %s: %s\n", what, strerror(-error));
	return error;
}

/* Splits KEY=VALUE in place; NULL where there is no value. */
static char *split(char *word)
{
	char *equals = strchr(word, '=');

	if (!equals)
		return NULL;
	*equals = 0;
	return equals + 1;
}

/* As a person with a hub does: not in the same socket again and again. */
static int plug_one(struct commands *commands, struct board *board, FILE *out)
{
	int port = board->port >= 0 ? board->port : vhci_find_port(commands->next_port);
	int r = port < 0 ? port : board_plug(board, port);

	if (port == -ENOENT) {
		fputs("error: this kernel has no virtual USB host: as root modprobe vhci-hcd\n",
			out);
		return port;
	}
	if (r < 0)
		return fail(out, board->name, r);
	commands->next_port = port + 1;
	return 0;
}

static int plug_known(struct commands *commands, const char *glob, FILE *out)
{
	bool is_any = false;

	for (struct board *board = commands->boards; board; board = board->next) {
		if (fnmatch(glob, board->name, 0) != 0)
			continue;
		is_any = true;
		if (!board->bridge && plug_one(commands, board, out) < 0)
			return -EIO;
	}
	return is_any ? 0 : fail(out, glob, -ENOENT);
}

static int do_make(struct commands *commands, const struct words *words, FILE *out)
{
	struct board *board = find(commands, words->items[1]);

	if (!board)
		board = add(commands, words->items[1]);
	if (!board)
		return fail(out, words->items[1], -ENOMEM);
	for (size_t i = 2; i < words->n_items; i++) {
		char *value = split(words->items[i]);
		int r = value ? take_key(board, words->items[i], value) : -EINVAL;

		if (r < 0)
			return fail(out, words->items[i], r);
	}
	return 0;
}

static int do_plug(struct commands *commands, const struct words *words, FILE *out)
{
	int r;

	if (strpbrk(words->items[1], "*?["))
		return plug_known(commands, words->items[1], out);
	r = do_make(commands, words, out);
	return r < 0 ? r : plug_one(commands, find(commands, words->items[1]), out);
}

static int do_unplug(struct commands *commands, const struct words *words, FILE *out)
{
	bool is_any = false;

	for (struct board *board = commands->boards; board; board = board->next) {
		if (fnmatch(words->items[1], board->name, 0) != 0)
			continue;
		is_any = true;
		board_unplug(board);
		board->is_watched = false;
	}
	return is_any ? 0 : fail(out, words->items[1], -ENOENT);
}

static int do_file(struct board *board, const struct words *words, FILE *out)
{
	int r = -EINVAL;

	if (words->n_items == 3)
		r = words->items[0][0] == 'l' ? board_load(board, words->items[2])
					      : board_dump(board, words->items[2]);
	return r < 0 ? fail(out, words->items[words->n_items - 1], r) : 0;
}

static int do_fault(struct board *board, const struct words *words, FILE *out)
{
	struct sim_faults faults = {0};

	for (size_t i = 2; i < words->n_items; i++) {
		char *value = split(words->items[i]);

		if (!value || fault_key_set(&faults, words->items[i], value) < 0)
			return fail(out, words->items[i], -EINVAL);
	}
	if (board->sim)
		sim_set_faults(board->sim, &faults);
	else
		board->options.faults = faults;
	return 0;
}

static int do_counters(struct board *board, const struct words *words, FILE *out)
{
	const struct sim_counters *counters;

	(void)words;
	if (!board->sim)
		return fail(out, board->name, -ENODATA);
	counters = sim_counters(board->sim);
	fprintf(out,
		"received=%" PRIu64 "\nsent=%" PRIu64 "\nresets=%u\nrom_entries=%u\nsyncs=%u\n"
		"pages_erased=%u\nmass_erases=%u\nblocks_written=%u\nbad_writes=%u\n"
		"bad_addresses=%u\nsync_bytes_bad=%u\nsync_bytes_early=%u\noverruns=%u\n",
		counters->received, counters->sent, counters->resets, counters->rom_entries,
		counters->syncs, counters->pages_erased, counters->mass_erases,
		counters->blocks_written, counters->bad_writes, counters->bad_addresses,
		counters->sync_bytes_bad, counters->sync_bytes_early, counters->overruns);
	fprintf(out, "application_commands=%u\nresident_entries=%u\nfiles=%u\n",
		counters->application_commands, counters->resident_entries, counters->files);
	for (unsigned code = 0; code < 256; code++)
		if (counters->commands[code] > 0)
			fprintf(out, "command_%02X=%u\n", code, counters->commands[code]);
	return 0;
}

static int do_record(struct board *board, const struct words *words, FILE *out)
{
	const struct record *record = &board->record;

	/* Of another interface than the chip's. */
	if (words->n_items == 3 && words->items[2][0] >= '0' &&
		words->items[2][0] < '0' + BRIDGE_INTERFACES)
		record = board->lines[words->items[2][0] - '0'].record;
	if (!record)
		return fail(out, board->name, -ENODATA);
	record_print(record, out);
	return 0;
}

static int do_state(struct board *board, const struct words *words, FILE *out)
{
	(void)words;
	fprintf(out, "%s\n",
		board->bridge && board->sim ? states[sim_state(board->sim)] : "unplugged");
	return 0;
}

static const struct {
	const char *name;
	int (*do_it)(struct board *board, const struct words *words, FILE *out);
} board_commands[] = {
	{"dump", do_file},
	{"load", do_file},
	{"fault", do_fault},
	{"counters", do_counters},
	{"record", do_record},
	{"state", do_state},
};

static int list(const struct commands *commands, FILE *out)
{
	for (struct board *board = commands->boards; board; board = board->next)
		fprintf(out, "%s %d\n", board->name,
			board->bridge ? bridge_port(board->bridge) : -1);
	return 0;
}

static int for_board(struct commands *commands, const struct words *words, FILE *out)
{
	/* A flash can be loaded, and faults be set, before the board is plugged in for the first
	 * time. */
	struct board *board = find(commands, words->items[1]);

	if (!board &&
		(strcmp(words->items[0], "load") == 0 || strcmp(words->items[0], "fault") == 0))
		board = add(commands, words->items[1]);
	if (!board)
		return fail(out, words->items[1], -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(board_commands); i++)
		if (strcmp(board_commands[i].name, words->items[0]) == 0)
			return board_commands[i].do_it(board, words, out);
	return fail(out, words->items[0], -EINVAL);
}

static int run(struct commands *commands, const struct words *words, FILE *out)
{
	const char *verb = words->items[0];

	if (strcmp(verb, "quit") == 0) {
		commands->is_over = true;
		return 0;
	}
	if (strcmp(verb, "list") == 0)
		return list(commands, out);
	if (words->n_items < 2)
		return fail(out, verb, -EINVAL);
	if (strcmp(verb, "make") == 0)
		return do_make(commands, words, out);
	if (strcmp(verb, "plug") == 0)
		return do_plug(commands, words, out);
	if (strcmp(verb, "unplug") == 0)
		return do_unplug(commands, words, out);
	return for_board(commands, words, out);
}

void commands_do(struct commands *commands, char *line, FILE *out)
{
	struct words words = {0};
	char *rest = line, *word;

	while (words.n_items < WORDS_MAX && (word = strsep(&rest, " \t\r\n")))
		if (*word)
			words.items[words.n_items++] = word;
	if (words.n_items == 0)
		return;
	if (run(commands, &words, out) >= 0)
		fprintf(out, "ok\n");
}
