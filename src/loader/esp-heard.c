/* SPDX-License-Identifier: MIT */
/*
 * esp-heard.c - the lines that an ESP prints behind a reset, and their meaning.
 *
 * The ROM tells the cause of the reset and the boot word ("rst:0x1 (POWERON_RESET),boot:0x13
 * (SPI_FAST_FLASH_BOOT)"), then either "waiting for download", or what it loads from the flash. The
 * name behind the boot word decides: the bits of the word mean other pins on each chip. A flash
 * with nothing to start shows as lines of complaint and as resets that repeat. One complaint alone
 * is no failure: the second loader complains of a slot that is empty, and starts another. Nor is
 * one more reset: an application may restart itself once.
 */
#include "loader/esp-heard.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/text.h"
#include "base/util.h"

/* Resets within the time that is listened, after which nobody hopes for the next. */
#define STARTS_OF_A_LOOP 3

/* Some ROMs complain without an end, others reset in between (esp-rom.md 2.6). */
#define COMPLAINTS_OF_A_LOOP 4

static const char *const of_rom[] = {
	"invalid header", "flash read err", "ets_main.c", "ets_loader.c", "csum err"};

/* Of the second loader and of ESP-IDF's panic handler: fatal where a reset follows (esp-rom.md 13).
 */
static const char *const of_flash[] = {"not bootable", "o bootable app", "invalid magic byte",
	"Guru Meditation Error", "rownout detector was triggered", "abort() was called"};

static bool is_one_of(const char *line, const char *const list[], size_t n_list)
{
	for (size_t i = 0; i < n_list; i++)
		if (strstr(line, list[i]))
			return true;
	return false;
}

static void say(struct loader_words *words, const char *line)
{
	snprintf(words->said, sizeof(words->said), "%s", line);
}

static void enter_start(struct loader_words *words, enum loader_start start, const char *line)
{
	words->start = start;
	words->is_waiting = false;
	snprintf(words->boot, sizeof(words->boot), "%s", line);
	if (words->n_complaints == 0)
		say(words, line);
}

/*
 * Whether the word has the boot pin high: its bit is 0x10 on an ESP32, 0x08 on all later chips
 * (esp-rom.md 2). For a line in which a byte was lost: the name of the mode tells more.
 */
static bool has_boot_pin(const char *boot)
{
	const char *digits = boot + strlen("boot:0x");
	uint64_t word;

	return parse_digits(&digits, 16, &word) == 0 && (word & 0x18);
}

/* "boot:0x13 (SPI_FAST_FLASH_BOOT)", or "boot mode:(3,6)" of the ESP8266. */
static void take_boot_word(struct loader_words *words, const char *line)
{
	const char *mode = strstr(line, "boot mode:("), *boot = strstr(line, "boot:0x");

	if (mode) {
		mode += strlen("boot mode:(");
		enter_start(words,
			mode[0] == '1'	 ? LOADER_START_LOADER
			: mode[0] == '3' ? LOADER_START_FLASH
					 : LOADER_START_ODD,
			line);
		/* This ROM says nothing more. */
		words->is_waiting = words->start == LOADER_START_LOADER;
	} else if (boot && strstr(boot, "DOWNLOAD")) {
		enter_start(words, LOADER_START_LOADER, line);
	} else if (boot && (strstr(boot, "FLASH") || has_boot_pin(boot))) {
		enter_start(words, LOADER_START_FLASH, line);
	} else if (boot) {
		enter_start(words, LOADER_START_ODD, line);
	}
}

/* "ESP-ROM:esp32c3-api1-20210207", "ets Jul 29 2019 12:21:46"; noise may stand before it. */
static void take_rom(struct loader_words *words, const char *line)
{
	const char *rom = strstr(line, "ESP-ROM:");

	rom = rom ? rom : strstr(line, "ets ");
	if (rom)
		snprintf(words->rom, sizeof(words->rom), "%s", rom);
}

static void take_line(struct loader_words *words, const char *line)
{
	take_rom(words, line);
	if (strstr(line, "rst:0x") || strstr(line, "rst cause:"))
		words->n_starts++;
	take_boot_word(words, line);
	if (strstr(line, "waiting for download")) {
		words->start = LOADER_START_LOADER;
		words->is_waiting = true;
		say(words, line);
	} else if (is_one_of(line, of_rom, ARRAY_SIZE(of_rom)) ||
		   is_one_of(line, of_flash, ARRAY_SIZE(of_flash))) {
		words->n_of_rom += is_one_of(line, of_rom, ARRAY_SIZE(of_rom));
		/* The first one is the cause. */
		if (words->n_complaints++ == 0)
			say(words, line);
	}
	if (words->start == LOADER_START_LOADER)
		return;
	/* A mode whose name arrived bent: something is loaded all the same. */
	if (words->start == LOADER_START_ODD &&
		(strstr(line, "load:0x") || strstr(line, "entry 0x")))
		words->start = LOADER_START_FLASH;
	if (words->n_starts >= STARTS_OF_A_LOOP || words->n_of_rom >= COMPLAINTS_OF_A_LOOP ||
		(words->n_complaints > 0 && words->n_starts > 1))
		words->start = LOADER_START_FAILED;
}

