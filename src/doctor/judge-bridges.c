/* SPDX-License-Identifier: MIT */
#include "doctor/judge.h"

#include <inttypes.h>
#include <string.h>

#include "rules/match.h"

/* A hub that lives on its own cable has 500 mA, 100 of them for itself, and 100 for each of four
 * sockets: USB 2.0, 7.2.1.1. */
#define BUS_POWERED_SOCKET 100
#define BUS_POWERED_ALL	   400

#define CLASS_HUB	   0x09

/* A01 has 1.0.4 and earlier: cp210x.md 4; what it loses, esp-rom.md 2.4. */
#define FIRMWARE_A02 0x010005

/* As cp210x.c tells them apart from other things: its own ids, or the driver is bound. */
static bool is_bridge(const struct host_usb *usb)
{
	return match_is_known_bridge(usb->vendor_id, usb->product_id) ||
	       strcmp(usb->driver, "cp210x") == 0;
}

static bool has_tty(const struct host *host, size_t usb)
{
	for (size_t i = 0; i < host->n_ports; i++)
		if (host->ports[i].usb == usb)
			return true;
	return false;
}

/* The hub that the device is plugged into; NULL: a socket of the host itself. */
static const struct host_usb *find_hub(const struct host *host, const struct host_usb *usb)
{
	size_t n = (size_t)(basename(usb->sysfs) - usb->sysfs);

	for (size_t i = 0; i < host->n_usb; i++) {
		const struct host_usb *hub = &host->usb[i];

		if (hub->device_class == CLASS_HUB && strncmp(hub->name, "usb", 3) != 0 && n > 0 &&
			strlen(hub->sysfs) == n - 1 && strncmp(hub->sysfs, usb->sysfs, n - 1) == 0)
			return hub;
	}
	return NULL;
}

/* "1-1.2 ('CP2102N USB to UART Bridge Controller')". Returns `to`. */
static char *name_of(const struct host_usb *usb, char *to, size_t size)
{
	char product[TEXT_MAX / 2];

	snprintf(to, size, "%s ('%s')", usb->name,
		text_escape(usb->product ? usb->product : "", product, sizeof(product)));
	return to;
}

/* ------------------------------------------------------------------ no port */

static void judge_absent(
	const struct host *host, const struct host_usb *usb, const char *name, struct findings *to)
{
	const struct host_usb *hub = find_hub(host, usb);

	if (!usb->is_configured) {
		finding_add(to, FINDING_ERROR, "bridges",
			"USB device %s is not in use: the kernel has given it no configuration",
			name);
		finding_why(to, "%s",
			hub && hub->has_power && !hub->is_self_powered
				? "it wants more current than its hub, which has no supply of its own, may give"
				: "it wants more current than its socket may give, or somebody has taken it out of use");
		finding_mend(to, "journalctl -k -g 'usb %s'", usb->name);
	} else if (strcmp(usb->driver, "usbfs") == 0) {
		finding_add(to, FINDING_ERROR, "bridges",
			"bridge %s is held by a program that has taken it from its driver", name);
		finding_why(to, "it has no port, and no board behind it is flashed");
		finding_mend(to, "lsof /dev/bus/usb");
		finding_mend(to, "systemctl disable --now brltty");
	} else if (!usb->driver[0]) {
		finding_add(to, FINDING_ERROR, "bridges", "bridge %s has no driver", name);
		finding_why(to, "it has no port, and no board behind it is flashed");
		finding_mend(to, "modprobe cp210x");
	}
}

/* ------------------------------------------------------------------ power and firmware */

/* What a hub has to feed. */
struct load {
	const struct host_usb *hungriest;
	unsigned milliamperes;
	bool has_bridge;
};

static struct load load_of(const struct host *host, const struct host_usb *hub)
{
	struct load load = {0};

	for (size_t i = 0; i < host->n_usb; i++) {
		const struct host_usb *usb = &host->usb[i];

		if (find_hub(host, usb) != hub)
			continue;
		load.milliamperes += usb->milliamperes;
		load.has_bridge |= is_bridge(usb);
		if (!load.hungriest || usb->milliamperes > load.hungriest->milliamperes)
			load.hungriest = usb;
	}
	return load;
}

