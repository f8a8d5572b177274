/* SPDX-License-Identifier: MIT */
#include "cli/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/util.h"

/* Text of one job. A flash of 4 MiB that is written and read back with --transcript-image needs
 * half of it. */
#define MOST_BYTES (64 * 1024 * 1024)

int recorder_open(const struct options *options, struct recorder *ret, struct reason *reason)
{
	struct recorder recorder = {
		.path = options->transcript, .fd = -1, .with_image = options->transcript_image};
	char shown[TEXT_MAX];

	if (recorder.path) {
		recorder.fd = open(recorder.path,
			O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
		if (recorder.fd < 0)
			return reason_refuse(-errno, reason,
				"the transcript '%s' cannot be made: %s%s",
				text_escape(recorder.path, shown, sizeof(shown)), strerror(errno),
				errno == EEXIST ? "; give --transcript another name" : "");
	}
	*ret = recorder;
	return 0;
}

struct transcript *recorder_begin(const struct recorder *recorder)
{
	struct transcript *transcript = NULL;

	if (recorder->path && transcript_new(MOST_BYTES, recorder->with_image, &transcript) < 0)
		fputs("plugflash: there is no memory for a transcript; the job goes on without\n",
			stderr);
	return transcript;
}

struct transcript *recorder_end(struct recorder *recorder, struct transcript *transcript)
{
	char shown[TEXT_MAX];
	int r;

	/* A job whose image or chip table is no good has not come so far. */
	if (!transcript || transcript_is_empty(transcript))
		return transcript_free(transcript);
	r = transcript_write(transcript, recorder->fd);
	if (r < 0)
		fprintf(stderr, "plugflash: the transcript '%s' is not whole: %s\n",
			text_escape(recorder->path, shown, sizeof(shown)), strerror(-r));
	recorder->has_jobs = true;
	return transcript_free(transcript);
}

void recorder_close(struct recorder *recorder)
{
	if (!recorder->path || recorder->fd < 0)
		return;
	if (!recorder->has_jobs)
		(void)unlink(recorder->path);
	close(recorder->fd);
	recorder->fd = -1;
}
