/* SPDX-License-Identifier: MIT */
#include "rules/package-keys.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "rules/board.h"

/* As long as a word that is taken from a file can be (image.h). */
#define WORD_MAX 31

static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "0123456789_-";

/* Makers have words of their own, so any is taken. */
int parse_fw_types(const char *value, void *field, const char **ret_expected)
{
	struct board *board = field;
	char **words CLEANUP(parse_list_freep) = NULL;
	size_t n;

	*ret_expected =
		"words like zigbee_ncp, openthread_rcp, multipan or zwave_ncp, blanks between them; " FW_TYPE_UNSAID
		" is a file that does not say it; leave the key out for any";
	if (parse_list(value, &words, &n) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (strlen(words[i]) > WORD_MAX || words[i][strspn(words[i], letters)])
			return -EINVAL;
	if (n == 0)
		return -EINVAL;
	parse_list_free(board->fw_type);
	board->fw_type = TAKE_PTR(words);
	board->n_fw_type = n;
	return 0;
}
