/* SPDX-License-Identifier: MIT */
/*
 * print-image FILE [ADDRESS]: what image_read() makes of the file, a line a segment with address,
 * size and SHA-256, so that a script can compare formats; or the reason why it is refused.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "image/digest.h"
#include "image/image.h"
#include "image/library.h"

#define MAX_FILE_BYTES	(64 * 1024 * 1024)
#define MAX_IMAGE_BYTES (2 * 1024 * 1024)

static int read_image(const char *path, uint32_t address, struct image *ret, struct reason *reason)
{
	CLEANUP(library_file_done) struct library_file file = {};
	CLEANUP(freep) char *folder = strdup(path);
	struct image_options options = {.address = address, .max_bytes = MAX_IMAGE_BYTES};
	char *slash = strrchr(folder, '/');
	const char *name = slash ? slash + 1 : path;
	int r;

	if (slash)
		*slash = '\0';
	r = library_read(slash ? folder : ".", name, MAX_FILE_BYTES, &file, reason);
	options.args = file.args.n_parts > 0 ? &file.args : NULL;
	return r == 0 ? image_read(name, file.data, file.n_data, &options, ret, reason) : r;
}

int main(int argc, char **argv)
{
	CLEANUP(image_done) struct image image = {};
	struct reason reason = {};
	uint32_t address = 0x08000000;

	if (argc < 2 || argc > 3 || (argc == 3 && parse_u32(argv[2], &address) != 0)) {
		fprintf(stderr, "usage: print-image FILE [ADDRESS]\n");
		return 2;
	}
	if (read_image(argv[1], address, &image, &reason) != 0) {
		printf("%s\n", reason.text);
		return 1;
	}
	for (size_t i = 0; i < image.n_segments; i++) {
		const struct segment *segment = &image.segments[i];
		char digest[DIGEST_HEX_SIZE];

		digest_sha256(segment->data, segment->size, digest);
		printf("0x%08" PRIx32 " %" PRIu32 " %s\n", segment->address, segment->size, digest);
	}
	return 0;
}
