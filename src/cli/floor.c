/* SPDX-License-Identifier: MIT */
/* floor.c - the verb: the lowest version that the service puts on the boards of a rule. */
#include <string.h>

#include "api/json.h"
#include "base/outcome.h"
#include "base/util.h"
#include "cli/cli.h"
#include "cli/service.h"
#include "cli/table.h"
#include "image/version.h"

/* Without it the rule takes what is below as well. */
static const char *kept_by(const struct dict *row)
{
	return dict_flag(row, "anti_rollback") ? "yes" : "no";
}

static int print_json(const struct client_answer *answer)
{
	struct json *list = json_new_list();

	for (size_t i = 0; i < answer->n_rows; i++) {
		const struct dict *row = &answer->rows[i];
		struct json *item = json_new_object();

		json_add_text(item, "board", dict_text(row, "board"));
		json_add_text(item, "floor", dict_text(row, "floor"));
		json_add_bool(item, "anti_rollback", dict_flag(row, "anti_rollback"));
		json_add(list, NULL, item);
	}
	return json_print(list, stdout);
}

static int print_table(const struct client_answer *answer)
{
	CLEANUP(table_done) struct table table = {.n_columns = 3};
	int r = table_add_row(&table, (const char *const[]){"BOARD", "FLOOR", "ANTI-ROLLBACK"});

	for (size_t i = 0; i < answer->n_rows && r == 0; i++)
		r = table_add_row(&table,
			(const char *const[]){dict_text(&answer->rows[i], "board"),
				dict_text(&answer->rows[i], "floor"), kept_by(&answer->rows[i])});
	if (r == 0)
		table_print(&table, table_room(stdout), stdout);
	return r;
}

static int show(const struct options *options, struct client *client)
{
	CLEANUP(client_answer_done) struct client_answer answer = {.fd = -1};
	CLEANUP(dict_done) struct dict filter = {0};
	const struct client_call call = {.method = "ListBoards", .options = &filter};
	char shown[TEXT_MAX];
	int r = options->argument ? dict_set_text(&filter, "board", options->argument) : 0;

	if (r == 0)
		r = client_call_wait(client, &call, &answer, "");
	r = service_check_answer("floor", r, &answer);
	if (r != 0)
		return r;
	if (options->argument && answer.n_rows == 0) {
		fprintf(stderr,
			"plugflash floor: there is no rule '%s'; plugflash images shows the rules\n",
			text_escape(options->argument, shown, sizeof(shown)));
		return outcome_to_exit_code(OUTCOME_BAD_CONFIG);
	}
	r = options->json ? print_json(&answer) : print_table(&answer);
	return r == 0 ? 0 : outcome_to_exit_code(OUTCOME_FAILED);
}

int verb_floor(const struct options *options)
{
	CLEANUP(client_answer_done) struct client_answer answer = {.fd = -1};
	CLEANUP(service_close) struct service service = {.hold = -1};
	const struct client_call call = {.method = "SetFloor", .may_ask = service_may_ask()};
	const char *version = options->argument2;
	int r;

	if (version && strcmp(version, "none") != 0 && !version_is_fit(version)) {
		fputs("plugflash floor: expected a version like 1.2.3, or none\n", stderr);
		return EXIT_USAGE;
	}
	r = service_open_for("floor", &service);
	if (r == 0 && version) {
		r = client_call_wait(service.client, &call, &answer, "ss", options->argument,
			strcmp(version, "none") == 0 ? "" : version);
		r = service_check_answer("floor", r, &answer);
	}
	return r == 0 ? show(options, service.client) : r;
}
