/* SPDX-License-Identifier: MIT */
/*
 * stick.h - a stick with Silicon Labs' boot loader and an application that speaks a protocol of
 * spoken.h, for tests.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "device/port.h"
#include "sim/port-sim.h"
#include "sim/resident.h"
#include "sim/spoken.h"

#define STICK_APPLICATION_BYTES 4096
#define STICK_WORDS_AT		0x300

/*
 * An application that can be started behind the boot loader of the chip and speaks that protocol;
 * STICK_APPLICATION_BYTES, for free(). `protocol` NULL: one that says nothing.
 */
static inline uint8_t *stick_application(
	const struct sim_chip *chip, const char *protocol, const char *version, uint32_t baud)
{
	uint32_t at = chip->flash_base + RESIDENT_BYTES;
	uint32_t vectors[] = {chip->ram_start + 0x1000, at + 0x101}, state = baud;
	uint8_t *bytes = malloc(STICK_APPLICATION_BYTES);

	if (!bytes)
		abort();
	for (uint32_t i = 0; i < STICK_APPLICATION_BYTES; i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(state >> 16);
	}
	memcpy(bytes, vectors, sizeof(vectors));
	if (protocol)
		(void)spoken_words((char *)bytes + STICK_WORDS_AT, 100, protocol, version, baud);
	return bytes;
}

/* Puts one into the flash, as an earlier update would have left it. */
static inline void stick_install(struct sim *sim, const struct sim_chip *chip, const char *protocol,
	const char *version, uint32_t baud)
{
	uint8_t *bytes = stick_application(chip, protocol, version, baud);

	memcpy(sim_flash(sim) + RESIDENT_BYTES, bytes, STICK_APPLICATION_BYTES);
	free(bytes);
}
