/* SPDX-License-Identifier: MIT */
/* A transcript of whoever sends one, and the ids that it names: without them it is as long, and
 * still a transcript. */
#include <strings.h>

#include "base/parse.h"
#include "cli/redact.h"
#include "fuzz.h"
#include "replay/tape.h"

/* "0.000001 > 11 ee" */
static bool is_sent(const char *line, size_t n)
{
	size_t at = strspn(line, "0123456789.");

	if (at == 0 || strncmp(line + at, " >", 2) != 0)
		return false;
	for (at += 2; at < n; at += 3)
		if (line[at] != ' ' || digit_value(line[at + 1]) > 15 ||
			digit_value(line[at + 2]) > 15)
			return false;
	return true;
}

/* As many lines as before, and what the host sent is the same. */
static void must_be_alike(const char *from, const char *made)
{
	while (*from || *made) {
		size_t n = strcspn(from, "\n"), n_made = strcspn(made, "\n");

		MUST(!is_sent(from, n) || (n == n_made && memcmp(from, made, n) == 0));
		MUST(from[n] == made[n_made]);
		from += n + (from[n] == '\n');
		made += n_made + (made[n_made] == '\n');
	}
}

/* An id that no replacement can become, by itself or with what stands beside it. */
static bool is_unlike_made_up(const struct redact *redact)
{
	const struct redact_name *name = redact->names;

	if (redact->n_names != 1 || name->kind != REDACT_UNIT || name->n_bytes != 6)
		return false;
	for (size_t i = 0; i < name->n_bytes; i++)
		if ((name->bytes[i] & 0x88) != 0x88)
			return false;
	return true;
}

/* As many events as before, each of its kind. */
static void must_be_played(const char *from, const char *made)
{
	struct tape tape, other;
	struct reason reason = {""};

	if (tape_read(from, strlen(from), &tape, &reason) < 0)
		return;
	MUST(tape_read(made, strlen(made), &other, &reason) == 0);
	MUST(tape.n_events == other.n_events);
	for (size_t i = 0; i < tape.n_events; i++) {
		MUST(tape.events[i].kind == other.events[i].kind);
		MUST(tape.events[i].n_bytes == other.events[i].n_bytes);
	}
	tape_done(&tape);
	tape_done(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(redact_done) struct redact redact = {0};
	CLEANUP(freep) char *text = strndup((const char *)data, size);
	CLEANUP(freep) char *made = NULL;

	MUST(text);
	if (redact_add_names_of(&redact, text) < 0)
		return 0;
	made = redact_text(&redact, text);
	MUST(made);
	must_be_alike(text, made);
	must_be_played(text, made);
	if (is_unlike_made_up(&redact))
		MUST(!strcasestr(made, redact.names[0].spellings[0]));
	return 0;
}
