/* SPDX-License-Identifier: MIT */
/*
 * bootloader.c - stands in for ESP-IDF's second stage: quiets the watchdogs that the ROM started,
 * finds the application by partition table and otadata, loads its RAM segments, maps its constants,
 * and jumps. It checks the header alone: no checksum, no SHA-256, no revision.
 *
 * It runs on the ROM's stack. Nothing is initialised but constants.
 */
#include "rom.h"

#define TABLE	   0x8000u
#define N_ENTRIES  95u
#define SECTOR	   4096u
#define MAPPED	   0x3C000000u
#define MAPPED_END 0x3C800000u
#define MAP_PAGE   0x10000u
#define HEADER	   24u

void start(void);

struct entry {
	uint16_t magic;
	uint8_t type, subtype;
	uint32_t offset, size;
	char name[16];
	uint32_t flags;
};

struct slots {
	uint32_t factory, ota[16], n_ota, otadata;
};

static void read_flash(uint32_t from, void *to, uint32_t n)
{
	while (ROM_FLASH_READ(from, to, (int32_t)n) != 0)
		print("2nd stage: the flash cannot be read\r\n");
}

static void find_slots(struct slots *slots)
{
	struct entry entry;

	slots->factory = slots->otadata = slots->n_ota = 0;
	for (uint32_t i = 0; i < N_ENTRIES; i++) {
		read_flash(TABLE + i * sizeof(entry), &entry, sizeof(entry));
		if (entry.magic != 0x50AA)
			return;
		if (entry.type == 1 && entry.subtype == 0)
			slots->otadata = entry.offset;
		else if (entry.type == 0 && entry.subtype == 0)
			slots->factory = entry.offset;
		else if (entry.type == 0 && (entry.subtype & 0xF0) == 0x10 && slots->n_ota < 16)
			slots->ota[slots->n_ota++] = entry.offset;
	}
}

/* Its CRC is left to the one who wrote it. */
static uint32_t read_sequence(uint32_t at)
{
	uint32_t sequence;

	read_flash(at, &sequence, sizeof(sequence));
	return sequence == 0xFFFFFFFFu ? 0 : sequence;
}

static uint32_t choose(const struct slots *slots)
{
	uint32_t first = 0, second = 0;

	if (slots->otadata) {
		first = read_sequence(slots->otadata);
		second = read_sequence(slots->otadata + SECTOR);
	}
	if (second > first)
		first = second;
	if (first > 0 && slots->n_ota > 0)
		return slots->ota[(first - 1) % slots->n_ota];
	return slots->factory ? slots->factory : slots->n_ota > 0 ? slots->ota[0] : 0;
}

static void map(uint32_t address, uint32_t from, uint32_t n)
{
	uint32_t pages = (address % MAP_PAGE + n + MAP_PAGE - 1) / MAP_PAGE;

	ROM_CACHE_OFF();
	ROM_MMU_INIT();
	ROM_DBUS_MAP(0, address & ~(MAP_PAGE - 1), from & ~(MAP_PAGE - 1), 64, pages, 0);
	CACHE_SHUT &= ~3u;
	ROM_CACHE_ON(0);
}

/* 0 where there is no application. */
static uint32_t load(uint32_t at)
{
	uint32_t head[HEADER / 4], segment[2], from = at + HEADER, mapped[3] = {0, 0, 0};

	read_flash(at, head, sizeof(head));
	if (at == 0 || (head[0] & 0xFF) != 0xE9)
		return 0;
	for (uint32_t i = 0; i < (head[0] >> 8 & 0xFF); i++) {
		read_flash(from, segment, sizeof(segment));
		from += sizeof(segment);
		if (segment[0] >= MAPPED && segment[0] < MAPPED_END) {
			mapped[0] = segment[0];
			mapped[1] = from;
			mapped[2] = segment[1];
		} else {
			read_flash(from, (void *)segment[0], segment[1]);
		}
		from += segment[1];
	}
	/* Last: the flash is not read past the cache any more. */
	map(mapped[0], mapped[1], mapped[2]);
	return head[1];
}

static void quiet_watchdogs(void)
{
	RTC_WDT_KEY = WDT_KEY;
	RTC_WDT_CONFIG = 0;
	RTC_SWD_KEY = SWD_KEY;
	RTC_SWD_CONFIG |= SWD_FEEDS_ITSELF;
	TIMER_WDT_KEY = WDT_KEY;
	TIMER_WDT_CONFIG = 0;
}

__attribute__((section(".start"))) void start(void)
{
	struct slots slots;
	uint32_t entry;

	quiet_watchdogs();
	print("2nd stage: plugflash-test\r\n");
	find_slots(&slots);
	entry = load(choose(&slots));
	if (entry)
		((void (*)(void))entry)();
	print("2nd stage: no application\r\n");
	for (;;)
		;
}
