/* SPDX-License-Identifier: MIT */
/*
 * entry.c - the ladder of tries that leads into the boot loader.
 *
 * Every try is a fresh reset, since a boot loader looks at the rate once. Each rate of the rule is
 * tried twice: with the usual start of the chip, and, after silence, with its slowest start; the
 * second try also listens for an application, since what is heard in the loader's place names the
 * fault of the wiring. With `entry = command` a try is the command to the application and then the
 * loader directly, which may be there already; the order is reversed where there is no application,
 * and where a reset makes both fresh.
 *
 * An ESP's ROM is met at one rate by several sequences of the lines, and says itself how it
 * started: wiring.enters, loader_ops.hear. There a try is a sequence, in turn, each with the same
 * wait; the rates come into play once the loader was met (loader_ops.set_baud). The chip's words
 * are read before it is spoken to, since the first edges that it receives set its rate, and a chip
 * that says that it starts from its flash is not spoken to at all (esp-rom.md 2.5, 2.7).
 */
#include "flash/entry.h"

#include <errno.h>

#include "base/util.h"
#include "flash/application.h"
#include "flash/entry-steps.h"

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

/* The longest start of the rule's chips: it is not known yet which of them is there. */
static uint64_t startup_usec(const struct entry *entry, bool slow)
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

const char *entry_way_to_string(enum entry_way way)
{
	static const char *const names[] = {
		[ENTRY_WAY_NONE] = "",
		[ENTRY_WAY_LINES] = "lines",
		[ENTRY_WAY_COMMAND] = "command",
		[ENTRY_WAY_DIRECT] = "direct",
	};

	return names[way];
}

/* From its start to the first line that an application says, if it says one. */
#define LISTEN_USEC (100 * USEC_PER_MSEC)

/* Text that came so lately goes on. */
#define TALKING_USEC (50 * USEC_PER_MSEC)

/* One try: a rate, a speed of the start, and where the result goes. */
struct entry_try {
	struct entry *entry;
	uint32_t baud;
	bool slow;
	struct chip_identity *identity;
	bool (*on_phase)(void *userdata, enum phase phase);
	void *userdata;
	struct reason *reason;
};

/* Some loaders are met at one rate, whatever the rule has, and brought to another afterwards. */
static uint32_t entry_rate(const struct entry_try *try)
{
	const struct loader_ops *ops = try->entry->loader->ops;

	return ops->set_baud ? ops->entry_baud : try->baud;
}

static int set_loader_line(const struct entry_try *try)
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

/* The boot loader must be there now: synchronises, identifies, and goes to the rate of the rule. */
static int meet(const struct entry_try *try, bool was_reset, enum entry_way way)
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

/* Of bytes received at a wrong rate hardly a third are printable. */
static bool is_text(const struct loader_words *words)
{
	return words->n_letters * 4 >= words->n_bytes * 3;
}

/* Whether the chip has said all that matters before it is spoken to. */
static bool has_told(const struct loader_words *words)
{
	return words->start == LOADER_START_LOADER ? words->is_waiting
						   : words->start > LOADER_START_OTHER;
}

int entry_hear(struct entry *entry, struct loader_words *words, uint64_t deadline)
{
	uint8_t bytes[256];
	size_t n = 0;
	int r = port_read_some(entry->port, bytes, sizeof(bytes), deadline, &n);

	if (r == 0)
		entry->loader->ops->hear(words, bytes, n);
	return r;
}

/* `ret_is_talking`: something that is no ROM is still at it at the end of that time. */
static int hear_words(
	struct entry *entry, struct loader_words *words, uint64_t usec, bool *ret_is_talking)
{
	uint64_t deadline = port_now(entry->port) + usec, heard = 0;
	int r = 0;

	while (r == 0 && !has_told(words)) {
		r = entry_hear(entry, words, deadline);
		heard = r == 0 ? port_now(entry->port) : heard;
	}
	if (r != 0 && r != -ETIMEDOUT)
		return r;
	*ret_is_talking = !has_told(words) && is_text(words) && heard + TALKING_USEC >= deadline;
	return 0;
}

/* Of all tries the words that tell most are kept. */
static void keep_words(struct entry *entry, const struct loader_words *words)
{
	if (words->start > entry->words.start ||
		(words->start == entry->words.start && words->n_bytes > entry->words.n_bytes))
		entry->words = *words;
}

