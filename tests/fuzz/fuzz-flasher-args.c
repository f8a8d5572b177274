/* SPDX-License-Identifier: MIT */
/*
 * A JSON text as ESP-IDF's build leaves it, read; and where it is understood, the image that it
 * makes with parts of a few bytes each, their sizes taken from its own bytes.
 */
#include "base/util.h"
#include "fuzz.h"
#include "image/flasher-args.h"
#include "image/folder.h"

static void must_be_parts(const struct flasher_args *args)
{
	MUST(args->n_parts > 0 && args->n_parts <= FLASHER_ARGS_MAX_PARTS);
	MUST(!args->chip || args->chip[0] != '\0');
	for (size_t i = 0; i < args->n_parts; i++) {
		const struct image_part *part = &args->parts[i];

		MUST(part->address % FLASHER_ARGS_SECTOR == 0 && part->size == 0);
		MUST(i == 0 || part[-1].address < part->address);
		MUST(folder_path_is_beneath(part->name));
		MUST(strlen(part->name) < FLASHER_ARGS_NAME_MAX && !strchr(part->name, '\n'));
	}
}

/* Half of the sizes are of more than a sector, so that neighbours are met. */
static size_t give_sizes(struct flasher_args *args, const uint8_t *data, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < args->n_parts; i++) {
		uint8_t byte = data[i % size];

		args->parts[i].size = byte % 2 ? byte : (uint32_t)byte * 20;
		n += args->parts[i].size;
	}
	return n;
}

static void must_make_an_image(
	const struct flasher_args *args, const uint8_t *data, size_t size, size_t n_parts)
{
	const struct image_options options = {.max_bytes = FUZZ_MAX_BYTES, .args = args};
	CLEANUP(freep) uint8_t *all = malloc(size + n_parts);
	CLEANUP(image_done) struct image image = {};
	struct reason reason = {};
	int r;

	MUST(all);
	memcpy(all, data, size);
	for (size_t i = 0; i < n_parts; i++)
		all[size + i] = (uint8_t)i;
	r = image_read("x.json", all, size + n_parts, &options, &image, &reason);
	if (r != IMAGE_OK) {
		MUST(r == IMAGE_REFUSED);
		fuzz_must_be_sentence(reason.text);
		return;
	}
	fuzz_must_be_image(&image);
	MUST(image.n_parts == args->n_parts && image_bytes(&image) == n_parts);
	for (size_t i = 0; i < image.n_parts; i++)
		MUST(image_touches(&image, image.parts[i].address, image.parts[i].size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(flasher_args_done) struct flasher_args args = {};
	CLEANUP(freep) char *text = malloc(size); /* its own, so that a step beyond is seen */
	struct reason reason = {};
	int r;

	MUST(text || size == 0);
	if (size > 0)
		memcpy(text, data, size);
	r = flasher_args_read(text, size, &args, &reason);
	if (r != IMAGE_OK) {
		MUST(r == IMAGE_REFUSED && args.n_parts == 0);
		fuzz_must_be_sentence(reason.text);
		return 0;
	}
	must_be_parts(&args);
	must_make_an_image(&args, data, size, give_sizes(&args, data, size));
	return 0;
}
