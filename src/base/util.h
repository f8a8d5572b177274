/* SPDX-License-Identifier: MIT */
/*
 * util.h - what every room needs: locals that free themselves, hand-over of ownership, arrays, a
 * file's bytes.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CLEANUP(f)		 __attribute__((cleanup(f)))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

#define ARRAY_SIZE(a)		 (sizeof(a) / sizeof((a)[0]))

#define USEC_PER_MSEC		 UINT64_C(1000)
#define USEC_PER_SEC		 UINT64_C(1000000)
#define NSEC_PER_USEC		 UINT64_C(1000)

/* Hands the pointer on and leaves NULL behind, so that the cleanup of the local frees nothing. */
#define TAKE_PTR(p)                         \
	({                                  \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})

/* The 32-bit number, lowest byte first, as files and Arm chips have it; at any alignment. */
static inline uint32_t word_at(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* Puts it there in the same order. */
static inline void word_put(uint8_t *to, uint32_t word)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (uint8_t)(word >> 8 * i);
}

/* The same for a file descriptor; -1 stays behind. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* For CLEANUP() on a local of any pointer type that free() may have. */
static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void closedirp(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/*
 * The items with room for one more; NULL without memory, and the old ones stay. Room is doubled
 * whenever the number is a power of two: an array grows by this function alone, from none on.
 */
static inline void *room_for_one(void *items, size_t n_items, size_t size)
{
	if ((n_items & (n_items - 1)) != 0)
		return items;
	return reallocarray(items, n_items ? n_items * 2 : 1, size);
}

/* Reads until `n` bytes are there or the file ends; `ret_n` tells how many. 0 or -errno. */
static inline int read_up_to(int fd, void *to, size_t n, size_t *ret_n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = read(fd, (char *)to + have, n - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	*ret_n = have;
	return 0;
}

/* Writes all of it to a descriptor that blocks. 0 or -errno. */
static inline int write_whole(int fd, const void *from, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t put = write(fd, (const char *)from + done, n - done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		done += (size_t)put;
	}
	return 0;
}

static inline int64_t usec_of(const struct timespec *time)
{
	return (int64_t)time->tv_sec * (int64_t)USEC_PER_SEC +
	       time->tv_nsec / (int64_t)NSEC_PER_USEC;
}
