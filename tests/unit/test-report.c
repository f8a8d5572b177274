/* SPDX-License-Identifier: MIT */
/*
 * test-report.c - reports through their text and back, and lines no honest worker writes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "api/report-lines.h"

#define MUTATION_SEED  20260101u
#define MUTATION_COUNT 20000

static void freetextp(char **text)
{
	free(*text);
}

static struct report full_report(void)
{
	struct report report = {
		.outcome = OUTCOME_VERIFY_DIFFERS,
		.phase = PHASE_VERIFY,
		.error = ENODEV,
		.has_address = true,
		.address = 0xFFFFFFFF,
		.expected = 0xFF,
		.has_got = true,
		.got = 0,
		.bytes = UINT64_MAX,
		.pages_erased = 128,
		.mass_erased = true,
		.baud = 115200,
		.entered = "command",
		.proof = PROOF_READ_BACK,
		.entries = 3,
		.duration_ms = UINT64_C(1) << 40,
		.has_product_id = true,
		.family = "stm32",
		.product_id = 0xFFFFFFFF,
		.bootloader_version = 0x22,
		.is_protected = true,
		.flash_bytes = 256 * 1024,
	};

	for (int phase = 0; phase < PHASE_MAX; phase++)
		report.phase_ms[phase] = (uint64_t)phase * 1000 + 1;
	strcpy(report.chip, "STM32F10xxx high-density");
	strcpy(report.unit, "0123456789abcdef01234567");
	strcpy(report.revision, "3.1");
	strcpy(report.security, "secure-boot flash-encryption");
	strcpy(report.remark, "its backdoor: DIO13 (low) before, DIO15 (low) with this image");
	strcpy(report.kept, "0123456789abcdef");
	strcpy(report.refusal, "its maker sealed it");
	strcpy(report.details, "magic 0x00f01d83; flash-id 0x1640ef");
	report.has_erased = true;
	report.has_other = true;
	report.other_product_id = 0xFFFFFFFF;
	strcpy(report.other_unit, "76543210fedcba9876543210");
	strcpy(report.unit_data, "00001000");
	strcpy(report.image, "gate/gate-1.2.3.hex");
	strcpy(report.version, "1.2.3");
	memset(report.sha256, 'a', DIGEST_HEX_SIZE - 1);
	strcpy(report.bridge, "CP2102 USB to UART, Linux 6.1");
	strcpy(report.reason.text, "/dev/ttyUSB0: byte at 0x08000000 reads 0x00, expected 0xFF");
	return report;
}

static char *write_report(const struct report *report)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	assert_int_equal(report_write(report, f), 0);
	assert_int_equal(fclose(f), 0);
	return text;
}

/* Feeds every line; returns the result of the last. */
static int read_report(char *text, struct report *report, struct progress *progress)
{
	int r = REPORT_LINE_UNKNOWN;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		r = report_read_line(report, progress, line);
		if (r != REPORT_LINE_FIELD)
			return r;
	}
	return r;
}

static void assert_same(const struct report *a, const struct report *b)
{
	assert_int_equal(a->outcome, b->outcome);
	assert_int_equal(a->phase, b->phase);
	assert_int_equal(a->error, b->error);
	assert_int_equal(a->has_address, b->has_address);
	assert_int_equal(a->address, b->address);
	assert_int_equal(a->expected, b->expected);
	assert_int_equal(a->has_got, b->has_got);
	assert_int_equal(a->got, b->got);
	assert_true(a->bytes == b->bytes);
	assert_int_equal(a->pages_erased, b->pages_erased);
	assert_int_equal(a->mass_erased, b->mass_erased);
	assert_int_equal(a->baud, b->baud);
	assert_int_equal(a->entries, b->entries);
	assert_string_equal(a->entered, b->entered);
	assert_int_equal(a->proof, b->proof);
	assert_true(a->duration_ms == b->duration_ms);
	assert_memory_equal(a->phase_ms, b->phase_ms, sizeof(a->phase_ms));
	assert_int_equal(a->has_product_id, b->has_product_id);
	assert_string_equal(a->family, b->family);
	assert_int_equal(a->product_id, b->product_id);
	assert_int_equal(a->bootloader_version, b->bootloader_version);
	assert_int_equal(a->is_protected, b->is_protected);
	assert_string_equal(a->unit_data, b->unit_data);
	assert_int_equal(a->flash_bytes, b->flash_bytes);
	assert_string_equal(a->chip, b->chip);
	assert_string_equal(a->unit, b->unit);
	assert_string_equal(a->revision, b->revision);
	assert_string_equal(a->security, b->security);
	assert_string_equal(a->remark, b->remark);
	assert_string_equal(a->kept, b->kept);
	assert_string_equal(a->refusal, b->refusal);
	assert_string_equal(a->details, b->details);
	assert_int_equal(a->has_erased, b->has_erased);
	assert_int_equal(a->has_other, b->has_other);
	assert_int_equal(a->other_product_id, b->other_product_id);
	assert_string_equal(a->other_unit, b->other_unit);
	assert_string_equal(a->image, b->image);
	assert_string_equal(a->version, b->version);
	assert_string_equal(a->sha256, b->sha256);
	assert_string_equal(a->bridge, b->bridge);
	assert_string_equal(a->reason.text, b->reason.text);
}

