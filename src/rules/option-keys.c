/* SPDX-License-Identifier: MIT */
#include "rules/option-keys.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "base/util.h"

#define EXPECTED \
	"settings like nBOOT_SEL=0 BORR_LEV=0, each once, by the names of the chip's reference manual"
#define EXPECTED_WORD                                                                       \
	"NAME=VALUE without blanks around the =, or behind such settings " OPTION_WORD_RISK \
	" or " OPTION_WORD_FOR_EVER

void option_list_done(struct option_list *list)
{
	free(list->items);
	*list = (struct option_list){0};
}

/* A word of consent: true. */
static bool take_consent(const char *word, struct option_list *list)
{
	if (strcmp(word, OPTION_WORD_FOR_EVER) == 0)
		list->accepted = OPTION_FOR_EVER;
	else if (strcmp(word, OPTION_WORD_RISK) != 0)
		return false;
	else if (list->accepted < OPTION_RISK)
		list->accepted = OPTION_RISK;
	return true;
}

static bool is_name(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '_')
			return false;
	return n > 0 && n < OPTION_NAME_SIZE && isalpha((unsigned char)text[0]);
}

static int take_setting(const char *word, struct option_list *list, const char **ret_expected)
{
	struct option_setting *setting = &list->items[list->n_items];
	size_t n_name = strcspn(word, "=");
	int r;

	*ret_expected = EXPECTED_WORD;
	if (word[n_name] != '=' || word[n_name + 1] == '\0' || !is_name(word, n_name))
		return -EINVAL;
	memcpy(setting->name, word, n_name);
	setting->name[n_name] = '\0';
	*ret_expected = "each setting once";
	for (size_t i = 0; i < list->n_items; i++)
		if (strcasecmp(list->items[i].name, setting->name) == 0)
			return -EINVAL;
	*ret_expected = "a number behind each =, such as 5 or 0x5A";
	r = parse_u32(word + n_name + 1, &setting->value);
	if (r == 0)
		list->n_items++;
	return r;
}

int parse_option_list(const char *value, void *field, const char **ret_expected)
{
	CLEANUP(option_list_done) struct option_list list = {0};
	CLEANUP(parse_list_freep) char **words = NULL;
	struct option_list *ret = field;
	size_t n_words;

	*ret_expected = EXPECTED;
	if (parse_list(value, &words, &n_words) < 0)
		return -ENOMEM;
	list.items = calloc(n_words + 1, sizeof(*list.items));
	if (!list.items)
		return -ENOMEM;
	for (size_t i = 0; i < n_words; i++) {
		int r = take_consent(words[i], &list) ? 0
						      : take_setting(words[i], &list, ret_expected);

		if (r < 0)
			return r;
	}
	*ret_expected = EXPECTED;
	if (list.n_items == 0)
		return -EINVAL;
	option_list_done(ret);
	*ret = list;
	list = (struct option_list){0};
	return 0;
}
