/* SPDX-License-Identifier: MIT */
/* Boards of the bed: sysfs, node, event, and the simulator behind the port. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "bed/bed-private.h"

static void lock(struct bed *bed)
{
	pthread_mutex_lock(&bed->mutex);
}

static void unlock(struct bed *bed)
{
	pthread_mutex_unlock(&bed->mutex);
}

/* ------------------------------------------------------------------ in umockdev's thread */

static void on_open(UMockdevIoctlBase *handler, UMockdevIoctlClient *client, gpointer userdata)
{
	struct bed_plug *plug = userdata;

	(void)handler;
	(void)client;
	lock(plug->bed);
	tty_on_open(&plug->tty, bed_now());
	unlock(plug->bed);
	eventfd_write(plug->bed->wake, 1);
}

static gboolean on_ioctl(UMockdevIoctlBase *handler, UMockdevIoctlClient *client, gpointer userdata)
{
	struct bed_plug *plug = userdata;
	unsigned long request = umockdev_ioctl_client_get_request(client);
	UMockdevIoctlData *arg = umockdev_ioctl_client_get_arg(client), *data;
	size_t size = tty_ioctl_size(request);
	int r = TTY_PASS;

	(void)handler;
	if (size > 0) {
		data = umockdev_ioctl_data_resolve(arg, 0, size, NULL);
		lock(plug->bed);
		r = data ? tty_on_ioctl(&plug->tty, request, data->data, bed_now()) : -EFAULT;
		unlock(plug->bed);
		eventfd_write(plug->bed->wake, 1);
	}
	/* -100 is umockdev's word for "do it on the real descriptor". */
	if (r == TTY_PASS)
		umockdev_ioctl_client_complete(client, -100, 0);
	else
		umockdev_ioctl_client_complete(client, r < 0 ? -1 : 0, -r);
	return TRUE;
}

/* ------------------------------------------------------------------ plug and unplug */

static const char *or_default(const char *text, const char *otherwise)
{
	return !text ? otherwise : *text ? text : NULL;
}

static unsigned lowest_free_tty(const struct bed *bed)
{
	for (unsigned i = 0;; i++) {
		bool is_free = true;

		for (size_t j = 0; j < bed->n_units; j++)
			if (bed->units[j]->is_plugged && bed->units[j]->bridge.minor == i)
				is_free = false;
		if (is_free)
			return i;
	}
}

static void describe(struct bed_unit *unit)
{
	const struct bed_board *board = &unit->board;
	struct usb_bridge *bridge = &unit->bridge;

	*bridge = (struct usb_bridge){
		.vendor = board->vid ? board->vid : 0x10C4,
		.product_id = board->pid ? board->pid : 0xEA60,
		.serial = or_default(board->serial, "0001"),
		.product = or_default(board->product, "CP2102 USB to UART Bridge Controller"),
		.manufacturer = or_default(board->manufacturer, "Silicon Labs"),
		.interface = board->interface,
		.driver = board->driver ? board->driver : "cp210x",
	};
	if (board->path) {
		snprintf(bridge->port, sizeof(bridge->port), "%s", board->path);
	} else {
		size_t place = 0;

		while (unit->bed->units[place] != unit)
			place++;
		snprintf(bridge->port, sizeof(bridge->port), "1-%zu", place + 1);
	}
	if (board->tty)
		bridge->minor = (unsigned)strtoul(board->tty + strlen("ttyUSB"), NULL, 10);
	else
		bridge->minor = lowest_free_tty(unit->bed);
	snprintf(bridge->tty, sizeof(bridge->tty), "ttyUSB%u", bridge->minor);
	snprintf(unit->port, sizeof(unit->port), "/dev/ttyUSB%u", bridge->minor);
	usb_id_path(bridge, unit->id_path, sizeof(unit->id_path));
}

static void attach(struct bed_unit *unit)
{
	struct bed *bed = unit->bed;
	struct bed_plug *plug = calloc(1, sizeof(*plug));
	g_autoptr(GError) error = NULL;
	int r;

	if (!plug)
		bed_die("plug", ENOMEM);
	plug->bed = bed;
	r = tty_init(&plug->tty, unit->sim, unit->board.is_paced);
	if (r < 0)
		bed_die("a pseudo-terminal", -r);
	plug->tty.skipped = unit->skipped;
	plug->handler = umockdev_ioctl_base_new();
	g_signal_connect(plug->handler, "client-connected", G_CALLBACK(on_open), plug);
	g_signal_connect(plug->handler, "handle-ioctl", G_CALLBACK(on_ioctl), plug);
	/* Not earlier: a process that opened the node before it went is answered by the old one. */
	(void)umockdev_testbed_detach_ioctl(bed->testbed, unit->port, NULL);
	if (!umockdev_testbed_attach_ioctl(bed->testbed, unit->port, plug->handler, &error))
		g_error("umockdev: %s", error->message);
	plug->next = bed->plugs;
	bed->plugs = plug;
	unit->plug = plug;
}

