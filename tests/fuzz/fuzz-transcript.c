/* SPDX-License-Identifier: MIT */
/* A transcript of whoever sends one: it is refused with a line, or all of it is within bounds. */
#include "fuzz.h"
#include "replay/tape.h"

static void must_be_bounded(const struct tape *tape)
{
	uint64_t last = 0;

	MUST((int)tape->action >= 0 && tape->action < FLASH_ACTION_MAX);
	MUST((int)tape->outcome >= 0 && tape->outcome <= OUTCOME_MAX);
	MUST(tape->n_events <= TAPE_EVENTS_MOST);
	MUST(memchr(tape->version, '\0', sizeof(tape->version)));
	MUST(image_bytes(&tape->image) <= TAPE_IMAGE_MOST);
	for (size_t i = 0; i < tape->n_events; i++) {
		const struct tape_event *event = &tape->events[i];

		MUST((int)event->kind >= 0 && event->kind < TAPE_KIND_MAX);
		MUST(event->n_bytes <= sizeof(event->bytes));
		MUST(event->n_cut <= TAPE_IMAGE_MOST);
		MUST(event->usec >= last);
		MUST(event->kind != TAPE_FAILED || event->error > 0);
		last = event->usec;
	}
	for (size_t i = 0; i < tape->n_answers; i++) {
		MUST(tape->answers[i].answer.n_data <= PROVISION_MOST);
		MUST(memchr(tape->answers[i].question, '\0', sizeof(tape->answers[i].question)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reason reason = {""};
	struct tape tape;
	int r = tape_read((const char *)data, size, &tape, &reason);

	MUST(r == 0 || r == -EINVAL || r == -ENOMEM);
	MUST(r != -EINVAL || *reason.text);
	if (r == 0) {
		must_be_bounded(&tape);
		tape_done(&tape);
	}
	return 0;
}
