/* SPDX-License-Identifier: MIT */
/*
 * port-sim.c - see port-sim.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "device/port.h"
#include "device/transcript.h"
#include "sim/port-sim.h"

#define NSEC_PER_SEC UINT64_C(1000000000)

/* What each call costs, so that no loop lasts for ever without the clock moving. */
#define CALL_NSEC UINT64_C(1000)

struct arrived {
	uint8_t byte;
	uint64_t at_host;
};

/* A board at a path. Its ports come and go; the clock stays. */
struct device {
	char *path;
	struct sim *sim;
	struct port_sim_options options;
	struct port_sim_record record;
	uint64_t now, usb_nsec;
	unsigned lines;
	uint32_t baud;
	bool even_parity;
	bool is_open, is_gone;
	size_t n_delivered; /* of record.sent */
	uint64_t line_free_at;
	uint64_t n_taken; /* bytes of the board that were read */
	struct arrived *input;
	size_t n_input;
	unsigned seen_resets;
};

struct port {
	struct device *device;
	unsigned rest;
	struct transcript *transcript; /* borrowed; NULL: nothing is recorded */
};

static struct device **devices;
static size_t n_devices;

/* Room for one item more; tests do not go on without memory. */
static void *grow(void *items, size_t n_items, size_t size)
{
	/* Powers of two, so that a log of a whole flash is not copied at each byte. */
	if (n_items & (n_items - 1))
		return items;
	items = reallocarray(items, n_items ? 2 * n_items : 1, size);
	if (!items)
		abort();
	return items;
}

static struct device *find(const char *path)
{
	for (size_t i = 0; i < n_devices; i++) {
		if (!strcmp(devices[i]->path, path))
			return devices[i];
	}
	return NULL;
}

/* --- Time --- */

static void unplug(struct device *device)
{
	device->is_gone = true;
	device->n_input = 0;
	device->n_delivered = device->record.n_sent;
	if (device->options.self_powered)
		return;
	/* A write or an erase ends where it was when the power went. */
	sim_set_lines(device->sim, 0, device->now);
	sim_power(device->sim, device->now);
}

static void note_first(struct device *device, uint8_t byte)
{
	struct port_sim_record *record = &device->record;

	if (sim_counters(device->sim)->resets == device->seen_resets)
		return;
	device->seen_resets = sim_counters(device->sim)->resets;
	record->firsts = grow(record->firsts, record->n_firsts, sizeof(*record->firsts));
	record->firsts[record->n_firsts++] = (struct port_sim_first){
		.byte = byte,
		.baud = device->baud,
		.even_parity = device->even_parity,
		.at_nsec = device->now,
	};
}

/* The byte that is due is at the chip. */
static void deliver(struct device *device)
{
	uint8_t byte = device->record.sent[device->n_delivered++].byte;

	note_first(device, byte);
	sim_receive(device->sim, byte, device->now);
	if (device->options.unplug_after_sent &&
		device->n_delivered == device->options.unplug_after_sent)
		unplug(device);
}

/* What the chip has sent goes to the host by the next frame; nobody takes it from a closed port. */
static void collect(struct device *device)
{
	const struct port_sim_options *options = &device->options;
	uint8_t byte, bytes[PORT_SIM_EDIT];

	while (!device->is_gone && sim_send(device->sim, &byte, device->now)) {
		size_t n = 1;

		bytes[0] = byte;
		if (options->edit)
			n = options->edit(options->userdata, byte, bytes);
		for (size_t i = 0; i < n && device->is_open; i++) {
			device->input =
				grow(device->input, device->n_input, sizeof(*device->input));
			device->input[device->n_input++] = (struct arrived){
				.byte = bytes[i], .at_host = device->now + device->usb_nsec};
		}
	}
}

static uint64_t next_delivery(const struct device *device)
{
	if (device->n_delivered == device->record.n_sent)
		return SIM_NEVER;
	return device->record.sent[device->n_delivered].at_nsec;
}

static uint64_t next_event(const struct device *device)
{
	uint64_t next = next_delivery(device);
	uint64_t unplugged_at = device->options.unplug_at_usec * NSEC_PER_USEC;

	if (sim_next(device->sim) < next)
		next = sim_next(device->sim);
	if (unplugged_at && unplugged_at < next)
		next = unplugged_at;
	return next;
}

