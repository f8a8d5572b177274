/* SPDX-License-Identifier: MIT */
/*
 * procedure-order.h - what a person orders of the chip itself, apart from any image: erase, start,
 * protection. Steps of both procedures, each the last one of its job.
 *
 * A job that ends well has a sentence in the report's `remark`: which pages were erased, how the
 * chip was started, or what a protection is now.
 */
#pragma once

#include "flash/run.h"

/* Before the port is opened: GO_ON, or FAILED where this kind of loader lacks what the job needs.
 */
enum outcome order_check_loader(struct run *run, const struct loader_ops *ops);

/* Steps of a pass: GO_ON, or the outcome that ends it. */
enum outcome order_erase(struct run *run);
enum outcome order_start(struct run *run);
enum outcome order_protect(struct run *run);
enum outcome order_unprotect(struct run *run);
enum outcome order_write_unprotect(struct run *run);
