/* SPDX-License-Identifier: MIT */
/*
 * simboard - boards that are not there: simulated chips behind virtual CP210x bridges, plugged
 * into this machine's own kernel (module vhci-hcd, as root). The driver, udev and everything above
 * are real.
 *
 *   simboard [-s SOCKET] [COMMAND ...]  does the command, then those of standard input and the
 * socket simboard -c SOCKET COMMAND ...      has another simboard do it; 1 where that failed
 *
 * The commands stand in command.h.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#include "base/util.h"
#include "guest/command.h"

#define LINE 1024

struct simboard {
	struct commands commands;
	int epoll, timer, listener;
};

/* What an event is of, beside the boards. */
static int of_timer, of_listener, of_input;

static int watch(struct simboard *simboard, int fd, void *what)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};

	return epoll_ctl(simboard->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int listen_at(struct simboard *simboard, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	(void)unlink(path);
	simboard->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (simboard->listener < 0 ||
		bind(simboard->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(simboard->listener, 64) < 0)
		return -errno;
	return watch(simboard, simboard->listener, &of_listener);
}

/* A client says its lines at once, as ask() does, and reads the answers until we close. */
static void serve(struct simboard *simboard)
{
	int client = accept4(simboard->listener, NULL, NULL, SOCK_CLOEXEC);
	CLEANUP(fclosep) FILE *in = client >= 0 ? fdopen(client, "re") : NULL;
	CLEANUP(fclosep) FILE *out = client >= 0 ? fdopen(dup(client), "we") : NULL;
	char line[LINE];

	while (in && out && fgets(line, sizeof(line), in)) {
		commands_do(&simboard->commands, line, out);
		fflush(out);
	}
}

static void on_input(struct simboard *simboard)
{
	char line[LINE];

	if (fgets(line, sizeof(line), stdin)) {
		commands_do(&simboard->commands, line, stdout);
		fflush(stdout);
		return;
	}
	/* No more commands this way; the boards stay. */
	epoll_ctl(simboard->epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
}

static void pull(struct board *board)
{
	board_unplug(board);
	board->is_watched = false;
}

/* Boards that were plugged in since the last turn are watched from now on. */
static void watch_boards(struct simboard *simboard)
{
	for (struct board *board = simboard->commands.boards; board; board = board->next) {
		if (!board->bridge || board->is_watched)
			continue;
		if (watch(simboard, bridge_fd(board->bridge), board) < 0)
			pull(board);
		else
			board->is_watched = true;
	}
}

/* The next frame of all boards. */
static void set_timer(struct simboard *simboard)
{
	struct itimerspec when = {0};
	uint64_t next = SIM_NEVER, now = bridge_now();

	for (struct board *board = simboard->commands.boards; board; board = board->next) {
		uint64_t frame = board->bridge ? bridge_next_frame(board->bridge, now) : SIM_NEVER;

		if (frame < next)
			next = frame;
	}
	if (next != SIM_NEVER) {
		when.it_value.tv_sec = (time_t)(next / 1000000000);
		when.it_value.tv_nsec = (long)(next % 1000000000);
	}
	timerfd_settime(simboard->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void on_timer(struct simboard *simboard)
{
	uint64_t n_expired, now = bridge_now();

	if (read(simboard->timer, &n_expired, sizeof(n_expired)) < 0)
		return;
	for (struct board *board = simboard->commands.boards; board; board = board->next)
		if (board->bridge &&
			(bridge_on_frame(board->bridge, now) < 0 || sim_has_vanished(board->sim)))
			pull(board);
}

static void on_event(struct simboard *simboard, void *what)
{
	struct board *board = what;

	if (what == &of_timer)
		on_timer(simboard);
	else if (what == &of_listener)
		serve(simboard);
	else if (what == &of_input)
		on_input(simboard);
	/* It may have been pulled in the same turn. */
	else if (board->bridge && bridge_on_input(board->bridge, bridge_now()) < 0)
		pull(board);
}

static int run(struct simboard *simboard)
{
	struct epoll_event events[64];

	while (!simboard->commands.is_over) {
		int n;

		watch_boards(simboard);
		set_timer(simboard);
		n = epoll_wait(simboard->epoll, events, ARRAY_SIZE(events), -1);
		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n; i++)
			on_event(simboard, events[i].data.ptr);
	}
	return 0;
}

static int serve_all(struct simboard *simboard, const char *path)
{
	int r;

	simboard->epoll = epoll_create1(EPOLL_CLOEXEC);
	simboard->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (simboard->epoll < 0 || simboard->timer < 0)
		return -errno;
	r = watch(simboard, simboard->timer, &of_timer);
	if (r >= 0 && path)
		r = listen_at(simboard, path);
	if (r < 0)
		return r;
	/* A file or /dev/null cannot be waited for, and there is nothing to wait for. */
	(void)watch(simboard, STDIN_FILENO, &of_input);
	return run(simboard);
}

static void join(char line[LINE], char *const words[])
{
	size_t n = 0;

	line[0] = 0;
	for (; *words && n < LINE - 2; words++)
		n += (size_t)snprintf(line + n, LINE - 1 - n, "%s ", *words);
	strcat(line, "\n");
}

/* All lines at once, then the answers. */
static int ask(const char *path, char *const words[])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CLEANUP(fclosep) FILE *in = NULL;
	int status = EXIT_SUCCESS;
	char line[LINE];

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		!(in = fdopen(dup(fd), "re"))) {
		fprintf(stderr, "simboard: %s: %s\n", path, strerror(errno));
		return EXIT_FAILURE;
	}
	if (*words) {
		join(line, words);
		dprintf(fd, "%s", line);
	} else {
		while (fgets(line, sizeof(line), stdin))
			dprintf(fd, "%s", line);
	}
	shutdown(fd, SHUT_WR);
	while (fgets(line, sizeof(line), in)) {
		if (strncmp(line, "error: ", 7) == 0)
			status = EXIT_FAILURE;
		if (strcmp(line, "ok\n") != 0)
			fputs(line, stdout);
	}
	return status;
}

static void print_usage(FILE *to)
{
	fputs("simboard [-s SOCKET] [COMMAND]: boards behind virtual bridges; reads further commands\n"
	      "from standard input, or from SOCKET\n"
	      "simboard -c SOCKET [COMMAND]: sends that, or standard input, to such a one\n\n"
	      "  plug NAME [KEY=VALUE ...]  as in: plug demo product=Gate chip=f103c8 circuit=one-key\n"
	      "  unplug NAME\n"
	      "  dump NAME FILE, load NAME FILE\n"
	      "  fault NAME [KEY=VALUE ...]\n"
	      "  counters NAME, record NAME [INTERFACE], state NAME\n"
	      "  list, quit\n\n"
	      "tests/guest/command.h explains them, with the keys of plug.\n",
		to);
}

int main(int argc, char *argv[])
{
	struct simboard simboard = {.listener = -1};
	const char *path = NULL;
	bool is_client = false;
	int option, r;

	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
		print_usage(stdout);
		return EXIT_SUCCESS;
	}
	while ((option = getopt(argc, argv, "+s:c:")) >= 0) {
		if (option == '?') {
			print_usage(stderr);
			return 2;
		}
		path = optarg;
		is_client = option == 'c';
	}
	if (is_client)
		return ask(path, argv + optind);
	/* A frame of the bus is a millisecond: the kernel's slack of 50 us is too much of it. */
	prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);
	if (optind < argc) {
		char line[LINE];

		join(line, argv + optind);
		commands_do(&simboard.commands, line, stdout);
		fflush(stdout);
	} else if (!path && isatty(STDIN_FILENO))
		fputs("simboard: waits for commands, a line each; simboard --help lists them\n",
			stderr);
	r = serve_all(&simboard, path);
	commands_done(&simboard.commands);
	if (r < 0)
		fprintf(stderr, "simboard: %s\n", strerror(-r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
