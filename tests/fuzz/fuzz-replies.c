/* SPDX-License-Identifier: MIT */
/*
 * What a boot loader says: the whole procedure against a simulated chip whose replies are changed
 * on their way. Whatever is heard, the job ends in its time with an outcome, wipes nothing that it
 * was not told to, and calls no unit good that does not hold the image.
 *
 * The bytes: which chip, which stream it begins and where, how slow it is; then edits of three
 * bytes each: how many replies pass first, what is done, and with which value.
 */
#include "flash/image-check.h"
#include "job.h"

/* Large ones only cost time. */
#define MOST_FLASH (512 * 1024)
/* Two attempts, each within the budget of run.c, for the slowest of the chips. */
#define AT_MOST_USEC (UINT64_C(20) * 60 * USEC_PER_SEC)

/* Some pass whole blocks. */
static size_t edit(void *userdata, uint8_t byte, uint8_t to[PORT_SIM_EDIT])
{
	return input_edit(userdata, 8, input_change, byte, to);
}

static const struct sim_chip *choose_chip(unsigned number)
{
	size_t n_chips = 0;

	while (sim_chip_at(n_chips))
		n_chips++;
	for (size_t i = number % n_chips;; i = (i + 1) % n_chips)
		if (sim_chip_at(i)->product_id != 0 && sim_chip_at(i)->flash_size <= MOST_FLASH)
			return sim_chip_at(i);
}

static void make_rule(const struct sim_chip *chip, bool keeps, struct board *ret)
{
	char text[300];

	/* Behind a page of any of them, whatever its layout. */
	snprintf(text, sizeof(text),
		"[board fuzz]\nimage = x\nchip = 0x%03x\nvector-table = ignore\nretries = 1\n%s",
		chip->product_id, keeps ? "keep = 0x0800C000+256\n" : "");
	job_read_rule(text, ret);
}

/* Nothing of it is what the flash holds. */
static void make_image(uint32_t address, struct image *ret)
{
	const struct image_options options = {.address = address, .max_bytes = JOB_IMAGE_BYTES};
	struct reason reason = {""};
	uint8_t bytes[JOB_IMAGE_BYTES];

	job_fill(bytes);
	MUST(image_read("x.bin", bytes, sizeof(bytes), &options, ret, &reason) == 0);
}

static bool holds(struct sim *sim, const struct image *image, uint32_t base)
{
	const struct segment *segment = &image->segments[0];

	return memcmp(sim_flash(sim) + (segment->address - base), segment->data, segment->size) ==
	       0;
}

static void check(
	struct sim *sim, const struct flash_job *job, const struct report *report, uint32_t base)
{
	const struct sim_counters *counters = sim_counters(sim);

	job_must_end(report, AT_MOST_USEC);
	MUST(counters->unprotects == 0 || job->action == FLASH_UNPROTECT);
	if (job->board->keep.n_items > 0)
		MUST(counters->mass_erases == 0);
	if (job->action != FLASH_UPDATE)
		MUST(counters->blocks_written == 0);
	if (job->action != FLASH_UPDATE && job->action != FLASH_ERASE)
		MUST(counters->pages_erased == 0 && counters->mass_erases == 0);
	if (counters->pages_erased > 0)
		MUST(report->has_erased);
	if ((report->outcome == OUTCOME_UPDATED || report->outcome == OUTCOME_CURRENT) &&
		job->action <= FLASH_VERIFY)
		MUST(holds(sim, job->image, base));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {.bytes = data, .n_bytes = size};
	const struct port_sim_options port = {.edit = edit, .userdata = &input};
	struct sim_options options = {.chip = choose_chip(input_take(&input))};
	unsigned flags = input_take(&input);
	CLEANUP(board_done) struct board board = {0};
	CLEANUP(image_done) struct image image = {0};
	CLEANUP(freep) uint8_t *read = NULL;
	uint32_t n_read;
	struct report report = {.outcome = OUTCOME_FAILED};
	struct flash_job job = {
		.action = (enum flash_action)(flags % (FLASH_UNPROTECT + 1)),
		.erase = &(struct erase_wish){.what = ERASE_ALL},
		.port = JOB_PORT,
		.board = &board,
		.chips = job_chips(),
		.image = &image,
		.read_address = options.chip->flash_base,
		.read_size = 600,
		.ret_read = &read,
		.ret_read_size = &n_read,
	};
	struct sim *sim;

	options.faults.ack_stream = flags & 0x10;
	options.faults.garbage = flags & 0x20;
	options.faults.babble_after = 16 * input_take(&input);
	options.faults.slow_sent_nsec = UINT64_C(100000) * (input_take(&input) % 32);
	options.faults.slow_ack_nsec = UINT64_C(20000000) * (input_take(&input) % 80);
	options.faults.protect = (flags & 0xC0) == 0xC0;
	sim = sim_new(&options);
	MUST(sim);
	memset(sim_flash(sim), 0xA5, sim_flash_size(sim));
	make_rule(options.chip, flags & 0x08, &board);
	make_image(options.chip->flash_base, &image);
	port_sim_attach(JOB_PORT, sim, &port);
	flash_run(&job, &report);
	check(sim, &job, &report, options.chip->flash_base);
	port_sim_detach_all();
	sim_free(sim);
	return 0;
}
