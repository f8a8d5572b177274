/* SPDX-License-Identifier: MIT */
#include "rules/facts.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

void facts_done(struct facts *facts)
{
	free(facts->port);
	free(facts->sysfs);
	free(facts->serial);
	free(facts->product);
	free(facts->manufacturer);
	free(facts->path);
	free(facts->driver);
	*facts = (struct facts){.interface = -1};
}

static int copy_text(const char *from, char **ret)
{
	*ret = from ? strdup(from) : NULL;
	return from && !*ret ? -ENOMEM : 0;
}

int facts_copy(const struct facts *from, struct facts *ret)
{
	struct facts made CLEANUP(facts_done) = {.interface = -1};

	if (copy_text(from->port, &made.port) < 0 || copy_text(from->sysfs, &made.sysfs) < 0 ||
		copy_text(from->serial, &made.serial) < 0 ||
		copy_text(from->product, &made.product) < 0 ||
		copy_text(from->manufacturer, &made.manufacturer) < 0 ||
		copy_text(from->path, &made.path) < 0 || copy_text(from->driver, &made.driver) < 0)
		return -ENOMEM;
	made.devnum = from->devnum;
	made.vendor_id = from->vendor_id;
	made.product_id = from->product_id;
	made.interface = from->interface;
	*ret = made;
	made = (struct facts){.interface = -1};
	return 0;
}
