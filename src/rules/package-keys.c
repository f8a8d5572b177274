/* SPDX-License-Identifier: MIT */
#include "rules/package-keys.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "rules/board.h"

/* As long as a word that is taken from a file can be (image.h). */
#define WORD_MAX 31

static bool is_word(const char *text)
{
	size_t n = 0;

	while (isalnum((unsigned char)text[n]) || (text[n] && strchr("_-", text[n])))
		n++;
	return text[n] == '\0' && n <= WORD_MAX;
}

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
		if (!is_word(words[i]))
			return -EINVAL;
	if (n == 0)
		return -EINVAL;
	parse_list_free(board->fw_type);
	board->fw_type = TAKE_PTR(words);
	board->n_fw_type = n;
	return 0;
}
