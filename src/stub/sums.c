/* SPDX-License-Identifier: MIT */
/*
 * sums.c - CRC-32 by tables of 16 words.
 *
 * Four bits at a time: tables of 256 words would need two KiB. Even these are made at the start,
 * for that takes less of the program than they would.
 */
#include "stub/stub.h"

#define IEEE	   0xEDB88320 /* 04C11DB7, reflected */
#define CASTAGNOLI 0x82F63B78 /* 1EDC6F41, reflected */

void stub_make_tables(struct stub *stub)
{
	uint32_t *table = stub->tables;

	for (uint32_t i = 0; i < 32; i++) {
		uint32_t crc = i & 15, polynomial = i < 16 ? IEEE : CASTAGNOLI;

		for (int bit = 0; bit < 4; bit++)
			crc = crc >> 1 ^ (-(crc & 1) & polynomial);
		*table++ = crc;
	}
}

/* Four bits of a CRC; the shifts are the index of the table times 4, without a mask in a register.
 */
#define STEP(crc, table)                                                                   \
	((crc) = (crc) >> 4 ^ *(const uint32_t *)(const void *)((const uint8_t *)(table) + \
								((crc) << 28 >> 26)))

uint32_t stub_crc_bytes(const uint32_t *table, uint32_t crc, uint32_t n)
{
	do {
		STEP(crc, table);
		STEP(crc, table);
	} while (--n > 0);
	return crc;
}

uint32_t stub_crc(struct stub *stub, const uint8_t *bytes, uint32_t n)
{
	uint32_t crc = ~0u;

	for (uint32_t i = 0; i < n; i++) {
		stub_poll(stub);
		crc = stub_crc_bytes(stub->tables, crc ^ bytes[i], 1);
	}
	return ~crc;
}

void stub_sum(struct stub *stub, uint32_t address, uint32_t size, struct stub_sums *ret)
{
	const uint32_t *word = seam_memory(address);
	const uint32_t *end = (const uint32_t *)(const void *)((const uint8_t *)word + size);
	uint32_t first = ~0u, second = ~0u;

	for (; word < end; word++) {
		stub_poll(stub);
		first = stub_crc_bytes(stub->tables, first ^ *word, 4);
		second = stub_crc_bytes(stub->tables + 16, second ^ *word, 4);
	}
	ret->ieee = ~first;
	ret->castagnoli = ~second;
}
