/* SPDX-License-Identifier: MIT */
#include "rules/board.h"

#include "base/parse.h"

void board_done(struct board *board)
{
	free(board->name);
	free(board->file);
	free(board->usb_id.items);
	free(board->serial);
	free(board->product);
	free(board->manufacturer);
	free(board->path);
	parse_list_free(board->slot);
	free(board->interface);
	parse_list_free(board->port_owner);
	parse_list_free(board->fw_type);
	parse_list_free(board->chip);
	free(board->baud.items);
	free(board->image);
	free(board->version_in_name);
	free(board->partition);
	free(board->keep.items);
	option_list_done(&board->options);
	dialogue_text_done(&board->application.command);
	free(board->application.reply);
	dialogue_text_done(&board->application.version_query);
	free(board->application.version_pattern);
	dialogue_done(&board->menu.before);
	dialogue_done(&board->menu.after);
	dialogue_done(&board->menu.upload);
	dialogue_done(&board->menu.start);
	free(board->confirm.pattern);
	dialogue_text_done(&board->confirm.query);
	ini_section_free(board->source);
	*board = (struct board){0};
}

bool board_can_identify(const struct board *board, struct reason *reason)
{
	if (board->identify.n_items > 0)
		return true;
	reason_set(reason,
		"the rule '%s' does not say how its board shows which one it is: add `identify`, the steps of a line that reaches a lamp or a buzzer, like 'dtr=1 500ms dtr=0 500ms'",
		board->name);
	return false;
}

bool board_confirms(const struct board *board)
{
	return board->confirm.pattern || board->applications;
}
