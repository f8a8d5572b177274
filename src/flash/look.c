/* SPDX-License-Identifier: MIT */
#include "flash/look.h"

#include <errno.h>

#include "flash/verify.h"

/* By steps of the loader's block. A bent byte would be another layout: each is read twice. */
static int look_at(void *userdata, uint32_t address, uint8_t *to, size_t n)
{
	struct look *look = userdata;
	uint32_t most = look->run->loader->ops->block_size;

	for (size_t done = 0, part; done < n; done += part) {
		uint32_t at = address + (uint32_t)done;
		int r = 0;

		part = n - done < most ? n - done : most;
		look->outcome = run_check_block(look->run);
		if (look->outcome == GO_ON)
			r = verify_read(look->run, at, to + done, part);
		if (r != 0)
			look->outcome = run_fail_with(look->run, r, at);
		if (look->outcome != GO_ON)
			return -EIO;
	}
	return 0;
}

void look_begin(struct run *run, struct look *look)
{
	const struct chip_identity *identity = &run->identity;

	*look = (struct look){.run = run, .outcome = GO_ON};
	look->flash = (struct family_flash){
		.read = run->loader->ops->read && !identity->proves_nothing ? look_at : NULL,
		.userdata = look,
		.flash_bytes = identity->flash_bytes,
		.revision = identity->revision,
		.has_revision = identity->has_revision,
	};
}
