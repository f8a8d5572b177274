/* SPDX-License-Identifier: MIT */
/*
 * application.h - the conversation with the running application: the question for its version, the
 * command that makes it enter its boot loader, and its word that it runs.
 */
#pragma once

#include "application/application-protocol.h"

struct board;
struct board_line;

/*
 * Sets the port to the rate and format of the application, after all that was sent before is out. 0
 * or -errno, with the reason where the port could not be configured.
 */
int application_set_line(
	struct expect *expect, const struct board_line *line, struct reason *reason);

/* 0, EXPECT_SILENT, or -errno. */
int application_ask_version(struct expect *expect, const struct board *board,
	char ret[APPLICATION_VERSION_BYTES], struct reason *reason);

/*
 * Sends `entry-command` and waits: for `entry-reply` where the rule has one (EXPECT_SILENT: it did
 * not come), else for `entry-wait`.
 */
int application_command(struct expect *expect, const struct board *board, struct reason *reason);

/*
 * Waits for a text that fits the rule's `confirm`, and asks for it each second where the rule has a
 * `confirm-query`. The banner of a boot loader that comes back with its menu does not count. 0,
 * EXPECT_SILENT, or -errno.
 */
int application_confirm(struct expect *expect, const struct board *board);

/* Whether the received and unused text has the prompt of the loader's menu in it. */
bool application_is_loader(const struct expect *expect, const struct board *board);
