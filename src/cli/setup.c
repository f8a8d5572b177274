/* SPDX-License-Identifier: MIT */
/*
 * setup.c - the verb: from a board nobody has told of to its first update.
 *
 *	may all this be done?    options, rights, configuration
 *	which bridge?            setup-bridge.c
 *	which circuit and chip?  tries.h
 *	which image?             setup-image.c
 *	the rule                 setup-rule.c
 *	write, check, reload     nothing stays of it where a check fails
 *	the first update         as plugflash flash
 *	once more a probe        by the rule, with an application in the chip; where that tells that
 *	                         the circuit was another one, all of it but the image once more
 *
 * All questions come before the first file is written, and all that can be refused is refused
 * before the board is touched.
 */
#include "cli/setup.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/names.h"
#include "base/outcome.h"
#include "base/parse.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/interrupt.h"
#include "cli/summary.h"
#include "cli/tries.h"
#include "cli/units.h"
#include "rules/application-keys.h"
#include "rules/match.h"

#define VERB "setup"

static void complain(const char *format, va_list ap)
{
	fputs("plugflash " VERB ": ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
}

int setup_fail(enum outcome outcome, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	complain(format, ap);
	va_end(ap);
	return outcome_to_exit_code(outcome);
}

int setup_refuse(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	complain(format, ap);
	va_end(ap);
	return EXIT_USAGE;
}

static void setup_done(struct setup *setup)
{
	board_done(&setup->board);
	made_done(&setup->made);
	setup_image_done(&setup->image);
	facts_done(&setup->bridge);
	config_done(&setup->config);
	free(setup->rule_file);
	free(setup->rule);
}

/* ------------------------------------------------------------------ may it be done */

/* A wrong value is told before what is missing. */
static int take_values(struct setup *setup)
{
	const struct options *options = setup->options;
	struct reason reason = {0};
	char escaped[TEXT_MAX];
	uint32_t address;

	if (options->address && parse_address(options->address, &address) < 0)
		return setup_refuse("--address '%s': an address such as 0x08004000",
			text_escape(options->address, escaped, sizeof(escaped)));
	if (!circuits_choose(options->tries, &setup->list, &reason))
		return setup_refuse("%s", reason.text);
	if (!options->only)
		return 0;
	if (strcmp(options->only, "serial") == 0)
		setup->only = RULE_TEMPLATE_SERIAL;
	else if (strcmp(options->only, "path") == 0)
		setup->only = RULE_TEMPLATE_PATH;
	else
		return setup_refuse("--only '%s': serial or path",
			text_escape(options->only, escaped, sizeof(escaped)));
	return 0;
}

static int take_options(struct setup *setup)
{
	const struct options *options = setup->options;
	int r = take_values(setup);

	if (r != 0)
		return r;
	if (!setup->may_ask && !options->yes && !options->dry_run)
		return setup_refuse(
			"there is no terminal to ask at: say --yes to have it all done");
	if (!setup->may_ask && !options->image)
		return setup_refuse("there is no terminal to ask at: say which image by --image");
	return 0;
}

static int load_configuration(struct setup *setup)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	char escaped[TEXT_MAX];
	int r = config_load(setup->directory, &setup->config, &problems);

	if (r == 0)
		return 0;
	ini_problems_print(&problems, stderr);
	return setup_fail(OUTCOME_BAD_CONFIG,
		"the configuration in '%s' was refused, and a rule more does not mend it; plugflash check-config lists what is wrong",
		text_escape(setup->directory, escaped, sizeof(escaped)));
}

/* The folder where it is there, else the one above. */
static bool may_write(const char *folder)
{
	CLEANUP(freep) char *above = strdup(folder);
	char *slash = above ? strrchr(above, '/') : NULL;

	if (access(folder, W_OK) == 0)
		return true;
	if (errno != ENOENT || !slash || slash == above)
		return false;
	*slash = '\0';
	return access(above, W_OK) == 0;
}

static int check_rights(const struct setup *setup)
{
	CLEANUP(freep) char *boards = NULL;
	const char *images = setup->config.service.image_dir;
	char escaped[TEXT_MAX];

	if (setup->options->dry_run)
		return 0;
	if (text_format(&boards, "%s/" NAME_BOARDS, setup->directory) < 0)
		return setup_fail(OUTCOME_FAILED, "no memory");
	if (may_write(boards) && may_write(images))
		return 0;
	return setup_fail(OUTCOME_FAILED,
		"this user may not write to '%s': be root (sudo plugflash " VERB
		"); --dry-run tries the circuits and shows the rule, and needs the port alone",
		text_escape(may_write(boards) ? images : boards, escaped, sizeof(escaped)));
}

