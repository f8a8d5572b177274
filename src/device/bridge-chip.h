/* SPDX-License-Identifier: MIT */
/*
 * bridge-chip.h - which CP210x a bridge is, and its firmware: what the driver asks it at its probe,
 * and tells nobody.
 *
 * Asked over usbfs by control requests to the device (cp210x.md 4). No interface is claimed and no
 * tty is opened: the driver keeps the bridge, and DTR and RTS stay as they are. Root alone may.
 */
#pragma once

#include <stdint.h>

struct bridge_chip {
	uint8_t part;	   /* 0x02 CP2102, 0x20 to 0x22 CP2102N */
	uint32_t firmware; /* of a CP2102N, 1.0.8 as 0x010008; 0: of other parts nobody asks */
};

/*
 * The bridge whose USB device is this one below /sys. 0; -ENODEV where it is gone, -EACCES for
 * another than root, -EPIPE for a clone that does not know the question, another -errno. Each
 * question has a deadline of 0.3 s.
 */
int bridge_chip_ask(const char *sysfs, struct bridge_chip *ret);
