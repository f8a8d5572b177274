/* SPDX-License-Identifier: MIT */
/*
 * A file as it comes: its name up to the first line end, its content behind it; told by both, read,
 * and held against a chip.
 */
#include "base/util.h"
#include "chip/family-stm32.h"
#include "chip/family.h"
#include "chip/vectors.h"
#include "flash/image-check.h"
#include "fuzz.h"

static struct stm32_row row = {.stack = {{0x20000000, 0x5000}}, .n_stack = 1};
static const struct chip chip = {
	.family = &family_stm32,
	.name = (char *)"F103xB",
	.flash = {0x08000000, 0x20000},
	.pages = {{{1024, 128, 0}}, 1},
	.write_align = 4,
	.own = &row,
};
static struct keep_range keep = {0x0801F800, 0x800};
static const struct board board = {.check_vectors = true, .keep = {&keep, 1}};

static void must_fit(const struct image *image)
{
	const struct segment *last = &image->segments[image->n_segments - 1];

	MUST(image->segments[0].address >= 0x08000000);
	MUST((uint64_t)last->address + last->size <= 0x0801F800);
}

/* Where no chip is known, with a place and without. */
static void must_be_judged(const struct image *image)
{
	const struct vector_space nowhere = {.n_stack = 0};
	struct reason reason = {};

	if (vectors_check(image, &nowhere, &reason) != IMAGE_OK)
		fuzz_must_be_sentence(reason.text);
	if (image->is_raw && vectors_check_anywhere(image, &reason) != IMAGE_OK)
		fuzz_must_be_sentence(reason.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct image_options options = {.address = 0x08000000, .max_bytes = FUZZ_MAX_BYTES};
	const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
	struct image image = {.n_segments = 77};
	struct reason reason = {};
	CLEANUP(freep) char *name = NULL;
	CLEANUP(freep) uint8_t *content = NULL;
	size_t n_content;
	int r;

	if (!newline)
		return 0;
	name = strndup((const char *)data, (size_t)(newline - data));
	n_content = size - (size_t)(newline + 1 - data);
	content = malloc(n_content); /* its own, so that a step beyond is seen */
	MUST(name && (content || n_content == 0));
	if (n_content > 0)
		memcpy(content, newline + 1, n_content);

	r = image_read(name, content, n_content, &options, &image, &reason);
	MUST(r == IMAGE_OK || r == IMAGE_REFUSED);
	if (r == IMAGE_REFUSED) {
		MUST(image.n_segments == 77);
		fuzz_must_be_sentence(reason.text);
		return 0;
	}
	MUST(image.format && reason.text[0] == '\0');
	fuzz_must_be_image(&image);
	if (image_check_chip(&board, &chip, chip.flash.size, &image, &reason) == 0)
		must_fit(&image);
	else
		fuzz_must_be_sentence(reason.text);
	must_be_judged(&image);
	image_done(&image);
	return 0;
}
