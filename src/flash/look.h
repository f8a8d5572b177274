/* SPDX-License-Identifier: MIT */
/* look.h - the flash of the chip that answered, as its family reads it. */
#pragma once

#include "chip/family.h"
#include "flash/run.h"

/* A look, and how it ended where a read failed. */
struct look {
	struct run *run;
	enum outcome outcome; /* GO_ON, or that of the job */
	struct family_flash flash;
};

/* Begins a look; `look` stays where it is as long as `look->flash` is used. */
void look_begin(struct run *run, struct look *look);
