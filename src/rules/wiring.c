/* SPDX-License-Identifier: MIT */
/*
 * wiring.c - the common circuits as steps, and steps written out by hand.
 *
 * All levels are those of the request: 1 is TIOCM_DTR or TIOCM_RTS set, and the pin low.
 */
#include "rules/wiring.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"

/* NRST needs 20 us low; the capacitor most boards have on it makes that far longer. */
#define RESET_USEC    (100 * USEC_PER_MSEC)

#define MAX_WAIT_USEC (10 * USEC_PER_SEC)

/* All steps of `identify`. */
#define IDENTIFY_MIN_USEC (100 * USEC_PER_MSEC)
#define IDENTIFY_MAX_USEC (30 * USEC_PER_SEC)

enum { LINES_BOTH = LINE_DTR | LINE_RTS };

/*
 * The pair of transistors of the common STM32 boards ("one key download"): a PNP with its base at
 * RTS# pulls BOOT0 high while RTS is asserted; an NPN with its base at DTR# and its emitter at RTS#
 * pulls NRST low while RTS is asserted and DTR is not. To enter, DTR alone changes, so that BOOT0
 * stays high as NRST rises. To let go of BOOT0, RTS alone changes: no transistor pulls NRST then,
 * and none does on the way. To leave, both transistors let go in one request: BOOT0 falls at once,
 * NRST behind its capacitor.
 */
static const struct wiring one_key = {
	.enters = {{{{LINES_BOTH, LINE_RTS, RESET_USEC}, {LINES_BOTH, LINES_BOTH, 0}}, 2}},
	.n_enters = 1,
	.let_go = {LINE_RTS, 0, 0},
	.leave = {{{LINES_BOTH, LINE_RTS, RESET_USEC}, {LINES_BOTH, 0, 0}}, 2},
	.rest = 0,
};

#define CROSSED_LEAVE                                                       \
	{                                                                   \
		{{LINES_BOTH, LINE_RTS, RESET_USEC}, {LINES_BOTH, 0, 0}}, 2 \
	}

const struct wiring_steps wiring_leave_esp = CROSSED_LEAVE;

/*
 * Two transistors crossed over, as on ESP boards: reset while RTS alone is asserted, boot loader
 * while DTR alone is, neither while both are equal. The 50 ms outlast the rise of the reset line,
 * so that the boot pin is still held when the chip looks at it.
 */
static const struct wiring esp = {
	.enters = {{{{LINES_BOTH, 0, 0}, {LINES_BOTH, LINE_RTS, RESET_USEC},
			    {LINES_BOTH, LINE_DTR, 50 * USEC_PER_MSEC}, {LINES_BOTH, 0, 0}},
		4}},
	.n_enters = 1,
	.leave = CROSSED_LEAVE,
	.rest = 0,
};

/* From reset to boot loader in one request, the boot pin low for `usec`, then `END`. */
#define TIGHT(usec, ...)                                                                     \
	{LINES_BOTH, 0, 0}, {LINES_BOTH, LINES_BOTH, 0}, {LINES_BOTH, LINE_RTS, RESET_USEC}, \
		{LINES_BOTH, LINE_DTR, usec}, __VA_ARGS__

/*
 * Each line in a request of its own: between two of them both are asserted, EN rises and the boot
 * pin is high. A capacitor at EN makes that work, and some drivers need it.
 */
#define CLASSIC(usec)                                                                \
	{LINE_DTR, 0, 0}, {LINE_RTS, LINE_RTS, RESET_USEC}, {LINE_DTR, LINE_DTR, 0}, \
	{                                                                            \
		LINE_RTS, 0, usec                                                    \
	}

#define BOOT_PIN_USEC	   (50 * USEC_PER_MSEC)
#define BOOT_PIN_SLOW_USEC (550 * USEC_PER_MSEC)

/*
 * The same circuit in front of an ESP's ROM, by the ways of esp-rom.md 2.2: the chip looks at its
 * boot pin as EN rises, and the capacitor at EN, 0.1 to 10 uF, decides when that is (esp-rom.md
 * 2.3). So the boot pin is held for 50 ms, and where that led into the flash for 550 ms.
 */
