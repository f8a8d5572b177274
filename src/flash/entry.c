/* SPDX-License-Identifier: MIT */
/*
 * entry.c - the ladder of tries that leads into the boot loader.
 *
 * Every try is a fresh reset, since a boot loader looks at the rate once. Each rate of the rule is
 * tried twice: with the usual start of the chip, and, after silence, with its slowest start; the
 * second try also listens for an application, since what is heard in the loader's place names the
 * fault of the wiring. With `entry = command` a try is the command to the application and then the
 * loader directly, which may be there already; the order is reversed where there is no application,
 * and where a reset makes both fresh. Where the wiring has several ways in, each try takes the
 * next.
 */
#include "flash/entry.h"

#include <errno.h>

#include "base/util.h"
#include "flash/application.h"
#include "flash/entry-private.h"

/*
 * AN2606 gives the start-up time as a typical minimum, and reset circuits let NRST rise slowly (10
 * k and 100 nF: 1 ms): 5 ms on top cover both.
 */
#define STARTUP_MARGIN_USEC (5 * USEC_PER_MSEC)

int entry_play(struct port *port, const struct wiring_steps *steps)
{
	for (size_t i = 0; i < steps->n_items; i++) {
		const struct wiring_step *step = &steps->items[i];
		int r = 0;

		if (step->mask != 0)
			r = port_set_lines(port, step->mask, step->lines);
		if (r == 0 && step->wait_usec > 0)
			r = port_wait(port, step->wait_usec);
		if (r < 0)
			return r;
	}
	return 0;
}

uint64_t entry_startup_usec(const struct entry *entry, bool slow)
{
	uint64_t longest = 0;

	for (size_t i = 0; i < entry->board->n_chip; i++) {
		const struct chip *chip =
			chip_table_find_for(entry->chips, entry->board, entry->board->chip[i]);
		uint64_t usec = STARTUP_DEFAULT_USEC;

		if (chip && slow && chip->startup_slow_usec > 0)
			usec = chip->startup_slow_usec;
		else if (chip && !slow && chip->startup_usec > 0)
			usec = chip->startup_usec;
		if (usec > longest)
			longest = usec;
	}
	return (longest > 0 ? longest : STARTUP_DEFAULT_USEC) + STARTUP_MARGIN_USEC;
}

const char *entry_entered(const struct entry *entry)
{
	static const char *const names[] = {
		[ENTRY_WAY_NONE] = "",
		[ENTRY_WAY_LINES] = "lines",
		[ENTRY_WAY_COMMAND] = "command",
		[ENTRY_WAY_DIRECT] = "direct",
		[ENTRY_WAY_APPLICATION] = "application",
	};

	return entry->way == ENTRY_WAY_APPLICATION
		       ? application_protocol_to_string(entry->spoken.protocol)
		       : names[entry->way];
}

/* From its start to the first line that an application says, if it says one. */
#define LISTEN_USEC (100 * USEC_PER_MSEC)

uint32_t entry_rate(const struct entry_try *try)
{
	const struct loader_ops *ops = try->entry->loader->ops;

	return ops->set_baud ? ops->entry_baud : try->baud;
}

int entry_set_loader_line(const struct entry_try *try)
{
	const struct entry *entry = try->entry;
	const struct board *board = entry->board;
	const struct chip *chip = NULL;

	/* Some families speak without parity (STM32W); the rule's first chip tells. */
	if (board->n_chip > 0)
		chip = chip_table_find_for(entry->chips, board, board->chip[0]);
	return port_configure(entry->port, entry_rate(try),
		chip && chip->no_parity ? PORT_PARITY_NONE : entry->loader->ops->parity,
		try->reason);
}

int entry_listen(struct entry *entry)
{
	struct heard *heard = &entry->heard;

	while (heard->n_bytes < sizeof(heard->bytes)) {
		size_t n = 0;
		int r = port_read_some(entry->port, heard->bytes + heard->n_bytes,
			sizeof(heard->bytes) - heard->n_bytes, port_now(entry->port), &n);

		if (r == -ETIMEDOUT)
			return 0;
		if (r < 0)
			return r;
		heard->n_bytes += n;
	}
	return 0;
}

/*
 * The loader has answered: the pin that led into it has done its work. Where the lines are a guess
 * this may be the reset of another circuit, and nothing is written that needs it.
 */
static int let_go_of_boot_pin(const struct entry *entry)
{
	const struct wiring_step *step = &entry->wiring->let_go;

	if (entry->is_guess || !entry->loader->ops->frees_boot_pin || !entry->board->has_lines ||
		step->mask == 0)
		return 0;
	return port_set_lines(entry->port, step->mask, step->lines);
}

