/* SPDX-License-Identifier: MIT */
/*
 * bench.h - one board on a bench: a rule, an image, a simulated chip, and flash_run() between them.
 *
 * In process and on virtual time: seconds of line take milliseconds.
 */
#pragma once

#include "flash/flash.h"
#include "image/image.h"
#include "port-sim.h"

#define BENCH_PORT   "/dev/ttyUSB0"

#define FIRMWARE_OLD "tests/firmware/firmware-1.0.0.hex"
#define FIRMWARE_NEW "tests/firmware/firmware-1.1.0.hex"

struct bench {
	const struct chip_table *chips; /* shipped_chips(), unless a test says otherwise */
	struct chip_table own_chips;
	struct board board;
	const struct loader_ops *loader; /* NULL: that of the rule */
	struct image image;
	struct sim *sim;
	uint32_t flash_base;
	struct report known; /* of the image, before the job begins */
	struct report report;
	bool (*is_cancelled)(void *userdata);
	void (*on_progress)(void *userdata, const struct progress *progress);
	void (*ask)(void *userdata, enum question question, const struct report *so_far,
		struct answer *ret);
	uint64_t seed;
	dev_t devnum;			  /* of the port */
	uint32_t read_address, read_size; /* FLASH_READ; size 0: all */
	struct erase_wish erase;	  /* FLASH_ERASE */
	bool has_start_address;		  /* FLASH_START */
	uint32_t start_address;
	bool dry_run, is_guess;
	struct trusts trusts; /* bursts in full and no stub, unless a test says otherwise */
	bool asks_trust;
	void *userdata;
	const char *version; /* of the image; NULL: none */
	bool goes_away;	     /* the bridge, as the test knows: its lines cannot be set to rest */
	uint8_t *read;
	uint32_t n_read;
	const struct option_list *options; /* FLASH_OPTIONS; NULL: only read */
	struct chip_options *ret_options;
	struct transcript *transcript;
};

/* A bench with the chip (a name of sim-chips.c), wired directly (an Espressif
 * chip by its two transistors), and a rule of these lines. */
struct bench *bench_new(const char *chip, const char *rule);

/* The same with all the simulator's options. */
struct bench *bench_new_with(const struct sim_options *options, const char *rule);

/* The same board with a table of its own, as installed: its rows may be changed. */
struct chip_table *bench_own_chips(struct bench *bench);

/* The same board with another rule. */
void bench_take_rule(struct bench *bench, const char *rule);

void bench_free(struct bench *bench);

/* Puts a file, or `size` bytes of a sound image at the start of the flash, up for flashing. */
void bench_take_file(struct bench *bench, const char *path);
void bench_take_bytes(struct bench *bench, uint32_t address, uint32_t size, unsigned seed);

/* Fills the flash with the image, as an earlier job would have left it. */
void bench_preload(struct bench *bench);

/* Runs the action; afterwards port and lines must be at rest, which is asserted. */
enum outcome bench_run(struct bench *bench, enum flash_action action);

/* Whether every byte of the image is in the flash. */
bool bench_holds_image(const struct bench *bench);

/* Erase commands the chip has accepted so far. */
unsigned bench_erases(const struct bench *bench);

/* Virtual time since the board was attached. */
uint64_t bench_msec(const struct bench *bench);
