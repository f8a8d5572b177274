/* SPDX-License-Identifier: MIT */
/*
 * ash.h - ASH, the framing below EZSP: Silicon Labs, "UART-EZSP gateway protocol reference"
 * (UG101; application-protocols.md 2). Frames, and the host's side of a conversation with one
 * command under way at a time.
 */
#pragma once

#include "application/application-protocol.h"

enum ash_byte {
	ASH_XON = 0x11,
	ASH_XOFF = 0x13,
	ASH_SUBSTITUTE = 0x18, /* the NCP's UART lost something: the frame is none */
	ASH_CANCEL = 0x1A,     /* what was sent since the last flag is nothing */
	ASH_ESCAPE = 0x7D,
	ASH_FLAG = 0x7E,
};

/* A control byte; the lowest three bits of the first three are the number expected next. */
enum ash_control {
	ASH_DATA = 0x00, /* bits 6:4 its number, bit 3: sent again */
	ASH_RETRANSMITTED = 0x08,
	ASH_ACK = 0x80,
	ASH_NAK = 0xA0,
	ASH_RST = 0xC0,
	ASH_RSTACK = 0xC1, /* version, why the NCP was reset */
	ASH_ERROR = 0xC2,  /* version, why it is dead until the next RST */
};

/* The longest data field of either side, with room to spare (EZSP's frames end at 220). */
#define ASH_DATA_MAX  256
#define ASH_FRAME_MAX (2 * (1 + ASH_DATA_MAX + 2) + 1)

/* A control byte, data that are scrambled here where it is a DATA frame, CRC, stuffed, flag.
 * Returns how many bytes the frame has. */
size_t ash_make(
	uint8_t to[static ASH_FRAME_MAX], uint8_t control, const uint8_t *data, size_t n_data);

/* Receives; {0} is the state before the first byte. */
struct ash_receiver {
	uint8_t body[1 + ASH_DATA_MAX + 2];
	size_t n_body;
	bool is_escaped;
	bool is_lost;  /* up to its flag */
	bool is_ended; /* the next byte begins another frame */
};

enum ash_result {
	ASH_MORE,
	ASH_FRAME,  /* body[0] is its control byte, `n_data` bytes of data behind, in clear */
	ASH_BROKEN, /* something ended here that is no sound frame */
};

enum ash_result ash_take(struct ash_receiver *receiver, uint8_t byte, size_t *ret_n_data);

/* The host's side. */
struct ash {
	struct application_link *link; /* borrowed */
	struct ash_receiver receiver;
	uint8_t n_sent;	    /* number of the next DATA frame of ours */
	uint8_t n_expected; /* of the NCP's */
	bool is_connected;
	/* The NCP may leave for its boot loader at any moment: a frame that is broken is no reason
	 * to speak, for a menu may be listening, where '1' begins an upload. */
	bool is_leaving;
	/* The data of the frame that ash_hear() found. */
	uint8_t data[ASH_DATA_MAX];
	size_t n_data;
};

/* A result of ash_exchange() beside those of a link: the NCP says that it was reset. Both sides
 * count from 0 again, and the conversation begins anew, without another ash_connect(). */
enum { ASH_WAS_RESET = APPLICATION_REFUSED + 1 };

/*
 * Resets the NCP and waits for its word that it is; a second time where it does not come. 0,
 * APPLICATION_SILENT, APPLICATION_REFUSED (it speaks another version of ASH), or -errno.
 */
int ash_connect(struct ash *ash);

/*
 * Sends `request`, and hears DATA frames, acknowledging each, until `is_answer` says so of one.
 * Sends again what is not acknowledged, or not answered. 0 with the answer in `data`,
 * APPLICATION_SILENT at `until`, APPLICATION_REFUSED (the NCP gave up the connection),
 * ASH_WAS_RESET, or -errno.
 */
int ash_exchange(struct ash *ash, const uint8_t *request, size_t n_request,
	bool (*is_answer)(const struct ash *ash, const void *userdata), const void *userdata,
	uint64_t until);
