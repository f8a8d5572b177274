/* SPDX-License-Identifier: MIT */
/*
 * ymodem.c - boot loaders that take a file by YMODEM or XMODEM: the transfer, and the menu around
 * it as the rule describes it.
 *
 * Such a loader says neither which chip it is on nor what its flash holds, and it may erase as soon
 * as something is chosen in its menu. So sync() waits for the menu and chooses nothing, which
 * changes nothing in the chip; send() and upload() choose.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "loader/complaint.h"
#include "loader/gecko-error.h"
#include "loader/modem.h"

struct file_loader {
	struct loader base;
	struct modem modem;
	bool is_at_menu; /* of menu.before, in front of this step */
	size_t next;
	char refusal[TEXT_MAX];
};

static struct file_loader *file_loader_of(struct loader *loader)
{
	return (struct file_loader *)((char *)loader - offsetof(struct file_loader, base));
}

static int file_loader_open(const struct loader *base, struct loader **ret)
{
	struct file_loader *made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->base = *base;
	made->modem = (struct modem){
		.expect = base->expect,
		.transfer = &base->board->transfer,
		.has_header = base->ops == &loader_ymodem,
	};
	*ret = &made->base;
	return 0;
}

static struct loader *file_loader_close(struct loader *loader)
{
	free(file_loader_of(loader));
	return NULL;
}

static int from_expect(int r)
{
	return r == EXPECT_SILENT ? LOADER_NO_ANSWER : r;
}

static int open_menu(struct file_loader *file_loader)
{
	struct expect *expect = file_loader->base.expect;
	const struct board_menu *menu = &file_loader->base.board->menu;
	int r;

	expect->known[0] = '\0';
	expect_mark(expect);
	r = expect_open(expect, &menu->before, menu->within_usec, &file_loader->next);
	/* All of the menu is learnt, not only the part that `menu` expects. */
	if (r == 0)
		r = expect_wait_end(expect);
	if (r == 0)
		expect_learn(expect);
	file_loader->is_at_menu = r == 0;
	return from_expect(r);
}

/* A loader without a menu is there when it asks for the file. */
static int file_loader_sync(struct loader *loader, bool was_reset)
{
	struct file_loader *file_loader = file_loader_of(loader);

	(void)was_reset;
	file_loader->modem.is_asked = false;
	if (loader->board->menu.before.n_items > 0)
		return open_menu(file_loader);
	loader->expect->known[0] = '\0';
	expect_mark(loader->expect);
	return modem_wait_start(&file_loader->modem, loader->board->transfer.erase_usec);
}

/* Chooses in the menu, and waits until the loader asks. */
static int ask_for_call(struct file_loader *file_loader)
{
	const struct board *board = file_loader->base.board;
	const struct dialogue *before = &board->menu.before;
	int r = 0;

	if (before->n_items > 0 && !file_loader->is_at_menu)
		r = open_menu(file_loader);
	file_loader->is_at_menu = false;
	if (r == 0)
		r = from_expect(expect_play(file_loader->base.expect, before, file_loader->next,
			before->n_items, board->menu.within_usec));
	return r == 0 ? modem_wait_start(&file_loader->modem, board->transfer.erase_usec) : r;
}

/*
 * A loader that has taken every byte may still refuse the file. So all its text up to the last word
 * is searched for a failure, also where `menu-after` was found in it.
 */
static int hear_verdict(struct file_loader *file_loader)
{
	struct expect *expect = file_loader->base.expect;
	const struct board_menu *menu = &file_loader->base.board->menu;
	char complaint[TEXT_MAX];
	int r = expect_play(expect, &menu->after, 0, menu->after.n_items, menu->within_usec);

	if (r == 0)
		r = expect_wait_last_word(expect);
	if (r < 0)
		return r;
	expect_news(expect, complaint_is_in, complaint, sizeof(complaint));
	return complaint[0] ? LOADER_REFUSED : from_expect(r);
}

static enum gecko_cause read_refusal(struct file_loader *file_loader)
{
	char said[EXPECT_BYTES + 1];

	expect_said(file_loader->base.expect, said);
	return gecko_error_read(said, file_loader->refusal, sizeof(file_loader->refusal));
}

static const char *xmodem_refusal(struct loader *loader)
{
	struct file_loader *file_loader = file_loader_of(loader);

	(void)read_refusal(file_loader);
	return file_loader->refusal;
}

static bool xmodem_is_final(struct loader *loader)
{
	return gecko_cause_is_final(read_refusal(file_loader_of(loader)));
}

static int file_loader_send(struct loader *loader, const struct loader_file *file)
{
	struct file_loader *file_loader = file_loader_of(loader);
	int r = file_loader->modem.is_asked ? 0 : ask_for_call(file_loader);

	if (r != 0)
		return r;
	expect_learn(loader->expect);
	r = modem_send(&file_loader->modem, file);
	return r == 0 ? hear_verdict(file_loader) : r;
}

/* Plays a part of the menu. A file that the loader waits for is cancelled first. */
static int play_part(struct file_loader *file_loader, const struct dialogue *part)
{
	const struct loader *base = &file_loader->base;
	size_t next;
	int r = 0;

	if (part->n_items == 0)
		return LOADER_UNSUPPORTED;
	file_loader->is_at_menu = false;
	if (file_loader->modem.is_asked)
		r = modem_cancel(&file_loader->modem);
	if (r == 0)
		r = expect_open(base->expect, part, base->board->menu.within_usec, &next);
	if (r == 0)
		r = expect_play(
			base->expect, part, next, part->n_items, base->board->menu.within_usec);
	return from_expect(r);
}

static int ymodem_upload(struct loader *loader, const struct loader_sink *sink)
{
	struct file_loader *file_loader = file_loader_of(loader);
	int r = play_part(file_loader, &loader->board->menu.upload);

	return r == 0 ? modem_receive(&file_loader->modem, sink) : r;
}

static int file_loader_start(struct loader *loader, uint32_t address)
{
	(void)address;
	return play_part(file_loader_of(loader), &loader->board->menu.start);
}

const struct loader_ops loader_xmodem = {
	.name = "xmodem",
	.parity = PORT_PARITY_NONE,
	.block_size = PACKET_SMALL,
	.open = file_loader_open,
	.close = file_loader_close,
	.sync = file_loader_sync,
	.refusal = xmodem_refusal,
	.is_final = xmodem_is_final,
	.start = file_loader_start,
	.send = file_loader_send,
};

const struct loader_ops loader_ymodem = {
	.name = "ymodem",
	.parity = PORT_PARITY_NONE,
	.block_size = PACKET_LARGE,
	.open = file_loader_open,
	.close = file_loader_close,
	.sync = file_loader_sync,
	.start = file_loader_start,
	.send = file_loader_send,
	.upload = ymodem_upload,
};
