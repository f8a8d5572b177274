/* SPDX-License-Identifier: MIT */
/*
 * redact-frames.h - what a board said in frames, changed so that each is still sound: sums and
 * codes that depend on the bytes follow them. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Changes what is to be changed of the data of one frame. 0 or -ENOMEM. */
typedef int (*redact_change)(void *userdata, uint8_t *data, size_t n_data);

/*
 * Gives the data of each sound frame to `change`: frames of TI's boot loaders and of the program in
 * an STM32's RAM. Each keeps its length. `is_done` is set for all bytes of such a frame: what else
 * looks like an id there is its head or its sum. 0 or -ENOMEM.
 */
int redact_frames(uint8_t *bytes, size_t n, bool *is_done, redact_change change, void *userdata);

/* Sets `is_done` for what is not the value in answers to Espressif's READ_REG; the bytes as they
 * are inside of SLIP. */
void redact_esp_heads(const uint8_t *bytes, size_t n, bool *is_done);
