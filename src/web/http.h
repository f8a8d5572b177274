/* SPDX-License-Identifier: MIT */
/*
 * http.h - HTTP 1.1 on sockets that somebody else opened, in an event loop of one thread; http.c
 * alone sees the library.
 *
 * A request that comes in is given to a callback, once and whole: headers and query, its body read
 * and thrown away (nobody here needs one; more than HTTP_BODY_MOST bytes are refused). The callback
 * answers at once, or returns and answers later, or makes a stream of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <systemd/sd-event.h>

#define HTTP_BODY_MOST 4096
/* Request line and headers, and what is read and written at a time, share this memory. */
#define HTTP_CONNECTION_BYTES (16 * 1024)

struct http;
struct http_request;

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST };

struct http_callbacks {
	/*
	 * A request of one of these methods; others are refused before. It belongs to http.c, and
	 * is there until it was answered, or its stream was told to be gone.
	 */
	void (*on_request)(struct http_request *request, void *userdata);

	/* How many connections there are now. */
	void (*on_connections)(unsigned n, void *userdata);

	void *userdata;
};

struct http_options {
	unsigned max_connections;
	unsigned idle_s; /* a connection on which nothing moves is closed; streams that wait are not
			  */
	const char *const *headers; /* pairs of name and value on every answer; NULL ends them */
	const char *const *once;    /* headers that no request has twice; NULL ends them */
	struct http_callbacks callbacks;
};

/*
 * Serves the listening sockets, which stay the caller's. The lists of `options` must outlive it. 0
 * or -errno.
 */
int http_new(sd_event *event, const int *sockets, size_t n_sockets,
	const struct http_options *options, struct http **ret);

/* Requests that wait for an answer are cut off, and streams are told to be gone. Takes NULL. */
struct http *http_free(struct http *http);

/* ------------------------------------------------------------------------------- a request */

enum http_method http_method(const struct http_request *request);

/* That of the callbacks. */
void *http_userdata(const struct http_request *request);

/* Decoded, without the query. */
const char *http_path(const struct http_request *request);

/*
 * NULL: there is none. A header of `once` or a name of the query that is there twice, and a value
 * with a NUL in it are refused before the callback sees the request.
 */
const char *http_header(const struct http_request *request, const char *name);

/* Each name and value of the query; the value is "" where it has none. Ends at a result not 0. */
int http_query(const struct http_request *request,
	int (*visit)(const char *name, const char *value, void *userdata), void *userdata);

struct http_answer {
	unsigned status;
	const char *type;	    /* Content-Type */
	const char *const *headers; /* more pairs; NULL: none */
	const void *body;	    /* copied */
	size_t n;
};

/* Once for each request, in the callback or later. A HEAD gets the headers alone. */
void http_answer(struct http_request *request, const struct http_answer *answer);

/* -------------------------------------------------------------------------------- a stream */

struct http_stream {
	/*
	 * Copies what is to be sent next, `max` bytes at most, and returns how many; 0: nothing
	 * now, and http_wake() will be called. It is asked only once all before was taken by the
	 * kernel.
	 */
	size_t (*read)(void *userdata, char *to, size_t max);

	/* The client is gone, or took nothing for so long; the request is no more. */
	void (*gone)(void *userdata);

	void *userdata;
};

/* Answers with a stream that has no end of its own. 0, or -errno and it is still to be answered. */
int http_answer_stream(struct http_request *request, const char *type, const char *const *headers,
	const struct http_stream *stream);

/* The stream has something to send. */
void http_wake(struct http_request *request);
