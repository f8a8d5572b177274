/* SPDX-License-Identifier: MIT */
/* writing.h - an image into an erased flash: what makes it startable comes after all else. */
#pragma once

#include "flash/run.h"

/* The steps, in this order. Each GO_ON, or the outcome that ends the pass. */
enum outcome writing_write_rest(struct run *run);
enum outcome writing_verify_rest(struct run *run);
enum outcome writing_write_start(struct run *run);
/* Where the bytes to start by differ their page is erased again, so that nothing wrong is started.
 */
enum outcome writing_verify_start(struct run *run);
