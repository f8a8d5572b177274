/* SPDX-License-Identifier: MIT */
/* A file in the folder of requests: whatever is taken is written and read back as the same. */
#include <string.h>

#include "api/request.h"
#include "fuzz.h"

static bool read_request(const void *text, size_t n_text, struct request *ret)
{
	FILE *from = fmemopen((void *)text, n_text, "r");
	int r;

	MUST(from);
	r = request_read(from, ret);
	MUST(r == 0 || r == -EBADMSG);
	MUST(fclose(from) == 0);
	return r == 0;
}

static void must_be_a_text(const char value[static TEXT_MAX])
{
	MUST(memchr(value, '\0', TEXT_MAX));
	MUST(!strchr(value, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request request, again;
	char *text = NULL;
	size_t n_text = 0;
	FILE *to;

	if (size == 0 || !read_request(data, size, &request))
		return 0;
	must_be_a_text(request.unit);
	must_be_a_text(request.board);
	must_be_a_text(request.usb_path);
	must_be_a_text(request.port);
	to = open_memstream(&text, &n_text);
	MUST(to);
	MUST(request_write(&request, to) == 0);
	MUST(fclose(to) == 0);
	MUST(read_request(text, n_text, &again));
	MUST(strcmp(request.unit, again.unit) == 0 && strcmp(request.board, again.board) == 0 &&
		strcmp(request.usb_path, again.usb_path) == 0 &&
		strcmp(request.port, again.port) == 0);
	free(text);
	return 0;
}
