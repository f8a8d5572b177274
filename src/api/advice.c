/* SPDX-License-Identifier: MIT */
#include "api/advice.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/*
 * Both stand beside the reason, which tells the cause. On a screen the text speaks to somebody with
 * the board in his hand; whoever has a shell knows how to do what it says.
 */
static const char *const advice[OUTCOME_MAX][ADVICE_READER_MAX] = {
	[OUTCOME_FAILED][ADVICE_SCREEN] =
		"correct what the reason names, then plug the board in again",
	[OUTCOME_BAD_CONFIG][ADVICE_SCREEN] = "the rule for this board must be corrected",
	[OUTCOME_NO_MATCH][ADVICE_SCREEN] = "plug in another board: there is no rule for this one",
	[OUTCOME_AMBIGUOUS][ADVICE_SCREEN] =
		"the rules must be corrected: more than one fits this board",
	[OUTCOME_NO_IMAGE][ADVICE_COMMAND] = "plugflash images shows the files that were looked at",
	[OUTCOME_NO_IMAGE][ADVICE_SCREEN] =
		"an image for this board must be put into the image directory",
	[OUTCOME_BAD_IMAGE][ADVICE_COMMAND] =
		"plugflash images shows the files there are, and what is wrong with them",
	[OUTCOME_BAD_IMAGE][ADVICE_SCREEN] =
		"the image for this board must be replaced by a good one",
	[OUTCOME_PORT_BUSY][ADVICE_SCREEN] =
		"another program has the port: end it, then plug the board in again",
	[OUTCOME_PORT_GONE][ADVICE_COMMAND] = "plug the board in again and repeat the command",
	[OUTCOME_PORT_GONE][ADVICE_SCREEN] = "check the cable, then plug the board in again",
	[OUTCOME_NO_SYNC][ADVICE_COMMAND] =
		"plugflash probe --port PORT --wiring auto tries all circuits, --baud another rate",
	[OUTCOME_NO_SYNC][ADVICE_SCREEN] =
		"check that the board has power and sits well, then plug it in again",
	[OUTCOME_WRONG_CHIP][ADVICE_COMMAND] =
		"plug in the right board, or mend chip, or protocol, in the rule",
	[OUTCOME_WRONG_CHIP][ADVICE_SCREEN] = "take this board out and plug in the right one",
	[OUTCOME_PROTECTED][ADVICE_COMMAND] =
		"plugflash unprotect lifts it, as readout-protection = clear in the rule does: both wipe the chip",
	[OUTCOME_PROTECTED][ADVICE_SCREEN] =
		"put the board aside: its flash is protected, and the rule does not lift that",
	[OUTCOME_ERASE_FAILED][ADVICE_COMMAND] =
		"mend what the reason names, then repeat the command",
	[OUTCOME_ERASE_FAILED][ADVICE_SCREEN] =
		"plug the board in again; if that fails too, put it aside",
	[OUTCOME_WRITE_FAILED][ADVICE_COMMAND] =
		"mend what the reason names, then repeat the command; until it succeeds, the board starts no application",
	[OUTCOME_WRITE_FAILED][ADVICE_SCREEN] =
		"plug the board in again; until it succeeds, the board starts no application",
	[OUTCOME_VERIFY_DIFFERS][ADVICE_COMMAND] =
		"plugflash flash writes the image again; an STM32 that differs each time may have write-protected pages, which plugflash write-unprotect lifts",
	[OUTCOME_VERIFY_DIFFERS][ADVICE_SCREEN] =
		"plug the board in again; if it differs again, put it aside",
	[OUTCOME_VERIFY_IMPOSSIBLE][ADVICE_COMMAND] =
		"mend what the reason names; plugflash verify compares again",
	[OUTCOME_VERIFY_IMPOSSIBLE][ADVICE_SCREEN] =
		"correct what the reason names, then plug the board in again",
	[OUTCOME_NOT_CONFIRMED][ADVICE_SCREEN] =
		"plug the board in again; if its application stays silent, put it aside",
	[OUTCOME_NOT_STARTED][ADVICE_COMMAND] =
		"the image is whole in the flash: try one that is built for this chip and its flash",
	[OUTCOME_NOT_STARTED][ADVICE_SCREEN] =
		"plug the board in again; if it does not start then, put it aside",
	[OUTCOME_CANCELLED][ADVICE_SCREEN] = "plug the board in again to begin anew",
	[OUTCOME_QUARANTINED][ADVICE_SCREEN] =
		"put the board aside: it failed too often; retry once it is repaired",
};

