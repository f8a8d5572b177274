/* SPDX-License-Identifier: MIT */
/*
 * application.h - what passes between us and the running application: the question for its version,
 * the command that makes it give way to its boot loader, and its word that it runs.
 */
#pragma once

#include "device/expect.h"

struct board;
struct board_line;

#define APPLICATION_VERSION_BYTES 64

/*
 * Puts the line into the application's format; what was sent before is out first. 0 or -errno, with
 * the reason where the port could not be configured.
 */
int application_set_line(
	struct expect *expect, const struct board_line *line, struct reason *reason);

/* 0, EXPECT_SILENT, or -errno. */
int application_ask_version(struct expect *expect, const struct board *board,
	char ret[APPLICATION_VERSION_BYTES], struct reason *reason);

/*
 * Sends entry-command and waits: for entry-reply where the rule has one (EXPECT_SILENT: it did not
 * come), else until the boot loader may be expected.
 */
int application_command(struct expect *expect, const struct board *board, struct reason *reason);

/*
 * Waits for what the rule's `confirm` wants to hear, and asks for it each second where the rule has
 * a `confirm-query`. A boot loader that comes back with its menu has not confirmed, whatever its
 * banner says. 0, EXPECT_SILENT, or -errno.
 */
int application_confirm(struct expect *expect, const struct board *board);

/* Whether what was heard and not used has the prompt of the loader's menu in it. */
bool application_is_loader(const struct expect *expect, const struct board *board);
