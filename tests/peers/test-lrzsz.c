/* SPDX-License-Identifier: MIT */
/*
 * test-lrzsz.c - lrzsz, which nobody here wrote, judges both sides: rb and rx receive what we send,
 * on a good line and on a bad one, and the simulated loaders take what sb and sx send.
 *
 * $PEERS = all takes every size, which is for `make check-peers`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "loader/modem.h"
#include "peers/peer.h"
#include "peers/port-fd.h"
#include "sim/resident.h"
#include "unit/rows.h"

#define KIB	  1024
#define MOST_SIZE (256 * KIB)

static uint8_t content[MOST_SIZE + 8];

/* Random, but with all that could be taken for something else in front. */
static void make_content(void)
{
	static const uint8_t special[] = {PACKET_SOH, PACKET_STX, PACKET_EOT, PACKET_ACK,
		PACKET_NAK, PACKET_CAN, PACKET_CAN, PACKET_SUB, 'C', 'a', 0x00, 0xFF, 0x11, 0x13};
	uint32_t state = 7;

	for (size_t i = 0; i < sizeof(content); i++) {
		state = state * 1664525 + 1013904223;
		content[i] = (uint8_t)(state >> 16);
	}
	memcpy(content, special, sizeof(special));
}

static bool take_all(void)
{
	const char *peers = getenv("PEERS");

	return peers && strcmp(peers, "all") == 0;
}

/* ------------------------------------------------------------------ we send */

struct send_row {
	const char *name;
	const char *argv[5];
	const char *file; /* that it makes */
	bool has_header;
	enum board_blocks blocks;
	uint32_t one_in; /* bytes goes wrong; 0: none */
	uint32_t sizes[8];
	uint32_t steps; /* besides, every so many bytes from 0 to 5000; 0: none, even with PEERS =
			   all */
};

#define RB                       \
	{                        \
		"rb", "-q", NULL \
	}
#define RX_CRC                          \
	{                               \
		"rx", "-q", "-c", "got" \
	}
#define RX_SUM                          \
	{                               \
		"rx", "-q", "got", NULL \
	}

static const struct send_row send_rows[] = {
	{"rb, blocks of 1024", RB, "fw.bin", true, BOARD_BLOCKS_1024, 0,
		{1, 127, 128, 129, 1023, 1024, 1025, MOST_SIZE}, 613},
	{"rb, blocks of 128", RB, "fw.bin", true, BOARD_BLOCKS_128, 0,
		{1, 127, 128, 129, MOST_SIZE - 1}, 0},
	{"rb, mixed blocks", RB, "fw.bin", true, BOARD_BLOCKS_MIXED, 0,
		{896, 897, 1024, 1025, 1920, 1921, 3000, MOST_SIZE - 129}, 0},
	{"rx with CRC", RX_CRC, "got", false, BOARD_BLOCKS_128, 0,
		{1, 127, 128, 129, MOST_SIZE - 77}, 719},
	{"rx with CRC, blocks of 1024", RX_CRC, "got", false, BOARD_BLOCKS_1024, 0,
		{1, 1023, 1024, 1025, MOST_SIZE}, 0},
	{"rx with sums", RX_SUM, "got", false, BOARD_BLOCKS_128, 0, {1, 128, 129, 30000}, 0},
	{"rb on a bad line", RB, "fw.bin", true, BOARD_BLOCKS_1024, 3000, {12000}, 5001},
	{"rb on a bad line, small blocks", RB, "fw.bin", true, BOARD_BLOCKS_128, 1500, {6000}, 0},
	{"rx with CRC on a bad line", RX_CRC, "got", false, BOARD_BLOCKS_128, 1500, {6000}, 5001},
};

static bool on_sent(void *userdata, uint32_t n_sent)
{
	(void)userdata;
	(void)n_sent;
	return true;
}

/* Sends to a peer that runs already; an outcome as of the protocol. */
static int send_to(const struct send_row *row, const struct peer *peer, uint32_t size,
	struct noise *out, struct noise *in)
{
	struct board_transfer transfer = {
		.blocks = row->blocks,
		.closing_header = true,
		.erase_usec = 20 * USEC_PER_SEC,
		.answer_usec = 3 * USEC_PER_SEC,
	};
	struct port *port = port_fd_new(peer->master, out, in);
	struct expect expect = {.port = port};
	struct modem modem = {
		.expect = &expect, .transfer = &transfer, .has_header = row->has_header};
	const struct loader_file file = {.bytes = content, .n_bytes = size, .on_sent = on_sent};
	int r = modem_wait_start(&modem, 20 * USEC_PER_SEC);

