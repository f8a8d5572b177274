/* SPDX-License-Identifier: MIT */
/*
 * rom-commands.h - what the files of commands share. For them and rom.c only.
 */
#pragma once

#include "sim/rom.h"

void rom_ack(struct rom *rom);
void rom_nack(struct rom *rom);

/* After the last ACK the chip resets: option bytes have changed. */
void rom_ack_and_reset(struct rom *rom);

/* The knob that refuses after the data has struck, and the NACK is sent. */
bool rom_is_refused_late(struct rom *rom);

/* Whether anything was erased since the board was made. */
bool rom_has_erased(const struct rom *rom);

/* The first four bytes of the frame, MSB first. */
uint32_t rom_frame_word(const struct rom *rom);

/* rom-memory.c */
void rom_begin_read(struct rom *rom);
void rom_begin_go(struct rom *rom);
void rom_begin_write(struct rom *rom);

/* rom-erase.c */
void rom_begin_erase(struct rom *rom);
void rom_begin_extended_erase(struct rom *rom);