static void step(struct device *device, uint64_t at)
{
	uint64_t unplugged_at = device->options.unplug_at_usec * NSEC_PER_USEC;

	if (at > device->now)
		device->now = at;
	if (unplugged_at && unplugged_at <= device->now) {
		unplug(device);
		return;
	}
	if (next_delivery(device) <= device->now)
		deliver(device);
	collect(device);
	if (!device->is_gone && sim_has_vanished(device->sim))
		unplug(device);
}

/* Lets everything happen up to `until`; stops short at the moment the bridge goes. */
static void run(struct device *device, uint64_t until)
{
	bool was_gone = device->is_gone;

	while (!device->is_gone && next_event(device) <= until)
		step(device, next_event(device));
	if (device->is_gone == was_gone && until > device->now)
		device->now = until;
}

static void spend(struct device *device, uint64_t nsec)
{
	run(device, device->now + nsec);
}

/* What a call begins with: its own time, and whether there is a bridge. */
static int enter(struct port *port)
{
	spend(port->device, CALL_NSEC);
	return port->device->is_gone ? -ENODEV : 0;
}

static uint64_t usec_to_nsec(uint64_t usec)
{
	return usec > SIM_NEVER / NSEC_PER_USEC ? SIM_NEVER : usec * NSEC_PER_USEC;
}

/* --- The port --- */

static void change_lines(struct device *device, unsigned lines, bool by_kernel)
{
	struct port_sim_record *record = &device->record;

	spend(device, device->usb_nsec);
	if (device->is_gone)
		return;
	device->lines = lines;
	record->lines = grow(record->lines, record->n_lines, sizeof(*record->lines));
	record->lines[record->n_lines++] = (struct port_sim_lines){
		.lines = lines, .at_nsec = device->now, .by_kernel = by_kernel};
	sim_set_lines(device->sim, lines, device->now);
	if (record->n_lines == device->options.unplug_after_lines)
		unplug(device);
}

static int check_open(
	const struct device *device, const char *path, dev_t devnum, struct reason *reason)
{
	if (!device || device->options.gone || device->is_gone) {
		reason_set(reason, "%s is not there", path);
		return device ? -ENODEV : -ENOENT;
	}
	if (device->options.permission_denied) {
		reason_set(reason, "%s: permission denied, the group dialout may open it", path);
		return -EACCES;
	}
	if (device->options.held_by || device->is_open) {
		reason_set(reason, "%s is held by %s", path,
			device->is_open ? "another port of this test" : device->options.held_by);
		return -EBUSY;
	}
	if (devnum && device->options.devnum && devnum != device->options.devnum) {
		reason_set(reason, "%s is another device than before", path);
		return -ENODEV;
	}
	return 0;
}

int port_open(
	const char *path, dev_t devnum, unsigned rest, struct port **ret, struct reason *reason)
{
	struct device *device = find(path);
	struct port *port;
	int r = check_open(device, path, devnum, reason);

	if (r < 0) {
		if (device)
			device->record.refused++;
		return r;
	}
	port = calloc(1, sizeof(*port));
	if (!port)
		return -ENOMEM;
	port->device = device;
	port->rest = rest;
	run(device, device->now);
	device->n_input = 0;
	device->is_open = true;
	device->record.opens++;
	change_lines(device, LINE_DTR | LINE_RTS, true);
	change_lines(device, rest, false);
	*ret = port;
	return 0;
}

/* Without the cost of a call: what is recorded goes as what is not. */
static uint64_t now_usec(const struct port *port)
{
	return port->device->now / NSEC_PER_USEC;
}

void port_record(struct port *port, struct transcript *transcript)
{
	port->transcript = transcript;
	transcript_lines(transcript, now_usec(port), port->rest, 0);
}

struct transcript *port_transcript(const struct port *port)
{
	return port->transcript;
}

struct port *port_close(struct port *port)
{
	struct device *device;

	if (!port)
		return NULL;
	device = port->device;
	change_lines(device, port->rest, false);
	transcript_lines(port->transcript, now_usec(port), port->rest, 0);
	run(device, device->line_free_at);
	device->is_open = false;
	device->n_input = 0;
	device->record.closes++;
	device->record.lines_at_close = device->lines;
	free(port);
	return NULL;
}

static int configure(
	struct port *port, uint32_t baud, enum port_parity parity, struct reason *reason)
{
	struct device *device = port->device;
	int r = enter(port);

