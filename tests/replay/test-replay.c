/* SPDX-License-Identifier: MIT */
/*
 * test-replay.c - transcripts of boards, played back: the client of today says to each what was
 * said to it then, and ends as it ended then. Boards that are in tests/replay/transcripts need not
 * be here.
 *
 * A transcript without the image's bytes is played with made-up ones in their place. That does
 * where the boot loader sends the flash as it is, or where the job ends before; not where it is
 * asked for a sum of the flash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "chip/chips.h"
#include "chip/family.h"
#include "cli/redact.h"
#include "flash/flash.h"
#include "flash/image-check.h"
#include "replay/port-tape.h"

#define FOLDER	  "tests/replay/transcripts"
#define CHIPS	  "config/chips.ini"
#define TEXT_MOST (64 * 1024 * 1024)
#define OWN_MOST  (64 * 1024 * 1024)

/* ------------------------------------------------------------------ files */

struct text {
	char *bytes;
	size_t n;
};

static void text_done(struct text *text)
{
	free(text->bytes);
}

static struct text read_text(const char *path)
{
	CLEANUP(fclosep) FILE *file = fopen(path, "re");
	struct text text = {.bytes = malloc(TEXT_MOST)};

	if (!file || !text.bytes)
		fail_msg("%s cannot be read", path);
	text.n = fread(text.bytes, 1, TEXT_MOST - 1, file);
	text.bytes[text.n] = '\0';
	return text;
}

static struct text sample(const char *name)
{
	CLEANUP(freep) char *path = NULL;

	assert_true(asprintf(&path, FOLDER "/%s", name) > 0);
	return read_text(path);
}

/* Replaces the first of these by the other, which may be longer. */
static void change(struct text *text, const char *from, const char *to)
{
	char *at = strstr(text->bytes, from), *rest;

	if (!at)
		fail_msg("no '%s' to be changed", from);
	rest = strdup(at + strlen(from));
	assert_non_null(rest);
	at = stpcpy(at, to);
	at = stpcpy(at, rest);
	text->n = (size_t)(at - text->bytes);
	free(rest);
}

/* ------------------------------------------------------------------ playing */

struct player {
	struct tape *tape;
	size_t n_asked;
	char difference[200];
};

/* As the service answered then. */
static void answer(
	void *userdata, enum question question, const struct report *so_far, struct answer *ret)
{
	struct player *player = userdata;
	const struct tape *tape = player->tape;
	const struct tape_answer *given;

	(void)so_far;
	if (player->n_asked == tape->n_answers) {
		snprintf(player->difference, sizeof(player->difference),
			"plugflash asks '%s', and the transcript does not",
			question_word(question));
		return;
	}
	given = &tape->answers[player->n_asked++];
	if (strcmp(given->question, question_word(question)) != 0)
		snprintf(player->difference, sizeof(player->difference),
			"plugflash asks '%s', and the transcript '%s'", question_word(question),
			given->question);
	*ret = given->answer;
	ret->n_data += given->n_cut;
}

static void read_rule(const char *text, struct board *ret)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(ini_done) struct ini ini = {0};
	char line[400];

	assert_non_null(text);
	assert_int_equal(ini_load_text(&ini, "rule", text, strlen(text), &problems), 0);
	if (config_read_board(&ini, ret, &problems) != 0)
		fail_msg("%s", ini_problem_format(&problems.items[0], line, sizeof(line)));
}

