/* SPDX-License-Identifier: MIT */
#include "bed/usb.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

#define CONTROLLER "/devices/pci0000:00/0000:00:14.0"

#define PATH_SIZE  256

static char *device_path(const struct usb_bridge *bridge, char to[PATH_SIZE])
{
	snprintf(to, PATH_SIZE, CONTROLLER "/usb1/%s", bridge->port);
	return to;
}

static char *interface_path(const struct usb_bridge *bridge, char to[PATH_SIZE])
{
	snprintf(to, PATH_SIZE, CONTROLLER "/usb1/%s/%s:1.%u", bridge->port, bridge->port,
		bridge->interface);
	return to;
}

static char *serial_path(const struct usb_bridge *bridge, char to[PATH_SIZE])
{
	char parent[PATH_SIZE];

	snprintf(to, PATH_SIZE, "%.200s/%s", interface_path(bridge, parent), bridge->tty);
	return to;
}

char *usb_tty_devpath(const struct usb_bridge *bridge, char *to, size_t size)
{
	char parent[PATH_SIZE];

	snprintf(to, size, "%s/tty/%s", serial_path(bridge, parent), bridge->tty);
	return to;
}

/* As udev's path_id builtin: "1-1.2" on the controller's bus is "usb-0:1.2". */
char *usb_id_path(const struct usb_bridge *bridge, char *to, size_t size)
{
	const char *dash = strchr(bridge->port, '-');

	snprintf(to, size, "pci-0000:00:14.0-usb-0:%s:1.%u", dash ? dash + 1 : bridge->port,
		bridge->interface);
	return to;
}

/* udev replaces what it finds odd in a name with an underscore. */
static char *udev_name(const char *text, char *to, size_t size)
{
	size_t n = 0;

	for (; text && *text && n + 1 < size; text++)
		to[n++] = isalnum((unsigned char)*text) || strchr("#+-.:=@_", *text) ? *text : '_';
	to[n] = '\0';
	return to;
}

char *usb_tty_properties(const struct usb_bridge *bridge, char *to, size_t size)
{
	char serial[PATH_SIZE], model[PATH_SIZE], vendor[PATH_SIZE], path[PATH_SIZE];

	udev_name(bridge->serial, serial, sizeof(serial));
	udev_name(bridge->product, model, sizeof(model));
	udev_name(bridge->manufacturer, vendor, sizeof(vendor));
	usb_id_path(bridge, path, sizeof(path));
	snprintf(to, size,
		"DEVNAME=/dev/%s\nMAJOR=188\nMINOR=%u\nUSEC_INITIALIZED=1000000\n"
		"ID_BUS=usb\nID_VENDOR_ID=%04x\nID_MODEL_ID=%04x\nID_VENDOR=%s\nID_MODEL=%s\n"
		"ID_SERIAL=%s_%s_%s\nID_SERIAL_SHORT=%s\nID_TYPE=generic\n"
		"ID_USB_INTERFACE_NUM=%02x\nID_USB_DRIVER=%s\nID_PATH=%s\n"
		"DEVLINKS=/dev/serial/by-path/%s-port0\nTAGS=:systemd:\nCURRENT_TAGS=:systemd:\n",
		bridge->tty, bridge->minor, bridge->vendor, bridge->product_id, vendor, model,
		vendor, model, serial, serial, bridge->interface, bridge->driver, path, path);
	return to;
}