	if (r == 0)
		r = modem_send(&modem, &file);
	port_close(port);
	return r;
}

/* One file, in a process of its own: lrzsz waits a second here and there, so many run at once. */
struct send_job {
	const struct send_row *row;
	uint32_t size, seed;
	unsigned n_events; /* bytes gone wrong */
	unsigned n_sessions;
	char error[120]; /* "": none */
};

#define MOST_JOBS     24000
#define MOST_SESSIONS 3

static struct send_job *jobs; /* shared with the processes */
static size_t n_jobs;

static void check_received(struct send_job *job)
{
	const struct send_row *row = job->row;
	size_t n_got = 0, block = row->blocks == BOARD_BLOCKS_1024 ? 1024 : 128;
	CLEANUP(freep) uint8_t *got = peer_read_file(row->file, &n_got);
	size_t n_padded = (job->size + block - 1) / block * block;

	/* XMODEM knows no length: the last block is whole. */
	if (!got)
		snprintf(job->error, sizeof(job->error), "nothing was received");
	else if (n_got != (row->has_header ? job->size : n_padded))
		snprintf(job->error, sizeof(job->error), "%zu bytes were received", n_got);
	else if (memcmp(got, content, job->size) != 0)
		snprintf(job->error, sizeof(job->error), "other bytes were received");
	for (size_t i = job->size; !job->error[0] && i < n_got; i++)
		if (got[i] != PACKET_SUB)
			snprintf(job->error, sizeof(job->error), "the last block has no SUB");
}

/* Whether both ends know that it failed: then a session more is to be had. */
static bool run_session(struct send_job *job, unsigned seed)
{
	struct noise out, in;
	struct peer peer;
	int r, status;

	job->error[0] = '\0';
	noise_begin(&out, seed, job->row->one_in);
	noise_begin(&in, seed + 1000, job->row->one_in);
	peer_begin(&peer, job->row->argv, job->row->has_header ? PEER_TERMINAL : PEER_SOCKET);
	r = send_to(job->row, &peer, job->size, &out, &in);
	status = peer_end(&peer, 15000);
	job->n_events += out.n_events + in.n_events;
	job->n_sessions++;
	/* A peer that has the file and is gone cannot repeat its last answer when that is lost. */
	if (r == LOADER_NO_ANSWER && status == 0 && job->row->one_in > 0)
		r = 0;
	if (r != 0 || status != 0)
		snprintf(job->error, sizeof(job->error), "we ended with %d, the peer with %d", r,
			status);
	else
		check_received(job);
	peer_remove_file(job->row->file);
	return r != 0 && status != 0;
}

/*
 * What a bad line does to a session depends on when its ends lose patience. One that both of them
 * gave up is begun again, as the procedure does; nothing else is forgiven.
 */
static void run_job(struct send_job *job)
{
	peer_make_folder();
	while (run_session(job, job->seed + 2000 * job->n_sessions) && job->row->one_in > 0 &&
		job->n_sessions < MOST_SESSIONS)
		;
	peer_remove_folder();
}

static void start_job(struct send_job *job)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return;
	run_job(job);
	_exit(0);
}

static void run_jobs(void)
{
	for (size_t next = 0, n_running = 0; next < n_jobs || n_running > 0;) {
		int status;

		while (next < n_jobs && n_running < 50) {
			start_job(&jobs[next++]);
			n_running++;
		}
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
		n_running--;
	}
}

static size_t list_jobs(const struct send_row *row, struct send_job *to)
{
	uint32_t steps = take_all() && row->steps > 0 ? 1 : row->steps;
	unsigned seeds = take_all() && row->one_in > 0 ? 40 : row->one_in > 0 ? 3 : 1;
	size_t n = 0;

	if (take_all() && row->one_in > 0)
		to[n++] = (struct send_job){.row = row, .size = MOST_SIZE, .seed = 1};
	for (size_t i = 0; i < ARRAY_SIZE(row->sizes) && row->sizes[i]; i++)
		for (unsigned seed = 1; seed <= seeds; seed++)
			to[n++] =
				(struct send_job){.row = row, .size = row->sizes[i], .seed = seed};
	for (uint32_t size = 0; steps > 0 && size <= 5000; size += steps)
		to[n++] = (struct send_job){.row = row, .size = size, .seed = 1};
	return n;
}

