/* SPDX-License-Identifier: MIT */
/*
 * application.c - see application.h.
 */
#include <string.h>

#include "base/util.h"
#include "sim/application.h"

#define NSEC_PER_SEC  UINT64_C(1000000000)
#define BYTE_NSEC     (10 * NSEC_PER_SEC / APPLICATION_BAUD)
#define STARTING_NSEC UINT64_C(5000000) /* clocks, peripherals, then the first byte */
#define CHATTER_NSEC  UINT64_C(20000000)

/* From a command until the chip is in its boot loader: a reset, and a jump early in the start. */
#define LEAVING_NSEC UINT64_C(50000000)

/* How the firmware of tests/firmware introduces itself, up to the end of the line. */
static const char banner_begin[] = "plugflash-test ";

bool application_can_start(const struct memory *memory, uint32_t address)
{
	const struct sim_chip *chip = memory->chip;
	uint32_t stack = memory_read_word(memory, address);
	uint32_t entry = memory_read_word(memory, address + 4);
	uint32_t erased = chip->erased_value * UINT32_C(0x01010101);

	if (stack % 4 || stack <= 0x20000000 || stack > chip->ram_start + chip->ram_size)
		return false;
	if (!(entry & 1))
		return false;
	entry &= ~UINT32_C(1);
	if (memory_area(memory, address) == MEMORY_RAM)
		return memory_area(memory, entry) == MEMORY_RAM;
	return memory_area(memory, entry) == MEMORY_FLASH &&
	       memory_read_word(memory, entry) != erased;
}

static const char *find_banner(const struct memory *memory, size_t *ret_length)
{
	const uint8_t *flash = memory->flash;
	const uint8_t *found =
		memmem(flash, memory->chip->flash_size, banner_begin, strlen(banner_begin));
	size_t left, length = 0;

	if (!found)
		return NULL;
	left = memory->chip->flash_size - (size_t)(found - flash);
	while (length < left && found[length] >= ' ' && found[length] < 0x7F)
		length++;
	if (length == left || (found[length] != '\r' && found[length] != '\n'))
		return NULL;
	*ret_length = length;
	return (const char *)found;
}

/* The line that the firmware in the flash says, NULL where it is none that says one. */
static const char *take_banner(struct application *application, const struct memory *memory)
{
	size_t length;
	const char *found = find_banner(memory, &length);

	if (!found || length + 3 > sizeof(application->banner))
		return NULL;
	memcpy(application->banner, found, length);
	memcpy(application->banner + length, "\r\n", 3);
	return application->banner;
}

void application_start(struct application *application, const struct memory *memory,
	const char *chatter, uint64_t now)
{
	application_stop(application);
	application->n_heard = 0;
	application->text = chatter ? chatter : take_banner(application, memory);
	application->period_nsec = NSEC_PER_SEC;
	if (chatter)
		application->period_nsec = CHATTER_NSEC;
	else if (application->options->says_once)
		application->period_nsec = 0;
	if (!application->text || !*application->text)
		return;
	application->n_text = strlen(application->text);
	application->n_sent = 0;
	application->begun_at = now + STARTING_NSEC;
	application->next_at = application->begun_at + BYTE_NSEC;
}

void application_stop(struct application *application)
{
	application->text = application->next_text = NULL;
	application->next_at = SIM_NEVER;
	application->leaves_at = SIM_NEVER;
}

static bool has_heard(const struct application *application, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	return n > 0 && n <= application->n_heard &&
	       memcmp(application->heard + application->n_heard - n, text, n) == 0;
}

/* What it is in the middle of is said to its end, and nothing over again. */
static void say(struct application *application, const char *text, uint64_t now)
{
	if (application->text && application->n_sent > 0) {
		application->next_text = text;
		return;
	}
	application->text = text;
	application->n_text = strlen(text);
	application->n_sent = 0;
	application->begun_at = now;
	application->next_at = now + BYTE_NSEC;
}

/* Between two copies; a line that was begun ends first. */
static void fall_silent(struct application *application)
{
	if (application->n_sent > 0)
		return;
	application->text = NULL;
	application->next_at = SIM_NEVER;
}

void application_receive(
	struct application *application, const struct memory *memory, uint8_t byte, uint64_t now)
{
	const struct sim_options *options = application->options;

	if (application->leaves_at != SIM_NEVER)
		return;
	if (application->n_heard == sizeof(application->heard)) {
		application->n_heard /= 2;
		memmove(application->heard, application->heard + application->n_heard,
			application->n_heard);
	}
	application->heard[application->n_heard++] = (char)byte;
	if (has_heard(application, options->command)) {
		memory->counters->application_commands++;
		application->leaves_at = now + LEAVING_NSEC;
		application->period_nsec = 0;
		fall_silent(application);
		if (options->reply)
			say(application, options->reply, now);
	} else if (has_heard(application, options->query)) {
		const char *banner = take_banner(application, memory);

		if (banner)
			say(application, banner, now);
	}
}

static void repeat(struct application *application)
{
	application->n_sent = 0;
	application->begun_at += application->period_nsec;
	if (application->begun_at < application->next_at - BYTE_NSEC)
		application->begun_at = application->next_at - BYTE_NSEC;
	application->next_at = application->begun_at + BYTE_NSEC;
}

uint8_t application_take(struct application *application)
{
	uint8_t byte = (uint8_t)application->text[application->n_sent++];
	uint64_t out_at = application->next_at;

	application->next_at += BYTE_NSEC;
	if (application->n_sent < application->n_text)
		return byte;
	if (application->next_text) {
		application->n_sent = 0;
		say(application, TAKE_PTR(application->next_text), out_at);
	} else if (application->period_nsec) {
		repeat(application);
	} else {
		application->n_sent = 0;
		fall_silent(application);
	}
	return byte;
}