static size_t n_ways(const struct entry *entry)
{
	return entry->board->entry == BOARD_ENTRY_LINES && entry->loader->ops->hear
		       ? entry->wiring->n_enters
		       : 1;
}

/* By one of several ways, to a chip that says how it starts. */
static int try_way(const struct entry_try *try, bool is_last)
{
	struct entry *entry = try->entry;
	struct loader_words words = {.baud = entry_rate(try)};
	bool is_running, is_talking = false;
	int r = set_loader_line(try);

	if (r < 0)
		return r;
	entry->is_inside = true;
	r = expect_forget(entry->expect);
	if (r == 0)
		r = entry_play(entry->port, &entry->wiring->enters[entry->enter]);
	if (r == 0)
		r = hear_words(entry, &words, startup_usec(entry, false) + WORDS_USEC, &is_talking);
	if (r < 0)
		return r;
	keep_words(entry, &words);
	is_running = words.start == LOADER_START_FLASH || words.start == LOADER_START_FAILED;
	/* An application would take what is sent for a command of its own. */
	if ((is_running || is_talking) && !is_last)
		return LOADER_NO_ANSWER;
	return meet(try, true, ENTRY_WAY_LINES);
}

/*
 * Text of the application from before the reset is dropped: the loader's first words count. Most
 * applications speak without parity, and their text is garbled on the loader's line. So after a
 * first try in vain the port listens without parity while the chip starts.
 */
static int try_lines(const struct entry_try *try)
{
	struct entry *entry = try->entry;
	bool listens = try->slow && !entry->loader->ops->send;
	int r = listens ? port_configure(entry->port, try->baud, PORT_PARITY_NONE, try->reason)
			: set_loader_line(try);

	if (r < 0)
		return r;
	entry->is_inside = true;
	r = expect_forget(entry->expect);
	if (r == 0)
		r = entry_play(entry->port, &entry->wiring->enters[0]);
	if (r == 0)
		r = port_wait(entry->port, startup_usec(entry, try->slow));
	if (r == 0 && listens)
		r = port_wait(entry->port, LISTEN_USEC);
	if (r == 0 && listens)
		r = entry_listen(entry);
	if (r == 0 && listens)
		r = set_loader_line(try);
	return r < 0 ? r : meet(try, true, ENTRY_WAY_LINES);
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
	int r = set_loader_line(try);

	if (r == 0 && !has_menu)
		r = expect_forget(try->entry->expect);
	if (r < 0)
		return r;
	try->entry->is_inside = true;
	return meet(try, was_reset, ENTRY_WAY_DIRECT);
}

static int reset_application(const struct entry_try *try)
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
		r = port_wait(entry->port, startup_usec(entry, try->slow));
	if (r == 0)
		r = set_loader_line(try);
	return r < 0 ? r : meet(try, replies, ENTRY_WAY_COMMAND);
}

/* Whether another reset may help. */
static bool is_worth_a_reset(int r)
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
	int r = resets ? reset_application(try) : 0;

	if (r == 0)
		r = direct_first ? try_direct(try, resets) : try_command(try);
	if (!is_worth_a_reset(r))
		return r;
	if (resets) {
		r = reset_application(try);
		if (r < 0)
			return r;
	}
	return direct_first ? try_command(try) : try_direct(try, false);
}

static int try_once(const struct entry_try *try, bool is_last)
{
	if (!try->on_phase(try->userdata, PHASE_ENTER))
		return -ECANCELED;
	try->entry->n_tries++;
	try->entry->heard.n_bytes = 0;
	try->entry->is_identified = false;
	switch (try->entry->board->entry) {
	case BOARD_ENTRY_LINES:
		return try->entry->loader->ops->hear ? try_way(try, is_last) : try_lines(try);
	case BOARD_ENTRY_NONE:
		return try_direct(try, false);
	case BOARD_ENTRY_COMMAND:
		return try_both(try);
	case BOARD_ENTRY_APPLICATION:
		return try_direct(try, false);
	}
	return LOADER_NO_ANSWER;
}

/* Each rate is tried with the usual start of the chip and with the slowest. */
#define TRIES_PER_RATE 2

uint32_t entry_tries(const struct entry *entry)
{
	if (entry->loader->ops->hear)
		return (uint32_t)n_ways(entry);
	return (uint32_t)entry->board->baud.n_items * TRIES_PER_RATE;
}

/*
 * Bytes that are no text at this rate may be the text of a relative, which takes any rate and
 * speaks at its own (ESP8266, esp-rom.md 2.7): one more reset, to hear it and name it.
 */
