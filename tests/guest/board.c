/* SPDX-License-Identifier: MIT */
#include "guest/board.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

struct board *board_new(const char *name)
{
	static unsigned n_boards;
	struct board *board = calloc(1, sizeof(*board));

	if (!board)
		return NULL;
	snprintf(board->name, sizeof(board->name), "%s", name);
	board->options.chip = sim_chip_find("f103c8");
	board->identity.kind = bridge_kind_find("cp2102");
	board->identity.vendor_id = 0x10C4;
	snprintf(
		board->identity.manufacturer, sizeof(board->identity.manufacturer), "Silicon Labs");
	/* As bridges leave the factory. */
	snprintf(board->identity.serial, sizeof(board->identity.serial), "0001");
	board->port = -1;
	n_boards++;
	board->options.unique_id[0] = (uint8_t)n_boards;
	board->options.unique_id[1] = (uint8_t)(n_boards >> 8);
	board->options.unique_id[11] = 0x50;
	board->options.esp.mac[0] = 0x24;
	board->options.esp.mac[1] = 0x0A;
	board->options.esp.mac[2] = 0xC4;
	board->options.esp.mac[4] = (uint8_t)(n_boards >> 8);
	board->options.esp.mac[5] = (uint8_t)n_boards;
	memcpy(board->options.ti.ieee, (const uint8_t[]){0x00, 0x12, 0x4B, 0x00}, 4);
	board->options.ti.ieee[6] = (uint8_t)(n_boards >> 8);
	board->options.ti.ieee[7] = (uint8_t)n_boards;
	return board;
}

struct board *board_free(struct board *board)
{
	if (!board)
		return NULL;
	bridge_free(board->bridge);
	sim_free(board->sim);
	free(board);
	return NULL;
}

static void complete_identity(struct bridge_identity *identity)
{
	const struct bridge_kind *kind = identity->kind;

	if (identity->product_id == 0)
		identity->product_id = kind->product_id;
	if (!identity->product[0])
		snprintf(identity->product, sizeof(identity->product), "%s", kind->product);
}

static int power(struct board *board)
{
	if (board->sim) {
		sim_power(board->sim, bridge_now());
		return 0;
	}
	board->sim = sim_new(&board->options);
	return board->sim ? 0 : -ENOMEM;
}

int board_plug(struct board *board, int port)
{
	int r;

	if (board->bridge)
		return -EISCONN;
	r = power(board);
	if (r < 0)
		return r;
	complete_identity(&board->identity);
	for (unsigned i = 0; i < BRIDGE_INTERFACES; i++) {
		bool is_chip = i == board->interface;

		board->lines[i].sim = is_chip ? board->sim : NULL;
		board->lines[i].record = is_chip ? &board->record : &board->nothing[i];
		board->lines[i].latency_nsec = board->latency_nsec;
		record_clear(board->lines[i].record);
		record_note(board->lines[i].record, RECORD_PLUG, 0, bridge_now());
	}
	return bridge_new(&board->identity, board->lines, port, &board->bridge);
}

void board_unplug(struct board *board)
{
	if (!board->bridge)
		return;
	board->bridge = bridge_free(board->bridge);
	record_note(&board->record, RECORD_UNPLUG, 0, bridge_now());
}

int board_load(struct board *board, const char *file)
{
	CLEANUP(fclosep) FILE *from = fopen(file, "re");
	uint32_t size;
	size_t n;
	int r;

	if (!from)
		return -errno;
	if (!board->sim) {
		r = power(board);
		if (r < 0)
			return r;
	}
	size = sim_flash_size(board->sim);
	memset(sim_flash(board->sim), board->options.chip->erased_value, size);
	n = fread(sim_flash(board->sim), 1, size, from);
	if (ferror(from))
		return -EIO;
	return n == size && fgetc(from) != EOF ? -EFBIG : 0;
}

int board_dump(struct board *board, const char *file)
{
	CLEANUP(fclosep) FILE *to = fopen(file, "we");

	if (!to)
		return -errno;
	if (!board->sim)
		return -ENODATA;
	if (fwrite(sim_flash(board->sim), 1, sim_flash_size(board->sim), to) !=
			sim_flash_size(board->sim) ||
		fflush(to) != 0)
		return -EIO;
	return 0;
}
