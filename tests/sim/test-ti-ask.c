/* SPDX-License-Identifier: MIT */
/*
 * test-ti-ask.c - the questions of applications' protocols at a simulated stick of TI's: Z-Stack
 * says its version, and the loader in the ROM, fresh or synchronised, is moved by none of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "application/application-protocol.h"
#include "device/port.h"
#include "sim/port-sim.h"
#include "tools/ti-make.h"

#define PORT	 "/dev/ttyUSB0"
#define ASK_USEC (2 * USEC_PER_SEC)

struct stick {
	struct sim *sim;
	struct port *port;
	struct expect expect;
	char version[APPLICATION_VERSION_BYTES];
};

/* A ZBDongle-P with that image, its lines at rest: the application runs. */
static void begin(struct stick *stick, const struct sim_faults *faults)
{
	struct ti_make_image image = ti_make_new("cc2652p", "20240710", 0);
	struct sim_options options = {.chip = sim_chip_find("cc2652p"), .circuit = SIM_CIRCUIT_ESP};
	struct reason reason = {""};

	if (faults)
		options.faults = *faults;
	*stick = (struct stick){.sim = sim_new(&options)};
	assert_non_null(stick->sim);
	memcpy(sim_flash(stick->sim), image.flash, sim_flash_size(stick->sim));
	ti_make_done(&image);
	port_sim_attach(PORT, stick->sim, NULL);
	assert_int_equal(port_open(PORT, 0, 0, &stick->port, &reason), 0);
	stick->expect.port = stick->port;
}

static void end(struct stick *stick)
{
	port_close(stick->port);
	port_sim_detach_all();
	sim_free(stick->sim);
}

/* The two transistors of the stick. */
static void reset(struct stick *stick, bool into_loader)
{
	const unsigned both = LINE_DTR | LINE_RTS;

	assert_int_equal(port_set_lines(stick->port, both, LINE_RTS), 0);
	assert_int_equal(port_wait(stick->port, 100 * USEC_PER_MSEC), 0);
	assert_int_equal(port_set_lines(stick->port, both, into_loader ? LINE_DTR : 0), 0);
	assert_int_equal(port_wait(stick->port, 100 * USEC_PER_MSEC), 0);
	assert_int_equal(port_set_lines(stick->port, both, 0), 0);
	assert_int_equal(port_wait(stick->port, 500 * USEC_PER_MSEC), 0);
}

static int ask(struct stick *stick, enum application_protocol protocol, uint32_t baud)
{
	struct application_link link = {.expect = &stick->expect};
	struct reason reason = {""};

	assert_int_equal(port_configure(stick->port, baud, PORT_PARITY_NONE, &reason), 0);
	assert_int_equal(expect_forget(&stick->expect), 0);
	link.deadline = port_now(stick->port) + ASK_USEC;
	return application_protocol_of(protocol)->ask(&link, stick->version);
}

/* What comes for these bytes within 300 ms. */
static size_t talk(struct stick *stick, const void *bytes, size_t n_bytes, uint8_t to[8])
{
	uint64_t until = port_now(stick->port) + 300 * USEC_PER_MSEC;
	size_t n = 0;

	assert_int_equal(expect_forget(&stick->expect), 0);
	assert_int_equal(expect_say(&stick->expect, bytes, n_bytes), 0);
	while (n < 8 && expect_hear(&stick->expect, &to[n], until) == 0)
		n++;
	return n;
}

static void z_stack_says_its_version(void **state)
{
	struct stick stick;

	(void)state;
	begin(&stick, NULL);
	reset(&stick, false);
	assert_int_equal(ask(&stick, APPLICATION_MT, 115200), APPLICATION_OK);
	assert_string_equal(stick.version, "20240710");
	end(&stick);
}

/* While it starts, its indication comes in front of the answer. */
static void its_indication_does_not_disturb(void **state)
{
	struct stick stick;
	int r;

	(void)state;
	begin(&stick, NULL);
	reset(&stick, false);
	assert_int_equal(port_set_lines(stick.port, LINE_DTR | LINE_RTS, LINE_RTS), 0);
	assert_int_equal(port_wait(stick.port, 100 * USEC_PER_MSEC), 0);
	assert_int_equal(port_set_lines(stick.port, LINE_DTR | LINE_RTS, 0), 0);
	r = ask(&stick, APPLICATION_MT, 115200);
	assert_int_equal(r, APPLICATION_OK);
	assert_string_equal(stick.version, "20240710");
	end(&stick);
}

static void a_mute_one_is_silent(void **state)
{
	const struct sim_faults faults = {.ti.is_mute = true};
	struct stick stick;

	(void)state;
	begin(&stick, &faults);
	reset(&stick, false);
	assert_int_equal(ask(&stick, APPLICATION_MT, 115200), APPLICATION_SILENT);
	end(&stick);
}

/* Every other question leaves Z-Stack as it was. */
static void z_stack_is_silent_to_others(void **state)
{
	struct stick stick;

	(void)state;
	begin(&stick, NULL);
	reset(&stick, false);
	for (enum application_protocol p = 0; p < APPLICATION_PROTOCOL_MAX; p++)
		if (p != APPLICATION_MT)
			assert_int_equal(ask(&stick, p, 115200), APPLICATION_SILENT);
	assert_int_equal(ask(&stick, APPLICATION_MT, 115200), APPLICATION_OK);
	assert_string_equal(stick.version, "20240710");
	end(&stick);
}

/* The loader, at a rate of its own and at that of the question, before and after 55 55. */
static void the_loader_is_not_moved(void **state)
{
	static const uint8_t sync[] = {0x55, 0x55};

	(void)state;
	for (enum application_protocol p = 0; p < APPLICATION_PROTOCOL_MAX; p++)
		for (unsigned is_synced = 0; is_synced < 2; is_synced++) {
			CLEANUP(freep) uint8_t *before = NULL;
			struct stick stick;
			struct reason reason = {""};
			uint8_t answer[8];
			size_t n_flash;

			begin(&stick, NULL);
			n_flash = sim_flash_size(stick.sim);
			before = malloc(n_flash);
			assert_non_null(before);
			memcpy(before, sim_flash(stick.sim), n_flash);
			reset(&stick, true);
			assert_int_equal(
				port_configure(stick.port, 115200, PORT_PARITY_NONE, &reason), 0);
			if (is_synced)
				assert_int_equal(talk(&stick, sync, sizeof(sync), answer), 2);
			assert_int_equal(ask(&stick, p, 115200), APPLICATION_SILENT);
			assert_memory_equal(sim_flash(stick.sim), before, n_flash);
			assert_int_equal(sim_counters(stick.sim)->pages_erased, 0);
			assert_int_equal(sim_counters(stick.sim)->blocks_written, 0);
			/* A reset, and it is what it was. */
			reset(&stick, true);
			assert_int_equal(talk(&stick, sync, sizeof(sync), answer), 2);
			assert_int_equal(answer[0], 0x00);
			assert_int_equal(answer[1], 0xCC);
			end(&stick);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(z_stack_says_its_version),
		cmocka_unit_test(its_indication_does_not_disturb),
		cmocka_unit_test(a_mute_one_is_silent),
		cmocka_unit_test(z_stack_is_silent_to_others),
		cmocka_unit_test(the_loader_is_not_moved),
	};

	return cmocka_run_group_tests_name("ti-ask", tests, NULL, NULL);
}
