/* SPDX-License-Identifier: MIT */
/*
 * board-line.c - a simulated board on a pseudo-terminal, for a peer that nobody here wrote:
 * board-line CHIP [PROTOCOL VERSION RATE]
 *
 * With a protocol of spoken.h the chip has Silicon Labs' boot loader, and an application behind it
 * that speaks that protocol, says that version and talks at that rate.
 *
 * Prints the path of the terminal, then obeys lines on its standard input, each of which is
 * answered by one line:
 *   lines DTR RTS         as a bridge would set them (0 or 1): "ok"
 *   baud RATE             "ok"
 *   knob NAME VALUE       one of those below: "ok"
 *   load OFFSET FILE      the bytes of a file into the flash: "ok"
 *   power                 off and on again: "ok"
 *   state                 "chip-state app syncs bad-writes n_memory entry baud", of an Espressif
 *                         chip; "chip-state start syncs bad-writes status revision baud", of one of
 *                         TI; "chip-state files cancels", of one with Silicon Labs' boot loader
 *   flash OFFSET COUNT    the bytes as hexadecimal text
 * A pseudo-terminal has neither lines nor a rate, so these go beside it. Time is the real one.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "rules/wiring.h"
#include "sim/sim.h"
#include "sim/stick.h"

struct board {
	struct sim *sim;
	struct sim_faults faults;
	int master, slave;
	uint64_t line_free_at; /* bytes of the peer take their time */
	uint8_t bytes[512];    /* of the board, until the bridge hands them on */
	size_t n_bytes;
	uint64_t last_at; /* the youngest of them */
	uint64_t latency_nsec;
};

