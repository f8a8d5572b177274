/* SPDX-License-Identifier: MIT */
/* ELF: any bytes, through libelf. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_read(&image_format_elf, data, size);
	return 0;
}
