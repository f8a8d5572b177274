/* SPDX-License-Identifier: MIT */
/*
 * test-esp-writing.c - an ESP32 and its relatives are written, proved and written again where that
 * was needed: the whole procedure against the simulated ROM. `check_NN_`: row NN of esp-rom.md 17.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/esp-bench.h"

#define APP_BYTES (96 * 1024)

enum op { BEGIN = 0x02, DATA = 0x03, DEFL_BEGIN = 0x10, DEFL_DATA = 0x11, MD5 = 0x13 };

/* Fills the flash around with what must not be lost. */
static void fill_around(struct bench *bench)
{
	memset(sim_flash(bench->sim), 0x5A, sim_flash_size(bench->sim));
}

static bool is_untouched_but(const struct bench *bench, uint32_t page)
{
	const uint8_t *flash = sim_flash(bench->sim);

	for (uint32_t at = 0; at < sim_flash_size(bench->sim); at += page)
		if (!image_touches(&bench->image, at, page) &&
			(flash[at] != 0x5A || memcmp(flash + at, flash + at + 1, page - 1) != 0))
			return false;
	return true;
}

static bool is_around_untouched(const struct bench *bench)
{
	return is_untouched_but(bench, ESP_SECTOR);
}

static void a_build_is_written_and_current_afterwards(void **state)
{
	static const char *const chips[] = {
		"esp32", "esp32s2", "esp32s3", "esp32c3", "esp32c2", "esp32c6", "esp32h2"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		struct bench *bench = esp_bench_new(chips[i], NULL, NULL, "");
		unsigned erased;

		fill_around(bench);
		esp_take_build(bench, chips[i], "1", APP_BYTES);
		if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
			fail_msg("%s: %s", chips[i], bench->report.reason.text);
		assert_true(bench_holds_image(bench));
		assert_true(is_around_untouched(bench));
		assert_int_equal(bench->report.proof, PROOF_DIGEST);
		assert_int_equal(bench->report.baud, 921600);
		assert_int_equal(sim_esp(bench->sim)->n_flash_end, 0);
		assert_int_equal(sim_counters(bench->sim)->bad_writes, 0);
		erased = sim_counters(bench->sim)->pages_erased;
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
		assert_int_equal(bench->report.proof, PROOF_DIGEST);
		assert_int_equal(sim_counters(bench->sim)->pages_erased, erased);
		bench_free(bench);
	}
}

static const char *const every_chip[] = {
	"esp32", "esp32s2", "esp32s3", "esp32c3", "esp32c2", "esp32c6", "esp32h2"};

static void expect(struct bench *bench, enum outcome outcome)
{
	enum outcome got = bench_run(bench, FLASH_UPDATE);

	if (got != outcome)
		fail_msg("%s: %s", outcome_to_string(got), bench->report.reason.text);
}

/* A board that holds version 1 of a build already, and is to get version 2. */
static struct bench *new_with_old(
	const char *chip, const struct sim_faults *faults, const char *rule, size_t app_size)
{
	struct bench *bench = esp_bench_new(chip, NULL, faults, rule);

	fill_around(bench);
	esp_take_build(bench, chip, "1", app_size);
	bench_preload(bench);
	esp_take_build(bench, chip, "2", app_size);
	return bench;
}

struct trace {
	struct esp_sent *sent;
	size_t n;
};

static struct trace trace_of(size_t from)
{
	struct trace trace = {calloc(ESP_SENT_MAX, sizeof(struct esp_sent)), 0};

	assert_non_null(trace.sent);
	trace.n = esp_list_sent(from, trace.sent);
	return trace;
}

static bool is_begin(const struct esp_sent *sent)
{
	return sent->opcode == BEGIN || sent->opcode == DEFL_BEGIN;
}

/* ------------------------------------------------------------------ what is written */

