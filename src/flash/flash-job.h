/* SPDX-License-Identifier: MIT */
/* flash-job.h - what flash.h is asked to do, as plain data and callbacks. */
#pragma once

#include "api/report.h"
#include "chip/chips.h"
#include "chip/option-bytes.h"
#include "flash/erase-wish.h"
#include "flash/question.h"
#include "image/image.h"
#include "rules/config.h"

struct loader_ops;
struct transcript;

enum flash_action {
	FLASH_UPDATE, /* write and verify unless the unit holds the image already */
	FLASH_VERIFY, /* compare only: current or verify-differs */
	FLASH_READ,   /* read a range of the flash */
	FLASH_PROBE,  /* enter and identify, change nothing */
	/* Show a person which board it is, by the rule's `identify`: identify.h. */
	FLASH_IDENTIFY,
	/* What a person orders of the chip itself: procedure-order.c. Updated: it was done, and
	 * seen; current: it was so already, and of FLASH_START always. */
	FLASH_ERASE,	       /* pages, or all of the flash */
	FLASH_START,	       /* the application, or what begins at an address */
	FLASH_PROTECT,	       /* set the read-out protection */
	FLASH_UNPROTECT,       /* lift it, which wipes the flash */
	FLASH_WRITE_UNPROTECT, /* lift the write protection of all pages */
	FLASH_OPTIONS,	       /* read the option bytes; with `options`, set them before */
	FLASH_ACTION_MAX,
};

/* The option bytes of a chip as they were read last. */
struct chip_options {
	uint32_t address;
	size_t n_bytes;
	uint8_t bytes[OPTION_BYTES_MAX];
	const struct option_layout *layout; /* NULL: nobody here knows their names */
	bool differ;			    /* from what the job wants */
	uint32_t product_id;		    /* of the chip that they are written to */
};

struct flash_job {
	enum flash_action action;
	bool dry_run; /* FLASH_UPDATE, FLASH_ERASE: stop after the decision, erase nothing */
	const char *port;
	dev_t devnum; /* 0: not checked */
	const struct board *board;
	const struct chip_table *chips;
	const struct loader_ops *loader; /* NULL: that of the rule's `protocol` */
	/* FLASH_UPDATE, FLASH_VERIFY; at the rule's `serialize` the unit's own data replace its
	 * bytes, for which there must be room (image-check.h). */
	struct image *image;
	uint32_t read_address; /* FLASH_READ; size 0: the whole flash */
	uint32_t read_size;
	uint8_t **ret_read; /* FLASH_READ: the bytes, the caller's to free */
	uint32_t *ret_read_size;
	const struct erase_wish *erase; /* FLASH_ERASE */
	bool has_start_address;		/* FLASH_START: there; else as the rule's `start` has it */
	uint32_t start_address;

	const struct option_list
		*options; /* FLASH_OPTIONS: to be set; NULL or no items: only read */
	struct chip_options *ret_options;

	/* Called once the port is open and locked, before anything is said or heard on it. 0, or
	 * -errno to end the job there. May be NULL. */
	int (*on_open)(void *userdata);
	/* Called often and from the middle of the work; must not block. May be NULL. */
	void (*on_progress)(void *userdata, const struct progress *progress);
	/* Asked between steps until the first erase, and never after it. May be NULL. */
	bool (*is_cancelled)(void *userdata);
	/* FLASH_UPDATE: asked for an answer at the points of question.h, which may take its time.
	 * NULL: nobody remembers anything, and each answer is ANSWER_GO. */
	void (*ask)(void *userdata, enum question question, const struct report *so_far,
		struct answer *ret);
	/* How far the faster ways of working are trusted. `asks_trust`: the chip decides, so
	 * QUESTION_TRUST is asked once an update, and this is what counts where nobody answers. */
	struct trusts trusts;
	bool asks_trust;
	/* FLASH_PROBE: the circuit of the rule is a guess. It gets one try, and a chip that was
	 * met is left by the lines alone, and then asked whether they have reset it. */
	bool is_guess;
	uint64_t seed; /* chooses the blocks of a fingerprint; another one for each job */
	struct transcript *transcript; /* all that is said is recorded there; NULL: it is not */
	void *userdata;
};
