/* SPDX-License-Identifier: MIT */
/*
 * calls.h - every command of the protocol as one call with fixed arguments, for tables of tests.
 * Include after cmocka.h.
 */
#pragma once

#include "sim/line.h"

#define FLASH	   UINT32_C(0x08000000)
#define ERASE_USEC (100 * USEC_PER_MSEC)
#define WORK_USEC  (20 * USEC_PER_MSEC)

static inline int get(struct line *line)
{
	return an3155_get(&line->bl);
}

static inline int get_version(struct line *line)
{
	return an3155_get_version(&line->bl, line->bytes, line->bytes + 1);
}

static inline int get_id(struct line *line)
{
	uint16_t id = 0;
	int r = an3155_get_id(&line->bl, &id);

	line->word = id;
	return r;
}

static inline int read_16(struct line *line)
{
	return an3155_read_memory(&line->bl, FLASH + 0x100, line->bytes, 16);
}

static inline int read_256(struct line *line)
{
	return an3155_read_memory(&line->bl, FLASH, line->bytes, 256);
}

static inline int write_8(struct line *line)
{
	static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8};

	return an3155_write_memory(&line->bl, FLASH + 0x200, data, sizeof(data), WORK_USEC);
}

static inline int write_256(struct line *line)
{
	uint8_t data[256];

	memset(data, 0xA5, sizeof(data));
	return an3155_write_memory(&line->bl, FLASH, data, sizeof(data), WORK_USEC);
}

static inline int go(struct line *line)
{
	return an3155_go(&line->bl, FLASH);
}

static inline int erase_two_pages(struct line *line)
{
	static const uint16_t pages[] = {1, 0x13};

	return an3155_erase_pages(&line->bl, pages, 2, ERASE_USEC);
}

static inline int erase_all(struct line *line)
{
	return an3155_erase_all(&line->bl, ERASE_USEC);
}

static inline int write_unprotect(struct line *line)
{
	return an3155_write_unprotect(&line->bl);
}

static inline int readout_protect(struct line *line)
{
	return an3155_readout_protect(&line->bl);
}

static inline int readout_unprotect(struct line *line)
{
	return an3155_readout_unprotect(&line->bl, ERASE_USEC);
}
