/* SPDX-License-Identifier: MIT */
/*
 * web.h - where images are fetched from: a small HTTP server on FARM_WEB_PORT of loopback, in the
 * loop of the test. It knows GET, ranges, ETag and If-Range, and closes after each answer.
 */
#pragma once

#include "fleet/farm.h"

#define FARM_WEB_PORT 8080

struct web;

struct web *web_new(struct farm *farm);
struct web *web_free(struct web *web);

/* What is found at "/NAME"; the bytes are borrowed, the tag is copied. */
void web_offer(struct web *web, const char *name, const char *tag, const void *data, size_t n_data);
/* Its address. The caller's to free. */
char *web_address(const char *name);

/* After so many bytes of a body the connection is cut; SIZE_MAX: never. */
void web_cut(struct web *web, size_t n_bytes);

/* Requests that were answered, those of them with 206, and bytes of bodies. */
unsigned web_requests(const struct web *web);
unsigned web_resumed(const struct web *web);
uint64_t web_bytes(const struct web *web);