/* Hubs that say that they have a supply are believed; many have none. */
static void judge_hub(const struct host *host, const struct host_usb *hub, struct findings *to)
{
	struct load load = load_of(host, hub);
	char name[TEXT_MAX], hungriest[TEXT_MAX];

	if (!load.has_bridge || !hub->has_power || hub->is_self_powered ||
		(load.milliamperes <= BUS_POWERED_ALL &&
			load.hungriest->milliamperes <= BUS_POWERED_SOCKET))
		return;
	finding_add(to, FINDING_WARNING, "bridges",
		"hub %s has no supply of its own, and %u mA are wanted behind it: %u by %s",
		name_of(hub, name, sizeof(name)), load.milliamperes, load.hungriest->milliamperes,
		name_of(load.hungriest, hungriest, sizeof(hungriest)));
	finding_why(to,
		"all that is plugged into such a hub shares 400 mA, 100 a socket: boards reset in the middle of a job, or leave the bus; take a hub with a supply");
}

static bool is_suspendable(const struct host_usb *usb)
{
	return usb->is_suspendable;
}

static void tell_suspendable(const struct host_usb *usb, const char *names, struct findings *to)
{
	finding_add(to, FINDING_WARNING, "bridges",
		"%s put to sleep when no port is open (USB autosuspend)", names);
	finding_why(to,
		"some bridges come back from it as if they were plugged in anew, or with other levels of DTR and RTS");
	finding_mend(to, "echo on >%s/power/control", usb->sysfs);
	finding_mend(to,
		"echo 'ACTION==\"add\", SUBSYSTEM==\"usb\", ATTR{idVendor}==\"%04x\", ATTR{idProduct}==\"%04x\", ATTR{power/control}=\"on\"' >>/etc/udev/rules.d/99-plugflash-power.rules",
		usb->vendor_id, usb->product_id);
}

static bool has_old_firmware(const struct host_usb *usb)
{
	return usb->firmware > 0 && usb->firmware < FIRMWARE_A02;
}

static void tell_old_firmware(const struct host_usb *usb, const char *names, struct findings *to)
{
	finding_add(to, FINDING_WARNING, "bridges",
		"%s a CP2102N with firmware %u.%u.%u, from before revision A02", names,
		usb->firmware >> 16, usb->firmware >> 8 & 0xFF, usb->firmware & 0xFF);
	finding_why(to,
		"it hears nothing more until it is plugged in again, where its port is closed while bytes still arrive; no program can mend that: use a newer one where boards go on talking");
}

/* What is told once of all bridges that have it: a station has dozens alike. */
static const struct {
	bool (*is_odd)(const struct host_usb *usb);
	void (*tell)(const struct host_usb *first, const char *names, struct findings *to);
} checks[] = {
	{is_suspendable, tell_suspendable},
	{has_old_firmware, tell_old_firmware},
};

static void judge_alike(const struct host *host, struct findings *to)
{
	for (size_t k = 0; k < ARRAY_SIZE(checks); k++) {
		const struct host_usb *first = NULL;
		char name[TEXT_MAX], names[TEXT_MAX + 48];
		size_t n = 0;

		for (size_t i = 0; i < host->n_usb; i++)
			if (is_bridge(&host->usb[i]) && checks[k].is_odd(&host->usb[i])) {
				first = first ? first : &host->usb[i];
				n++;
			}
		if (!first)
			continue;
		name_of(first, name, sizeof(name));
		if (n == 1)
			snprintf(names, sizeof(names), "bridge %s is", name);
		else
			snprintf(names, sizeof(names), "bridge %s, as %zu more, is", name, n - 1);
		checks[k].tell(first, names, to);
	}
}

void judge_usb(const struct host *host, struct findings *to)
{
	for (size_t i = 0; i < host->n_usb; i++) {
		const struct host_usb *usb = &host->usb[i];
		char name[TEXT_MAX];

		if (is_bridge(usb) && !has_tty(host, i))
			judge_absent(host, usb, name_of(usb, name, sizeof(name)), to);
		if (usb->device_class == CLASS_HUB)
			judge_hub(host, usb, to);
	}
	judge_alike(host, to);
	if (host->n_ports == 0) {
		finding_add(to, FINDING_NOTE, "bridges", "none is plugged in");
		finding_why(to, "what goes wrong with bridges alone is not seen now");
		return;
	}
	finding_good(to, "bridges", "each that is plugged in has its driver and its power");
}
