/* SPDX-License-Identifier: MIT */
/* probe.c - the verb: enter the boot loader and tell what is there. */

#include <string.h>

#include "cli/cli.h"
#include "cli/summary.h"
#include "cli/tries.h"
#include "cli/units.h"
#include "cli/work.h"
#include "rules/application-keys.h"
#include "rules/protocol-words.h"

static void print_text(const char *name, const char *value)
{
	char escaped[TEXT_MAX];

	text_escape(value, escaped, sizeof(escaped));
	printf("%-12s %s\n", name, escaped[0] ? escaped : "-");
}

/* "NAME VALUE; NAME VALUE", a line for each. */
static void print_details(const char *details)
{
	while (*details) {
		size_t n_name = strcspn(details, " ;"), n = strcspn(details, ";");
		char name[64], value[TEXT_MAX];

		snprintf(name, sizeof(name), "%.*s", (int)n_name, details);
		snprintf(value, sizeof(value), "%.*s", (int)(n > n_name ? n - n_name - 1 : 0),
			details + (n > n_name ? n_name + 1 : n));
		print_text(name, value);
		details += n;
		details += strspn(details, "; ");
	}
}

/* What the chip and its boot loader say of themselves. */
static void print_chip(const struct session *session)
{
	const struct report *report = &session->report;

	print_text("chip", report->chip);
	/* The name above is ST's; a rule takes this, too. */
	printf("%-12s 0x%03x (in a rule: protocol = %s, chip = 0x%03x)\n", "product id",
		report->product_id, protocol_word_of(session->assignment.board.protocol)->text,
		report->product_id);
	if (*report->revision)
		print_text("revision", report->revision);
	if (report->bootloader_version)
		printf("%-12s V%u.%u\n", "boot loader", report->bootloader_version >> 4,
			report->bootloader_version & 0xF);
	if (report->flash_bytes)
		printf("%-12s %u KiB\n", "flash", report->flash_bytes / 1024);
	print_text("unit", report->unit);
	if (*report->security)
		print_text("security", report->security);
	else
		print_text("protection",
			report->is_protected ? "on: the flash cannot be read" : "off");
}

/* What a rule says of it: that it leads into its boot loader, where it can and no line does. */
static void print_application(const struct session *session)
{
	const struct report *report = &session->report;
	bool has_lines = session->assignment.board.entry == BOARD_ENTRY_LINES;
	bool leads = !has_lines && application_protocol_leads(report->application);
	char version[TEXT_MAX];

	text_escape(report->application_version, version, sizeof(version));
	printf("%-12s %s%s%s at %u baud (in a rule: %s = %s)\n", "application", report->application,
		version[0] ? " " : "", version, report->application_baud,
		leads ? "entry" : "application", report->application);
}

/* Also after a failure that came once the chip had told what it is. */
static void print_findings(const struct session *session)
{
	const struct report *report = &session->report;
	const char *slot = config_slot_name(&session->config, session->bridge.usb_path);
	char port[64], serial[TEXT_ESCAPED_MAX];

	print_text("port", units_port(session->assignment.port, port, sizeof(port)));
	print_text("bridge", session->bridge.product);
	printf("%-12s %s\n", "serial",
		session->bridge.serial
			? text_identifier(session->bridge.serial, serial, sizeof(serial))
			: "-");
	print_text("path", session->bridge.usb_path);
	if (*slot)
		print_text("slot", slot);
	print_text("board", session->assignment.board.name);
	if (report->has_product_id)
		print_chip(session);
	if (*report->application)
		print_application(session);
	if (report->baud)
		printf("%-12s %u\n", "baud", report->baud);
	if (*report->entered)
		print_text("entered", report->entered);
	if (*report->refusal)
		printf("%-12s %s\n", "refused", report->refusal);
	print_details(report->details);
}

static int tell(const struct session *session, const struct options *options)
{
	const struct report *report = &session->report;

	/* A loader of files says no chip, but it was there. */
	if (!options->json && (report->has_product_id || *report->application || *report->entered))
		print_findings(session);
	return summary_tell(session, stderr);
}

static void print_circuit(const struct finder *finder)
{
	const struct circuit *circuit = finder_found(finder);
	char keys[TEXT_MAX];

	if (!circuit)
		return;
	print_text("circuit", circuit->name);
	if (*circuit_keys(circuit, ", ", keys, sizeof(keys)))
		printf("%-12s in a rule: %s\n", "", keys);
	if (finder_is_in_doubt(finder))
		printf("%-12s other circuits would answer in the same way: an application in the chip tells\n",
			"");
}

#define WIRING_AUTO "auto"

/* All circuits, or those by which --protocol is reached. */
static int probe_all(const struct options *options)
{
	struct circuit_list list;
	struct reason reason = {0};
	struct tries tries;
	int exit_code;

	if (options->chip || options->reset || options->boot || options->enter || options->leave ||
		options->application) {
		fputs("plugflash probe: --wiring auto tries all circuits: --chip, --reset, --boot, --enter, --leave and --application do not go with it\n",
			stderr);
		return EXIT_USAGE;
	}
	if (!circuits_choose(options->protocol, &list, &reason)) {
		fprintf(stderr, "plugflash probe: %s\n", reason.text);
		return EXIT_USAGE;
	}
	tries_run("probe", options, &list, &tries);
	if (!options->json)
		print_circuit(&tries.finder);
	exit_code = tell(&tries.work.session, options);
	tries_done(&tries);
	return exit_code;
}

static int probe_one(const struct options *options)
{
	CLEANUP(work_done) struct work work;

	if (work_open("probe", options, FLASH_PROBE, &work))
		work_run(&work);
	return tell(&work.session, options);
}

int verb_probe(const struct options *options)
{
	bool is_auto = options->wiring && strcmp(options->wiring, WIRING_AUTO) == 0;

	return is_auto ? probe_all(options) : probe_one(options);
}
