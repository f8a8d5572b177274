/* SPDX-License-Identifier: MIT */
/* What must hold of an image and of a reason, whatever file they came of. */
#include <stdbool.h>

#include "base/text.h"
#include "fuzz.h"

void fuzz_must_be_sentence(const char *text)
{
	size_t n = strnlen(text, sizeof(((struct reason *)NULL)->text));

	MUST(n > 0 && n < sizeof(((struct reason *)NULL)->text));
	MUST(text_is_utf8(text, n));
	for (size_t i = 0; i < n; i++)
		MUST((unsigned char)text[i] >= ' ' && text[i] != 0x7F);
}

void fuzz_must_be_image(const struct image *image)
{
	uint64_t total = 0;

	MUST(image->n_segments > 0);
	for (size_t i = 0; i < image->n_segments; i++) {
		const struct segment *segment = &image->segments[i];
		uint8_t last;

		MUST(segment->size > 0);
		MUST((uint64_t)segment->address + segment->size <= UINT32_MAX);
		MUST(i == 0 || (uint64_t)segment[-1].address + segment[-1].size < segment->address);
		last = segment->data[segment->size - 1];
		MUST(image_byte(image, segment->address + segment->size - 1) == last);
		total += segment->size;
	}
	MUST(total <= FUZZ_MAX_BYTES);
	MUST(total == image_bytes(image));
}

/* "line 7: ", "offset 44: ", "program header at offset 52: ", "element at offset 285: " */
static bool names_a_place(const char *text)
{
	static const char *const places[] = {
		"line ", "offset ", "program header at offset ", "element at offset "};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		size_t n = strlen(places[i]);
		size_t n_digits;

		if (strncmp(text, places[i], n) != 0)
			continue;
		n_digits = strspn(text + n, "0123456789");
		return n_digits > 0 && strncmp(text + n + n_digits, ": ", 2) == 0;
	}
	return false;
}

void fuzz_read(const struct image_format *format, const uint8_t *data, size_t size)
{
	const struct image_options options = {.address = 0x08000000, .max_bytes = FUZZ_MAX_BYTES};
	struct image image = {};
	struct reason reason = {};
	int r;

	if (size == 0) /* image_read() hands no empty file to a reader */
		return;
	r = format->read(data, size, &options, &image, &reason);
	MUST(r == IMAGE_OK || r == IMAGE_REFUSED);
	if (r == IMAGE_OK) {
		MUST(reason.text[0] == '\0');
		fuzz_must_be_image(&image);
	} else {
		fuzz_must_be_sentence(reason.text);
		MUST(names_a_place(reason.text));
	}
	image_done(&image);
}
