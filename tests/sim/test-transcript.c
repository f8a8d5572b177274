/* SPDX-License-Identifier: MIT */
/*
 * test-transcript.c - what is recorded of jobs with simulated boards: all that was said, nothing of
 * the image unless it is asked for, and the board does not notice it.
 *
 * With a folder as its argument it writes the samples there that tests/replay plays; their outcomes
 * and what was said stay the same as long as nothing that is sent changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/util.h"
#include "device/transcript.h"
#include "esp-bench.h"
#include "loader-bench.h"
#include "promotion-bench.h"
#include "ti-bench.h"

#define RULE  "chip = 0x410\nretries = 0\nbaud = 115200\n"
#define MOST  (16 * 1024 * 1024)
#define FLASH UINT32_C(0x08000000)

/* So many bytes of the image in a row are no accident. */
#define WINDOW 12

/* ------------------------------------------------------------------ what stands in the text */

/* All that was sent and read, in order and without its lines. */
struct stream {
	uint8_t *bytes;
	size_t n;
};

static void stream_done(struct stream *stream)
{
	free(stream->bytes);
}

static struct stream stream_of(const char *text, char way)
{
	struct stream stream = {.bytes = malloc(strlen(text))};

	assert_non_null(stream.bytes);
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		const char *at = line + strcspn(line, " \n");
		unsigned byte;
		int n;

		if (*at != ' ' || at[1] != way || strncmp(at + 2, " cut", 4) == 0)
			continue;
		for (at += 2; *at == ' ' && sscanf(at, " %2x%n", &byte, &n) == 1; at += n)
			stream.bytes[stream.n++] = (uint8_t)byte;
	}
	return stream;
}

static bool has_window(const struct stream *stream, const uint8_t *window)
{
	return memmem(stream->bytes, stream->n, window, WINDOW) != NULL;
}

/* How many windows of the image are in it. Such of one value are everywhere. */
static unsigned count_windows(const struct stream *stream, const struct image *image)
{
	unsigned n = 0;

	for (size_t i = 0; i < image->n_segments; i++)
		for (uint32_t at = 0; at + WINDOW <= image->segments[i].size; at += WINDOW) {
			const uint8_t *window = image->segments[i].data + at;

			if (memcmp(window, window + 1, WINDOW - 1) != 0)
				n += has_window(stream, window);
		}
	return n;
}

static unsigned count_image(const char *text, const struct image *image)
{
	CLEANUP(stream_done) struct stream sent = stream_of(text, '>');
	CLEANUP(stream_done) struct stream heard = stream_of(text, '<');

	return count_windows(&sent, image) + count_windows(&heard, image);
}

static unsigned count_lines(const char *text, const char *with)
{
	unsigned n = 0;

	while ((text = strstr(text, with))) {
		n++;
		text++;
	}
	return n;
}

/* ------------------------------------------------------------------ recording */

/* The text, the caller's to free. */
static char *record(
	struct bench *bench, enum flash_action action, bool with_image, size_t most_bytes)
{
	const char *text;
	char *copy;
	size_t n;

	assert_int_equal(transcript_new(most_bytes, with_image, &bench->transcript), 0);
	bench_run(bench, action);
	text = transcript_text(bench->transcript, &n);
	copy = strndup(text, n);
	assert_non_null(copy);
	assert_int_equal(strlen(copy), n);
	bench->transcript = transcript_free(bench->transcript);
	return copy;
}

static void assert_has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no '%s' in\n%.3000s", line, text);
}

/* ------------------------------------------------------------------ boards of each loader */

static struct bench *rom(void)
{
	struct bench *bench = bench_new("f103c8", RULE);

	bench_take_bytes(bench, FLASH, 3000, 1);
	return bench;
}

static struct bench *stub(void)
{
	struct bench *bench = promotion_new("f103xc", "f1", PROMOTION_ONCE, SIM_PROGRAM_PEER, NULL);

	bench_take_bytes(bench, FLASH, 9000, 1);
	return bench;
}

static struct bench *iap(void)
{
	const struct sim_faults none = {0};
	struct bench *bench = new_iap(&none, IAP "retries = 0\n");

	/* Without its banner, which it prints where everybody reads it. */
	take_application(bench, 0x200, 1);
	return bench;
}

static struct bench *esp(void)
{
	struct bench *bench = esp_bench_new("esp32", NULL, NULL, "");

	esp_take_build(bench, "esp32", "1.0.0", 20000);
	return bench;
}

static struct bench *ti(void)
{
	struct bench *bench = ti_bench_new("cc2652p", NULL, NULL, "");
	struct ti_make_image image = ti_make_new("cc2652p", "20240710", 0);

	ti_take(bench, &image, false);
	ti_make_done(&image);
	return bench;
}

static const struct loader_row {
	const char *name;
	struct bench *(*make)(void);
	bool names_unit;
	bool packs; /* the bytes of the image are not on the line as they are */
} rows[] = {
	{"rom", rom, true, false},
	{"stub", stub, true, false},
	{"ymodem", iap, false, false},
	{"esp", esp, true, true},
	{"bsl", ti, true, false},
};

