/* SPDX-License-Identifier: MIT */
/* A worker's answer about images: any lines; a finding in it is written and read to the same. */
#include "flash/finding.h"
#include "fuzz.h"

static void on_folder(void *userdata, const char *path)
{
	size_t *n_bytes = userdata;

	*n_bytes += strlen(path);
}

static char *write_finding(const struct finding *finding)
{
	char *text = NULL;
	size_t n_text = 0;
	FILE *to = open_memstream(&text, &n_text);

	MUST(to);
	MUST(finding_write(finding, to) == 0);
	MUST(fclose(to) == 0);
	return text;
}

static void must_be_fit(const struct finding *finding)
{
	const struct library_choice *choice = &finding->choice;

	MUST(finding->result >= -4095 && finding->result <= LIBRARY_AWAITED);
	MUST(memchr(finding->reason.text, '\0', sizeof(finding->reason.text)));
	if (finding->result == LIBRARY_OK || finding->result == LIBRARY_AWAITED)
		MUST(choice->name && choice->version && choice->stamp);
	MUST(!choice->name || !strpbrk(choice->name, "\n\r\t\033"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *text = strndup((const char *)data, size);
	size_t n_bytes = 0;
	char *at = text;

	MUST(text);
	while (at) {
		CLEANUP(finding_done) struct finding finding = {0}, again = {0};
		CLEANUP(freep) char *written = NULL, *lines = NULL, *written_again = NULL;
		char *line;
		int r = finding_read(&at, &finding, on_folder, &n_bytes);

		MUST(r == 0 || r == -EBADMSG);
		if (r != 0)
			continue;
		must_be_fit(&finding);
		written = write_finding(&finding);
		line = lines = strdup(written);
		MUST(lines);
		MUST(finding_read(&line, &again, on_folder, &n_bytes) == 0);
		written_again = write_finding(&again);
		MUST(strcmp(written, written_again) == 0);
	}
	MUST(n_bytes <= size);
	return 0;
}