/* A line may begin behind noise, and end in CR, LF or both. What is too long for one is cut. */
void esp_heard_take(struct loader_words *words, const uint8_t *bytes, size_t n_bytes)
{
	for (size_t i = 0; i < n_bytes; i++) {
		char c = (char)bytes[i];
		bool is_end = c == '\r' || c == '\n';

		words->n_bytes++;
		words->n_letters += is_end || c == '\t' || (c >= 0x20 && c <= 0x7E);
		if (words->start == LOADER_START_UNHEARD)
			words->start = LOADER_START_OTHER;
		if (!is_end && words->n_line + 1 < sizeof(words->line))
			words->line[words->n_line++] = c ? c : ' ';
		if (!is_end || words->n_line == 0)
			continue;
		words->line[words->n_line] = '\0';
		words->n_line = 0;
		if (words->start == LOADER_START_OTHER && !words->said[0])
			say(words, words->line);
		text_copy(words->last, sizeof(words->last), words->line);
		take_line(words, words->line);
	}
}

bool esp_heard_is_there(const uint8_t *bytes, size_t n_bytes)
{
	static const char *const marks[] = {"ESP-ROM:", "ets Jun  8 2016", "ets Jul 29 2019",
		"ets Jan  8 2013", "waiting for download", "),boot:0x"};
	char text[256];
	size_t n = n_bytes < sizeof(text) ? n_bytes : sizeof(text) - 1;

	for (size_t i = 0; i < n; i++)
		text[i] = bytes[i] ? (char)bytes[i] : ' ';
	text[n] = '\0';
	return is_one_of(text, marks, ARRAY_SIZE(marks));
}

/* Of bytes received at a wrong rate hardly a third are printable. */
static bool is_text(const struct loader_words *words)
{
	return words->n_bytes >= 3 && words->n_letters * 4 >= words->n_bytes * 3;
}

#define QUOTED_MOST 80
#define NOISE_MOST  12

/* What has no room is cut. */
static void PRINTF_LIKE(2, 3) tell(char to[static HEARD_ADVICE_MAX], const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(to, HEARD_ADVICE_MAX, format, ap);
	va_end(ap);
}

char *esp_heard_explain(const struct loader_words *words, bool has_lines, bool is_garbled,
	char to[static HEARD_ADVICE_MAX])
{
	bool is_8266 = words->baud == ESP_HEARD_8266_BAUD && words->start > LOADER_START_OTHER;
	const char *chip = is_8266 ? "the ESP8266 (its text comes at 74880 baud)" : "the chip";
	char text[LOADER_WORDS_LINE], said[TEXT_MAX];

	text_copy(text, is_text(words) ? QUOTED_MOST + 1 : NOISE_MOST + 1,
		words->said[0] ? words->said : words->line);
	text_escape(text, said, sizeof(said));
	/* Without a reset the chip has nothing to say. */
	if (!has_lines) {
		tell(to, "%s",
			": no line of the bridge resets the chip (`entry`), so it must be in its boot loader before it is plugged in: hold BOOT and press EN; else check that RX and TX are crossed");
		return to;
	}
	switch (words->start) {
	case LOADER_START_LOADER:
		tell(to,
			", but %s says '%s': it waits in its boot loader and does not hear: check the TX path, from TX of the bridge to RX of the chip, and that nothing else drives that line",
			chip, said);
		break;
	case LOADER_START_FLASH:
	case LOADER_START_FAILED:
		tell(to,
			", but %s starts from its flash ('%s'): the boot pin is high as reset ends: check `wiring` (DTR to the boot pin), or hold BOOT as it is plugged in; if it works now and then, EN lacks its capacitor (1 uF)",
			chip, said);
		break;
	case LOADER_START_ODD:
		tell(to,
			", but %s starts neither its boot loader nor its flash ('%s'): check the strapping pins beside the boot pin (GPIO8 high on C and H types, GPIO2 low on the ESP32)",
			chip, said);
		break;
	case LOADER_START_OTHER:
		if (is_text(words))
			tell(to,
				", but something speaks that is no ESP's boot loader ('%s'): the reset does not reach the chip (`wiring`, RTS to EN), or it is no ESP and needs a rule with another `protocol`",
				said);
		else
			tell(to,
				", but bytes that are no text ('%s'), neither at 115200 nor at 74880 baud: noise, an application at another rate that no reset ends (`wiring`), or a weak supply",
				said);
		break;
	case LOADER_START_UNHEARD:
		tell(to, "%s",
			is_garbled
				? ", bytes that are no answer: TX and RX connected with each other, or noise"
				: ", and nothing at all was heard: check power, reset (`wiring`, RTS to EN), that RX and TX are crossed, and whether it is an ESP at all");
		break;
	}
	return to;
}
