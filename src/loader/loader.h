/* SPDX-License-Identifier: MIT */
/*
 * loader.h - a boot loader as a table of operations, and what each of them may answer.
 *
 * The procedure knows loaders by this table alone. An operation that is NULL is one the loader
 * lacks, and the procedure says what that costs. There are two kinds: loaders of ranges read, erase
 * and write at addresses (flash/procedure-range.c); loaders of files have `send`
 * (flash/procedure-file.c). A new loader is a file in this folder and a row in loader.c.
 */
#pragma once

#include "api/trust.h"
#include "base/outcome.h"
#include "chip/chips.h"
#include "device/expect.h"
#include "device/port.h"
#include "loader/heard.h"
#include "loader/words.h"
#include "rules/config.h"

/* The most bytes that `block_size` may have: buffers of the procedure have room for so many. */
#define LOADER_BLOCK_MAX 16384

/* Room for the texts of an identity. */
#define IDENTITY_REFUSAL_MAX 400
#define IDENTITY_DETAILS_MAX 320

/* The result of an operation beside -errno, which comes from the port. */
enum loader_result {
	LOADER_OK,
	LOADER_NO_ANSWER,    /* nothing came by the deadline, or not all */
	LOADER_REFUSED,	     /* NACK */
	LOADER_GARBLED,	     /* not an answer of this protocol: noise, wrong rate, other device */
	LOADER_UNKNOWN_CHIP, /* identified, but not in the chip table */
	LOADER_UNSUPPORTED,  /* this boot loader does not have the command */
	LOADER_STOPPED,	     /* by a callback of ours */
	LOADER_ENDLESS,	     /* it sends without an end: a budget is used up */
	LOADER_UNSTEADY,     /* the same question was answered differently each time (steady.h) */
	LOADER_FOREIGN,	     /* it speaks the protocol, and is not one to flash by */
	LOADER_FAULT,	     /* the chip tried and reports a failure; refusal() has its words */
};

/* Whether the chip has answered that it does not do it; the link is in step then. */
static inline bool loader_is_refusal(int r)
{
	return r == LOADER_REFUSED || r == LOADER_UNSUPPORTED;
}

/* What the option bytes say of the pages of the chip table. */
enum identity_pages {
	IDENTITY_PAGES_SURE,	/* they are so, or no option bit has a say */
	IDENTITY_PAGES_UNSURE,	/* the bit cannot be read; loaders with read and erase_pages only */
	IDENTITY_PAGES_UNKNOWN, /* they are otherwise, and the table does not say how */
	IDENTITY_PAGES_SWAPPED, /* the banks are exchanged */
};

/* What the chip's fuses say of its protection; bits of `security`. */
enum identity_security {
	IDENTITY_SECURE_DOWNLOAD = 1 << 0, /* its boot loader takes a few commands alone */
	IDENTITY_SECURE_BOOT = 1 << 1,	   /* it starts what is signed by its maker alone */
	IDENTITY_ENCRYPTED = 1 << 2,	   /* its flash holds ciphertext */
};

/* What identify found. */
struct chip_identity {
	uint32_t product_id;	    /* within the family of the loader's chips */
	uint8_t bootloader_version; /* 0x31 is V3.1 */
	/*
	 * The row of the table, with the pages that are in force; NULL with LOADER_UNKNOWN_CHIP.
	 * It lives as long as the loader.
	 */
	const struct chip *chip;
	uint32_t flash_bytes; /* by the size register where it can be read, else of the table */
	char unique_id[25];   /* hexadecimal, "" where it cannot be read */
	bool is_protected;    /* the flash refuses to be read */
	bool stays_inside;    /* a reset leads back into the boot loader, empty as the chip was */
	enum identity_pages pages;
	bool can_protect; /* this boot loader can be told to refuse it */
	bool can_promote; /* there is a program for the RAM of this chip */

	/* Of the silicon: 100 times the major number and the minor one. */
	bool has_revision;
	uint32_t revision;
	bool has_security;
	unsigned security; /* enum identity_security */

	/*
	 * Why nothing of the chip may be erased, though the table knows it: a sentence, "" for
	 * none; and the outcome of a job that would, OUTCOME_PROTECTED, OUTCOME_FAILED or
	 * OUTCOME_WRONG_CHIP. Only a probe goes on then. With LOADER_UNKNOWN_CHIP: why the table
	 * has this chip to be refused.
	 */
	char refusal[IDENTITY_REFUSAL_MAX];
	enum outcome refusal_outcome;
	/* The boot loader can neither be read nor asked for a digest on this chip, whatever the
	 * table of the loader has: nothing proves what is written. */
	bool proves_nothing;

