/* SPDX-License-Identifier: MIT */
/*
 * facts.h - what the kernel and udev say of a bridge: raw text of the USB descriptors, chosen by
 * whoever made the device. Used to match, never as a path, a key or a format.
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
	char *path;    /* ID_PATH: the slot */
	int interface; /* bInterfaceNumber, -1 unknown */
	char *driver;  /* "cp210x" */
};

void facts_done(struct facts *facts);

/* Deep copy; 0 or -ENOMEM. */
int facts_copy(const struct facts *from, struct facts *ret);