/* All rows at once, those that wait most in front. */
static int run_all_jobs(void **state)
{
	(void)state;
	jobs = mmap(NULL, MOST_JOBS * sizeof(*jobs), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (jobs == MAP_FAILED)
		return -1;
	for (size_t i = ARRAY_SIZE(send_rows); i-- > 0;)
		n_jobs += list_jobs(&send_rows[i], jobs + n_jobs);
	run_jobs();
	return 0;
}

static void a_peer_receives(void **state)
{
	const struct send_row *row = *state;
	unsigned n_events = 0, n_files = 0, n_sessions = 0;

	for (size_t i = 0; i < n_jobs; i++) {
		if (jobs[i].row != row)
			continue;
		if (jobs[i].error[0])
			fail_msg(
				"%u bytes, seed %u: %s", jobs[i].size, jobs[i].seed, jobs[i].error);
		n_events += jobs[i].n_events;
		n_sessions += jobs[i].n_sessions;
		n_files++;
	}
	assert_true(n_files > 0);
	print_message("# figure: %s: %u files in %u sessions, %u bytes gone wrong on the line, "
		      "no difference\n",
		row->name, n_files, n_sessions, n_events);
}

/* ------------------------------------------------------------------ they send */

/* A simulated loader at our end of the peer's line. Its clock runs ahead where nothing happens. */
struct loader_end {
	struct sim *sim;
	uint64_t now;
};

static void take_output(struct loader_end *end, int fd)
{
	uint8_t byte;

	while (sim_send(end->sim, &byte, end->now))
		if (fd >= 0)
			(void)!write(fd, &byte, 1);
}

/* Goes on to whatever is due within so long. */
static void run_on(struct loader_end *end, uint64_t nsec, int fd)
{
	uint64_t until = end->now + nsec;

	take_output(end, fd);
	while (sim_next(end->sim) <= until) {
		if (sim_next(end->sim) > end->now)
			end->now = sim_next(end->sim);
		take_output(end, fd);
	}
	end->now = until;
}

static void say_key(struct loader_end *end, uint8_t key)
{
	end->now += sim_byte_nsec(end->sim);
	sim_receive(end->sim, key, end->now);
	run_on(end, 100000000, -1);
}

/* At its menu, with `1` chosen. */
static void loader_begin(struct loader_end *end, enum sim_resident resident)
{
	const struct sim_options options = {
		.chip = sim_chip_find("f103c8"),
		.circuit = SIM_CIRCUIT_ROM,
		.resident = resident,
		.faults = {.erase_nsec = 1000000},
	};

	*end = (struct loader_end){.sim = sim_new(&options), .now = 1};
	assert_non_null(end->sim);
	sim_set_lines(end->sim, 0, end->now);
	sim_set_format(end->sim, RESIDENT_BAUD, false, end->now);
	run_on(end, 500000000, -1);
	say_key(end, '1');
}

/* Both ends talk until the loader has a file, or for so long nothing comes of it. */
static void loader_run(struct loader_end *end, const struct peer *peer, unsigned milliseconds)
{
	uint64_t deadline = monotonic_usec() + milliseconds * USEC_PER_MSEC;
	struct pollfd pfd = {.fd = peer->master, .events = POLLIN};

	while (sim_counters(end->sim)->files == 0 && monotonic_usec() < deadline) {
		uint8_t bytes[256];
		ssize_t n = 0;

		if (poll(&pfd, 1, 20) > 0)
			n = read(peer->master, bytes, sizeof(bytes));
		if (n < 0 && errno != EAGAIN)
			break;
		for (ssize_t i = 0; i < n; i++) {
			end->now += sim_byte_nsec(end->sim);
			take_output(end, peer->master);
			sim_receive(end->sim, bytes[i], end->now);
		}
		/* Nothing comes for a while: the loader may lose its patience. */
		run_on(end, n > 0 ? 5000000 : 100000000, peer->master);
	}
	run_on(end, 100000000, peer->master);
}

struct receive_row {
	const char *name;
	const char *argv[5];
	enum sim_resident resident;
	bool has_tag; /* a GBL */
};

static const struct receive_row receive_rows[] = {
	{"sb, to ST's loader", {"sb", "-q", "file"}, SIM_RESIDENT_IAP, false},
	{"sb with blocks of 1024, to ST's loader", {"sb", "-q", "-k", "file"}, SIM_RESIDENT_IAP,
		false},
	{"sx, to the Gecko loader", {"sx", "-q", "file"}, SIM_RESIDENT_GECKO, true},
};

static void a_loader_receives(void **state)
{
	static const uint32_t sizes[] = {1024, 2, 20000};
	const struct receive_row *row = *state;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint32_t size = sizes[i];
		const uint8_t head[] = {0xEB, 0x17, 0xA6, 0x03, (uint8_t)size, (uint8_t)(size >> 8),
			(uint8_t)(size >> 16), 0};
		uint8_t kept[sizeof(head)];
		struct loader_end end;
		struct peer peer;
		const uint8_t *flash;

		memcpy(kept, content, sizeof(kept));
		if (row->has_tag)
			memcpy(content, head, sizeof(head));
		peer_write_file("file", content, size + sizeof(head));
		loader_begin(&end, row->resident);
		peer_begin(&peer, row->argv, PEER_TERMINAL);
		loader_run(&end, &peer, 20000);
		(void)peer_end(&peer, 15000);
		flash = sim_flash(end.sim) + RESIDENT_BYTES;
		assert_int_equal(sim_counters(end.sim)->files, 1);
		assert_int_equal(sim_counters(end.sim)->bad_blocks, 0);
		if (row->has_tag)
			assert_memory_equal(flash, content + sizeof(head), size);
		else
			assert_memory_equal(flash, content, size + sizeof(head));
		memcpy(content, kept, sizeof(kept));
		sim_free(end.sim);
		peer_remove_file("file");
	}
}

