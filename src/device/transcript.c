/* SPDX-License-Identifier: MIT */
/* transcript.c - see transcript.h. One line is made at a time, and goes in whole or not at all. */
#include "device/transcript.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/util.h"
#include "rules/wiring.h"

/* The text begins with so much room, and doubles it. */
#define FIRST_ROOM (64 * 1024)

/* Of the most that it may have, for the lines of the end. */
#define RESERVE 4096

/* The longest line is one of the rule, whose values may be long. */
#define LINE_ROOM 4096

struct transcript {
	char *text;
	size_t n_text, n_room, most;
	uint64_t n_left_out; /* lines */
	bool with_image;
	bool has_begun; /* `began` is time 0 */
	uint64_t began, last;

	/* Bytes that were read and have no line yet, since more may follow them closely. */
	uint8_t waiting[TRANSCRIPT_LINE_BYTES];
	size_t n_waiting;
	uint64_t waiting_since; /* when the last of them was read */

	/* What loaders say of the bytes. */
	unsigned depth; /* of what has begun and not ended */
	enum transcript_matter matter;
	uint32_t address;
	size_t n_matter;
	uint64_t n_heard; /* since then */
	bool differs, is_filled;
	uint64_t differs_at; /* of these */
	uint8_t filler;
	const struct image *image; /* borrowed */
};

static const char *const matters[TRANSCRIPT_MATTER_MAX] = {
	[TRANSCRIPT_FLASH] = "flash",
	[TRANSCRIPT_FLASH_RAW] = "flash",
	[TRANSCRIPT_UNIT] = "unit",
};

int transcript_new(size_t most_bytes, bool with_image, struct transcript **ret)
{
	struct transcript *transcript = calloc(1, sizeof(*transcript));

	if (!transcript)
		return -ENOMEM;
	transcript->text = malloc(FIRST_ROOM);
	if (!transcript->text)
		return transcript_free(transcript), -ENOMEM;
	transcript->n_room = FIRST_ROOM;
	transcript->most = most_bytes < TRANSCRIPT_LEAST ? TRANSCRIPT_LEAST : most_bytes;
	transcript->with_image = with_image;
	transcript_note(transcript, TRANSCRIPT_FORMAT);
	*ret = transcript;
	return 0;
}

struct transcript *transcript_free(struct transcript *transcript)
{
	if (transcript)
		free(transcript->text);
	free(transcript);
	return NULL;
}

bool transcript_has_image(const struct transcript *transcript)
{
	return transcript && transcript->with_image;
}

void transcript_set_image(struct transcript *transcript, const struct image *image)
{
	if (transcript)
		transcript->image = image;
}

/* ------------------------------------------------------------------ lines */

static bool make_room(struct transcript *transcript, size_t n)
{
	size_t room = transcript->n_room;
	char *larger;

	while (transcript->n_text + n > room)
		room *= 2;
	if (room == transcript->n_room)
		return true;
	larger = realloc(transcript->text, room);
	if (!larger)
		return false;
	transcript->text = larger;
	transcript->n_room = room;
	return true;
}

/* `line` ends in its line break. */
static void add(struct transcript *transcript, const char *line, size_t n, size_t reserve)
{
	if (transcript->n_text + n + reserve > transcript->most || !make_room(transcript, n)) {
		transcript->n_left_out++;
		return;
	}
	memcpy(transcript->text + transcript->n_text, line, n);
	transcript->n_text += n;
}

static void add_waiting(struct transcript *transcript);

static void add_formatted(struct transcript *transcript, size_t reserve, const char *time,
	const char *format, va_list ap)
{
	char line[LINE_ROOM];
	size_t n_time = strlen(time);
	int n;

	memcpy(line, time, n_time);
	n = vsnprintf(line + n_time, sizeof(line) - n_time - 1, format, ap);
	if (n < 0)
		return;
	n += (int)n_time;
	if ((size_t)n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n] = '\n';
	add(transcript, line, (size_t)n + 1, reserve);
}

void transcript_note(struct transcript *transcript, const char *format, ...)
{
	va_list ap;

	if (!transcript)
		return;
	add_waiting(transcript);
	va_start(ap, format);
	add_formatted(transcript, RESERVE, "", format, ap);
	va_end(ap);
}

void transcript_close(struct transcript *transcript, const char *format, ...)
{
	va_list ap;

	if (!transcript)
		return;
	add_waiting(transcript);
	va_start(ap, format);
	add_formatted(transcript, 0, "", format, ap);
	va_end(ap);
}

