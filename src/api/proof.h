/* SPDX-License-Identifier: MIT */
/*
 * proof.h - what vouches for the image's being in the flash, from nothing to the strongest.
 *
 * The order is that of how near a proof comes to the flash cells, so that two proofs are compared
 * by < and >: a rule names the least that is enough for it, and a report names what it was.
 */
#pragma once

enum proof {
	PROOF_NONE,
	/* The loader says that it took the image. It judges its own writing; what it checked, a sum
	 * over the bytes as they came or the flash itself, only its author knows. */
	PROOF_LOADER,
	/* The application says the image's version. It runs, and the version is right; another
	 * build of the same version says the same, and its bytes may be older than this image. */
	PROOF_VERSION,
	/* The application was started by the attempt that wrote it and says what the rule asks
	 * for. All that it needed for that is right; nobody looked at the rest. */
	PROOF_CONFIRM,
	/* The loader has sent back every byte of the image. It chooses from where: a copy outside
	 * of the flash that the application runs from would look the same. */
	PROOF_UPLOAD,
	/* The chip has computed a digest of the addresses that it was told, and it is that of the
	 * image. Every byte counts; two contents with one digest are told apart by nobody. */
	PROOF_DIGEST,
	/* A program of ours in the chip's RAM has computed two CRC-32 of each page, and before and
	 * after of the pages that were not to change. */
	PROOF_SUMS,
	/* Every byte was read from its address and compared. */
	PROOF_READ_BACK,
	PROOF_MAX,
};

/* "read-back", "sums", "digest", "upload", "confirm", "version", "loader"; "" for none. Reports,
 * journal and store hold these words. */
const char *proof_to_string(enum proof proof);

/* An enum proof, or -EINVAL. */
int proof_from_string(const char *text);