static void a_report_comes_back_as_it_was(void **state)
{
	const struct report sent = full_report();
	struct report received = {.outcome = OUTCOME_FAILED};
	CLEANUP(freetextp) char *text = write_report(&sent);

	(void)state;
	assert_int_equal(read_report(text, &received, NULL), REPORT_LINE_END);
	assert_same(&sent, &received);
}

static void an_empty_report_comes_back_empty(void **state)
{
	const struct report sent = {0};
	struct report received = full_report();
	CLEANUP(freetextp) char *text = NULL;

	(void)state;
	memset(received.phase_ms, 0, sizeof(received.phase_ms));
	text = write_report(&sent);
	assert_int_equal(read_report(text, &received, NULL), REPORT_LINE_END);
	assert_same(&sent, &received);
}

/* Texts come of USB descriptors and file names: none may add a line or a field. */
static void fault_65_texts_from_outside_stay_in_their_field(void **state)
{
	static const struct {
		const char *name;
		const char *text;
	} rows[] = {
		{"line end", "CP2102\nend\noutcome updated"},
		{"carriage return", "a\rb"},
		{"what an escape looks like", "\\x41 \\ \\\\x"},
		{"percent", "%n%s%s%n"},
		{"blanks at both ends", "  a  "},
		{"control characters", "\001\033[2J\177"},
		{"UTF-8", "Gr\303\274\303\237e \342\202\254"},
		{"not UTF-8", "\377\376\200"},
		{"up and down", "../../etc/passwd"},
		{"one blank", " "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct report sent = {.outcome = OUTCOME_NO_SYNC};
		struct report received = {.outcome = OUTCOME_FAILED};
		CLEANUP(freetextp) char *text = NULL;

		print_message("# fault 65: %s\n", rows[i].name);
		strcpy(sent.bridge, rows[i].text);
		strcpy(sent.image, rows[i].text);
		strcpy(sent.reason.text, rows[i].text);
		text = write_report(&sent);
		assert_int_equal(read_report(text, &received, NULL), REPORT_LINE_END);
		assert_same(&sent, &received);
	}
}

/* The bound that readers size their buffers by holds for the worst text there can be. */
static void the_longest_line_is_within_the_bound(void **state)
{
	struct report sent = full_report();
	struct report received = {.outcome = OUTCOME_FAILED};
	CLEANUP(freetextp) char *text = NULL;
	size_t longest = 0;

	(void)state;
	memset(sent.reason.text, '\n', sizeof(sent.reason.text) - 1);
	memset(sent.details, '\n', sizeof(sent.details) - 1);
	memset(sent.bridge, '\377', sizeof(sent.bridge) - 1);
	memset(sent.image, '\\', sizeof(sent.image) - 1);
	text = write_report(&sent);
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n") + 1;

		longest = n > longest ? n : longest;
		line += n;
	}
	assert_in_range(longest + 1, 1000, REPORT_LINE_BYTES);
	assert_int_equal(read_report(text, &received, NULL), REPORT_LINE_END);
	assert_same(&sent, &received);
}

static void every_outcome_and_phase_passes(void **state)
{
	(void)state;
	for (int i = 0; i < OUTCOME_MAX; i++) {
		const struct report sent = {
			.outcome = (enum outcome)i, .phase = (enum phase)(i % PHASE_MAX)};
		struct report received = {.outcome = OUTCOME_FAILED};
		CLEANUP(freetextp) char *text = write_report(&sent);

		assert_int_equal(read_report(text, &received, NULL), REPORT_LINE_END);
		assert_same(&sent, &received);
	}
}

