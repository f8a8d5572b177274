/* SPDX-License-Identifier: MIT */
/* bsl-strangers.h - who is there in the place of TI's boot loader, for bsl.c alone. */
#pragma once

#include "loader/loader.h"

/* loader_ops.look. */
int bsl_look(struct loader *loader, enum loader_look look, struct reason *ret);

/*
 * The sentence where the bytes are the words of a chip that another loader is for, else NULL: the
 * menu of a Gecko boot loader, or what an EZSP application says behind a reset.
 */
const char *bsl_name_stranger(const uint8_t *bytes, size_t n_bytes);
