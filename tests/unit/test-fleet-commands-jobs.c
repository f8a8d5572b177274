/* SPDX-License-Identifier: MIT */
/*
 * Commands that are jobs of the service at each board that fits: verify and identify.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/commands-bench.h"

static void end_job(struct bench *bench, const char *job, const char *outcome, const char *why)
{
	CLEANUP(dict_done) struct dict report = {0};

	assert_int_equal(dict_set_text(&report, "reason", why), 0);
	commands_job_removed(bench->commands, job, outcome, &report);
}

static void begin(struct bench *bench, const char *verb, const char *method, const char *target)
{
	char payload[128];

	(void)snprintf(payload, sizeof(payload), "{\"verb\": \"%s\", %s, \"status\": \"init\"}",
		verb, target);
	take(bench, "1", payload);
	echo(bench);
	for (size_t i = 0; i < bench->client.n_calls; i++) {
		char job[] = "job0";

		assert_string_equal(bench->client.calls[i].method, method);
		job[3] = bench->client.calls[i].argument[6];
		reply(bench, i, (struct client_answer){.result = CLIENT_DONE, .text = job});
	}
}

static void begin_verify(struct bench *bench, const char *target)
{
	begin(bench, "verify", "Verify", target);
}

static void verifies_all_that_fit(void **state)
{
	struct bench *bench = *state;

	begin_verify(bench, "\"board\": \"gate\"");
	assert_int_equal(bench->client.n_calls, 3);
	end_job(bench, "job1", "current", "");
	end_job(bench, "job3", "failed", "another's");
	end_job(bench, "job0", "current", "");
	assert_int_equal(bench->n_said, 1);
	end_job(bench, "job2", "current", "");
	says(bench, "\"status\": \"successful\", \"reason\": null, \"units\": 3");
}

static void verifies_one(void **state)
{
	struct bench *bench = *state;

	begin_verify(bench, "\"unit\": \"02\", \"slot\": \"A2\"");
	assert_int_equal(bench->client.n_calls, 1);
	assert_string_equal(bench->client.calls[0].argument, "bridge1");
	end_job(bench, "job1", "verify-differs", "at 0x08000100");
	says(bench, "\"reason\": \"A2: verify-differs: at 0x08000100\", \"units\": 0");
}

static void verifies_by_place(void **state)
{
	struct bench *bench = *state;

	begin_verify(bench, "\"slot\": \"place-2\"");
	assert_int_equal(bench->client.n_calls, 1);
	assert_string_equal(bench->client.calls[0].argument, "bridge2");
	end_job(bench, "job2", "current", "");
	says(bench, "\"status\": \"successful\"");
}

static void tells_how_many_differ(void **state)
{
	struct bench *bench = *state;

	begin_verify(bench, "\"board\": \"gate\"");
	end_job(bench, "job2", "no-sync", "");
	end_job(bench, "job0", "current", "");
	end_job(bench, "job1", "no-such-word\n", "");
	says(bench,
		"\"reason\": \"2 of 3 boards failed; the first: ttyUSB2: no-sync\", \"units\": 1");
}

static void verifies_nothing_that_is_not_there(void **state)
{
	struct bench *bench = *state;

	begin_verify(bench, "\"unit\": \"02\", \"slot\": \"A1\"");
	says(bench, "\"reason\": \"no board that fits is plugged in\"");
}

static void a_verify_that_is_refused(void **state)
{
	struct bench *bench = *state;

	take(bench, "1", "{\"verb\": \"verify\", \"slot\": \"A4\", \"status\": \"init\"}");
	echo(bench);
	reply(bench, 0,
		(struct client_answer){.result = CLIENT_BUSY,
			.reason = (char *)"ttyUSB3: the job 7 (flash) is under way"});
	says(bench, "\"reason\": \"ttyUSB3: the job 7 (flash) is under way\"");
}

static void a_board_that_shows_itself(void **state)
{
	struct bench *bench = *state;

	begin(bench, "identify", "Identify", "\"slot\": \"A2\"");
	assert_int_equal(bench->client.n_calls, 1);
	assert_string_equal(bench->client.calls[0].argument, "bridge1");
	assert_int_equal(bench->n_said, 1);
	end_job(bench, "job1", "current", "");
	says(bench, "\"status\": \"successful\", \"reason\": null, \"units\": 1");
}

/* In the words of the service. */
static void a_board_that_cannot_show_itself(void **state)
{
	struct bench *bench = *state;

	take(bench, "1", "{\"verb\": \"identify\", \"slot\": \"A4\", \"status\": \"init\"}");
	echo(bench);
	reply(bench, 0,
		(struct client_answer){.result = CLIENT_NOT_POSSIBLE,
			.reason = (char *)"the rule 'gate' does not say how"});
	says(bench, "\"status\": \"failed\", \"reason\": \"the rule 'gate' does not say how\"");
}

static void jobs_that_go_with_the_service(void **state)
{
	struct bench *bench = *state;

	begin_verify(bench, "\"slot\": \"A1\"");
	commands_presence(bench->commands, CLIENT_THERE);
	assert_int_equal(bench->n_said, 1);
	commands_presence(bench->commands, CLIENT_NO_SERVICE);
	says(bench, "\"reason\": \"plugflashd ended before the job did\"");
	end_job(bench, "job0", "current", "");
	assert_int_equal(bench->n_said, 2);
}

static void jobs_that_do_not_end(void **state)
{
	struct bench *bench = *state;

	begin_verify(bench, "\"slot\": \"A1\"");
	pass_time(bench, 3599);
	assert_int_equal(bench->n_said, 1);
	pass_time(bench, 1);
	says(bench, "within an hour");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIFE(verifies_all_that_fit),
		LIFE(verifies_one),
		LIFE(verifies_by_place),
		LIFE(tells_how_many_differ),
		LIFE(verifies_nothing_that_is_not_there),
		LIFE(a_verify_that_is_refused),
		LIFE(a_board_that_shows_itself),
		LIFE(a_board_that_cannot_show_itself),
		LIFE(jobs_that_go_with_the_service),
		LIFE(jobs_that_do_not_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
