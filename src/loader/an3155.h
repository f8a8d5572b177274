/* SPDX-License-Identifier: MIT */
/*
 * an3155.h - the commands of ST's USART boot loader protocol, one function each, named as AN3155
 * names them.
 *
 * Speaks bytes and frames over a port; knows no chip beyond the limits it is given, and nothing of
 * images or of what a job wants. Every function is one exchange with a deadline of its own: the
 * time of its bytes on the line, AN3155_ANSWER_USEC, and what the chip needs for the work.
 */
#pragma once

#include "loader/an3155-link.h"

/*
 * Finds the boot loader by the synchronisation byte 0x7F, sent once; a second time only on silence.
 * Tolerates a 0x00 before the first ACK and a second ACK after it, and takes the NACK of a second
 * 0x7F for a loader that was in step already. Where an erase may be pending it first waits for that
 * one's answer, and without it sends nothing: LOADER_NO_ANSWER.
 */
int an3155_sync(struct an3155 *bl);

/*
 * After an3155_sync(), for a loader that cannot be reset and does not answer to 0x7F because it
 * waits for the rest of a frame: fills the frame up with bytes that are no command in any state.
 * Refuses with LOADER_NO_ANSWER where an erase may be pending, since there the filling could
 * become one.
 */
int an3155_resync(struct an3155 *bl);

/* Get: version and command list into `bl`; GARBLED where the list is not one of a boot loader. */
int an3155_get(struct an3155 *bl);

/* Get Version; the two option bytes are counts of protection changes on F105/107 (AN2662). No
 * caller yet: a program in the chip's RAM is to be tied to the version of the ROM that starts it.
 */
int an3155_get_version(struct an3155 *bl, uint8_t *ret_version, uint8_t ret_option[2]);

int an3155_get_id(struct an3155 *bl, uint16_t *ret_product_id);

/*
 * Reads a block of 256 in one burst, once, to see whether this loader and this line take it: its
 * first bytes must be those that are `known`. Where they do not, the link is brought into step
 * again, and all goes turn by turn from there on; NO_ANSWER or GARBLED where that fails. The caller
 * knows the whole block to be valid.
 */
int an3155_try_bursts(struct an3155 *bl, uint32_t address, const uint8_t *known, size_t n_known);

/*
 * 1 to 256 bytes. The caller knows the address to be valid (stm32-rom.md 8). A burst that goes
 * wrong is read again turn by turn.
 */
int an3155_read_memory(struct an3155 *bl, uint32_t address, uint8_t *to, size_t n_to);

/* 1 to 256 bytes, which the caller has aligned; `program_usec` is what the chip may take for them.
 */
int an3155_write_memory(struct an3155 *bl, uint32_t address, const uint8_t *data, size_t n_data,
	uint64_t program_usec);

/* Loads the stack pointer from the address and jumps to the next word. */
int an3155_go(struct an3155 *bl, uint32_t address);

/*
 * Erase (V2.x) or Extended Erase (V3.0 and later), whichever the loader has; they exclude each
 * other. `pages` are at most 255 with numbers below 256 for the one, 0xFFF0 for the other.
 * `erase_usec` is what the chip may take for all of them.
 */
int an3155_erase_pages(
	struct an3155 *bl, const uint16_t *pages, size_t n_pages, uint64_t erase_usec);

/* Global erase, or mass erase by Extended Erase. */
int an3155_erase_all(struct an3155 *bl, uint64_t erase_usec);

/* The chip resets after each of these, or reloads its option bytes: the link is gone. */
int an3155_write_unprotect(struct an3155 *bl);
int an3155_readout_protect(struct an3155 *bl);
/* Wipes the flash; the second ACK comes before or after that, by the ROM (stm32-rom.md 9). */
int an3155_readout_unprotect(struct an3155 *bl, uint64_t erase_usec);
