/* SPDX-License-Identifier: MIT */
/* Motorola S-records: any bytes, and any records with the sums and lengths mended. */
#include <stdbool.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_read(&image_format_srec, data, size);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size = LLVMFuzzerMutate(data, size, max_size);
	if (seed % 8 != 0)
		fuzz_mend_srec(data, size, seed % 2 != 0);
	return size;
}
