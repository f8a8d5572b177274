/* SPDX-License-Identifier: MIT */
/*
 * board.h - a rule: one [board NAME] as plain data, which config.h reads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/proof.h"
#include "base/ini.h"
#include "base/text.h"
#include "rules/dialogue.h"
#include "rules/option-keys.h"
#include "rules/provision.h"
#include "rules/wiring.h"

struct usb_id {
	uint16_t vendor;
	uint16_t product;
};

struct usb_ids {
	struct usb_id *items;
	size_t n_items;
};

struct baud_list {
	uint32_t *items;
	size_t n_items;
};

/* `size` bytes from `address` that are never erased or written. */
struct keep_range {
	uint32_t address;
	uint32_t size;
};

struct keep_list {
	struct keep_range *items;
	size_t n_items;
};

enum board_protocol {
	BOARD_PROTOCOL_STM32,
	BOARD_PROTOCOL_YMODEM,
	BOARD_PROTOCOL_XMODEM,
	BOARD_PROTOCOL_ESP,
	BOARD_PROTOCOL_BSL
};
enum board_entry {
	BOARD_ENTRY_LINES,
	BOARD_ENTRY_COMMAND,
	BOARD_ENTRY_NONE,
	BOARD_ENTRY_APPLICATION, /* by the protocol that the application speaks: `applications` */
};

/* What an application speaks that is no text, in the order in which it is asked.
 */
enum application_protocol {
	APPLICATION_CPC,
	APPLICATION_EZSP,
	APPLICATION_SPINEL,
	APPLICATION_ZWAVE,
	APPLICATION_MT,
	APPLICATION_PROTOCOL_MAX,
};
enum board_update { BOARD_UPDATE_DIFFERENT, BOARD_UPDATE_NEWER, BOARD_UPDATE_ALWAYS };
enum board_protection { BOARD_PROTECTION_REFUSE, BOARD_PROTECTION_CLEAR, BOARD_PROTECTION_SET };
enum board_start { BOARD_START_RESET, BOARD_START_GO, BOARD_START_NONE };
enum board_otadata { BOARD_OTADATA_KEEP, BOARD_OTADATA_SELECT };
enum board_secondary_ieee { BOARD_SECONDARY_IEEE_KEEP, BOARD_SECONDARY_IEEE_IMAGE };
enum board_bank_erase { BOARD_BANK_ERASE_NEVER, BOARD_BANK_ERASE_LOSES_NETWORK };
/* A faster way of writing, proved on real chips by nobody yet: AUTO, on trial first (api/trust.h).
 */
enum board_use { BOARD_USE_AUTO, BOARD_USE_YES, BOARD_USE_NO };
enum board_blocks { BOARD_BLOCKS_128, BOARD_BLOCKS_1024, BOARD_BLOCKS_MIXED };

/* How the line is set while somebody other than the boot loader speaks. */
struct board_line {
	uint32_t baud;
	bool even_parity; /* 8E1, else 8N1 */
};

/* The running application, before the job. */
struct board_application {
	struct board_line line;	      /* entry-baud, entry-format */
	bool has_baud;		      /* entry-baud was given */
	struct dialogue_text command; /* entry-command: makes it enter the boot loader */
	char *reply;		      /* a pattern, NULL: none is waited for */
	uint64_t wait_usec; /* for the reply; without one, until the boot loader listens */
	struct dialogue_text version_query; /* empty: it says its version by itself */
	char *version_pattern; /* its first group, or all of it, is the version; NULL: not asked */
};

/* The conversation with a boot loader that has a menu; parts may be empty. */
struct board_menu {
	struct dialogue before; /* up to the transfer */
	struct dialogue after;	/* the loader's word that it succeeded */
	struct dialogue upload; /* up to the loader's sending its flash back */
	struct dialogue start;	/* starts the application */
	uint64_t within_usec;	/* for each answer */
};

/* How a file is sent to a boot loader that takes one. */
struct board_transfer {
	enum board_blocks blocks;
	bool closing_header;  /* YMODEM: an empty header ends the batch */
	uint64_t erase_usec;  /* for the first sign of the receiver, and its answer to the first
				 block */
	uint64_t answer_usec; /* for its answer to any other */
};

