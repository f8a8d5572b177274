/* SPDX-License-Identifier: MIT */
/*
 * command.h - one command of the fleet's owner: what its payload asks for, whether that may be
 * done, and the payload that answers it in its place. Plain data in and out; commands.h acts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum command_verb {
	COMMAND_RETRY,	  /* units that failed, or are in quarantine, are tried again */
	COMMAND_PAUSE,	  /* the service begins no job; with a board: its wish is paused here */
	COMMAND_RESUME,	  /* the end of that */
	COMMAND_VERIFY,	  /* units are compared with their image */
	COMMAND_IDENTIFY, /* the board there shows which one it is */
	COMMAND_VERB_MAX,
};

enum command_status {
	COMMAND_INIT, /* somebody wants it done */
	COMMAND_EXECUTING,
	COMMAND_SUCCESSFUL,
	COMMAND_FAILED,
	COMMAND_STATUS_MAX,
};

/* More is no command. */
#define COMMAND_BYTES_MOST 4096

/* Home Assistant's button makes one of the names of gateway and unit. */
#define COMMAND_ID_SIZE 129

struct command {
	enum command_verb verb; /* COMMAND_VERB_MAX: not known */
	enum command_status status;
	/* Whom it is for, as the bus names them; "": not said. */
	char unit[64], slot[TEXT_MAX], board[TEXT_MAX];
	char why[TEXT_MAX]; /* key "why": what a pause is for */
};

/* NULL for COMMAND_VERB_MAX. */
const char *command_verb_to_string(enum command_verb verb);
const char *command_status_to_string(enum command_status status);

/*
 * `[commands] allow`: verbs with commas or blanks between them, "" none; a bit 1U << verb each. 0,
 * or -EINVAL with the reason.
 */
int command_verbs_parse(const char *list, unsigned *ret_allowed, struct reason *reason);

/* Whether an answer may go to cmd/{id}: 1 to 128 letters, digits, '.', '_' and '-' of ASCII. */
bool command_id_is_valid(const char *id);

enum command_result {
	COMMAND_OK,
	COMMAND_NOT_OURS = 1, /* its status is no word of ours: somebody else answers it */
	COMMAND_REFUSED, /* it is wrong; the reason says why, `ret` holds what was understood */
};

/*
 * Reads a payload, and with COMMAND_INIT judges whether verb and targets go together. With another
 * status only verb and targets are read, as far as they can be. An enum command_result or -ENOMEM;
 * `ret` is written in each case.
 */
int command_parse(const char *payload, size_t n, struct command *ret, struct reason *reason);

/* What is told of one that came to its end. */
struct command_answer {
	enum command_status status;
	const char *reason; /* NULL or "": none */
	uint32_t units;	    /* how many units (retry) or boards (verify, identify) it was done to */
};

/*
 * The payload that takes the place of the command's own, on one line. 0 and `*ret` is the caller's,
 * or -ENOMEM.
 */
int command_answer_to_json(const struct command *command, const struct command_answer *answer,
	char **ret, size_t *ret_n);
