/* SPDX-License-Identifier: MIT */
/*
 * tape.c - see tape.h. A line is told by its first word, or by the digit of its time; a table has
 * a reader for each.
 */
#include "replay/tape.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "flash/assignment.h"
#include "rules/wiring.h"

/* No line of ours is longer. */
#define LINE_MOST 4096

struct reading {
	struct tape *tape;
	struct reason *reason;
	unsigned line;
	uint64_t usec;
};

void tape_done(struct tape *tape)
{
	free(tape->rule);
	free(tape->events);
	free(tape->answers);
	image_done(&tape->image);
	*tape = (struct tape){0};
}

static int refuse(struct reading *reading, const char *what)
{
	return reason_refuse(-EINVAL, reading->reason, "line %u: %s", reading->line, what);
}

/* ------------------------------------------------------------------ parts of a line */

/* "0x08000000+1024" at `*text`, which goes behind it. */
static int take_range(const char **text, uint32_t *ret_address, uint32_t *ret_size)
{
	uint64_t address, size;

	if (strncmp(*text, "0x", 2) != 0)
		return -EINVAL;
	*text += 2;
	if (parse_digits(text, 16, &address) < 0 || **text != '+' || address > UINT32_MAX)
		return -EINVAL;
	++*text;
	if (parse_digits(text, 10, &size) < 0 || size > UINT32_MAX)
		return -EINVAL;
	*ret_address = (uint32_t)address;
	*ret_size = (uint32_t)size;
	return 0;
}

static int read_range(const char *text, uint32_t *ret_address, uint32_t *ret_size)
{
	int r = take_range(&text, ret_address, ret_size);

	return r == 0 && *text ? -EINVAL : r;
}

/* " 7f 00": bytes with a blank before each. */
static int read_bytes(const char *text, uint8_t to[static TRANSCRIPT_LINE_BYTES], size_t *ret_n)
{
	size_t n = 0;

	for (; *text; text += 3) {
		if (n == TRANSCRIPT_LINE_BYTES || text[0] != ' ' || digit_value(text[1]) > 15 ||
			digit_value(text[2]) > 15)
			return -EINVAL;
		to[n++] = (uint8_t)(digit_value(text[1]) << 4 | digit_value(text[2]));
	}
	*ret_n = n;
	return n > 0 ? 0 : -EINVAL;
}

static int read_number(const char *text, uint64_t most, uint64_t *ret)
{
	uint64_t number;

	if (parse_digits(&text, 10, &number) < 0 || *text || number > most)
		return -EINVAL;
	*ret = number;
	return 0;
}

/* What is behind the word and its blank; NULL where the text begins otherwise. */
static const char *behind(const char *text, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(text, word, n) != 0)
		return NULL;
	return text[n] == ' ' ? text + n + 1 : text[n] == '\0' ? text + n : NULL;
}

/* ------------------------------------------------------------------ the head */

static int read_action(struct reading *reading, const char *value)
{
	for (enum flash_action action = 0; action < FLASH_ACTION_MAX; action++)
		if (strcmp(value, assignment_action_word(action)) == 0) {
			reading->tape->action = action;
			return 0;
		}
	return refuse(reading, "there is no such action");
}

static int read_dry_run(struct reading *reading, const char *value)
{
	reading->tape->dry_run = true;
	return *value ? refuse(reading, "dry-run has no value") : 0;
}

static int read_guess(struct reading *reading, const char *value)
{
	reading->tape->is_guess = true;
	return *value ? refuse(reading, "guess has no value") : 0;
}

static int read_read(struct reading *reading, const char *value)
{
	struct tape *tape = reading->tape;

	return read_range(value, &tape->read_address, &tape->read_size) < 0
		       ? refuse(reading, "that is no range")
		       : 0;
}

static int read_erase(struct reading *reading, const char *value)
{
	struct erase_wish *wish = &reading->tape->erase;
	int r = 0;

	if (strcmp(value, "all") == 0)
		wish->what = ERASE_ALL;
	else if (strcmp(value, "whole-pages") == 0)
		wish->takes_whole_pages = true;
	else if (strcmp(value, "with-kept") == 0)
		wish->takes_kept = true;
	else if (strncmp(value, "pages ", 6) == 0)
		r = erase_parse_pages(value + 6, wish);
	else
		r = erase_parse_range(value, wish);
	return r < 0 ? refuse(reading, "that is nothing to be erased") : 0;
}

static int read_start(struct reading *reading, const char *value)
{
	reading->tape->has_start_address = true;
	return parse_u32(value, &reading->tape->start_address) < 0
		       ? refuse(reading, "that is no address")
		       : 0;
}

