/* SPDX-License-Identifier: MIT */
/*
 * The real thing for tests/web/station-tests.js: plugflashd, its workers, a dbus-daemon and
 * plugflash-web, with boards of the bed behind them, all in a network of their own. The tests run
 * as a child and say by lines on their descriptor 3 what happens to hardware and programs; each
 * line is answered by one on descriptor 4, "ok" and what there is to say, or "no" and why:
 *
 *   plug SERIAL PLACE KEY=VALUE ...   a board at "1-PLACE"; its number, and the time before, in ms
 *                                     since 1970 (keys: product, chip, silent)
 *   unplug N, replug N                of the board with that number; the time before
 *   mend N                            whatever was wrong with it
 *   service start|stop, web start|stop
 *   polkit yes|no                     whether plugflash-web may steer
 *   cost                              processor time so far of service and page, in ms
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/util.h"
#include "bed/bed-private.h"
#include "bed/bed.h"
#include "bed/bus-daemon.h"
#include "bed/enclosure.h"
#include "bed/peer.h"

#define WEB_PORT     8474
#define BOARDS_MOST  32
#define SLOTS	     16
#define IMAGE_SIZE   (24 * 1024)
#define IMAGE_VECTOR "tests/firmware/firmware-1.1.0.bin"
#define ALL_TESTS_MS (10 * 60 * 1000)

struct station {
	struct bed *bed;
	struct bus_daemon daemon;
	struct peers *peers;
	struct polkit *polkit;
	/* What the bed watched for the peers, before it was given the descriptor of both. */
	void (*on_peers)(void *userdata);
	void *peers_userdata;
	struct bed_unit *boards[BOARDS_MOST];
	char texts[BOARDS_MOST][3][160]; /* serial, product, place: the bed borrows them */
	unsigned n_boards;
	pid_t web, tests;
	int status; /* of the tests, once they have ended */
	bool have_ended;
	int commands, answers;
	char line[1024]; /* a command that is not whole yet, or waits for its turn */
	size_t n_line;
};

static _Noreturn void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* ------------------------------------------------------------------ the surroundings */

/* A network of one's own has a loopback, which is down. */
static void raise_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	CLEANUP(closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		die("the loopback of the enclosure");
}

/* Vectors of a real firmware, and behind them what takes some seconds to write. */
static void put_image(struct station *station)
{
	static uint8_t image[IMAGE_SIZE];
	FILE *from = fopen(IMAGE_VECTOR, "re");
	uint32_t noise = 1;

	for (size_t i = 0; i < sizeof(image); i++) {
		noise = noise * 1664525 + 1013904223;
		image[i] = (uint8_t)(noise >> 24);
	}
	if (!from || fread(image, 1, 4096, from) == 0)
		die(IMAGE_VECTOR);
	fclose(from);
	bed_put_bytes(station->bed, "gate-1.10.0.bin", image, sizeof(image));
}

/* Sixteen sockets with names, and a rule for boards whose serial begins with A. */
static void configure(struct station *station)
{
	char text[4096] = "[board gate]\nserial = A*\nchip = 0x410\nimage = gate-*\nretries = 0\n"
			  "again-after = 0\n";
	size_t n = strlen(text);

	for (unsigned i = 1; i <= SLOTS; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
			"[slot S%u]\npath = pci-0000:00:14.0-usb-0:%u:1.0\n", i, i);
	bed_configure(station->bed, "", text);
}

/* ------------------------------------------------------------------ programs */

/* A child without preloads, which ends with us. `also` gets the number `as` in it; -1: none. */
static pid_t spawn(const char *const argv[], int also, int as, int other, int other_as)
{
	pid_t parent = getpid(), child = fork();
	char pid[24];

	if (child < 0)
		die("fork");
	if (child > 0)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Above the numbers that they get, so that neither covers the other. */
	also = fcntl(also, F_DUPFD, 20);
	other = other < 0 ? -1 : fcntl(other, F_DUPFD, 20);
	if (getppid() != parent || dup2(also, as) < 0 || (other >= 0 && dup2(other, other_as) < 0))
		_exit(1);
	close(also);
	if (other >= 0)
		close(other);
	/* As systemd hands a socket over, sd_listen_fds(3). */
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

static void start_web(struct station *station)
{
	static char program[4200];
	const char *const argv[] = {program, "--page", "src/web/page", "--exit-idle", "0", NULL};
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(WEB_PORT),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	CLEANUP(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int yes = 1;

	snprintf(program, sizeof(program), "%s/plugflash-web", enclosure_build());
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
		bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 64) < 0)
		die("the socket of the page");
	station->web = spawn(argv, fd, 3, -1, -1);
}

