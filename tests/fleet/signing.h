/* SPDX-License-Identifier: MIT */
/*
 * signing.h - whoever makes images: a key of minisign, and images signed with it.
 */
#pragma once

#include <stddef.h>

#include "api/report.h"
#include "fleet/farm.h"

struct signing;

/* Makes a key, "release". Both borrow the farm. */
struct signing *signing_new(struct farm *farm);
struct signing *signing_free(struct signing *signing);

/* The folder with the public key, as `trusted-keys` names it. */
const char *signing_keys(const struct signing *signing);

struct made_image {
	char board[32];
	char name[64]; /* "gate-1.2.3.hex" */
	char version[32];
	char sha256[DIGEST_HEX_SIZE];
	char *data;
	size_t n_data;
	char *manifest, *signature; /* the texts of NAME.ini and NAME.ini.minisig */
};

/* An image of so many bytes for the board "gate", another for each version, with `marker` in it. */
struct made_image signing_make(
	struct signing *signing, const char *version, const char *marker, size_t n_data);
/* The same of the bytes of a file, for any board. */
struct made_image signing_make_of(
	struct signing *signing, const char *board, const char *version, const char *file);
void made_image_done(struct made_image *image);

/* Puts image, manifest and signature into the folder, the image last. */
void signing_place(const struct made_image *image, const char *folder);
