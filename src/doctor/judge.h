/* SPDX-License-Identifier: MIT */
/*
 * judge.h - what is to be thought of the facts of a host: pure, no file, no clock, no device.
 *
 * Each adds its findings, or the good news where it has none. The order of the functions is the way
 * of a board: what stands earlier stops it earlier.
 */
#pragma once

#include "doctor/finding.h"
#include "doctor/host.h"

/* judge-system.c: what the host needs whatever is plugged in. */
void judge_driver(const struct host *host, struct findings *to);
void judge_udev(const struct host *host, struct findings *to);
void judge_programs(const struct host *host, struct findings *to);
void judge_clock(const struct host *host, struct findings *to);

/* judge-bridges.c and judge-ports.c: what is plugged in. */
void judge_usb(const struct host *host, struct findings *to);
void judge_ports(const struct host *host, struct findings *to);

/* judge-service.c: who flashes, and what he remembers. */
void judge_service(const struct host *host, struct findings *to);
void judge_store(const struct host *host, struct findings *to);
void judge_disks(const struct host *host, struct findings *to);

/* judge-rules.c: what is to be flashed. */
void judge_configuration(const struct host *host, struct findings *to);
void judge_images(const struct host *host, struct findings *to);
void judge_keys(const struct host *host, struct findings *to);

/* All of them, the worst findings first. 0 or -ENOMEM. */
int judge(const struct host *host, struct findings *to);