	if (r < 0)
		return r;
	if (device->options.drops_parity && parity == PORT_PARITY_EVEN) {
		reason_set(reason, "%s: the driver does not keep even parity", device->path);
		return -ENOTSUP;
	}
	if (device->options.max_baud && baud > device->options.max_baud) {
		reason_set(reason, "%s: the bridge does not reach %u baud", device->path, baud);
		return -ENOTSUP;
	}
	spend(device, 2 * device->usb_nsec); /* a request for the rate, one for the frame */
	if (device->is_gone)
		return -ENODEV;
	device->baud = device->record.baud = baud;
	device->even_parity = device->record.even_parity = parity == PORT_PARITY_EVEN;
	device->record.configures++;
	sim_set_format(device->sim, baud, device->even_parity, device->now);
	return 0;
}

int port_configure(struct port *port, uint32_t baud, enum port_parity parity, struct reason *reason)
{
	int r = configure(port, baud, parity, reason);

	transcript_rate(port->transcript, now_usec(port), baud, parity == PORT_PARITY_EVEN, r);
	return r;
}

int port_set_lines(struct port *port, unsigned mask, unsigned lines)
{
	struct device *device = port->device;
	int r = enter(port);

	if (r == 0) {
		change_lines(device, (device->lines & ~mask) | (lines & mask), false);
		r = device->is_gone ? -ENODEV : 0;
	}
	transcript_lines(port->transcript, now_usec(port), device->lines, r);
	return r;
}

static int write_all(struct port *port, const uint8_t *data, size_t n_data, uint64_t deadline)
{
	struct device *device = port->device;
	struct port_sim_record *record = &device->record;
	int r = enter(port);

	if (r < 0)
		return r;
	if (device->now > usec_to_nsec(deadline))
		return -ETIMEDOUT;
	record->writes++;
	if (device->line_free_at < device->now + device->usb_nsec)
		device->line_free_at = device->now + device->usb_nsec;
	for (size_t i = 0; i < n_data; i++) {
		device->line_free_at += sim_byte_nsec(device->sim);
		record->sent = grow(record->sent, record->n_sent, sizeof(*record->sent));
		record->sent[record->n_sent++] =
			(struct port_sim_byte){.byte = data[i], .at_nsec = device->line_free_at};
	}
	return 0;
}

int port_write(struct port *port, const uint8_t *data, size_t n_data, uint64_t deadline)
{
	int r = write_all(port, data, n_data, deadline);

	transcript_sent(port->transcript, now_usec(port), data, n_data, r);
	return r;
}

/* Takes what is at the host by now, oldest first. */
static size_t take_input(struct device *device, uint8_t *to, size_t n_to)
{
	size_t n = 0;

	while (n < n_to && n < device->n_input && device->input[n].at_host <= device->now) {
		to[n] = device->input[n].byte;
		n++;
	}
	if (!n)
		return 0;
	device->n_input -= n;
	memmove(device->input, device->input + n, device->n_input * sizeof(*device->input));
	return n;
}

static bool steals(struct device *device, size_t n)
{
	uint64_t nth = device->options.stolen_byte;

	device->n_taken += n;
	return nth > 0 && device->n_taken - n < nth && nth <= device->n_taken;
}

static int read_some(struct port *port, uint8_t *to, size_t n_to, uint64_t deadline, size_t *ret_n)
{
	struct device *device = port->device;
	uint64_t until = usec_to_nsec(deadline);
	int r = enter(port);

	while (r == 0) {
		size_t n = take_input(device, to, n_to);
		uint64_t next = next_event(device);

		if (n && steals(device, n))
			return -EBUSY;
		if (n) {
			*ret_n = n;
			return 0;
		}
		if (device->n_input && device->input[0].at_host < next)
			next = device->input[0].at_host;
		if (next > until || next == SIM_NEVER)
			r = -ETIMEDOUT;
		/* A read without end that nothing will ever answer leaves the clock alone. */
		if (next < until || until != SIM_NEVER)
			run(device, next < until ? next : until);
		if (device->is_gone)
			r = -ENODEV;
	}
	return r;
}

int port_read_some(struct port *port, uint8_t *to, size_t n_to, uint64_t deadline, size_t *ret_n)
{
	int r = read_some(port, to, n_to, deadline, ret_n);

	transcript_heard(port->transcript, now_usec(port), to, r == 0 ? *ret_n : 0, r);
	return r;
}