/* A bridge with a rule has been set up, unless a narrower rule is wanted. */
static int check_no_rule(const struct setup *setup)
{
	struct match match = {0};
	enum match_result result = match_board(&setup->config, &setup->bridge, &match);
	char port[64], name[TEXT_MAX], file[TEXT_MAX];

	if (result == MATCH_NONE || setup->only != RULE_TEMPLATE_KIND)
		return 0;
	units_port(setup->bridge.port, port, sizeof(port));
	return setup_fail(OUTCOME_AMBIGUOUS,
		"%s: the rule '%s' (%s:%u) fits this bridge already: plugflash flash -p %s does what it says; --only serial or --only path makes a narrower one",
		port, text_escape(match.board->name, name, sizeof(name)),
		text_escape(match.board->file, file, sizeof(file)), match.board->line, port);
}

static int check_only(const struct setup *setup)
{
	const struct facts *facts = &setup->bridge;

	if (setup->only == RULE_TEMPLATE_SERIAL && !setup->has_own_serial)
		return setup_fail(OUTCOME_AMBIGUOUS,
			"the bridge has no serial number of its own that would tell it from others: --only path ties the rule to the socket");
	if (setup->only == RULE_TEMPLATE_PATH && !facts->usb_path)
		return setup_fail(OUTCOME_AMBIGUOUS, "udev does not say in which socket it is");
	return 0;
}

/* ------------------------------------------------------------------ the board */

/* What was met and cannot be set up by a rule alone. */
static int check_chip(const struct setup *setup)
{
	const struct report *report = &setup->report;
	char text[TEXT_MAX], port[64];

	if (!circuit_has_lines(setup->circuit))
		return application_protocol_leads(report->application)
			       ? 0
			       : setup_fail(OUTCOME_NO_SYNC,
					 "the application answers (%s), so that the chip is well, and by none of the circuits its boot loader: check the lines, or the pin of its firmware",
					 report->application);
	if (*report->refusal)
		return setup_fail(
			OUTCOME_PROTECTED, "%s", text_show(report->refusal, text, sizeof(text)));
	if (!*report->chip)
		return setup_fail(OUTCOME_WRONG_CHIP,
			"the chip says product id 0x%03x, which the chip table does not know: add it to chips.d, see plugflash-chips(5)",
			report->product_id);
	if (report->is_protected)
		return setup_fail(OUTCOME_PROTECTED,
			"the chip (%s) is protected against reading: plugflash unprotect -p %s%s lifts that and wipes its flash; then set it up once more",
			report->chip, units_port(setup->bridge.port, port, sizeof(port)),
			circuit_arguments(setup->circuit, text, sizeof(text)));
	return 0;
}

static void print_chip(const struct setup *setup)
{
	const struct report *report = &setup->report;
	char text[TEXT_MAX], unit[TEXT_MAX];

	if (!circuit_has_lines(setup->circuit)) {
		fprintf(stderr, "found: %s %s\n", report->application,
			text_cell(report->application_version, text, sizeof(text)));
		return;
	}
	fprintf(stderr, "found: %s, product id 0x%03x", text_cell(report->chip, text, sizeof(text)),
		report->product_id);
	if (report->flash_bytes)
		fprintf(stderr, ", %u KiB of flash", report->flash_bytes / 1024);
	if (*report->unit)
		fprintf(stderr, ", unit %s", text_cell(report->unit, unit, sizeof(unit)));
	fprintf(stderr, ", by the circuit %s\n", setup->circuit->name);
	if (setup->is_in_doubt)
		fputs("  The chip is in its boot loader by itself, as an empty one is: other circuits would answer in the same way. The probe behind the update tells.\n",
			stderr);
}

