/* SPDX-License-Identifier: MIT */
/*
 * The event loop reads no directory, however many images and rules there are: it is counted, and
 * the longest turn of the loop is printed.
 *
 * Slow: it makes 10,000 files, and waits until they have rested.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <time.h>

#define N_SLOTS 50

#include "service/watch.h"
#include "unit/dispatcher-bench.h"

#define N_IMAGES 10000

/* Takes the place of the C library's, in this process alone. */
static unsigned n_directory_reads;

struct dirent *readdir(DIR *directory)
{
	struct dirent *(*next)(DIR *) = (struct dirent * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir");

	n_directory_reads++;
	return next(directory);
}

static void on_images(void *userdata)
{
	struct bench *bench = userdata;

	dispatcher_images_changed(bench->dispatcher);
}

/* A rule for each slot: letters, so that no digit but the version's stands in the names. */
static void put_rules(struct bench *bench)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(config_done) struct config config = {0};
	FILE *to = fopen(in_folder("plugflash.conf"), "we");

	assert_non_null(to);
	fprintf(to, "[service]\nimage-dir = %s/images\nsettle = 1ms\n", folder);
	for (unsigned i = 0; i < N_SLOTS; i++)
		fprintf(to, "[board b%u]\nserial = S%u\nchip = 0x410\nimage = update-%c%c-*.hex\n",
			i, i, 'a' + i / 26, 'a' + i % 26);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(config_load(folder, &config, &problems), 0);
	dispatcher_set_config(bench->dispatcher, &config);
}

static void put_image(unsigned slot, unsigned version)
{
	char name[64], part[300];

	snprintf(name, sizeof(name), "images/update-%c%c-1.%u.hex.part", 'a' + slot / 26,
		'a' + slot % 26, version);
	put_text(name, "image");
	snprintf(part, sizeof(part), "%s", in_folder(name));
	*strrchr(name, '.') = '\0';
	assert_int_equal(rename(part, in_folder(name)), 0);
}

/* Of the rounds of the loop, without their waits: by the wall, and of the processor's time, which
 * other programs of this machine do not lengthen. */
struct longest {
	uint64_t wall_usec, cpu_usec;
};

static uint64_t cpu_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)usec_of(&now);
}

/* In real time, to which the test's clock is moved: another process judges the files' times. */
static void run_round(struct bench *bench, struct longest *longest)
{
	uint64_t begin = real_usec(), cpu = cpu_usec(), waited;

	clock_move(begin - monotonic_usec());
	if (bench->is_turn_due) {
		bench->is_turn_due = false;
		dispatcher_turn(bench->dispatcher);
	}
	if (sd_event_prepare(bench->event) == 0) {
		waited = real_usec();
		(void)sd_event_wait(bench->event, bench->is_turn_due ? 0 : 10 * USEC_PER_MSEC);
		begin += real_usec() - waited;
	}
	if (sd_event_get_state(bench->event) == SD_EVENT_PENDING)
		assert_true(sd_event_dispatch(bench->event) >= 0);
	begin = real_usec() - begin;
	cpu = cpu_usec() - cpu;
	longest->wall_usec = begin > longest->wall_usec ? begin : longest->wall_usec;
	longest->cpu_usec = cpu > longest->cpu_usec ? cpu : longest->cpu_usec;
}

static void run_until_updated(struct bench *bench, size_t n, const char *meanwhile)
{
	uint64_t deadline = real_usec() + 3 * PATIENCE_USEC;
	struct longest longest = {0};

	while (count_entries(MESSAGE_UPDATED) < n) {
		run_round(bench, &longest);
		if (real_usec() > deadline)
			fail_msg("only %zu of %zu boards", count_entries(MESSAGE_UPDATED), n);
	}
	print_message("# figure: longest turn of the loop with %u images and %u rules, %s: %.1f "
		      "ms, and %.1f ms of the processor; directory entries read: %u\n",
		N_IMAGES, N_SLOTS, meanwhile, (double)longest.wall_usec / USEC_PER_MSEC,
		(double)longest.cpu_usec / USEC_PER_MSEC, n_directory_reads);
}

static void the_loop_reads_no_directory(void **state)
{
	struct bench *bench = *state;
	const struct watch_callbacks callbacks = {.on_change = on_images, .userdata = bench};
	char serial[8];

	for (unsigned i = 0; i < N_IMAGES; i++)
		put_image(i % N_SLOTS, i / N_SLOTS);
	assert_int_equal(watch_new(bench->event, &callbacks, &bench->parts.watch), 0);
	assert_int_equal(watch_set_directory(bench->parts.watch, in_folder("images")), 0);
	renew_dispatcher(bench);
	put_rules(bench);

	n_directory_reads = 0;
	for (unsigned i = 0; i < N_SLOTS; i++) {
		snprintf(serial, sizeof(serial), "S%u", i);
		dispatcher_add_bridge(bench->dispatcher, plug(i, serial));
	}
	run_until_updated(bench, N_SLOTS, "all boards plugged in");
	for (unsigned i = 0; i < N_SLOTS; i++)
		put_image(i, 1000);
	run_until_updated(bench, (size_t)2 * N_SLOTS, "all images changed");
	assert_int_equal(n_directory_reads, 0);
	watch_free(bench->parts.watch);
}

static int make_images(void **state)
{
	return folder_make(state) == 0 ? mkdir(in_folder("images"), 0755) : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_loop_reads_no_directory, set_up, tear_down),
	};

	self = fake_worker_main();
	return cmocka_run_group_tests_name("dispatcher-images", tests, make_images, folder_remove);
}
