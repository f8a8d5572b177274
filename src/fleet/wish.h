/* SPDX-License-Identifier: MIT */
/*
 * wish.h - one wanted image, as the owner of the fleet publishes it: parsed, bounded, and true in
 * itself. Pure. Whether this gateway can have it is decide.h's, whether somebody signed it
 * seal.h's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "fleet/window.h"
#include "image/version-name.h"

/* Manifest and signature at their largest, escaped, and all the rest. */
#define WISH_MAX_BYTES (192 * 1024)
#define WISH_SCHEMA    1
#define WISH_IMAGE_MAX 192 /* with the NUL; room for ".minisig" and what stands in front */
#define WISH_BOARD_MAX 128
#define WISH_URL_MAX   2048
#define WISH_SIZE_MAX  (UINT64_C(1) << 30)

struct wish {
	char board[WISH_BOARD_MAX]; /* NAME of the rule [board NAME] */
	char image[WISH_IMAGE_MAX]; /* name of the file: no folder, nothing hidden */
	char version[VERSION_NAME_MAX];
	char sha256[DIGEST_HEX_SIZE]; /* lower case; of the file's bytes */
	uint64_t size;
	char *url;	      /* http:// or https://; which of them may be is the download's */
	char *manifest;	      /* the text of IMAGE.ini */
	char *signature;      /* the text of IMAGE.ini.minisig */
	unsigned percent;     /* of the units that take part, 0 to 100 */
	int64_t not_before_s; /* seconds since 1970; 0: at once */
	struct window window;
	bool paused;
};

enum wish_result {
	WISH_OK,
	WISH_REFUSED, /* the reason names the key, and what was expected */
};

/*
 * Reads the payload of a desired topic; an empty one takes a wish back, and is the caller's.
 * `board` is what the topic says, NULL where it does not; both must say the same. `note` gets the
 * keys that are not known, "": none; the owner's software may be newer. 0, WISH_REFUSED, -ENOMEM.
 *
 * Board, image, version, sha256, size, url, manifest and signature must be there; a key that is
 * null is as one that is not. Whether the manifest says the same is seal.h's.
 */
int wish_parse(const char *text, size_t n_text, const char *board, struct wish *ret,
	struct reason *note, struct reason *reason);

void wish_done(struct wish *wish);

/* Whether both are for the same bytes with the same manifest and signature under one name. */
bool wish_is_same_image(const struct wish *a, const struct wish *b);
