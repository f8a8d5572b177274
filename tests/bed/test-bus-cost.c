/* SPDX-License-Identifier: MIT */
/*
 * What it costs to be watched: the processor time of the service with 16 boards flashed at once,
 * with a bus, a peer that hears all and the page with a screen at it, against without a bus; of the
 * service alone, and with its workers, as the unit is charged. And that of the page. Turns of both
 * kinds follow one another, so that other work of the machine meets both; the figures are printed,
 * and only generous bounds are demanded. BENCH=all in the environment adds images of 128 KiB.
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
#include "bed/processes.h"
#include "bed/stage.h"

#define N_BOARDS     16
#define N_TURNS	     2 /* of each kind */
#define IMAGE_SMALL  (20 * 1024)
#define IMAGE_LARGE  (128 * 1024)
#define ADDRESS_PAGE "127.0.0.1:8474"

static struct processes_time cost_of(pid_t pid)
{
	struct processes_time time;

	assert_true(processes_time_of(pid, &time));
	return time;
}

static void add_cost(
	struct processes_time *sum, struct processes_time before, struct processes_time after)
{
	sum->msec += after.msec - before.msec;
	sum->children_msec += after.children_msec - before.children_msec;
}

struct boards {
	struct bed_unit *units[N_BOARDS];
	char serials[N_BOARDS][8], places[N_BOARDS][12];
	unsigned version; /* of the next image */
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
						      .chip = "f103xc",
						      .path = boards->places[i],
						      .is_paced = true});
	}
}

/* Sixteen boards come, are written and go. What the service did for it is added to the cost. */
static void run_turn(
	struct bed *bed, struct boards *boards, size_t n_image, struct processes_time *sum)
{
	struct processes_time before;

	scene_put_noise(bed, boards->version++, n_image);
	bed_settle_images(bed);
	before = cost_of(bed_service_pid(bed));
	plug_all(bed, boards);
	for (unsigned i = 0; i < N_BOARDS; i++)
		expect_outcome(boards->units[i], "updated");
	for (unsigned i = 0; i < N_BOARDS; i++)
		bed_unplug(boards->units[i]);
	bed_run(bed, 200);
	add_cost(sum, before, cost_of(bed_service_pid(bed)));
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

struct costs {
	struct processes_time alone, watched, page;
	double watched_msec; /* by the wall */
	size_t n_signals;
};

static void run_watched(
	struct stage *stage, struct boards *boards, size_t n_image, struct costs *costs)
{
	struct screen screen;
	struct processes_time before;
	uint64_t begin;

	begin_bus(stage);
	begin_screen(stage->bed, &screen);
	assert_true(bed_wait_file(stage->bed, BED_LONG, "events"));
	before = cost_of(screen.page);
	begin = monotonic_usec();
	run_turn(stage->bed, boards, n_image, &costs->watched);
	costs->watched_msec += (double)(monotonic_usec() - begin) / 1e3;
	add_cost(&costs->page, before, cost_of(screen.page));
	end_screen(stage->bed, &screen);
	costs->n_signals += peer_signals(stage->peer);
	end_bus(stage);
}

static double percent_more(double than, double is)
{
	return 100 * (is / than - 1);
}

static void compare(struct stage *stage, struct boards *boards, size_t n_image, unsigned n_turns)
{
	struct costs costs = {0};
	double alone, watched;

	for (unsigned i = 0; i < n_turns; i++) {
		run_turn(stage->bed, boards, n_image, &costs.alone);
		run_watched(stage, boards, n_image, &costs);
	}
	alone = costs.alone.msec + costs.alone.children_msec;
	watched = costs.watched.msec + costs.watched.children_msec;
	print_message(
		"# figure: %u times %u boards of %zu KiB at once, without a bus against with bus, "
		"peer and page: the service %.1f and %.1f ms (%+.1f %%), with its workers %.0f and "
		"%.0f ms (%+.1f %%), %zu signals; the page %.2f %% of a core\n",
		n_turns, N_BOARDS, n_image / 1024, costs.alone.msec, costs.watched.msec,
		percent_more(costs.alone.msec, costs.watched.msec), alone, watched,
		percent_more(alone, watched), costs.n_signals,
		100 * costs.page.msec / costs.watched_msec);
	assert_true(costs.n_signals > (size_t)n_turns * N_BOARDS);
	assert_true(costs.watched.msec < 4 * costs.alone.msec);
	assert_true(costs.page.msec < costs.watched_msec / 2);
}

static void sixteen_boards_at_once_cost_little_more_when_watched(void **state)
{
	const char *bench = getenv("BENCH");
	struct stage *stage = *state;
	struct boards boards = {0};
	struct processes_time unused = {0};

	bring_network_up();
	bed_configure(stage->bed, "", "[board gate]\nserial = A*\nchip = 0x414\nimage = gate-*\n");
	stage_start(stage);
	/* Once, so that all code is in memory and each board has its row in the store. */
	run_turn(stage->bed, &boards, IMAGE_SMALL, &unused);
	end_bus(stage);
	compare(stage, &boards, IMAGE_SMALL, N_TURNS);
	if (bench && strcmp(bench, "all") == 0)
		compare(stage, &boards, IMAGE_LARGE, 1);
}

static const struct CMUnitTest tests[] = {
	STAGE_TEST(sixteen_boards_at_once_cost_little_more_when_watched),
};

SCENE_MAIN(tests)
