/* SPDX-License-Identifier: MIT */
#include "rules/facts.h"

#include <errno.h>

#include "base/text.h"

void facts_done(struct facts *facts)
{
	free(facts->port);
	free(facts->sysfs);
	free(facts->serial);
	free(facts->product);
	free(facts->manufacturer);
	free(facts->usb_path);
	free(facts->driver);
	*facts = (struct facts){.interface = -1};
}

int facts_copy(const struct facts *from, struct facts *ret)
{
	struct facts made CLEANUP(facts_done) = {.interface = -1};

	if (text_duplicate(from->port, &made.port) < 0 ||
		text_duplicate(from->sysfs, &made.sysfs) < 0 ||
		text_duplicate(from->serial, &made.serial) < 0 ||
		text_duplicate(from->product, &made.product) < 0 ||
		text_duplicate(from->manufacturer, &made.manufacturer) < 0 ||
		text_duplicate(from->usb_path, &made.usb_path) < 0 ||
		text_duplicate(from->driver, &made.driver) < 0)
		return -ENOMEM;
	made.devnum = from->devnum;
	made.vendor_id = from->vendor_id;
	made.product_id = from->product_id;
	made.interface = from->interface;
	*ret = made;
	made = (struct facts){.interface = -1};
	return 0;
}