void transcript_end_text(struct transcript *transcript)
{
	if (transcript && transcript->n_left_out > 0)
		transcript_close(transcript, "left-out %" PRIu64, transcript->n_left_out);
	transcript_close(transcript, "[end]");
}

#define TIME_ROOM 32

/* "0.012345 " since the first event. */
static const char *tell_time(struct transcript *transcript, uint64_t now, char to[static TIME_ROOM])
{
	uint64_t usec;

	if (!transcript->has_begun) {
		transcript->has_begun = true;
		transcript->began = now;
	}
	usec = now > transcript->began ? now - transcript->began : 0;
	if (usec < transcript->last)
		usec = transcript->last;
	transcript->last = usec;
	snprintf(to, TIME_ROOM, "%" PRIu64 ".%06u ", usec / USEC_PER_SEC,
		(unsigned)(usec % USEC_PER_SEC));
	return to;
}

void transcript_event(struct transcript *transcript, uint64_t now, const char *format, ...)
{
	char time[TIME_ROOM];
	va_list ap;

	if (!transcript)
		return;
	add_waiting(transcript);
	va_start(ap, format);
	add_formatted(transcript, RESERVE, tell_time(transcript, now, time), format, ap);
	va_end(ap);
}

void transcript_called(struct transcript *transcript, uint64_t now, int r, const char *format, ...)
{
	char text[256];
	va_list ap;

	if (!transcript)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (r < 0)
		transcript_event(transcript, now, "%s failed %s", text, strerrorname_np(-r));
	else
		transcript_event(transcript, now, "%s", text);
}

/* ------------------------------------------------------------------ what the port does */

static bool is_cut(const struct transcript *transcript)
{
	return transcript->depth > 0 && transcript->matter != TRANSCRIPT_UNIT &&
	       !transcript->with_image;
}

/* At most a line of them; cut ones are only counted. */
static void add_line(
	struct transcript *transcript, uint64_t now, char way, const uint8_t *bytes, size_t n_bytes)
{
	static const char digits[] = "0123456789abcdef";
	char line[TIME_ROOM + 3 * TRANSCRIPT_LINE_BYTES + 4], *to;

	tell_time(transcript, now, line);
	to = line + strlen(line);
	*to++ = way;
	for (size_t i = 0; i < n_bytes; i++) {
		*to++ = ' ';
		*to++ = digits[bytes[i] >> 4];
		*to++ = digits[bytes[i] & 0x0F];
	}
	*to++ = '\n';
	add(transcript, line, (size_t)(to - line), RESERVE);
}

static void add_cut(struct transcript *transcript, uint64_t now, char way, size_t n_bytes)
{
	char line[TIME_ROOM + 32];
	size_t n;

	tell_time(transcript, now, line);
	n = strlen(line);
	n += (size_t)snprintf(line + n, sizeof(line) - n, "%c cut %zu\n", way, n_bytes);
	add(transcript, line, n, RESERVE);
}

/* Gives the bytes that were read last their line. */
static void add_waiting(struct transcript *transcript)
{
	size_t n = transcript->n_waiting;

	transcript->n_waiting = 0;
	if (n > 0 && is_cut(transcript))
		add_cut(transcript, transcript->waiting_since, '<', n);
	else if (n > 0)
		add_line(transcript, transcript->waiting_since, '<', transcript->waiting, n);
}

static void add_heard(
	struct transcript *transcript, uint64_t now, const uint8_t *bytes, size_t n_bytes)
{
	if (now - transcript->waiting_since > TRANSCRIPT_CLOSE_USEC)
		add_waiting(transcript);
	transcript->waiting_since = now;
	if (is_cut(transcript)) {
		transcript->n_waiting += n_bytes;
		return;
	}
	for (size_t i = 0; i < n_bytes; i++) {
		if (transcript->n_waiting == sizeof(transcript->waiting))
			add_waiting(transcript);
		transcript->waiting[transcript->n_waiting++] = bytes[i];
	}
}

static void add_sent(
	struct transcript *transcript, uint64_t now, const uint8_t *bytes, size_t n_bytes)
{
	add_waiting(transcript);
	if (is_cut(transcript)) {
		add_cut(transcript, now, '>', n_bytes);
		return;
	}
	for (size_t at = 0; at < n_bytes; at += TRANSCRIPT_LINE_BYTES) {
		size_t left = n_bytes - at;

		add_line(transcript, now, '>', bytes + at,
			left < TRANSCRIPT_LINE_BYTES ? left : TRANSCRIPT_LINE_BYTES);
	}
}

