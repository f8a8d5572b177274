/* SPDX-License-Identifier: MIT */
#include "doctor/judge.h"

#include <inttypes.h>

/* A store that cannot grow by its log, and an image that does not fit. */
#define LEAST_BYTES (UINT64_C(4) * 1024 * 1024)
#define FEW_BYTES   (UINT64_C(64) * 1024 * 1024)

/* ------------------------------------------------------------------ the service */

static void judge_stopped(const struct host_service *service, struct findings *to)
{
	if (service->unit == HOST_UNIT_NOT_FOUND) {
		finding_add(
			to, FINDING_ERROR, "service", "systemd knows no unit plugflashd.service");
		finding_why(to, "nobody flashes what is plugged in");
		finding_mend(to, "systemctl daemon-reload");
	} else if (service->unit == HOST_UNIT_FAILED) {
		finding_add(to, FINDING_ERROR, "service", "it has failed");
		finding_why(to, "nobody flashes what is plugged in; its last words say why");
		finding_mend(to, "journalctl -u plugflashd -n 20");
		finding_mend(to, "systemctl restart plugflashd");
	} else if (service->unit == HOST_UNIT_STARTING) {
		finding_add(to, FINDING_ERROR, "service",
			"it does not come up: systemd starts it again and again");
		finding_why(to, "nobody flashes what is plugged in; its last words say why");
		finding_mend(to, "journalctl -u plugflashd -n 20");
	} else if (service->unit == HOST_UNIT_ACTIVE) {
		finding_add(to, FINDING_WARNING, "service", "it runs, and is not on the bus");
		finding_why(to, "boards are flashed; status, page and commands cannot ask it");
		finding_mend(to, "systemctl reload dbus");
		finding_mend(to, "systemctl restart plugflashd");
	} else {
		finding_add(to, FINDING_ERROR, "service", "it does not run");
		finding_why(to, "nobody flashes what is plugged in");
		finding_mend(to, "systemctl enable --now plugflashd");
	}
}

/* Without an answer it may run all the same. */
static void judge_silent(const struct host_service *service, struct findings *to)
{
	switch (service->presence) {
	case CLIENT_THERE:
		return;
	case CLIENT_NO_SERVICE:
		judge_stopped(service, to);
		return;
	case CLIENT_NO_BUS:
		finding_add(to, FINDING_WARNING, "service",
			"there is no system bus, so that the service cannot be asked");
		finding_why(
			to, "boards are flashed without one; status, page and commands need it");
		finding_mend(to, "apt install dbus");
		return;
	case CLIENT_ASKING:
		finding_add(to, FINDING_ERROR, "service",
			"neither it nor the system bus answers in time");
		finding_mend(to, "systemctl status dbus plugflashd");
		return;
	case CLIENT_REFUSED:
	case CLIENT_PRESENCE_MAX:
		finding_add(to, FINDING_ERROR, "service", "it is there, and does not answer");
		finding_mend(to, "systemctl status plugflashd");
		return;
	}
}

static void judge_read_configuration(
	const struct host_service *service, const char *configuration, struct findings *to)
{
	char shown[2 * TEXT_MAX];

	if (service->is_config_stale) {
		finding_add(to, FINDING_ERROR, "service",
			"it has refused the configuration on the disk, and works by the one before: %s",
			text_show(service->config_error, shown, sizeof(shown)));
		finding_mend(to, "plugflash check-config --config %s", configuration);
		finding_mend(to, "systemctl reload plugflashd");
	} else if (service->newer[0]) {
		finding_add(to, FINDING_WARNING, "service", "'%s' is newer than what it has read",
			service->newer);
		finding_why(to, "it works by the configuration that it has read");
		finding_mend(to, "systemctl reload plugflashd");
	}
}

void judge_service(const struct host *host, struct findings *to)
{
	const struct host_service *service = &host->service;
	char shown[TEXT_MAX];

	if (!host->service_user.exists) {
		finding_add(to, FINDING_ERROR, "service", "there is no user '%s'",
			host->service_user.name);
		finding_why(to, "the service runs as this user, and does not start without");
		finding_mend(to, "systemd-sysusers");
	}
	judge_silent(service, to);
	if (service->presence == CLIENT_THERE && service->unit == HOST_UNIT_ACTIVE &&
		!service->is_enabled) {
		finding_add(to, FINDING_WARNING, "service",
			"it runs, and is not started with the host");
		finding_why(
			to, "after the next start of the host nobody flashes what is plugged in");
		finding_mend(to, "systemctl enable plugflashd");
	}
	if (service->is_replaced) {
		finding_add(to, FINDING_WARNING, "service",
			"its program was replaced since it was started");
		finding_why(to,
			"it is of the version before, and its workers are of this one: jobs end as 'cancelled'");
		finding_mend(to, "systemctl restart plugflashd");
	}
	judge_read_configuration(service, host->configuration, to);
	if (service->is_paused) {
		finding_add(to, FINDING_NOTE, "service", "it is paused: '%s'",
			text_escape(service->pause_reason, shown, sizeof(shown)));
		finding_why(to, "no board begins until the end of the pause");
		finding_mend(to, "plugflash resume");
	}
	finding_good(to, "service", "it runs, and has read the configuration");
}

