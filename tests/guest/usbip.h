/* SPDX-License-Identifier: MIT */
/*
 * usbip.h - the packets of USB/IP, as the kernel's vhci_hcd speaks them on a socket
 * (Documentation/usb/usbip_protocol.rst): a header of 48 bytes, all numbers big-endian, and data.
 *
 * It owns no descriptor and keeps no state.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define USBIP_HEADER 48

/* One request of the host: a transfer, or that an earlier one is taken back. */
struct usbip_request {
	bool is_unlink;
	uint32_t sequence;
	uint32_t unlinked; /* sequence of the transfer that is taken back */
	bool is_in;
	uint8_t endpoint;
	uint32_t length; /* of the data: follows an OUT, is the room of an IN */
	uint8_t setup[8];
};

/* 0, or -EPROTO where it is neither or too large to be one of a serial port. */
int usbip_parse(const uint8_t header[USBIP_HEADER], struct usbip_request *ret);

/* Status is 0 or -errno, `actual` how many bytes went over the wire. */
void usbip_format_done(
	uint8_t header[USBIP_HEADER], uint32_t sequence, int status, uint32_t actual);

/* Answer to an unlink: -ECONNRESET where the transfer was still pending, 0 where it was done. */
void usbip_format_unlinked(uint8_t header[USBIP_HEADER], uint32_t sequence, int status);
