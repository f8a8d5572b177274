/* SPDX-License-Identifier: MIT */
/*
 * test-port-sim.c - the simulated port keeps the contract of device/port.h, and its record is true.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "device/port.h"
#include "sim/port-sim.h"

#define PATH	  "/dev/ttyUSB0"
#define BYTE_USEC 95 /* 11 bits at 115200, rounded down */

static struct sim *attach(enum sim_circuit circuit, const struct sim_faults *faults,
	const struct port_sim_options *options)
{
	struct sim_options board = {.chip = sim_chip_find("f103xc"), .circuit = circuit};
	struct sim *sim;

	if (faults)
		board.faults = *faults;
	sim = sim_new(&board);
	assert_non_null(sim);
	port_sim_attach(PATH, sim, options);
	return sim;
}

static struct port *open_port(void)
{
	struct reason reason;
	struct port *port = NULL;

	assert_int_equal(port_open(PATH, 0, 0, &port, &reason), 0);
	assert_int_equal(port_configure(port, 115200, PORT_PARITY_EVEN, &reason), 0);
	assert_int_equal(port_wait(port, 10000), 0);
	return port;
}

static void detach(struct sim *sim)
{
	port_sim_detach_all();
	sim_free(sim);
}

/* One byte, or the error. */
static int read_byte(struct port *port, uint64_t usec)
{
	uint8_t byte;
	size_t n;
	int r = port_read_some(port, &byte, 1, port_now(port) + usec, &n);

	return r < 0 ? r : byte;
}

static void open_raises_both_lines_then_sets_rest(void **state)
{
	struct sim *sim = attach(SIM_CIRCUIT_DIRECT, NULL, NULL);
	const struct port_sim_record *record = port_sim_record(PATH);
	struct reason reason;
	struct port *port;

	(void)state;
	assert_int_equal(port_open(PATH, 0, LINE_RTS, &port, &reason), 0);
	assert_int_equal(record->n_lines, 2);
	assert_int_equal(record->lines[0].lines, LINE_DTR | LINE_RTS);
	assert_true(record->lines[0].by_kernel);
	assert_int_equal(record->lines[1].lines, LINE_RTS);
	assert_false(record->lines[1].by_kernel);
	assert_int_equal(sim_state(sim), SIM_ROM);
	assert_int_equal(port_set_lines(port, LINE_DTR | LINE_RTS, LINE_DTR), 0);
	assert_int_equal(record->n_lines, 3);
	assert_int_equal(record->lines[2].lines, LINE_DTR);
	assert_int_equal(port_set_lines(port, LINE_DTR, 0), 0);
	assert_int_equal(record->lines[3].lines, 0);
	port_close(port);
	assert_int_equal(record->lines_at_close, LINE_RTS);
	assert_int_equal(record->opens, 1);
	assert_int_equal(record->closes, 1);
	detach(sim);
}

static void opening_fails_as_the_knobs_say(void **state)
{
	static const struct {
		struct port_sim_options options;
		int error;
		const char *said;
	} rows[] = {
		{{.held_by = "ModemManager (412)"}, -EBUSY, "ModemManager (412)"},
		{{.permission_denied = true}, -EACCES, "permission denied"},
		{{.gone = true}, -ENODEV, "not there"},
		{{.devnum = 7}, -ENODEV, "another device"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sim *sim = attach(SIM_CIRCUIT_ROM, NULL, &rows[i].options);
		struct port *port = NULL;
		struct reason reason;

		assert_int_equal(port_open(PATH, 3, 0, &port, &reason), rows[i].error);
		assert_non_null(strstr(reason.text, rows[i].said));
		assert_null(port);
		assert_int_equal(port_sim_record(PATH)->opens, 0);
		assert_int_equal(port_sim_record(PATH)->refused, 1);
		assert_int_equal(port_sim_record(PATH)->n_lines, 0);
		detach(sim);
	}
}

static void configuring_fails_as_the_knobs_say(void **state)
{
	struct sim *sim = attach(SIM_CIRCUIT_ROM, NULL,
		&(struct port_sim_options){.drops_parity = true, .max_baud = 115200});
	struct reason reason;
	struct port *port;

	(void)state;
	assert_int_equal(port_open(PATH, 0, 0, &port, &reason), 0);
	assert_int_equal(port_configure(port, 115200, PORT_PARITY_EVEN, &reason), -ENOTSUP);
	assert_int_equal(port_configure(port, 230400, PORT_PARITY_NONE, &reason), -ENOTSUP);
	assert_int_equal(port_configure(port, 115200, PORT_PARITY_NONE, &reason), 0);
	assert_int_equal(port_sim_record(PATH)->configures, 1);
	port_close(port);
	detach(sim);
}

/* Out by a frame, the byte, the ACK from within it, in by a frame. */
static void answer_takes_a_frame_each_way(void **state)
{
	static const int usb[] = {PORT_SIM_NO_USB, 0, 125};
	static const uint64_t frames[] = {0, 2000, 250};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(usb); i++) {
		struct sim *sim = attach(
			SIM_CIRCUIT_ROM, NULL, &(struct port_sim_options){.usb_usec = usb[i]});
		struct port *port = open_port();
		uint64_t from = port_now(port);

		assert_int_equal(port_write(port, (uint8_t[]){0x7F}, 1, from + 100000), 0);
		assert_int_equal(read_byte(port, 100000), 0x79);
		assert_in_range(port_now(port) - from, frames[i] + BYTE_USEC + 69,
			frames[i] + BYTE_USEC + 69 + 10);
		port_close(port);
		detach(sim);
	}
}