int entry_meet(const struct entry_try *try, bool was_reset, enum entry_way way)
{
	struct entry *entry = try->entry;
	const struct loader_ops *ops = entry->loader->ops;
	/* An STM32's ROM is silent until it is spoken to: bytes since the reset are of something
	 * else. */
	bool listens = !ops->send && !ops->hear && entry->heard.n_bytes == 0;
	int r, heard = 0;

	(void)try->on_phase(try->userdata, PHASE_SYNC);
	r = listens ? entry_listen(entry) : 0;
	if (r == 0)
		r = ops->sync(entry->loader, was_reset);
	if (r > 0 && listens)
		heard = entry_listen(entry);
	if (r == 0)
		r = let_go_of_boot_pin(entry);
	if (r != 0)
		return heard < 0 ? heard : r;
	entry->baud = entry_rate(try);
	entry->way = way;
	if (!ops->identify)
		return 0;
	(void)try->on_phase(try->userdata, PHASE_IDENTIFY);
	r = ops->identify(entry->loader, try->identity);
	entry->is_identified = r == 0;
	entry->words_baud = try->identity->words_baud;
	/* With a chip that is refused nothing is left to do that would need a rate. */
	if (r != 0 || entry->baud == try->baud || *try->identity->refusal)
		return r;
	r = ops->set_baud(entry->loader, try->baud);
	if (r == 0)
		entry->baud = try->baud;
	/* An ESP8266 stays at the rate at which it was met. */
	return r == LOADER_UNSUPPORTED ? 0 : r;
}

/*
 * Text of the application from before the reset is dropped: the loader's first words count. Most
 * applications speak without parity, and their text is garbled on the loader's line. So after a
 * first try in vain the port listens without parity while the chip starts.
 */
static int try_lines(const struct entry_try *try)
{
	struct entry *entry = try->entry;
	bool listens = (try->slow || entry->is_guess) && !entry->loader->ops->send;
	int r = listens ? port_configure(entry->port, try->baud, PORT_PARITY_NONE, try->reason)
			: entry_set_loader_line(try);

	if (r < 0)
		return r;
	entry->is_inside = true;
	r = expect_forget(entry->expect);
	if (r == 0)
		r = entry_play(entry->port, &entry->wiring->enters[entry->enter]);
	if (r == 0)
		r = port_wait(entry->port, entry_startup_usec(entry, try->slow));
	if (r == 0 && listens)
		r = port_wait(entry->port, LISTEN_USEC);
	if (r == 0 && listens)
		r = entry_listen(entry);
	if (r == 0 && listens)
		r = entry_set_loader_line(try);
	return r < 0 ? r : entry_meet(try, true, ENTRY_WAY_LINES);
}

/*
 * `was_reset`: the loader may be fresh from a reset, and its first text has not come yet. Else it
 * may have taken the command to the application for a key, and have shown its menu, which it does
 * not show again. Where both speak at the same rate, that menu was received already.
 */
static int try_direct(const struct entry_try *try, bool was_reset)
{
	const struct board *board = try->entry->board;
	const struct board_line *line = &board->application.line;
	bool has_menu = !was_reset && board->entry == BOARD_ENTRY_COMMAND &&
			board->menu.before.n_items > 0 && line->baud == try->baud &&
			!line->even_parity;
	int r = entry_set_loader_line(try);

	if (r == 0 && !has_menu)
		r = expect_forget(try->entry->expect);
	if (r < 0)
		return r;
	try->entry->is_inside = true;
	return entry_meet(try, was_reset, ENTRY_WAY_DIRECT);
}

int entry_reset_application(const struct entry_try *try)
{
	struct entry *entry = try->entry;
	int r = entry_play(entry->port, &entry->wiring->enters[0]);

	return r == 0 ? port_wait(entry->port, entry->board->application.wait_usec) : r;
}

static int try_command(const struct entry_try *try)
{
	struct entry *entry = try->entry;
	bool replies = entry->board->application.reply != NULL;
	int r;

	r = application_command(entry->expect, entry->board, try->reason);
	if (r != 0)
		return r < 0 ? r : LOADER_NO_ANSWER;
	entry->is_inside = true;
	entry->has_answered = replies;
	if (replies)
		r = port_wait(entry->port, entry_startup_usec(entry, try->slow));
	if (r == 0)
		r = entry_set_loader_line(try);
	return r < 0 ? r : entry_meet(try, replies, ENTRY_WAY_COMMAND);
}

bool entry_is_worth_a_reset(int r)
{
	return r == LOADER_NO_ANSWER || r == LOADER_GARBLED || r == LOADER_REFUSED ||
	       r == LOADER_UNSTEADY;
}

