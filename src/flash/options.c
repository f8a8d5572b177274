/* SPDX-License-Identifier: MIT */
/*
 * options.c - the option bytes of a chip, as a rule or a command wants them.
 *
 * They are compared at each look and written last: a chip erases all of them before it programs
 * the first, and a power cut in between leaves it read-out protected, with what its flash holds out
 * of reach. So the image is proved before, the service has it on record that the unit is being
 * written, and what is written are the bytes that were read, with the settings changed and nothing
 * else. The chip then resets by itself; it is met once more, and every setting is compared, also
 * those that nobody wanted changed.
 *
 * The answer of the boot loader to the write decides nothing: the chip may reset before its ACK is
 * out. What is read behind the reset does.
 */
#include "flash/options.h"

#include <string.h>

#include "base/util.h"
#include "chip/family.h"
#include "flash/decision.h"
#include "flash/procedure.h"
#include "loader/steady.h"

static const struct option_list *wanted_by(const struct run *run)
{
	const struct flash_job *job = run->job;

	return job->action == FLASH_OPTIONS ? job->options : &job->board->options;
}

/* ------------------------------------------------------------------ reading */

static int ask(void *userdata, void *to)
{
	const struct run *run = userdata;
	const struct chip_options *options = &run->options;

	return run->base->ops->read(run->base, options->address, to, options->n_bytes);
}

/* 0, -errno or an enum loader_result. */
static int read_bytes(struct run *run)
{
	struct chip_options *options = &run->options;

	return steady_read(ask, run, options->bytes, options->n_bytes);
}

/* Where they are; false: not in reach of this boot loader. */
static bool find(struct run *run)
{
	const struct chip *chip = run->identity.chip;
	struct chip_range range;

	run->options = (struct chip_options){0};
	if (!chip->family->find_options || !run->base->ops->read ||
		!chip->family->find_options(chip, &range, &run->options.layout) ||
		range.size > OPTION_BYTES_MAX)
		return false;
	run->options.address = range.start;
	run->options.n_bytes = range.size;
	return true;
}

static enum outcome read_all(struct run *run)
{
	const char *chip = run->identity.chip->name;
	int r;

	if (!find(run))
		return run_fail(run, OUTCOME_BAD_CONFIG,
			"the boot loader of this %s does not reach its option bytes, or nobody here knows where they are",
			chip);
	if (run->identity.is_protected)
		return run_fail(run, OUTCOME_PROTECTED,
			"read-out protection is on, and the boot loader lets nobody read the option bytes of a protected chip: plugflash unprotect lifts it, which wipes all of the flash");
	r = read_bytes(run);
	if (loader_is_refusal(r))
		return run_fail(run, OUTCOME_FAILED,
			"the boot loader of this %s refuses to have its option bytes read", chip);
	return r == 0 ? GO_ON : run_fail_with(run, r, run->options.address);
}

/* ------------------------------------------------------------------ comparing */

/* What is to be in the bytes: as they are, with the settings that are wanted. */
static void make_target(const struct run *run, uint8_t target[OPTION_BYTES_MAX])
{
	const struct chip_options *options = &run->options;
	const struct option_list *wanted = wanted_by(run);

	memcpy(target, options->bytes, OPTION_BYTES_MAX);
	for (size_t i = 0; i < wanted->n_items; i++) {
		const struct option_field *field =
			option_field_named(options->layout, wanted->items[i].name);

		option_put(options->layout, field, wanted->items[i].value, target);
	}
}

/*
 * "nBOOT_SEL 1 -> 0, BORR_LEV 3 -> 0" of all settings whose value is not the same, or what each is
 * where it should not be so; returns how many.
 */
static unsigned tell_differences(const struct chip_options *options, const uint8_t *target,
	bool is_fault, char *to, size_t size)
{
	unsigned n = 0;
	size_t used = 0;

	to[0] = '\0';
	for (size_t i = 0; i < options->layout->n_fields; i++) {
		const struct option_field *field = &options->layout->fields[i];
		uint32_t is, wanted;

		if (!option_is_within(options->layout, field, options->n_bytes))
			continue;
		is = option_get(options->layout, field, options->bytes);
		wanted = option_get(options->layout, field, target);
		if (is == wanted)
			continue;
		if (used < size)
			used += (size_t)snprintf(to + used, size - used,
				is_fault ? "%s%s is %u and not %u" : "%s%s %u -> %u",
				n > 0 ? ", " : "", field->name, is, wanted);
		n++;
	}
	return n;
}

static enum outcome judge(struct run *run)
{
	const struct option_list *wanted = wanted_by(run);
	const char *chip = run->identity.chip->name;
	struct reason why;

	if (!run->options.layout)
		return run_fail(run, OUTCOME_BAD_CONFIG,
			"nobody here knows the option bytes of the %s by their names, so that none is written",
			chip);
	if (!run->base->ops->write_options)
		return run_fail(run, OUTCOME_BAD_CONFIG,
			"the boot loader of this %s does not write option bytes", chip);
	for (size_t i = 0; i < wanted->n_items; i++)
		if (option_judge(run->options.layout, &wanted->items[i], wanted->accepted, &why) !=
			OPTION_GOOD)
			return run_fail(run, OUTCOME_BAD_CONFIG, "%s: %s", chip, why.text);
	return GO_ON;
}

enum outcome options_look(struct run *run)
{
	const struct option_list *wanted = wanted_by(run);
	uint8_t target[OPTION_BYTES_MAX];
	char text[sizeof(run->report->remark)];
	enum outcome outcome;

	run->options.differ = false;
	if (!wanted || wanted->n_items == 0)
		return GO_ON;
	outcome = read_all(run);
	if (outcome == GO_ON)
		outcome = judge(run);
	if (outcome != GO_ON)
		return outcome;
	make_target(run, target);
	run->options.differ =
		tell_differences(&run->options, target, false, text, sizeof(text)) > 0;
	return GO_ON;
}

