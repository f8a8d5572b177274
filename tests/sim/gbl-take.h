/* SPDX-License-Identifier: MIT */
/*
 * gbl-take.h - what Silicon Labs' boot loader does with the bytes of a GBL (UG266): takes it apart
 * tag by tag as it comes, and programs what is in it. The first words of an application are held
 * back until the whole file was checked, so that one that was cut off cannot be started.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct resident;

/* btl_errorcode: those that the parser gives. */
enum {
	GBL_UNEXPECTED = 0x1001,
	GBL_KEY = 0x1004,
	GBL_CRC = 0x1005,
	GBL_SIGNATURE = 0x1006,
	GBL_EOF = 0x1007,
	GBL_UNKNOWN_TAG = 0x1008,
	GBL_VERSION = 0x1009,
	GBL_TYPE = 0x100A,
	GBL_STORAGE = 0x0400,
};

#define GBL_HELD_BYTES 8

struct gbl_take {
	uint8_t head[8]; /* of a tag: id and length, or the words of one that is read whole */
	unsigned n_head;
	uint32_t id, length, at; /* of the tag that is being taken */
	uint32_t crc;
	bool is_begun, is_over, is_reduced;
	bool has_erased;
	uint32_t address; /* of the next byte of a program, from the application's start on */
	uint8_t word[4];
	unsigned n_word;
	uint8_t held[GBL_HELD_BYTES];
	unsigned n_held;
	uint32_t loader_version; /* that the file brings; 0: none */
};

/* 0 or an error, after which nothing more is taken. */
unsigned gbl_take(struct resident *resident, const uint8_t *data, size_t n_data);

/* Whether all of it came and was right. */
bool gbl_is_complete(const struct resident *resident);
