/* SPDX-License-Identifier: MIT */
/*
 * fields.c - the table, in the order in which JSON tells the fields.
 *
 * To add a field, add its row: the pipe, JSON, CSV and the journal follow from it. FOR_STORE needs
 * a column in records/store.c with a migration, and each name and journal field a line in the
 * manual; the tests name what is missing.
 */
#include "api/fields.h"

#include <inttypes.h>
#include <string.h>

#include "base/names.h"
#include "base/util.h"

#define JSON	       FOR_JSON
#define BOTH	       (FOR_JSON | FOR_STORE)

#define MEMBER(member) offsetof(struct report, member), sizeof(((struct report *)NULL)->member)

const struct field report_fields[] = {
	/* name, kind, known, member, digits, readers, journal, csv */
	{"outcome", KIND_OUTCOME, KNOWN_ALWAYS, MEMBER(outcome), 0, BOTH, FIELD_OUTCOME, 15},
	{"phase", KIND_PHASE, KNOWN_ALWAYS, MEMBER(phase), 0, BOTH, FIELD_PHASE, 16},
	{"reason", KIND_TEXT, KNOWN_UNLESS_ZERO, MEMBER(reason.text), 0, BOTH, NULL, 20},
	{"error", KIND_ERROR, KNOWN_UNLESS_ZERO, MEMBER(error), 0, BOTH, NULL, 0},
	{"bridge", KIND_TEXT, KNOWN_UNLESS_ZERO, MEMBER(bridge), 0, JSON, NULL, 0},
	{"chip", KIND_TEXT, KNOWN_UNLESS_ZERO, MEMBER(chip), 0, BOTH, FIELD_CHIP, 8},
	{"has_product_id", KIND_BOOL, KNOWN_ALWAYS, MEMBER(has_product_id), 0, 0, NULL, 0},
	{"family", KIND_TEXT, KNOWN_UNLESS_ZERO, MEMBER(family), 0, 0, NULL, 0},
	{"product_id", KIND_HEX, KNOWN_WITH_PRODUCT_ID, MEMBER(product_id), 3, JSON, NULL, 0},
	{"bootloader_version", KIND_VERSION, KNOWN_UNLESS_ZERO, MEMBER(bootloader_version), 0, JSON,
		NULL, 0},
	{"protected", KIND_BOOL, KNOWN_ALWAYS, MEMBER(is_protected), 0, JSON, FIELD_PROTECTION, 0},
	{"flash_bytes", KIND_NUMBER, KNOWN_UNLESS_ZERO, MEMBER(flash_bytes), 0, JSON, NULL, 0},
	{"revision", KIND_TEXT, KNOWN_UNLESS_ZERO, MEMBER(revision), 0, BOTH, FIELD_REVISION, 24},
	{"security", KIND_TEXT, KNOWN_UNLESS_ZERO, MEMBER(security), 0, BOTH, FIELD_SECURITY, 25},
	{"unit", KIND_DIGITS, KNOWN_UNLESS_ZERO, MEMBER(unit), 0, BOTH, FIELD_UNIT, 9},
	{"unit_data", KIND_TEXT, KNOWN_UNLESS_ZERO, MEMBER(unit_data), 0, BOTH, FIELD_UNIT_DATA,
		10},
	{"image", KIND_TEXT, KNOWN_UNLESS_ZERO, MEMBER(image), 0, BOTH, NULL, 11},
	{"version", KIND_TEXT, KNOWN_UNLESS_ZERO, MEMBER(version), 0, BOTH, NULL, 12},
	{"sha256", KIND_DIGITS, KNOWN_UNLESS_ZERO, MEMBER(sha256), 0, BOTH, FIELD_SHA256, 13},
	{"signer", KIND_TEXT, KNOWN_UNLESS_ZERO, MEMBER(signer), 0, BOTH, FIELD_SIGNER, 0},
	{"image_says", KIND_TEXT, KNOWN_UNLESS_ZERO, MEMBER(image_says), 0, JSON, NULL, 0},
	{"bytes", KIND_NUMBER, KNOWN_ALWAYS, MEMBER(bytes), 0, BOTH, FIELD_BYTES, 17},
	{"erased", KIND_BOOL, KNOWN_ALWAYS, MEMBER(has_erased), 0, JSON, NULL, 0},
	{"pages_erased", KIND_NUMBER, KNOWN_ALWAYS, MEMBER(pages_erased), 0, BOTH, NULL, 0},
	{"mass_erased", KIND_BOOL, KNOWN_ALWAYS, MEMBER(mass_erased), 0, JSON, NULL, 0},
	{"has_address", KIND_BOOL, KNOWN_ALWAYS, MEMBER(has_address), 0, 0, NULL, 0},
	{"address", KIND_HEX, KNOWN_WITH_ADDRESS, MEMBER(address), 8, JSON, FIELD_ADDRESS, 0},
	{"expected", KIND_HEX, KNOWN_WITH_ADDRESS, MEMBER(expected), 2, JSON, NULL, 0},
	{"has_got", KIND_BOOL, KNOWN_ALWAYS, MEMBER(has_got), 0, 0, NULL, 0},
	{"got", KIND_HEX, KNOWN_WITH_GOT, MEMBER(got), 2, JSON, NULL, 0},
	{"has_other", KIND_BOOL, KNOWN_ALWAYS, MEMBER(has_other), 0, 0, NULL, 0},
	{"other_product_id", KIND_HEX, KNOWN_WITH_OTHER, MEMBER(other_product_id), 3, JSON, NULL,
		0},
	{"other_unit", KIND_DIGITS, KNOWN_UNLESS_ZERO, MEMBER(other_unit), 0, JSON, NULL, 0},
	{"baud", KIND_NUMBER, KNOWN_UNLESS_ZERO, MEMBER(baud), 0, BOTH, FIELD_BAUD, 18},
	{"stub", KIND_TEXT, KNOWN_UNLESS_ZERO, MEMBER(stub), 0, JSON, FIELD_STUB, 0},
	{"stub_version", KIND_NUMBER, KNOWN_UNLESS_ZERO, MEMBER(stub_version), 0, 0, NULL, 0},
	{"stub_trial", KIND_NUMBER, KNOWN_UNLESS_ZERO, MEMBER(stub_trial), 0, 0, NULL, 0},
	{"bursts_trial", KIND_NUMBER, KNOWN_UNLESS_ZERO, MEMBER(bursts_trial), 0, 0, NULL, 0},
	{"entries", KIND_NUMBER, KNOWN_ALWAYS, MEMBER(entries), 0, BOTH, NULL, 0},
	{"entered", KIND_TEXT, KNOWN_UNLESS_ZERO, MEMBER(entered), 0, JSON, FIELD_ENTERED, 0},
	{"application", KIND_TEXT, KNOWN_UNLESS_ZERO, MEMBER(application), 0, JSON,
		FIELD_APPLICATION, 0},
	{"application_version", KIND_TEXT, KNOWN_UNLESS_ZERO, MEMBER(application_version), 0, JSON,
		FIELD_APP_VERSION, 0},
	{"application_baud", KIND_NUMBER, KNOWN_UNLESS_ZERO, MEMBER(application_baud), 0, JSON,
		FIELD_APP_BAUD, 0},
	{"proof", KIND_PROOF, KNOWN_UNLESS_ZERO, MEMBER(proof), 0, BOTH, FIELD_PROOF, 21},
	{"duration_ms", KIND_NUMBER, KNOWN_ALWAYS, MEMBER(duration_ms), 0, BOTH, FIELD_DURATION_MS,
		19},
	{"refusal", KIND_TEXT, KNOWN_UNLESS_ZERO, MEMBER(refusal), 0, JSON, NULL, 0},
	{"details", KIND_TEXT, KNOWN_UNLESS_ZERO, MEMBER(details), 0, JSON, NULL, 0},
	{"remark", KIND_TEXT, KNOWN_UNLESS_ZERO, MEMBER(remark), 0, JSON, NULL, 0},
	{"kept", KIND_DIGITS, KNOWN_UNLESS_ZERO, MEMBER(kept), 0, BOTH, FIELD_KEPT, 0},
	{"phase_ms", KIND_PHASES, KNOWN_ALWAYS, MEMBER(phase_ms), 0, BOTH, NULL, 0},
};

