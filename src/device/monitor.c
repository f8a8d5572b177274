/* SPDX-License-Identifier: MIT */
/*
 * monitor.c - the bridges that are plugged in, by udev: who comes, who goes, and who is there.
 *
 * An event is read in three steps. libudev takes it off the socket; what it says is compared with
 * sysfs, which may be newer than the event; then the owner is told. Events get lost in a storm
 * (the kernel bounds the socket's buffer), and files cannot be read without descriptors. Nothing
 * is guessed then: the owner is told of the loss, once all that waits was read, and enumerates.
 */
#include "device/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <libudev.h>

#include "base/parse.h"
#include "base/util.h"

/* What the driver binds to the port of the bridge and to its USB interface. */
#define DRIVER "cp210x"

/* A CP2102C needs none of its own: it is a CDC-ACM device (esp-rom.md 2.4). */
#define ACM_DRIVER  "cdc_acm"
#define ACM_VENDOR  0x10C4
#define ACM_PRODUCT 0xEA64

/* 126 UTF-16 units, three bytes each in UTF-8: the kernel shows no longer string of a descriptor.
 */
#define STRING_MAX 378

/*
 * Asked for, not forced: more than net.core.rmem_max needs a privilege the service does not hold,
 * so losses stay possible and are made good by enumerating again.
 */
#define RECEIVE_BUFFER (4 * 1024 * 1024)

/* Then the event loop has its turn, so that a storm of events does not starve watchdog and workers.
 */
#define EVENTS_AT_ONCE 256

struct monitor {
	monitor_fn fn;
	void *userdata;
	struct udev *udev;
	struct udev_monitor *source;
	bool is_lost; /* events are, and MONITOR_LOST is still to be told */
};

static void udev_unrefp(struct udev **udev)
{
	udev_unref(*udev);
}

static void device_unrefp(struct udev_device **device)
{
	udev_device_unref(*device);
}

static void enumerate_unrefp(struct udev_enumerate **enumerate)
{
	udev_enumerate_unref(*enumerate);
}

static int errno_or(int otherwise)
{
	return errno > 0 ? -errno : otherwise;
}

