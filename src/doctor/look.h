/* SPDX-License-Identifier: MIT */
/*
 * look.h - the facts of this host, gathered. Nothing here opens a port, changes anything or judges;
 * what cannot be had is left as it is not known.
 *
 * `root` is put before each path that is the system's own: "" but for tests. All return 0 or
 * -ENOMEM; what they fill in is freed by host_done().
 */
#pragma once

#include "doctor/host.h"

/* The kernel's driver, udev and its rules, programs that take bridges. */
int look_driver(const char *root, struct host_driver *ret);
void look_udev(const char *root, struct host_udev *ret);
void look_programs(const char *root, struct host_programs *ret);

/* All devices of USB. */
int look_usb(const char *root, struct host *ret);

/* The ttys of bridges, as udev has them; behind look_usb(). */
int look_ports(const char *root, struct host *ret);

/*
 * The firmware of each CP2102N, asked by a control request over usbfs, which neither opens the port
 * nor touches its lines; root alone may. Behind look_ports() and look_service(): nobody who is
 * worked on is asked.
 */
void look_firmware(struct host *ret);

/* The service on the bus, and its unit. Behind look_ports(). */
int look_service(const char *root, const char *configuration, struct host *ret);

/* Behind look_service(). */
void look_store(const char *directory, struct host *ret);

void look_disks(const char *state, const char *images, struct host *ret);

/* The image directory of a configuration that is good, and the trusted keys. The surveys are the
 * caller's. */
int look_images(const struct config *config, struct host_images *ret);

void look_clock(struct host_clock *ret);
