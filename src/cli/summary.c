/* SPDX-License-Identifier: MIT */
/*
 * summary.c - the last words of a session: one line where it ended well; else the outcome, the
 * phase, the reason, and the next thing to do where the reason does not say it.
 */
#include "cli/summary.h"

#include <inttypes.h>
#include <string.h>

#include "api/advice.h"
#include "cli/objects.h"
#include "cli/terminal.h"
#include "cli/units.h"
#include "image/flasher-args.h"
#include "rules/protocol-words.h"

#define LINE_SIZE 2048

/* ------------------------------------------------------------------ ended well */

/* Without its folders, but for the one that tells a build from another of the same name. */
static const char *image_name(const struct session *session, char *to, size_t size)
{
	const char *image = session->report.image;
	const char *slash = strrchr(image, '/');
	const char *name = slash ? slash + 1 : image;

	if (slash && strcmp(name, FLASHER_ARGS_NAME) == 0) {
		slash = memrchr(image, '/', (size_t)(slash - image));
		name = slash ? slash + 1 : image;
	}
	return text_escape(name, to, size);
}

/* ", 2.6 KiB/s overall", of the whole job: the bar before it had that of one phase. "" where the
 * time is too short to tell. */
static char *overall_rate(uint64_t bytes, uint64_t duration_ms, char *to, size_t size)
{
	char rate[32];

	units_rate(bytes, duration_ms * USEC_PER_MSEC, rate, sizeof(rate));
	snprintf(to, size, "%s%s%s", rate[0] ? ", " : "", rate, rate[0] ? " overall" : "");
	return to;
}

static void updated_text(const struct session *session, char *to, size_t size)
{
	const struct report *report = &session->report;
	const char *proof = report->proof == PROOF_CONFIRM ? "confirmed by the application"
			    : report->proof == PROOF_LOADER
				    ? "not verified, by the boot loader's word"
				    : "verified";
	const char *remark = *report->remark ? "; " : "";
	bool tells_stub = report_tells_stub(report);
	char image[TEXT_MAX], seconds[32], rate[48], said[TEXT_MAX + 32] = "", version[TEXT_MAX];

	image_name(session, image, sizeof(image));
	if (session->assignment.dry_run) {
		snprintf(to, size, "dry run: %s %s%s%s", image,
			report->proof == PROOF_NONE ? "would be written; nothing was erased"
						    : "is in the flash",
			remark, report->remark);
		return;
	}
	overall_rate(report->bytes, report->duration_ms, rate, sizeof(rate));
	text_escape(report->application_version, version, sizeof(version));
	if (*report->application)
		snprintf(said, sizeof(said), "; it runs %s%s%s", report->application,
			version[0] ? " " : "", version);
	snprintf(to, size, "updated: %s, %" PRIu64 " bytes in %s%s, %s%s%s%s%s%s", image,
		report->bytes, units_seconds(report->duration_ms, seconds, sizeof(seconds)), rate,
		proof, said, tells_stub ? "; stub " : "", tells_stub ? report->stub : "", remark,
		report->remark);
}

static void current_text(const struct session *session, char *to, size_t size)
{
	const struct report *report = &session->report;
	char image[TEXT_MAX], seconds[32];

	if (report->proof == PROOF_VERSION) {
		snprintf(to, size, "current: the application says the version of %s",
			image_name(session, image, sizeof(image)));
		return;
	}
	snprintf(to, size, "current: holds %s, %" PRIu64 " bytes compared in %s",
		image_name(session, image, sizeof(image)), report->bytes,
		units_seconds(report->duration_ms, seconds, sizeof(seconds)));
}

static void read_text(const struct session *session, char *to, size_t size)
{
	const struct report *report = &session->report;
	char file[TEXT_MAX], seconds[32], rate[48];

	snprintf(to, size, "read: %u bytes to '%s' in %s%s", session->n_read,
		text_escape(session->options->argument, file, sizeof(file)),
		units_seconds(report->duration_ms, seconds, sizeof(seconds)),
		overall_rate(session->n_read, report->duration_ms, rate, sizeof(rate)));
}