static const struct wiring esp_rom = {
	.enters = {{{TIGHT(BOOT_PIN_USEC, {LINES_BOTH, 0, 0}, {LINE_DTR, 0, 0})}, 6},
		{{TIGHT(BOOT_PIN_SLOW_USEC, {LINES_BOTH, 0, 0}, {LINE_DTR, 0, 0})}, 6},
		{{CLASSIC(BOOT_PIN_USEC), {LINE_DTR, 0, 0}}, 5},
		{{CLASSIC(BOOT_PIN_SLOW_USEC), {LINE_DTR, 0, 0}}, 5}},
	.n_enters = 4,
	.leave = CROSSED_LEAVE,
	.rest = 0,
};

/*
 * Behind a CP2102C: DTR stays asserted after entry and after leaving, and the reset line goes with
 * DTR asserted, so that EN rises while the boot pin is high (esp-rom.md 2.4).
 */
static const struct wiring esp_rom_acm = {
	.enters = {{{TIGHT(BOOT_PIN_USEC, {LINES_BOTH, LINE_DTR, 0})}, 5},
		{{TIGHT(BOOT_PIN_SLOW_USEC, {LINES_BOTH, LINE_DTR, 0})}, 5},
		{{CLASSIC(BOOT_PIN_USEC)}, 4}, {{CLASSIC(BOOT_PIN_SLOW_USEC)}, 4}},
	.n_enters = 4,
	.leave = {{{LINE_DTR, 0, 0}, {LINE_RTS, LINE_RTS, RESET_USEC},
			  {LINE_DTR, LINE_DTR, RESET_USEC}, {LINE_RTS, 0, 0}},
		4},
	.rest = LINE_DTR,
};

/*
 * The same circuit in front of a ROM of TI (ti-bsl.md 3.3): each level in one request, since with
 * one for each line reset is let go while the backdoor pin is still high. Boards with a controller
 * in between, and worn capacitors, need the pin for longer. It is let go before anything is said:
 * on some packages it is a pin of the UART.
 */
#define BSL_ESP(usec)                                                                \
	{                                                                            \
		{{LINES_BOTH, 0, BSL_IDLE_USEC}, {LINES_BOTH, LINE_RTS, RESET_USEC}, \
			{LINES_BOTH, LINE_DTR, usec}, {LINES_BOTH, 0, 0}},           \
			4                                                            \
	}

#define BSL_IDLE_USEC (20 * USEC_PER_MSEC)
#define BSL_PIN_USEC  (100 * USEC_PER_MSEC)
#define BSL_PIN_SLOW  (300 * USEC_PER_MSEC)

static const struct wiring bsl_esp = {
	.enters = {BSL_ESP(BSL_PIN_USEC), BSL_ESP(BSL_PIN_SLOW)},
	.n_enters = 2,
	.leave = CROSSED_LEAVE,
	.rest = 0,
};

void wiring_keys_done(struct wiring_keys *keys)
{
	free(keys->wiring);
	free(keys->reset);
	free(keys->boot);
	free(keys->enter);
	free(keys->leave);
	*keys = (struct wiring_keys){0};
}

/* A line, and which level of it selects. `line` is 0 for none. */
struct role {
	unsigned line;
	unsigned active; /* `line` or 0 */
};

static int parse_role(const char *text, struct role *ret)
{
	/* A shell takes "!" for its own. */
	size_t n_not = text[0] == '!' ? 1 : strncmp(text, "not-", 4) == 0 ? 4 : 0;
	bool inverted = n_not > 0;
	const char *name = text + n_not;
	unsigned line;

	if (strcmp(text, "none") == 0) {
		*ret = (struct role){0, 0};
		return 0;
	}
	if (strcmp(name, "dtr") == 0)
		line = LINE_DTR;
	else if (strcmp(name, "rts") == 0)
		line = LINE_RTS;
	else
		return -EINVAL;
	*ret = (struct role){line, inverted ? 0 : line};
	return 0;
}

static unsigned role_idle(struct role role)
{
	return role.line & ~role.active;
}

