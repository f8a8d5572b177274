/* SPDX-License-Identifier: MIT */
/*
 * package-check.c - see package-check.h.
 *
 * The boot loader of such a file takes what it is given: it looks whether the file is whole, and
 * whether it is for the chip, not whether anybody on this host can talk to it afterwards. A stick
 * that got the firmware of another protocol, or of another rate, has vanished for the program that
 * uses it. So the words that the maker put into the file are compared with the rule. Three kinds
 * are refused without a word in the rule:
 *
 * - what replaces the boot loader or the secure element: one that is cut off, or of another board,
 *   can be mended by a debugger alone (gecko.md 4)
 * - a kind of firmware whose protocol is none of those that the rule says the application speaks:
 *   the question whether the new one runs could only fail
 * - a rate at which the rule never asks the application, for the same reason
 *
 * A file that says nothing is taken, unless the rule has `fw-type`; there `unsaid` takes it.
 */
#include "flash/package-check.h"

#include <string.h>

#include "application/application-protocol.h"
#include "base/outcome.h"
#include "base/util.h"
#include "rules/package-keys.h"

/* What speaks which protocol, of the kinds that are known (gecko.md 4); 0: none of them. */
static const struct {
	const char *fw_type;
	unsigned applications;
} kinds[] = {
	{"zigbee_ncp", 1u << APPLICATION_EZSP},
	{"openthread_rcp", 1u << APPLICATION_SPINEL},
	{"multipan", 1u << APPLICATION_CPC},
	{"zwave_ncp", 1u << APPLICATION_ZWAVE},
	{"zigbee_router", 0},
};

unsigned package_applications(const char *fw_type)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].fw_type, fw_type) == 0)
			return kinds[i].applications;
	return 0;
}

#define LOADER_TYPE "bootloader"

static int check_parts(
	const struct board *board, const struct image_maker *maker, struct reason *reason)
{
	const char *what =
		maker->brings_loader ? "a boot loader" : "firmware for the secure element";
	bool is_loader = strcmp(maker->fw_type, LOADER_TYPE) == 0;

	if (board->boot_loader_update)
		return 0;
	if (maker->brings_loader || maker->brings_secure_element)
		return reason_refuse(OUTCOME_BAD_IMAGE, reason,
			"it brings %s (tag at offset %zu), and one that is cut off or of another board is mended by a debugger alone: expected an application alone, or boot-loader-update = yes in the rule",
			what, maker->at);
	if (is_loader)
		return reason_refuse(OUTCOME_BAD_IMAGE, reason,
			"its fw_type is '" LOADER_TYPE
			"': expected an application, or boot-loader-update = yes in the rule");
	return 0;
}

static const char *list_types(const struct board *board, char *to, size_t size)
{
	size_t used = 0;

	to[0] = '\0';
	for (size_t i = 0; i < board->n_fw_type && used < size; i++)
		used += (size_t)snprintf(
			to + used, size - used, "%s%s", i > 0 ? " or " : "", board->fw_type[i]);
	return to;
}

static bool takes_type(const struct board *board, const char *type)
{
	for (size_t i = 0; i < board->n_fw_type; i++)
		if (strcmp(board->fw_type[i], type) == 0)
			return true;
	return board->boot_loader_update && strcmp(type, LOADER_TYPE) == 0;
}

static int check_listed(
	const struct board *board, const struct image_maker *maker, struct reason *reason)
{
	char wanted[TEXT_MAX / 2];

	list_types(board, wanted, sizeof(wanted));
	if (maker->fw_type[0])
		return takes_type(board, maker->fw_type)
			       ? 0
			       : reason_refuse(OUTCOME_BAD_IMAGE, reason,
					 "its fw_type is '%s', and the rule wants %s (`fw-type`): is it the file for this stick?",
					 maker->fw_type, wanted);
	if (takes_type(board, FW_TYPE_UNSAID))
		return 0;
	return reason_refuse(OUTCOME_BAD_IMAGE, reason,
		"it %s, and the rule wants fw_type %s (`fw-type`): add '" FW_TYPE_UNSAID
		"' there to take such files",
		maker->is_encrypted ? "is encrypted and does not show what it is"
				    : "does not say what it is",
		wanted);
}

/* By the protocols that the rule says the application speaks. */
static int check_spoken(
	const struct board *board, const struct image_maker *maker, struct reason *reason)
{
	char spoken[TEXT_MAX / 2], other[TEXT_MAX / 2];

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].fw_type, maker->fw_type) != 0 ||
			kinds[i].applications & board->applications)
			continue;
		application_protocols_list(board->applications, spoken, sizeof(spoken));
		if (!kinds[i].applications)
			return reason_refuse(OUTCOME_BAD_IMAGE, reason,
				"its fw_type is '%s', which is silent, and the rule says that the application speaks %s: nobody could ask it whether it runs (fw-type = %s in the rule takes it)",
				maker->fw_type, spoken, maker->fw_type);
		return reason_refuse(OUTCOME_BAD_IMAGE, reason,
			"its fw_type is '%s', which speaks %s, and the rule says that the application speaks %s: take the file for this stick; one that is to change over has both in `entry` (or `application`)",
			maker->fw_type,
			application_protocols_list(kinds[i].applications, other, sizeof(other)),
			spoken);
	}
	return 0;
}

/* Whether the rule asks an application of any of its protocols at this rate. */
static bool is_asked_at(const struct board *board, uint32_t baud)
{
	for (unsigned i = 0; i < APPLICATION_PROTOCOL_MAX; i++) {
		const struct application_protocol_ops *ops =
			application_protocol_of((enum application_protocol)i);

		if (!(board->applications >> i & 1))
			continue;
		/* Of a protocol that is not spoken here no rate is known to be wrong. */
		if (!ops)
			return true;
		for (size_t j = 0; j < ops->n_bauds; j++)
			if (ops->bauds[j] == baud)
				return true;
	}
	return false;
}

/* The rule's rate for the new application, where it has one, is that of its confirmation. */
static int check_baud(
	const struct board *board, const struct image_maker *maker, struct reason *reason)
{
	const char *key = board->confirm.has_baud ? "confirm-baud" : "entry-baud";
	uint32_t wanted = board->confirm.has_baud	? board->confirm.line.baud
			  : board->application.has_baud ? board->application.line.baud
							: 0;

	if (maker->baud == 0 || maker->baud == wanted)
		return 0;
	if (wanted > 0)
		return reason_refuse(OUTCOME_BAD_IMAGE, reason,
			"its application talks at %u baud, and the rule wants %u (`%s`): is it the build for this stick and for the program that uses it?",
			maker->baud, wanted, key);
	if (board->applications == 0 || is_asked_at(board, maker->baud))
		return 0;
	return reason_refuse(OUTCOME_BAD_IMAGE, reason,
		"its application talks at %u baud, at which nobody looks for it: expected a usual rate, or confirm-baud = %u in the rule",
		maker->baud, maker->baud);
}

int package_check(const struct board *board, const struct image *image, struct reason *reason)
{
	const struct image_maker *maker = &image->maker;
	int r = check_parts(board, maker, reason);

	if (r == 0 && board->n_fw_type > 0)
		r = check_listed(board, maker, reason);
	else if (r == 0 && board->applications)
		r = check_spoken(board, maker, reason);
	return r == 0 ? check_baud(board, maker, reason) : r;
}
