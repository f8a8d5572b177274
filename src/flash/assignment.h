/* SPDX-License-Identifier: MIT */
/*
 * assignment.h - everything one job needs, as values and as text: what the service writes to a
 * worker's standard input, and what `plugflash` fills in from its command line.
 *
 * The text is a head of lines "KEY VALUE", an empty line, the rule as its author wrote it, and
 * "[end]".
 */
#pragma once

#include "flash/flash-job.h"
#include "image/rollout.h"

/* The rule's name where the command line describes the board: no manifest can name it. */
#define ASSIGNMENT_NO_RULE "command-line"

struct assignment {
	enum flash_action action;
	bool dry_run;
	char *port;
	dev_t devnum; /* 0: not checked */
	char *image_dir;
	char *image;	/* relative to image_dir */
	char *version;	/* as the library found it, for the report */
	char *stamp;	/* of the files that were chosen: others by now end the job; NULL: none
			 * were */
	bool any_owner; /* the user named the image, whoever may write it */
	bool require_signature;
	bool accept_legacy_signatures;
	char *trusted_keys;
	char *sha256; /* of the file, which may have another name now: then it is looked for among
			 those that fit the rule; NULL: whatever is in `image` */
	char *known_sha256; /* file that the unit was verified to hold since it was plugged in */
	char *chips;	    /* chips.ini */
	char *chips_dir;
	struct board board;
	uint32_t read_address, read_size;
	/* Of the command alone: no text has these, and so no worker erases by order. */
	struct erase_wish erase;
	bool has_start_address;
	uint32_t start_address;
	struct option_list options; /* FLASH_OPTIONS of the command alone: to be set; {0}: shown */
	bool is_guess;		    /* of the command alone: see struct flash_job */
	bool is_trial; /* of the command alone: what is on trial by default is so, whatever the
			* rule says */

	/* Where an image is to be chosen, and none flashed: see finding.h. */
	bool waits_for_copies;
	char *previous; /* the image that the unit held before, as messages show its name, and the
			 * one that failed: to go back from this to that; NULL: the rule's choice */
	char *failed;
	bool has_unit; /* it is for this one: see struct library_query */
	struct rollout_unit unit;
};

void assignment_done(struct assignment *assignment);

/* "update", "verify", ... as the text has it. */
const char *assignment_action_word(enum flash_action action);

/* Writes the text. 0 or -errno (-EINVAL: a name with a line break). */
int assignment_write(const struct assignment *assignment, FILE *to);

/* Reads it, up to "[end]". 0, OUTCOME_BAD_CONFIG with the reason, or -errno (-EPIPE: cut off). */
int assignment_read(FILE *from, struct assignment *ret, struct reason *reason);

struct assignment_callbacks {
	int (*on_open)(void *userdata); /* before the port is talked to; NULL: none */
	void (*on_progress)(void *userdata, const struct progress *progress);
	bool (*is_cancelled)(void *userdata);
	void (*ask)(void *userdata, enum question question, const struct report *so_far,
		struct answer *ret); /* NULL: nobody to ask */
	void *userdata;
	uint8_t **ret_read; /* FLASH_READ */
	uint32_t *ret_read_size;
	struct chip_options *ret_options; /* FLASH_OPTIONS */
	struct transcript *transcript;	  /* NULL: nothing is recorded */
};

/*
 * Reads chip table and image, checks that they fit the rule, all before the port is touched, then
 * runs the job. Where the image is the known one, it is current, and the port is not touched at
 * all. The report is filled whatever happens. Returns the outcome.
 */
enum outcome assignment_run(const struct assignment *assignment,
	const struct assignment_callbacks *callbacks, struct report *report);

/*
 * The checks alone, which need no port; the report is filled as far as that goes. OUTCOME_MAX where
 * nothing speaks against the image.
 */
enum outcome assignment_check(const struct assignment *assignment, struct report *report);