static int read_seed(struct reading *reading, const char *value)
{
	bool is_hex = strncmp(value, "0x", 2) == 0;

	value += 2;
	return !is_hex || parse_digits(&value, 16, &reading->tape->seed) < 0 || *value
		       ? refuse(reading, "that is no seed")
		       : 0;
}

static int read_trust(struct reading *reading, const char *value)
{
	char stub[8], bursts[8], asked[8] = "";
	int n = sscanf(value, "%7s %7s %7s", stub, bursts, asked);
	int words[2];

	if (n < 2)
		return refuse(reading, "trust has two words");
	words[0] = trust_from_string(stub);
	words[1] = trust_from_string(bursts);
	if (words[0] < 0 || words[1] < 0 || (n == 3 && strcmp(asked, "asked") != 0))
		return refuse(reading, "there is no such trust");
	reading->tape->trusts = (struct trusts){(enum trust)words[0], (enum trust)words[1]};
	reading->tape->asks_trust = n == 3;
	return 0;
}

static int read_rule(struct reading *reading, const char *value)
{
	char *rule = reading->tape->rule, *longer = NULL;

	if (text_format(&longer, "%s%s\n", rule ? rule : "", value) < 0)
		return -ENOMEM;
	free(rule);
	reading->tape->rule = longer;
	return 0;
}

static int read_version(struct reading *reading, const char *value)
{
	text_copy(reading->tape->version, sizeof(reading->tape->version), value);
	return 0;
}

/*
 * Bytes in the place of those that were cut out: no two of them are a command of AN3155 and its
 * complement, so that what can be sent in a burst is.
 */
static uint8_t make_up(uint32_t address)
{
	return (uint8_t)(0x40 | ((address ^ address >> 5 ^ address >> 11) & 0x0F));
}

static int read_segment(struct reading *reading, const char *value)
{
	CLEANUP(freep) uint8_t *bytes = NULL;
	uint32_t address, size;
	int r;

	if (read_range(value, &address, &size) < 0 || size == 0 || size > TAPE_IMAGE_MOST)
		return refuse(reading, "that is no segment");
	bytes = malloc(size);
	if (!bytes)
		return -ENOMEM;
	for (uint32_t i = 0; i < size; i++)
		bytes[i] = make_up(address + i);
	r = image_add(
		&reading->tape->image, address, bytes, size, TAPE_IMAGE_MOST, reading->reason);
	return r > 0 ? -EINVAL : r;
}

static int read_image_bytes(struct reading *reading, const char *value)
{
	uint8_t bytes[TRANSCRIPT_LINE_BYTES];
	uint64_t address;
	size_t n;

	if (strncmp(value, "0x", 2) != 0)
		return refuse(reading, "that is no address");
	value += 2;
	if (parse_digits(&value, 16, &address) < 0 || address > UINT32_MAX ||
		read_bytes(value, bytes, &n) < 0)
		return refuse(reading, "these are no bytes at an address");
	for (size_t i = 0; i < n; i++)
		if (!image_touches(&reading->tape->image, (uint32_t)(address + i), 1))
			return refuse(reading, "these bytes are of no segment");
	image_put(&reading->tape->image, (uint32_t)address, bytes, n);
	reading->tape->has_bytes = true;
	return 0;
}

static int pass_over(struct reading *reading, const char *value)
{
	(void)reading;
	(void)value;
	return 0;
}

/* ------------------------------------------------------------------ between the events */

static int add_event(struct reading *reading, struct tape_event *event)
{
	struct tape *tape = reading->tape;
	struct tape_event *events;

	event->line = reading->line;
	event->usec = reading->usec;
	if (tape->n_events == TAPE_EVENTS_MOST)
		return refuse(reading, "there are more events than any job has");
	events = room_for_one(tape->events, tape->n_events, sizeof(*events));
	if (!events)
		return -ENOMEM;
	tape->events = events;
	tape->events[tape->n_events++] = *event;
	return 0;
}

static int read_begin(struct reading *reading, const char *value)
{
	struct tape_event event = {.kind = TAPE_BEGIN};
	const char *range = behind(value, "flash");
	uint32_t size = 0;

	if (!range && strcmp(value, "unit") != 0)
		return refuse(reading, "what begins here is not known");
	event.is_flash = range != NULL;
	if (range && read_range(range, &event.address, &size) < 0)
		return refuse(reading, "that is no range");
	event.n_flash = size;
	return add_event(reading, &event);
}

