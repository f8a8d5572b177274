/* SPDX-License-Identifier: MIT */
/*
 * gbl-metadata.h - what the maker of a GBL says of it in its metadata tag. Pure.
 */
#pragma once

#include "image/image.h"

/*
 * Fills `fw_type`, `version` and `baud` by the JSON that Nabu Casa, darkxst and others write there
 * (gecko.md 4). The bytes are anybody's: what is no such JSON, of a later version, or longer than
 * any that is known, says nothing and is no fault of the file. 0 or -ENOMEM.
 */
int gbl_metadata_read(const uint8_t *data, size_t n_data, struct image_maker *ret);
