/* SPDX-License-Identifier: MIT */
/*
 * What an application that speaks a protocol says: the whole procedure against a simulated stick,
 * whose bytes are changed on their way. Whatever is heard, the job ends in its time with an
 * outcome, the boot loader is left whole, and what was only to be looked at is not left.
 *
 * The bytes: which protocol and what is to be done, what goes wrong in the application; then edits
 * of three bytes each: how many bytes pass first, and what becomes of the next.
 */
#include "application/application-version.h"
#include "job.h"
#include "sim/gbl.h"
#include "sim/resident.h"
#include "sim/spoken.h"

#define APPLICATION	  (UINT32_C(0x08000000) + RESIDENT_BYTES)
#define APPLICATION_BYTES 1024
#define VERSION		  "7.4.3.0"

/* The questions before and behind, each at every rate, the menu and the transfer, twice. */
#define AT_MOST_USEC (UINT64_C(10) * 60 * USEC_PER_SEC)

static size_t apply(unsigned what, uint8_t value, uint8_t byte, uint8_t to[static PORT_SIM_EDIT])
{
	to[0] = to[1] = byte;
	if (what < 64)
		to[0] ^= (uint8_t)(1u << what % 8);
	else if (what < 96)
		return 0;
	else if (what < 128)
		return 2;
	else
		to[0] = value;
	return 1;
}

static size_t edit(void *userdata, uint8_t byte, uint8_t to[PORT_SIM_EDIT])
{
	return input_edit(userdata, 1, apply, byte, to);
}

static void make_application(
	const struct sim_chip *chip, unsigned protocol, const char *version, uint8_t *to)
{
	static const char *const protocols[] = {"ezsp", "cpc", "spinel", "zwave"};
	static const uint32_t bauds[] = {115200, 460800, 460800, 115200};
	const uint32_t vectors[] = {chip->ram_start + 0x1000, APPLICATION + 0x101};

	memset(to, 0xA5, APPLICATION_BYTES);
	memcpy(to, vectors, sizeof(vectors));
	(void)spoken_words((char *)to + 0x300, 100, protocols[protocol], version, bauds[protocol]);
}

static void make_image(const struct sim_chip *chip, unsigned protocol, struct image *ret)
{
	const struct image_options options = {.max_bytes = GBL_BYTES(APPLICATION_BYTES)};
	uint8_t bytes[APPLICATION_BYTES], package[GBL_BYTES(APPLICATION_BYTES)];
	struct reason reason = {""};

	make_application(chip, protocol, VERSION, bytes);
	gbl_make(package, bytes, sizeof(bytes));
	MUST(image_read("x.gbl", package, sizeof(package), &options, ret, &reason) == 0);
}

static void make_rule(unsigned flags, struct board *ret)
{
	char text[400];

	snprintf(text, sizeof(text),
		"[board fuzz]\nimage = x\nprotocol = xmodem\nentry = ezsp cpc spinel zwave\n"
		"vector-table = ignore\nretries = 1\nerase-within = 10s\nanswer-within = 3s\n"
		"menu-within = 3s\nconfirm-within = 2s\n%s",
		flags & 0x80 ? "entry-baud = 115200\n" : "");
	job_read_rule(text, ret);
}

static void check(struct sim *sim, const struct flash_job *job, const struct report *report,
	const struct input *input)
{
	const struct sim_counters *counters = sim_counters(sim);
	const uint8_t *flash = sim_flash(sim);
	const struct segment *segment = &job->image->segments[0];

	job_must_end(report, AT_MOST_USEC);
	MUST(flash[0] == 0x4A && memcmp(flash, flash + 1, RESIDENT_BYTES - 1) == 0);
	MUST((job->action == FLASH_UPDATE && !job->dry_run) || counters->files == 0);
	if (job->action == FLASH_VERIFY && report->application[0])
		MUST(counters->application_commands == 0);
	if (report->proof == PROOF_VERSION)
		MUST(application_version_confirms(report->application_version, VERSION));
	if (report->outcome == OUTCOME_UPDATED && !job->dry_run && input->n_edits == 0)
		MUST(memcmp(flash + RESIDENT_BYTES, segment->data + GBL_HEAD_BYTES,
			     APPLICATION_BYTES) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum flash_action actions[] = {
		FLASH_UPDATE, FLASH_UPDATE, FLASH_VERIFY, FLASH_PROBE};
	struct input input = {.bytes = data, .n_bytes = size};
	unsigned flags = input_take(&input), faults = input_take(&input);
	CLEANUP(board_done) struct board board = {0};
	CLEANUP(image_done) struct image image = {0};
	struct report report = {.outcome = OUTCOME_FAILED, .version = VERSION};
	const struct sim_options options = {
		.chip = sim_chip_find("f103c8"),
		.resident = SIM_RESIDENT_GECKO,
		.circuit = SIM_CIRCUIT_NONE,
		.faults.spoken = {.is_locked = faults & 1,
			.talks = faults & 2,
			.has_no_command = faults & 4,
			.launch_is_silent = faults & 8,
			.launch_is_lost = faults & 16,
			.launch_error = faults & 32 ? 0x70 : 0,
			.drop_said = faults >> 6},
	};
	const struct flash_job job = {
		.action = actions[flags / 4 % 4],
		.dry_run = flags & 0x40,
		.port = JOB_PORT,
		.board = &board,
		.chips = job_chips(),
		.image = &image,
	};
	const struct port_sim_options port = {.edit = edit, .userdata = &input};
	struct sim *sim = sim_new(&options);

	MUST(sim);
	make_rule(flags, &board);
	make_image(options.chip, flags % 4, &image);
	make_application(options.chip, flags % 4, flags & 0x10 ? VERSION : "6.10.3.0",
		sim_flash(sim) + RESIDENT_BYTES);
	port_sim_attach(JOB_PORT, sim, &port);
	port_sim_pass(JOB_PORT, USEC_PER_SEC);
	flash_run(&job, &report);
	check(sim, &job, &report, &input);
	port_sim_detach_all();
	sim_free(sim);
	return 0;
}
