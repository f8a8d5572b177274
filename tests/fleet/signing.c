/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fleet/signing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "fleet/gateway.h"
#include "image/digest.h"

struct signing {
	struct farm *farm;
	char *keys, *secret;
};

struct signing *signing_new(struct farm *farm)
{
	struct signing *signing = calloc(1, sizeof(*signing));
	CLEANUP(freep) char *public_key = NULL;

	assert_non_null(signing);
	signing->farm = farm;
	signing->keys = farm_folder(farm, "keys");
	signing->secret = farm_path(farm, "release.key");
	public_key = farm_path(farm, "keys/release.pub");
	farm_run(farm, (const char *const[]){"minisign", "-G", "-f", "-W", "-p", public_key, "-s",
			       signing->secret, NULL});
	return signing;
}

struct signing *signing_free(struct signing *signing)
{
	free(signing->keys);
	free(signing->secret);
	free(signing);
	return NULL;
}

const char *signing_keys(const struct signing *signing)
{
	return signing->keys;
}

static char *read_text(const char *path)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	assert_true(getdelim(&text, &n, '\0', f) > 0);
	fclose(f);
	return text;
}

/* What nobody can pack: each byte by a generator whose seed is the version. */
static void fill(struct made_image *image, const char *marker)
{
	uint32_t state = 2463534242;

	for (const char *c = image->version; *c; c++)
		state = state * 31 + (unsigned char)*c;
	for (size_t i = 0; i < image->n_data; i++) {
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
		image->data[i] = (char)(state >> 8);
	}
	assert_true(strlen(marker) <= image->n_data);
	memcpy(image->data, marker, strlen(marker));
}

static void sign(struct signing *signing, struct made_image *image)
{
	CLEANUP(freep) char *manifest = farm_path(signing->farm, "%s.ini", image->name);
	CLEANUP(freep) char *signature = farm_path(signing->farm, "%s.ini.minisig", image->name);

	farm_write(manifest, image->manifest, strlen(image->manifest));
	farm_run(signing->farm, (const char *const[]){"minisign", "-S", "-s", signing->secret, "-m",
					manifest, "-t", "of the farm", NULL});
	image->signature = read_text(signature);
}

/* All but the bytes, which are there. */
static void finish(struct signing *signing, struct made_image *image)
{
	digest_sha256((const uint8_t *)image->data, image->n_data, image->sha256);
	assert_int_equal(text_format(&image->manifest,
				 "[image]\nversion = %s\nboard = %s\nsha256 = %s\nsize = %zu\n",
				 image->version, image->board, image->sha256, image->n_data),
		0);
	sign(signing, image);
}

static struct made_image begin(const char *board, const char *version, size_t n_data)
{
	struct made_image image = {.n_data = n_data, .data = malloc(n_data)};

	assert_non_null(image.data);
	text_copy(image.board, sizeof(image.board), board);
	snprintf(image.name, sizeof(image.name), "%s-%s.hex", board, version);
	snprintf(image.version, sizeof(image.version), "%s", version);
	return image;
}

struct made_image signing_make(
	struct signing *signing, const char *version, const char *marker, size_t n_data)
{
	struct made_image image = begin(GATEWAY_BOARD, version, n_data);

	fill(&image, marker);
	finish(signing, &image);
	return image;
}

struct made_image signing_make_of(
	struct signing *signing, const char *board, const char *version, const char *file)
{
	CLEANUP(closep) int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct made_image image;
	struct stat status;
	size_t n = 0;

	if (fd < 0 || fstat(fd, &status) < 0)
		fail_msg("%s: %s", file, strerror(errno));
	image = begin(board, version, (size_t)status.st_size);
	assert_int_equal(read_up_to(fd, image.data, image.n_data, &n), 0);
	assert_int_equal(n, image.n_data);
	finish(signing, &image);
	return image;
}

void made_image_done(struct made_image *image)
{
	free(image->data);
	free(image->manifest);
	free(image->signature);
	*image = (struct made_image){0};
}

static void place(
	const char *folder, const char *name, const char *ending, const void *data, size_t n_data)
{
	CLEANUP(freep) char *path = NULL, *partial = NULL;

	assert_int_equal(text_format(&path, "%s/%s%s", folder, name, ending), 0);
	assert_int_equal(text_format(&partial, "%s.part", path), 0);
	farm_write(partial, data, n_data);
	assert_int_equal(rename(partial, path), 0);
}

void signing_place(const struct made_image *image, const char *folder)
{
	place(folder, image->name, ".ini", image->manifest, strlen(image->manifest));
	place(folder, image->name, ".ini.minisig", image->signature, strlen(image->signature));
	place(folder, image->name, "", image->data, image->n_data);
}
