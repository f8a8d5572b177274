/* SPDX-License-Identifier: MIT */
/* mcuboot.h - the header that MCUboot's imgtool puts in front of an application. */
#pragma once

#include "image/image.h"

#define MCUBOOT_MAGIC UINT32_C(0x96f3b83d)

struct mcuboot {
	uint32_t vectors;      /* where the vector table stands in the image */
	bool is_opaque;	       /* encrypted or compressed: no vector table can be looked at */
	bool has_load_address; /* MCUboot copies it to RAM, for which it is linked */
	uint32_t load_address;
};

/*
 * Checks the image that begins at the address, by the magic there, against its lengths and its
 * digest: a part of it is refused, and so is a changed one. 0, IMAGE_REFUSED with the reason, a
 * sentence that goes on after the name of the image; -ENOMEM.
 */
int mcuboot_check(
	const struct image *image, uint32_t address, struct mcuboot *ret, struct reason *reason);
