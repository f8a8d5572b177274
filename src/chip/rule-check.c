/* SPDX-License-Identifier: MIT */
#include "chip/rule-check.h"

#include <errno.h>

#include "base/outcome.h"
#include "base/util.h"
#include "chip/cc13xx-row.h"
#include "chip/chips.h"
#include "chip/family-stm32.h"
#include "chip/family.h"
#include "rules/protocol-words.h"

/* The names of all chips, and none of what looks into images. */
static const struct family stm32 = {.rows = &family_stm32_rows};
static const struct family esp = {.rows = &family_esp_rows};
static const struct family cc13xx = {.rows = &family_cc13xx_rows};
static const struct family *const names_alone[] = {&stm32, &esp, &cc13xx, NULL};

/*
 * A chip whose loader proves nothing needs a rule of its own, which says that this is known: beside
 * others the rule would take them unproved, too.
 */
static int check_proof(
	const struct board *board, const struct chip_table *table, struct ini_problems *problems)
{
	bool accepts = board->verify == PROOF_LOADER;

	for (size_t i = 0; i < board->n_chip; i++) {
		const struct chip *chip = chip_table_find_for(table, board, board->chip[i]);

		if (!chip || chip->proves_nothing == accepts)
			continue;
		if (accepts)
			return ini_section_problem(board->source, "accept-unverified", problems,
				"expected no: the %s proves what was written, and needs a rule of its own where another chip of this one does not",
				chip->name);
		return ini_section_problem(board->source, "chip", problems,
			"the boot loader of the %s neither reads back nor computes a digest, so that nothing vouches for what is written: accept-unverified = yes, in a rule for this chip alone, takes that",
			chip->name);
	}
	return 0;
}

/* The pin that leads into the loader must be one of the part that the rule names. */
static int check_backdoor(
	const struct board *board, const struct chip_table *table, struct ini_problems *problems)
{
	/* A rule of the command's own options may be without it, to probe. */
	if (!board->has_backdoor_pin)
		return ini_section_problem(board->source, "backdoor-pin", problems,
			"expected the DIO that leads into the loader, like 15: 15 on sticks with a CC2652P or P7, 13 with a CC2652R or RB; `plugflash probe --protocol bsl` shows that of the installed firmware, and an image for another pin is refused");
	for (size_t i = 0; i < board->n_chip; i++) {
		const struct chip *chip = chip_table_find_for(table, board, board->chip[i]);
		const struct cc13xx_part *part =
			chip ? cc13xx_part_named(cc13xx_row(chip), board->chip[i]) : NULL;

		if (part && cc13xx_is_uart_pin(part, board->backdoor_pin))
			return ini_section_problem(board->source, "backdoor-pin", problems,
				"DIO%u of the %s is a pin of the serial line, where nothing can lead into its boot loader: expected another one, DIO15 on most such sticks",
				board->backdoor_pin, part->name);
	}
	return 0;
}

/* What stands against the first setting that one of the rule's chips does not take. */
static int check_options(
	const struct board *board, const struct chip_table *table, struct ini_problems *problems)
{
	const struct option_list *list = &board->options;

	for (size_t i = 0; i < board->n_chip; i++) {
		const struct chip *chip = chip_table_find_for(table, board, board->chip[i]);
		const struct option_layout *layout = chip ? stm32_row(chip)->options : NULL;

		if (chip && !layout)
			return ini_section_problem(board->source, "option-bytes", problems,
				"nobody here knows the option bytes of the %s by their names, so that none is written",
				chip->name);
		for (size_t k = 0; chip && k < list->n_items; k++) {
			struct reason why;

			if (option_judge(layout, &list->items[k], list->accepted, &why) !=
				OPTION_GOOD)
				return ini_section_problem(board->source, "option-bytes", problems,
					"%s: %s", chip->name, why.text);
		}
	}
	return 0;
}

/*
 * A power cut while option bytes are written leaves them erased, and erased they protect the flash
 * (RM0090 3.7.3, PM0075 2.5). The next look finds such a chip as any that is protected.
 */
static int warn_of_torn_options(const struct board *board, struct ini_problems *warnings)
{
	if (!warnings || board->options.n_items == 0 ||
		board->readout_protection == BOARD_PROTECTION_CLEAR)
		return 0;
	return ini_section_problem(board->source, "option-bytes", warnings,
		"a power cut while they are written may leave a chip read-out protected, which then ends as 'protected' each time: `readout-protection = clear` beside it wipes and writes it anew");
}

/* `yes` asks for a program that there is not for this chip. */
static int warn_of_no_program(
	const struct board *board, const struct chip_table *table, struct ini_problems *warnings)
{
	if (!warnings || board->stub != BOARD_USE_YES)
		return 0;
	for (size_t i = 0; i < board->n_chip; i++) {
		const struct chip *chip = chip_table_find_for(table, board, board->chip[i]);

		if (chip && !stm32_row(chip)->stub[0])
			return ini_section_problem(board->source, "stub", warnings,
				"the chip table names no program for the %s, so that its boot loader does the job",
				chip->name);
	}
	return 0;
}

static int check_board(const struct board *board, const struct chip_table *table,
	struct ini_problems *problems, struct ini_problems *warnings)
{
	const struct protocol_word *protocol = protocol_word_of(board->protocol);
	bool has_proof = !protocol->takes_file || board->menu.upload.n_items > 0 ||
			 board_confirms(board) || board->verify == PROOF_LOADER;
	char refusal[CHIP_REFUSAL_MAX];
	int r = 0;

	for (size_t i = 0; i < board->n_chip && r == 0; i++) {
		const struct chip *chip = chip_table_find_for(table, board, board->chip[i]);

		if (!chip)
			r = ini_section_problem(board->source, "chip", problems, "%s",
				chip_table_refuse_name(
					table, protocol->family, board->chip[i], refusal));
		else if (chip->refusal)
			r = ini_section_problem(board->source, "chip", problems,
				"the %s is not flashed: %s", board->chip[i], chip->refusal);
	}
	if (r == 0 && !protocol->takes_file)
		r = check_proof(board, table, problems);
	if (r == 0 && protocol->has_ccfg)
		r = check_backdoor(board, table, problems);
	if (r == 0 && protocol->has_option_bytes && board->options.n_items > 0)
		r = check_options(board, table, problems);
	if (r == 0)
		r = warn_of_torn_options(board, warnings);
	if (r == 0)
		r = warn_of_no_program(board, table, warnings);
	if (r == 0 && warnings && !has_proof)
		r = ini_section_problem(board->source, "confirm", warnings,
			"nothing vouches for what this loader writes, and every job will end as 'verify-impossible': add `confirm` or `application`, or accept-unverified = yes");
	return r;
}

int config_check_chips(const struct config *config, const char *chips, const char *chips_dir,
	struct ini_problems *problems, struct ini_problems *warnings)
{
	CLEANUP(chip_table_done) struct chip_table table = {0};
	size_t n_before = problems->n_items;
	int r = chip_table_load(names_alone, chips, chips_dir, &table, problems);

	for (size_t i = 0; r == 0 && i < config->n_boards; i++)
		r = check_board(&config->boards[i], &table, problems, warnings);
	return r == 0 && problems->n_items > n_before ? OUTCOME_BAD_CONFIG : r;
}
