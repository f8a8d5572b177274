/* SPDX-License-Identifier: MIT */
/* ELF: any bytes, through libelf. */
#include "fuzz.h"

/* As of a large file: parts inside it, and no more bytes than allowed. */
static void must_pick(const uint8_t *data, size_t size)
{
	struct folder_part parts[FOLDER_MAX_PARTS];
	size_t n = image_pick_parts(data, size, size, FUZZ_MAX_BYTES, parts);
	uint64_t n_bytes = 0;

	MUST(n <= FOLDER_MAX_PARTS);
	for (size_t i = 0; i < n; i++) {
		MUST(parts[i].offset + parts[i].size <= size);
		n_bytes += parts[i].size;
	}
	MUST(n == 0 || n_bytes <= FUZZ_MAX_BYTES + parts[0].size + parts[1].size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_read(&image_format_elf, data, size);
	must_pick(data, size);
	return 0;
}