/*
 * The application first; where it was torn, the loader. A ROM takes the first bytes it receives for
 * the rate, so a command to the application spoils it up to the next reset. Where the first try was
 * in vain and there is a line for it, both are met fresh from a reset, the loader first.
 */
static int try_both(const struct entry_try *try)
{
	struct entry *entry = try->entry;
	bool resets = try->slow && entry->board->has_lines;
	bool direct_first = resets || entry->has_no_application;
	int r = resets ? entry_reset_application(try) : 0;

	if (r == 0)
		r = direct_first ? try_direct(try, resets) : try_command(try);
	if (!entry_is_worth_a_reset(r))
		return r;
	if (resets) {
		r = entry_reset_application(try);
		if (r < 0)
			return r;
	}
	return direct_first ? try_command(try) : try_direct(try, false);
}

int entry_try_once(const struct entry_try *try, bool is_last)
{
	if (!try->on_phase(try->userdata, PHASE_ENTER))
		return -ECANCELED;
	try->entry->n_tries++;
	try->entry->heard.n_bytes = 0;
	try->entry->is_identified = false;
	switch (try->entry->board->entry) {
	case BOARD_ENTRY_LINES:
		return try->entry->loader->ops->hear ? entry_try_way(try, is_last) : try_lines(try);
	case BOARD_ENTRY_NONE:
		return try_direct(try, false);
	case BOARD_ENTRY_COMMAND:
		return try_both(try);
	case BOARD_ENTRY_APPLICATION:
		return entry_try_application(try);
	}
	return LOADER_NO_ANSWER;
}

/*
 * Each rate is tried with the usual start of the chip and with the slowest, where it is reset, and
 * by each way. A guess is one of several, and nearly always wrong: its one try listens as well.
 */
static size_t tries_per_rate(const struct entry *entry)
{
	size_t n = entry_n_ways(entry);

	if (entry->board->entry == BOARD_ENTRY_APPLICATION)
		return 1;
	if (entry->is_guess)
		return n;
	return n > 2 ? n : 2;
}

uint32_t entry_tries(const struct entry *entry)
{
	if (entry->loader->ops->hear)
		return (uint32_t)entry_n_ways(entry);
	return (uint32_t)(entry->board->baud.n_items * tries_per_rate(entry));
}

bool entry_is_foreign(struct entry *entry)
{
	const struct loader_ops *ops = entry->loader->ops;

	entry->foreign = ops->hear || ops->send ? NULL : heard_foreign(&entry->heard);
	return entry->foreign != NULL;
}

/*
 * Once in a job behind the first try, since a chip of another kind is no reason to play all ways,
 * and once behind the last. Where this job has torn the application nobody is there to be asked.
 */
static int look_around(struct entry *entry, bool is_last)
{
	bool is_by_lines = entry->board->entry == BOARD_ENTRY_LINES;

	if (!entry->loader->ops->look || entry->has_no_application || entry->n_looks > is_last ||
		(!is_last && !is_by_lines))
		return 0;
	entry->n_looks = is_last + 1;
	return entry_look(entry, is_last);
}

/* Each try by the next way, from the one that worked last. */
static int enter_at_rate(struct entry_try *try)
{
	struct entry *entry = try->entry;
	size_t n_ways = entry_n_ways(entry);
	int r = LOADER_NO_ANSWER, looked;

	for (size_t i = 0; i < tries_per_rate(entry); i++) {
		try->slow = i > 0;
		r = entry_try_once(try, false);
		if (!entry_is_worth_a_reset(r))
			return r;
		if (entry_is_foreign(entry))
			return LOADER_FOREIGN;
		looked = look_around(entry, false);
		if (looked != 0)
			return looked;
		entry->enter = (entry->enter + 1) % n_ways;
	}
	return r;
}

int entry_enter(struct entry *entry, struct chip_identity *ret,
	bool (*on_phase)(void *userdata, enum phase phase), void *userdata, struct reason *reason)
{
	const struct baud_list *ladder = &entry->board->baud;
	struct entry_try try = {entry, 0, false, ret, on_phase, userdata, reason};
	int r = LOADER_NO_ANSWER, looked;

	if (entry->loader->ops->hear)
		return entry_enter_by_ways(&try);
	for (; entry->rung < ladder->n_items; entry->rung++) {
		try.baud = ladder->items[entry->rung];
		r = enter_at_rate(&try);
		if (!entry_is_worth_a_reset(r))
			return r;
	}
	/* A next entry begins with the whole ladder again. */
	entry->rung = 0;
	looked = look_around(entry, true);
	return looked != 0 ? looked : r;
}

bool entry_step_down(struct entry *entry)
{
	if (entry->rung + 1 >= entry->board->baud.n_items)
		return false;
	entry->rung++;
	return true;
}