const size_t n_report_fields = ARRAY_SIZE(report_fields);

const void *field_of(const struct field *field, const struct report *report)
{
	return (const char *)report + field->offset;
}

uint64_t field_number(const struct field *field, const struct report *report)
{
	const void *from = field_of(field, report);
	uint64_t value = 0;

	switch (field->size) {
	case sizeof(uint8_t):
		return *(const uint8_t *)from;
	case sizeof(uint16_t):
		return *(const uint16_t *)from;
	case sizeof(uint32_t):
		return *(const uint32_t *)from;
	case sizeof(uint64_t):
		memcpy(&value, from, sizeof(value));
	}
	return value;
}

bool field_set_number(void *to, size_t size, uint64_t value)
{
	if (size < sizeof(value) && value >> (8 * size) != 0)
		return false;
	switch (size) {
	case sizeof(uint8_t):
		*(uint8_t *)to = (uint8_t)value;
		return true;
	case sizeof(uint16_t):
		*(uint16_t *)to = (uint16_t)value;
		return true;
	case sizeof(uint32_t):
		*(uint32_t *)to = (uint32_t)value;
		return true;
	case sizeof(uint64_t):
		memcpy(to, &value, sizeof(value));
		return true;
	}
	return false;
}

bool field_is_known(const struct field *field, const struct report *report)
{
	static const char zeros[sizeof(report->phase_ms)];
	const void *from = field_of(field, report);

	switch (field->known) {
	case KNOWN_ALWAYS:
		return true;
	case KNOWN_UNLESS_ZERO:
		/* Bytes behind the end of a text may be anything. */
		if (field->kind == KIND_TEXT || field->kind == KIND_DIGITS)
			return *(const char *)from != '\0';
		return memcmp(from, zeros, field->size) != 0;
	case KNOWN_WITH_ADDRESS:
		return report->has_address;
	case KNOWN_WITH_GOT:
		return report->has_address && report->has_got;
	case KNOWN_WITH_OTHER:
		return report->has_other;
	case KNOWN_WITH_PRODUCT_ID:
		return report->has_product_id;
	}
	return false;
}

