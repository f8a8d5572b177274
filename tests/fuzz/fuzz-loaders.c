/* SPDX-License-Identifier: MIT */
/*
 * What a boot loader that takes files says: the whole procedure against a simulated one, whose
 * bytes are changed on their way and whose words are the input's. Whatever is heard, the job ends
 * in its time with an outcome, and the loader itself is left whole.
 *
 * The bytes: which loader and what is to be done, its manners, the byte it answers blocks with, the
 * length of its last words and those; then edits of two bytes each: how many bytes pass first, and
 * what becomes of the next.
 */
#include "job.h"
#include "sim/gbl.h"
#include "sim/resident.h"

#define APPLICATION (UINT32_C(0x08000000) + RESIDENT_BYTES)

/* Two attempts, with the patience of the rule below for each answer. */
#define AT_MOST_USEC (UINT64_C(30) * 60 * USEC_PER_SEC)

static size_t edit(void *userdata, uint8_t byte, uint8_t to[PORT_SIM_EDIT])
{
	static const uint8_t signs[] = {0x01, 0x02, 0x04, 0x06, 0x15, 0x18, 0x43, '\n'};
	struct input *input = userdata;
	unsigned what;

	to[0] = to[1] = byte;
	if (input_passes(input, 2))
		return 1;
	what = input_take(input);
	if (what < 8)
		to[0] = signs[what];
	else if (what < 16)
		to[0] ^= (uint8_t)(1u << what % 8);
	else if (what < 24)
		return 0;
	else if (what < 32)
		return 2;
	else
		to[0] = (uint8_t)what;
	return 1;
}

static void make_rule(unsigned flags, struct board *ret)
{
	char text[500];

	snprintf(text, sizeof(text),
		"[board fuzz]\nimage = x\naddress = 0x08004000\nvector-table = ignore\nretries = 1\n"
		"erase-within = 10s\nanswer-within = 3s\nmenu-within = 3s\n%s%s",
		flags & 1 ? "protocol = xmodem\nmenu = gecko\n"
			  : "protocol = ymodem\nmenu = st-iap\n",
		flags & 2 ? "confirm = plugflash-test [0-9.]+\nconfirm-within = 2s\n"
			  : "accept-unverified = yes\n");
	job_read_rule(text, ret);
}

static void make_image(bool is_gbl, struct image *ret)
{
	static const char banner[] = "plugflash-test 1.2.3\r\n";
	const struct image_options options = {
		.address = APPLICATION, .max_bytes = GBL_BYTES(JOB_IMAGE_BYTES)};
	const uint32_t vectors[] = {0x20001000, APPLICATION + 0x101};
	uint8_t bytes[JOB_IMAGE_BYTES], package[GBL_BYTES(JOB_IMAGE_BYTES)];
	struct reason reason = {""};

	job_fill(bytes);
	memcpy(bytes, vectors, sizeof(vectors));
	memcpy(bytes + 0x200, banner, sizeof(banner));
	gbl_make(package, bytes, sizeof(bytes));
	MUST(image_read(is_gbl ? "x.gbl" : "x.bin", is_gbl ? package : bytes,
		     is_gbl ? sizeof(package) : sizeof(bytes), &options, ret, &reason) == 0);
}

static void check(struct sim *sim, const struct flash_job *job, const struct report *report,
	const struct input *input)
{
	const struct segment *segment = &job->image->segments[0];
	const uint8_t *flash = sim_flash(sim);

	job_must_end(report, AT_MOST_USEC);
	MUST(flash[0] == 0x4A && memcmp(flash, flash + 1, RESIDENT_BYTES - 1) == 0);
	if (job->action != FLASH_UPDATE)
		MUST(sim_counters(sim)->pages_erased == 0);
	/* A CRC of sixteen bits is no match for somebody who changes it as well. */
	if (report->proof == PROOF_UPLOAD && input->n_edits == 0)
		MUST(memcmp(flash + RESIDENT_BYTES, segment->data, segment->size) == 0);
}

static char *take_words(struct input *input, char to[256])
{
	size_t n = input_take(input) % 64;

	if (n > input->n_bytes)
		n = input->n_bytes;
	memcpy(to, input->bytes, n);
	to[n] = '\0';
	input->bytes += n;
	input->n_bytes -= n;
	return n > 0 ? to : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {.bytes = data, .n_bytes = size};
	unsigned flags = input_take(&input), manners = input_take(&input),
		 answer = input_take(&input);
	char verdict[256], refusal[256];
	CLEANUP(board_done) struct board board = {0};
	CLEANUP(image_done) struct image image = {0};
	CLEANUP(freep) uint8_t *read = NULL;
	uint32_t n_read;
	struct report report = {.outcome = OUTCOME_FAILED};
	const struct sim_options options = {
		.chip = sim_chip_find("f103c8"),
		.resident = flags & 1 ? SIM_RESIDENT_GECKO : SIM_RESIDENT_IAP,
		.faults = {.st_manners = manners & 1,
			.acks_with_call = manners & 2,
			.upload_has_no_length = manners & 4,
			.repeats_upload = manners & 8,
			.uploads_for_ever = manners & 16,
			.naks_eot = manners & 32,
			.erases_before_call = manners & 64,
			.upload_bytes = manners & 128 ? 1024 : 0,
			.answer = answer < 0x20 ? (int)answer : 0,
			.verdict = take_words(&input, verdict),
			.refuses_start = take_words(&input, refusal)},
	};
	const struct flash_job job = {
		.action = (enum flash_action)(flags / 4 % (FLASH_PROBE + 1)),
		.port = JOB_PORT,
		.board = &board,
		.chips = job_chips(),
		.image = &image,
		.read_address = APPLICATION,
		.read_size = 600,
		.ret_read = &read,
		.ret_read_size = &n_read,
	};
	const struct port_sim_options port = {.edit = edit, .userdata = &input};
	struct sim *sim = sim_new(&options);

	MUST(sim);
	make_rule(flags, &board);
	make_image(flags & 1, &image);
	port_sim_attach(JOB_PORT, sim, &port);
	flash_run(&job, &report);
	check(sim, &job, &report, &input);
	port_sim_detach_all();
	sim_free(sim);
	return 0;
}
