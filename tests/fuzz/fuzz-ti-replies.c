/* SPDX-License-Identifier: MIT */
/*
 * What the ROM of a chip of TI says: the whole procedure against a simulated stick whose answers
 * are changed on their way. Whatever is heard, the job ends in its time with an outcome, leaves a
 * stick that starts an application or waits in its loader, keeps what lies between the image and
 * its CCFG, and calls no unit good that does not hold the image.
 *
 * The bytes: which chip and job, then edits of three bytes each: how many bytes of the chip pass
 * first, what is done, and with which value.
 */
#include "job.h"
#include "tools/ti-make.h"

/* Every pass within the budget of run.c, at each rate of the rule. */
#define AT_MOST_USEC (UINT64_C(60) * 60 * USEC_PER_SEC)

/* Bytes of the network, which no image names. */
#define NETWORK 0x5A

static const struct {
	const char *name;
	unsigned pin;
} chips[] = {{"cc2652p", 15}, {"cc2652rb", 13}, {"cc1310", 11}, {"cc2538", 3}};

static size_t apply(unsigned what, uint8_t value, uint8_t byte, uint8_t to[static PORT_SIM_EDIT])
{
	switch (what % 8) {
	case 4: /* an acknowledgement in front */
		to[0] = 0x00;
		to[1] = value & 1 ? 0xCC : 0x33;
		to[2] = byte;
		return 3;
	case 5: /* zeros, and a packet that nobody asked for */
		memset(to, 0, PORT_SIM_EDIT);
		to[8] = 3;
		to[9] = to[10] = value;
		to[11] = byte;
		return 12;
	case 6:
		memset(to, value, PORT_SIM_EDIT);
		return PORT_SIM_EDIT;
	}
	return input_change(what, value, byte, to);
}

/* Some pass whole answers. */
static size_t edit(void *userdata, uint8_t byte, uint8_t to[PORT_SIM_EDIT])
{
	return input_edit(userdata, 7, apply, byte, to);
}

static void take(struct ti_make_image *made, struct image *ret)
{
	struct reason reason = {""};

	for (size_t i = 0; i < made->n_runs; i++)
		MUST(image_add(ret, made->runs[i].address,
			     made->flash + (made->runs[i].address - made->chip->base),
			     made->runs[i].n, 1 << 20, &reason) == 0);
	ret->format = "Intel HEX";
}

static bool holds(struct sim *sim, const struct ti_make_chip *chip, const struct image *image)
{
	for (size_t i = 0; i < image->n_segments; i++)
		if (memcmp(sim_flash(sim) + (image->segments[i].address - chip->base),
			    image->segments[i].data, image->segments[i].size) != 0)
			return false;
	return true;
}

static void must_have_network(struct sim *sim, const struct ti_make_chip *chip)
{
	for (uint32_t at = chip->nv; at < chip->nv_end; at++)
		MUST(sim_flash(sim)[at - chip->base] == NETWORK);
}

/* After whatever has happened, with the lines at rest. */
static void must_start(struct sim *sim)
{
	enum sim_ti_start start;

	port_sim_replug(JOB_PORT);
	port_sim_pass(JOB_PORT, 2 * USEC_PER_SEC);
	start = sim_ti(sim)->start;
	MUST(start == SIM_TI_NO_IMAGE || start == SIM_TI_APPLICATION);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {.bytes = data, .n_bytes = size};
	const struct port_sim_options port = {.edit = edit, .userdata = &input};
	size_t nth = input_take(&input) % ARRAY_SIZE(chips);
	struct sim_options options = {
		.chip = sim_chip_find(chips[nth].name), .circuit = SIM_CIRCUIT_ESP};
	unsigned flags = input_take(&input);
	struct ti_make_image old = ti_make_new(chips[nth].name, "20240710", 0);
	struct ti_make_image new =
		ti_make_new(chips[nth].name, flags & 4 ? "20240710" : "20250321", 0);
	CLEANUP(board_done) struct board board = {0};
	CLEANUP(image_done) struct image image = {0};
	struct report report = {.outcome = OUTCOME_FAILED};
	struct flash_job job = {
		.action = flags & 1 ? FLASH_VERIFY : FLASH_UPDATE,
		.port = JOB_PORT,
		.board = &board,
		.chips = job_chips(),
		.image = &image,
	};
	struct sim *sim = sim_new(&options);
	char rule[300];

	MUST(sim);
	snprintf(rule, sizeof(rule),
		"[board fuzz]\nimage = x\nprotocol = bsl\nchip = %s\nbackdoor-pin = %u\nretries = 1\n",
		chips[nth].name, chips[nth].pin);
	job_read_rule(rule, &board);
	memcpy(sim_flash(sim), old.flash, old.chip->size);
	memset(sim_flash(sim) + (old.chip->nv - old.chip->base), NETWORK,
		old.chip->nv_end - old.chip->nv);
	take(&new, &image);
	port_sim_attach(JOB_PORT, sim, &port);
	flash_run(&job, &report);
	job_must_end(&report, AT_MOST_USEC);
	must_have_network(sim, old.chip);
	/* SET_CCFG, and BANK_ERASE, for which the rule has no word. */
	MUST(sim_counters(sim)->commands[0x2D] == 0 && sim_counters(sim)->commands[0x2C] == 0);
	if (job.action == FLASH_VERIFY)
		MUST(sim_counters(sim)->pages_erased == 0);
	if (sim_counters(sim)->pages_erased > 0)
		MUST(report.has_erased);
	if (report.outcome == OUTCOME_UPDATED || report.outcome == OUTCOME_CURRENT)
		MUST(holds(sim, new.chip, &image));
	must_start(sim);
	port_sim_detach_all();
	sim_free(sim);
	ti_make_done(&old);
	ti_make_done(&new);
	return 0;
}