static enum outcome run(struct player *player, struct report *report)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(chip_table_done) struct chip_table chips = {0};
	CLEANUP(board_done) struct board board = {0};
	CLEANUP(freep) uint8_t *read = NULL;
	struct tape *tape = player->tape;
	struct chip_options options;
	uint32_t n_read;
	struct flash_job job = {
		.action = tape->action,
		.dry_run = tape->dry_run,
		.port = TAPE_PORT,
		.board = &board,
		.chips = &chips,
		.image = tape->image.n_segments > 0 ? &tape->image : NULL,
		.read_address = tape->read_address,
		.read_size = tape->read_size,
		.ret_read = &read,
		.ret_read_size = &n_read,
		.erase = &tape->erase,
		.has_start_address = tape->has_start_address,
		.start_address = tape->start_address,
		.ret_options = &options,
		.ask = tape->n_answers > 0 ? answer : NULL,
		.trusts = tape->trusts,
		.asks_trust = tape->asks_trust,
		.is_guess = tape->is_guess,
		.seed = tape->seed,
		.userdata = player,
	};
	enum outcome outcome;

	assert_int_equal(chip_table_load(chip_families, CHIPS, NULL, &chips, &problems), 0);
	read_rule(tape->rule, &board);
	/* Made-up bytes have no vectors. */
	if (!tape->has_bytes)
		board.check_vectors = false;
	assert_int_equal(transcript_new(OWN_MOST, tape->has_bytes, &job.transcript), 0);
	port_tape_insert(tape);
	outcome = flash_run(&job, report);
	transcript_free(job.transcript);
	return outcome;
}

/* "" where all went as it did then; else what did not. */
static char *play(const struct text *text, char to[static 600])
{
	CLEANUP(tape_done) struct tape tape = {0};
	struct player player = {.tape = &tape};
	struct reason reason = {""};
	struct report report = {0};
	const char *difference;
	enum outcome outcome;

	if (tape_read(text->bytes, text->n, &tape, &reason) < 0) {
		snprintf(to, 600, "%s", reason.text);
		return to;
	}
	snprintf(report.version, sizeof(report.version), "%s", tape.version);
	outcome = run(&player, &report);
	difference = port_tape_difference();
	to[0] = '\0';
	if (difference)
		snprintf(to, 600, "%s", difference);
	else if (*player.difference)
		snprintf(to, 600, "%s", player.difference);
	else if (outcome != tape.outcome)
		snprintf(to, 600, "it ends in %s (%s), and the transcript in %s",
			outcome_to_string(outcome), report.reason.text,
			outcome_to_string(tape.outcome));
	return to;
}

/* ------------------------------------------------------------------ all of them */

static int is_transcript(const struct dirent *entry)
{
	const char *suffix = strrchr(entry->d_name, '.');

	return suffix && strcmp(suffix, ".txt") == 0;
}

static void each_sample(void (*check)(const char *name, struct text *text))
{
	struct dirent **names = NULL;
	int n = scandir(FOLDER, &names, is_transcript, alphasort);

	assert_true(n >= 5);
	for (int i = 0; i < n; i++) {
		CLEANUP(text_done) struct text text = sample(names[i]->d_name);

		check(names[i]->d_name, &text);
		print_message("%s\n", names[i]->d_name);
		free(names[i]);
	}
	free(names);
}

static void plays_to_its_end(const char *name, struct text *text)
{
	char said[600];

	if (*play(text, said))
		fail_msg(FOLDER "/%s: %s", name, said);
}

static void each_transcript_plays_to_its_end(void **state)
{
	(void)state;
	each_sample(plays_to_its_end);
}

/* ------------------------------------------------------------------ without ids */

/* What `plugflash report` makes of it. */
static struct text redacted(const struct text *text)
{
	CLEANUP(redact_done) struct redact redact = {0};
	struct text made;

	assert_int_equal(redact_add_names_of(&redact, text->bytes), 0);
	made.bytes = redact_text(&redact, text->bytes);
	assert_non_null(made.bytes);
	made.n = strlen(made.bytes);
	return made;
}

/* All bytes that the board said, in order and without their lines. */
static struct text heard_in(const struct text *text)
{
	struct text heard = {.bytes = malloc(text->n)};

	assert_non_null(heard.bytes);
	for (const char *line = text->bytes; *line; line += strcspn(line, "\n") + 1) {
		const char *at = line + strcspn(line, " \n");

		for (at += strncmp(at, " <", 2) == 0 ? 2 : 0;
			*at == ' ' && digit_value(at[1]) < 16 && digit_value(at[2]) < 16; at += 3)
			heard.bytes[heard.n++] =
				(char)(digit_value(at[1]) << 4 | digit_value(at[2]));
	}
	return heard;
}

