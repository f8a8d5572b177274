/* SPDX-License-Identifier: MIT */
#include "flash/application.h"

#include "base/util.h"
#include "rules/config.h"

#define DRAIN_USEC USEC_PER_SEC

/* An answer to a question comes at once, a version without a question in the next status line. */
#define VERSION_USEC (2 * USEC_PER_SEC)

/* An application that is still starting misses the question; one second is enough to answer it. */
#define ASK_AGAIN_USEC USEC_PER_SEC

int application_set_line(
	struct expect *expect, const struct board_line *line, struct reason *reason)
{
	/* The last byte must not be sent in two formats. A port that does not drain fails later. */
	(void)port_drain(expect->port, port_now(expect->port) + DRAIN_USEC);
	return port_configure(expect->port, line->baud,
		line->even_parity ? PORT_PARITY_EVEN : PORT_PARITY_NONE, reason);
}

static int address_application(
	struct expect *expect, const struct board_application *application, struct reason *reason)
{
	int r = application_set_line(expect, &application->line, reason);

	return r == 0 ? expect_forget(expect) : r;
}

int application_ask_version(struct expect *expect, const struct board *board,
	char ret[APPLICATION_VERSION_BYTES], struct reason *reason)
{
	const struct board_application *application = &board->application;
	const struct dialogue_text *query = &application->version_query;
	int r = address_application(expect, application, reason);

	if (r == 0 && query->n_bytes > 0)
		r = expect_say(expect, query->bytes, query->n_bytes);
	return r == 0 ? expect_text(expect, application->version_pattern,
				port_now(expect->port) + VERSION_USEC, ret,
				APPLICATION_VERSION_BYTES)
		      : r;
}

int application_command(struct expect *expect, const struct board *board, struct reason *reason)
{
	const struct board_application *application = &board->application;
	int r = address_application(expect, application, reason);

	if (r == 0)
		r = expect_say(expect, application->command.bytes, application->command.n_bytes);
	if (r != 0)
		return r;
	if (!application->reply)
		return port_wait(expect->port, application->wait_usec);
	return expect_text(expect, application->reply,
		port_now(expect->port) + application->wait_usec, NULL, 0);
}

bool application_is_loader(const struct expect *expect, const struct board *board)
{
	const struct dialogue *menu = &board->menu.before;

	for (size_t i = 0; i < menu->n_items; i++)
		if (menu->items[i].kind == DIALOGUE_EXPECT)
			return expect_repeats(expect, menu->items[i].text.bytes);
	return false;
}

/* Waits for the pattern, in a text that does not end with the loader's prompt. */
static int expect_confirm(struct expect *expect, const struct board *board, uint64_t deadline)
{
	int r;

	do {
		r = expect_text(expect, board->confirm.pattern, deadline, NULL, 0);
		if (r != 0 || board->menu.before.n_items == 0)
			return r;
		r = expect_wait_last_word(expect);
	} while (r == 0 && application_is_loader(expect, board));
	return r;
}

int application_confirm(struct expect *expect, const struct board *board)
{
	const struct board_confirm *confirm = &board->confirm;
	uint64_t deadline = port_now(expect->port) + confirm->within_usec;

	for (;;) {
		uint64_t until = port_now(expect->port) + ASK_AGAIN_USEC;
		bool is_last = confirm->query.n_bytes == 0 || until >= deadline;
		int r = expect_confirm(expect, board, is_last ? deadline : until);

		if (r != EXPECT_SILENT || is_last)
			return r;
		r = expect_say(expect, confirm->query.bytes, confirm->query.n_bytes);
		if (r != 0)
			return r;
	}
}