/* From its first sector, which goes first and comes last, to its end; nothing before and behind. */
static void a_new_version_has_its_region_written_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(every_chip); i++) {
		struct bench *bench = new_with_old(every_chip[i], NULL, "", APP_BYTES);
		uint32_t n_pages = (bench->image.parts[2].size + ESP_SECTOR - 1) / ESP_SECTOR;
		struct trace trace;
		const struct esp_sent *last = NULL;
		size_t n_begins = 0;

		expect(bench, OUTCOME_UPDATED);
		assert_true(bench_holds_image(bench) && is_around_untouched(bench));
		assert_int_equal(sim_counters(bench->sim)->pages_erased, n_pages + 1);
		trace = trace_of(0);
		for (size_t j = 0; j < trace.n; j++) {
			if (!is_begin(&trace.sent[j]))
				continue;
			last = &trace.sent[j];
			assert_true(last->words[3] >= ESP_APP);
			if (n_begins++ == 0)
				assert_int_equal(last->words[3], ESP_APP);
		}
		assert_int_equal(n_begins, 3);
		assert_int_equal(last->words[3], ESP_APP);
		assert_int_equal(last->words[0], ESP_SECTOR);
		free(trace.sent);
		bench_free(bench);
	}
}

/*
 * What is written where these parts differ, in this order; what comes first comes last once more.
 * Boot loader and application are the first sectors of their regions, and then the rest of them.
 */
static void what_differs_decides_what_is_blanked_first(void **state)
{
	static const struct {
		const char *name;
		uint32_t wrong[3];  /* one byte each; 0: none more */
		uint32_t begins[8]; /* 0: none more */
	} rows[] = {
		{"the application", {0x15000}, {0x10000, 0x11000, 0x10000}},
		{"its first sector", {0x10040}, {0x10000, 0x11000, 0x10000}},
		{"the table", {0x8020}, {0x1000, 0x8000, 0x1000}},
		{"the boot loader", {0x3000}, {0x1000, 0x2000, 0x1000}},
		{"data", {0x290123}, {0x1000, 0x290000, 0x1000}},
		{"table and application", {0x8020, 0x15000}, {0x1000, 0x8000, 0x10000, 0x1000}},
		{"data and application", {0x290123, 0x15000}, {0x1000, 0x10000, 0x290000, 0x1000}},
		{"boot loader and application", {0x1004, 0x15000},
			{0x1000, 0x2000, 0x10000, 0x1000}},
		{"all", {0x1004, 0x8020, 0x15000}, {0x1000, 0x2000, 0x8000, 0x10000, 0x1000}},
	};
	const struct esp_make_chip *made = esp_make_chip("esp32");
	struct esp_make_part parts[] = {
		{0x1000, "bootloader", "b", esp_make_bootloader(made, 0, 1)},
		{ESP_TABLE_OFFSET, "partition-table", "p",
			esp_make_table(esp_make_two_slots, ARRAY_SIZE(esp_make_two_slots), true)},
		{ESP_APP, "app", "a", esp_make_application(made, "gate", "1", 40000, 1)},
		{0x290000, "storage", "s", esp_bytes_new(5000, 0x33)},
	};

	(void)state;
	parts[3].bytes.data[7] = 0x44;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = esp_bench_new("esp32", NULL, NULL, "");
		struct trace trace;
		size_t n = 0;

		fill_around(bench);
		esp_take_parts(bench, parts, ARRAY_SIZE(parts));
		bench_preload(bench);
		for (size_t j = 0; j < 3 && rows[i].wrong[j]; j++)
			sim_flash(bench->sim)[rows[i].wrong[j]] ^= 1;
		expect(bench, OUTCOME_UPDATED);
		assert_true(bench_holds_image(bench) && is_around_untouched(bench));
		trace = trace_of(0);
		for (size_t j = 0; j < trace.n; j++) {
			if (!is_begin(&trace.sent[j]))
				continue;
			if (n == 8 || trace.sent[j].words[3] != rows[i].begins[n])
				fail_msg("%s: 0x%x is begun as number %zu", rows[i].name,
					trace.sent[j].words[3], n);
			n++;
		}
		assert_true(n == 8 || rows[i].begins[n] == 0);
		free(trace.sent);
		bench_free(bench);
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		esp_bytes_done(&parts[i].bytes);
}

