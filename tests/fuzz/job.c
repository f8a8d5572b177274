/* SPDX-License-Identifier: MIT */
#include "job.h"

#include "sim/shipped.h"

unsigned input_take(struct input *input)
{
	if (input->n_bytes == 0)
		return 0;
	input->n_bytes--;
	return *input->bytes++;
}

bool input_passes(struct input *input, size_t n_edit)
{
	if (!input->has_begun && input->n_bytes < n_edit)
		return true;
	if (!input->has_begun)
		input->n_pass = input_take(input);
	input->has_begun = input->n_pass > 0;
	if (input->has_begun) {
		input->n_pass--;
		return true;
	}
	input->n_edits++;
	return false;
}

size_t input_change(unsigned what, uint8_t value, uint8_t byte, uint8_t to[static PORT_SIM_EDIT])
{
	to[0] = byte;
	switch (what % 8) {
	case 0:
		to[0] = byte ^ value;
		return 1;
	case 1:
		to[0] = value;
		return 1;
	case 2:
		return 0;
	case 3:
		to[1] = value;
		return 2;
	case 4:
		to[0] = value;
		to[1] = byte;
		return 2;
	case 5:
		memset(to, value, PORT_SIM_EDIT);
		return PORT_SIM_EDIT;
	case 6:
		to[0] = byte ^ (uint8_t)(1u << value % 8);
		return 1;
	}
	return 1;
}

size_t input_edit(struct input *input, unsigned n_unit, input_apply *apply, uint8_t byte,
	uint8_t to[static PORT_SIM_EDIT])
{
	unsigned what;

	to[0] = byte;
	if (input_passes(input, 3))
		return 1;
	what = input_take(input);
	if (what % 8 == 7) {
		input->has_begun = true;
		input->n_pass = n_unit * input_take(input);
		return 1;
	}
	return apply(what, (uint8_t)input_take(input), byte, to);
}

const struct chip_table *job_chips(void)
{
	const struct chip_table *table = shipped_chips();

	MUST(table);
	return table;
}

void job_read_rule(const char *text, struct board *ret)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(ini_done) struct ini ini = {0};

	MUST(ini_load_text(&ini, "rule", text, strlen(text), &problems) == 0);
	MUST(config_read_board(&ini, ret, &problems) == 0);
}

void job_fill(uint8_t bytes[JOB_IMAGE_BYTES])
{
	for (size_t i = 0; i < JOB_IMAGE_BYTES; i++)
		bytes[i] = (uint8_t)(i * 7 % 89 + 1);
}

void job_must_end(const struct report *report, uint64_t most_usec)
{
	const struct port_sim_record *record = port_sim_record(JOB_PORT);

	MUST((int)report->outcome >= 0 && report->outcome < OUTCOME_MAX);
	MUST(port_sim_now_nsec(JOB_PORT) / 1000 < most_usec);
	MUST(record->opens == record->closes);
	if (report->outcome != OUTCOME_UPDATED && report->outcome != OUTCOME_CURRENT)
		fuzz_must_be_sentence(report->reason.text);
}