/* The bridge is taken from the service for the tries alone. */
static int find_circuit(struct setup *setup)
{
	const char *sentence =
		"the circuits are tried one by one, some four seconds each; nothing is erased, but the board is reset, and an application that goes on running may take the bytes for its own";
	/* Who only looks need not be one who may ask the service for the bridge. */
	const struct options at_port = {.config = setup->options->config,
		.port = setup->bridge.port,
		.transcript = setup->options->transcript,
		.transcript_image = setup->options->transcript_image,
		.direct = setup->options->dry_run};
	struct tries tries;
	int r = 0;

	if (!setup->options->dry_run || setup->may_ask)
		if (!ask_yes(setup->options, VERB, sentence, &r))
			return r;
	tries_run(VERB, &at_port, &setup->list, &tries);
	setup->circuit = finder_found(&tries.finder);
	setup->is_in_doubt = finder_is_in_doubt(&tries.finder);
	setup->report = tries.work.session.report;
	if (!setup->circuit)
		r = summary_tell(&tries.work.session, stderr);
	tries_done(&tries);
	if (!setup->circuit)
		return r;
	print_chip(setup);
	return check_chip(setup);
}

/* ------------------------------------------------------------------ the files */

/* Also what a dry run is for. */
static int show_rule(const struct setup *setup)
{
	char file[TEXT_MAX], images[TEXT_MAX], copy[TEXT_MAX];
	int r = 0;

	text_escape(setup->rule_file, file, sizeof(file));
	text_escape(setup->config.service.image_dir, images, sizeof(images));
	text_escape(setup->image.copy, copy, sizeof(copy));
	printf("# %s\n%s", file, setup->rule);
	printf("# the image: %s/%s\n", images, copy);
	fflush(stdout);
	if (!setup->options->dry_run)
		(void)ask_yes(setup->options, VERB, "these two are written", &r);
	return r;
}

/* Nothing of it stays where anything of it fails. Signals wait meanwhile. */
static int write_files(struct setup *setup)
{
	struct interrupt interrupt;
	int r = interrupt_open(&interrupt);

	if (r < 0)
		return setup_fail(OUTCOME_FAILED, "signals cannot be waited for: %s", strerror(-r));
	r = setup_copy_image(setup);
	if (r == 0)
		r = setup_write_rule(setup);
	if (r == 0 && interrupt_asked(&interrupt))
		r = setup_fail(OUTCOME_CANCELLED, "as asked");
	if (r == 0)
		r = work_reload(VERB, setup->options);
	if (r != 0) {
		made_undo(&setup->made);
		fputs("plugflash " VERB ": what was written is removed again\n", stderr);
	}
	made_done(&setup->made);
	interrupt_close(&interrupt);
	return r;
}

/* ------------------------------------------------------------------ the first update */

static int run_action(const struct options *options, enum flash_action action, FILE *to)
{
	CLEANUP(work_done) struct work work;

	int r;

	if (work_open(VERB, options, action, &work))
		work_run(&work);
	r = summary_tell(&work.session, to);
	fflush(to);
	return r;
}

static void tell_files(const struct setup *setup)
{
	char file[TEXT_MAX], images[TEXT_MAX], copy[TEXT_MAX];

	fprintf(stderr,
		"rule: %s\nimage: %s/%s; the next one goes beside it, with a higher version in its name\n",
		text_escape(setup->rule_file, file, sizeof(file)),
		text_escape(setup->config.service.image_dir, images, sizeof(images)),
		text_escape(setup->image.copy, copy, sizeof(copy)));
}

/* `ret_is_other`: the application is in the chip, and by the rule its loader is not reached any
 * more.
 */
static int update(const struct setup *setup, bool *ret_is_other)
{
	const struct options options = {
		.config = setup->options->config, .port = setup->bridge.port};
	int r = run_action(&options, FLASH_UPDATE, stdout);

	if (r != 0) {
		fprintf(stderr,
			"plugflash " VERB
			": the rule stays, and the board is tried again as the rule says; to take the rule back remove its file, and reload plugflashd\n");
		tell_files(setup);
		return r;
	}
	/* The boot pin is proved only where there is an application that it can keep from starting.
	 */
	if (circuit_has_lines(setup->circuit)) {
		r = run_action(&options, FLASH_PROBE, stderr);
		*ret_is_other = r == outcome_to_exit_code(OUTCOME_NO_SYNC);
		if (r != 0)
			fputs("plugflash " VERB
			      ": the board was updated, but by the rule its boot loader is not reached any more now that it has an application: the circuit is another one\n",
				stderr);
	}
	tell_files(setup);
	return r;
}

