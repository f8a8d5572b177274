/* SPDX-License-Identifier: MIT */
/*
 * app.c - says its version on UART0 at the start and every second. The ROM's own output is still
 * set up (115200 8N1), and the boot loader has put the watchdogs to rest.
 */
#include "rom.h"

void start(void);

/* esp_app_desc_t of ESP-IDF: the first bytes of the first segment. */
struct description {
	uint32_t magic, secure_version, reserved[2];
	char version[32], project[32], time[16], date[16], idf[32];
	uint8_t elf_sha256[32];
	uint32_t rest[20];
};

__attribute__((section(".description"), used)) static const struct description description = {
	.magic = 0xABCD5432,
	.version = VERSION,
	.project = "plugflash-test",
	.time = "12:00:00",
	.date = "Jan  1 2026",
	.idf = "none",
};

static const char banner[] = "plugflash-test " VERSION "\r\n";

/* Initialised and cleared memory both, so that a boot loader that does neither is noticed. */
static volatile uint32_t period_us = 1000000;
static volatile uint32_t n_seconds;

/* Any numbers will do, as long as they differ from block to block. */
#define BYTE(n)	   ((uint8_t)(n))
#define ROW_4(n)   BYTE((n)*7u), BYTE((n)*13u + 1u), BYTE((n)*29u + 3u), BYTE((n)*53u + 7u)
#define ROW_16(n)  ROW_4(n), ROW_4((n) + 1u), ROW_4((n) + 2u), ROW_4((n) + 3u)
#define ROW_64(n)  ROW_16(n), ROW_16((n) + 4u), ROW_16((n) + 8u), ROW_16((n) + 12u)
#define ROW_256(n) ROW_64(n), ROW_64((n) + 16u), ROW_64((n) + 32u), ROW_64((n) + 48u)
#define ROW_1K(n)  ROW_256(n), ROW_256((n) + 65u), ROW_256((n) + 130u), ROW_256((n) + 195u)

static const uint8_t table[] = {
	ROW_1K(0u), ROW_1K(3u), ROW_1K(11u), ROW_1K(17u), ROW_1K(23u),
#ifdef SECOND_TABLE
	ROW_1K(5u), ROW_1K(9u), ROW_1K(31u), ROW_1K(41u),
#endif
};

extern uint32_t bss_start[], bss_end[];

static __attribute__((noreturn, used)) void run(void)
{
	for (uint32_t *to = bss_start; to < bss_end; to++)
		*to = 0;
	for (;;) {
		/* Read, so that it stays in the program. */
		(void)*(const volatile uint8_t *)&table[n_seconds % sizeof(table)];
		print(banner);
		ROM_DELAY_US(period_us);
		n_seconds = n_seconds + 1;
	}
}

__attribute__((naked, noreturn, section(".start"))) void start(void)
{
	__asm__ volatile("la sp, stack_end\n\tj %0" : : "i"(run));
}