/* ------------------------------------------------------------------ they send to us */

struct take_row {
	const char *name;
	const char *argv[5];
	uint32_t one_in; /* bytes goes wrong; 0: none */
};

static const struct take_row take_rows[] = {
	{"sb, to us", {"sb", "-q", "file"}, 0},
	{"sb with blocks of 1024, to us", {"sb", "-q", "-k", "file"}, 0},
	{"sb, to us on a bad line", {"sb", "-q", "-k", "file"}, 4000},
};

struct taken {
	uint8_t bytes[MOST_SIZE];
	uint32_t n_bytes;
};

static bool take(void *userdata, uint32_t offset, const uint8_t *bytes, uint32_t n_bytes)
{
	struct taken *taken = userdata;

	assert_int_equal(offset, taken->n_bytes);
	assert_true(n_bytes <= sizeof(taken->bytes) - offset);
	memcpy(taken->bytes + offset, bytes, n_bytes);
	taken->n_bytes += n_bytes;
	return true;
}

/* Whether both ends think that it went well. */
static bool receive_once(const struct take_row *row, unsigned seed, struct taken *taken)
{
	const struct board_transfer transfer = {.erase_usec = 20 * USEC_PER_SEC};
	const struct loader_sink sink = {.take = take, .userdata = taken};
	struct noise out, in;
	struct peer peer;
	struct expect expect = {0};
	struct modem modem = {.expect = &expect, .transfer = &transfer, .has_header = true};
	int r, status;

	taken->n_bytes = 0;
	noise_begin(&out, seed, row->one_in);
	noise_begin(&in, seed + 1000, row->one_in);
	peer_begin(&peer, row->argv, PEER_TERMINAL);
	expect.port = port_fd_new(peer.master, &out, &in);
	r = modem_receive(&modem, &sink);
	port_close(expect.port);
	status = peer_end(&peer, 15000);
	if (row->one_in == 0)
		assert_int_equal(status, 0);
	return r == 0;
}

static void we_receive(void **state)
{
	static const uint32_t sizes[] = {1, 128, 1023, 1024, 1025, 20000};
	const struct take_row *row = *state;
	CLEANUP(freep) struct taken *taken = malloc(sizeof(*taken));

	assert_non_null(taken);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned n_sessions = 0;
		bool is_whole = false;

		peer_write_file("file", content, sizes[i]);
		while (!is_whole && n_sessions < MOST_SESSIONS)
			is_whole = receive_once(row, 10 * (unsigned)i + n_sessions++, taken);
		assert_true(is_whole);
		assert_true(n_sessions == 1 || row->one_in > 0);
		assert_int_equal(taken->n_bytes, sizes[i]);
		assert_memory_equal(taken->bytes, content, sizes[i]);
		peer_remove_file("file");
	}
}

int main(void)
{
	struct CMUnitTest tests[20];
	size_t n_tests = 0;
	int r;

	make_content();
	peer_make_folder();
	ADD_ROWS(tests, n_tests, send_rows, a_peer_receives);
	ADD_ROWS(tests, n_tests, receive_rows, a_loader_receives);
	ADD_ROWS(tests, n_tests, take_rows, we_receive);
	r = _cmocka_run_group_tests("lrzsz", tests, n_tests, run_all_jobs, NULL);
	peer_remove_file("file");
	peer_remove_folder();
	return r;
}
