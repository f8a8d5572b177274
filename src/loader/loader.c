/* SPDX-License-Identifier: MIT */
/* loader.c - which protocols there are: a row for each word of the rule's `protocol`. */
#include "loader/loader.h"

const struct protocol *protocol_of(enum board_protocol protocol)
{
	static const struct protocol *const protocols[] = {
		[BOARD_PROTOCOL_STM32] = &protocol_stm32,
		[BOARD_PROTOCOL_XMODEM] = &protocol_xmodem,
		[BOARD_PROTOCOL_YMODEM] = &protocol_ymodem,
	};

	return protocols[protocol];
}