static void no_byte_of_the_image_is_recorded_unless_it_is_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = rows[i].make();
		CLEANUP(freep) char *without = record(bench, FLASH_UPDATE, false, MOST);

		print_message("%s: %s, %zu bytes\n", rows[i].name,
			outcome_to_string(bench->report.outcome), strlen(without));
		assert_int_equal(bench->report.outcome, OUTCOME_UPDATED);
		assert_int_equal(count_image(without, &bench->image), 0);
		assert_true(count_lines(without, " cut ") > 0);
		assert_null(strstr(without, "\nbytes "));
		assert_has(without, "\noutcome updated\n[end]\n");
		assert_null(strstr(without, "left-out"));
		assert_int_equal(count_lines(without, "begin unit") > 0, rows[i].names_unit);
		bench_free(bench);
	}
}

static void with_it_all_of_the_image_is_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = rows[i].make();
		CLEANUP(freep) char *with = record(bench, FLASH_UPDATE, true, MOST);

		assert_int_equal(bench->report.outcome, OUTCOME_UPDATED);
		assert_null(strstr(with, " cut "));
		assert_true(count_lines(with, "\nbytes ") >=
			    image_bytes(&bench->image) / TRANSCRIPT_LINE_BYTES);
		if (!rows[i].packs)
			assert_true(count_image(with, &bench->image) > 0);
		bench_free(bench);
	}
}

/* What a board hears and when it hears it is the same with a transcript and without. */
static void recording_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *plain = rows[i].make();
		const struct port_sim_record *said = port_sim_record(BENCH_PORT);
		CLEANUP(freep) struct port_sim_byte *before = NULL;
		CLEANUP(freep) char *text = NULL;
		struct bench *recorded;
		size_t n_before;

		bench_run(plain, FLASH_UPDATE);
		n_before = said->n_sent;
		before = malloc(n_before * sizeof(*before));
		assert_non_null(before);
		memcpy(before, said->sent, n_before * sizeof(*before));
		bench_free(plain);
		recorded = rows[i].make();
		text = record(recorded, FLASH_UPDATE, i % 2 == 0, MOST);
		said = port_sim_record(BENCH_PORT);
		assert_int_equal(said->n_sent, n_before);
		for (size_t k = 0; k < n_before; k++)
			if (said->sent[k].byte != before[k].byte ||
				said->sent[k].at_nsec != before[k].at_nsec)
				fail_msg("%s: byte %zu differs", rows[i].name, k);
		bench_free(recorded);
	}
}

/* ------------------------------------------------------------------ one board, line by line */

static void a_read_says_how_the_flash_compares(void **state)
{
	struct bench *bench = rom();
	CLEANUP(freep) char *blank = record(bench, FLASH_UPDATE, false, MOST);
	CLEANUP(freep) char *same = record(bench, FLASH_VERIFY, false, MOST), *other = NULL;

	(void)state;
	/* Before it was written, the first block read blank; after it, like the image. */
	assert_has(blank, "begin flash 0x08000000+256\n");
	assert_has(blank, "\nend filled 0xff\n");
	assert_has(blank, "\nend same\n");
	assert_has(same, "\noutcome current\n");
	sim_flash(bench->sim)[700] ^= 1;
	other = record(bench, FLASH_VERIFY, false, MOST);
	assert_has(other, "begin flash 0x08000200+256\n");
	assert_has(other, "\nend other 0x080002bc\n");
	assert_has(other, "\noutcome verify-differs\nreason ");

	bench_free(bench);
}

static void the_head_says_what_was_asked_for(void **state)
{
	struct bench *bench = rom();
	CLEANUP(freep) char *text = NULL;

	(void)state;
	bench->version = "1.2.3";
	bench->seed = 0x1234;
	bench->dry_run = true;
	text = record(bench, FLASH_UPDATE, false, MOST);
	assert_memory_equal(text, TRANSCRIPT_FORMAT "\n", strlen(TRANSCRIPT_FORMAT "\n"));
	assert_has(text, "\naction update\ndry-run\nseed 0x0000000000001234\ntrust off full\n");
	assert_has(text, "\nrule [board bench]\nrule image=x\nrule chip=0x410\n");
	assert_has(text, "\nimage-version 1.2.3\nsegment 0x08000000+3000\n");
	/* Both lines in one request, and then the sync that a ROM answers. */
	assert_has(text, " lines dtr=1,rts=1\n");
	assert_has(text, " > 7f\n");
	assert_has(text, " < 79\n");
	assert_has(text, "\nphase identify\n");
	bench_free(bench);
}

