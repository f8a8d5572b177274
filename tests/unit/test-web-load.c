/* SPDX-License-Identifier: MIT */
/*
 * test-web-load.c - what sixteen boards at once cost plugflash-web: processor time and memory, with
 * one page open and with sixty-four. Processor time is of that process alone, so that a machine
 * that is busy otherwise does not matter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/web-bench.h"

#define N_SLOTS	     16
#define MEASURE_USEC (4 * USEC_PER_SEC)
/* Of a core, in thousandths. */
#define MOST_WITH_ONE 50

static void set_long(struct bench *bench, const char *path, const char *name, uint64_t value)
{
	struct fake_object *object = fake_service_object(&bench->service, path);

	assert_int_equal(dict_set_long(&object->properties, name, value), 0);
}

/* Boards as they are in the middle of a write. */
static void plug_in(struct bench *bench)
{
	static const char *const texts[][2] = {{"UsbId", "10c4:ea60"}, {"Serial", "0001AB34"},
		{"Product", "CP2102N USB to UART Bridge Controller"},
		{"Manufacturer", "Silicon Labs"}, {"Match", "one"}, {"Board", "gate"},
		{"State", "working"}, {"Unit", "0669ff323135474d43173642"},
		{"LastOutcome", "updated"}, {"LastReason", ""}};
	char bridge[64], job[64], text[64];

	for (unsigned i = 0; i < N_SLOTS; i++) {
		snprintf(bridge, sizeof(bridge), BUS_PATH_BRIDGE "/%u", i);
		snprintf(job, sizeof(job), BUS_PATH_JOB "/%032u", i);
		for (size_t t = 0; t < ARRAY_SIZE(texts); t++)
			fake_service_set(
				&bench->service, bridge, BUS_BRIDGE, texts[t][0], texts[t][1]);
		snprintf(text, sizeof(text), "/dev/ttyUSB%u", i);
		fake_service_set(&bench->service, bridge, BUS_BRIDGE, "Port", text);
		snprintf(text, sizeof(text), "pci-0000:00:14.0-usb-0:1.%u:1.0", i);
		fake_service_set(&bench->service, bridge, BUS_BRIDGE, "Path", text);
		fake_service_set(&bench->service, bridge, BUS_BRIDGE, "Job", job);
		fake_service_set(
			&bench->service, job, BUS_JOB, "Id", job + strlen(BUS_PATH_JOB) + 1);
		fake_service_set(&bench->service, job, BUS_JOB, "Bridge", bridge);
		fake_service_set(&bench->service, job, BUS_JOB, "Phase", "write");
		fake_service_set(&bench->service, job, BUS_JOB, "Operation", "flash");
		fake_service_set(&bench->service, job, BUS_JOB, "Image", "gate-1.4.2.hex");
		set_long(bench, job, "Bytes", 262144);
		set_long(bench, job, "BytesDone", 0);
	}
}

/* As the service does of a job in the middle of a write. */
static void say_progress(struct bench *bench, unsigned slot, uint64_t bytes)
{
	char path[64];

	snprintf(path, sizeof(path), BUS_PATH_JOB "/%032u", slot);
	assert_true(sd_bus_emit_signal(bench->service.bus, path, "org.freedesktop.DBus.Properties",
			    "PropertiesChanged", "sa{sv}as", BUS_JOB, 4, "Progress", "d",
			    (double)bytes / 262144, "BytesDone", "t", bytes, "Rate", "t",
			    (uint64_t)9100, "ExpectedEndTime", "t", (uint64_t)1795911138299 + bytes,
			    0) >= 0);
}

/* User and system time of the process so far. */
static uint64_t processor_usec(pid_t pid)
{
	char path[64], text[1024], *at;
	unsigned long user, system;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	at = strrchr(text, ')');
	assert_non_null(at);
	assert_int_equal(sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
				 &user, &system),
		2);
	return (user + system) * (USEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK));
}

static unsigned resident_kib(pid_t pid)
{
	char path[64], line[256];
	unsigned kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %u", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

/* Each slot four times a second. The share of a core that the process took, in thousandths. */
static unsigned measure(struct bench *bench, struct browser *streams, size_t n_streams)
{
	uint64_t begin_usec = monotonic_usec(), used = processor_usec(bench->web), took, n_said = 0;

	for (;;) {
		took = monotonic_usec() - begin_usec;
		if (took > MEASURE_USEC)
			break;
		for (; n_said < took * 4 * N_SLOTS / USEC_PER_SEC; n_said++)
			say_progress(bench, n_said % N_SLOTS, n_said * 512);
		bench_turn(bench);
		for (size_t i = 0; i < n_streams; i++) {
			browser_read(&streams[i]);
			/* Nobody looks at it: it is not kept. */
			if (streams[i].n > 1024 * 1024)
				streams[i].n = 0;
		}
	}
	return (unsigned)((processor_usec(bench->web) - used) * 1000 / took);
}

static void sixteen_boards_at_once(void **state)
{
	struct bench *bench = *state;
	struct browser streams[64];
	unsigned share, share_of_many;

	fake_service_begin(&bench->service, &bench->bus, bench->event);
	plug_in(bench);
	bench_start_web(bench, NULL, NULL);
	stream_open(bench, &streams[0]);
	stream_await(&streams[0], "state", "running");
	share = measure(bench, streams, 1);
	assert_true(stream_documents(&streams[0], NULL) >= 8);
	for (size_t i = 1; i < ARRAY_SIZE(streams); i++) {
		stream_open(bench, &streams[i]);
		stream_await(&streams[i], "state", "running");
	}
	share_of_many = measure(bench, streams, ARRAY_SIZE(streams));
	print_message(
		"# figure: 16 boards at once cost plugflash-web %u.%u %% of a core with one page open, %u.%u %% with 64; %u KiB resident\n",
		share / 10, share % 10, share_of_many / 10, share_of_many % 10,
		resident_kib(bench->web));
	for (size_t i = 0; i < ARRAY_SIZE(streams); i++)
		browser_close(&streams[i]);
#ifndef __SANITIZE_ADDRESS__
	assert_true(share <= MOST_WITH_ONE);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sixteen_boards_at_once, bench_make, bench_done),
	};

	return cmocka_run_group_tests_name("web load", tests, NULL, NULL);
}
