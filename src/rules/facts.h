/* SPDX-License-Identifier: MIT */
/*
 * facts.h - the facts that the kernel and udev have of a bridge. The texts are raw USB descriptors,
 * and the maker of the device chose them: they are compared, never used as a path, key or format.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct facts {
	char *port;	    /* device node, "/dev/ttyUSB0" */
	char *sysfs;	    /* path of the tty below /sys: tells one plug-in from the next */
	dev_t devnum;	    /* of the node; checked again after the port is opened */
	uint16_t vendor_id; /* idVendor */
	uint16_t product_id;
	char *serial; /* iSerialNumber, NULL where the bridge has none */
	char *product;
	char *manufacturer;
	char *usb_path; /* ID_PATH: the slot */
	int interface;	/* bInterfaceNumber, -1 unknown */
	char *driver;	/* "cp210x" */
};

void facts_done(struct facts *facts);

/* Deep copy; 0 or -ENOMEM. */
int facts_copy(const struct facts *from, struct facts *ret);
