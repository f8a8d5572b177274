/* SPDX-License-Identifier: MIT */
#include "doctor/judge.h"

#include <string.h>

#include "rules/match.h"

/* ------------------------------------------------------------------ the driver */

/* A port is there, so the driver is, whatever is known of modules. */
static bool has_port(const struct host *host)
{
	for (size_t i = 0; i < host->n_ports; i++)
		if (strcmp(host->ports[i].facts.driver, "cp210x") == 0)
			return true;
	return false;
}

void judge_driver(const struct host *host, struct findings *to)
{
	const struct host_driver *driver = &host->driver;
	char release[TEXT_MAX], file[TEXT_MAX];

	text_escape(driver->release, release, sizeof(release));
	if (driver->blocked_by[0]) {
		finding_add(to, driver->is_there ? FINDING_WARNING : FINDING_ERROR, "driver",
			"the module cp210x is blocked by '%s'",
			text_escape(driver->blocked_by, file, sizeof(file)));
		finding_why(to, "the kernel does not load it when a bridge is plugged in");
		finding_mend(to, "editor '%s'", file);
		finding_mend(to, "modprobe cp210x");
	} else if (driver->is_there || has_port(host) || driver->is_loadable) {
		finding_good(to, "driver", "the kernel has cp210x");
	} else if (driver->has_folder) {
		finding_add(to, FINDING_ERROR, "driver", "the kernel '%s' has no module cp210x",
			release);
		finding_why(to,
			"no bridge becomes a port without it; kernels for virtual machines leave it out");
		finding_mend(to, "apt install linux-image-$(dpkg --print-architecture)");
		finding_mend(to, "reboot");
	} else {
		finding_add(to, FINDING_NOTE, "driver",
			"the modules of the running kernel '%s' are not on the disk", release);
		finding_why(to,
			"after an upgrade of the kernel no module is loaded until the host is started again; in a container the host loads them");
		finding_mend(to, "reboot");
	}
}

/* ------------------------------------------------------------------ udev */

void judge_udev(const struct host *host, struct findings *to)
{
	if (!host->udev.is_running) {
		finding_add(to, FINDING_ERROR, "udev", "udevd does not run");
		finding_why(to, "nobody tells the service of a bridge that is plugged in");
		finding_mend(to, "systemctl start systemd-udevd");
	}
	switch (host->udev.rules) {
	case HOST_RULES_MISSING:
		finding_add(to, FINDING_ERROR, "udev",
			"the rules of plugflash (60-plugflash.rules) are not installed");
		finding_why(to, "ports may not belong to the group " GROUP_OF_PORTS
				", and ModemManager opens them");
		finding_mend(to,
			"apt install --reinstall ./plugflash_*.deb # where the file of the package is");
		return;
	case HOST_RULES_MASKED:
		finding_add(to, FINDING_WARNING, "udev",
			"the rules of plugflash are masked: a file of their name in /etc/udev/rules.d is empty or leads to /dev/null");
		finding_why(to, "ports may not belong to the group " GROUP_OF_PORTS
				", and ModemManager opens them");
		finding_mend(to, "rm /etc/udev/rules.d/60-plugflash.rules");
		finding_mend(to, "udevadm control --reload");
		return;
	case HOST_RULES_THERE:
	case HOST_RULES_MAX:
		break;
	}
	finding_good(to, "udev", "it runs, and the rules of plugflash are installed");
}

/* ------------------------------------------------------------------ programs that take bridges */

/* The first bridge that ModemManager may open; NULL: none is plugged in. */
static const struct host_port *find_unmarked(const struct host *host)
{
	for (size_t i = 0; i < host->n_ports; i++)
		if (!host->ports[i].is_off_limits)
			return &host->ports[i];
	return NULL;
}

static void judge_modem_manager(const struct host *host, struct findings *to)
{
	const struct host_port *port = find_unmarked(host);
	char shown[TEXT_MAX];

	if (!host->programs.has_modem_manager || !port)
		return;
	finding_add(to, FINDING_WARNING, "programs",
		"ModemManager runs, and is not told to leave '%s' alone",
		text_escape(port->facts.port, shown, sizeof(shown)));
	finding_why(to,
		"it opens the port after each plug-in, which moves DTR and RTS, and sends the board what a modem understands");
	if (match_is_known_bridge(port->facts.vendor_id, port->facts.product_id)) {
		finding_mend(to, "udevadm trigger --subsystem-match=usb --subsystem-match=tty");
		return;
	}
	finding_mend(to,
		"echo 'ATTRS{idVendor}==\"%04x\", ATTRS{idProduct}==\"%04x\", ENV{ID_MM_DEVICE_IGNORE}=\"1\"' >>/etc/udev/rules.d/61-plugflash-local.rules",
		port->facts.vendor_id, port->facts.product_id);
	finding_mend(to, "udevadm trigger --subsystem-match=usb --subsystem-match=tty");
}

void judge_programs(const struct host *host, struct findings *to)
{
	judge_modem_manager(host, to);
	if (host->programs.has_brltty) {
		finding_add(to, FINDING_WARNING, "programs", "brltty runs");
		finding_why(to,
			"it takes each such bridge for a braille display some seconds after the plug-in, and the port is gone in the middle of a job");
		finding_mend(to, "systemctl disable --now brltty");
	} else if (host->programs.has_brltty_file) {
		finding_add(
			to, FINDING_NOTE, "programs", "brltty is installed, and does not run now");
		finding_why(to, "once it runs it takes such bridges for braille displays");
		finding_mend(to, "apt remove brltty");
	}
	finding_good(to, "programs", "nobody is seen who takes bridges away");
}

/* ------------------------------------------------------------------ the clock */

void judge_clock(const struct host *host, struct findings *to)
{
	if (host->clock.built_usec > 0 && host->clock.now_usec < host->clock.built_usec) {
		finding_add(to, FINDING_WARNING, "clock",
			"it shows a time before plugflash was built: it was never set");
		finding_why(to,
			"times of journal and history are wrong, and counts of a day go to another");
		finding_mend(to, "timedatectl set-ntp true");
	} else if (!host->clock.is_synchronized) {
		finding_add(
			to, FINDING_NOTE, "clock", "nobody on the network keeps it right (NTP)");
		finding_why(to, "times of journal and history may be wrong");
		finding_mend(to, "timedatectl set-ntp true");
	} else {
		finding_good(to, "clock", "it is set, and kept right");
	}
}
