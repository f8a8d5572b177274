/* SPDX-License-Identifier: MIT */
/*
 * tape.h - a transcript as it is read: what was asked for, and then event after event. Its form is
 * plugflash-transcript(5).
 *
 * The file may be anybody's. What is not understood is refused with its line.
 */
#pragma once

#include "device/transcript.h"
#include "flash/flash-job.h"
#include "image/image.h"

#define TAPE_EVENTS_MOST 1000000
#define TAPE_IMAGE_MOST	 (16 * 1024 * 1024)

enum tape_kind {
	TAPE_LINES, /* `lines` */
	TAPE_RATE,  /* `baud`, `has_even_parity` */
	TAPE_SENT,  /* bytes, or so many that were cut out */
	TAPE_HEARD,
	TAPE_FAILED, /* a call of the kind `failed`, with `error` */
	TAPE_BEGIN,  /* of what the following bytes are */
	TAPE_END,
	TAPE_OTHER, /* waits, silence and the like */
	TAPE_KIND_MAX,
};

/* How flash that was read compares with the image. */
enum tape_likeness { TAPE_UNTOLD, TAPE_SAME, TAPE_FILLED, TAPE_DIFFERS };

struct tape_event {
	enum tape_kind kind;
	unsigned line; /* of the file */
	uint64_t usec;
	uint8_t bytes[TRANSCRIPT_LINE_BYTES];
	size_t n_bytes;
	size_t n_cut; /* 0: the bytes are there */
	unsigned lines;
	uint32_t baud;
	bool has_even_parity;
	enum tape_kind failed; /* TAPE_HEARD: a read; TAPE_OTHER: a wait, a drain or the like */
	int error;	       /* positive */
	bool is_flash;	       /* TAPE_BEGIN: and where */
	uint32_t address;
	size_t n_flash;
	enum tape_likeness likeness; /* TAPE_END; with TAPE_DIFFERS from `address` on */
	uint8_t filler;
};

struct tape_answer {
	char question[16];
	struct answer answer;
	size_t n_cut; /* bytes of the unit's own that were cut out */
};

struct tape {
	enum flash_action action;
	bool dry_run, is_guess, asks_trust, has_start_address;
	uint32_t read_address, read_size, start_address;
	struct erase_wish erase;
	uint64_t seed;
	struct trusts trusts;
	char *rule; /* its text */
	char version[64];
	struct image image; /* no segments: none was wanted */
	bool has_bytes;	    /* of the image; else it has made-up ones in their place */
	struct tape_event *events;
	size_t n_events;
	struct tape_answer *answers;
	size_t n_answers;
	enum outcome outcome;
	unsigned n_left_out;
	bool is_whole; /* it was not cut off */
};

/* The first transcript of a text. 0, -EINVAL with the reason, or -ENOMEM. */
int tape_read(const char *text, size_t n_text, struct tape *ret, struct reason *reason);

void tape_done(struct tape *tape);