void transcript_sent(
	struct transcript *transcript, uint64_t now, const uint8_t *bytes, size_t n_bytes, int r)
{
	if (!transcript)
		return;
	/* How many went out before a write failed is known to nobody. */
	if (r < 0)
		transcript_called(transcript, now, r, "send %zu", n_bytes);
	else
		add_sent(transcript, now, bytes, n_bytes);
}

/* Compares what was read with what is to be there. */
static void compare(struct transcript *transcript, const uint8_t *bytes, size_t n_bytes)
{
	for (size_t i = 0; i < n_bytes; i++) {
		uint32_t address = (uint32_t)(transcript->address + transcript->n_heard);
		uint8_t wanted = transcript->image ? image_byte(transcript->image, address) : 0xFF;

		if (transcript->n_heard == 0)
			transcript->filler = bytes[0];
		transcript->is_filled = (transcript->n_heard == 0 || transcript->is_filled) &&
					bytes[i] == transcript->filler;
		if (bytes[i] != wanted && !transcript->differs) {
			transcript->differs = true;
			transcript->differs_at = transcript->n_heard;
		}
		transcript->n_heard++;
	}
}

void transcript_heard(
	struct transcript *transcript, uint64_t now, const uint8_t *bytes, size_t n_bytes, int r)
{
	if (!transcript)
		return;
	if (r == -ETIMEDOUT) {
		transcript_event(transcript, now, "silence");
		return;
	}
	if (r < 0) {
		transcript_called(transcript, now, r, "read");
		return;
	}
	if (transcript->depth > 0 && transcript->matter == TRANSCRIPT_FLASH_RAW)
		compare(transcript, bytes, n_bytes);
	add_heard(transcript, now, bytes, n_bytes);
}

void transcript_lines(struct transcript *transcript, uint64_t now, unsigned lines, int r)
{
	transcript_called(transcript, now, r, "lines dtr=%d,rts=%d", (lines & LINE_DTR) != 0,
		(lines & LINE_RTS) != 0);
}

void transcript_rate(
	struct transcript *transcript, uint64_t now, uint32_t baud, bool has_even_parity, int r)
{
	transcript_called(
		transcript, now, r, "rate %" PRIu32 " 8%c1", baud, has_even_parity ? 'E' : 'N');
}

/* ------------------------------------------------------------------ what loaders say of it */

void transcript_begin(struct transcript *transcript, enum transcript_matter matter,
	uint32_t address, size_t n_bytes)
{
	if (!transcript || transcript->depth > 0) {
		if (transcript)
			transcript->depth++;
		return;
	}
	/* What was read before is not of it. */
	add_waiting(transcript);
	transcript->depth = 1;
	transcript->matter = matter;
	transcript->address = address;
	transcript->n_matter = n_bytes;
	transcript->n_heard = transcript->differs_at = 0;
	transcript->differs = transcript->is_filled = false;
	if (matter == TRANSCRIPT_UNIT)
		transcript_note(transcript, "begin %s", matters[matter]);
	else
		transcript_note(transcript, "begin %s 0x%08" PRIx32 "+%zu", matters[matter],
			address, n_bytes);
}

void transcript_end(struct transcript *transcript)
{
	if (!transcript || transcript->depth > 1) {
		if (transcript)
			transcript->depth--;
		return;
	}
	add_waiting(transcript);
	transcript->depth = 0;
	if (transcript->matter != TRANSCRIPT_FLASH_RAW || transcript->n_heard == 0)
		transcript_note(transcript, "end");
	else if (!transcript->differs)
		transcript_note(transcript, "end same");
	else if (transcript->is_filled &&
		 (transcript->filler == 0x00 || transcript->filler == 0xFF))
		transcript_note(transcript, "end filled 0x%02x", transcript->filler);
	else
		transcript_note(transcript, "end other 0x%08" PRIx32,
			(uint32_t)(transcript->address + transcript->differs_at));
}

bool transcript_is_in_flash(
	const struct transcript *transcript, uint32_t *ret_address, size_t *ret_n)
{
	if (!transcript || transcript->depth == 0 || transcript->matter == TRANSCRIPT_UNIT)
		return false;
	*ret_address = transcript->address;
	*ret_n = transcript->n_matter;
	return true;
}

/* ------------------------------------------------------------------ the end */

bool transcript_is_empty(const struct transcript *transcript)
{
	return transcript->n_text <= strlen(TRANSCRIPT_FORMAT "\n");
}

const char *transcript_text(const struct transcript *transcript, size_t *ret_n)
{
	*ret_n = transcript->n_text;
	return transcript->text;
}

int transcript_write(const struct transcript *transcript, int fd)
{
	return write_whole(fd, transcript->text, transcript->n_text);
}
