/* SPDX-License-Identifier: MIT */
/*
 * vhci.h - ports of the kernel's virtual USB host controllers (module vhci-hcd), through sysfs.
 *
 * Debian's kernel has eight controllers with fifteen full-speed ports each: 0 to 14, 30 to 44 and
 * so on.
 */
#pragma once

/*
 * The lowest full-speed port that is free, of those not below `from`, or where these are in use of
 * all; or -errno: -ENOENT without the module, -EBUSY if none is.
 */
int vhci_find_port(int from);

/* Plugs in what answers at the other end of `fd`, a stream socket. 0 or -errno; -EBUSY: not free.
 */
int vhci_attach(int port, int fd);

/* Pulls it; the port is free again some milliseconds later. */
int vhci_detach(int port);
