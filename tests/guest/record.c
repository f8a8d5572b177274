/* SPDX-License-Identifier: MIT */
#include "guest/record.h"

#include <inttypes.h>

#include "rules/wiring.h"

static const char *const kind_names[] = {
	[RECORD_PLUG] = "plug",
	[RECORD_UNPLUG] = "unplug",
	[RECORD_ENABLE] = "enable",
	[RECORD_DISABLE] = "disable",
	[RECORD_LINES] = "lines",
	[RECORD_RESET] = "reset",
	[RECORD_BAUD] = "baud",
	[RECORD_FORMAT] = "format",
	[RECORD_EVENTS] = "events",
	[RECORD_PURGE] = "purge",
	[RECORD_DATA] = "data",
};

static const char *const state_names[] = {
	[SIM_RESET] = "reset",
	[SIM_APPLICATION] = "application",
	[SIM_ROM] = "rom",
	[SIM_DEAD] = "dead",
	[SIM_LOADER] = "loader",
	[SIM_PROGRAM] = "program",
};

void record_clear(struct record *record)
{
	record->n_items = 0;
	record->n_lost = 0;
}

void record_note(struct record *record, enum record_kind kind, uint32_t value, uint64_t now)
{
	if (record->n_items == RECORD_MAX) {
		record->n_lost++;
		return;
	}
	record->items[record->n_items].kind = kind;
	record->items[record->n_items].nsec = now;
	record->items[record->n_items].value = value;
	record->items[record->n_items].n_bytes = 0;
	record->n_items++;
}

void record_byte(struct record *record, uint8_t byte, enum sim_state state, uint64_t now)
{
	size_t last = record->n_items - 1;

	if (record->n_items == 0 || record->items[last].kind != RECORD_DATA ||
		record->items[last].state != state) {
		record_note(record, RECORD_DATA, 0, now);
		if (record->n_items == last + 1)
			return;
		last = record->n_items - 1;
		record->items[last].state = state;
	}
	if (record->items[last].n_bytes < RECORD_BYTES)
		record->items[last].bytes[record->items[last].n_bytes] = byte;
	record->items[last].n_bytes++;
}

static void print_value(const struct record *record, size_t i, FILE *file)
{
	uint32_t value = record->items[i].value;

	switch (record->items[i].kind) {
	case RECORD_LINES:
		fprintf(file, " dtr=%d rts=%d", !!(value & LINE_DTR), !!(value & LINE_RTS));
		break;
	case RECORD_BAUD:
		fprintf(file, " baud=%" PRIu32, value);
		break;
	case RECORD_FORMAT:
	case RECORD_EVENTS:
		fprintf(file, " value=0x%04" PRIx32, value);
		break;
	case RECORD_DATA:
		fprintf(file, " to=%s n=%" PRIu64 " bytes=", state_names[record->items[i].state],
			record->items[i].n_bytes);
		for (size_t k = 0; k < RECORD_BYTES && k < record->items[i].n_bytes; k++)
			fprintf(file, "%02x", record->items[i].bytes[k]);
		break;
	case RECORD_PLUG:
	case RECORD_UNPLUG:
	case RECORD_ENABLE:
	case RECORD_DISABLE:
	case RECORD_RESET:
	case RECORD_PURGE:
		break;
	}
}

void record_print(const struct record *record, FILE *file)
{
	for (size_t i = 0; i < record->n_items; i++) {
		uint64_t nsec = record->items[i].nsec;

		fprintf(file, "%" PRIu64 ".%06" PRIu64 " %s", nsec / 1000000000,
			nsec % 1000000000 / 1000, kind_names[record->items[i].kind]);
		print_value(record, i, file);
		fputc('\n', file);
	}
	if (record->n_lost)
		fprintf(file, "# %" PRIu64 " more\n", record->n_lost);
}
