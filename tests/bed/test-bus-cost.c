/* SPDX-License-Identifier: MIT */
/*
 * What it costs to be watched: the processor time of the service with 16 boards flashed at once,
 * with a bus, a peer that hears all and the page with a screen at it, against without a bus. And
 * that of the page. Turns of both kinds follow one another, so that other work of the machine meets
 * both; the figures are printed, and only generous bounds are demanded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/util.h"
#include "bed/enclosure.h"
#include "bed/stage.h"

#define N_BOARDS     16
#define N_TURNS	     3 /* of each kind */
#define IMAGE_BYTES  (20 * 1024)
#define ADDRESS_PAGE "127.0.0.1:8474"

/* A vector table for an STM32F103, and noise that is another for each version. */
static void put_image(struct bed *bed, unsigned version)
{
	static uint8_t data[IMAGE_BYTES];
	static const uint8_t vectors[8] = {0x00, 0x20, 0x00, 0x20, 0x01, 0x01, 0x00, 0x08};
	uint32_t noise = 0x9E3779B9 * (version + 1);
	char name[64];

	for (size_t i = 0; i < sizeof(data); i++) {
		noise = noise * 1664525 + 1013904223;
		data[i] = (uint8_t)(noise >> 24);
	}
	memcpy(data, vectors, sizeof(vectors));
	snprintf(name, sizeof(name), "gate-2.%u.0.bin", version);
	bed_put_bytes(bed, name, data, sizeof(data));
}

/* Processor time of the process so far: proc(5), schedstat, its first number. */
static uint64_t cpu_nsec(pid_t pid)
{
	unsigned long long nsec = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%llu", &nsec), 1);
	fclose(f);
	return nsec;
}

struct boards {
	struct bed_unit *units[N_BOARDS];
	char serials[N_BOARDS][8], places[N_BOARDS][12];
};

static void plug_all(struct bed *bed, struct boards *boards)
{
	for (unsigned i = 0; i < N_BOARDS; i++) {
		snprintf(boards->serials[i], sizeof(boards->serials[i]), "A%u", i);
		snprintf(boards->places[i], sizeof(boards->places[i]), "1-%u.%u", 1 + i / 4,
			1 + i % 4);
		if (boards->units[i])
			bed_replug(boards->units[i], NULL);
		else
			boards->units[i] =
				bed_plug(bed, &(struct bed_board){.serial = boards->serials[i],
						      .path = boards->places[i],
						      .is_paced = true});
	}
}

/* Sixteen boards come, are written and go. Processor time of the service for it. */
static uint64_t run_turn(struct bed *bed, struct boards *boards, unsigned version)
{
	uint64_t before;

	put_image(bed, version);
	bed_settle_images(bed);
	before = cpu_nsec(bed_service_pid(bed));
	plug_all(bed, boards);
	for (unsigned i = 0; i < N_BOARDS; i++)
		expect_outcome(boards->units[i], "updated");
	for (unsigned i = 0; i < N_BOARDS; i++)
		bed_unplug(boards->units[i]);
	bed_run(bed, 200);
	return cpu_nsec(bed_service_pid(bed)) - before;
}

/* The enclosure's network has an interface of its own, which is down. */
static void bring_network_up(void)
{
	CLEANUP(closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
}

static void end_bus(struct stage *stage)
{
	stage->peer = peer_free(stage->peer);
	bus_daemon_end(&stage->daemon);
}

static void begin_bus(struct stage *stage)
{
	bus_daemon_start(&stage->daemon);
	stage->peer = peer_new(stage->peers);
	assert_true(peer_wait_name(stage->peer, BED_LONG, BUS_NAME, true));
}

/* The page, started by its socket, and a screen that hears its events. */
struct screen {
	pid_t page, screen;
};

static void begin_screen(struct bed *bed, struct screen *screen)
{
	char program[4096], events[200];
	const char *const page[] = {"systemd-socket-activate", "-l", ADDRESS_PAGE, "-E",
		ENV_BUS_ADDRESS, program, "--page", "src/web/page", NULL};
	/* Until its events end. It asks until the socket is there. */
	const char *const curl[] = {"curl", "--silent", "--no-buffer", "--retry", "50",
		"--retry-connrefused", "--retry-delay", "1", "--output", events,
		"http://" ADDRESS_PAGE "/api/events", NULL};

	snprintf(events, sizeof(events), "%s/events", bed_directory(bed));
	(void)remove(events);
	assert_non_null(realpath(getenv("BUILD") ? getenv("BUILD") : "build", program));
	assert_true(strlen(program) + 20 < sizeof(program));
	strcat(program, "/plugflash-web");
	screen->page = bed_spawn(bed, page);
	screen->screen = bed_spawn(bed, curl);
}

static void end_screen(struct bed *bed, struct screen *screen)
{
	int status;

	kill(screen->screen, SIGKILL);
	kill(screen->page, SIGTERM);
	assert_true(bed_wait_child(bed, BED_LONG, screen->screen, &status));
	assert_true(bed_wait_child(bed, BED_LONG, screen->page, &status));
}

static void sixteen_boards_at_once_cost_little_more_when_watched(void **state)
{
	struct stage *stage = *state;
	struct bed *bed = stage->bed;
	uint64_t watched = 0, alone = 0, page = 0, watched_usec = 0, begin, before;
	struct boards boards = {0};
	struct screen screen;
	size_t n_signals = 0;

	bring_network_up();
	stage_start(stage);
	/* Once, so that all code is in memory and each board has its row in the store. */
	run_turn(bed, &boards, 0);
	for (unsigned i = 0; i < N_TURNS; i++) {
		end_bus(stage);
		alone += run_turn(bed, &boards, 1 + 2 * i);
		begin_bus(stage);
		begin_screen(bed, &screen);
		assert_true(bed_wait_file(bed, BED_LONG, "events"));
		before = cpu_nsec(screen.page);
		begin = monotonic_usec();
		watched += run_turn(bed, &boards, 2 + 2 * i);
		watched_usec += monotonic_usec() - begin;
		page += cpu_nsec(screen.page) - before;
		end_screen(bed, &screen);
		n_signals += peer_signals(stage->peer);
	}
	print_message("# figure: processor time of the service for %u times %u boards at once: "
		      "%.1f ms without a bus, %.1f ms with bus, peer and page, and %zu signals: "
		      "%+.1f %%\n",
		N_TURNS, N_BOARDS, (double)alone / 1e6, (double)watched / 1e6, n_signals,
		100.0 * ((double)watched / (double)alone - 1));
	print_message("# figure: processor time of the page meanwhile: %.1f %% of a core\n",
		(double)page / 1e3 / (double)watched_usec * 100);
	assert_true(n_signals > N_TURNS * N_BOARDS);
	assert_in_range(watched, 0, 4 * alone);
	assert_in_range(page / 1000, 0, watched_usec / 2);
}

static const struct CMUnitTest tests[] = {
	STAGE_TEST(sixteen_boards_at_once_cost_little_more_when_watched),
};

SCENE_MAIN(tests)