	/* For whoever has to find out more of such a chip, "NAME VALUE; NAME VALUE"; "" nothing. */
	char details[IDENTITY_DETAILS_MAX];
	uint32_t words_baud; /* of its text as it starts; 0: the loader's entry_baud */
};

/*
 * A conversation with one boot loader. Each loader embeds it and adds what it has to remember.
 * Everything that it points to is borrowed.
 */
struct loader {
	const struct loader_ops *ops;
	struct port *port;
	struct expect *expect; /* bytes received and not used; for loaders that talk in text */
	const struct board *board;
	const struct chip_table *chips;
	/* How far faster ways of working are trusted; it may change between two operations. NULL:
	 * in full. */
	const struct trusts *trusts;
	/* Since sync(): a block was written in one burst, and one was not taken. */
	bool has_burst, has_lost_burst;
};

/* A whole image as one file, for a loader of files. */
struct loader_file {
	const uint8_t *bytes;
	uint32_t n_bytes;
	bool is_package; /* it says itself where it ends: filled up by 0xFF, not by SUB */
	/* Called when the loader has asked for the file (0), and for each part that it has taken.
	 * False: stop. */
	bool (*on_sent)(void *userdata, uint32_t n_sent);
	void *userdata;
};

/* Receives the flash that a loader of files sends back; its first byte is that of the file. */
struct loader_sink {
	bool (*take)(void *userdata, uint32_t offset, const uint8_t *bytes, uint32_t n_bytes);
	void *userdata;
};

/* When look() is asked. */
enum loader_look {
	LOADER_LOOK_INSIDE,  /* the lines were played, and the loader did not answer */
	LOADER_LOOK_STARTED, /* behind that, and the application was started */
	LOADER_LOOK_LAST,    /* no try was answered; started as well where there are lines */
};

/* How the chip computes `digest`. */
enum loader_digest {
	LOADER_DIGEST_NONE,
	LOADER_DIGEST_CRC32,  /* IEEE 802.3, as zlib's crc32(); the four bytes most significant
				 first */
	LOADER_DIGEST_SHA256, /* 32 bytes */
	LOADER_DIGEST_MD5,    /* 16 bytes */
	LOADER_DIGEST_SUMS,   /* 8 bytes: two CRC-32, as digest_sums() has them */
};

#define LOADER_DIGEST_MAX 32

/*
 * Every operation returns 0, -errno, or an enum loader_result; each names the results that mean
 * something particular. Addresses and sizes are bytes. An operation waits no longer than its own
 * deadline.
 */
struct loader_ops {
	const char *name;
	enum port_parity parity;
	/* For messages: LOADER_FOREIGN as a sentence, where an operation returns it; and what to
	 * try where sync() succeeds and identify() does not, begun with ": ", or NULL. */
	const char *foreign, *unanswered;
	uint32_t block_size; /* bytes in one read or write at most; 1 to LOADER_BLOCK_MAX */

	/* `base` is copied. 0 or -errno. Call loader_open() instead, which checks the table. */
	int (*open)(const struct loader *base, struct loader **ret);
	struct loader *(*close)(struct loader *loader);

	/*
	 * Finds the boot loader after a reset, or, where `was_reset` is false, one that may be in
	 * the middle of anything. Afterwards both sides wait for the first command.
	 */
	int (*sync)(struct loader *loader, bool was_reset);

	/*
	 * The chip looks at its boot pin as it starts, and never while this loader works: once
	 * sync() has met it the pin is let go of, so that a chip that is reset in the middle starts
	 * its application, and does not look for commands in what is on its way (stm32-rom.md 17).
	 */
	bool frees_boot_pin;

	/*
	 * Whether the loader that was met still goes on from there: no reset has reached the chip.
	 * 0, LOADER_NO_ANSWER or another result where it does not. NULL: it cannot be told.
	 */
	int (*goes_on)(struct loader *loader);

	/* In words that go on after "refused, ", why the last LOADER_REFUSED (or LOADER_FAULT) was
	 * one; it lives as
	 * long as the loader, up to the next call. "": it did not say. NULL: none ever does. Those
	 * of a loader of files have in them what there is to do. */
	const char *(*refusal)(struct loader *loader);

	/* Whether the last LOADER_REFUSED was about the file, so that it would be refused each
	 * time: no other pass, and OUTCOME_BAD_IMAGE. NULL: never. */
	bool (*is_final)(struct loader *loader);

	/* Reads which chip it is. Changes nothing in the chip. The others need it done. */
	int (*identify)(struct loader *loader, struct chip_identity *ret);

	/*
	 * For a probe: facts of the chip that no other job needs, as `details` of its identity. 0
	 * or -errno; what cannot be had is left out. NULL: identify() has found all.
	 */
	int (*describe)(struct loader *loader, char to[static IDENTITY_DETAILS_MAX]);

