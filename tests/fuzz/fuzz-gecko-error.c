/* SPDX-License-Identifier: MIT */
/* What a Gecko boot loader prints when it refuses a file, without control characters, as text. */
#include <stdlib.h>

#include "base/text.h"
#include "fuzz.h"
#include "loader/gecko-error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char words[TEXT_MAX], few[8];
	enum gecko_cause cause;
	size_t n = 0;

	MUST(text);
	for (size_t i = 0; i < size; i++)
		if (data[i] >= ' ' || data[i] == '\n' || data[i] == '\t')
			text[n++] = (char)data[i];
	text[n] = '\0';
	cause = gecko_error_read(text, words, sizeof(words));
	if (words[0])
		fuzz_must_be_sentence(words);
	else
		MUST(cause == GECKO_CAUSE_UNKNOWN);
	/* What is final is told. */
	MUST(!gecko_cause_is_final(cause) || words[0]);
	MUST(gecko_error_read(text, few, sizeof(few)) == cause);
	MUST(memchr(few, '\0', sizeof(few)));
	free(text);
	return 0;
}
