/* SPDX-License-Identifier: MIT */
/* DfuSe: any bytes, and any changes with the CRC mended. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_read(&image_format_dfuse, data, size);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size = LLVMFuzzerMutate(data, size, max_size);
	if (seed % 8 != 0)
		fuzz_mend_crc(data, size, false);
	return size;
}