enum outcome options_compare(struct run *run)
{
	uint8_t target[OPTION_BYTES_MAX];
	char text[200];

	if (!run->options.differ)
		return GO_ON;
	make_target(run, target);
	tell_differences(&run->options, target, true, text, sizeof(text));
	return run_fail(run, OUTCOME_VERIFY_DIFFERS,
		"the image is in the flash, and the option bytes are not as the rule wants them: %s",
		text);
}

enum outcome options_show(struct run *run)
{
	enum outcome outcome = read_all(run);

	if (outcome == GO_ON)
		*run->job->ret_options = run->options;
	return outcome;
}

/* ------------------------------------------------------------------ writing */

/*
 * For a chip that does not come back: the first of its settings that are dangerous, whoever has
 * set it. A G0 leaves the factory with a BOOT0 pin that does nothing, and is met while its flash
 * is empty (option-bytes.md 3).
 */
static void tell_danger(const struct run *run, const uint8_t *target, char *to, size_t size)
{
	const struct option_layout *layout = run->options.layout;

	to[0] = '\0';
	for (size_t i = 0; i < layout->n_fields; i++) {
		const struct option_field *field = &layout->fields[i];
		uint32_t value;

		if (!option_is_within(layout, field, layout->n_written))
			continue;
		value = option_get(layout, field, target);
		if (!option_is_dangerous(field, value))
			continue;
		snprintf(to, size, "; it has %s=%u: %s", field->name, value, option_reason(field));
		return;
	}
}

/* Meets the chip again, by its product id: a protected one does not say which it is. */
static enum outcome enter_again(struct run *run, const uint8_t *target, const char *what)
{
	enum outcome outcome = procedure_enter(run);
	char danger[300];

	run_set_phase(run, PHASE_PROTECT);
	if (outcome == OUTCOME_PORT_GONE)
		return outcome;
	if (outcome == GO_ON && run->identity.product_id == run->options.product_id)
		return GO_ON;
	if (outcome == GO_ON)
		return run_fail(run, OUTCOME_FAILED,
			"another chip answers %s: were boards changed behind the bridge?", what);
	tell_danger(run, target, danger, sizeof(danger));
	return run_fail(run, OUTCOME_FAILED, "no boot loader answered %s: check cable and power%s",
		what, danger);
}

/* As wanted, and nothing else changed. */
static enum outcome check_written(struct run *run, const uint8_t *target)
{
	enum outcome outcome;
	char text[200];

	if (run->identity.is_protected) {
		/* Another pass would find the same chip, and say less of it. */
		run->is_left = true;
		return run_fail(run, OUTCOME_FAILED,
			"the chip came back read-out protected after its option bytes were written: the power may have failed in the middle; an update with `readout-protection = clear` wipes it and writes it anew");
	}
	outcome = decision_check_unit(run);
	if (outcome == GO_ON)
		outcome = read_all(run);
	if (outcome != GO_ON)
		return outcome;
	if (tell_differences(&run->options, target, true, text, sizeof(text)) == 0)
		return GO_ON;
	return run_fail(run, OUTCOME_FAILED,
		"the option bytes are not as they were written (%s): has the chip loaded them, or does its boot loader take only some?",
		text);
}

/* Writes, and proves what is there behind the reset. */
static enum outcome write_and_prove(struct run *run, const uint8_t *target)
{
	const struct option_layout *layout = run->options.layout;
	enum outcome outcome;
	int r;

	run_set_phase(run, PHASE_PROTECT);
	run->options.product_id = run->identity.product_id;
	/* A promoted loader has no such command. */
	outcome = run->loader == run->base
			  ? GO_ON
			  : enter_again(run, target, "before the option bytes are written");
	if (outcome == GO_ON)
		outcome = decision_check_unit(run);
	if (outcome != GO_ON)
		return outcome;
	run->has_changed = true;
	r = run->base->ops->write_options(run->base, target, layout->n_written);
	if (r < 0)
		return run_fail_with(run, r, 0);
	if (loader_is_refusal(r)) {
		run->has_changed = false;
		return run_fail(run, OUTCOME_FAILED,
			"the boot loader refuses to write the option bytes; they are as they were");
	}
	/* Without lines this reset, which the chip makes by itself, is the only way back. */
	r = port_wait(run->port, run->identity.chip->startup_usec);
	if (r < 0)
		return run_fail_with(run, r, 0);
	outcome = enter_again(run, target, "after the option bytes were written");
	return outcome == GO_ON ? check_written(run, target) : outcome;
}

enum outcome options_settle(struct run *run)
{
	enum proof proof = run->proof;
	uint8_t target[OPTION_BYTES_MAX];
	char text[200];
	enum outcome outcome = GO_ON;

	if (!run->options.differ)
		return GO_ON;
	make_target(run, target);
	tell_differences(&run->options, target, false, text, sizeof(text));
	if (run->job->dry_run) {
		snprintf(run->report->remark, sizeof(run->report->remark),
			"option bytes would be set: %s", text);
		return OUTCOME_UPDATED;
	}
	if (run->job->action == FLASH_UPDATE && !run->has_erased)
		outcome = decision_begin_erase(run);
	if (outcome != GO_ON)
		return outcome;
	/* Also for a later pass, which finds them as they are wanted. */
	snprintf(run->report->remark, sizeof(run->report->remark), "option bytes: %s", text);
	/* What is written now is no part of the image, which was proved. */
	run->proof = proof;
	run->is_whole = true;
	outcome = write_and_prove(run, target);
	run->is_whole = false;
	return outcome;
}
