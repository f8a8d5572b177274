/* SPDX-License-Identifier: MIT */
#include "service/bridge-match.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "service/job.h"

/* The rule as text, in which a change of it shows. NULL without memory. */
static char *rule_text(const struct board *board)
{
	char *text = NULL;
	size_t n_text = 0;
	FILE *memory = open_memstream(&text, &n_text);
	int r;

	if (!memory)
		return NULL;
	r = config_write_board(board, memory);
	if (fclose(memory) != 0 || r < 0) {
		free(text);
		return NULL;
	}
	return text;
}

int bridge_match(
	struct job *job, const struct config *config, unsigned config_seq, struct match *ret)
{
	CLEANUP(freep) char *rule = NULL;
	CLEANUP(freep) char *board = NULL;
	struct match match = {0};
	enum match_result result = match_board(config, &job->facts, &match);
	bool is_new;

	if (result == MATCH_ONE) {
		rule = rule_text(match.board);
		board = strdup(match.board->name);
		if (!rule || !board)
			return -ENOMEM;
	}
	is_new = job->matched == 0 || job->result != result ||
		 strcmp(job->rule ? job->rule : "", rule ? rule : "") != 0;
	job->matched = config_seq;
	job->result = result;
	free(job->rule);
	job->rule = TAKE_PTR(rule);
	free(job->board);
	job->board = TAKE_PTR(board);
	text_copy(job->attempt.board, sizeof(job->attempt.board), job->board);
	if (is_new) {
		job->held_sha256[0] = '\0';
		attempt_drop_rollback(&job->attempt);
	}
	*ret = match;
	return is_new ? BRIDGE_MATCH_CHANGED : 0;
}
