/* SPDX-License-Identifier: MIT */
/*
 * usbfs.h - the node of the bed's bridges below /dev/bus/usb: a CP210x that answers control
 * requests, made from cp210x.md 4. Only tests include it.
 */
#pragma once

#include "bed/bed.h"

struct usbfs;

/* `part` as of GET_PARTNUM; `firmware` 1.0.8 as 0x010008, 0: a clone that refuses both questions.
 */
struct usbfs *usbfs_new(struct bed *bed, uint8_t part, uint32_t firmware);
struct usbfs *usbfs_free(struct usbfs *usbfs);

/* Requests so far, and those of them that no probe of the driver makes. */
unsigned usbfs_requests(const struct usbfs *usbfs);
unsigned usbfs_strange(const struct usbfs *usbfs);