const char *advice_after(enum outcome outcome, enum advice_reader reader)
{
	return advice[outcome][reader];
}

/* ------------------------------------------------------------------------------- lights */

static const struct {
	const char *name, *word;
	char sign;
} lights[LIGHT_MAX] = {
	[LIGHT_IDLE] = {"idle", "idle", '.'},
	[LIGHT_WAITING] = {"waiting", "waiting", '~'},
	[LIGHT_WORKING] = {"working", "working", '>'},
	[LIGHT_GOOD] = {"good", "good", '+'},
	[LIGHT_BAD] = {"bad", "BAD", 'X'},
	[LIGHT_WRONG_BOARD] = {"wrong-board", "WRONG BOARD", '!'},
	[LIGHT_HELD] = {"held", "held", '='},
};

const char *light_to_string(enum light light)
{
	return lights[light].name;
}

const char *light_to_word(enum light light)
{
	return lights[light].word;
}

char light_sign(enum light light)
{
	return lights[light].sign;
}

static bool is(const char *text, const char *word)
{
	return strcmp(text, word) == 0;
}

static enum light light_after(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_UPDATED:
	case OUTCOME_CURRENT:
		return LIGHT_GOOD;
	case OUTCOME_WRONG_CHIP:
	case OUTCOME_NO_MATCH:
	case OUTCOME_AMBIGUOUS:
		return LIGHT_WRONG_BOARD;
	case OUTCOME_QUARANTINED:
	/* Somebody stopped it before the erase: the board is neither bad nor known to be good. */
	case OUTCOME_CANCELLED:
		return LIGHT_HELD;
	case OUTCOME_FAILED:
	case OUTCOME_BAD_CONFIG:
	case OUTCOME_NO_IMAGE:
	case OUTCOME_BAD_IMAGE:
	case OUTCOME_PORT_BUSY:
	case OUTCOME_PORT_GONE:
	case OUTCOME_NO_SYNC:
	case OUTCOME_PROTECTED:
	case OUTCOME_ERASE_FAILED:
	case OUTCOME_WRITE_FAILED:
	case OUTCOME_VERIFY_DIFFERS:
	case OUTCOME_VERIFY_IMPOSSIBLE:
	case OUTCOME_NOT_CONFIRMED:
	case OUTCOME_NOT_STARTED:
	case OUTCOME_MAX:
		break;
	}
	return LIGHT_BAD;
}

/* Without an attempt only the rules have spoken. */
static int outcome_of(const struct light_facts *facts)
{
	int outcome = outcome_from_string(facts->outcome);

	if (outcome >= 0 || facts->outcome[0])
		return outcome;
	if (is(facts->match, "none"))
		return OUTCOME_NO_MATCH;
	return is(facts->match, "ambiguous") ? OUTCOME_AMBIGUOUS : -EINVAL;
}

enum light light_of(const struct light_facts *facts)
{
	int outcome;

	if (is(facts->state, "working"))
		return LIGHT_WORKING;
	if (is(facts->state, "held") || is(facts->state, "flapping"))
		return LIGHT_HELD;
	if (is(facts->state, "settling") || is(facts->state, "waiting"))
		return facts->is_paused ? LIGHT_HELD : LIGHT_WAITING;
	if (!is(facts->state, "done"))
		return LIGHT_IDLE;
	outcome = outcome_of(facts);
	/* An outcome of a later version is none of the good ones that this one knows. */
	if (outcome < 0)
		return facts->outcome[0] ? LIGHT_BAD : LIGHT_IDLE;
	return light_after((enum outcome)outcome);
}

const char *light_advice(const struct light_facts *facts)
{
	int outcome = outcome_of(facts);

	switch (light_of(facts)) {
	case LIGHT_IDLE:
	case LIGHT_WAITING:
	case LIGHT_WORKING:
	case LIGHT_GOOD:
	case LIGHT_MAX:
		return NULL;
	case LIGHT_BAD:
	case LIGHT_WRONG_BOARD:
		break;
	case LIGHT_HELD:
		if (is(facts->state, "flapping"))
			return "check the cable: the bridge comes and goes";
		if (outcome == OUTCOME_QUARANTINED)
			break;
		if (facts->is_paused)
			return "it begins once the service is resumed";
		if (facts->has_held_until)
			return "leave it plugged in: it is tried again by itself";
		break;
	}
	return outcome < 0 ? NULL : advice_after((enum outcome)outcome, ADVICE_SCREEN);
}
