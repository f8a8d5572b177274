/* SPDX-License-Identifier: MIT */
/*
 * report.h - what one job did, from the worker to the journal, the bus and the command line.
 *
 * Plain values of bounded size, so that a report can be copied, and written as lines of text on a
 * pipe and read back by a process that trusts none of them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "api/proof.h"
#include "api/trust.h"
#include "base/outcome.h"
#include "base/text.h"

/* Room for what became of the program in the RAM. */
#define REPORT_STUB_MAX 240

/* Room for the digits of what a chip had, with the NUL. */
#define REPORT_KEPT_MAX 200

/* What came in the place of a boot loader's answer. */
enum heard_kind {
	HEARD_UNKNOWN, /* one answered, or nobody listened */
	HEARD_NOTHING,
	HEARD_TEXT, /* an application speaks */
	HEARD_BYTES,
};

struct report {
	enum outcome outcome;
	enum phase phase; /* where it ended */
	int error;	  /* errno of the environment, 0 where it did not fail */
	bool has_address; /* the next two are of the byte that differed or was refused */
	uint32_t address;
	uint8_t expected;
	bool has_got; /* it was read, and not only part of a digest */
	uint8_t got;
	uint64_t bytes; /* written, or read where nothing was to be written */
	uint32_t pages_erased;
	bool mass_erased;
	uint32_t baud; /* the rung of the ladder that worked, 0 before one did */
	/* What became of the program in the chip's RAM, in words: "used, version 1", "not used:
	 * ..."; "" for a chip that takes none. */
	char stub[REPORT_STUB_MAX];
	uint8_t stub_version; /* of the program for this chip; 0: there is none */
	uint8_t stub_trial;   /* enum trial */
	uint8_t bursts_trial; /* likewise, of blocks in bursts */
	uint32_t entries;     /* into the boot loader, the first included */
	/* By which way: "lines", "command", "direct", or the protocol of the application that led
	 * there, "ezsp"; "" by none. */
	char entered[12];
	/* The application that answered last, in its own protocol: "ezsp"; "" none was asked, or
	 * none answered. */
	char application[12];
	uint32_t application_baud;
	char application_version[64]; /* "" it says none */
	/* What vouches for the image. With any outcome: the unit held it whole, and nothing was
	 * erased since. */
	enum proof proof;
	uint64_t duration_ms; /* the whole job */
	uint64_t phase_ms[PHASE_MAX];
	bool has_product_id;
	char family[16]; /* of the chip, "" unknown: ids are unique within it */
	uint32_t product_id;
	uint8_t bootloader_version; /* 0x22 is V2.2, 0 not known */
	char chip[96];		    /* name of the chip table, "" unknown */
	bool is_protected;	    /* when it was met last, the flash refused to be read */
	char revision[12];	    /* of its silicon, "3.1"; "" not known */
	/* What its fuses switch on for good: "secure-download", "secure-boot" and
	 * "flash-encryption", separated by spaces; "none"; "" not known. */
	char security[48];
	uint32_t flash_bytes; /* by the chip's size register, else of the table; 0 unknown */
	char unit[25];	      /* unique id, hexadecimal, "" not readable */
	/* From the first erase of this job on: `unit` then is the one that was erased, whatever
	 * answers later, and only a proof says that it holds a whole image again. */
	bool has_erased;
	/* Of a probe of a circuit that is a guess, in this process alone: what was heard where no
	 * boot loader answered; and whether the lines led in, and not out again. */
	enum heard_kind heard;
	bool is_still_inside;
	bool has_other; /* another one answered last: */
	uint32_t other_product_id;
	char other_unit[25];		     /* its unique id */
	char unit_data[PROVISION_SHOWN_MAX]; /* what it has for itself (`serialize`), "" nothing */
	char image[TEXT_MAX];
	char version[64];
	char sha256[DIGEST_HEX_SIZE];
	char signer[96]; /* the key of a good signature, "" none */
	/* What a file of a boot loader's own format says of itself: "zigbee_ncp, 115200 baud"; ""
	 * nothing. */
	char image_says[112];
	char refusal[400]; /* of a probe: why nothing could be written to it; "" nothing speaks
			      against it */
	/* What the chip and its boot loader said of themselves, for whoever has to find out more:
	 * "magic 0x00f01d83; flash-id 0x1640ef", escaped; "" nothing. */
	char details[480];
	/* Of a job that goes well: a sentence about what its image changes in the chip beside the
	 * application (another pin of the boot loader); "" nothing. */
	char remark[400];
	/* What the chip had before its first erase in this job, where that takes what belongs to
	 * the unit alone: hexadecimal, as its family writes it; "" nothing, or not known. */
	char kept[REPORT_KEPT_MAX];
	char bridge[TEXT_MAX]; /* product string of the bridge and kernel, for failed entries */
	struct reason reason;  /* what was expected and seen, what to try; "" on success */
};

/* Whether the unique id tells a unit from others: copies of chips read all zeros or ones. */
bool report_unit_is_told(const char *unit);

/* Whether `stub` is worth a place in a sentence: that it was not used is there for who looks. */
bool report_tells_stub(const struct report *report);

/* Puts the image's name before a reason that is about it. */
void report_name_image(struct report *report);

/* What a worker says while it works. */
struct progress {
	enum phase phase;
	uint64_t done;
	uint64_t total; /* bytes (pages for an erase), 0 not known */
	uint32_t baud;	/* of the line, 0 before a rate was chosen */
};

/* 0 to 100; 100 where nothing is to be done or the total is not known. */
unsigned progress_percent(const struct progress *progress);
