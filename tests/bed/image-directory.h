/* SPDX-License-Identifier: MIT */
/* image-directory.h - what tests put into the bed's image directory. After cmocka.h. */
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "bed/scene.h"

struct bytes {
	uint8_t data[65536];
	size_t n;
};

static inline void load(const char *file, struct bytes *ret)
{
	CLEANUP(fclosep) FILE *f = fopen(file, "re");

	assert_non_null(f);
	ret->n = fread(ret->data, 1, sizeof(ret->data), f);
	assert_in_range(ret->n, 1000, sizeof(ret->data) - 1);
}

static inline char *path_of(struct bed *bed, const char *name, char to[300])
{
	snprintf(to, 300, "%s/images%s%s", bed_directory(bed), *name ? "/" : "", name);
	return to;
}

static inline void make_folder(struct bed *bed, const char *name)
{
	char path[300];

	assert_int_equal(mkdir(path_of(bed, name, path), 0755), 0);
}

static inline void append(struct bed *bed, const char *name, const uint8_t *data, size_t n_data)
{
	char path[300];
	CLEANUP(closep)
	int fd = open(path_of(bed, name, path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n_data), n_data);
}

static inline void put_text(struct bed *bed, const char *name, const char *text)
{
	bed_put_bytes(bed, name, text, strlen(text));
}

/* Waits for an end of a job of this unit with this outcome and version. */
static inline void expect_end(
	struct bed *bed, struct bed_unit *unit, const char *outcome, const char *version)
{
	char port[80], ended[80], with[80];

	snprintf(port, sizeof(port), FIELD_PORT "=%s", bed_port(unit));
	snprintf(ended, sizeof(ended), FIELD_OUTCOME "=%s", outcome);
	snprintf(with, sizeof(with), FIELD_VERSION "=%s", version);
	if (!bed_wait_journal(bed, BED_LONG, BED_MATCH(port, ended, with)))
		fail_msg("%s: no outcome '%s' with version %s", bed_port(unit), outcome, version);
}

static inline struct bed_unit *plug_updated(struct bed *bed)
{
	struct bed_unit *unit;

	scene_start(bed);
	unit = bed_plug(bed, GATE);
	expect_outcome(unit, "updated");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	bed_mark(bed);
	return unit;
}

static inline void copy_by(struct bed *bed, const char *const argv[])
{
	int status;
	pid_t pid = bed_spawn(bed, argv);

	assert_true(bed_wait_child(bed, BED_LONG, pid, &status));
	assert_int_equal(status, 0);
}