static void progress_comes_back(void **state)
{
	const struct progress sent = {PHASE_WRITE, 4096, 262144, 115200};
	struct progress received = {0};
	struct report report = {.outcome = OUTCOME_FAILED};
	CLEANUP(freetextp) char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	assert_non_null(f);
	assert_int_equal(progress_write(&sent, f), 0);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(text, "progress write 4096 262144 115200\n");
	text[n - 1] = '\0';
	assert_int_equal(report_read_line(&report, &received, text), REPORT_LINE_PROGRESS);
	assert_int_equal(received.phase, sent.phase);
	assert_int_equal(received.done, sent.done);
	assert_int_equal(received.total, sent.total);
	assert_int_equal(received.baud, sent.baud);
}

/* A bar must not be driven past its end by what a broken worker says. */
static void progress_never_exceeds_its_total(void **state)
{
	struct progress received = {0};
	struct report report = {.outcome = OUTCOME_FAILED};

	(void)state;
	assert_int_equal(report_read_line(&report, &received, "progress verify 300 256 0"),
		REPORT_LINE_PROGRESS);
	assert_int_equal(received.done, 256);
	assert_int_equal(report_read_line(&report, &received, "progress erase 3 0 9600"),
		REPORT_LINE_PROGRESS);
	assert_int_equal(received.done, 3);
}

static void a_pipe_without_a_reader_is_told_of(void **state)
{
	const struct report report = full_report();
	const struct progress progress = {PHASE_WRITE, 1, 2, 0};
	FILE *full = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(full);
	assert_int_equal(progress_write(&progress, full), -ENOSPC);
	assert_int_equal(report_write(&report, full), -ENOSPC);
	fclose(full);
}