static void stop_web(struct station *station)
{
	if (station->web > 0) {
		kill(station->web, SIGTERM);
		waitpid(station->web, NULL, 0);
	}
	station->web = 0;
}

static void start_tests(struct station *station)
{
	static const char *const argv[] = {"node", "tests/web/station-tests.js", NULL};
	int commands[2], answers[2];

	if (pipe2(commands, O_CLOEXEC) < 0 || pipe2(answers, O_CLOEXEC) < 0)
		die("pipe");
	fflush(stdout);
	station->tests = spawn(argv, commands[1], 3, answers[0], 4);
	close(commands[1]);
	close(answers[0]);
	station->commands = commands[0];
	station->answers = answers[1];
}

/* User and system time of a process in ms; 0: there is none. */
static unsigned long cost_of(pid_t pid)
{
	unsigned long user = 0, system = 0;
	char path[64];
	FILE *from;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	from = fopen(path, "re");
	if (!from)
		return 0;
	if (fscanf(from, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		    &system) != 2)
		user = system = 0;
	fclose(from);
	return (user + system) * 1000 / (unsigned long)sysconf(_SC_CLK_TCK);
}

/* ------------------------------------------------------------------ what the tests say */

static void PRINTF_LIKE(2, 3) answer(const struct station *station, const char *format, ...)
{
	char text[256];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text) - 1, format, args);
	va_end(args);
	text[n++] = '\n';
	if (write(station->answers, text, (size_t)n) != n)
		die("the tests do not listen");
}

static unsigned long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (unsigned long long)now.tv_sec * 1000 + (unsigned long long)now.tv_nsec / 1000000;
}

/* The value of KEY=VALUE. False: another key. */
static bool value_of(const char *word, const char *key, const char **ret)
{
	size_t n = strlen(key);

	if (strncmp(word, key, n) != 0 || word[n] != '=')
		return false;
	*ret = word + n + 1;
	return true;
}

static void plug(struct station *station, char *rest)
{
	unsigned n = station->n_boards;
	struct bed_board board = {.is_paced = true};
	const char *serial = strsep(&rest, "\t"), *place = strsep(&rest, "\t"), *value;
	char(*texts)[160] = station->texts[n];
	unsigned long long begin;

	if (n == BOARDS_MOST || !place) {
		answer(station, "no: too many boards, or no place");
		return;
	}
	snprintf(texts[0], sizeof(texts[0]), "%s", serial);
	snprintf(texts[2], sizeof(texts[2]), "1-%s", place);
	board.serial = texts[0];
	board.path = texts[2];
	for (const char *word; (word = strsep(&rest, "\t"));) {
		if (value_of(word, "product", &value)) {
			snprintf(texts[1], sizeof(texts[1]), "%s", value);
			board.product = texts[1];
		} else if (value_of(word, "chip", &value)) {
			board.chip = strcmp(value, "f103xc") == 0 ? "f103xc" : "f103c8";
		} else if (value_of(word, "silent", &value)) {
			board.faults.silent = true;
		}
	}
	begin = now_ms();
	station->boards[n] = bed_plug(station->bed, &board);
	station->n_boards++;
	answer(station, "ok %u %llu", n, begin);
}

static void handle(struct station *station, const char *verb, const char *number)
{
	struct bed_unit *unit;
	unsigned long long begin = now_ms();
	uint32_t n;

	if (!number || parse_u32(number, &n) < 0 || n >= station->n_boards) {
		answer(station, "no: there is no such board");
		return;
	}
	unit = station->boards[n];
	if (strcmp(verb, "mend") == 0)
		bed_set_faults(unit, &(struct sim_faults){0});
	else if (strcmp(verb, "replug") == 0)
		bed_replug(unit, NULL);
	else
		bed_unplug(unit);
	answer(station, "ok %u %llu", n, begin);
}

static void steer_service(struct station *station, const char *what)
{
	if (strcmp(what, "start") == 0) {
		bed_start_service(station->bed, 0);
		answer(station,
			bed_wait_ready(station->bed, BED_LONG) ? "ok" : "no: it is not ready");
	} else {
		answer(station, "ok %d", bed_stop_service(station->bed, BED_LONG));
	}
}