const char *field_format(
	const struct field *field, const struct report *report, char to[static FIELD_SHOWN_MAX])
{
	const void *from = field_of(field, report);
	uint64_t number;

	to[0] = '\0';
	switch (field->kind) {
	case KIND_TEXT:
	case KIND_DIGITS:
		return from;
	case KIND_NUMBER:
		snprintf(to, FIELD_SHOWN_MAX, "%" PRIu64, field_number(field, report));
		break;
	case KIND_HEX:
		snprintf(to, FIELD_SHOWN_MAX, "0x%0*" PRIx64, (int)field->digits,
			field_number(field, report));
		break;
	case KIND_BOOL:
		return *(const bool *)from ? "on" : "";
	case KIND_OUTCOME:
		return outcome_to_string(report->outcome);
	case KIND_PHASE:
		return phase_to_string(report->phase);
	case KIND_PROOF:
		return proof_to_string(report->proof);
	case KIND_ERROR:
		return report->error ? strerrorname_np(report->error) : "";
	case KIND_VERSION:
		number = field_number(field, report);
		snprintf(to, FIELD_SHOWN_MAX, "%u.%u", (unsigned)number >> 4,
			(unsigned)number & 0xF);
		break;
	case KIND_PHASES:
		break;
	}
	return to;
}
