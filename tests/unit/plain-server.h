/* SPDX-License-Identifier: MIT */
/*
 * plain-server.h - one server over http on loopback for all tests of a program (fetch-bench.h).
 * Include after cmocka.h.
 */
#pragma once

#include "unit/fetch-bench.h"

static struct server server;

/* A bench whose image the server offers; the requests of before are forgotten. */
static inline struct bench *begin(void)
{
	struct bench *bench = bench_new();

	server_offer(&server, bench->image, IMAGE_BYTES, 0);
	free(server_heads(&server));
	return bench;
}

static inline int set_up(void **state)
{
	int r = folder_make(state);

	signal(SIGPIPE, SIG_IGN);
	if (r == 0)
		server = server_start("plain", NULL, NULL);
	return r;
}

static inline int tear_down(void **state)
{
	server_stop(&server);
	return folder_remove(state);
}