int port_discard_input(struct port *port)
{
	struct device *device = port->device;
	int r = enter(port);
	uint8_t bytes[4096];

	/* What is still in the bridge comes later, as with the kernel's flush. */
	while (r == 0 && take_input(device, bytes, sizeof(bytes)))
		;
	transcript_called(port->transcript, now_usec(port), r, "discard");
	return r;
}

static int drain(struct port *port, uint64_t deadline)
{
	struct device *device = port->device;
	uint64_t until = usec_to_nsec(deadline);
	int r = enter(port);

	if (r < 0)
		return r;
	if (device->line_free_at > until) {
		run(device, until);
		return device->is_gone ? -ENODEV : -ETIMEDOUT;
	}
	run(device, device->line_free_at);
	return device->is_gone ? -ENODEV : 0;
}

int port_drain(struct port *port, uint64_t deadline)
{
	int r = drain(port, deadline);

	transcript_called(port->transcript, now_usec(port), r, "drain");
	return r;
}

uint64_t port_now(struct port *port)
{
	enter(port);
	return port->device->now / NSEC_PER_USEC;
}

int port_wait(struct port *port, uint64_t usec)
{
	int r = enter(port);

	if (r == 0) {
		spend(port->device, usec_to_nsec(usec));
		r = port->device->is_gone ? -ENODEV : 0;
	}
	transcript_called(port->transcript, now_usec(port), r, "wait %" PRIu64, usec);
	return r;
}

uint32_t port_rate(const struct port *port)
{
	return port->device->baud;
}

uint64_t port_line_time(const struct port *port, size_t n_bytes)
{
	uint64_t bits = port->device->even_parity ? 11 : 10;

	return (n_bytes * bits * USEC_PER_SEC + port->device->baud - 1) / port->device->baud;
}

/* --- For the tests --- */

static void set_options(struct device *device, const struct port_sim_options *options)
{
	device->options = options ? *options : (struct port_sim_options){0};
	device->usb_nsec = PORT_SIM_USB_USEC * NSEC_PER_USEC;
	if (device->options.usb_usec > 0)
		device->usb_nsec = (uint64_t)device->options.usb_usec * NSEC_PER_USEC;
	else if (device->options.usb_usec < 0)
		device->usb_nsec = 0;
}

/* As the bridge is after it was plugged in: no line asserted, and the rate of a fresh tty. */
static void plug(struct device *device)
{
	device->lines = 0;
	device->baud = 9600;
	device->even_parity = false;
	sim_set_lines(device->sim, 0, device->now);
	sim_set_format(device->sim, 9600, false, device->now);
}

static void device_done(struct device *device)
{
	free(device->record.lines);
	free(device->record.sent);
	free(device->record.firsts);
	free(device->input);
	free(device->path);
}

void port_sim_attach(const char *path, struct sim *sim, const struct port_sim_options *options)
{
	struct device *device = find(path);

	if (device) {
		device_done(device);
	} else {
		devices = grow(devices, n_devices, sizeof(struct device *));
		device = devices[n_devices++] = malloc(sizeof(*device));
		if (!device)
			abort();
	}
	*device = (struct device){.path = strdup(path), .sim = sim};
	set_options(device, options);
	device->now = usec_to_nsec(device->options.start_usec);
	plug(device);
	device->seen_resets = sim_counters(sim)->resets;
}

void port_sim_detach_all(void)
{
	for (size_t i = 0; i < n_devices; i++) {
		device_done(devices[i]);
		free(devices[i]);
	}
	free(devices);
	devices = NULL;
	n_devices = 0;
}

void port_sim_set_options(const char *path, const struct port_sim_options *options)
{
	set_options(find(path), options);
}

void port_sim_replug(const char *path)
{
	struct device *device = find(path);

	device->is_gone = false;
	device->options.gone = false;
	device->options.unplug_after_sent = 0;
	device->options.unplug_after_lines = 0;
	device->options.unplug_at_usec = 0;
	plug(device);
	sim_power(device->sim, device->now);
}

void port_sim_plug(const char *path)
{
	struct device *device = find(path);

	device->is_gone = false;
	plug(device);
}

void port_sim_pass(const char *path, uint64_t usec)
{
	spend(find(path), usec_to_nsec(usec));
}

const struct port_sim_record *port_sim_record(const char *path)
{
	return &find(path)->record;
}

uint64_t port_sim_now_nsec(const char *path)
{
	return find(path)->now;
}