static void link_or_die(const char *target, const char *path)
{
	(void)unlink(path);
	if (symlink(target, path) < 0)
		bed_die(path, errno);
}

static void make_marks(struct bed_unit *unit)
{
	char path[512], target[64];

	snprintf(path, sizeof(path), "%s/dev/.uart", unit->bed->root);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		bed_die(path, errno);
	snprintf(path, sizeof(path), "%s/dev/.uart/%u", unit->bed->root, unit->plug->tty.index);
	snprintf(target, sizeof(target), "188:%u", unit->bridge.minor);
	link_or_die(target, path);
	snprintf(path, sizeof(path), "/dev/pts/%u", unit->plug->tty.index);
	unit->watch = inotify_add_watch(unit->bed->inotify, path, IN_OPEN);
	if (unit->watch < 0)
		bed_die(path, errno);
}

void bed_make_node(struct bed_unit *unit)
{
	char path[512], target[64];

	snprintf(path, sizeof(path), "%s/dev/%s", unit->bed->root, unit->bridge.tty);
	snprintf(target, sizeof(target), "/dev/pts/%u", unit->plug->tty.index);
	link_or_die(target, path);
}

void bed_set_node_mode(struct bed_unit *unit, mode_t mode)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/pts/%u", unit->plug->tty.index);
	if (chmod(path, mode) < 0)
		bed_die(path, errno);
}

unsigned bed_event(struct bed_unit *unit, const char *action, enum uevent_patience patience)
{
	char devpath[512], properties[4096];

	usb_tty_devpath(&unit->bridge, devpath, sizeof(devpath));
	usb_tty_properties(&unit->bridge, properties, sizeof(properties));
	/* There is one receiver, the service: none gets it twice. One that stands still loses it.
	 */
	for (unsigned i = 0; patience == UEVENT_WAIT && i < 3000; i++) {
		if (uevent_send(unit->bed->root, action, devpath, "tty", properties, patience) == 0)
			return 0;
		bed_run(unit->bed, 1);
	}
	return uevent_send(unit->bed->root, action, devpath, "tty", properties, UEVENT_DROP);
}

void bed_replug(struct bed_unit *unit, const struct bed_board *board)
{
	if (unit->is_plugged)
		bed_die("replug of a board that is plugged in", EBUSY);
	if (board)
		unit->board = *board;
	describe(unit);
	lock(unit->bed);
	sim_power(unit->sim, bed_now() + unit->skipped);
	unlock(unit->bed);
	usb_add(unit->bed->testbed, &unit->bridge);
	attach(unit);
	make_marks(unit);
	if (!unit->board.is_node_late)
		bed_make_node(unit);
	unit->is_plugged = true;
	unit->n_opens = 0;
	unit->mark = journal_reader_count(unit->bed->journal);
	if (!unit->board.is_silent)
		bed_event(unit, "add", UEVENT_WAIT);
}

/* A devkit: the two transistors, and a MAC of its own. */
static void describe_esp(struct sim_options *options, uint8_t number)
{
	static const uint8_t oui[] = {0x24, 0x0A, 0xC4};

	if (options->circuit == SIM_CIRCUIT_DIRECT)
		options->circuit = SIM_CIRCUIT_ESP;
	if (options->esp.mac[0])
		return;
	memcpy(options->esp.mac, oui, sizeof(oui));
	options->esp.mac[5] = number;
}

/* A stick: the two transistors of a ZBDongle-P, and an IEEE address of its own. */
static void describe_ti(struct sim_options *options, uint8_t number)
{
	static const uint8_t oui[] = {0x00, 0x12, 0x4B, 0x00};

	if (options->circuit == SIM_CIRCUIT_DIRECT)
		options->circuit = SIM_CIRCUIT_ESP;
	if (options->ti.ieee[2])
		return;
	memcpy(options->ti.ieee, oui, sizeof(oui));
	options->ti.ieee[7] = number;
}

