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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/port.h"

/* Bytes in one Read Memory or Write Memory (AN3155 3.4, 3.6). */
#define AN3155_BLOCK 256

/*
 * The longest time for an answer beyond the time on the line. A ROM answers in under a millisecond;
 * the rest is for USB and for a host that serves a hundred boards.
 */
#define AN3155_ANSWER_USEC (1500 * USEC_PER_MSEC)

enum an3155_command {
	AN3155_GET = 0x00,
	AN3155_GET_VERSION = 0x01,
	AN3155_GET_ID = 0x02,
	AN3155_READ_MEMORY = 0x11,
	AN3155_GO = 0x21,
	AN3155_WRITE_MEMORY = 0x31,
	AN3155_ERASE = 0x43,
	AN3155_EXTENDED_ERASE = 0x44,
	AN3155_SPECIAL = 0x50,
	AN3155_EXTENDED_SPECIAL = 0x51,
	AN3155_WRITE_PROTECT = 0x63,
	AN3155_WRITE_UNPROTECT = 0x73,
	AN3155_READOUT_PROTECT = 0x82,
	AN3155_READOUT_UNPROTECT = 0x92,
	AN3155_GET_CHECKSUM = 0xA1,
};

/* Results beside 0 and -errno: those of loader.h (NO_ANSWER, REFUSED, GARBLED, UNSUPPORTED). */

/* Whether the loader takes a whole block in one go: see an3155-memory.c. */
enum an3155_bursts { AN3155_BURSTS_UNTRIED, AN3155_BURSTS_WORK, AN3155_BURSTS_FAIL };

/* One boot loader. `has` is what Get listed; before Get only Get itself may be sent. */
struct an3155 {
	struct port *port; /* borrowed */
	uint8_t version;   /* 0x22 is V2.2 */
	bool has[256];
	/* An erase command was accepted and its end not seen: nothing is sent but an3155_sync(). */
	bool erase_may_be_pending;
	enum an3155_bursts bursts; /* FAIL from the start: not tried */
	bool has_read;		   /* and no Write Memory has worked since */
	/* The end of all waiting, on the port's clock; 0: none. Each answer has a deadline of its
	 * own, and a device that just keeps every one of them would never end. */
	uint64_t deadline;
};

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
int an3155_write_unprotect(struct an3155 *bl); /* no caller yet: for the command of that name */
int an3155_readout_protect(struct an3155 *bl);
/* Wipes the flash; the second ACK comes before or after that, by the ROM (stm32-rom.md 9). */
int an3155_readout_unprotect(struct an3155 *bl, uint64_t erase_usec);