static void an_application_alone_is_written(void **state)
{
	struct bench *bench = new_with_old("esp32c3", NULL, "address = 0x10000\n", APP_BYTES);

	(void)state;
	esp_take_app(bench, "esp32c3", "2", APP_BYTES);
	expect(bench, OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	expect(bench, OUTCOME_CURRENT);
	bench_free(bench);
}

/* By the digest the sector, by the slow command the byte in it. */
static void a_difference_is_named(void **state)
{
	struct bench *bench = new_with_old("esp32s3", NULL, "", APP_BYTES);

	(void)state;
	bench_preload(bench);
	sim_flash(bench->sim)[0x12345] ^= 0x10;
	assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_VERIFY_DIFFERS);
	assert_true(bench->report.has_address);
	assert_int_equal(bench->report.address, 0x12345);
	assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
	bench_free(bench);
}

static void read_back_reads_all_of_it(void **state)
{
	struct bench *bench = esp_bench_new("esp32", NULL, NULL, "verify = read-back\n");

	(void)state;
	esp_take_build(bench, "esp32", "1", 16 * 1024);
	expect(bench, OUTCOME_UPDATED);
	assert_int_equal(bench->report.proof, PROOF_READ_BACK);
	assert_true(esp_commands(bench, 0x0E) >= image_bytes(&bench->image) / 64);
	bench_free(bench);
}

/* ------------------------------------------------------------------ packed */

static bool is_packed(const struct bench *bench)
{
	return esp_commands(bench, DEFL_BEGIN) > 0;
}

