/* SPDX-License-Identifier: MIT */
/*
 * question.c - questions and answers as lines on two pipes, and the worker's wait for an answer.
 *
 * The worker stands still until the service has answered: nothing is erased without a record of it.
 * Silence, a broken pipe, a line that is no answer and a wish to stop all mean "leave the unit".
 */
#include "flash/question.h"
#include "api/report-lines.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"

#define QUESTION_PREFIX "ask "
#define ANSWER_PREFIX	"answer "
#define DATA_PREFIX	"data "
#define KEPT_PREFIX	"before "
#define TRUST_PREFIX	"trust "

static const char *const questions[QUESTION_MAX] = {
	[QUESTION_OPEN] = "open",
	[QUESTION_DECIDE] = "decide",
	[QUESTION_TRUST] = "trust",
	[QUESTION_ERASE] = "erase",
};

static const char *const answers[ANSWER_MAX] = {
	[ANSWER_GO] = "go",
	[ANSWER_COMPARE] = "compare",
	[ANSWER_FINGERPRINT] = "fingerprint",
	[ANSWER_WRITE] = "write",
	[ANSWER_LEAVE] = "leave",
};

const char *question_word(enum question question)
{
	return questions[question];
}

static int finish_write(FILE *to)
{
	return fflush(to) == 0 && !ferror(to) ? 0 : -EIO;
}

/* The number of the word behind the prefix, -1 where the line is something else. */
static int find_word(const char *line, const char *prefix, const char *const words[], int n_words)
{
	size_t n = strlen(prefix);

	if (strncmp(line, prefix, n) != 0)
		return -1;
	for (int i = 0; i < n_words; i++)
		if (strcmp(line + n, words[i]) == 0)
			return i;
	return -1;
}

int question_write(enum question question, const struct report *so_far, FILE *to)
{
	struct report report = *so_far;

	/* Were this the last that is heard of the job, it has not ended well. */
	report.outcome = OUTCOME_FAILED;
	report_write_fields(&report, to);
	fprintf(to, QUESTION_PREFIX "%s\n", questions[question]);
	return finish_write(to);
}

bool question_read(const char *line, enum question *ret)
{
	int word = find_word(line, QUESTION_PREFIX, questions, QUESTION_MAX);

	if (word < 0)
		return false;
	*ret = (enum question)word;
	return true;
}

int answer_write(const struct answer *answer, FILE *to)
{
	struct report report = {.outcome = answer->outcome, .reason = answer->reason};

	if (answer->word == ANSWER_LEAVE)
		report_write_fields(&report, to);
	if (answer->n_data > 0)
		fputs(DATA_PREFIX, to);
	for (size_t i = 0; i < answer->n_data; i++)
		fprintf(to, "%02x", answer->data[i]);
	if (answer->n_data > 0)
		fputc('\n', to);
	if (*answer->kept)
		fprintf(to, KEPT_PREFIX "%s\n", answer->kept);
	if (answer->has_trusts)
		fprintf(to, TRUST_PREFIX "%s %s\n", trust_to_string(answer->trusts.stub),
			trust_to_string(answer->trusts.bursts));
	fprintf(to, ANSWER_PREFIX "%s\n", answers[answer->word]);
	return finish_write(to);
}