static gboolean is_there(UMockdevTestbed *testbed, const char *devpath)
{
	g_autofree char *root = umockdev_testbed_get_root_dir(testbed);
	g_autofree char *path = g_strconcat(root, "/sys", devpath, "/uevent", NULL);

	return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void add(UMockdevTestbed *testbed, const char *text)
{
	g_autoptr(GError) error = NULL;

	/* Without an event: it sends one only where its own preload is in the process. */
	if (!umockdev_testbed_add_from_string(testbed, text, &error))
		g_error("umockdev: %s", error->message);
}

/* Descriptors as the kernel shows them: raw, with a newline behind. */
static void set_text(UMockdevTestbed *testbed, const char *path, const char *name, const char *text)
{
	g_autofree char *line = text ? g_strconcat(text, "\n", NULL) : NULL;

	if (line)
		umockdev_testbed_set_attribute(testbed, path, name, line);
}

static void add_device(UMockdevTestbed *testbed, const struct usb_bridge *bridge)
{
	char path[PATH_SIZE];
	g_autofree char *text = NULL, *in_sys = NULL;

	device_path(bridge, path);
	if (is_there(testbed, path))
		return;
	text = g_strdup_printf("P: %s\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_device\nE: DRIVER=usb\n"
			       "E: PRODUCT=%x/%x/100\nE: ID_BUS=usb\n"
			       "A: idVendor=%04x\\n\nA: idProduct=%04x\\n\nA: bcdDevice=0100\\n\n"
			       "A: busnum=1\\n\nA: devnum=2\\n\nA: speed=12\\n\n"
			       "L: driver=../../../../../bus/usb/drivers/usb\n",
		path, bridge->vendor, bridge->product_id, bridge->vendor, bridge->product_id);
	add(testbed, text);
	in_sys = g_strconcat("/sys", path, NULL);
	set_text(testbed, in_sys, "serial", bridge->serial);
	set_text(testbed, in_sys, "product", bridge->product);
	set_text(testbed, in_sys, "manufacturer", bridge->manufacturer);
}

static void add_port(UMockdevTestbed *testbed, const struct usb_bridge *bridge)
{
	char interface[PATH_SIZE], serial[PATH_SIZE], tty[PATH_SIZE * 2], properties[4096];
	g_autoptr(GString) text = g_string_new(NULL);

	g_string_append_printf(text,
		"P: %s\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_interface\nE: DRIVER=%s\n"
		"A: bInterfaceNumber=%02x\\n\nA: bInterfaceClass=ff\\n\n"
		"L: driver=../../../../../../bus/usb/drivers/%s\n\n",
		interface_path(bridge, interface), bridge->driver, bridge->interface,
		bridge->driver);
	g_string_append_printf(text,
		"P: %s\nE: SUBSYSTEM=usb-serial\nE: DRIVER=%s\nA: port_number=0\\n\n"
		"L: driver=../../../../../../../bus/usb-serial/drivers/%s\n\n",
		serial_path(bridge, serial), bridge->driver, bridge->driver);
	g_string_append_printf(
		text, "P: %s\nE: SUBSYSTEM=tty\n", usb_tty_devpath(bridge, tty, sizeof(tty)));
	usb_tty_properties(bridge, properties, sizeof(properties));
	for (char *line = strtok(properties, "\n"); line; line = strtok(NULL, "\n"))
		g_string_append_printf(text, "E: %s\n", line);
	g_string_append_printf(
		text, "A: dev=188:%u\nL: device=../../../%s\n", bridge->minor, bridge->tty);
	add(testbed, text->str);
}

void usb_add(UMockdevTestbed *testbed, const struct usb_bridge *bridge)
{
	add_device(testbed, bridge);
	add_port(testbed, bridge);
}

/* Whether another interface of the same device is still there. */
static gboolean has_interfaces(UMockdevTestbed *testbed, const struct usb_bridge *bridge)
{
	struct usb_bridge other = *bridge;
	char path[PATH_SIZE];

	for (other.interface = 0; other.interface < 4; other.interface++)
		if (is_there(testbed, interface_path(&other, path)))
			return TRUE;
	return FALSE;
}

static void remove_device(UMockdevTestbed *testbed, const char *devpath)
{
	g_autofree char *in_sys = g_strconcat("/sys", devpath, NULL);

	umockdev_testbed_remove_device(testbed, in_sys);
}

void usb_remove(UMockdevTestbed *testbed, const struct usb_bridge *bridge)
{
	char path[PATH_SIZE * 2];

	remove_device(testbed, usb_tty_devpath(bridge, path, sizeof(path)));
	remove_device(testbed, serial_path(bridge, path));
	remove_device(testbed, interface_path(bridge, path));
	if (!has_interfaces(testbed, bridge))
		remove_device(testbed, device_path(bridge, path));
}