/* The word that the application must say after its start. */
struct board_confirm {
	char *pattern;		    /* NULL: nothing */
	struct dialogue_text query; /* asked for it with; empty: it speaks by itself */
	uint64_t within_usec;
	struct board_line line;
	bool has_baud; /* confirm-baud was given */
};

/* One [board NAME]: a rule. A NULL glob means any. */
struct board {
	char *name;
	char *file; /* with `line`: the place of the section, for messages */
	unsigned line;

	struct usb_ids usb_id;
	char *serial;
	char *product;
	char *manufacturer;
	char *path;
	char **slot; /* NULL-terminated names, in place of `path`; NULL: any */
	size_t n_slot;
	char *interface;

	char **port_owner; /* NULL-terminated: units that are stopped while its port is used; NULL:
			      none */
	size_t n_port_owner;

	enum board_protocol protocol;
	char **chip; /* NULL-terminated: product ids ("0x414") or names of the chip table */
	size_t n_chip;
	struct baud_list baud;
	bool says_baud;	       /* and the rule does: no more of them are tried */
	enum board_use stub;   /* a program of ours in the chip's RAM, where all is fit for it */
	enum board_use bursts; /* a block in one go, where the boot loader takes it */
	enum board_entry entry;
	/*
	 * 1 << enum application_protocol for each that the application may speak: by these it is
	 * asked for its version before the job, and for its word that it runs behind it. 0: none.
	 */
	unsigned applications;
	bool has_lines; /* the wiring can bring the chip into its boot loader, or reset it */
	struct wiring wiring;
	struct wiring_steps identify; /* by which the board shows which one it is; empty: none */
	struct board_application application;
	struct board_menu menu;
	struct board_transfer transfer;
	enum proof verify; /* the least that is enough for an image that was written */
	struct board_confirm confirm;

	char *image;	       /* glob below the image directory */
	char *version_in_name; /* a pattern for the names of images, or NULL */
	bool has_address;      /* `address` was given; else the chip's flash base */
	uint32_t address;
	char *partition; /* in place of `address`: by the chip's own partition table, or NULL */
	enum board_otadata otadata; /* where that starts another slot: refuse, or select this one */
	bool compress;		    /* where the loader takes packed bytes */

	/* protocol = bsl: what the CCFG of an image must have (ti-bsl.md 5). */
	bool has_backdoor_pin;
	uint8_t backdoor_pin;  /* DIO, or the number of a pin of port A (CC2538) */
	bool is_backdoor_high; /* the level that leads into the loader; low by default */
	bool has_cap_array;
	uint8_t cap_array; /* byte 1 of MODE_CONF, by which antenna circuits are told apart */
	enum board_secondary_ieee secondary_ieee; /* the address that the user has set */
	enum board_bank_erase bank_erase;	  /* where the CCFG cannot be reached otherwise */

	uint32_t size;	/* from `address` on, for the application; 0: not known */
	char **fw_type; /* NULL-terminated words, for files that say what they are; NULL: any */
	size_t n_fw_type;
	bool boot_loader_update; /* such a file may replace the boot loader */
	bool check_vectors;	 /* vector-table = check (default) or ignore */
	enum board_update update;
	struct keep_list keep;
	enum board_protection readout_protection;
	struct option_list options; /* of the chip, beside its flash */
	struct provision serialize; /* what each unit has for itself */
	enum board_start start;
	uint32_t retries;
	uint64_t retry_delay_usec;
	uint32_t serialize_limit;  /* new values a slot and hour; 0: any number */
	uint32_t quarantine_after; /* failed jobs of a unit with one image; 0: never */
	uint64_t again_after_usec; /* from the first of them to the next; 0: at the next plug */
	bool rollback;	    /* to the image before, where the new one does not start or confirm */
	bool anti_rollback; /* no image below the board's floor, which signed ones raise */

	/* Own copy of the entries as written: what a worker is handed. */
	struct ini_section *source;
};

void board_done(struct board *board);

/* Whether the board can show which one it is; else the reason says why not, and what to do. */
bool board_can_identify(const struct board *board, struct reason *reason);

/* Whether the application is asked, once it was started, whether it runs. */
bool board_confirms(const struct board *board);