/* Three bytes of the id in a row, from the front or from behind, are no accident. */
static bool tells_part(const struct text *heard, const uint8_t *id, size_t n_id)
{
	for (size_t i = 0; i + 3 <= n_id; i++) {
		const uint8_t turned[] = {id[i + 2], id[i + 1], id[i]};

		if (memmem(heard->bytes, heard->n, id + i, 3) ||
			memmem(heard->bytes, heard->n, turned, 3))
			return true;
	}
	return false;
}

static void plays_without_its_id(const char *name, struct text *text)
{
	CLEANUP(text_done) struct text made = redacted(text);
	CLEANUP(text_done) struct text heard = heard_in(&made);
	const char *line = strstr(text->bytes, "\nunit ");
	char unit[33] = "", said[600];
	uint8_t id[16];
	size_t n_id = 0;

	assert_non_null(line);
	assert_int_equal(sscanf(line, "\nunit %32[0-9a-f]", unit), 1);
	for (; unit[2 * n_id]; n_id++)
		assert_int_equal(sscanf(unit + 2 * n_id, "%2hhx", &id[n_id]), 1);
	if (strstr(made.bytes, unit))
		fail_msg(FOLDER "/%s: the id stands there as digits", name);
	if (tells_part(&heard, id, n_id))
		fail_msg(FOLDER "/%s: bytes of the id stand there", name);
	if (*play(&made, said))
		fail_msg(FOLDER "/%s, without ids: %s", name, said);
}

/* Bridges have such; the form of the transcript and numbers of the rule are no serial numbers. */
static void a_serial_number_that_looks_like_a_number_is_told_apart(void **state)
{
	CLEANUP(text_done) struct text text = sample("stm32-rom.txt");
	CLEANUP(text_done) struct text made = {0};
	char said[600];

	(void)state;
	change(&text, "rule retries=0\n", "rule serial=0\nrule retries=0\n");
	change(&text, "outcome updated\n", "reason serial 0 of bridge 0\noutcome updated\n");
	made = redacted(&text);
	if (*play(&made, said))
		fail_msg("%s", said);
	assert_non_null(strstr(made.bytes, "\nrule serial=serial-1\nrule retries=0\n"));
	assert_non_null(strstr(made.bytes, "\nreason serial serial-1 of bridge serial-1\n"));
}

/* As plugflash(1) and plugflash-transcript(5) promise. */
static void each_plays_without_its_id(void **state)
{
	(void)state;
	each_sample(plays_without_its_id);
}

/* ------------------------------------------------------------------ what is told of a difference
 */

static const struct difference_row {
	const char *name, *from, *to; /* in the transcript of a STM32 by its ROM */
	const char *told;
} differences[] = {
	{"another byte", " > 02 fd\n", " > 03 fc\n",
		"plugflash sends 02 fd, and the transcript has > 03 fc"},
	{"half of a write", " > 02 fd\n", " > 02\n", "plugflash sends fd, and the transcript has"},
	{"another line", " lines dtr=1,rts=1\n", " lines dtr=1,rts=0\n",
		"plugflash sets lines dtr=1,rts=1, and the transcript has lines dtr=1,rts=0"},
	{"another rate", " rate 115200 8E1\n", " rate 57600 8E1\n",
		"plugflash sets the rate 115200 8E1, and the transcript has rate 57600 8E1"},
	{"another place in the flash", "begin flash 0x08000100+256\n0.4",
		"begin flash 0x08000200+256\n0.4",
		"plugflash sends 256 bytes of the flash at 0x08000100, and"},
	{"another size of the image", "segment 0x08000000+4096\n", "segment 0x08000000+4000\n",
		"plugflash sends"},
	{"a bridge that goes", " > 02 fd\n", " send 2 failed ENODEV\n",
		"plugflash has ended, and the transcript has > 02 fd"},
	{"another end", "outcome updated\n", "outcome current\n",
		"it ends in updated (), and the transcript in current"},
};