static void read_gives_up_at_its_deadline(void **state)
{
	struct sim *sim = attach(SIM_CIRCUIT_ROM, NULL, NULL);
	struct port *port = open_port();
	uint64_t from = port_now(port);

	(void)state;
	assert_int_equal(read_byte(port, 35 * USEC_PER_SEC), -ETIMEDOUT);
	assert_in_range(port_now(port) - from, 35 * USEC_PER_SEC, 35 * USEC_PER_SEC + 10);
	port_close(port);
	detach(sim);
}

static void drain_waits_for_the_line(void **state)
{
	static const uint8_t bytes[100] = {0};
	struct sim *sim = attach(SIM_CIRCUIT_NONE, NULL, NULL);
	struct port *port = open_port();
	uint64_t from = port_now(port);

	(void)state;
	assert_int_equal(port_line_time(port, 100), 9549);
	assert_int_equal(port_write(port, bytes, sizeof(bytes), from + 1000000), 0);
	assert_in_range(port_now(port) - from, 0, 10);
	assert_int_equal(port_drain(port, from + 5000), -ETIMEDOUT);
	assert_int_equal(port_drain(port, from + 1000000), 0);
	assert_in_range(port_now(port) - from, 1000 + 9548, 1000 + 9548 + 20);
	assert_int_equal(sim_counters(sim)->received, 100);
	port_close(port);
	detach(sim);
}

/* What is still in the bridge is not thrown away with what the host has. */
static void discard_takes_what_has_arrived(void **state)
{
	struct sim *sim = attach(SIM_CIRCUIT_ROM, NULL, NULL);
	struct port *port = open_port();

	(void)state;
	port_write(port, (uint8_t[]){0x7F}, 1, port_now(port) + 100000);
	port_wait(port, 1500); /* the ACK is on its way from the bridge */
	assert_int_equal(port_discard_input(port), 0);
	assert_int_equal(read_byte(port, 10000), 0x79);
	port_write(port, (uint8_t[]){0x02, 0xFD}, 2, port_now(port) + 100000);
	port_wait(port, 20000);
	assert_int_equal(port_discard_input(port), 0);
	assert_int_equal(read_byte(port, 10000), -ETIMEDOUT);
	port_close(port);
	detach(sim);
}

static void bytes_to_a_closed_port_are_lost(void **state)
{
	struct sim_options board = {.chip = sim_chip_find("f103xc"),
		.circuit = SIM_CIRCUIT_ROM,
		.faults = {.ack_stream = true}};
	struct sim *sim = sim_new(&board);
	struct port *port;

	(void)state;
	port_sim_attach(PATH, sim, NULL);
	port_sim_pass(PATH, 5 * USEC_PER_SEC);
	port = open_port();
	port_discard_input(port);
	sim_set_faults(sim, &(struct sim_faults){0});
	port_wait(port, 5000);
	port_discard_input(port);
	assert_int_equal(read_byte(port, 10000), -ETIMEDOUT);
	port_close(port);
	detach(sim);
}

static void check_gone(struct port *port)
{
	struct reason reason;
	uint8_t byte = 0;
	size_t n;

	assert_int_equal(port_read_some(port, &byte, 1, port_now(port) + 1000, &n), -ENODEV);
	assert_int_equal(port_write(port, &byte, 1, port_now(port) + 1000), -ENODEV);
	assert_int_equal(port_set_lines(port, LINE_DTR, 0), -ENODEV);
	assert_int_equal(port_configure(port, 9600, PORT_PARITY_NONE, &reason), -ENODEV);
	assert_int_equal(port_drain(port, port_now(port) + 1000), -ENODEV);
	assert_int_equal(port_discard_input(port), -ENODEV);
	assert_int_equal(port_wait(port, 1000), -ENODEV);
}

static void unplugged_port_says_so_at_once(void **state)
{
	struct sim *sim =
		attach(SIM_CIRCUIT_ROM, NULL, &(struct port_sim_options){.unplug_at_usec = 500000});
	struct port *port = open_port();
	struct reason reason;
	struct port *other;

	(void)state;
	assert_int_equal(read_byte(port, 30 * USEC_PER_SEC), -ENODEV);
	assert_in_range(port_now(port), 500000, 500010);
	check_gone(port);
	port_close(port);
	assert_int_equal(port_sim_record(PATH)->closes, 1);
	assert_int_equal(port_open(PATH, 0, 0, &other, &reason), -ENODEV);
	port_sim_replug(PATH);
	port = open_port();
	port_close(port);
	detach(sim);
}