	/*
	 * Chips whose ROM says how it starts, in text at `entry_baud`, 8N1: hear() adds bytes of it
	 * to `words`, which begins as {0}, and explain() says why no loader answered, begun with
	 * ", ", as heard_advice() does for all others. Both are pure, and both or neither are
	 * there. `words_baud`: where the text fits no rate, a relative of the chip may speak at
	 * this one; 0: none does.
	 */
	uint32_t words_baud;
	void (*hear)(struct loader_words *words, const uint8_t *bytes, size_t n_bytes);
	char *(*explain)(const struct loader_words *words, bool has_lines, bool is_garbled,
		char to[static HEARD_ADVICE_MAX]);

	/*
	 * Looks who is there in the place of a loader that was not met; the port speaks 115200,
	 * 8N1. Changes nothing, and is over within a second, but for LOADER_LOOK_LAST. 0: the
	 * reason is advice begun with ", ", or "" as yet; LOADER_FOREIGN: a sentence on the chip,
	 * which another loader is for. NULL: heard_advice() says what there is to say.
	 */
	int (*look)(struct loader *loader, enum loader_look look, struct reason *ret);

	/*
	 * Loaders that are met at one rate and work at another: `entry_baud`, and set_baud(),
	 * which after identify() takes chip and port to the rate of the rule. 0 once the chip has
	 * answered at the new rate; LOADER_UNSUPPORTED where this chip stays at `entry_baud`, and
	 * goes on; with any other result the link counts as lost, and the next rate of the rule
	 * begins with a fresh reset. NULL: the loader is met at the rule's rate.
	 */
	uint32_t entry_baud;
	int (*set_baud)(struct loader *loader, uint32_t baud);

	/* It has faster ways of working, which `trusts` bounds. */
	bool has_trials;

	/*
	 * Puts a faster loader in its place: a program of ours in the RAM of the same chip, which
	 * `identity` describes with `can_promote`. Erases nothing. 0: `ret` speaks up to the next
	 * reset and is closed before `loader`; what it lacks and `loader` has is to be had behind a
	 * reset. LOADER_UNSUPPORTED and LOADER_REFUSED: `loader` goes on as before. Any other
	 * result: the link is lost, and `loader` goes on after a reset. `why` is set for every
	 * result but 0 and -errno, in words that may stand behind "not used: ". It pays for
	 * `promote_from` bytes and more; `promote_version` is that of the program, from 1 on.
	 */
	int (*promote)(struct loader *loader, const struct chip_identity *identity,
		struct reason *why, struct loader **ret);
	uint32_t promote_from;
	uint8_t promote_version;

	/*
	 * Of a promoted loader: makes the chip reset itself, where no line does, so that the loader
	 * in ROM can be met again. It does not speak any more then, however that ends.
	 */
	int (*demote)(struct loader *loader);

	/*
	 * What the procedure does with a loader for which a look costs little. `finds_pages`: with
	 * digest(); a page of the image whose digest is right already is neither erased nor
	 * written, but for the one that the chip starts by, and pages that are not to change are
	 * looked at before the first erase and behind the last write. `begins_small`: with read();
	 * the first page is erased, found blank, and a first unit in it written and read back
	 * before anything else is erased.
	 */
	bool finds_pages, begins_small;

	/* At most block_size bytes. LOADER_REFUSED also for an address that the chip does not have.
	 */
	int (*read)(struct loader *loader, uint32_t address, uint8_t *to, size_t n_to);

	/*
	 * The digest of `size` bytes from `address` on as the chip computes it, with the bytes of
	 * its kind. Both are multiples of the chip's write_align. NULL with LOADER_DIGEST_NONE.
	 */
	enum loader_digest digest_kind;
	int (*digest)(struct loader *loader, uint32_t address, uint32_t size,
		uint8_t ret[static LOADER_DIGEST_MAX]);
	/*
	 * The digests of many ranges, the first one of the first range, in as few questions as the
	 * loader can; best where each range begins where the one before it ends. On failure `ret`
	 * may be filled in part. NULL: digest() is asked for each.
	 */
	int (*digests)(struct loader *loader, const struct chip_range *ranges, size_t n_ranges,
		uint8_t (*ret)[LOADER_DIGEST_MAX]);
	/* The least that is asked for to find a difference; 0: write_align of the chip. */
	uint32_t digest_unit;
	/* The fewest bytes of which the chip computes a right digest, at most block_size; what is
	 * shorter is read. 0: of any. With read() only. */
	uint32_t digest_min;

