/* SPDX-License-Identifier: MIT */
/*
 * look-devices.c - what is plugged in: devices of USB by sysfs, the ttys of bridges by udev, and
 * the firmware of a CP2102N by asking it.
 */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "device/bridge-chip.h"
#include "device/monitor.h"
#include "doctor/file.h"
#include "doctor/look.h"

#define DEVICES "/sys/bus/usb/devices"

/* bmAttributes of a configuration, USB 2.0 table 9-10. */
#define SELF_POWERED 0x40

/* ------------------------------------------------------------------ devices of USB */

/* The driver of the first interface: "1-1.2:1.0" below the device. */
static void find_driver(const char *path, struct host_usb *usb)
{
	char link[FILE_PATH_MAX];

	file_path(link, path, "/%s:1.0/driver", usb->name);
	file_link_name(link, usb->driver, sizeof(usb->driver));
}

static void find_power(const char *path, struct host_usb *usb)
{
	char file[FILE_PATH_MAX], control[16];
	int64_t milliamperes = file_number(file_path(file, path, "/bMaxPower"));
	int64_t attributes = file_hex(file_path(file, path, "/bmAttributes"));

	usb->has_power = milliamperes >= 0 && attributes >= 0;
	if (usb->has_power) {
		usb->milliamperes = (unsigned)milliamperes;
		usb->is_self_powered = (attributes & SELF_POWERED) != 0;
	}
	usb->is_suspendable =
		file_line(file_path(file, path, "/power/control"), control, sizeof(control)) &&
		strcmp(control, "auto") == 0;
}

/* The device at this path, or none: it is an interface, or gone. 0 or -ENOMEM. */
static int take_device(const char *root, const char *path, struct host *host)
{
	char file[FILE_PATH_MAX], line[512];
	int64_t vendor = file_hex(file_path(file, path, "/idVendor"));
	int64_t product = file_hex(file_path(file, path, "/idProduct"));
	int64_t class = file_hex(file_path(file, path, "/bDeviceClass"));
	struct host_usb *usb;

	if (vendor < 0 || vendor > UINT16_MAX || product < 0 || product > UINT16_MAX)
		return 0;
	usb = room_for_one(host->usb, host->n_usb, sizeof(*usb));
	if (!usb)
		return -ENOMEM;
	host->usb = usb;
	usb += host->n_usb;
	*usb = (struct host_usb){
		.sysfs = strdup(path + strlen(root)),
		.vendor_id = (uint16_t)vendor,
		.product_id = (uint16_t)product,
		.device_class = class >= 0 && class <= UINT8_MAX ? (uint8_t) class : 0,
		.is_configured = file_number(file_path(file, path, "/bConfigurationValue")) > 0 ||
				 !file_is_there(file),
	};
	if (!usb->sysfs)
		return -ENOMEM;
	host->n_usb++;
	snprintf(usb->name, sizeof(usb->name), "%.31s", basename(usb->sysfs));
	if (file_line(file_path(file, path, "/product"), line, sizeof(line))) {
		usb->product = strdup(line);
		if (!usb->product)
			return -ENOMEM;
	}
	find_driver(path, usb);
	find_power(path, usb);
	return 0;
}

int look_usb(const char *root, struct host *ret)
{
	char path[FILE_PATH_MAX];
	CLEANUP(closedirp) DIR *folder = opendir(file_path(path, root, DEVICES));
	const struct dirent *entry;
	int r = 0;

	while (r == 0 && folder && (entry = readdir(folder))) {
		CLEANUP(freep) char *device = NULL;

		if (entry->d_name[0] == '.' || strchr(entry->d_name, ':'))
			continue;
		device = realpath(file_path(path, root, DEVICES "/%s", entry->d_name), NULL);
		if (device)
			r = take_device(root, device, ret);
	}
	return r;
}

/* ------------------------------------------------------------------ ttys */

static size_t find_usb(const struct host *host, const char *tty)
{
	size_t found = SIZE_MAX, longest = 0;

	for (size_t i = 0; tty && i < host->n_usb; i++) {
		size_t n = strlen(host->usb[i].sysfs);

		if (n > longest && strncmp(tty, host->usb[i].sysfs, n) == 0 && tty[n] == '/') {
			longest = n;
			found = i;
		}
	}
	return found;
}

static void look_node(const char *root, struct host_port *port)
{
	char path[FILE_PATH_MAX];
	struct stat status;
	const struct group *group;

	if (stat(file_path(path, root, "%s", port->facts.port), &status) < 0)
		return;
	port->has_node = true;
	port->uid = status.st_uid;
	port->gid = status.st_gid;
	port->mode = status.st_mode & 07777;
	group = getgrgid(status.st_gid);
	if (group)
		snprintf(port->group, sizeof(port->group), "%s", group->gr_name);
	else
		snprintf(port->group, sizeof(port->group), "%u", (unsigned)status.st_gid);
}

int look_ports(const char *root, struct host *ret)
{
	struct facts *bridges = NULL;
	size_t n_bridges = 0;
	int r = bridges_list(&bridges, &n_bridges);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	ret->ports = calloc(n_bridges + 1, sizeof(*ret->ports));
	for (size_t i = 0; ret->ports && i < n_bridges; i++) {
		struct host_port *port = &ret->ports[ret->n_ports++];
		struct bridge_marks marks = {0};

		port->facts = bridges[i];
		bridges[i] = (struct facts){0};
		(void)bridge_marks(&port->facts, &marks);
		port->is_tagged = marks.is_tagged;
		port->is_off_limits = marks.is_off_limits;
		port->usb = find_usb(ret, port->facts.sysfs);
		look_node(root, port);
	}
	bridges_free(bridges, n_bridges);
	return ret->ports ? 0 : -ENOMEM;
}

/* ------------------------------------------------------------------ firmware */

static bool is_worked_on(const struct host *host, size_t usb)
{
	for (size_t i = 0; i < host->n_ports; i++)
		if (host->ports[i].usb == usb && host->ports[i].is_worked_on)
			return true;
	return false;
}

void look_firmware(struct host *ret)
{
	for (size_t i = 0; i < ret->n_usb; i++) {
		struct host_usb *usb = &ret->usb[i];
		struct bridge_chip chip = {0};

		/* Another maker's device is no CP210x for certain, and would be asked what it does
		 * not know. */
		if (!ret->is_root || strcmp(usb->driver, "cp210x") != 0 || is_worked_on(ret, i))
			continue;
		if (bridge_chip_ask(usb->sysfs, &chip) == 0)
			usb->firmware = chip.firmware;
	}
}
