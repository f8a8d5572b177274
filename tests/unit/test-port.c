/* SPDX-License-Identifier: MIT */
/*
 * test-port.c - what the real port says of paths that are no serial port. Where there is one, see
 * tests/bed/test-port.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "device/port.h"
#include "unit/rows.h"

/* Refused, with a sentence that names the path and has this in it. */
static void assert_refused(const char *path, const char *part)
{
	struct reason reason = {"not set"};
	struct port *port = NULL;

	assert_int_equal(port_open(path, 0, 0, &port, &reason), -ENODEV);
	assert_null(port);
	assert_non_null(strstr(reason.text, path));
	if (!strstr(reason.text, part))
		fail_msg("'%s' has no '%s' in it", reason.text, part);
}

static const struct path_row {
	const char *name;
	const char *path;
	const char *part;
} path_rows[] = {
	{"fault 15: a node that went", "/dev/ttyUSB4000", "not there any more"},
	{"a folder that went", "/dev/no/such/place", "not there any more"},
	{"a device that is no port", "/dev/null", "no serial port"},
	{"a file", "/etc/passwd", "no serial port"},
	{"a folder", "/dev", "no serial port"},
};

static void a_path_that_is_no_port_is_refused(void **state)
{
	const struct path_row *row = *state;

	assert_refused(row->path, row->part);
}

/* A pseudo-terminal keeps no parity and has no lines. */
static void a_pseudo_terminal_is_refused(void **state)
{
	CLEANUP(closep) int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char path[64];

	(void)state;
	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	assert_int_equal(ptsname_r(master, path, sizeof(path)), 0);
	assert_refused(path, "no serial port");
}

static void closing_nothing_is_fine(void **state)
{
	(void)state;
	assert_null(port_close(NULL));
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(path_rows) + 2];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, path_rows, a_path_that_is_no_port_is_refused);
	ADD_TEST(tests, n_tests, a_pseudo_terminal_is_refused);
	ADD_TEST(tests, n_tests, closing_nothing_is_fine);
	return RUN_TESTS("port", tests, n_tests);
}
