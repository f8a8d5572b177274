/* SPDX-License-Identifier: MIT */
#include "device/bridge-chip.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdbool.h>
#include <sys/ioctl.h>

#include "base/parse.h"
#include "base/util.h"

#define DEADLINE_MSEC 300

/* cp210x.md 4: vendor request of the device, by its value. */
#define REQUEST_TYPE	0xC0
#define VENDOR_SPECIFIC 0xFF
#define GET_PARTNUM	0x370B
#define GET_FW_VER_2N	0x0010

static bool is_cp2102n(uint8_t part)
{
	return part >= 0x20 && part <= 0x22;
}

/* A decimal number in a file of the device; -1 where there is none. */
static int read_number(const char *sysfs, const char *name)
{
	char path[4096], line[16];
	CLEANUP(fclosep) FILE *file = NULL;
	const char *at = line;
	uint64_t value;

	if (snprintf(path, sizeof(path), "%s/%s", sysfs, name) >= (int)sizeof(path))
		return -1;
	file = fopen(path, "re");
	if (!file || !fgets(line, sizeof(line), file) || parse_digits(&at, 10, &value) < 0 ||
		value > 999)
		return -1;
	return (int)value;
}

/* 0, or -errno; -EPROTO where the answer is shorter. */
static int ask(int fd, uint16_t what, uint8_t *to, uint16_t n)
{
	struct usbdevfs_ctrltransfer request = {
		.bRequestType = REQUEST_TYPE,
		.bRequest = VENDOR_SPECIFIC,
		.wValue = what,
		.wLength = n,
		.timeout = DEADLINE_MSEC,
		.data = to,
	};
	int got = ioctl(fd, USBDEVFS_CONTROL, &request);

	if (got < 0)
		return -errno;
	return got == n ? 0 : -EPROTO;
}

int bridge_chip_ask(const char *sysfs, struct bridge_chip *ret)
{
	int bus = read_number(sysfs, "busnum"), device = read_number(sysfs, "devnum"), r;
	struct bridge_chip chip = {0};
	CLEANUP(closep) int fd = -1;
	uint8_t version[3];
	char path[64];

	if (bus < 0 || device < 0)
		return -ENODEV;
	snprintf(path, sizeof(path), "/dev/bus/usb/%03d/%03d", bus, device);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ENODEV : -errno;
	r = ask(fd, GET_PARTNUM, &chip.part, 1);
	if (r == 0 && is_cp2102n(chip.part)) {
		r = ask(fd, GET_FW_VER_2N, version, sizeof(version));
		if (r == 0)
			chip.firmware =
				(uint32_t)version[0] << 16 | (uint32_t)version[1] << 8 | version[2];
	}
	if (r == 0)
		*ret = chip;
	return r;
}
