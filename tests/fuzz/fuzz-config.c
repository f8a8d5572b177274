/* SPDX-License-Identifier: MIT */
/*
 * A board as a worker is handed it: any text; a rule that was taken is written and read to the same
 * text again, and asked whether it fits a bridge.
 */
#include "base/ini.h"
#include "fuzz.h"
#include "rules/config.h"
#include "rules/match.h"

static int read_board(const char *text, size_t n_text, struct board *ret)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {};
	CLEANUP(ini_done) struct ini ini = {};
	int r;

	MUST(ini_load_text(&ini, "job", text, n_text, &problems) == 0);
	if (problems.n_items > 0)
		return -1;
	r = config_read_board(&ini, ret, &problems);
	MUST((r == 0) == (problems.n_items == 0));
	for (size_t i = 0; i < problems.n_items; i++) {
		char line[512];

		MUST(*ini_problem_format(&problems.items[i], line, sizeof(line)));
	}
	return r;
}

/* NULL where the rule says that it cannot be written. */
static char *write_board(const struct board *board)
{
	char *text = NULL;
	size_t n_text = 0;
	FILE *to = open_memstream(&text, &n_text);
	int r;

	MUST(to);
	r = config_write_board(board, to);
	MUST(fclose(to) == 0);
	if (r == 0)
		return text;
	free(text);
	return NULL;
}

static void must_come_back(const struct board *board)
{
	CLEANUP(freep) char *text = write_board(board);
	CLEANUP(freep) char *text_again = NULL;
	struct board again = {};

	if (!text)
		return;
	MUST(read_board(text, strlen(text), &again) == 0);
	text_again = write_board(&again);
	MUST(text_again && strcmp(text, text_again) == 0);
	board_done(&again);
}

static void must_match_or_not(struct board *board)
{
	const struct config config = {.boards = board, .n_boards = 1};
	const struct facts facts = {
		.port = (char *)"/dev/ttyUSB0",
		.sysfs = (char *)"/sys/devices/x",
		.vendor_id = 0x10c4,
		.product_id = 0xea60,
		.serial = (char *)"0001",
		.product = (char *)"CP2102 USB to UART",
		.usb_path = (char *)"pci-0000:00:14.0-usb-0:1:1.0",
		.interface = 0,
		.driver = (char *)"cp210x",
	};
	struct match match = {};
	enum match_result result = match_board(&config, &facts, &match);

	MUST(result == MATCH_NONE || (result == MATCH_ONE && match.board == board));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct board board = {};

	if (read_board((const char *)data, size, &board) != 0)
		return 0;
	must_come_back(&board);
	must_match_or_not(&board);
	board_done(&board);
	return 0;
}
