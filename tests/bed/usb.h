/* SPDX-License-Identifier: MIT */
/*
 * usb.h - a bridge in the bed's sysfs: USB device, interface, serial port and tty, with what the
 * kernel and udev say of them.
 */
#pragma once

#include <stdint.h>
#include <umockdev.h>

struct usb_bridge {
	char port[16];	/* "1-1.2" */
	char tty[16];	/* "ttyUSB0" */
	unsigned minor; /* of the tty */
	uint16_t vendor, product_id;
	const char *serial, *product, *manufacturer; /* NULL: no such descriptor; borrowed */
	unsigned interface;
	const char *driver; /* borrowed */
};

/* Makes the devices without any event; the USB device only where it is not there yet. */
void usb_add(UMockdevTestbed *testbed, const struct usb_bridge *bridge);

/* The USB device goes with its last interface. */
void usb_remove(UMockdevTestbed *testbed, const struct usb_bridge *bridge);

/* All write into `to` and return it. */
char *usb_tty_devpath(const struct usb_bridge *bridge, char *to, size_t size);
char *usb_id_path(const struct usb_bridge *bridge, char *to, size_t size);

/* What udevd adds to an event of the tty, a line each. */
char *usb_tty_properties(const struct usb_bridge *bridge, char *to, size_t size);