static int read_end(struct reading *reading, const char *value)
{
	struct tape_event event = {.kind = TAPE_END};
	const char *address = behind(value, "other"), *filler = behind(value, "filled");
	uint32_t byte = 0;
	int r = 0;

	if (strcmp(value, "same") == 0)
		event.likeness = TAPE_SAME;
	else if (address) {
		event.likeness = TAPE_DIFFERS;
		r = parse_u32(address, &event.address);
	} else if (filler) {
		event.likeness = TAPE_FILLED;
		r = parse_u32(filler, &byte);
		event.filler = (uint8_t)byte;
	} else if (*value)
		r = -EINVAL;
	return r < 0 || byte > UINT8_MAX ? refuse(reading, "how it ends is not known")
					 : add_event(reading, &event);
}

static int read_ask(struct reading *reading, const char *value)
{
	struct tape *tape = reading->tape;
	struct tape_answer *answers =
		room_for_one(tape->answers, tape->n_answers, sizeof(*answers));

	if (!answers)
		return -ENOMEM;
	tape->answers = answers;
	answers[tape->n_answers] = (struct tape_answer){.answer.outcome = OUTCOME_FAILED};
	text_copy(answers[tape->n_answers].question, sizeof(answers->question), value);
	tape->n_answers++;
	return 0;
}

static int read_told(struct reading *reading, const char *value)
{
	struct tape *tape = reading->tape;
	const char *cut = behind(value, "cut");
	struct tape_answer *answer;
	uint64_t n = 0;

	if (tape->n_answers == 0)
		return refuse(reading, "nobody has asked");
	answer = &tape->answers[tape->n_answers - 1];
	if (cut && read_number(cut, PROVISION_MOST, &n) < 0)
		return refuse(reading, "that is no number of bytes");
	answer->n_cut += n;
	if (!cut && answer_read_line(&answer->answer, value) == ANSWER_LINE_UNKNOWN)
		return refuse(reading, "that is no answer");
	return 0;
}

static int read_outcome(struct reading *reading, const char *value)
{
	for (enum outcome outcome = 0; outcome < OUTCOME_MAX; outcome++)
		if (strcmp(value, outcome_to_string(outcome)) == 0) {
			reading->tape->outcome = outcome;
			return 0;
		}
	return refuse(reading, "there is no such outcome");
}

static int read_left_out(struct reading *reading, const char *value)
{
	uint64_t n;

	if (read_number(value, UINT32_MAX, &n) < 0)
		return refuse(reading, "that is no number");
	reading->tape->n_left_out = (unsigned)n;
	return 0;
}

static int read_last(struct reading *reading, const char *value)
{
	reading->tape->is_whole = true;
	return *value ? refuse(reading, "nothing stands behind [end]") : 0;
}

static const struct {
	const char *word;
	int (*read)(struct reading *reading, const char *value);
} words[] = {
	{"made-by", pass_over},
	{"begun", pass_over},
	{"port", pass_over},
	{"action", read_action},
	{"dry-run", read_dry_run},
	{"guess", read_guess},
	{"read", read_read},
	{"erase", read_erase},
	{"start-address", read_start},
	{"seed", read_seed},
	{"trust", read_trust},
	{"rule", read_rule},
	{"image", pass_over},
	{"image-version", read_version},
	{"segment", read_segment},
	{"bytes", read_image_bytes},
	{"phase", pass_over},
	{"begin", read_begin},
	{"end", read_end},
	{"ask", read_ask},
	{"told", read_told},
	{"chip", pass_over},
	{"unit", pass_over},
	{"outcome", read_outcome},
	{"reason", pass_over},
	{"left-out", read_left_out},
	{"[end]", read_last},
};

/* ------------------------------------------------------------------ events */

/*
 * A block that went to a ROM turn by turn, with its count and its checksum alone, held a command
 * where others went in a burst (src/loader/an3155-memory.c): so do the bytes in its place.
 */
static void make_up_command(struct tape *tape, size_t n_cut)
{
	static const uint8_t command[] = {0x31, 0xCE};
	const struct tape_event *last =
		tape->n_events > 0 ? &tape->events[tape->n_events - 1] : NULL;

	if (!tape->has_bytes && last && last->kind == TAPE_BEGIN && last->is_flash &&
		n_cut == last->n_flash + 2)
		image_put(&tape->image, last->address, command, sizeof(command));
}

static int read_data(struct reading *reading, enum tape_kind kind, const char *value)
{
	struct tape_event event = {.kind = kind};
	const char *cut = behind(value, " cut");
	uint64_t n = 0;

	if (cut ? read_number(cut, TAPE_IMAGE_MOST, &n) < 0 || n == 0
		: read_bytes(value, event.bytes, &event.n_bytes) < 0)
		return refuse(reading, "these are no bytes");
	event.n_cut = (size_t)n;
	if (kind == TAPE_SENT && n > 0)
		make_up_command(reading->tape, event.n_cut);
	return add_event(reading, &event);
}