	/*
	 * At most block_size bytes, to flash that was erased. Where there is a flush(), the chip
	 * may still be busy with them: a failure may be the result of a later write or of flush(),
	 * and only after that one has returned 0 are all of them in the flash.
	 */
	int (*write)(struct loader *loader, uint32_t address, const uint8_t *data, size_t n_data);
	int (*flush)(struct loader *loader);

	/*
	 * Loaders that are told beforehand how much will come. begin() names a range that begins
	 * with a page and ends with one, or with the image's last byte; then write() brings all of
	 * it (up to a multiple of write_align), rising and without a gap, or nothing of it. end()
	 * closes it, after success alone. Both or neither are there. With `begin_erases` begin()
	 * erases the pages of the range, and the loader has neither erase_pages nor erase_all.
	 * `bytes` are all that write() will bring, so that a loader can pack them; they stay where
	 * they are up to end() or the next begin(). NULL: nothing will be written.
	 */
	int (*begin)(struct loader *loader, uint32_t address, uint32_t size, const uint8_t *bytes);
	int (*end)(struct loader *loader);
	bool begin_erases;

	/*
	 * Such a loader also has digest(), and its ranges may be written one by one, whatever else
	 * the flash holds: those that a digest finds in the flash are left alone, each is proved as
	 * soon as it was written, and begun again where it was not, or where write() or end()
	 * failed.
	 */
	bool proves_runs;

	/* Pages in any number; split as the boot loader needs it. Call loader_erase_pages().
	 * erase_all is used where it is faster, or where the table has no pages. */
	int (*erase_pages)(struct loader *loader, const struct chip_page *pages, size_t n_pages);
	int (*erase_all)(struct loader *loader);

	/*
	 * Erases the whole flash, where that brings settings back which the erase of a page does
	 * not. It is no way to be faster: it takes what belongs to the unit alone, and is called
	 * where the rule says so (`bank-erase`) and nothing else helps.
	 */
	int (*bank_erase)(struct loader *loader);

	/* Removes read-out protection (which wipes the flash), or sets it. The chip resets
	 * afterwards. */
	int (*unprotect)(struct loader *loader);
	int (*protect)(struct loader *loader);

	/*
	 * Lifts the write protection of all pages: the flash itself stays as it is. Other settings
	 * of the option bytes may go back to those of a new chip, as on an F1 (stm32-rom.md 8). The
	 * chip resets afterwards. LOADER_UNSUPPORTED where this one has no such command.
	 */
	int (*write_unprotect)(struct loader *loader);

	/*
	 * Writes the first bytes of what the chip's family finds as its options, in one piece: all
	 * of them are erased before, and loaded by a reset that the chip makes by itself. With any
	 * result but LOADER_REFUSED the link is gone, and they may have been written or not. Not of
	 * a promoted loader.
	 */
	int (*write_options)(struct loader *loader, const uint8_t *bytes, size_t n_bytes);

	/* Starts the application that begins at the address; without `starts_anywhere` the one that
	 * a reset would start, whatever the address. */
	int (*start)(struct loader *loader, uint32_t address);
	bool starts_anywhere;

	/*
	 * Undoes in the chip, before a reset by the lines, what would lead that reset back into the
	 * boot loader. Only after identify() succeeded. However it ends, the reset follows. NULL:
	 * there is nothing to undo.
	 */
	int (*prepare_leave)(struct loader *loader);

	/*
	 * In the place of erase and write: the loader does both by itself with a file that it is
	 * sent, and says that it succeeded. LOADER_STOPPED where the file's callback said so.
	 */
	int (*send)(struct loader *loader, const struct loader_file *file);

	/*
	 * In the place of read: the loader sends its flash from the application's start on.
	 * LOADER_STOPPED where the sink had enough, LOADER_UNSUPPORTED where the rule does not say
	 * how to ask for it.
	 */
	int (*upload)(struct loader *loader, const struct loader_sink *sink);
};

/* The table for this word of a rule; never NULL. */
const struct loader_ops *loader_of(enum board_protocol protocol);

/* Opens `base->ops`. Asserts that its table is one of a loader of ranges or of files. 0 or -errno.
 */
int loader_open(const struct loader *base, struct loader **ret);

/* NULL is fine. Returns NULL. */
struct loader *loader_close(struct loader *loader);

/* Erases these pages, by erase_pages(), or by a begin() and end() for each run of adjacent ones. */
int loader_erase_pages(struct loader *loader, const struct chip_page *pages, size_t n_pages);

extern const struct loader_ops loader_stm32;
extern const struct loader_ops loader_xmodem;
extern const struct loader_ops loader_ymodem;
extern const struct loader_ops loader_esp;
extern const struct loader_ops loader_bsl;
