/* SPDX-License-Identifier: MIT */
#include "guest/vhci.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

#define FOLDER "/sys/devices/platform/vhci_hcd.0"

/* VDEV_ST_NULL of the kernel's usbip_common.h, and USB_SPEED_FULL of usb/ch9.h. */
enum { STATE_FREE = 4, SPEED_FULL = 2 };

/* All controllers attach and detach through the first one; each has a status of its own. */
static FILE *open_status(unsigned controller)
{
	char path[64];

	if (controller == 0)
		return fopen(FOLDER "/status", "re");
	snprintf(path, sizeof(path), FOLDER "/status.%u", controller);
	return fopen(path, "re");
}

int vhci_find_port(int from)
{
	unsigned controller = 0;
	int lowest = -1;

	for (;; controller++) {
		CLEANUP(fclosep) FILE *status = open_status(controller);
		char line[128], hub[8];
		int port, state;

		if (!status)
			break;
		while (fgets(line, sizeof(line), status)) {
			if (sscanf(line, "%7s %d %d", hub, &port, &state) != 3 ||
				strcmp(hub, "hs") != 0 || state != STATE_FREE)
				continue;
			if (port >= from)
				return port;
			if (lowest < 0)
				lowest = port;
		}
	}
	if (controller == 0)
		return -ENOENT;
	return lowest < 0 ? -EBUSY : lowest;
}

static int tell(const char *path, const char *text)
{
	CLEANUP(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

int vhci_attach(int port, int fd)
{
	char text[64];

	/* The third number is bus and device at the server's; there is no server. */
	snprintf(text, sizeof(text), "%d %d %d %d", port, fd, port + 2, SPEED_FULL);
	return tell(FOLDER "/attach", text);
}

int vhci_detach(int port)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", port);
	return tell(FOLDER "/detach", text);
}