static uint64_t now_nsec(void)
{
	return monotonic_usec() * 1000;
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "board-line: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void open_terminal(struct board *board)
{
	struct termios term;
	int unlock = 0;

	board->master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (board->master < 0 || ioctl(board->master, TIOCSPTLCK, &unlock) < 0)
		die("a pseudo-terminal");
	/* Kept open: with its last user a pseudo-terminal forgets what was sent last. */
	board->slave = ioctl(board->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (board->slave < 0 || tcgetattr(board->slave, &term) < 0)
		die("a pseudo-terminal");
	cfmakeraw(&term);
	if (tcsetattr(board->slave, TCSANOW, &term) < 0)
		die("a pseudo-terminal");
}

/* That the peer does not take it is its own affair. */
static void hand_on(struct board *board)
{
	(void)!write(board->master, board->bytes, board->n_bytes);
	board->n_bytes = 0;
}

/*
 * What is due goes to the peer, byte by byte, or where there is a latency once the board is silent
 * for so long: a peer that looks for a text in what comes at once finds it.
 */
static void send_due(struct board *board)
{
	uint8_t byte;

	while (sim_send(board->sim, &byte, now_nsec())) {
		board->last_at = now_nsec();
		board->bytes[board->n_bytes++] = byte;
		if (board->n_bytes == sizeof(board->bytes) || board->latency_nsec == 0)
			hand_on(board);
	}
	if (board->n_bytes > 0 && now_nsec() >= board->last_at + board->latency_nsec)
		hand_on(board);
}

/* Bytes arrive one after the other, at the rate of the line. */
static void take_bytes(struct board *board)
{
	uint8_t bytes[256];
	ssize_t n = read(board->master, bytes, sizeof(bytes));

	if (board->line_free_at < now_nsec())
		board->line_free_at = now_nsec();
	for (ssize_t i = 0; i < n; i++) {
		board->line_free_at += sim_byte_nsec(board->sim);
		while (now_nsec() < board->line_free_at)
			send_due(board);
		sim_receive(board->sim, bytes[i], now_nsec());
	}
}

static void set_knob(struct board *board, const char *name, uint32_t value)
{
	struct sim_esp_faults *esp = &board->faults.esp;

	if (!strcmp(name, "unknown-opcode"))
		esp->unknown_opcode = (uint8_t)value;
	else if (!strcmp(name, "unknown-gap-ms"))
		esp->unknown_gap_nsec = value * UINT64_C(1000000);
	else if (!strcmp(name, "md5-raw"))
		esp->md5_form = value ? SIM_ESP_MD5_RAW : SIM_ESP_MD5_RIGHT;
	else if (!strcmp(name, "mute"))
		board->faults.ti.is_mute = value;
	else if (!strcmp(name, "start-ms"))
		board->faults.ti.start_nsec = value * UINT64_C(1000000);
	else if (!strcmp(name, "erase-ms"))
		board->faults.erase_nsec = value * UINT64_C(1000000);
	else if (!strcmp(name, "latency-ms"))
		board->latency_nsec = value * UINT64_C(1000000);
	else if (!strcmp(name, "talks"))
		board->faults.spoken.talks = value;
	else if (!strcmp(name, "drop-said"))
		board->faults.spoken.drop_said = value;
	else if (!strcmp(name, "spoil-said"))
		board->faults.spoken.spoil_said = value;
	else if (!strcmp(name, "drop-heard"))
		board->faults.spoken.drop_heard = value;
	else if (!strcmp(name, "spoil-heard"))
		board->faults.spoken.spoil_heard = value;
	else if (!strcmp(name, "launch-error"))
		board->faults.spoken.launch_error = value;
	else if (!strcmp(name, "launch-silent"))
		board->faults.spoken.launch_is_silent = value;
	else if (!strcmp(name, "locked"))
		board->faults.spoken.is_locked = value;
	else if (!strcmp(name, "gbl-error"))
		board->faults.gbl_error = value;
	else
		die(name);
	sim_set_faults(board->sim, &board->faults);
}

static void tell_state(const struct board *board)
{
	static const char *const states[] = {[SIM_RESET] = "reset",
		[SIM_APPLICATION] = "application",
		[SIM_ROM] = "rom",
		[SIM_DEAD] = "dead",
		[SIM_LOADER] = "loader",
		[SIM_PROGRAM] = "program"};
	const struct sim_esp_state *esp = sim_esp(board->sim);
	const struct sim_ti_state *ti = sim_ti(board->sim);

	if (ti)
		printf("%s %d %u %u %u %" PRIu32 " %" PRIu32 "\n", states[sim_state(board->sim)],
			ti->start, sim_counters(board->sim)->syncs,
			sim_counters(board->sim)->bad_writes, ti->status, ti->revision, ti->baud);
	if (!esp && !ti)
		printf("%s %u %u\n", states[sim_state(board->sim)], sim_counters(board->sim)->files,
			sim_counters(board->sim)->cancels);
	if (!esp)
		return;
	printf("%s %" PRIu32 " %u %u %" PRIu32 " %" PRIu32 " %" PRIu32 "\n",
		states[sim_state(board->sim)], esp->app, sim_counters(board->sim)->syncs,
		sim_counters(board->sim)->bad_writes, esp->n_memory, esp->entry, esp->baud);
}

static void tell_flash(const struct board *board, uint32_t offset, uint32_t count)
{
	for (uint32_t i = 0; i < count && offset + i < sim_flash_size(board->sim); i++)
		printf("%02x", sim_flash(board->sim)[offset + i]);
	puts("");
}

static void load(struct board *board, uint32_t offset, const char *path)
{
	FILE *file = fopen(path, "re");

	if (!file || offset > sim_flash_size(board->sim))
		die(path);
	(void)!fread(sim_flash(board->sim) + offset, 1, sim_flash_size(board->sim) - offset, file);
	fclose(file);
	puts("ok");
}

static void obey(struct board *board, const char *line)
{
	char name[256];
	unsigned a, b;

	if (sscanf(line, "lines %u %u", &a, &b) == 2) {
		sim_set_lines(board->sim, (a ? LINE_DTR : 0) | (b ? LINE_RTS : 0), now_nsec());
		puts("ok");
	} else if (sscanf(line, "baud %u", &a) == 1) {
		sim_set_format(board->sim, a, false, now_nsec());
		puts("ok");
	} else if (sscanf(line, "load %u %255s", &a, name) == 2) {
		load(board, a, name);
	} else if (!strncmp(line, "power", 5)) {
		sim_power(board->sim, now_nsec());
		puts("ok");
	} else if (sscanf(line, "knob %31s %u", name, &a) == 2) {
		set_knob(board, name, a);
		puts("ok");
	} else if (sscanf(line, "flash %u %u", &a, &b) == 2) {
		tell_flash(board, a, b);
	} else if (!strncmp(line, "state", 5)) {
		tell_state(board);
	} else {
		puts("what?");
	}
	fflush(stdout);
}

/* Until the next byte is due, at most. */
static int time_left(const struct board *board)
{
	uint64_t next = sim_next(board->sim), now = now_nsec();

	if (board->n_bytes > 0 && next > board->last_at + board->latency_nsec)
		next = board->last_at + board->latency_nsec;

	if (next == SIM_NEVER)
		return 1000;
	return next > now ? (int)((next - now) / 1000000) : 0;
}

static void serve(struct board *board)
{
	struct pollfd pfds[] = {
		{.fd = board->master, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
	char line[320];

	for (;;) {
		send_due(board);
		if (poll(pfds, 2, time_left(board)) < 0)
			die("poll");
		if (pfds[0].revents & POLLIN)
			take_bytes(board);
		if (pfds[1].revents) {
			if (!fgets(line, sizeof(line), stdin))
				return;
			obey(board, line);
		}
	}
}

int main(int argc, char *argv[])
{
	bool is_stick = argc == 5;
	const struct sim_options options = {
		.chip = argc == 2 || is_stick ? sim_chip_find(argv[1]) : NULL,
		.circuit = is_stick ? SIM_CIRCUIT_NONE : SIM_CIRCUIT_ESP,
		.resident = is_stick ? SIM_RESIDENT_GECKO : SIM_RESIDENT_NONE,
	};
	struct board board = {0};

	if (!options.chip) {
		fprintf(stderr, "usage: board-line CHIP [PROTOCOL VERSION RATE]\n");
		return 2;
	}
	setvbuf(stdin, NULL, _IONBF, 0);
	open_terminal(&board);
	board.sim = sim_new(&options);
	if (!board.sim)
		die("memory");
	if (is_stick)
		stick_install(board.sim, options.chip, argv[2], argv[3],
			(uint32_t)strtoul(argv[4], NULL, 10));
	sim_set_lines(board.sim, 0, now_nsec());
	sim_set_format(board.sim, 115200, false, now_nsec());
	printf("%s\n", ptsname(board.master));
	fflush(stdout);
	serve(&board);
	sim_free(board.sim);
	return 0;
}
