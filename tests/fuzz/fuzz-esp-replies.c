/* SPDX-License-Identifier: MIT */
/*
 * What the ROM of an ESP32 says: the whole procedure against a simulated chip whose answers are
 * changed on their way. Whatever is heard, the job ends in its time with an outcome, touches
 * nothing but what the image names, and calls no unit good that does not hold it.
 *
 * The bytes: which chip and job, then edits of three bytes each: how many bytes of the chip pass
 * first, what is done, and with which value.
 */
#include "job.h"
#include "tools/esp-make.h"

#define APP_BYTES  6000
#define APP_OFFSET 0x10000
/* Every pass within the budget of run.c, at each rate of the rule. */
#define AT_MOST_USEC (UINT64_C(60) * 60 * USEC_PER_SEC)

static const char *const names[] = {"esp32", "esp32c3", "esp32s2"};

static size_t apply(unsigned what, uint8_t value, uint8_t byte, uint8_t to[static PORT_SIM_EDIT])
{
	switch (what % 8) {
	case 4: /* the end of a frame, and what may be in the next */
		to[0] = 0xC0;
		to[1] = 0x01;
		to[2] = value;
		to[3] = byte;
		return 4;
	case 6:
		to[0] = 0xDB;
		to[1] = byte;
		return 2;
	}
	return input_change(what, value, byte, to);
}

/* Some pass whole answers. */
static size_t edit(void *userdata, uint8_t byte, uint8_t to[PORT_SIM_EDIT])
{
	return input_edit(userdata, 14, apply, byte, to);
}

static void add(struct image *image, uint32_t offset, struct esp_bytes bytes)
{
	struct reason reason = {""};

	MUST(image_add(image, offset, bytes.data, (uint32_t)bytes.n, 1 << 20, &reason) == 0);
	esp_bytes_done(&bytes);
}

/* Boot loader, table and application, of which the last is another one in each version. */
static void make_build(const struct esp_make_chip *chip, uint32_t version, struct image *ret)
{
	add(ret, chip->bootloader, esp_make_bootloader(chip, 5000, 1));
	add(ret, ESP_TABLE_OFFSET,
		esp_make_table(esp_make_two_slots, ARRAY_SIZE(esp_make_two_slots), true));
	add(ret, APP_OFFSET, esp_make_application(chip, "gate", "1", APP_BYTES, version));
	ret->format = "files of an ESP-IDF build";
}

static void put(struct sim *sim, const struct image *image)
{
	for (size_t i = 0; i < image->n_segments; i++)
		memcpy(sim_flash(sim) + image->segments[i].address, image->segments[i].data,
			image->segments[i].size);
}

static bool holds(struct sim *sim, const struct image *image)
{
	for (size_t i = 0; i < image->n_segments; i++)
		if (memcmp(sim_flash(sim) + image->segments[i].address, image->segments[i].data,
			    image->segments[i].size) != 0)
			return false;
	return true;
}

static void must_be_untouched(struct sim *sim, const struct image *image)
{
	const uint8_t *flash = sim_flash(sim);

	for (uint32_t at = 0; at < APP_OFFSET + 0x20000; at += ESP_SECTOR)
		if (!image_touches(image, at, ESP_SECTOR))
			MUST(flash[at] == 0xA5 &&
				memcmp(flash + at, flash + at + 1, ESP_SECTOR - 1) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {.bytes = data, .n_bytes = size};
	const struct port_sim_options port = {.edit = edit, .userdata = &input};
	const char *name = names[input_take(&input) % ARRAY_SIZE(names)];
	struct sim_options options = {.chip = sim_chip_find(name),
		.circuit = SIM_CIRCUIT_ESP,
		.esp.flash_bytes = 1 << 20};
	unsigned flags = input_take(&input);
	CLEANUP(board_done) struct board board = {0};
	CLEANUP(image_done) struct image old = {0}, image = {0};
	struct report report = {.outcome = OUTCOME_FAILED};
	struct flash_job job = {
		.action = flags & 1 ? FLASH_VERIFY : FLASH_UPDATE,
		.port = JOB_PORT,
		.board = &board,
		.chips = job_chips(),
		.image = &image,
	};
	char rule[300];
	struct sim *sim = sim_new(&options);

	MUST(sim);
	snprintf(rule, sizeof(rule),
		"[board fuzz]\nimage = x\nprotocol = esp\nwiring = esp\nchip = %s\nbaud = 921600 115200\nretries = 1\n",
		name);
	job_read_rule(rule, &board);
	memset(sim_flash(sim), flags & 2 ? 0xFF : 0xA5, sim_flash_size(sim));
	make_build(esp_make_chip(name), 1, &old);
	make_build(esp_make_chip(name), flags & 4 ? 1 : 2, &image);
	put(sim, &old);
	port_sim_attach(JOB_PORT, sim, &port);
	flash_run(&job, &report);
	job_must_end(&report, AT_MOST_USEC);
	if (!(flags & 2))
		must_be_untouched(sim, &image);
	if (job.action == FLASH_VERIFY)
		MUST(sim_counters(sim)->pages_erased == 0);
	if (sim_counters(sim)->pages_erased > 0)
		MUST(report.has_erased);
	if (report.outcome == OUTCOME_UPDATED || report.outcome == OUTCOME_CURRENT)
		MUST(holds(sim, &image));
	port_sim_detach_all();
	sim_free(sim);
	return 0;
}