/* Nothing of a line that is not ours may change the report. */
static void lines_that_are_not_ours_are_refused(void **state)
{
	static const struct {
		const char *name;
		const char *line;
	} rows[] = {
		{"empty", ""},
		{"one blank", " "},
		{"end with more", "end 1"},
		{"end with a blank", "end "},
		{"End", "End"},
		{"unknown name", "nonsense 1"},
		{"a name without value", "outcome"},
		{"name in upper case", "Outcome updated"},
		{"blank before the name", " outcome updated"},
		{"two blanks", "attempts  1"},
		{"unknown outcome", "outcome fine"},
		{"outcome as number", "outcome 0"},
		{"outcome with more", "outcome updated "},
		{"no outcome", "outcome "},
		{"unknown phase", "phase dance"},
		{"unknown proof", "proof sworn"},
		{"proof as number", "proof 6"},
		{"no number", "bytes "},
		{"negative", "bytes -1"},
		{"plus", "bytes +1"},
		{"hexadecimal", "bytes 0x10"},
		{"blank behind", "bytes 1 "},
		{"beyond 64 bits", "bytes 18446744073709551616"},
		{"far beyond 64 bits", "bytes 99999999999999999999999999"},
		{"beyond 32 bits", "address 4294967296"},
		{"a product id beyond 32 bits", "product_id 4294967296"},
		{"beyond 8 bits", "got 256"},
		{"beyond errno", "error 4096"},
		{"negative errno", "error -5"},
		{"no bool", "mass_erased 2"},
		{"bool as word", "mass_erased yes"},
		{"no hexadecimal digit", "unit 0123g"},
		{"digit in upper case", "unit ABCD"},
		{"unit too long", "unit 0123456789abcdef012345678"},
		{"the other unit too long", "other_unit 0123456789abcdef012345678"},
		{"another product id than 32 bits hold", "other_product_id 4294967296"},
		{"an erase that is neither yes nor no", "erased 2"},
		{"digest too long",
			"sha256 "
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
		{"version too long",
			"version "
			"1234567890123456789012345678901234567890123456789012345678901234"},
		{"raw control character", "chip a\tb"},
		{"raw high byte", "chip a\303\274"},
		{"NUL in a text", "chip a\\x00b"},
		{"cut escape", "chip a\\x4"},
		{"other escape", "chip a\\n"},
		{"escape at the end", "chip a\\"},
		{"escape in lower case", "chip \\x4a\\x4b\\xff"},
		{"progress without numbers", "progress write"},
		{"progress with one number", "progress write 1"},
		{"progress with two", "progress write 1 2"},
		{"progress with four", "progress write 1 2 3 4"},
		{"progress of a rate beyond 32 bits", "progress write 1 2 4294967296"},
		{"progress of no phase", "progress dance 1 2"},
		{"progress beyond 64 bits", "progress write 18446744073709551616 1"},
		{"time of no phase", "phase_ms dance 5"},
		{"time of the phase count", "phase_ms 13 5"},
		{"time without number", "phase_ms write "},
		{"format", "%s%n %n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct report report = full_report();
		struct report before = full_report();
		struct progress progress = {PHASE_OPEN, 7, 9, 0};

		print_message("# %s\n", rows[i].name);
		assert_int_equal(
			report_read_line(&report, &progress, rows[i].line), REPORT_LINE_UNKNOWN);
		assert_same(&before, &report);
		assert_int_equal(progress.phase, PHASE_OPEN);
		assert_int_equal(progress.done, 7);
		assert_int_equal(progress.total, 9);
	}
}

static void lines_over_the_bound_are_refused(void **state)
{
	struct report report = {.outcome = OUTCOME_FAILED};
	struct progress progress;
	char line[REPORT_LINE_BYTES + 64];

	(void)state;
	memset(line, 'a', sizeof(line));
	memcpy(line, "chip ", 5);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(report_read_line(&report, &progress, line), REPORT_LINE_UNKNOWN);
	line[5 + sizeof(report.chip)] = '\0';
	assert_int_equal(report_read_line(&report, &progress, line), REPORT_LINE_UNKNOWN);
	line[5 + sizeof(report.chip) - 1] = '\0';
	assert_int_equal(report_read_line(&report, &progress, line), REPORT_LINE_FIELD);
	assert_int_equal(strlen(report.chip), sizeof(report.chip) - 1);
}

/* Whatever was taken is of this program's own kind: bounded, terminated, in range. */
static void assert_sane(const struct report *report)
{
	assert_in_range(report->outcome, 0, OUTCOME_MAX - 1);
	assert_in_range(report->phase, 0, PHASE_MAX - 1);
	assert_in_range(report->error, 0, 4095);
	assert_true(strnlen(report->chip, sizeof(report->chip)) < sizeof(report->chip));
	assert_true(strnlen(report->unit, sizeof(report->unit)) < sizeof(report->unit));
	assert_true(strnlen(report->image, sizeof(report->image)) < sizeof(report->image));
	assert_true(strnlen(report->version, sizeof(report->version)) < sizeof(report->version));
	assert_true(strnlen(report->sha256, sizeof(report->sha256)) < sizeof(report->sha256));
	assert_true(strnlen(report->bridge, sizeof(report->bridge)) < sizeof(report->bridge));
	assert_true(strnlen(report->reason.text, sizeof(report->reason.text)) <
		    sizeof(report->reason.text));
}

/* Bytes changed, cut out and doubled in an honest report, always the same ones. */
static void mutated_reports_never_break_the_reader(void **state)
{
	const struct report sent = full_report();
	CLEANUP(freetextp) char *good = write_report(&sent);
	size_t n_good = strlen(good);
	struct random_data random = {0};
	char random_state[64];
	unsigned n_refused = 0;

	(void)state;
	assert_int_equal(
		initstate_r(MUTATION_SEED, random_state, sizeof(random_state), &random), 0);
	for (int round = 0; round < MUTATION_COUNT; round++) {
		struct report received = {.outcome = OUTCOME_FAILED};
		struct progress progress = {0};
		char *text = strdup(good);
		int32_t at, what;

		assert_non_null(text);
		for (int change = 0; change <= round % 4; change++) {
			random_r(&random, &at);
			random_r(&random, &what);
			text[(size_t)at % n_good] = (char)(what >> 8);
		}
		for (char *line = text; line;) {
			char *next = strchr(line, '\n');

			if (next)
				*next++ = '\0';
			if (report_read_line(&received, &progress, line) == REPORT_LINE_UNKNOWN)
				n_refused++;
			line = next;
		}
		assert_sane(&received);
		free(text);
	}
	assert_true(n_refused > MUTATION_COUNT / 4);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_comes_back_as_it_was),
		cmocka_unit_test(an_empty_report_comes_back_empty),
		cmocka_unit_test(fault_65_texts_from_outside_stay_in_their_field),
		cmocka_unit_test(the_longest_line_is_within_the_bound),
		cmocka_unit_test(every_outcome_and_phase_passes),
		cmocka_unit_test(progress_comes_back),
		cmocka_unit_test(progress_never_exceeds_its_total),
		cmocka_unit_test(a_pipe_without_a_reader_is_told_of),
		cmocka_unit_test(lines_that_are_not_ours_are_refused),
		cmocka_unit_test(lines_over_the_bound_are_refused),
		cmocka_unit_test(mutated_reports_never_break_the_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
