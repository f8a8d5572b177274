/* SPDX-License-Identifier: MIT */
/* Both formats of Silicon Labs by the first byte, their sums made right half of the time. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0)
		fuzz_read(data[0] == 0xEB ? &image_format_gbl : &image_format_ebl, data, size);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size = LLVMFuzzerMutate(data, size, max_size);
	if (seed % 2)
		fuzz_mend_crc(data, size, true);
	return size;
}
