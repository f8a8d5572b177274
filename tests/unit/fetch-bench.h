/* SPDX-License-Identifier: MIT */
/*
 * fetch-bench.h - downloads on an event loop, and tests/tools/https-peer as the server. Include
 * after cmocka.h.
 *
 * The clock goes as the test moves it, and on by itself no faster than the real one: libcurl's own
 * clock is real. What it does not do is stand still with the machine, so that a stall of the
 * machine is none of the server.
 */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fleet/download.h"
#include "image/digest.h"
#include "unit/folder.h"
#include "unit/patience.h"
#include "unit/virtual-clock.h"

#define ROUND_USEC  (10 * USEC_PER_MSEC)
#define IMAGE_BYTES 200000
#define IMAGE	    "gate.hex"

extern char **environ;

/* ------------------------------------------------------------------ the server */

struct server {
	pid_t pid;
	int input; /* it ends when this is closed */
	char address[64];
	char folder[32];
};

static inline void run_and_wait(const char *const *arguments)
{
	posix_spawn_file_actions_t actions;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	assert_int_equal(
		posix_spawnp(&pid, arguments[0], &actions, NULL, (char **)arguments, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* NAME.pem and NAME.key for a host of that name, or address. */
static inline void make_certificate(const char *name, const char *host)
{
	char pem[64], key[64], alternative[128];

	snprintf(pem, sizeof(pem), "%s.pem", name);
	snprintf(key, sizeof(key), "%s.key", name);
	snprintf(alternative, sizeof(alternative), "subjectAltName=%s", host);
	run_and_wait((const char *const[]){"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
		"ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test",
		"-addext", alternative, "-keyout", in_folder(key), "-out", in_folder(pem), NULL});
}

/* Its number, once it listens. */
static inline unsigned wait_for_port(const struct server *server)
{
	uint64_t begin = real_usec();
	char path[64], text[16];

	snprintf(path, sizeof(path), "%s/port", server->folder);
	for (;;) {
		FILE *file = fopen(in_folder(path), "r");

		if (file) {
			assert_non_null(fgets(text, sizeof(text), file));
			fclose(file);
			return (unsigned)strtoul(text, NULL, 10);
		}
		assert_true(real_usec() - begin < PATIENCE_USEC);
		(void)poll(NULL, 0, 10);
	}
}

/* Serves NAME/files; with a certificate of that name by TLS; `client_ca`: for those who have one.
 */
static inline struct server server_start(
	const char *name, const char *certificate, const char *client_ca)
{
	const char *build = getenv("BUILD");
	struct server server = {.pid = 0};
	char program[300], path[64], pem[300] = "", key[300] = "", ca[300] = "";
	const char *arguments[] = {program, NULL, NULL, NULL, NULL, NULL, NULL};
	posix_spawn_file_actions_t actions;
	int input[2];

	text_copy(server.folder, sizeof(server.folder), name);
	(void)mkdir(in_folder(name), 0755);
	snprintf(path, sizeof(path), "%s/files", name);
	(void)mkdir(in_folder(path), 0755);
	snprintf(program, sizeof(program), "%s/tests/tools/https-peer", build ? build : "build");
	arguments[1] = in_folder(name);
	if (certificate) {
		snprintf(pem, sizeof(pem), "%s/%s.pem", folder, certificate);
		snprintf(key, sizeof(key), "%s/%s.key", folder, certificate);
		arguments[2] = pem;
		arguments[3] = key;
		arguments[4] = client_ca ? "0" : NULL;
	}
	if (client_ca) {
		snprintf(ca, sizeof(ca), "%s/%s.pem", folder, client_ca);
		arguments[5] = ca;
	}
	assert_int_equal(pipe2(input, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
	assert_int_equal(
		posix_spawn(&server.pid, program, &actions, NULL, (char **)arguments, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(input[0]);
	server.input = input[1];
	snprintf(server.address, sizeof(server.address), "%s://127.0.0.1:%u",
		certificate ? "https" : "http", wait_for_port(&server));
	return server;
}

static inline void server_stop(struct server *server)
{
	close(server->input);
	assert_int_equal(waitpid(server->pid, NULL, 0), server->pid);
}

/* What it serves under the name of the image; one whose time differs has another tag. */
static inline void server_offer(
	const struct server *server, const void *bytes, size_t n, time_t age)
{
	const struct timespec times[2] = {
		{.tv_sec = 1700000000 - age}, {.tv_sec = 1700000000 - age}};
	char path[64];

	snprintf(path, sizeof(path), "%s/files/" IMAGE, server->folder);
	put_bytes(path, bytes, n);
	assert_int_equal(utimensat(AT_FDCWD, in_folder(path), times, 0), 0);
}

/* The heads of all requests since the last time this was called; the caller frees it. */
static inline char *server_heads(const struct server *server)
{
	char path[64], *text = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/heads", server->folder);
	file = fopen(in_folder(path), "r");
	if (!file)
		return strdup("");
	if (getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(file);
	(void)unlink(in_folder(path));
	assert_non_null(text);
	return text;
}

static inline unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

/* ------------------------------------------------------------------ the downloads */

struct bench {
	sd_event *event;
	struct fleet_download settings;
	struct downloads *downloads;
	uint8_t image[IMAGE_BYTES];
	char sha256[DIGEST_HEX_SIZE];
	unsigned n_told;
};

/* Bytes of no pattern, and their digest. */
static inline void bench_make_image(struct bench *bench)
{
	uint32_t number = 1;

	for (size_t i = 0; i < IMAGE_BYTES; i++) {
		number = number * 1664525 + 1013904223;
		bench->image[i] = (uint8_t)(number >> 24);
	}
	digest_sha256(bench->image, IMAGE_BYTES, bench->sha256);
}

static inline struct bench *bench_new(void)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct reason reason = {};

	assert_non_null(bench);
	assert_true(sd_event_new(&bench->event) >= 0);
	bench->settings = (struct fleet_download){
		.size_most = 1024 * 1024,
		.idle_usec = 60 * USEC_PER_SEC,
		.plain_http = true,
	};
	bench_make_image(bench);
	if (downloads_new(bench->event, &bench->settings, in_folder("parts"), &bench->downloads,
		    &reason) < 0)
		fail_msg("%s", reason.text);
	return bench;
}

static inline void bench_free(struct bench *bench)
{
	downloads_free(bench->downloads);
	sd_event_unref(bench->event);
	free(bench);
	(void)nftw(in_folder("parts"), folder_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void count_told(struct download *download, void *userdata)
{
	struct bench *bench = userdata;

	(void)download;
	bench->n_told++;
}

/* Of that size at ADDRESS/gate.hex?MANNER. */
static inline struct download *bench_ask_for(
	struct bench *bench, const char *address, const char *manner, uint64_t size)
{
	char url[1024];
	const struct download_ask ask = {.url = url, .sha256 = bench->sha256, .size = size};
	struct download *download;

	snprintf(url, sizeof(url), "%s/" IMAGE "?%s", address, manner);
	assert_int_equal(download_new(bench->downloads, &ask, count_told, bench, &download), 0);
	return download;
}

static inline struct download *bench_ask(
	struct bench *bench, const struct server *server, const char *manner)
{
	return bench_ask_for(bench, server->address, manner, IMAGE_BYTES);
}

static inline struct download_view look(const struct download *download)
{
	struct download_view view;

	download_look(download, &view);
	return view;
}

/* A round of the loop, and the time that it took. */
static inline void bench_round(struct bench *bench)
{
	uint64_t begin = real_usec(), passed;

	assert_true(sd_event_run(bench->event, ROUND_USEC) >= 0);
	passed = real_usec() - begin;
	clock_move(passed < ROUND_USEC ? passed : ROUND_USEC);
}

static inline void bench_round_of(struct bench *bench, uint64_t begin)
{
	assert_true(real_usec() - begin < PATIENCE_USEC);
	bench_round(bench);
}

/* Until it has ended once more: it is whole, or one more try has failed than before. */
static inline struct download_view run_try(struct bench *bench, const struct download *download)
{
	struct download_view before = look(download), view;
	uint64_t begin = real_usec();

	/* The next try is not waited for. */
	if (before.next_usec > monotonic_usec())
		clock_move(before.next_usec - monotonic_usec());
	do {
		bench_round_of(bench, begin);
		view = look(download);
	} while (view.state != DOWNLOAD_WHOLE &&
		 (view.state == DOWNLOAD_RUNNING || view.next_usec == before.next_usec));
	return view;
}

/* Until so many bytes are there. */
static inline void run_to(struct bench *bench, const struct download *download, uint64_t n_bytes)
{
	uint64_t begin = real_usec();

	while (look(download).n_bytes < n_bytes)
		bench_round_of(bench, begin);
}

/* The bytes that were handed over are those of the image. */
static inline void assert_whole(const struct bench *bench, const struct download *download)
{
	CLEANUP(closep) int fd = download_open(download);
	uint8_t bytes[IMAGE_BYTES + 1];
	size_t n;

	assert_true(fd >= 0);
	assert_int_equal(read_up_to(fd, bytes, sizeof(bytes), &n), 0);
	assert_int_equal(n, IMAGE_BYTES);
	assert_memory_equal(bytes, bench->image, IMAGE_BYTES);
}

static inline size_t count_entries(const char *path)
{
	CLEANUP(closedirp) DIR *listing = opendir(path);
	const struct dirent *entry;
	size_t n = 0;

	assert_non_null(listing);
	while ((entry = readdir(listing)))
		n += entry->d_name[0] != '.';
	return n;
}