static void step_add(struct wiring_steps *steps, unsigned mask, unsigned lines, uint64_t wait_usec)
{
	steps->items[steps->n_items++] = (struct wiring_step){mask, lines, wait_usec};
}

/* Reset with the boot line held at one level; without a reset line only that level. */
static void add_reset(
	struct wiring_steps *steps, struct role reset, struct role boot, unsigned lines)
{
	unsigned mask = reset.line | boot.line;

	if (reset.line)
		step_add(steps, mask, lines | reset.active, RESET_USEC);
	if (mask)
		step_add(steps, mask, lines | role_idle(reset), 0);
}

/* The backdoor pin may be one of the UART, and a reset by command would meet it (ti-bsl.md 8). */
static void let_go_of_pin(struct wiring_steps *steps, struct role reset, struct role boot)
{
	if (!boot.line || steps->n_items == 0)
		return;
	steps->items[steps->n_items - 1].wait_usec = BSL_PIN_USEC;
	step_add(steps, reset.line | boot.line, role_idle(reset) | role_idle(boot), 0);
}

static int compile_direct(const struct wiring_keys *keys, struct wiring *ret, const char **ret_key,
	const char **ret_expected)
{
	struct role reset;
	struct role boot;
	struct wiring made = {.n_enters = 1};
	bool is_bsl = keys->ways == WIRING_WAYS_BSL;
	const char *reset_text = keys->reset, *boot_text = keys->boot;

	/* The usual sticks have the lines the other way round (ti-bsl.md 3.3, "plain"). */
	if (!reset_text)
		reset_text = is_bsl && !(boot_text && strstr(boot_text, "rts")) ? "rts" : "dtr";
	if (!boot_text)
		boot_text = is_bsl && !strstr(reset_text, "dtr") ? "dtr" : "rts";
	*ret_expected = "dtr, rts, !dtr, !rts or none";
	*ret_key = "reset";
	if (parse_role(reset_text, &reset) < 0)
		return -EINVAL;
	*ret_key = "boot";
	if (parse_role(boot_text, &boot) < 0)
		return -EINVAL;
	if (reset.line && reset.line == boot.line) {
		*ret_expected = "another line than that of reset";
		return -EINVAL;
	}
	add_reset(&made.enters[0], reset, boot, boot.active);
	if (is_bsl)
		let_go_of_pin(&made.enters[0], reset, boot);
	/* A board that is reset by hand, or by the chip itself, needs the pin for the next time. */
	else if (reset.line)
		made.let_go = (struct wiring_step){boot.line, role_idle(boot), 0};
	made.may_keep_pin = !reset.line || !boot.line;
	add_reset(&made.leave, reset, boot, role_idle(boot));
	*ret = made;
	return 0;
}

/*
 * "esp direct" and "direct esp": the circuit of a stick is not always known, and the wrong one only
 * resets it (ti-bsl.md 3.3). Both are left by the same steps, so that it does not matter by which
 * the loader was met; the lines of `direct` are the usual ones therefore.
 */
static int compile_both(const struct wiring_keys *keys, bool is_direct_first, struct wiring *ret,
	const char **ret_key, const char **ret_expected)
{
	struct wiring made = bsl_esp, direct;
	int r;

	*ret_key = keys->reset ? "reset" : "boot";
	*ret_expected = "nothing: only wiring = direct alone has a line for it";
	if (keys->reset || keys->boot)
		return -EINVAL;
	r = compile_direct(keys, &direct, ret_key, ret_expected);
	if (r < 0)
		return r;
	made.n_enters = bsl_esp.n_enters + 1;
	made.enters[bsl_esp.n_enters] = direct.enters[0];
	if (is_direct_first) {
		made.enters[0] = direct.enters[0];
		memcpy(&made.enters[1], bsl_esp.enters, bsl_esp.n_enters * sizeof(made.enters[0]));
	}
	*ret = made;
	return 0;
}