static int copy_text(const char *from, char **ret)
{
	char *copy;

	if (!from || !*from)
		return 0;
	copy = strndup(from, STRING_MAX);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

/* Numbers of sysfs attributes are bare hexadecimal digits. -1 where there is none. */
static int read_hex(struct udev_device *device, const char *attribute, uint32_t limit)
{
	const char *text = device ? udev_device_get_sysattr_value(device, attribute) : NULL;
	char number[16];
	uint32_t value;
	int n;

	if (!text)
		return -1;
	n = snprintf(number, sizeof(number), "0x%s", text);
	if (n < 0 || (size_t)n >= sizeof(number) || parse_u32(number, &value) < 0 || value > limit)
		return -1;
	return (int)value;
}

/* The driver of the tty's port, else of the USB interface, else what udev noted of it. */
static const char *driver_of(struct udev_device *tty)
{
	struct udev_device *port =
		udev_device_get_parent_with_subsystem_devtype(tty, "usb-serial", NULL);
	struct udev_device *interface =
		udev_device_get_parent_with_subsystem_devtype(tty, "usb", "usb_interface");
	const char *driver = port ? udev_device_get_driver(port) : NULL;

	if (!driver && interface)
		driver = udev_device_get_driver(interface);
	return driver ? driver : udev_device_get_property_value(tty, "ID_USB_DRIVER");
}

static bool is_bridge(const char *driver, int vendor, int product)
{
	if (strcmp(driver, ACM_DRIVER) == 0)
		return vendor == ACM_VENDOR && product == ACM_PRODUCT;
	return strcmp(driver, DRIVER) == 0;
}

static int collect_facts(struct udev_device *tty, struct facts *ret)
{
	CLEANUP(facts_done) struct facts facts = {0};
	const char *driver = driver_of(tty);
	struct udev_device *interface, *usb;
	int vendor, product;

	if (!driver || !udev_device_get_devnode(tty))
		return -ENODEV;
	interface = udev_device_get_parent_with_subsystem_devtype(tty, "usb", "usb_interface");
	usb = udev_device_get_parent_with_subsystem_devtype(tty, "usb", "usb_device");
	if (!usb)
		return -ENODEV;
	vendor = read_hex(usb, "idVendor", UINT16_MAX);
	product = read_hex(usb, "idProduct", UINT16_MAX);
	if (vendor < 0 || product < 0 || !is_bridge(driver, vendor, product))
		return -ENODEV;
	/*
	 * Text of the descriptors comes from sysfs: udev's properties replace what it finds odd
	 * with "_". The path in sysfs is whole: it is compared, never shown or opened.
	 */
	facts.sysfs = strdup(udev_device_get_syspath(tty));
	if (!facts.sysfs || copy_text(udev_device_get_devnode(tty), &facts.port) < 0 ||
		copy_text(udev_device_get_sysattr_value(usb, "serial"), &facts.serial) < 0 ||
		copy_text(udev_device_get_sysattr_value(usb, "product"), &facts.product) < 0 ||
		copy_text(udev_device_get_sysattr_value(usb, "manufacturer"), &facts.manufacturer) <
			0 ||
		copy_text(udev_device_get_property_value(tty, "ID_PATH"), &facts.usb_path) < 0 ||
		copy_text(driver, &facts.driver) < 0)
		return -ENOMEM;
	facts.vendor_id = (uint16_t)vendor;
	facts.product_id = (uint16_t)product;
	facts.interface = read_hex(interface, "bInterfaceNumber", UINT8_MAX);
	facts.devnum = udev_device_get_devnum(tty);
	*ret = facts;
	facts = (struct facts){0};
	return 0;
}

/* Which tty it is, of those that come and go at one path; 0 where there is none now. */
static uint64_t instance_of(struct udev_device *tty)
{
	struct stat found;

	return stat(udev_device_get_syspath(tty), &found) == 0 ? found.st_ino : 0;
}

/*
 * Without a descriptor to be had, libudev reads each attribute as one that is not there, and a
 * bridge would be none of ours. It opens one file at a time, and a directory beside it.
 */
static int check_room(void)
{
	CLEANUP(closep) int first = open("/", O_PATH | O_CLOEXEC | O_DIRECTORY);
	CLEANUP(closep) int second = open("/", O_PATH | O_CLOEXEC | O_DIRECTORY);

	return first < 0 || second < 0 ? -errno : 0;
}

/*
 * 0, -ENODEV when the tty is not a bridge of ours, -ENOMEM or another shortage. An event may be
 * older than what sysfs shows: what was read while the tty went away, or came anew, is of no
 * bridge, and an event about it is still to come.
 */
static int read_facts(struct udev_device *tty, struct facts *ret)
{
	CLEANUP(facts_done) struct facts facts = {0};
	uint64_t instance = instance_of(tty);
	int r;

	if (instance == 0)
		return -ENODEV;
	r = check_room();
	if (r < 0)
		return r;
	r = collect_facts(tty, &facts);
	if (r < 0)
		return r;
	if (instance_of(tty) != instance)
		return -ENODEV;
	*ret = facts;
	facts = (struct facts){0};
	return 0;
}

static int report_present(void *userdata, struct udev_device *tty)
{
	struct monitor *monitor = userdata;
	CLEANUP(facts_done) struct facts facts = {0};
	int r = read_facts(tty, &facts);

	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return r;
	monitor->fn(monitor->userdata, MONITOR_PRESENT, &facts);
	return 0;
}

static int report_event(struct monitor *monitor, struct udev_device *tty)
{
	static const char *const departures[] = {"remove", "unbind", "offline"};
	const char *action = udev_device_get_action(tty);
	CLEANUP(facts_done) struct facts facts = {.interface = -1};
	bool is_gone = false;

	for (size_t i = 0; action && i < ARRAY_SIZE(departures); i++)
		is_gone |= strcmp(action, departures[i]) == 0;
	if (!is_gone)
		return report_present(monitor, tty);
	facts.sysfs = strdup(udev_device_get_syspath(tty));
	if (!facts.sysfs || copy_text(udev_device_get_devnode(tty), &facts.port) < 0)
		return -ENOMEM;
	monitor->fn(monitor->userdata, MONITOR_GONE, &facts);
	return 0;
}

static int arm(struct monitor *monitor)
{
	int size = RECEIVE_BUFFER, r;

	monitor->source = udev_monitor_new_from_netlink(monitor->udev, "udev");
	if (!monitor->source)
		return errno_or(-ENOMEM);
	r = udev_monitor_filter_add_match_subsystem_devtype(monitor->source, "tty", NULL);
	if (r < 0)
		return r;
	(void)setsockopt(
		udev_monitor_get_fd(monitor->source), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return udev_monitor_enable_receiving(monitor->source);
}

int monitor_new(monitor_fn fn, void *userdata, struct monitor **ret)
{
	struct monitor *monitor = calloc(1, sizeof(*monitor));
	int r;

	if (!monitor)
		return -ENOMEM;
	monitor->fn = fn;
	monitor->userdata = userdata;
	errno = 0;
	monitor->udev = udev_new();
	r = monitor->udev ? arm(monitor) : errno_or(-ENOMEM);
	if (r < 0) {
		monitor_free(monitor);
		return r;
	}
	*ret = monitor;
	return 0;
}

struct monitor *monitor_free(struct monitor *monitor)
{
	if (!monitor)
		return NULL;
	udev_monitor_unref(monitor->source);
	udev_unref(monitor->udev);
	free(monitor);
	return NULL;
}

int monitor_fd(const struct monitor *monitor)
{
	return udev_monitor_get_fd(monitor->source);
}

/* 1: there may be more. 0: none is waiting. -errno. */
static int take_event(struct monitor *monitor)
{
	CLEANUP(device_unrefp) struct udev_device *device = NULL;
	int r;

	errno = 0;
	device = udev_monitor_receive_device(monitor->source);
	if (device) {
		r = report_event(monitor, device);
		if (r < 0)
			monitor->fn(monitor->userdata, MONITOR_MISSED, NULL);
		return 1;
	}
	switch (errno) {
	case 0:
	case EAGAIN:
		return 0;
	case EINTR:
		return 1;
	case ENOBUFS:
	case EINVAL:
	case EBADMSG:
		/* Overflow, or a datagram that libudev refuses: too large, malformed. */
		monitor->is_lost = true;
		return 1;
	default:
		return -errno;
	}
}

/*
 * POLLERR with POLLIN is how an overflow shows: reading clears it, so every wake-up is answered by
 * reading and by nothing else. The loss is told once nothing waits any more: a "remove" that is
 * older than the enumeration would take a board away whose "add" is among what was lost.
 */
int monitor_dispatch(struct monitor *monitor)
{
	int r = 1;

	for (unsigned n = 0; n < EVENTS_AT_ONCE && r > 0; n++)
		r = take_event(monitor);
	if (r == 0 && monitor->is_lost) {
		monitor->is_lost = false;
		monitor->fn(monitor->userdata, MONITOR_LOST, NULL);
	}
	return r < 0 ? r : 0;
}

/*
 * Hands each tty to `fn` and returns the first failure. With `initialised_only`, those are left out
 * whose udev rules have not run: their event is still to come, and owner and mode of the node and
 * ID_PATH are not there yet. The kernel never sets ID_PATH, so it shows the same where there is no
 * database to ask.
 */
static int for_each_tty(struct udev *udev, bool initialised_only,
	int (*fn)(void *userdata, struct udev_device *tty), void *userdata)
{
	CLEANUP(enumerate_unrefp) struct udev_enumerate *enumerate = udev_enumerate_new(udev);
	struct udev_list_entry *entry;
	int r, first = 0;

	if (!enumerate)
		return -ENOMEM;
	r = udev_enumerate_add_match_subsystem(enumerate, "tty");
	if (r >= 0)
		r = udev_enumerate_scan_devices(enumerate);
	if (r < 0)
		return r;
	udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(enumerate))
	{
		CLEANUP(device_unrefp)
		struct udev_device *tty =
			udev_device_new_from_syspath(udev, udev_list_entry_get_name(entry));

		if (!tty && first == 0)
			first = check_room();
		if (!tty) /* else it is gone since */
			continue;
		if (initialised_only && udev_device_get_is_initialized(tty) <= 0 &&
			!udev_device_get_property_value(tty, "ID_PATH"))
			continue;
		r = fn(userdata, tty);
		if (r < 0 && first == 0)
			first = r;
	}
	return first;
}

int monitor_enumerate(struct monitor *monitor)
{
	return for_each_tty(monitor->udev, true, report_present, monitor);
}

struct bridges {
	struct facts *items;
	size_t n_items;
};

static int on_listed(void *userdata, struct udev_device *tty)
{
	struct bridges *bridges = userdata;
	struct facts facts = {0}, *items;
	int r = read_facts(tty, &facts);

	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return r;
	items = room_for_one(bridges->items, bridges->n_items, sizeof(*items));
	if (!items) {
		facts_done(&facts);
		return -ENOMEM;
	}
	items[bridges->n_items++] = facts;
	bridges->items = items;
	return 0;
}

static int compare_ports(const void *a, const void *b)
{
	return strverscmp(((const struct facts *)a)->port, ((const struct facts *)b)->port);
}

int bridges_list(struct facts **ret, size_t *ret_n)
{
	CLEANUP(udev_unrefp) struct udev *udev = udev_new();
	struct bridges bridges = {0};
	int r;

	if (!udev)
		return -ENOMEM;
	r = for_each_tty(udev, false, on_listed, &bridges);
	if (r < 0) {
		bridges_free(bridges.items, bridges.n_items);
		return r;
	}
	if (bridges.n_items > 0)
		qsort(bridges.items, bridges.n_items, sizeof(*bridges.items), compare_ports);
	*ret = bridges.items;
	*ret_n = bridges.n_items;
	return 0;
}

void bridges_free(struct facts *bridges, size_t n_bridges)
{
	for (size_t i = 0; i < n_bridges; i++)
		facts_done(&bridges[i]);
	free(bridges);
}

/* The tty whose device node this is, or NULL. */
static struct udev_device *find_node(struct udev *udev, const char *node)
{
	struct udev_device *tty =
		udev_device_new_from_subsystem_sysname(udev, "tty", basename(node));
	const char *found = tty ? udev_device_get_devnode(tty) : NULL;

	if (found && strcmp(found, node) == 0)
		return tty;
	udev_device_unref(tty);
	return NULL;
}

int bridge_find(const char *port, struct facts *ret)
{
	CLEANUP(udev_unrefp) struct udev *udev = udev_new();
	CLEANUP(device_unrefp) struct udev_device *tty = NULL;
	CLEANUP(freep) char *target = NULL;
	int r;

	r = udev ? check_room() : -ENOMEM;
	if (r < 0)
		return r;
	tty = find_node(udev, port);
	if (!tty) {
		/* A link such as those below /dev/serial. */
		target = realpath(port, NULL);
		if (!target)
			return errno == ENOENT ? -ENODEV : -errno;
		tty = find_node(udev, target);
	}
	return tty ? read_facts(tty, ret) : -ENODEV;
}

static bool has_property(struct udev_device *device, const char *name, const char *value)
{
	const char *found = device ? udev_device_get_property_value(device, name) : NULL;

	return found && strcmp(found, value) == 0;
}

int bridge_marks(const struct facts *bridge, struct bridge_marks *ret)
{
	CLEANUP(udev_unrefp) struct udev *udev = udev_new();
	CLEANUP(device_unrefp)
	struct udev_device *tty = udev ? udev_device_new_from_syspath(udev, bridge->sysfs) : NULL;
	struct udev_device *usb;
	const char *tags;

	if (!tty)
		return udev ? -ENODEV : -ENOMEM;
	usb = udev_device_get_parent_with_subsystem_devtype(tty, "usb", "usb_device");
	/* Those that its last event gave it; ":systemd:plugflash:". */
	tags = udev_device_get_property_value(tty, "CURRENT_TAGS");
	ret->is_tagged = tags && strstr(tags, ":plugflash:");
	ret->is_off_limits = has_property(tty, "ID_MM_PORT_IGNORE", "1") ||
			     has_property(tty, "ID_MM_DEVICE_IGNORE", "1") ||
			     has_property(usb, "ID_MM_DEVICE_IGNORE", "1");
	return 0;
}