struct bed_unit *bed_plug(struct bed *bed, const struct bed_board *board)
{
	struct bed_unit *unit = calloc(1, sizeof(*unit));
	struct sim_options options = {
		.chip = sim_chip_find(board->chip ? board->chip : "f103c8"),
		.circuit = board->circuit,
		.faults = board->faults,
		.chatter = board->chatter,
		.resident = board->resident,
		.command = board->command,
		.reply = board->reply,
		.enters_rom_when_empty = board->enters_rom_when_empty,
		.program = board->program,
		.esp = board->esp,
		.ti = board->ti,
	};

	if (!unit || bed->n_units == BED_UNITS || !options.chip)
		bed_die(board->chip ? board->chip : "board", ENOMEM);
	unit->bed = bed;
	unit->board = *board;
	/* Each chip has a number of its own. */
	options.unique_id[0] = (uint8_t)(bed->n_units + 1);
	options.unique_id[11] = 0x50;
	if (options.chip->esp)
		describe_esp(&options, (uint8_t)(bed->n_units + 1));
	if (options.chip->ti)
		describe_ti(&options, (uint8_t)(bed->n_units + 1));
	options.faults.seed =
		options.faults.seed ? options.faults.seed : (unsigned)bed->n_units + 1;
	unit->sim = sim_new(&options);
	if (!unit->sim)
		bed_die("simulator", ENOMEM);
	if (board->n_flash > sim_flash_size(unit->sim))
		bed_die("flash of a board", EFBIG);
	if (board->flash)
		memcpy(sim_flash(unit->sim), board->flash, board->n_flash);
	bed->units[bed->n_units++] = unit;
	bed_replug(unit, NULL);
	return unit;
}

/* As on a host: the tty is hung up first, then everything is taken down, then udevd tells. */
void bed_unplug(struct bed_unit *unit)
{
	char path[512];

	if (!unit->is_plugged)
		return;
	unit->is_plugged = false;
	snprintf(path, sizeof(path), "%s/dev/.uart/%u", unit->bed->root, unit->plug->tty.index);
	(void)unlink(path);
	inotify_rm_watch(unit->bed->inotify, unit->watch);
	unit->watch = -1;
	lock(unit->bed);
	unit->skipped = unit->plug->tty.skipped;
	tty_pull(&unit->plug->tty);
	unlock(unit->bed);
	usb_remove(unit->bed->testbed, &unit->bridge);
	bed_event(unit, "remove", UEVENT_WAIT);
}

void bed_unit_free(struct bed_unit *unit)
{
	sim_free(unit->sim);
	free(unit);
}

/* ------------------------------------------------------------------ the loop's part */

uint64_t bed_units_advance(struct bed *bed)
{
	uint64_t next = SIM_NEVER;

	for (size_t i = 0; i < bed->n_units; i++) {
		struct bed_unit *unit = bed->units[i];
		bool has_vanished;
		uint64_t turn;

		if (!unit->is_plugged)
			continue;
		lock(bed);
		turn = tty_advance(&unit->plug->tty, bed_now());
		has_vanished = sim_has_vanished(unit->sim);
		unlock(bed);
		if (has_vanished)
			bed_unplug(unit);
		else if (turn < next)
			next = turn;
	}
	return next;
}

void bed_units_on_inotify(struct bed *bed)
{
	union {
		struct inotify_event event;
		char bytes[4096];
	} buffer;
	ssize_t n = read(bed->inotify, &buffer, sizeof(buffer));

	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *event = (const void *)(buffer.bytes + at);

		for (size_t i = 0; i < bed->n_units; i++)
			if (bed->units[i]->watch == event->wd && event->mask & IN_OPEN)
				bed->units[i]->n_opens++;
		at += (ssize_t)(sizeof(*event) + event->len);
	}
}

/* ------------------------------------------------------------------ questions */

bool bed_is_plugged(const struct bed_unit *unit)
{
	return unit->is_plugged;
}

const char *bed_port(const struct bed_unit *unit)
{
	return unit->port;
}

const char *bed_id_path(const struct bed_unit *unit)
{
	return unit->id_path;
}

void bed_set_faults(struct bed_unit *unit, const struct sim_faults *faults)
{
	lock(unit->bed);
	unit->board.faults = *faults;
	sim_set_faults(unit->sim, faults);
	unlock(unit->bed);
}

void bed_power_cut(struct bed_unit *unit)
{
	lock(unit->bed);
	sim_power(unit->sim, bed_now() + unit->plug->tty.skipped);
	unlock(unit->bed);
}

