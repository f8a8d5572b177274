/* SPDX-License-Identifier: MIT */
/*
 * package-check.h - whether a rule wants what a boot loader's own file (GBL) makes of a board.
 */
#pragma once

#include "image/image.h"
#include "rules/board.h"

/* 1 << enum application_protocol for each that an application of this `fw_type` speaks; 0: none, or
 * nobody knows. Pure. */
unsigned package_applications(const char *fw_type);

/*
 * 0, or OUTCOME_BAD_IMAGE with the reason, a sentence that goes on after the image's name, as that
 * of image_check(). Pure.
 */
int package_check(const struct board *board, const struct image *image, struct reason *reason);