static void it_is_packed_where_nothing_can_be_lost(void **state)
{
	static const struct {
		const char *chip;
		bool compress, is_blank, is_packed;
	} rows[] = {
		{"esp32c3", true, true, true},
		{"esp32s3", true, true, true},
		{"esp32c3", true, false, false},
		{"esp32c3", false, true, false},
		{"esp32", true, true, false},
		{"esp32", true, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = new_with_old(rows[i].chip, NULL, "", APP_BYTES);

		bench->board.compress = rows[i].compress;
		if (rows[i].is_blank)
			memset(sim_flash(bench->sim) + ESP_APP + APP_BYTES, 0xFF,
				64 * 1024 + 2 * ESP_SECTOR);
		expect(bench, OUTCOME_UPDATED);
		assert_true(bench_holds_image(bench));
		assert_int_equal(is_packed(bench), rows[i].is_packed);
		assert_int_equal(sim_counters(bench->sim)->bad_writes, 0);
		bench_free(bench);
	}
}

/* Once more packed, and then as it is. */
static void a_range_that_is_not_unpacked_goes_plain(void **state)
{
	static const struct {
		int code;
		uint8_t error;
	} rows[] = {{DEFL_BEGIN, 0x06}, {DEFL_DATA, 0x0B}, {DEFL_DATA, 0x0C}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_faults faults = {.esp = {.fail_code = rows[i].code,
							  .fail_nth = UINT32_MAX,
							  .fail_error = rows[i].error}};
		struct bench *bench = new_with_old("esp32c3", &faults, "", APP_BYTES);

		memset(sim_flash(bench->sim) + ESP_APP + APP_BYTES, 0xFF, 0x20000);
		expect(bench, OUTCOME_UPDATED);
		assert_true(bench_holds_image(bench));
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ the ESP8266 */

/* Its ROM erases more than it is told, and so it is told less (esp-rom.md 4). */
static void its_erase_takes_what_it_is_to_take(void **state)
{
	static const uint32_t sizes[] = {4000, 20 * 1024, 60 * 1024, 100 * 1024, 300 * 1024};
	static const uint32_t offsets[] = {0, 0x1000, 0xF000, 0x10000, 0x1E000};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes) * ARRAY_SIZE(offsets); i++) {
		uint32_t offset = offsets[i % ARRAY_SIZE(offsets)];
		struct bench *bench =
			esp_bench_new("esp8266", NULL, NULL, "baud = 921600 115200\n");
		struct esp_bytes app = esp_make_application(
			esp_make_chip("esp8266"), "gate", "1", sizes[i / ARRAY_SIZE(offsets)], 1);
		struct reason reason = {""};

		/* `accept-unverified = yes` */
		bench->board.verify = PROOF_LOADER;
		fill_around(bench);
		assert_int_equal(image_add(&bench->image, offset, app.data, (uint32_t)app.n,
					 16 << 20, &reason),
			0);
		bench->image.is_raw = true;
		bench->image.format = "raw";
		/* It starts what lies at 0, where there is nothing that starts but the image. */
		if (bench_run(bench, FLASH_UPDATE) !=
			(offset == 0 ? OUTCOME_UPDATED : OUTCOME_NOT_STARTED))
			fail_msg("0x%x at 0x%x: %s", (unsigned)app.n, offset,
				bench->report.reason.text);
		assert_true(bench_holds_image(bench));
		assert_true(is_untouched_but(bench, 2 * ESP_SECTOR));
		assert_int_equal(bench->report.proof, PROOF_LOADER);
		assert_int_equal(bench->report.baud, 115200);
		assert_int_equal(sim_counters(bench->sim)->bad_writes, 0);
		esp_bytes_done(&app);
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ the ROM's time */

/* The erase of the region takes so long, and that of the sector before and behind it does not. */
struct sloth {
	struct bench *bench;
	uint64_t begin_nsec;
};

static void be_slow(void *userdata, const struct progress *progress)
{
	struct sloth *sloth = userdata;
	const struct sim_faults faults = {.esp.begin_nsec = sloth->begin_nsec};

	if (progress->phase != PHASE_WRITE)
		return;
	sim_set_faults(sloth->bench->sim, &faults);
	sloth->begin_nsec = 0;
}

static void check_13_a_long_erase_is_waited_for(void **state)
{
	static const struct {
		uint64_t begin_sec; /* 0: for ever */
		enum outcome outcome;
	} rows[] = {{35, OUTCOME_UPDATED}, {0, OUTCOME_WRITE_FAILED}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t sec = rows[i].begin_sec;
		struct bench *bench = new_with_old("esp32", NULL, "baud = 921600\n", 1 << 20);
		struct sloth sloth = {bench, sec ? sec * 1000000000 : SIM_NEVER};

		bench->on_progress = be_slow;
		bench->userdata = &sloth;
		expect(bench, rows[i].outcome);
		assert_true(port_sim_now_nsec(BENCH_PORT) / 1000000000 >= (sec ? sec : 39));
		assert_true(port_sim_now_nsec(BENCH_PORT) / 1000000000 < 100);
		if (rows[i].outcome == OUTCOME_UPDATED)
			assert_true(bench_holds_image(bench));
		else
			assert_int_not_equal(sim_esp(bench->sim)->app, ESP_APP);
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ what is lost */

/* How often a block of this number was sent since its range began; the most of all ranges. */
static unsigned most_repeats(const struct trace *trace, unsigned *ret_begins)
{
	uint32_t last = UINT32_MAX;
	unsigned most = 0, n = 0;

	*ret_begins = 0;
	for (size_t i = 0; i < trace->n; i++) {
		const struct esp_sent *sent = &trace->sent[i];

		*ret_begins += is_begin(sent);
		if (sent->opcode != DATA && sent->opcode != DEFL_DATA) {
			last = is_begin(sent) ? UINT32_MAX : last;
			continue;
		}
		n = sent->words[1] == last ? n + 1 : 1;
		last = sent->words[1];
		most = n > most ? n : most;
	}
	return most;
}

static void check_14_a_block_that_arrived_wrong_is_sent_again(void **state)
{
	static const int codes[] = {DATA, DEFL_DATA};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		const struct sim_faults faults = {
			.esp = {.fail_code = codes[i], .fail_nth = 3, .fail_error = 0x07}};
		struct bench *bench = new_with_old("esp32c3", &faults, "", APP_BYTES);
		struct trace trace;
		unsigned n_begins;

		if (codes[i] == DEFL_DATA)
			memset(sim_flash(bench->sim) + ESP_APP + APP_BYTES, 0xFF, 0x20000);
		expect(bench, OUTCOME_UPDATED);
		assert_true(bench_holds_image(bench));
		trace = trace_of(0);
		assert_int_equal(most_repeats(&trace, &n_begins), 2);
		assert_int_equal(n_begins, 3);
		free(trace.sent);
		bench_free(bench);
	}
}

static void check_15_a_lost_answer_begins_the_region_again(void **state)
{
	static const int codes[] = {DATA, DEFL_DATA};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		for (unsigned nth = 1; nth < 90; nth += 22) {
			const struct sim_faults faults = {
				.esp = {.lose_code = codes[i], .lose_nth = nth}};
			struct bench *bench = new_with_old("esp32c3", &faults, "", APP_BYTES);
			struct trace trace;
			unsigned n_begins;

			if (codes[i] == DEFL_DATA)
				memset(sim_flash(bench->sim) + ESP_APP + APP_BYTES, 0xFF, 0x20000);
			expect(bench, OUTCOME_UPDATED);
			assert_true(bench_holds_image(bench));
			assert_int_equal(bench->report.entries, 1);
			assert_false(bench->report.has_address);
			trace = trace_of(0);
			assert_int_equal(most_repeats(&trace, &n_begins), 1);
			/* Packed there are not so many of them. */
			assert_int_equal(
				n_begins, esp_commands(bench, (uint8_t)codes[i]) >= nth ? 4 : 3);
			free(trace.sent);
			bench_free(bench);
		}
	}
}

/* The flash takes another byte than it was given, once. */
static void spoil_once(void *userdata, const struct progress *progress)
{
	struct bench *bench = userdata;

	if (progress->phase != PHASE_WRITE || progress->done < 20 * 1024 || bench->n_read > 0)
		return;
	bench->n_read = 1;
	sim_flash(bench->sim)[ESP_APP + ESP_SECTOR + 5] ^= 0x40;
}

static void check_16_a_wrong_digest_begins_the_region_again(void **state)
{
	struct bench *bench = new_with_old("esp32", NULL, "", APP_BYTES);
	struct trace trace;
	unsigned n_begins;

	(void)state;
	bench->on_progress = spoil_once;
	bench->userdata = bench;
	expect(bench, OUTCOME_UPDATED);
	assert_int_equal(bench->n_read, 1);
	assert_true(bench_holds_image(bench));
	trace = trace_of(0);
	(void)most_repeats(&trace, &n_begins);
	assert_int_equal(n_begins, 4);
	free(trace.sent);
	bench_free(bench);
}

/* A bent answer is no wrong flash: it is asked for again before anything is erased for it. */
static void check_16_one_wrong_answer_costs_no_region(void **state)
{
	(void)state;
	for (unsigned nth = 1; nth < 12; nth++) {
		const struct sim_faults faults = {.esp.md5_wrong_nth = nth};
		struct bench *bench = new_with_old("esp32", &faults, "", APP_BYTES);
		struct trace trace;
		unsigned n_begins;

		expect(bench, OUTCOME_UPDATED);
		assert_true(bench_holds_image(bench));
		trace = trace_of(0);
		(void)most_repeats(&trace, &n_begins);
		assert_int_equal(n_begins, 3);
		free(trace.sent);
		bench_free(bench);
	}
}

static void check_16_the_kind_of_difference_names_the_cause(void **state)
{
	struct sim_faults stuck = {.stuck_address = ESP_APP + 0x5432};
	struct bench *bench = new_with_old("esp32", &stuck, "baud = 460800\n", APP_BYTES);

	(void)state;
	expect(bench, OUTCOME_VERIFY_DIFFERS);
	assert_non_null(strstr(bench->report.reason.text, "the flash is defect"));
	assert_int_equal(bench->report.address, ESP_APP + 0x5432);
	assert_int_not_equal(sim_esp(bench->sim)->app, ESP_APP);
	bench_free(bench);
}

/* Each time the region is written another byte of it comes to be wrong. */
static void spoil_often(void *userdata, const struct progress *progress)
{
	struct bench *bench = userdata;

	if (progress->phase == PHASE_WRITE && progress->done > 20 * 1024)
		sim_flash(bench->sim)[ESP_APP + ESP_SECTOR + bench->n_read++ % 99] ^= 0x40;
}

static void check_16_other_digests_each_time_are_the_line(void **state)
{
	struct bench *bench = new_with_old("esp32", NULL, "baud = 460800\n", APP_BYTES);

	(void)state;
	bench->on_progress = spoil_often;
	bench->userdata = bench;
	expect(bench, OUTCOME_VERIFY_DIFFERS);
	assert_non_null(strstr(bench->report.reason.text, "check power and cable"));
	assert_int_not_equal(sim_esp(bench->sim)->app, ESP_APP);
	bench_free(bench);
}

/* Nor does a chip that never says the same prove anything. */
static void check_16_a_digest_that_is_never_the_same_proves_nothing(void **state)
{
	const struct sim_faults faults = {.esp.md5_always_other = true};
	struct bench *bench = new_with_old("esp32", &faults, "baud = 460800\n", APP_BYTES);

	(void)state;
	bench_preload(bench);
	assert_int_not_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_not_equal(bench->report.outcome, OUTCOME_CURRENT);
	assert_int_equal(bench->report.proof, PROOF_NONE);
	assert_non_null(strstr(bench->report.reason.text, "check cable and power"));
	bench_free(bench);
}

static void check_17_a_digest_in_another_form_proves_nothing(void **state)
{
	static const enum sim_esp_md5 forms[] = {
		SIM_ESP_MD5_TRUNCATED, SIM_ESP_MD5_UPPER, SIM_ESP_MD5_RAW};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		const struct sim_faults faults = {.esp.md5_form = forms[i]};
		struct bench *bench = new_with_old("esp32", &faults, "baud = 460800\n", APP_BYTES);

		bench_preload(bench);
		expect(bench, OUTCOME_FAILED);
		assert_int_equal(bench->report.proof, PROOF_NONE);
		assert_non_null(strstr(bench->report.reason.text, "garbled"));
		assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_FAILED);
		assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
		bench_free(bench);
	}
}

/* All is answered as done, and nothing changes: one sector shows it. */
static void a_flash_that_cannot_be_written_is_seen_at_the_first_sector(void **state)
{
	const struct sim_faults faults = {.write_protected = true};
	struct bench *bench = new_with_old("esp32c3", &faults, "baud = 460800\n", APP_BYTES);

	(void)state;
	expect(bench, OUTCOME_ERASE_FAILED);
	assert_non_null(strstr(bench->report.reason.text, "write-protected"));
	assert_int_equal(esp_commands(bench, DATA), 0);
	bench_free(bench);
}

/* The words of the ROM for a block that the flash does not hold, and where that was. */
static void a_defect_that_the_rom_reports_is_told_in_its_words(void **state)
{
	const struct sim_faults faults = {
		.stuck_address = ESP_APP + 0x5432, .esp.reports_defects = true};
	struct bench *bench = new_with_old("esp32", &faults, "baud = 460800\n", APP_BYTES);

	(void)state;
	expect(bench, OUTCOME_WRITE_FAILED);
	assert_non_null(strstr(bench->report.reason.text,
		"write at 0x00015400: refused, the flash does not hold what was written (0x08)"));
	bench_free(bench);
}

/* ------------------------------------------------------------------ the rate */

static void check_20_a_rate_that_does_not_work_is_left(void **state)
{
	static const struct {
		struct sim_esp_faults esp;
		uint32_t baud;
	} rows[] = {
		{{.keeps_baud = true}, 115200},
		{{.garbles_above = 500000}, 460800},
		{{.garbles_above = 300000}, 230400},
		{{.garbles_above = 115200}, 115200},
		{{.fail_code = 0x0F, .fail_nth = 1, .fail_error = 0x01}, 460800},
		{{.lose_code = 0x0F, .lose_nth = 1}, 460800},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_faults faults = {.esp = rows[i].esp};
		struct bench *bench = new_with_old("esp32", &faults, "", APP_BYTES);

		expect(bench, OUTCOME_UPDATED);
		assert_true(bench_holds_image(bench));
		assert_int_equal(bench->report.baud, rows[i].baud);
		bench_free(bench);
	}
}

/* Bytes of the chip are lost from some block on, as long as the rate is the highest. */
struct thief {
	unsigned n_bytes;
};

static size_t steal(void *userdata, uint8_t byte, uint8_t to[PORT_SIM_EDIT])
{
	struct thief *thief = userdata;

	to[0] = byte;
	if (port_sim_record(BENCH_PORT)->baud < 921600)
		return 1;
	return ++thief->n_bytes > 2000 && thief->n_bytes % 5 == 0 ? 0 : 1;
}

/* The rule has no retries; the next rate is none. */
static void a_rate_that_loses_answers_is_stepped_down_for_nothing(void **state)
{
	struct thief thief = {0};
	const struct port_sim_options options = {.edit = steal, .userdata = &thief};
	struct bench *bench = new_with_old("esp32", NULL, "", APP_BYTES);

	(void)state;
	port_sim_set_options(BENCH_PORT, &options);
	expect(bench, OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	assert_int_equal(bench->report.baud, 460800);
	bench_free(bench);
}

/* The ROM has measured its crystal, and not well: 1 % too fast, with 128 for its other clock. */
#define ESP32_26_MHZ (UINT32_C(26260000) / 15625 * 40 / 128)

static void the_rate_is_that_of_the_true_crystal(void **state)
{
	static const struct {
		const char *chip;
		struct sim_esp esp;
	} rows[] = {
		{"esp32", {.calibration = 0}},
		{"esp32", {.crystal_hz = 26000000, .calibration = ESP32_26_MHZ}},
		{"esp32c2", {.crystal_hz = 40000000}},
		{"esp32c2", {.crystal_hz = 26000000}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = esp_bench_new(rows[i].chip, &rows[i].esp, NULL, "");
		uint32_t baud;

		esp_take_build(bench, rows[i].chip, "1", 16 * 1024);
		expect(bench, OUTCOME_UPDATED);
		baud = sim_esp(bench->sim)->baud;
		assert_int_equal(bench->report.baud, 921600);
		assert_in_range(baud, 921600 - 9216, 921600 + 9216);
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ the port */

static void check_25_a_bridge_that_goes_in_a_long_erase_ends_the_job(void **state)
{
	const struct sim_faults faults = {.esp.begin_nsec = UINT64_C(35000000000)};
	struct port_sim_options options = {.unplug_at_usec = 10 * USEC_PER_SEC};
	struct bench *bench = new_with_old("esp32", &faults, "", 1 << 20);

	(void)state;
	port_sim_set_options(BENCH_PORT, &options);
	bench->goes_away = true;
	expect(bench, OUTCOME_PORT_GONE);
	assert_true(esp_commands(bench, BEGIN) > 0);
	assert_in_range(
		port_sim_now_nsec(BENCH_PORT), UINT64_C(10000000000), UINT64_C(12000000000));
	assert_int_not_equal(sim_esp(bench->sim)->app, ESP_APP);
	bench_free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_build_is_written_and_current_afterwards),
		cmocka_unit_test(a_new_version_has_its_region_written_alone),
		cmocka_unit_test(what_differs_decides_what_is_blanked_first),
		cmocka_unit_test(an_application_alone_is_written),
		cmocka_unit_test(a_difference_is_named),
		cmocka_unit_test(read_back_reads_all_of_it),
		cmocka_unit_test(it_is_packed_where_nothing_can_be_lost),
		cmocka_unit_test(a_range_that_is_not_unpacked_goes_plain),
		cmocka_unit_test(its_erase_takes_what_it_is_to_take),
		cmocka_unit_test(check_13_a_long_erase_is_waited_for),
		cmocka_unit_test(check_14_a_block_that_arrived_wrong_is_sent_again),
		cmocka_unit_test(check_15_a_lost_answer_begins_the_region_again),
		cmocka_unit_test(check_16_a_wrong_digest_begins_the_region_again),
		cmocka_unit_test(check_16_one_wrong_answer_costs_no_region),
		cmocka_unit_test(check_16_the_kind_of_difference_names_the_cause),
		cmocka_unit_test(check_16_other_digests_each_time_are_the_line),
		cmocka_unit_test(check_16_a_digest_that_is_never_the_same_proves_nothing),
		cmocka_unit_test(check_17_a_digest_in_another_form_proves_nothing),
		cmocka_unit_test(a_flash_that_cannot_be_written_is_seen_at_the_first_sector),
		cmocka_unit_test(a_defect_that_the_rom_reports_is_told_in_its_words),
		cmocka_unit_test(check_20_a_rate_that_does_not_work_is_left),
		cmocka_unit_test(a_rate_that_loses_answers_is_stepped_down_for_nothing),
		cmocka_unit_test(the_rate_is_that_of_the_true_crystal),
		cmocka_unit_test(check_25_a_bridge_that_goes_in_a_long_erase_ends_the_job),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
