/* SPDX-License-Identifier: MIT */
#include "chip/option-bytes.h"

#include <string.h>
#include <strings.h>

#include "base/util.h"

/* Bytes of a value; its complement has as many behind it. */
static size_t value_bytes(const struct option_layout *layout)
{
	static const size_t bytes[] = {
		[OPTION_BYTES] = 1,
		[OPTION_HALF_WORDS] = 2,
		[OPTION_DOUBLE_WORDS] = 4,
	};

	return bytes[layout->form];
}

static uint32_t load(const uint8_t *bytes, size_t n)
{
	uint32_t value = 0;

	for (size_t i = 0; i < n; i++)
		value |= (uint32_t)bytes[i] << (8 * i);
	return value;
}

static uint32_t mask_of(const struct option_field *field)
{
	return field->n_bits == 32 ? UINT32_MAX : (UINT32_C(1) << field->n_bits) - 1;
}

const struct option_field *option_field_named(const struct option_layout *layout, const char *name)
{
	for (size_t i = 0; i < layout->n_fields; i++)
		if (strcasecmp(layout->fields[i].name, name) == 0)
			return &layout->fields[i];
	return NULL;
}

bool option_is_within(
	const struct option_layout *layout, const struct option_field *field, size_t n_bytes)
{
	return field->offset + value_bytes(layout) <= n_bytes;
}

uint32_t option_get(
	const struct option_layout *layout, const struct option_field *field, const uint8_t *bytes)
{
	uint32_t value = load(bytes + field->offset, value_bytes(layout));

	return value >> field->first & mask_of(field);
}

void option_put(const struct option_layout *layout, const struct option_field *field,
	uint32_t value, uint8_t *bytes)
{
	size_t n = value_bytes(layout);
	uint8_t *at = bytes + field->offset;
	bool has_complement = layout->form != OPTION_HALF_WORDS;
	uint32_t whole = load(at, n);

	if (!has_complement)
		has_complement = load(at + n, n) == (~whole & UINT16_MAX);
	whole &= ~(mask_of(field) << field->first);
	whole |= (value & mask_of(field)) << field->first;
	for (size_t i = 0; i < n; i++) {
		at[i] = (uint8_t)(whole >> (8 * i));
		if (has_complement)
			at[n + i] = (uint8_t)~at[i];
	}
}

/* By a name that is nearly right. */
static const char *nearest_name(const struct option_layout *layout, const char *name)
{
	const char *nearest = NULL;
	size_t least = 3;

	for (size_t i = 0; i < layout->n_fields; i++) {
		size_t distance = text_distance(name, layout->fields[i].name);

		if (distance < least) {
			nearest = layout->fields[i].name;
			least = distance;
		}
	}
	return nearest;
}

static enum option_verdict refuse_name(
	const struct option_layout *layout, const char *name, struct reason *why)
{
	const char *nearest = nearest_name(layout, name);

	reason_set(why, "it has no option '%s'%s%s%s", name, nearest ? "; the nearest is '" : "",
		nearest ? nearest : "",
		nearest ? "'" : "; plugflash option-bytes shows those that it has");
	return OPTION_NO_SUCH;
}

bool option_is_dangerous(const struct option_field *field, uint32_t value)
{
	return field->danger != OPTION_SAFE && value >= field->from && value <= field->to;
}

enum option_verdict option_judge(const struct option_layout *layout,
	const struct option_setting *setting, enum option_danger accepted, struct reason *why)
{
	const struct option_field *field = option_field_named(layout, setting->name);

	if (!field)
		return refuse_name(layout, setting->name, why);
	if (field->use == OPTION_USE_PROTECTION) {
		reason_set(why,
			"%s is its read-out protection, which is `readout-protection` of a rule, plugflash protect and unprotect; level 2 is for ever, and plugflash never sets it",
			field->name);
		return OPTION_NOT_SET;
	}
	if (field->use == OPTION_USE_SHOWN || !option_is_within(layout, field, layout->n_written)) {
		reason_set(why, "%s is shown and never written: %s", field->name,
			layout->n_written > 0
				? "it may hide flash or shut the boot loader out, and no update undoes that"
				: "no document says how the boot loader of this chip takes its option bytes");
		return OPTION_NOT_SET;
	}
	if (setting->value > mask_of(field)) {
		reason_set(why, "%s has values from 0 to %u", field->name, mask_of(field));
		return OPTION_TOO_LARGE;
	}
	if (field->danger <= accepted || !option_is_dangerous(field, setting->value))
		return OPTION_GOOD;
	reason_set(why, "%s=%u: %s; the word %s behind it accepts that", field->name,
		setting->value, option_reason(field),
		field->danger == OPTION_RISK ? OPTION_WORD_RISK : OPTION_WORD_FOR_EVER);
	return OPTION_DANGEROUS;
}