static void a_difference_is_told_by_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(differences); i++) {
		const struct difference_row *row = &differences[i];
		CLEANUP(text_done) struct text text = sample("stm32-rom.txt");
		char said[600];

		change(&text, row->from, row->to);
		if (!strstr(play(&text, said), row->told))
			fail_msg("%s: '%s'", row->name, said);
	}
}

/* The board goes on to speak where plugflash has ended already. */
static void what_is_left_over_is_told(void **state)
{
	CLEANUP(text_done) struct text text = sample("stm32-rom.txt");
	char said[600];

	(void)state;
	change(&text, "chip STM32", "9999.000000 > 00 ff\nchip STM32");
	assert_non_null(
		strstr(play(&text, said), "plugflash has ended, and the transcript has > 00"));
}

/* What the board does not say, plugflash waits for, and goes on as it would at the board. */
static void an_answer_that_is_left_out_is_missed(void **state)
{
	CLEANUP(text_done) struct text text = sample("stm32-rom.txt");
	char said[600];

	(void)state;
	change(&text, "0.112403 < 79\n", "");
	assert_non_null(
		strstr(play(&text, said), "plugflash sends 7f, and the transcript has > 00 ff"));
}

static const struct {
	const char *name, *text, *told;
} bad_texts[] = {
	{"nothing", "", "line 0: it is cut off"},
	{"another format", "plugflash-transcript 2\n", "line 1: a transcript begins with"},
	{"no last line", "plugflash-transcript 1\naction probe\n", "line 2: it is cut off"},
	{"no line break", "plugflash-transcript 1\naction probe", "line 2: that is no whole line"},
	{"another word", "plugflash-transcript 1\nhello\n", "line 2: that is no line"},
	{"another action", "plugflash-transcript 1\naction dance\n", "line 2: there is no such"},
	{"a time without its digits", "plugflash-transcript 1\n0.5 > 7f\n",
		"line 2: that is no time"},
	{"a time that goes back", "plugflash-transcript 1\n1.000000 > 7f\n0.999999 > 7f\n",
		"line 3: that is no time"},
	{"bytes that are none", "plugflash-transcript 1\n1.000000 > 7\n", "line 2: these are no"},
	{"no bytes", "plugflash-transcript 1\n1.000000 >\n", "line 2: these are no"},
	{"another event", "plugflash-transcript 1\n1.000000 dance\n", "line 2: that is no event"},
	{"another error", "plugflash-transcript 1\n1.000000 drain failed EDANCE\n",
		"line 2: there is no such error"},
	{"bytes of no segment", "plugflash-transcript 1\nbytes 0x08000000 11\n",
		"line 2: these bytes are of no segment"},
	{"a segment that wraps", "plugflash-transcript 1\nsegment 0xffffff00+4096\n", ""},
	{"an answer nobody asked for", "plugflash-transcript 1\ntold answer go\n",
		"line 2: nobody has asked"},
};

static void a_bad_transcript_is_refused_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_texts); i++) {
		struct reason reason = {""};
		struct tape tape;

		if (tape_read(bad_texts[i].text, strlen(bad_texts[i].text), &tape, &reason) !=
				-EINVAL ||
			!strstr(reason.text, bad_texts[i].told))
			fail_msg("%s: '%s'", bad_texts[i].name, reason.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_transcript_plays_to_its_end),
		cmocka_unit_test(each_plays_without_its_id),
		cmocka_unit_test(a_serial_number_that_looks_like_a_number_is_told_apart),
		cmocka_unit_test(a_difference_is_told_by_its_line),
		cmocka_unit_test(what_is_left_over_is_told),
		cmocka_unit_test(an_answer_that_is_left_out_is_missed),
		cmocka_unit_test(a_bad_transcript_is_refused_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