static int compile_named(const struct wiring_keys *keys, struct wiring *ret, const char **ret_key,
	const char **ret_expected)
{
	const char *name = keys->wiring ? keys->wiring : "direct";
	bool is_esp = strcmp(name, "esp") == 0, is_bsl = keys->ways == WIRING_WAYS_BSL;

	if (is_bsl && (strcmp(name, "esp direct") == 0 || strcmp(name, "direct esp") == 0))
		return compile_both(keys, name[0] == 'd', ret, ret_key, ret_expected);
	if (strcmp(name, "direct") == 0)
		return compile_direct(keys, ret, ret_key, ret_expected);
	if (!is_esp && (is_bsl || strcmp(name, "one-key") != 0)) {
		*ret_key = "wiring";
		*ret_expected = is_bsl ? "esp, direct, esp direct or direct esp" : WIRING_NAMES;
		return -EINVAL;
	}
	if (keys->reset || keys->boot) {
		*ret_key = keys->reset ? "reset" : "boot";
		*ret_expected = "nothing: only wiring = direct has a line for it";
		return -EINVAL;
	}
	*ret = !is_esp ? one_key : is_bsl ? bsl_esp : keys->ways == WIRING_WAYS_ESP ? esp_rom : esp;
	return 0;
}

/* "rts=1,dtr=0": every line at most once. */
static int parse_assignments(const char *word, struct wiring_step *ret)
{
	static const struct {
		const char *name;
		unsigned line;
	} lines[] = {{"dtr=", LINE_DTR}, {"rts=", LINE_RTS}};
	struct wiring_step made = {0, 0, 0};

	for (;; word++) {
		unsigned line = 0;

		for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
			if (strncmp(word, lines[i].name, strlen(lines[i].name)) == 0)
				line = lines[i].line;
		if (line == 0 || (made.mask & line))
			return -EINVAL;
		word += strlen("dtr=");
		if (*word != '0' && *word != '1')
			return -EINVAL;
		made.mask |= line;
		made.lines |= *word == '1' ? line : 0;
		word++;
		if (*word == '\0')
			break;
		if (*word != ',')
			return -EINVAL;
	}
	*ret = made;
	return 0;
}

/* One word of raw steps: assignments are a step, a duration is the wait of the step before it. */
static int parse_word(const char *word, struct wiring_steps *steps, bool *after_wait)
{
	struct wiring_step step = {0, 0, 0};
	uint64_t wait_usec;

	if (parse_duration_usec(word, &wait_usec) == 0) {
		if (wait_usec > MAX_WAIT_USEC)
			return -ERANGE;
		if (*after_wait)
			return -EINVAL;
		*after_wait = true;
		if (steps->n_items > 0) {
			steps->items[steps->n_items - 1].wait_usec = wait_usec;
			return 0;
		}
		step.wait_usec = wait_usec;
	} else {
		if (parse_assignments(word, &step) < 0)
			return -EINVAL;
		*after_wait = false;
	}
	if (steps->n_items == WIRING_MAX_STEPS)
		return -E2BIG;
	steps->items[steps->n_items++] = step;
	return 0;
}

/* The lines as the steps leave them, of those in `ret_mask`; a line never named is not asserted. */
static unsigned lines_after(const struct wiring_steps *steps, unsigned *ret_mask)
{
	unsigned state = 0, mask = 0;

	for (size_t i = 0; i < steps->n_items; i++) {
		mask |= steps->items[i].mask;
		state = (state & ~steps->items[i].mask) | steps->items[i].lines;
	}
	*ret_mask = mask;
	return state;
}

/* Replaces one sequence by its raw steps, where they are given. -ENOMEM, or -EINVAL. */
static int replace_steps(const char *text, struct wiring_steps *steps, const char **ret_expected)
{
	char *copy CLEANUP(freep) = text ? strdup(text) : NULL;
	struct wiring_steps made = {0};
	bool after_wait = false;
	unsigned mask;
	char *rest = NULL;
	int r = 0;

	if (!text)
		return 0;
	if (!copy)
		return -ENOMEM;
	for (const char *word = strtok_r(copy, " \t", &rest); word && r == 0;
		word = strtok_r(NULL, " \t", &rest))
		r = parse_word(word, &made, &after_wait);
	if (r == -ERANGE)
		*ret_expected = "waits of at most 10s";
	else if (r == -E2BIG)
		*ret_expected = "at most 16 steps";
	else
		*ret_expected = "steps like 'rts=1,dtr=1 100ms dtr=0 50ms'";
	/* Waits alone set no line. */
	(void)lines_after(&made, &mask);
	if (r < 0 || mask == 0)
		return -EINVAL;
	*steps = made;
	return 0;
}

