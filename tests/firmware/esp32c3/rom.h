/* SPDX-License-Identifier: MIT */
/*
 * rom.h - what the ESP32-C3's ROM offers to programs, by ESP-IDF's esp32c3.rom.ld, and the registers
 * that are used here, by the ESP32-C3 Technical Reference Manual (chapter in brackets).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define ROM_DELAY_US ((void (*)(uint32_t))0x40000050)
#define ROM_PUT_CHAR ((int (*)(uint8_t))0x40000068)
/* Address and length are multiples of 4; 0: read. */
#define ROM_FLASH_READ ((int (*)(uint32_t from, uint32_t *to, int32_t n))0x40000130)
#define ROM_CACHE_OFF ((uint32_t(*)(void))0x4000051c)
#define ROM_CACHE_ON ((void (*)(uint32_t))0x40000520)
#define ROM_MMU_INIT ((void (*)(void))0x4000055c)
/* Pages of `page_kb`; fixed 0: one behind the other. */
#define ROM_DBUS_MAP                                                                               \
	((int (*)(uint32_t external, uint32_t to, uint32_t from, uint32_t page_kb, uint32_t n,     \
		uint32_t fixed))0x40000564)

/* [15, 9] Watchdogs; writes need a key first. */
#define RTC_WDT_CONFIG	REGISTER(0x60008090)
#define RTC_WDT_KEY	REGISTER(0x600080A8)
#define RTC_SWD_CONFIG	REGISTER(0x600080AC)
#define RTC_SWD_KEY	REGISTER(0x600080B0)
#define TIMER_WDT_CONFIG REGISTER(0x6001F048)
#define TIMER_WDT_KEY	REGISTER(0x6001F064)
#define WDT_KEY		0x50D83AA1u
#define SWD_KEY		0x8F1D312Au
#define SWD_FEEDS_ITSELF (1u << 31)

/* [3] Bits 0 and 1 keep the buses of the cache shut. */
#define CACHE_SHUT	REGISTER(0x600C4004)

static inline void print(const char *text)
{
	for (; *text; text++)
		ROM_PUT_CHAR((uint8_t)*text);
}