static void ending_text(const struct session *session, char *to, size_t size)
{
	char seconds[32];

	switch (session->assignment.action) {
	case FLASH_UPDATE:
	case FLASH_VERIFY:
		if (session->report.outcome == OUTCOME_UPDATED)
			updated_text(session, to, size);
		else
			current_text(session, to, size);
		return;
	case FLASH_READ:
		read_text(session, to, size);
		return;
	case FLASH_OPTIONS:
		snprintf(to, size, "%s in %s",
			session->report.outcome == OUTCOME_UPDATED ? session->report.remark
			: session->assignment.options.n_items > 0
				? "the option bytes are so already, and nothing was written,"
				: "option bytes read",
			units_seconds(session->report.duration_ms, seconds, sizeof(seconds)));
		return;
	case FLASH_PROBE:
	case FLASH_IDENTIFY:
		snprintf(to, size, "%s in %s",
			session->assignment.action == FLASH_PROBE ? "probed" : "showed itself",
			units_seconds(session->report.duration_ms, seconds, sizeof(seconds)));
		return;
	case FLASH_ERASE:
	case FLASH_START:
	case FLASH_PROTECT:
	case FLASH_UNPROTECT:
	case FLASH_WRITE_UNPROTECT:
		snprintf(to, size, "%s, in %s", session->report.remark,
			units_seconds(session->report.duration_ms, seconds, sizeof(seconds)));
		return;
	case FLASH_ACTION_MAX:
		break;
	}
	to[0] = '\0';
}

char *summary_line(const struct session *session, char *to, size_t size)
{
	char port[64];
	size_t n;

	snprintf(to, size, "%s: ", units_port(session->assignment.port, port, sizeof(port)));
	n = strlen(to);
	ending_text(session, to + n, size - n);
	return to;
}

/* ------------------------------------------------------------------ and otherwise */

/* Reasons of lower floors begin with the node, which the line has already. */
static const char *reason_without_port(const struct report *report, const char *port)
{
	const char *text = report->reason.text;
	size_t n = port ? strlen(port) : 0;

	return n > 0 && strncmp(text, port, n) == 0 && strncmp(text + n, ": ", 2) == 0
		       ? text + n + 2
		       : text;
}

static const char *next_after(const struct session *session)
{
	const struct board *board = &session->assignment.board;
	const struct protocol_word *protocol = protocol_word_of(board->protocol);

	if (session->report.outcome != OUTCOME_NO_SYNC)
		return advice_after(session->report.outcome, ADVICE_COMMAND);
	if (protocol->has_ccfg)
		return "plugflash probe --port PORT --protocol bsl tries both circuits, --application mt asks what runs";
	if (protocol->takes_file)
		return board->applications
			       ? "plugflash probe --port PORT --application ezsp,cpc,spinel,zwave asks what runs, and shows the `entry` for it"
			       : "mend what the reason names, then repeat the command";
	if (protocol->tells_start)
		return "plugflash probe --port PORT --protocol esp tries without the rule";
	return advice_after(OUTCOME_NO_SYNC, ADVICE_COMMAND);
}

static void print_failure(const struct session *session, FILE *to)
{
	const struct report *report = &session->report;
	/* Before a port was opened, the reason says what there is to do; and no rule lifts what a
	 * chip's fuses have switched on, nor what keeps an order from being done. */
	bool is_told = report->phase < PHASE_OPEN ||
		       (report->outcome == OUTCOME_PROTECTED &&
			       (*report->security || session->assignment.action > FLASH_PROBE));
	const char *next = is_told ? NULL : next_after(session);
	const char *node = session->assignment.port;
	const char *reason = reason_without_port(report, node);
	char port[64] = "plugflash";

	if (node)
		units_port(node, port, sizeof(port));
	fprintf(to, "%s: %s%s%s", port, terminal_colour(to, COLOUR_BAD),
		outcome_to_string(report->outcome), terminal_plain(to));
	if (report->phase != PHASE_NONE)
		fprintf(to, " (%s)", phase_to_string(report->phase));
	fprintf(to, "%s%s\n", reason[0] ? ": " : "", reason);
	if (next)
		fprintf(to, "  next: %s\n", next);
}

int summary_tell(const struct session *session, FILE *to)
{
	int exit_code = outcome_to_exit_code(session->report.outcome);
	char line[LINE_SIZE];

	if (session->is_wrong_use) {
		fprintf(stderr, "plugflash %s: %s\n", session->verb, session->report.reason.text);
		return EXIT_USAGE;
	}
	if (session->options->json)
		return json_print_session(session, stdout) < 0 ? 1 : exit_code;
	if (exit_code == 0)
		fprintf(to, "%s%s%s\n", terminal_colour(to, COLOUR_GOOD),
			summary_line(session, line, sizeof(line)), terminal_plain(to));
	else
		print_failure(session, stderr);
	return exit_code;
}
