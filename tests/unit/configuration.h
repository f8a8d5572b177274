/* SPDX-License-Identifier: MIT */
/*
 * configuration.h - a configuration in the temporary folder. Include after cmocka.h.
 */
#pragma once

#include <sys/stat.h>

#include "unit/folder.h"

/* The shortest rule. */
#define GOOD "[board a]\nchip=0x410\nimage=a.hex\n"

/* The shortest of an ESP32. */
#define ESP "[board a]\nprotocol=esp\nchip=esp32\nimage=a/flasher_args.json\n"

/* The shortest of a stick with a chip of TI. */
#define BSL "[board a]\nprotocol=bsl\nchip=cc2652p\nbackdoor-pin=15\nimage=a.hex\n"

/* Writes plugflash.conf and, where given, boards.d/10.conf. */
static inline void put_configuration(const char *service, const char *board)
{
	unlink(in_folder("boards.d/10.conf"));
	mkdir(in_folder("boards.d"), 0700);
	put_text("plugflash.conf", service);
	if (board)
		put_text("boards.d/10.conf", board);
}
