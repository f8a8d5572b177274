/* SPDX-License-Identifier: MIT */
/*
 * A payload at the topic of a command. One that is understood comes back the same by the answer
 * that is published in its place, and asks for nothing then.
 */
#include "fleet/command.h"
#include "fuzz.h"

/* A target that was given and is left out would widen the command. */
static void must_have_targets(const struct command *command)
{
	bool is_for_one = *command->unit || *command->slot;

	MUST(command->verb < COMMAND_VERB_MAX);
	if (command->verb == COMMAND_PAUSE || command->verb == COMMAND_RESUME)
		MUST(!is_for_one);
	else if (command->verb == COMMAND_IDENTIFY)
		MUST(is_for_one && !*command->board);
	else
		MUST(is_for_one || *command->board);
}

static void must_come_back(const struct command *command)
{
	const struct command_answer answer = {.status = COMMAND_FAILED, .reason = "x"};
	struct reason reason = {0};
	struct command back;
	char *payload = NULL;
	size_t n = 0;

	MUST(command_answer_to_json(command, &answer, &payload, &n) == 0);
	/* Escapes make it longer: one that is too long by that is not read again. */
	if (n <= COMMAND_BYTES_MOST) {
		MUST(command_parse(payload, n, &back, &reason) == COMMAND_OK);
		MUST(back.status == COMMAND_FAILED && back.verb == command->verb);
		MUST(strcmp(back.unit, command->unit) == 0);
		MUST(strcmp(back.slot, command->slot) == 0);
		MUST(strcmp(back.board, command->board) == 0);
	}
	free(payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reason reason = {0};
	struct command command;
	int r = command_parse((const char *)data, size, &command, &reason);

	MUST(r >= 0);
	if (r == COMMAND_REFUSED)
		fuzz_must_be_sentence(reason.text);
	if (r == COMMAND_OK && command.status == COMMAND_INIT)
		must_have_targets(&command);
	if (r != COMMAND_NOT_OURS)
		must_come_back(&command);
	return 0;
}
