/* SPDX-License-Identifier: MIT */
#include "bed/uevent.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/util.h"

/* Of systemd's device monitor: what stands before the properties, in network order where marked. */
struct header {
	char prefix[8];
	uint32_t magic; /* network */
	uint32_t header_size;
	uint32_t properties_off;
	uint32_t properties_len;
	uint32_t subsystem_hash; /* network */
	uint32_t devtype_hash;	 /* network */
	uint32_t tag_bloom_high; /* network */
	uint32_t tag_bloom_low;	 /* network */
};

#define MAGIC 0xFEEDCAFE

/* MurmurHash2 with seed 0, Austin Appleby's algorithm: the socket filters of libudev go by it. */
static uint32_t hash(const char *text)
{
	const uint32_t multiplier = 0x5BD1E995;
	size_t n = strlen(text), at = 0;
	uint32_t h = (uint32_t)n;

	for (; n - at >= 4; at += 4) {
		uint32_t k;

		memcpy(&k, text + at, sizeof(k));
		k *= multiplier;
		k ^= k >> 24;
		k *= multiplier;
		h = h * multiplier ^ k;
	}
	if (n > at) {
		for (size_t i = n; i > at; i--)
			h ^= (uint32_t)(uint8_t)text[i - 1] << (8 * (i - 1 - at));
		h *= multiplier;
	}
	h ^= h >> 13;
	h *= multiplier;
	return h ^ h >> 15;
}

/* Properties with a NUL after each. */
static size_t build(char *to, size_t size, const char *action, const char *devpath,
	const char *subsystem, const char *properties)
{
	static unsigned long number = 1000;
	int n = snprintf(to, size, "ACTION=%s\nDEVPATH=%s\nSUBSYSTEM=%s\nSEQNUM=%lu\n%s", action,
		devpath, subsystem, number++, properties);

	if (n < 0 || (size_t)n >= size)
		return 0;
	for (int i = 0; i < n; i++)
		if (to[i] == '\n')
			to[i] = '\0';
	return (size_t)n;
}

static void mark_overflow(const char *path)
{
	char mark[256];
	int fd;

	snprintf(mark, sizeof(mark), "%s.overflow", path);
	fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0)
		close(fd);
}

/* Whether the receiver has the event, or is no more. */
static bool send_one(const char *path, struct iovec *parts, enum uevent_patience patience)
{
	CLEANUP(closep)
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno == ECONNREFUSED)
			unlink(path);
		return true;
	}
	while (sendmsg(fd, &message, 0) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return true;
		if (patience == UEVENT_DROP)
			mark_overflow(path);
		return false;
	}
	return true;
}

unsigned uevent_send(const char *root, const char *action, const char *devpath,
	const char *subsystem, const char *properties, enum uevent_patience patience)
{
	struct header header = {
		.prefix = "libudev",
		.magic = htonl(MAGIC),
		.header_size = sizeof(header),
		.properties_off = sizeof(header),
		.subsystem_hash = htonl(hash(subsystem)),
	};
	char text[8192], pattern[256];
	struct iovec parts[2] = {{&header, sizeof(header)}, {text, 0}};
	glob_t sockets = {0};
	unsigned n_missed = 0;

	parts[1].iov_len = build(text, sizeof(text), action, devpath, subsystem, properties);
	header.properties_len = (uint32_t)parts[1].iov_len;
	snprintf(pattern, sizeof(pattern), "%s/event*[0-9]", root);
	if (glob(pattern, GLOB_NOSORT, NULL, &sockets) == 0)
		for (size_t i = 0; i < sockets.gl_pathc; i++)
			n_missed += !send_one(sockets.gl_pathv[i], parts, patience);
	globfree(&sockets);
	return n_missed;
}