uint8_t *bed_flash(struct bed_unit *unit, uint32_t *ret_size)
{
	*ret_size = sim_flash_size(unit->sim);
	return sim_flash(unit->sim);
}

static void read_file(const char *file, char **ret, size_t *ret_n)
{
	if (!g_file_get_contents(file, ret, ret_n, NULL))
		bed_die(file, ENOENT);
}

void bed_load_flash(struct bed_unit *unit, const char *file)
{
	g_autofree char *data = NULL;
	size_t n_data;

	read_file(file, &data, &n_data);
	if (n_data > sim_flash_size(unit->sim))
		bed_die(file, EFBIG);
	lock(unit->bed);
	memset(sim_flash(unit->sim), 0xFF, sim_flash_size(unit->sim));
	memcpy(sim_flash(unit->sim), data, n_data);
	unlock(unit->bed);
}

/* How many bytes of the file the flash begins with, or SIZE_MAX where it differs. */
static size_t compare_flash(struct bed_unit *unit, const char *file)
{
	g_autofree char *data = NULL;
	size_t n_data;

	read_file(file, &data, &n_data);
	if (n_data > sim_flash_size(unit->sim) || memcmp(sim_flash(unit->sim), data, n_data) != 0)
		return SIZE_MAX;
	return n_data;
}

bool bed_flash_begins(struct bed_unit *unit, const char *file)
{
	return compare_flash(unit, file) != SIZE_MAX;
}

bool bed_flash_is(struct bed_unit *unit, const char *file)
{
	size_t n = compare_flash(unit, file), n_flash = sim_flash_size(unit->sim);

	for (size_t i = n; i < n_flash; i++)
		if (sim_flash(unit->sim)[i] != 0xFF)
			return false;
	return n != SIZE_MAX;
}

struct sim_counters bed_counters(struct bed_unit *unit)
{
	struct sim_counters counters;

	lock(unit->bed);
	counters = *sim_counters(unit->sim);
	unlock(unit->bed);
	return counters;
}

struct sim_esp_state bed_esp(struct bed_unit *unit)
{
	struct sim_esp_state state;

	lock(unit->bed);
	state = *sim_esp(unit->sim);
	unlock(unit->bed);
	return state;
}

struct sim_ti_state bed_ti(struct bed_unit *unit)
{
	struct sim_ti_state state;

	lock(unit->bed);
	state = *sim_ti(unit->sim);
	unlock(unit->bed);
	return state;
}

enum sim_state bed_state(struct bed_unit *unit)
{
	enum sim_state state;

	lock(unit->bed);
	state = sim_state(unit->sim);
	unlock(unit->bed);
	return state;
}

const struct tty_change *bed_lines(struct bed_unit *unit, size_t *ret_n)
{
	*ret_n = unit->plug->tty.n_changes;
	return unit->plug->tty.changes;
}

unsigned bed_opens(struct bed_unit *unit)
{
	bed_units_on_inotify(unit->bed);
	return unit->n_opens > unit->plug->tty.n_opens ? unit->n_opens : unit->plug->tty.n_opens;
}

unsigned bed_requests(struct bed_unit *unit)
{
	return unit->plug->tty.n_requests;
}

/* Only what is safe in the child of a process with threads. */
static _Noreturn void hold(const char *path, int ready, pid_t parent)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC), number;
	sigset_t term;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	if (getppid() != parent || fd < 0 || ioctl(fd, TIOCEXCL) < 0 || write(ready, "", 1) != 1)
		_exit(1);
	sigwait(&term, &number);
	/* A UART forgets it with its last user, a pseudo-terminal only with its master. */
	ioctl(fd, TIOCNXCL);
	_exit(0);
}

pid_t bed_hold_exclusively(struct bed_unit *unit)
{
	char path[64], byte;
	pid_t parent = getpid(), child;
	int ends[2];

	snprintf(path, sizeof(path), "/dev/pts/%u", unit->plug->tty.index);
	if (pipe2(ends, O_CLOEXEC) < 0)
		bed_die("pipe", errno);
	child = fork();
	if (child < 0)
		bed_die("fork", errno);
	if (child == 0)
		hold(path, ends[1], parent);
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 1)
		bed_die("a holder of the port", EIO);
	close(ends[0]);
	return child;
}

bool bed_is_closed(struct bed_unit *unit)
{
	bool is_closed;

	lock(unit->bed);
	is_closed = !unit->plug->tty.is_open;
	unlock(unit->bed);
	return is_closed;
}
