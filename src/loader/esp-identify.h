/* SPDX-License-Identifier: MIT */
/*
 * esp-identify.h - which ESP chip it is, whose, how large its flash, and whether its fuses let
 * anybody but its maker write it (esp-rom.md 3, 7, 8).
 *
 * For the loader `esp` alone, whose `identify` it is.
 */
#pragma once

#include "loader/esp-link.h"
#include "loader/loader.h"

/*
 * After esp_sync(). LOADER_OK, LOADER_UNKNOWN_CHIP with the id in `ret`, or what the link came to.
 *
 * With LOADER_OK `ret->refusal` may say why the chip is not to be written. Without one the flash is
 * attached, and the ROM knows its size. In secure download mode nothing but the chip, and on chips
 * that say it, their kind, is known. Nothing is sent that erases, and to an ESP8266 FLASH_BEGIN
 * with no bytes only where the rule accepts what nobody can prove.
 */
int esp_identify(struct esp_link *link, const struct loader *loader, struct chip_identity *ret);