static void unplug_after_bytes_and_by_the_board(void **state)
{
	struct sim *sim =
		attach(SIM_CIRCUIT_ROM, NULL, &(struct port_sim_options){.unplug_after_sent = 2});
	struct port *port = open_port();

	(void)state;
	port_write(port, (uint8_t[]){0x7F, 0x00, 0xFF}, 3, port_now(port) + 1000);
	assert_int_equal(port_drain(port, port_now(port) + 1000000), -ENODEV);
	assert_int_equal(sim_counters(sim)->received, 2);
	check_gone(port);
	port_close(port);
	detach(sim);

	sim = attach(SIM_CIRCUIT_ROM, &(struct sim_faults){.vanish_received = 1}, NULL);
	port = open_port();
	port_write(port, (uint8_t[]){0x7F}, 1, port_now(port) + 1000);
	assert_int_equal(read_byte(port, 1000000), -ENODEV);
	check_gone(port);
	port_close(port);
	detach(sim);
}

/* The board lives from the bridge: what it was programming ends there. */
static void unplug_takes_the_power(void **state)
{
	struct sim *sim = attach(SIM_CIRCUIT_ROM, NULL, NULL);
	struct port *port = open_port();
	uint8_t frame[2 + 5 + 258] = {0x31, 0xCE, 0x08, 0, 0, 0, 0x08, 0xFF};
	uint8_t *flash = sim_flash(sim);

	(void)state;
	frame[sizeof(frame) - 1] = 0xFF;
	port_write(port, (uint8_t[]){0x7F}, 1, port_now(port) + 1000);
	assert_int_equal(read_byte(port, 100000), 0x79);
	port_sim_set_options(PATH,
		&(struct port_sim_options){.unplug_at_usec = port_now(port) + 1000 + 25304 + 3000});
	port_write(port, frame, sizeof(frame), port_now(port) + 1000);
	assert_int_equal(port_wait(port, USEC_PER_SEC), -ENODEV);
	assert_int_equal(flash[0], 0x00);
	assert_int_equal(flash[100], 0x00);
	assert_int_equal(flash[130], 0xFF);
	assert_int_equal(sim_counters(sim)->blocks_written, 0);
	port_close(port);
	detach(sim);
}

static void record_has_the_first_byte_after_each_reset(void **state)
{
	struct sim *sim = attach(SIM_CIRCUIT_DIRECT, NULL, NULL);
	struct port *port = open_port();
	const struct port_sim_record *record = port_sim_record(PATH);

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		port_set_lines(port, LINE_DTR | LINE_RTS, LINE_DTR | LINE_RTS);
		port_wait(port, 10000);
		port_set_lines(port, LINE_DTR, 0);
		port_wait(port, 10000);
		port_write(port, (uint8_t[]){i ? 0x55 : 0x7F, 0x00}, 2, port_now(port) + 1000);
		port_drain(port, port_now(port) + 10000);
	}
	assert_int_equal(record->n_firsts, 2);
	assert_int_equal(record->firsts[0].byte, 0x7F);
	assert_int_equal(record->firsts[0].baud, 115200);
	assert_true(record->firsts[0].even_parity);
	assert_int_equal(record->firsts[1].byte, 0x55);
	assert_int_equal(record->n_sent, 4);
	assert_int_equal(record->sent[2].byte, 0x55);
	assert_int_equal(record->writes, 2);
	port_close(port);
	detach(sim);
}

static void second_open_is_busy(void **state)
{
	struct sim *sim = attach(SIM_CIRCUIT_ROM, NULL, NULL);
	struct port *port = open_port();
	struct port *other;
	struct reason reason;

	(void)state;
	assert_int_equal(port_open(PATH, 0, 0, &other, &reason), -EBUSY);
	assert_int_equal(port_open("/dev/ttyUSB9", 0, 0, &other, &reason), -ENOENT);
	port_close(port);
	detach(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_raises_both_lines_then_sets_rest),
		cmocka_unit_test(opening_fails_as_the_knobs_say),
		cmocka_unit_test(configuring_fails_as_the_knobs_say),
		cmocka_unit_test(answer_takes_a_frame_each_way),
		cmocka_unit_test(read_gives_up_at_its_deadline),
		cmocka_unit_test(drain_waits_for_the_line),
		cmocka_unit_test(discard_takes_what_has_arrived),
		cmocka_unit_test(bytes_to_a_closed_port_are_lost),
		cmocka_unit_test(unplugged_port_says_so_at_once),
		cmocka_unit_test(unplug_after_bytes_and_by_the_board),
		cmocka_unit_test(unplug_takes_the_power),
		cmocka_unit_test(record_has_the_first_byte_after_each_reset),
		cmocka_unit_test(second_open_is_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
