/* SPDX-License-Identifier: MIT */
/*
 * trust.h - how far a faster way of working is trusted on a kind of chip, and what one job found
 * out about it.
 *
 * Such a way is a program of ours in the chip's RAM ("stub"), or blocks that are sent in one burst.
 * A job on trial proves its update twice: as usual, and then once more by the slow way.
 */
#pragma once

enum trust {
	TRUST_OFF, /* it is not used */
	TRUST_ON_TRIAL,
	TRUST_FULL,
	TRUST_MAX,
};

struct trusts {
	enum trust stub, bursts;
};

/* What a job found out. */
enum trial {
	TRIAL_NONE,   /* it was not used, or given up before the first erase: nothing was learnt */
	TRIAL_USED,   /* it was used, and its work not proved twice */
	TRIAL_PASSED, /* the two proofs agree */
	TRIAL_FAILED, /* they do not, or it was given up after an erase */
	TRIAL_MAX,
};

/* "off", "trial", "full". */
const char *trust_to_string(enum trust trust);

/* An enum trust, or -EINVAL. */
int trust_from_string(const char *text);