static void it_is_bounded_and_says_so(void **state)
{
	struct bench *bench = esp();
	CLEANUP(freep) char *text = record(bench, FLASH_UPDATE, true, 0);

	(void)state;
	assert_int_equal(bench->report.outcome, OUTCOME_UPDATED);
	assert_in_range(strlen(text), TRANSCRIPT_LEAST / 2, TRANSCRIPT_LEAST);
	assert_has(text, "\noutcome updated\nleft-out ");
	assert_string_equal(text + strlen(text) - strlen("\n[end]\n"), "\n[end]\n");
	bench_free(bench);
}

static void a_bridge_that_goes_is_recorded(void **state)
{
	const struct port_sim_options options = {.unplug_after_sent = 100};
	struct bench *bench = rom();
	CLEANUP(freep) char *text = NULL;

	(void)state;
	port_sim_set_options(BENCH_PORT, &options);
	bench->goes_away = true;
	text = record(bench, FLASH_UPDATE, false, MOST);
	assert_has(text, " failed ENODEV\n");
	assert_has(text, "\noutcome port-gone\n");
	bench_free(bench);
}

/* ------------------------------------------------------------------ samples */

static void write_sample(const char *folder, const char *name, const char *text)
{
	CLEANUP(freep) char *path = NULL;
	FILE *file;

	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static const char *samples_folder;

/* A STM32 by its ROM, without the bytes of its image. */
static void sample_of_a_rom(void **state)
{
	struct bench *bench = bench_new("f103c8", RULE);
	CLEANUP(freep) char *text = NULL;

	(void)state;
	bench_take_bytes(bench, FLASH, 4096, 1);
	text = record(bench, FLASH_UPDATE, false, MOST);
	write_sample(samples_folder, "stm32-rom.txt", text);
	bench_free(bench);
}

/* An ESP32, whose flash is proved by digests, so with them. */
static void sample_of_an_esp(void **state)
{
	struct bench *bench = esp_bench_new("esp32", NULL, NULL, "partition = app0\n");
	CLEANUP(freep) char *text = NULL;

	(void)state;
	esp_take_build(bench, "esp32", "1.0.0", 2000);
	bench_preload(bench);
	esp_take_app(bench, "esp32", "2.0.0", 1000);
	text = record(bench, FLASH_UPDATE, true, MOST);
	write_sample(samples_folder, "esp32.txt", text);
	bench_free(bench);
}

/* A ROM that refuses to erase, two times. */
static void sample_of_a_refusal(void **state)
{
	const struct sim_options options = {
		.chip = sim_chip_find("f103c8"), .faults.nack_code = 0x43};
	struct bench *bench =
		bench_new_with(&options, "chip = 0x410\nretries = 1\nretry-delay = 0\n");
	CLEANUP(freep) char *text = NULL;

	(void)state;
	bench_take_bytes(bench, FLASH, 1024, 1);
	text = record(bench, FLASH_UPDATE, false, MOST);
	write_sample(samples_folder, "stm32-erase-refused.txt", text);
	bench_free(bench);
}

/* The program in an STM32's RAM, whose flash is proved by sums, so with the bytes. The flash is
 * blank: the program shows by the unit that it reads what the ROM reads. */
static void sample_of_a_stub(void **state)
{
	struct bench *bench =
		promotion_new("f103xc", "f1", PROMOTION_AT_115200, SIM_PROGRAM_PEER, NULL);
	CLEANUP(freep) char *text = NULL;

	(void)state;
	bench_take_bytes(bench, FLASH, 8192, 1);
	text = record(bench, FLASH_UPDATE, true, MOST);
	write_sample(samples_folder, "stm32-stub.txt", text);
	bench_free(bench);
}

/* A TI chip, whose frames have sums: it is asked who it is, and nothing more. */
static void sample_of_a_ti(void **state)
{
	struct bench *bench = ti_bench_new("cc2652p", NULL, NULL, "");
	CLEANUP(freep) char *text = NULL;

	(void)state;
	text = record(bench, FLASH_PROBE, true, MOST);
	write_sample(samples_folder, "cc2652-probe.txt", text);
	bench_free(bench);
}

static int write_samples(const char *folder)
{
	const struct CMUnitTest samples[] = {
		cmocka_unit_test(sample_of_a_rom),
		cmocka_unit_test(sample_of_an_esp),
		cmocka_unit_test(sample_of_a_refusal),
		cmocka_unit_test(sample_of_a_stub),
		cmocka_unit_test(sample_of_a_ti),
	};

	samples_folder = folder;
	return cmocka_run_group_tests(samples, NULL, NULL);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_byte_of_the_image_is_recorded_unless_it_is_asked_for),
		cmocka_unit_test(with_it_all_of_the_image_is_there),
		cmocka_unit_test(recording_changes_nothing),
		cmocka_unit_test(a_read_says_how_the_flash_compares),
		cmocka_unit_test(the_head_says_what_was_asked_for),
		cmocka_unit_test(it_is_bounded_and_says_so),
		cmocka_unit_test(a_bridge_that_goes_is_recorded),
	};

	if (argc == 2)
		return write_samples(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
