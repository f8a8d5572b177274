/* SPDX-License-Identifier: MIT */
#include "image/digest.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <md5.h>
#include <sodium.h>

#include "base/util.h"

static_assert(DIGEST_HEX_SIZE == 2 * DIGEST_SIZE + 1, "text.h has room for a SHA-256");

/* SHA-256 needs no sodium_init(): there is no implementation to choose and nothing random. */
void digest_sha256(const uint8_t *data, size_t n_data, char ret[DIGEST_HEX_SIZE])
{
	uint8_t hash[DIGEST_SIZE];

	_Static_assert(DIGEST_SIZE == crypto_hash_sha256_BYTES, "SHA-256 has 32 bytes");
	crypto_hash_sha256(hash, data, n_data);
	sodium_bin2hex(ret, DIGEST_HEX_SIZE, hash, sizeof(hash));
}

/* The state of BLAKE2b is aligned to 64 bytes. */
struct digest_stream {
	crypto_generichash_state blake2b;
	crypto_hash_sha256_state sha256;
};

struct digest_stream *digest_stream_new(void)
{
	size_t alignment = _Alignof(struct digest_stream);
	size_t size = (sizeof(struct digest_stream) + alignment - 1) / alignment * alignment;
	struct digest_stream *stream = aligned_alloc(alignment, size);

	if (!stream)
		return NULL;
	crypto_hash_sha256_init(&stream->sha256);
	crypto_generichash_init(&stream->blake2b, NULL, 0, DIGEST_BLAKE2B_SIZE);
	return stream;
}

void digest_stream_take(struct digest_stream *stream, const uint8_t *data, size_t n_data)
{
	crypto_hash_sha256_update(&stream->sha256, data, n_data);
	crypto_generichash_update(&stream->blake2b, data, n_data);
}

void digest_stream_end(struct digest_stream *stream, struct digests *ret)
{
	uint8_t hash[DIGEST_SIZE];

	crypto_hash_sha256_final(&stream->sha256, hash);
	sodium_bin2hex(ret->sha256, sizeof(ret->sha256), hash, sizeof(hash));
	crypto_generichash_final(&stream->blake2b, ret->blake2b, sizeof(ret->blake2b));
}

void digest_stream_free(struct digest_stream *stream)
{
	free(stream);
}

int digest_all(const uint8_t *data, size_t n_data, struct digests *ret)
{
	struct digest_stream *stream = digest_stream_new();

	if (!stream)
		return -ENOMEM;
	digest_stream_take(stream, data, n_data);
	digest_stream_end(stream, ret);
	digest_stream_free(stream);
	return 0;
}

bool digest_is(const char *hex, const uint8_t bytes[DIGEST_SIZE])
{
	char expected[DIGEST_HEX_SIZE];

	sodium_bin2hex(expected, sizeof(expected), bytes, DIGEST_SIZE);
	return strcmp(hex, expected) == 0;
}

void digest_md5(const uint8_t *data, size_t n_data, uint8_t ret[static DIGEST_MD5_SIZE])
{
	MD5_CTX context;

	_Static_assert(DIGEST_MD5_SIZE == MD5_DIGEST_LENGTH, "MD5 has 16 bytes");
	MD5Init(&context);
	MD5Update(&context, data, n_data);
	MD5Final(ret, &context);
}

/* What half a byte makes of a CRC, for a polynomial in its reflected form. */
struct halves {
	uint32_t items[16];
};

static const struct halves ieee = {{
	/* 0xEDB88320 */
	0x00000000,
	0x1DB71064,
	0x3B6E20C8,
	0x26D930AC,
	0x76DC4190,
	0x6B6B51F4,
	0x4DB26158,
	0x5005713C,
	0xEDB88320,
	0xF00F9344,
	0xD6D6A3E8,
	0xCB61B38C,
	0x9B64C2B0,
	0x86D3D2D4,
	0xA00AE278,
	0xBDBDF21C,
}};

static const struct halves castagnoli = {{
	/* 0x82F63B78 */
	0x00000000,
	0x105EC76F,
	0x20BD8EDE,
	0x30E349B1,
	0x417B1DBC,
	0x5125DAD3,
	0x61C69362,
	0x7198540D,
	0x82F63B78,
	0x92A8FC17,
	0xA24BB5A6,
	0xB21572C9,
	0xC38D26C4,
	0xD3D3E1AB,
	0xE330A81A,
	0xF36E6F75,
}};

static uint32_t crc32_by(const struct halves *halves, const uint8_t *data, size_t n_data)
{
	uint32_t crc = 0xFFFFFFFF;

	for (size_t i = 0; i < n_data; i++) {
		crc ^= data[i];
		crc = crc >> 4 ^ halves->items[crc & 0xF];
		crc = crc >> 4 ^ halves->items[crc & 0xF];
	}
	return ~crc;
}

uint32_t digest_crc32(const uint8_t *data, size_t n_data)
{
	return crc32_by(&ieee, data, n_data);
}

void digest_sums(const uint8_t *data, size_t n_data, uint8_t ret[static DIGEST_SUMS_SIZE])
{
	word_put(ret, digest_crc32(data, n_data));
	word_put(ret + 4, crc32_by(&castagnoli, data, n_data));
}
