/* SPDX-License-Identifier: MIT */
/* What a chip prints while it starts: whatever the pieces it comes in, the same is made of it. */
#include "fuzz.h"
#include "loader/esp-heard.h"

static void must_be_bounded(const struct loader_words *words)
{
	MUST(words->start >= LOADER_START_UNHEARD && words->start <= LOADER_START_LOADER);
	MUST(memchr(words->said, '\0', sizeof(words->said)));
	MUST(memchr(words->last, '\0', sizeof(words->last)));
	MUST(words->n_line < sizeof(words->line));
	MUST(words->n_letters <= words->n_bytes && words->n_of_rom <= words->n_complaints);
	MUST(!words->is_waiting || words->start == LOADER_START_LOADER);
}

/* The first byte is the size of a piece. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct loader_words whole = {0}, pieces = {0};
	char said[HEARD_ADVICE_MAX];
	size_t piece;

	if (size < 2)
		return 0;
	piece = data[0] % 64 + 1;
	data++;
	size--;
	esp_heard_take(&whole, data, size);
	for (size_t at = 0; at < size; at += piece)
		esp_heard_take(&pieces, data + at, size - at < piece ? size - at : piece);
	must_be_bounded(&whole);
	MUST(memcmp(&whole, &pieces, sizeof(whole)) == 0);
	for (int i = 0; i < 8; i++) {
		whole.baud = i & 1 ? ESP_HEARD_8266_BAUD : 115200;
		fuzz_must_be_sentence(esp_heard_explain(&whole, i & 4, i & 2, said));
	}
	(void)esp_heard_is_there(data, size);
	return 0;
}