static int read_error(const char *word)
{
	for (int error = 1; error < 200; error++) {
		const char *name = strerrorname_np(error);

		if (name && strcmp(name, word) == 0)
			return error;
	}
	return -EINVAL;
}

/* Cuts " failed ENODEV" off the line. */
static int cut_failure(struct reading *reading, char *line, int *ret_error)
{
	char *at = strstr(line, " failed ");

	if (!at)
		return 0;
	*ret_error = read_error(at + strlen(" failed "));
	*at = '\0';
	return *ret_error < 0 ? refuse(reading, "there is no such error") : 0;
}

static int read_call(struct reading *reading, char *line)
{
	struct tape_event event = {.kind = TAPE_OTHER};
	char parity, bits, stop;
	unsigned dtr, rts;
	int error = 0, r = cut_failure(reading, line, &error), n = 0;

	if (r < 0)
		return r;
	if (sscanf(line, "lines dtr=%1u,rts=%1u%n", &dtr, &rts, &n) == 2 && !line[n] && dtr < 2 &&
		rts < 2) {
		event.kind = TAPE_LINES;
		event.lines = (dtr ? LINE_DTR : 0) | (rts ? LINE_RTS : 0);
	} else if (sscanf(line, "rate %9" SCNu32 " %c%c%c%n", &event.baud, &bits, &parity, &stop,
			   &n) == 4 &&
		   !line[n] && bits == '8' && stop == '1' && (parity == 'E' || parity == 'N')) {
		event.kind = TAPE_RATE;
		event.has_even_parity = parity == 'E';
	} else if (behind(line, "read")) {
		event.kind = TAPE_HEARD;
	} else if (behind(line, "send")) {
		event.kind = TAPE_SENT;
	} else if (!behind(line, "wait") && !behind(line, "drain") && !behind(line, "discard") &&
		   !behind(line, "silence")) {
		return refuse(reading, "that is no event");
	}
	if ((event.kind == TAPE_HEARD || event.kind == TAPE_SENT) && error == 0)
		return refuse(reading, "that is no event");
	if (error > 0) {
		event.failed = event.kind;
		event.kind = TAPE_FAILED;
		event.error = error;
	}
	return add_event(reading, &event);
}

/* "0.012345 > 7f": the clock never goes back. */
static int read_event(struct reading *reading, char *line)
{
	const char *at = line;
	uint64_t sec, usec;

	if (parse_digits(&at, 10, &sec) < 0 || sec > UINT32_MAX || *at != '.' ||
		strspn(at + 1, "0123456789") != 6 || at[7] != ' ')
		return refuse(reading, "that is no time");
	at++;
	if (parse_digits(&at, 10, &usec) < 0 || sec * USEC_PER_SEC + usec < reading->usec)
		return refuse(reading, "that is no time behind the one before");
	reading->usec = sec * USEC_PER_SEC + usec;
	at++;
	if (*at == '>')
		return read_data(reading, TAPE_SENT, at + 1);
	if (*at == '<')
		return read_data(reading, TAPE_HEARD, at + 1);
	return read_call(reading, line + (at - line));
}

/* ------------------------------------------------------------------ the whole */

static int read_line(struct reading *reading, char *line)
{
	if (reading->line == 1)
		return strcmp(line, TRANSCRIPT_FORMAT) == 0
			       ? 0
			       : refuse(reading,
					 "a transcript begins with '" TRANSCRIPT_FORMAT "'");
	if (line[0] >= '0' && line[0] <= '9')
		return read_event(reading, line);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *value = behind(line, words[i].word);

		if (value)
			return words[i].read(reading, value);
	}
	return refuse(reading, "that is no line of a transcript");
}

int tape_read(const char *text, size_t n_text, struct tape *ret, struct reason *reason)
{
	CLEANUP(tape_done) struct tape tape = {.outcome = OUTCOME_MAX};
	struct reading reading = {.tape = &tape, .reason = reason};
	const char *end = text + n_text;
	char line[LINE_MOST];

	while (text < end && !tape.is_whole) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		int r;

		reading.line++;
		if (!stop || (size_t)(stop - text) >= sizeof(line) ||
			memchr(text, '\0', (size_t)(stop - text)))
			return refuse(&reading, "that is no whole line of text");
		memcpy(line, text, (size_t)(stop - text));
		line[stop - text] = '\0';
		r = read_line(&reading, line);
		if (r < 0)
			return r;
		text = stop + 1;
	}
	if (!tape.is_whole)
		return refuse(&reading, "it is cut off: its last line is '[end]'");
	*ret = tape;
	tape = (struct tape){0};
	return 0;
}