/* Words are parted by tabs: serials and products may have blanks. */
static void obey(struct station *station, char *line)
{
	char *rest = line;
	const char *verb = strsep(&rest, "\t");

	if (strcmp(verb, "plug") == 0 && rest) {
		plug(station, rest);
	} else if (strcmp(verb, "unplug") == 0 || strcmp(verb, "replug") == 0 ||
		   strcmp(verb, "mend") == 0) {
		handle(station, verb, rest);
	} else if (strcmp(verb, "service") == 0 && rest) {
		steer_service(station, rest);
	} else if (strcmp(verb, "web") == 0 && rest) {
		stop_web(station);
		if (strcmp(rest, "start") == 0)
			start_web(station);
		answer(station, "ok");
	} else if (strcmp(verb, "polkit") == 0 && rest) {
		polkit_say(station->polkit, strcmp(rest, "yes") == 0 ? POLKIT_YES : POLKIT_NO);
		answer(station, "ok");
	} else if (strcmp(verb, "cost") == 0) {
		answer(station, "ok %lu %lu", cost_of(bed_service_pid(station->bed)),
			cost_of(station->web));
	} else {
		answer(station, "no: what is '%s'?", verb);
	}
}

/* ------------------------------------------------------------------ the loop */

/* The bed watches one descriptor besides its own: this one has the peers and the commands in it. */
static void on_ready(void *userdata)
{
	struct station *station = userdata;
	ssize_t n = read(station->commands, station->line + station->n_line,
		sizeof(station->line) - 1 - station->n_line);

	/* Their end is noticed by the process. */
	if (n > 0)
		station->n_line += (size_t)n;
	station->on_peers(station->peers_userdata);
}

static void watch(struct station *station)
{
	struct epoll_event event = {.events = EPOLLIN};
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0 || fcntl(station->commands, F_SETFL, O_NONBLOCK) < 0 ||
		epoll_ctl(epoll, EPOLL_CTL_ADD, station->commands, &event) < 0 ||
		epoll_ctl(epoll, EPOLL_CTL_ADD, station->bed->other, &event) < 0)
		die("epoll");
	station->on_peers = station->bed->on_other;
	station->peers_userdata = station->bed->other_userdata;
	bed_watch(station->bed, epoll, on_ready, station);
}

static bool has_something(void *userdata)
{
	struct station *station = userdata;

	if (!station->have_ended)
		station->have_ended =
			waitpid(station->tests, &station->status, WNOHANG) == station->tests;
	return station->have_ended || memchr(station->line, '\n', station->n_line) ||
	       station->n_line == sizeof(station->line) - 1;
}

static void run(struct station *station)
{
	while (bed_wait(station->bed, ALL_TESTS_MS, has_something, station)) {
		char *end = memchr(station->line, '\n', station->n_line),
		     line[sizeof(station->line)];
		size_t n;

		if (!end)
			return;
		n = (size_t)(end - station->line);
		memcpy(line, station->line, n);
		line[n] = '\0';
		station->n_line -= n + 1;
		memmove(station->line, end + 1, station->n_line);
		obey(station, line);
	}
}

int main(void)
{
	static struct station station;

	enclosure_enter();
	raise_loopback();
	signal(SIGPIPE, SIG_IGN);
	station.bed = bed_new();
	bus_daemon_init(&station.daemon, station.bed);
	bus_daemon_start(&station.daemon);
	station.peers = peers_new(station.bed);
	station.polkit = polkit_new(station.peers);
	polkit_say(station.polkit, POLKIT_YES);
	configure(&station);
	put_image(&station);
	bed_start_service(station.bed, 0);
	if (!bed_wait_ready(station.bed, BED_LONG))
		die("the service is not ready");
	bed_settle_images(station.bed);
	start_web(&station);
	start_tests(&station);
	watch(&station);
	run(&station);
	if (!station.have_ended)
		kill(station.tests, SIGKILL);
	stop_web(&station);
	bed_stop_service(station.bed, BED_LONG);
	polkit_free(station.polkit);
	peers_free(station.peers);
	bus_daemon_done(&station.daemon);
	bed_free(station.bed);
	return station.have_ended && WIFEXITED(station.status) ? WEXITSTATUS(station.status)
							       : EXIT_FAILURE;
}
