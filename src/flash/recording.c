/* SPDX-License-Identifier: MIT */
/* recording.c - see recording.h, and plugflash-transcript(5) for each of the lines. */
#include "flash/recording.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/names.h"
#include "base/util.h"
#include "chip/option-bytes.h"
#include "device/transcript.h"
#include "flash/assignment.h"

/* Each line of a text behind a word of its own. */
static void note_lines(struct transcript *transcript, const char *word, char *text)
{
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			transcript_note(transcript, "%s %s", word, line);
}

static void note_time(struct transcript *transcript)
{
	time_t now = (time_t)(realtime_usec() / (int64_t)USEC_PER_SEC);
	char text[32];
	struct tm utc;

	if (gmtime_r(&now, &utc) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) > 0)
		transcript_note(transcript, "begun %s", text);
}

static void note_rule(struct transcript *transcript, const struct board *board)
{
	CLEANUP(freep) char *text = NULL;
	size_t n_text = 0;
	FILE *memory = open_memstream(&text, &n_text);
	int r;

	if (!memory)
		return;
	r = config_write_board(board, memory);
	if (fclose(memory) == 0 && r == 0)
		note_lines(transcript, "rule", text);
}

static void note_bytes(struct transcript *transcript, const struct segment *segment)
{
	char line[3 * TRANSCRIPT_LINE_BYTES + 1];

	for (uint32_t at = 0; at < segment->size; at += TRANSCRIPT_LINE_BYTES) {
		size_t n = 0;

		for (uint32_t i = at; i < segment->size && i < at + TRANSCRIPT_LINE_BYTES; i++)
			n += (size_t)snprintf(
				line + n, sizeof(line) - n, " %02x", segment->data[i]);
		transcript_note(transcript, "bytes 0x%08" PRIx32 "%s", segment->address + at, line);
	}
}

static void note_image(
	struct transcript *transcript, const struct flash_job *job, const struct report *report)
{
	const struct image *image = job->image;

	if (!image)
		return;
	if (*report->image)
		transcript_note(transcript, "image %s", report->image);
	if (*report->version)
		transcript_note(transcript, "image-version %s", report->version);
	for (size_t i = 0; i < image->n_segments; i++)
		transcript_note(transcript, "segment 0x%08" PRIx32 "+%" PRIu32,
			image->segments[i].address, image->segments[i].size);
	for (size_t i = 0; transcript_has_image(transcript) && i < image->n_segments; i++)
		note_bytes(transcript, &image->segments[i]);
}

static void note_erase(struct transcript *transcript, const struct erase_wish *wish)
{
	if (wish->what == ERASE_ALL)
		transcript_note(transcript, "erase all");
	if (wish->what == ERASE_RANGE)
		transcript_note(
			transcript, "erase 0x%08" PRIx32 "+%" PRIu32, wish->address, wish->size);
	for (size_t i = 0; wish->what == ERASE_PAGES && i < wish->n_numbers; i++)
		transcript_note(transcript, "erase pages %" PRIu32 "-%" PRIu32,
			wish->numbers[i].first, wish->numbers[i].last);
	if (wish->takes_whole_pages)
		transcript_note(transcript, "erase whole-pages");
	if (wish->takes_kept)
		transcript_note(transcript, "erase with-kept");
}

/* What the job is told besides rule and image. */
static void note_wish(struct transcript *transcript, const struct flash_job *job)
{
	transcript_note(transcript, "action %s", assignment_action_word(job->action));
	if (job->dry_run)
		transcript_note(transcript, "dry-run");
	if (job->is_guess)
		transcript_note(transcript, "guess");
	if (job->action == FLASH_READ)
		transcript_note(transcript, "read 0x%08" PRIx32 "+%" PRIu32, job->read_address,
			job->read_size);
	if (job->action == FLASH_ERASE && job->erase)
		note_erase(transcript, job->erase);
	if (job->action == FLASH_START && job->has_start_address)
		transcript_note(transcript, "start-address 0x%08" PRIx32, job->start_address);
	transcript_note(transcript, "seed 0x%016" PRIx64, job->seed);
	transcript_note(transcript, "trust %s %s%s", trust_to_string(job->trusts.stub),
		trust_to_string(job->trusts.bursts), job->asks_trust ? " asked" : "");
}

void recording_begin(const struct flash_job *job, const struct report *report)
{
	struct transcript *transcript = job->transcript;
	char port[TEXT_MAX];

	if (!transcript)
		return;
	transcript_set_image(transcript, job->image);
	transcript_note(transcript, "made-by plugflash " PLUGFLASH_VERSION);
	note_time(transcript);
	transcript_note(transcript, "port %s", text_escape(job->port, port, sizeof(port)));
	note_wish(transcript, job);
	note_rule(transcript, job->board);
	note_image(transcript, job, report);
}

void recording_phase(const struct flash_job *job, enum phase phase)
{
	transcript_note(job->transcript, "phase %s", phase_to_string(phase));
}

void recording_answer(
	const struct flash_job *job, enum question question, const struct answer *given)
{
	struct transcript *transcript = job->transcript;
	CLEANUP(freep) char *text = NULL;
	struct answer answer = *given;
	size_t n_text = 0;
	FILE *memory;

	if (!transcript)
		return;
	transcript_note(transcript, "ask %s", question_word(question));
	/* They become bytes of the image. */
	if (answer.n_data > 0 && !transcript_has_image(transcript)) {
		transcript_note(transcript, "told cut %zu", answer.n_data);
		answer.n_data = 0;
	}
	memory = open_memstream(&text, &n_text);
	if (!memory)
		return;
	(void)answer_write(&answer, memory);
	if (fclose(memory) == 0)
		note_lines(transcript, "told", text);
}

void recording_end(const struct flash_job *job, const struct report *report)
{
	struct transcript *transcript = job->transcript;

	if (!transcript)
		return;
	transcript_set_image(transcript, NULL);
	if (*report->chip)
		transcript_close(transcript, "chip %s", report->chip);
	if (*report->unit)
		transcript_close(transcript, "unit %s", report->unit);
	transcript_close(transcript, "outcome %s", outcome_to_string(report->outcome));
	if (*report->reason.text)
		transcript_close(transcript, "reason %s", report->reason.text);
	transcript_end_text(transcript);
}
