/* SPDX-License-Identifier: MIT */
/*
 * loader.h - a boot loader protocol as a table of operations, and what each of them may answer.
 *
 * The procedure knows loaders by this table alone; an operation that is NULL is one the protocol
 * lacks, and flash.c says what that costs. Two kinds there are: loaders that read, erase and write
 * at addresses, and loaders that take a file (`send`). A new protocol is a file and a row in
 * loader.c.
 */
#pragma once

#include "chip/chips.h"
#include "device/expect.h"
#include "device/port.h"
#include "rules/config.h"

/* What an operation returns beside 0 and -errno. */
enum protocol_result {
	PROTOCOL_OK,
	PROTOCOL_NO_ANSWER,    /* nothing came by the deadline, or not all */
	PROTOCOL_REFUSED,      /* NACK */
	PROTOCOL_GARBLED,      /* an answer that is none of this protocol: noise, wrong rate, other
				  device */
	PROTOCOL_UNKNOWN_CHIP, /* identified, but not in the chip table */
	PROTOCOL_UNSUPPORTED,  /* this boot loader does not have the command */
	PROTOCOL_STOPPED,      /* by a callback of ours */
	PROTOCOL_ENDLESS,      /* it goes on without coming to anything: a budget is used up */
	PROTOCOL_UNSTEADY,     /* the same question was answered differently each time (steady.h) */
	PROTOCOL_FOREIGN,      /* it speaks the protocol, and is not one to flash by */
};

/* What the option bytes say of the pages of the chip table. */
enum identity_pages {
	IDENTITY_PAGES_SURE,	/* they are so, or no option bit has a say */
	IDENTITY_PAGES_UNSURE,	/* the bit cannot be read */
	IDENTITY_PAGES_UNKNOWN, /* they are otherwise, and the table does not say how */
	IDENTITY_PAGES_SWAPPED, /* the banks are exchanged */
};

/* What identify found. */
struct identity {
	uint16_t product_id;
	uint8_t bootloader_version; /* 0x31 is V3.1 */
	/*
	 * The row of the table, with the pages that are in force; NULL with PROTOCOL_UNKNOWN_CHIP.
	 * It lives as long as the loader.
	 */
	const struct chip *chip;
	uint32_t flash_bytes; /* by the size register where it can be read, else of the table */
	char unique_id[25];   /* hexadecimal, "" where it cannot be read */
	bool is_protected;    /* the flash refuses to be read */
	bool stays_inside;    /* a reset leads back into the boot loader, empty as the chip was */
	enum identity_pages pages;
	bool can_protect; /* this boot loader can be told to refuse it */
};

/*
 * A conversation with one boot loader. Its protocol embeds it and adds what it has to remember. All
 * it points to is borrowed.
 */
struct loader {
	const struct protocol *protocol;
	struct port *port;
	struct expect *expect; /* what was heard and not used; for loaders that talk in text */
	const struct board *board;
	const struct chip_table *chips;
};

/* A whole image as one file, for a boot loader that takes no other. */
struct protocol_file {
	const uint8_t *bytes;
	uint32_t n_bytes;
	/* Told that the loader has asked for the file (0), and of each part it has taken. False:
	 * stop. */
	bool (*on_sent)(void *userdata, uint32_t n_sent);
	void *userdata;
};

/* Where the flash goes that a boot loader sends back; its first byte is that of the file. */
struct protocol_sink {
	bool (*take)(void *userdata, uint32_t offset, const uint8_t *bytes, uint32_t n_bytes);
	void *userdata;
};

struct protocol {
	const char *name;
	enum port_parity parity;
	uint32_t block_size; /* bytes in one read or write at most */

	/* `base` is copied. 0 or -errno. */
	int (*open)(const struct loader *base, struct loader **ret);
	struct loader *(*close)(struct loader *loader);

	/*
	 * Finds the boot loader after a reset, or, where `was_reset` is false, one that may be in
	 * the middle of anything. Afterwards both sides wait for the first command.
	 */
	int (*sync)(struct loader *loader, bool was_reset);

	/* Who is there. Changes nothing in the chip. The other operations need it done. */
	int (*identify)(struct loader *loader, struct identity *ret);

	/* At most block_size bytes; PROTOCOL_REFUSED also for an address the chip does not have. */
	int (*read)(struct loader *loader, uint32_t address, uint8_t *to, size_t n_to);
	int (*write)(struct loader *loader, uint32_t address, const uint8_t *data, size_t n_data);

	/* Pages in any number; split as the boot loader needs it. */
	int (*erase_pages)(struct loader *loader, const struct chip_page *pages, size_t n_pages);
	int (*erase_all)(struct loader *loader);

	/* CRC of `size` bytes (a multiple of 4) as the chip's CRC unit computes it. */
	int (*checksum)(struct loader *loader, uint32_t address, uint32_t size, uint32_t *ret);

	/* Takes away (which wipes the flash) or sets read-out protection. The chip resets
	 * afterwards. */
	int (*unprotect)(struct loader *loader);
	int (*protect)(struct loader *loader);

	/* Starts the application whose vector table is at the address. */
	int (*start)(struct loader *loader, uint32_t address);

	/*
	 * Instead of erase and write: the loader does both by itself with a file that it is sent,
	 * and says that it succeeded. PROTOCOL_STOPPED where the file's callback wanted it so.
	 */
	int (*send)(struct loader *loader, const struct protocol_file *file);

	/*
	 * Instead of read: the loader sends its flash from the application's start on.
	 * PROTOCOL_STOPPED where the sink had enough, PROTOCOL_UNSUPPORTED where the rule does not
	 * say how to ask for it.
	 */
	int (*upload)(struct loader *loader, const struct protocol_sink *sink);
};

/* The protocol of that row of the table; never NULL. */
const struct protocol *protocol_of(enum board_protocol protocol);

extern const struct protocol protocol_stm32;
extern const struct protocol protocol_xmodem;
extern const struct protocol protocol_ymodem;
