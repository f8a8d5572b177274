/* SPDX-License-Identifier: MIT */
#include "rules/protocol-words.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

/* As fast as most boards go, and each step that a bridge without faults does (esp-rom.md 2, 11). */
static const uint32_t esp_bauds[] = {921600, 460800, 230400, 115200};

/* CP2102 and CP2102N have the first exactly; ROMs of TI measure the rate (ti-bsl.md 1). */
static const uint32_t bsl_bauds[] = {500000, 115200};

static const struct protocol_word words[] = {
	[BOARD_PROTOCOL_STM32] = {.text = "stm32",
		.family = "stm32",
		.has_option_bytes = true,
		.least = PROOF_SUMS,
		.most = PROOF_READ_BACK,
		.usual = PROOF_SUMS,
		.verify_words = "sums or read-back: protocol = stm32 gives nothing else"},
	[BOARD_PROTOCOL_XMODEM] = {.text = "xmodem",
		.takes_file = true,
		.has_unverified = true,
		.takes_packages = true,
		.blocks = BOARD_BLOCKS_128,
		.least = PROOF_LOADER,
		.most = PROOF_CONFIRM,
		.usual = PROOF_CONFIRM,
		.verify_words = "confirm or loader: protocol = xmodem sends nothing back"},
	[BOARD_PROTOCOL_YMODEM] = {.text = "ymodem",
		.takes_file = true,
		.has_unverified = true,
		.has_headers = true,
		.sends_back = true,
		.blocks = BOARD_BLOCKS_1024,
		.least = PROOF_LOADER,
		.most = PROOF_UPLOAD,
		.usual = PROOF_CONFIRM,
		.verify_words = "upload, confirm or loader: protocol = ymodem gives nothing else"},
	[BOARD_PROTOCOL_ESP] = {.text = "esp",
		.family = "esp",
		.ways = WIRING_WAYS_ESP,
		.tells_start = true,
		.wiring = "esp",
		.bauds = esp_bauds,
		.n_bauds = ARRAY_SIZE(esp_bauds),
		.page_bytes = 4096,
		.flash_bytes = 16 * 1024 * 1024,
		.has_unverified = true,
		.least = PROOF_DIGEST,
		.most = PROOF_READ_BACK,
		.usual = PROOF_DIGEST,
		.verify_words = "read-back or digest: protocol = esp gives nothing else"},
	[BOARD_PROTOCOL_BSL] = {.text = "bsl",
		.family = "cc13xx",
		.ways = WIRING_WAYS_BSL,
		.has_ccfg = true,
		.wiring = "esp",
		.bauds = bsl_bauds,
		.n_bauds = ARRAY_SIZE(bsl_bauds),
		.least = PROOF_DIGEST,
		.most = PROOF_READ_BACK,
		.usual = PROOF_DIGEST,
		.verify_words = "read-back or digest: protocol = bsl gives nothing else"},
};

const struct protocol_word *protocol_word_of(enum board_protocol protocol)
{
	return &words[protocol];
}

bool protocol_compares_versions(const struct board *board)
{
	return board->application.version_pattern ||
	       (board->applications != 0 && protocol_word_of(board->protocol)->takes_file);
}

const char *protocol_word_of_family(const char *family)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].family && strcmp(words[i].family, family) == 0)
			return words[i].text;
	return NULL;
}

const char *protocol_word_of_sticks(void)
{
	return words[BOARD_PROTOCOL_XMODEM].text;
}

int parse_protocol(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "stm32, esp, bsl, ymodem or xmodem";
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].text, value) == 0) {
			*(enum board_protocol *)field = (enum board_protocol)i;
			return 0;
		}
	return -EINVAL;
}