int wiring_parse_identify(const char *value, void *field, const char **ret_expected)
{
	struct wiring_steps made;
	uint64_t usec = 0;
	int r = replace_steps(value, &made, ret_expected);

	if (r < 0)
		return r;
	for (size_t i = 0; i < made.n_items; i++)
		usec += made.items[i].wait_usec;
	*ret_expected = "steps like 'dtr=1 500ms dtr=0 500ms', which take 100ms to 30s in all";
	if (usec < IDENTIFY_MIN_USEC || usec > IDENTIFY_MAX_USEC)
		return -EINVAL;
	*(struct wiring_steps *)field = made;
	return 0;
}

static unsigned lines_of(const struct wiring_steps *steps)
{
	unsigned mask;

	(void)lines_after(steps, &mask);
	return mask;
}

bool wiring_meets(const struct wiring *wiring, const struct wiring_steps *steps)
{
	unsigned mask = lines_of(&wiring->leave);

	for (size_t i = 0; i < wiring->n_enters; i++)
		mask |= lines_of(&wiring->enters[i]);
	return (lines_of(steps) & mask) != 0;
}

/* Whether raw steps and the keys of a circuit say each thing once and all of it. */
static int check_raw(
	const struct wiring_keys *keys, const char **ret_key, const char **ret_expected)
{
	bool circuit = keys->wiring || keys->reset || keys->boot;

	if (keys->enter && keys->leave && circuit) {
		*ret_key = keys->wiring ? "wiring" : keys->reset ? "reset" : "boot";
		*ret_expected = "nothing: enter and leave say it all";
		return -EINVAL;
	}
	if (!keys->enter != !keys->leave && !circuit) {
		*ret_key = keys->enter ? "leave" : "enter";
		*ret_expected =
			keys->enter
				? "steps, or one of wiring, reset and boot beside it: enter has raw ones, and no wiring says how to leave"
				: "steps, because leave has raw ones and no wiring says how to enter";
		return -EINVAL;
	}
	return 0;
}

int wiring_compile(const struct wiring_keys *keys, struct wiring *ret, const char **ret_key,
	const char **ret_expected)
{
	struct wiring made;
	unsigned mask;
	int r = check_raw(keys, ret_key, ret_expected);

	if (r == 0)
		r = compile_named(keys, &made, ret_key, ret_expected);
	if (r < 0)
		return r;
	*ret_key = "enter";
	r = replace_steps(keys->enter, &made.enters[0], ret_expected);
	if (r < 0)
		return r;
	/* What a board's own steps do to its pins nobody here knows. */
	if (keys->enter) {
		made.n_enters = 1;
		made.let_go = (struct wiring_step){0};
		made.may_keep_pin = true;
	}
	*ret_key = "leave";
	r = replace_steps(keys->leave, &made.leave, ret_expected);
	if (r < 0)
		return r;
	made.rest = lines_after(&made.leave, &mask);
	*ret = made;
	return 0;
}

static bool steps_are_equal(const struct wiring_steps *a, const struct wiring_steps *b)
{
	bool is_equal = a->n_items == b->n_items;

	for (size_t i = 0; i < a->n_items && is_equal; i++)
		is_equal = a->items[i].mask == b->items[i].mask &&
			   a->items[i].lines == b->items[i].lines &&
			   a->items[i].wait_usec == b->items[i].wait_usec;
	return is_equal;
}

void wiring_suit_acm(struct wiring *wiring)
{
	struct wiring made = esp_rom_acm;

	if (wiring->n_enters != esp_rom.n_enters)
		return;
	/* A rule's own steps are what it wants. */
	if (!steps_are_equal(&wiring->leave, &esp_rom.leave)) {
		made.leave = wiring->leave;
		made.rest = wiring->rest;
	}
	*wiring = made;
}