/* ------------------------------------------------------------------ the store */

/* What the file itself is like. False: nothing more can be said of it. */
static bool judge_file(const struct host *host, bool has_service, struct findings *to)
{
	const struct host_store *store = &host->store;
	char directory[TEXT_MAX], shown[2 * TEXT_MAX];

	text_escape(store->directory, directory, sizeof(directory));
	text_show(store->reason.text, shown, sizeof(shown));
	switch (store->state) {
	case HOST_STORE_NONE:
		if (!has_service)
			return true;
		finding_add(to, FINDING_WARNING, "store",
			"there is none in '%s', though the service runs", directory);
		finding_why(to, "what units hold and how jobs ended is forgotten with the service");
		finding_mend(to, "systemctl restart plugflashd");
		return true;
	case HOST_STORE_HIDDEN:
		finding_add(to, FINDING_NOTE, "store",
			"this user may not read it, so that nothing is said of it");
		finding_mend(to, "adduser %s plugflash", host->caller.name);
		return false;
	case HOST_STORE_OLDER:
		finding_add(to, FINDING_NOTE, "store", "%s", shown);
		finding_mend(to, "systemctl restart plugflashd");
		return false;
	case HOST_STORE_NEWER:
		finding_add(to, FINDING_ERROR, "store", "%s", shown);
		finding_why(to,
			"the service leaves it alone and remembers nothing: take the later version again, or move the store away");
		finding_mend(to, "apt install plugflash");
		return true;
	case HOST_STORE_DAMAGED:
		finding_add(to, FINDING_ERROR, "store", "it is damaged: %s", shown);
		finding_why(to,
			"the service sets it aside when it is started, and begins anew: what it knew of units and given values is then in the old file alone");
		finding_mend(to, "cp -a '%s' /root/plugflash-store", directory);
		finding_mend(to, "systemctl restart plugflashd");
		return true;
	case HOST_STORE_UNREADABLE:
		finding_add(to, FINDING_ERROR, "store", "it cannot be read: %s", shown);
		finding_why(to, "the service remembers nothing of units and jobs");
		return true;
	case HOST_STORE_GOOD:
	case HOST_STORE_STATE_MAX:
		break;
	}
	return true;
}

void judge_store(const struct host *host, struct findings *to)
{
	const struct host_store *store = &host->store;
	bool has_service =
		host->service.presence == CLIENT_THERE || host->service.unit == HOST_UNIT_ACTIVE;
	char shown[TEXT_MAX];

	if (!judge_file(host, has_service, to))
		return;
	if (store->aside[0]) {
		finding_add(to, FINDING_WARNING, "store", "a damaged one was set aside as '%s'",
			text_escape(store->aside, shown, sizeof(shown)));
		finding_why(to,
			"values that were given to units before are in that file alone; the disk or its power may be at fault");
		finding_mend(to, "journalctl -k -p err");
	}
	if (store->is_held && !has_service) {
		text_escape(store->directory, shown, sizeof(shown));
		finding_add(to, FINDING_WARNING, "store",
			"a process has '%s', and it is not the service on the bus", shown);
		finding_why(to, "a second service gets no store, and remembers nothing");
		finding_mend(to, "fuser -v '%s/plugflash.lock'", shown);
	}
	finding_good(to, "store",
		store->state == HOST_STORE_NONE ? "there is none yet" : "it can be read");
}

/* ------------------------------------------------------------------ disks */

static void judge_disk(const struct host_disk *disk, struct findings *to)
{
	char path[TEXT_MAX];

	if (!disk->is_known)
		return;
	text_escape(disk->path, path, sizeof(path));
	if (disk->free_bytes < LEAST_BYTES || (disk->has_inodes && disk->free_inodes == 0)) {
		finding_add(to, FINDING_ERROR, "disk", "the one with '%s' (%s) is full", path,
			disk->what);
		finding_why(to,
			"the service cannot remember what it has done: with require-store it erases nothing any more");
		finding_mend(to, "df -h -i '%s'", path);
	} else if (disk->free_bytes < FEW_BYTES) {
		finding_add(to, FINDING_WARNING, "disk",
			"the one with '%s' (%s) has %" PRIu64 " MiB left", path, disk->what,
			disk->free_bytes >> 20);
		finding_why(to, "once it is full the service cannot remember what it has done");
		finding_mend(to, "df -h '%s'", path);
	}
}

void judge_disks(const struct host *host, struct findings *to)
{
	const struct host_disk *store = &host->disks[0];
	char path[TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(host->disks); i++)
		judge_disk(&host->disks[i], to);
	if (store->is_known && store->is_read_only) {
		finding_add(to, FINDING_ERROR, "disk",
			"the one with '%s' (store) cannot be written: it is read-only",
			text_escape(store->path, path, sizeof(path)));
		finding_why(to, "the service remembers nothing of units and jobs");
		finding_mend(to, "findmnt --target '%s'", path);
	}
	if (store->is_known)
		finding_good(to, "disk", "there is room for store and images");
}