static int hear_relative(const struct entry_try *try)
{
	struct entry *entry = try->entry;
	uint32_t baud = entry->loader->ops->words_baud;
	struct loader_words words = {.baud = baud};
	struct reason ignored;
	bool ignored_too;
	int r;

	if (baud == 0 || entry->board->entry != BOARD_ENTRY_LINES ||
		entry->words.start != LOADER_START_OTHER || is_text(&entry->words))
		return 0;
	/* A bridge that does not have this rate can tell nothing. */
	r = port_configure(entry->port, baud, PORT_PARITY_NONE, &ignored);
	if (r == -ENOTSUP)
		return 0;
	if (r == 0)
		r = expect_forget(entry->expect);
	if (r == 0)
		r = entry_play(entry->port, &entry->wiring->enters[0]);
	if (r == 0)
		r = hear_words(
			entry, &words, startup_usec(entry, false) + WORDS_USEC, &ignored_too);
	if (r == 0 && words.start > LOADER_START_OTHER)
		keep_words(entry, &words);
	return r;
}

/* What a chip that was not met has said decides whether it is worth to begin once more. */
static bool is_vain(const struct entry *entry)
{
	const struct loader_words *words = &entry->words;

	/* A board without a whole application is not given up. */
	if (entry->has_no_application || entry->board->entry != BOARD_ENTRY_LINES)
		return false;
	switch (words->start) {
	case LOADER_START_UNHEARD:
	case LOADER_START_LOADER:
		return true;
	case LOADER_START_OTHER:
		return is_text(words);
	case LOADER_START_ODD:
	case LOADER_START_FLASH:
	case LOADER_START_FAILED:
		break;
	}
	return false;
}

/*
 * Each way in turn, from the one that worked last. Where the loader was met and the rate of the
 * rule was not, the next rate follows, by the same way.
 */
static int enter_by_ways(struct entry_try *try)
{
	struct entry *entry = try->entry;
	const struct baud_list *ladder = &entry->board->baud;
	size_t n = n_ways(entry), n_vain = 0;
	bool was_met = false;
	int r = LOADER_NO_ANSWER;

	entry->words = (struct loader_words){0};
	entry->is_vain = false;
	while (n_vain < n && entry->rung < ladder->n_items) {
		entry->way = ENTRY_WAY_NONE;
		try->baud = ladder->items[entry->rung];
		r = try_once(try, n_vain + 1 == n);
		/* A stub that still runs: the reset did not reach the chip. */
		if (!is_worth_a_reset(r) && r != LOADER_FOREIGN)
			return r;
		if (entry->is_identified) {
			was_met = true;
			entry->rung++;
			continue;
		}
		was_met = was_met || entry->way != ENTRY_WAY_NONE;
		entry->enter = (entry->enter + 1) % n;
		n_vain++;
	}
	if (!was_met && r != LOADER_FOREIGN) {
		int heard = hear_relative(try);

		if (heard < 0)
			return heard;
		entry->is_vain = is_vain(entry);
	}
	entry->rung = 0;
	return r;
}

bool entry_is_foreign(struct entry *entry)
{
	const struct loader_ops *ops = entry->loader->ops;

	entry->foreign = ops->hear || ops->send ? NULL : heard_foreign(&entry->heard);
	return entry->foreign != NULL;
}

int entry_enter(struct entry *entry, struct chip_identity *ret,
	bool (*on_phase)(void *userdata, enum phase phase), void *userdata, struct reason *reason)
{
	const struct baud_list *ladder = &entry->board->baud;
	int r = LOADER_NO_ANSWER;

	if (entry->loader->ops->hear)
		return enter_by_ways(
			&(struct entry_try){entry, 0, false, ret, on_phase, userdata, reason});
	for (; entry->rung < ladder->n_items; entry->rung++) {
		for (int slow = 0; slow < TRIES_PER_RATE; slow++) {
			const struct entry_try try = {entry, ladder->items[entry->rung], slow, ret,
				on_phase, userdata, reason};

			r = try_once(&try, false);
			if (!is_worth_a_reset(r))
				return r;
			if (entry_is_foreign(entry))
				return LOADER_FOREIGN;
		}
	}
	/* A next entry begins with the whole ladder again. */
	entry->rung = 0;
	return r;
}

bool entry_step_down(struct entry *entry)
{
	if (entry->rung + 1 >= entry->board->baud.n_items)
		return false;
	entry->rung++;
	return true;
}
