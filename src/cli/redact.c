/* SPDX-License-Identifier: MIT */
#include "cli/redact.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/text.h"
#include "cli/redact-frames.h"
#include "device/transcript.h"

/* Bytes of an id in a row that are taken for a part of it. */
#define PART_LEAST 2

/* A name of so many bytes is nothing else by chance, and is found within another word as well. */
#define LONG_NAME 6

static const char *const words[REDACT_KIND_MAX] = {
	[REDACT_UNIT] = "unit",
	[REDACT_SERIAL] = "serial",
	[REDACT_UNIT_DATA] = "data",
};

void redact_done(struct redact *redact)
{
	for (size_t i = 0; i < redact->n_names; i++)
		for (size_t k = 0; k < REDACT_SPELLINGS; k++)
			free(redact->names[i].spellings[k]);
	*redact = (struct redact){0};
}

/* ------------------------------------------------------------------ names */

static size_t bytes_of(const char *digits, uint8_t to[static REDACT_ID_BYTES])
{
	size_t n = strlen(digits) / 2;

	if (strlen(digits) % 2 != 0 || n > REDACT_ID_BYTES)
		return 0;
	for (size_t i = 0; i < n; i++) {
		unsigned high = digit_value(digits[2 * i]), low = digit_value(digits[2 * i + 1]);

		if (high > 15 || low > 15)
			return 0;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return n;
}

/* "24:0a:c4:12:34:56": what an application says on its port is in a reason. */
static int spell_mac(struct redact_name *name)
{
	char text[3 * REDACT_ID_BYTES + 1] = "";

	for (size_t i = 0; i < name->n_bytes; i++)
		snprintf(text + 3 * i, 4, "%02x:", name->bytes[i]);
	text[3 * name->n_bytes - 1] = '\0';
	return redact_add_spelling(name->spellings, strdup(text));
}

/* Bytes that no frame treats otherwise than others: SLIP does 0xC0 and 0xDB. */
static void make_up(struct redact_name *name, unsigned number)
{
	for (size_t i = 0; i < name->n_bytes; i++) {
		name->made_up[i] =
			(uint8_t)(0x10 * ((number - 1) % 7 + 1) + (i + (number - 1) / 7) % 16);
		snprintf(name->replacement + 2 * i, 3, "%02x", name->made_up[i]);
	}
}

int redact_add(struct redact *redact, enum redact_kind kind, const char *text)
{
	struct redact_name *name = redact->names + redact->n_names;
	unsigned number = 1;
	int r;

	if (!text || !*text)
		return 0;
	for (size_t i = 0; i < redact->n_names; i++) {
		if (strcasecmp(redact->names[i].spellings[0], text) == 0)
			return 0;
		number += redact->names[i].kind == kind;
	}
	if (redact->n_names == REDACT_MOST)
		return -E2BIG;
	*name = (struct redact_name){.kind = kind};
	redact->n_names++;
	r = redact_spell(text, name->spellings);
	snprintf(name->replacement, sizeof(name->replacement), "%s-%u", words[kind], number);
	if (kind == REDACT_UNIT)
		name->n_bytes = bytes_of(text, name->bytes);
	if (name->n_bytes == 0)
		return r;
	make_up(name, number);
	return r == 0 ? spell_mac(name) : r;
}

int redact_add_names_of(struct redact *redact, const char *transcript)
{
	static const struct {
		const char *begin;
		enum redact_kind kind;
	} lines[] = {{"unit ", REDACT_UNIT}, {"rule serial=", REDACT_SERIAL}};
	int r = 0;

	for (const char *line = transcript; r == 0 && *line; line += strcspn(line, "\n")) {
		line += *line == '\n';
		for (size_t i = 0; i < ARRAY_SIZE(lines) && r == 0; i++) {
			CLEANUP(freep) char *name = NULL;
			size_t n = strlen(lines[i].begin);

			if (strncmp(line, lines[i].begin, n) != 0)
				continue;
			name = strndup(line + n, strcspn(line + n, "\n"));
			r = name ? redact_add(redact, lines[i].kind, name) : -ENOMEM;
		}
	}
	return r;
}

/* ------------------------------------------------------------------ words */

static bool is_part_of_a_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Bytes of the name where it is one that may stand here; 0: it is not. */
static size_t length_at(const char *spelling, const char *at, size_t n_left, bool begins)
{
	size_t n = strlen(spelling);

	if (n > n_left || strncasecmp(at, spelling, n) != 0)
		return 0;
	return n >= LONG_NAME || (begins && (n == n_left || !is_part_of_a_word(at[n]))) ? n : 0;
}

/* What is looked for in a line. */
enum wanted {
	WANTED_ALL,
	WANTED_LONG,  /* names of LONG_NAME and more: a short one is a number or a word there */
	WANTED_UNITS, /* of these the ids of units: the others are words of a transcript's form */
};

/* The name that begins here, the longest of them. */
static const struct redact_name *name_at(const struct redact *redact, enum wanted wanted,
	const char *at, size_t n_left, bool begins, size_t *ret_n)
{
	const struct redact_name *found = NULL;

	*ret_n = 0;
	for (size_t i = 0; i < redact->n_names; i++) {
		const struct redact_name *name = &redact->names[i];

		if (wanted == WANTED_UNITS && name->n_bytes == 0)
			continue;
		for (size_t k = 0; k < REDACT_SPELLINGS && name->spellings[k]; k++) {
			size_t n = length_at(name->spellings[k], at, n_left, begins);

			if (n > *ret_n) {
				found = name;
				*ret_n = n;
			}
		}
	}
	return found;
}

static void write_words(
	struct redact *redact, enum wanted wanted, const char *line, size_t n, FILE *to)
{
	const char *end = line + n;

	for (const char *at = line; at < end;) {
		bool begins = wanted == WANTED_ALL && (at == line || !is_part_of_a_word(at[-1]));
		size_t n_name;
		const struct redact_name *name =
			name_at(redact, wanted, at, (size_t)(end - at), begins, &n_name);

		if (!name) {
			fputc(*at++, to);
			continue;
		}
		fputs(name->replacement, to);
		at += n_name;
		redact->n_replaced++;
	}
}

/* Lines of a transcript in which words and numbers are those of its form: a serial number may be
 * "1". */
static bool is_of_the_form(const char *line, size_t n)
{
	static const char *const first[] = {"plugflash-transcript", "action", "read", "erase",
		"start-address", "seed", "trust", "segment", "bytes", "phase", "begin", "end",
		"ask", "outcome", "left-out"};

	for (size_t i = 0; i < ARRAY_SIZE(first); i++) {
		size_t n_first = strlen(first[i]);

		if (n > n_first && strncmp(line, first[i], n_first) == 0 &&
			(line[n_first] == ' ' || line[n_first] == '\n'))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------ bytes of a transcript */

/*
 * The bytes of all lines of one bracket, as they followed one another, with the place of each in
 * the text. The place is that of its two digits. `second` is that of the other byte, where SLIP has
 * two for one: DB DC for C0, and DB DD for DB.
 */
struct bracket {
	struct place {
		char *at, *second; /* NULL: nowhere */
		uint8_t byte;
		bool is_done; /* it is made up, or stays */
	} * places;
	size_t n;
};

static void bracket_done(struct bracket *bracket)
{
	free(bracket->places);
}

/* "0.012345 ": other lines of a report may begin with a digit, too. */
static bool is_event(const char *line)
{
	size_t n = strspn(line, "0123456789");

	return n > 0 && line[n] == '.' && strspn(line + n + 1, "0123456789") == 6 &&
	       line[n + 7] == ' ';
}

/* Two digits. */
static uint8_t byte_at(const char *at)
{
	return (uint8_t)(digit_value(at[0]) << 4 | digit_value(at[1]));
}

static int add_place(struct bracket *bracket, const struct place *place)
{
	struct place *grown = room_for_one(bracket->places, bracket->n, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	bracket->places = grown;
	grown[bracket->n++] = *place;
	return 0;
}

static int take_bytes(struct bracket *bracket, char *line)
{
	char *at = strpbrk(line, "<\n");
	int r = 0;

	if (!at || *at != '<')
		return 0;
	for (at++; at[0] == ' ' && digit_value(at[1]) < 16 && digit_value(at[2]) < 16 && r == 0;
		at += 3)
		r = add_place(bracket, &(struct place){.at = at + 1, .byte = byte_at(at + 1)});
	return r;
}

/* The longest part of the id that stands at a place; `from` its first byte. 0: none. */
static size_t part_at(
	const struct place *places, size_t n, const uint8_t *id, size_t n_id, size_t *ret_from)
{
	size_t longest = 0;

	for (size_t from = 0; from < n_id; from++) {
		size_t k = 0;

		while (k < n && from + k < n_id && places[k].byte == id[from + k])
			k++;
		if (k > longest) {
			longest = k;
			*ret_from = from;
		}
	}
	return longest >= PART_LEAST ? longest : 0;
}

/* Bytes of one value are everywhere, and tell nothing. */
static bool is_telling(const struct place *places, size_t n)
{
	return n > PART_LEAST || places[0].byte != places[1].byte;
}

static void put_digits(char *at, uint8_t byte)
{
	static const char digits[] = "0123456789abcdef";

	at[0] = digits[byte >> 4];
	at[1] = digits[byte & 0x0F];
}

/* Of two for one the second could be of either kind, and becomes of the same. */
static void put(struct place *place, uint8_t byte)
{
	if (place->second)
		put_digits(place->second, 0xDD);
	else if (place->at)
		put_digits(place->at, byte);
	place->byte = byte;
	place->is_done = true;
}

/* How many bytes from a place on are not made up, as far as an id goes. */
static size_t left_at(const struct bracket *bracket, size_t i)
{
	size_t n = i;

	while (n < bracket->n && n - i < REDACT_ID_BYTES && !bracket->places[n].is_done)
		n++;
	return n - i;
}

/* As SLIP has its bytes. */
static int unescape(const struct bracket *from, struct bracket *to)
{
	int r = 0;

	to->n = 0;
	for (size_t i = 0; i < from->n && r == 0; i++) {
		const struct place *one = &from->places[i], *next = one + 1;
		bool is_two = i + 1 < from->n && one->byte == 0xDB &&
			      (next->byte == 0xDC || next->byte == 0xDD);
		struct place place = *one;

		if (is_two) {
			place.second = next->at;
			place.byte = next->byte == 0xDC ? 0xC0 : 0xDB;
		}
		r = add_place(to, &place);
		i += is_two;
	}
	return r;
}

static void replace_bytes(struct redact *redact, struct bracket *bracket, const uint8_t *id,
	const uint8_t *made_up, size_t n_id)
{
	for (size_t i = 0; i < bracket->n;) {
		size_t from = 0;
		size_t n = part_at(bracket->places + i, left_at(bracket, i), id, n_id, &from);

		if (n == 0 || !is_telling(bracket->places + i, n)) {
			i++;
			continue;
		}
		for (size_t k = 0; k < n; k++)
			put(&bracket->places[i + k], made_up[from + k]);
		redact->n_replaced++;
		i += n;
	}
}

static void turn(const uint8_t *from, size_t n, uint8_t *to)
{
	for (size_t i = 0; i < n; i++)
		to[i] = from[n - 1 - i];
}

static void replace_names(struct redact *redact, struct bracket *bracket)
{
	for (size_t i = 0; i < redact->n_names; i++) {
		const struct redact_name *name = &redact->names[i];
		uint8_t bytes[REDACT_ID_BYTES], made_up[REDACT_ID_BYTES];

		if (name->n_bytes == 0)
			continue;
		turn(name->bytes, name->n_bytes, bytes);
		turn(name->made_up, name->n_bytes, made_up);
		replace_bytes(redact, bracket, name->bytes, name->made_up, name->n_bytes);
		replace_bytes(redact, bracket, bytes, made_up, name->n_bytes);
	}
}

/* redact_change, on a bracket that is in no text. */
static int change_data(void *userdata, uint8_t *data, size_t n_data)
{
	CLEANUP(bracket_done) struct bracket bracket = {0};
	struct redact *redact = userdata;
	int r = 0;

	for (size_t i = 0; i < n_data && r == 0; i++)
		r = add_place(&bracket, &(struct place){.byte = data[i]});
	if (r < 0)
		return r;
	replace_names(redact, &bracket);
	for (size_t i = 0; i < n_data; i++)
		data[i] = bracket.places[i].byte;
	return 0;
}

/* A bracket as its bytes alone, and back. */
struct flat {
	uint8_t *bytes;
	bool *is_done;
};

static void flat_done(struct flat *flat)
{
	free(flat->bytes);
	free(flat->is_done);
}

static int flatten(const struct bracket *bracket, struct flat *ret)
{
	ret->bytes = malloc(bracket->n + 1);
	ret->is_done = calloc(bracket->n + 1, sizeof(bool));
	if (!ret->bytes || !ret->is_done)
		return -ENOMEM;
	for (size_t i = 0; i < bracket->n; i++) {
		ret->bytes[i] = bracket->places[i].byte;
		ret->is_done[i] = bracket->places[i].is_done;
	}
	return 0;
}

static void unflatten(const struct flat *flat, struct bracket *bracket)
{
	for (size_t i = 0; i < bracket->n; i++) {
		if (flat->bytes[i] != bracket->places[i].byte)
			put(&bracket->places[i], flat->bytes[i]);
		bracket->places[i].is_done = flat->is_done[i];
	}
}

/* Frames that have sums. */
static int redact_sums(struct redact *redact, struct bracket *bracket)
{
	CLEANUP(flat_done) struct flat flat = {0};
	int r = flatten(bracket, &flat);

	if (r == 0)
		r = redact_frames(flat.bytes, bracket->n, flat.is_done, change_data, redact);
	if (r == 0)
		unflatten(&flat, bracket);
	return r;
}

/* As SLIP has the bytes; what is done so is done in the bracket. */
static int redact_slip(struct redact *redact, struct bracket *bracket, struct bracket *unescaped)
{
	CLEANUP(flat_done) struct flat flat = {0};
	int r = unescape(bracket, unescaped);
	size_t at = 0;

	if (r == 0)
		r = flatten(unescaped, &flat);
	if (r < 0)
		return r;
	redact_esp_heads(flat.bytes, unescaped->n, flat.is_done);
	unflatten(&flat, unescaped);
	replace_names(redact, unescaped);
	for (size_t i = 0; i < unescaped->n; i++) {
		bracket->places[at++].is_done = unescaped->places[i].is_done;
		if (unescaped->places[i].second)
			bracket->places[at++].is_done = unescaped->places[i].is_done;
	}
	return 0;
}

/* First in frames, which are to stay sound; at last whatever is left. */
static int redact_bracket(struct redact *redact, struct bracket *bracket, struct bracket *unescaped)
{
	int r = redact_sums(redact, bracket);

	if (r == 0)
		r = redact_slip(redact, bracket, unescaped);
	if (r == 0)
		replace_names(redact, bracket);
	bracket->n = 0;
	return r;
}

/* All brackets of a text, in place. */
static int redact_brackets(struct redact *redact, char *text)
{
	CLEANUP(bracket_done) struct bracket bracket = {0}, unescaped = {0};
	bool is_in = false;
	int r = 0;

	for (char *line = text; *line && r == 0;
		line += strcspn(line, "\n"), line += *line == '\n') {
		if (strncmp(line, "begin unit\n", 11) == 0)
			is_in = true;
		if (is_in && is_event(line))
			r = take_bytes(&bracket, line);
		if (r == 0 && strncmp(line, "end\n", 4) == 0) {
			r = redact_bracket(redact, &bracket, &unescaped);
			is_in = false;
		}
	}
	return r == 0 ? redact_bracket(redact, &bracket, &unescaped) : r;
}

/* ------------------------------------------------------------------ letters of a transcript */

/* Whether the bytes from a place on are this spelling, in any case. */
static bool is_spelt_at(const struct place *places, size_t n, const char *spelling)
{
	size_t k = 0;

	while (spelling[k] && k < n &&
		tolower(places[k].byte) == tolower((unsigned char)spelling[k]))
		k++;
	return k >= LONG_NAME && !spelling[k];
}

/* The length stays. Of a unit's id the digits are made up, and what is between them stays. */
static void put_letters(struct place *places, const char *spelling, const struct redact_name *name)
{
	const char *from = name->replacement;

	for (size_t k = 0; spelling[k]; k++)
		if (name->n_bytes == 0 || isxdigit((unsigned char)spelling[k]))
			put(&places[k], (uint8_t)(*from ? *from++ : 'x'));
}

static void replace_letters(struct redact *redact, struct bracket *heard)
{
	for (size_t i = 0; i < heard->n; i++)
		for (size_t m = 0; m < redact->n_names; m++) {
			const struct redact_name *name = &redact->names[m];

			for (size_t k = 0; k < REDACT_SPELLINGS && name->spellings[k]; k++) {
				if (!is_spelt_at(
					    heard->places + i, heard->n - i, name->spellings[k]))
					continue;
				put_letters(heard->places + i, name->spellings[k], name);
				redact->n_replaced++;
			}
		}
	heard->n = 0;
}

/* What an application says of itself while nobody speaks to it: "MAC 24:0a:c4:12:34:56". */
static int redact_letters(struct redact *redact, char *text)
{
	CLEANUP(bracket_done) struct bracket heard = {0};
	int r = 0;

	for (char *line = text; *line && r == 0;
		line += strcspn(line, "\n"), line += *line == '\n') {
		if (!is_event(line))
			continue;
		if (line[strcspn(line, "<>\n")] == '>')
			replace_letters(redact, &heard);
		r = take_bytes(&heard, line);
	}
	replace_letters(redact, &heard);
	return r;
}

/* ------------------------------------------------------------------ the whole */

static enum wanted wanted_in(const char *line, size_t n, bool in_transcript)
{
	if (is_event(line) || (in_transcript && is_of_the_form(line, n)))
		return WANTED_UNITS;
	if (in_transcript && strncmp(line, "rule ", 5) == 0 &&
		strncmp(line, "rule serial=", 12) != 0)
		return WANTED_LONG;
	return WANTED_ALL;
}

char *redact_text(struct redact *redact, const char *text)
{
	CLEANUP(freep) char *copy = strdup(text);
	bool in_transcript = false;
	char *made = NULL;
	size_t n_made = 0;
	FILE *to;

	if (!copy || redact_brackets(redact, copy) < 0 || redact_letters(redact, copy) < 0)
		return NULL;
	to = open_memstream(&made, &n_made);
	if (!to)
		return NULL;
	for (const char *line = copy; *line;) {
		size_t n = strcspn(line, "\n");

		n += line[n] == '\n';
		in_transcript |=
			strncmp(line, TRANSCRIPT_FORMAT "\n", strlen(TRANSCRIPT_FORMAT "\n")) == 0;
		write_words(redact, wanted_in(line, n, in_transcript), line, n, to);
		line += n;
	}
	if (fclose(to) == 0)
		return made;
	free(made);
	return NULL;
}