/* Two digits a byte. Whether it was that. */
static bool read_data(const char *digits, struct answer *answer)
{
	size_t n = strlen(digits);

	if (n == 0 || n % 2 != 0 || n / 2 > sizeof(answer->data) ||
		strspn(digits, "0123456789abcdef") != n)
		return false;
	for (size_t i = 0; i < n / 2; i++) {
		const char byte[] = {digits[2 * i], digits[2 * i + 1], '\0'};

		answer->data[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	answer->n_data = n / 2;
	return true;
}

/* Digits that fit. Whether it was that. */
static bool read_kept(const char *digits, struct answer *answer)
{
	size_t n = strlen(digits);

	if (n == 0 || n >= sizeof(answer->kept) || strspn(digits, "0123456789abcdef") != n)
		return false;
	memcpy(answer->kept, digits, n + 1);
	return true;
}

/* Two words, of the program in the RAM and of bursts. Whether it was that. */
static bool read_trusts(const char *words, struct answer *answer)
{
	const char *space = strchr(words, ' ');
	char first[16];
	int stub, bursts;

	if (!space || (size_t)(space - words) >= sizeof(first))
		return false;
	memcpy(first, words, (size_t)(space - words));
	first[space - words] = '\0';
	stub = trust_from_string(first);
	bursts = trust_from_string(space + 1);
	if (stub < 0 || bursts < 0)
		return false;
	answer->trusts = (struct trusts){(enum trust)stub, (enum trust)bursts};
	answer->has_trusts = true;
	return true;
}

int answer_read_line(struct answer *answer, const char *line)
{
	struct report report = {.outcome = answer->outcome, .reason = answer->reason};
	struct progress ignored;
	int word = find_word(line, ANSWER_PREFIX, answers, ANSWER_MAX);

	if (word >= 0) {
		answer->word = (enum answer_word)word;
		return ANSWER_LINE_END;
	}
	if (strncmp(line, DATA_PREFIX, strlen(DATA_PREFIX)) == 0)
		return read_data(line + strlen(DATA_PREFIX), answer) ? ANSWER_LINE_PART
								     : ANSWER_LINE_UNKNOWN;
	if (strncmp(line, KEPT_PREFIX, strlen(KEPT_PREFIX)) == 0)
		return read_kept(line + strlen(KEPT_PREFIX), answer) ? ANSWER_LINE_PART
								     : ANSWER_LINE_UNKNOWN;
	if (strncmp(line, TRUST_PREFIX, strlen(TRUST_PREFIX)) == 0)
		return read_trusts(line + strlen(TRUST_PREFIX), answer) ? ANSWER_LINE_PART
									: ANSWER_LINE_UNKNOWN;
	if (report_read_line(&report, &ignored, line) != REPORT_LINE_FIELD)
		return ANSWER_LINE_UNKNOWN;
	answer->outcome = report.outcome;
	answer->reason = report.reason;
	return ANSWER_LINE_PART;
}

/* ------------------------------------------------------------------------ the worker asks */

static void give_up(struct answer *answer, enum outcome outcome, const char *why)
{
	*answer = (struct answer){.word = ANSWER_LEAVE, .outcome = outcome};
	reason_set(&answer->reason, "%s; nothing was erased", why);
}

/* Byte by byte: what follows the line is for poll(). 0, -EPIPE at the end, -ETIMEDOUT, another. */
static int read_line(int input, uint64_t deadline, char line[static REPORT_LINE_BYTES])
{
	struct pollfd ready = {.fd = input, .events = POLLIN};

	for (size_t n = 0; n < REPORT_LINE_BYTES; n++) {
		uint64_t now = monotonic_usec();
		ssize_t r;

		do
			r = poll(&ready, 1,
				now < deadline ? (int)((deadline - now) / USEC_PER_MSEC) + 1 : 0);
		while (r < 0 && errno == EINTR);
		if (r <= 0)
			return r < 0 ? -errno : -ETIMEDOUT;
		r = read(input, &line[n], 1);
		if (r <= 0)
			return r < 0 ? -errno : -EPIPE;
		if (line[n] != '\n')
			continue;
		line[n] = '\0';
		return 0;
	}
	return -EMSGSIZE;
}

void question_ask(int input, FILE *output, enum question question, const struct report *so_far,
	uint64_t wait_usec, struct answer *ret)
{
	uint64_t deadline = monotonic_usec() + wait_usec;
	char line[REPORT_LINE_BYTES];
	int r = question_write(question, so_far, output);

	*ret = (struct answer){.outcome = OUTCOME_FAILED};
	while (r >= 0) {
		r = read_line(input, deadline, line);
		if (r == 0 && strcmp(line, CANCEL_LINE) == 0)
			r = -ECANCELED;
		if (r == 0)
			r = answer_read_line(ret, line);
		if (r == ANSWER_LINE_END)
			return;
		if (r == ANSWER_LINE_UNKNOWN)
			r = -EBADMSG;
	}
	if (r == -ECANCELED || r == -EPIPE)
		give_up(ret, OUTCOME_CANCELLED, "the job was to stop");
	else
		give_up(ret, OUTCOME_FAILED,
			r == -ETIMEDOUT ? "the service did not answer in time"
					: "the service could not be asked");
}