/* ------------------------------------------------------------------ all of it */

/* One image with all that follows from it; `ret_is_unfit`: the chip could not be flashed with it.
 */
static int choose_one(struct setup *setup, bool *ret_is_unfit)
{
	int r = setup_choose_image(setup);

	if (r == 0)
		r = setup_choose_name(setup);
	if (r == 0)
		r = setup_name_copy(setup);
	if (r == 0)
		r = setup_make_rule(setup);
	if (r != 0)
		return r;
	r = setup_check_image(setup);
	*ret_is_unfit = r != 0;
	return r;
}

static void forget_rule(struct setup *setup)
{
	board_done(&setup->board);
	setup->board = (struct board){0};
	free(TAKE_PTR(setup->rule));
}

static void forget_choice(struct setup *setup)
{
	forget_rule(setup);
	setup_image_done(&setup->image);
	free(TAKE_PTR(setup->rule_file));
}

/* Who has typed the name of an image may type another one: the tries took half a minute. */
static int choose_all(struct setup *setup)
{
	bool is_unfit = false;
	int r = choose_one(setup, &is_unfit);

	while (is_unfit && setup->may_ask && !setup->options->image) {
		is_unfit = false;
		forget_choice(setup);
		r = choose_one(setup, &is_unfit);
	}
	return r;
}

static int begin(struct setup *setup)
{
	int r = take_options(setup);

	if (r == 0)
		r = load_configuration(setup);
	if (r == 0)
		r = check_rights(setup);
	/* Told before the board is touched, where it was given. */
	if (r == 0 && setup->options->image)
		r = setup_choose_image(setup);
	if (r == 0)
		r = setup_check_name(setup);
	if (r == 0)
		r = setup_choose_bridge(setup);
	if (r == 0)
		r = check_no_rule(setup);
	return r == 0 ? check_only(setup) : r;
}

/* Writes it all, and has it proved. */
static int carry_out(struct setup *setup, bool *ret_is_other)
{
	int r = show_rule(setup);

	if (r != 0 || setup->options->dry_run)
		return r;
	r = write_files(setup);
	return r == 0 ? update(setup, ret_is_other) : r;
}

/* The rule is taken back, and with an application in the chip the tries tell which circuit it is.
 */
static int search_again(struct setup *setup, bool *ret_is_other)
{
	int r = work_reload(VERB, setup->options);

	if (r == 0)
		r = find_circuit(setup);
	if (r != 0)
		return r;
	forget_rule(setup);
	r = setup_make_rule(setup);
	return r == 0 ? carry_out(setup, ret_is_other) : r;
}

/* By a circuit that was one of several, all of it but the image, which is where it belongs already.
 */
static int carry_out_again(struct setup *setup, bool *ret_is_other)
{
	char file[TEXT_MAX], images[TEXT_MAX], copy[TEXT_MAX];
	int r;

	*ret_is_other = false;
	if (unlink(setup->rule_file) < 0)
		return setup_fail(OUTCOME_FAILED, "'%s' cannot be removed: %s",
			text_escape(setup->rule_file, file, sizeof(file)), strerror(errno));
	fputs("the rule is taken back, and the circuits are tried once more\n", stderr);
	r = search_again(setup, ret_is_other);
	if (r != 0 && access(setup->rule_file, F_OK) < 0)
		fprintf(stderr,
			"plugflash " VERB
			": the board was updated, and has no rule any more; its image stays, '%s/%s'; set it up once more\n",
			text_escape(setup->config.service.image_dir, images, sizeof(images)),
			text_escape(setup->image.copy, copy, sizeof(copy)));
	return r;
}

int verb_setup(const struct options *options)
{
	CLEANUP(setup_done)
	struct setup setup = {
		.options = options,
		.directory = options_configuration(options),
		.may_ask = ask_may(),
	};
	bool is_other = false;
	int r = begin(&setup);

	if (r == 0)
		r = find_circuit(&setup);
	if (r == 0)
		r = choose_all(&setup);
	if (r == 0)
		r = carry_out(&setup, &is_other);
	if (is_other && setup.is_in_doubt)
		r = carry_out_again(&setup, &is_other);
	if (is_other)
		fputs("plugflash " VERB
		      ": the rule stays; remove its file, and set the board up once more with --try, or write the steps of its lines into the rule (enter, leave)\n",
			stderr);
	return r;
}
