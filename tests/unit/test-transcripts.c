/* SPDX-License-Identifier: MIT */
/* Which transcripts are kept where one job follows the other within a second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/names.h"
#include "service/transcripts.h"
#include "unit/folder.h"

static bool is_kept(const char *job)
{
	CLEANUP(closedirp) DIR *kept = opendir(in_folder(NAME_TRANSCRIPTS));
	const struct dirent *entry;
	bool is_found = false;

	assert_non_null(kept);
	while ((entry = readdir(kept)))
		is_found = is_found || strstr(entry->d_name, job);
	return is_found;
}

static void open_one(const struct transcripts *transcripts, const char *job)
{
	int fd = -1;

	assert_int_equal(transcripts_open(transcripts, job, &fd), 0);
	assert_true(fd >= 0);
	close(fd);
}

/* Ids of jobs are random: these fall. */
static void the_oldest_go(void **state)
{
	static const char *const jobs[] = {"job-9", "job-8", "job-7", "job-6", "job-5", "job-4"};
	const struct transcripts transcripts = {folder, 2};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++) {
		open_one(&transcripts, jobs[i]);
		/* Another try of it. */
		open_one(&transcripts, jobs[i]);
		for (size_t k = 0; k <= i; k++)
			assert_int_equal(is_kept(jobs[k]), k + 2 > i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_oldest_go)};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
