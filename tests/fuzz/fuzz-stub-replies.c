/* SPDX-License-Identifier: MIT */
/*
 * What the program in the RAM says: met, told to erase and to write, asked for sums and for the
 * flash, while its answers are changed on the line, or are lies with a right CRC. Whatever is
 * heard, each talk ends in its time, no unit is programmed twice, nothing but what was named is
 * erased, and nothing is called written that is not in the flash.
 *
 * The bytes: ring, rate and whether it lies; then edits of three bytes each: how many bytes or
 * answers pass first, what is done or which byte of the answer it is, and with which value.
 */
#include "job.h"

#define assert_int_equal(a, b) MUST((a) == (b))
#define assert_non_null(a)     MUST(a)
#define assert_true(a)	       MUST(a)
#define fail_msg(...)	       MUST(false)
#include "sim/stub-stand.h"

#define FLASH UINT32_C(0x08000000)
#define HALF  2048
#define BYTES (2 * HALF - 100)

/* A pass over all that the talk asks for, each within twice its longest time and some repeats. */
#define AT_MOST_NSEC UINT64_C(60000000000)

static size_t apply(unsigned what, uint8_t value, uint8_t byte, uint8_t to[static PORT_SIM_EDIT])
{
	if (what % 8 != 4)
		return input_change(what, value, byte, to);
	/* The end of a frame. */
	to[0] = 0;
	to[1] = byte;
	return 2;
}

/* Some pass whole answers. */
static size_t edit(void *userdata, uint8_t byte, uint8_t to[PORT_SIM_EDIT])
{
	return input_edit(userdata, 27, apply, byte, to);
}

static void bend(void *userdata, uint8_t *answer, size_t n_answer)
{
	struct input *input = userdata;
	unsigned which;

	if (input_passes(input, 3))
		return;
	which = input_take(input);
	answer[which % n_answer] ^= (uint8_t)input_take(input);
}

/* Whether the host says that all of it is in the flash. */
static bool talk(struct stub_stand *stand, const uint8_t *image)
{
	const struct loader_ops *ops;
	uint8_t said[2][LOADER_DIGEST_MAX], got[4096];
	const struct chip_range ranges[] = {{FLASH, HALF}, {FLASH + HALF, HALF}};
	bool is_equal = false;

	if (stub_meet(stand) != 0)
		return false;
	ops = stand->loader->ops;
	(void)ops->digests(stand->loader, ranges, 2, said);
	if (stub_erase_first(stand, BYTES) != 0 ||
		stub_write_all(stand, FLASH, image, BYTES) != 0) {
		fuzz_must_be_sentence(
			*ops->refusal(stand->loader) ? ops->refusal(stand->loader) : "none");
		(void)ops->erase_all(stand->loader);
		return false;
	}
	if (stub_compare(stand, FLASH, image, BYTES, &is_equal) != 0)
		return false;
	(void)ops->read(stand->loader, FLASH, got, sizeof(got));
	(void)stub_reset(stand->loader);
	return is_equal;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t *image;
	struct input input = {.bytes = data, .n_bytes = size};
	uint32_t ring = 256u << input_take(&input) % 8;
	uint32_t max_baud = input_take(&input) % 2 ? 230400 : 115200;
	bool lies = input_take(&input) % 2;
	struct sim_faults faults = {.stub = {.ring = ring}};
	const struct port_sim_options port = {.edit = edit, .userdata = &input};
	struct stub_stand stand;
	uint64_t started;
	bool is_written;

	if (!image)
		image = stub_make_image(BYTES, 51);
	if (lies)
		faults.stub.bend = bend, faults.stub.userdata = &input;
	stub_begin_with(&stand, "f103c8", "f1", &faults, NULL);
	stand.load.ring_size = ring;
	stand.max_baud = max_baud;
	if (!lies)
		port_sim_set_options(LINE_PORT, &port);
	memset(sim_flash(stand.sim), 0xA5, stand.sim_chip->flash_size);
	started = stub_now_nsec();
	is_written = talk(&stand, image);
	MUST(stub_now_nsec() - started < AT_MOST_NSEC);
	MUST(sim_counters(stand.sim)->bad_writes == 0);
	if (is_written)
		MUST(memcmp(sim_flash(stand.sim), image, BYTES) == 0);
	if (sim_counters(stand.sim)->mass_erases == 0)
		MUST(sim_flash(stand.sim)[2 * HALF] == 0xA5 &&
			memcmp(sim_flash(stand.sim) + 2 * HALF, sim_flash(stand.sim) + 2 * HALF + 1,
				stand.sim_chip->flash_size - 2 * HALF - 1) == 0);
	stub_end(&stand);
	return 0;
}
