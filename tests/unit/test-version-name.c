/* SPDX-License-Identifier: MIT */
/* Versions in file names: read where they are certain, and nowhere guessed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "image/version-name.h"
#include "image/version.h"

#define UNSURE "?" /* in the place of a version */

static const struct row {
	const char *name, *version;
} rows[] = {
	/* one version */
	{"gate-1.2.3.hex", "1.2.3"},
	{"gate_v1.2.3.hex", "1.2.3"},
	{"gate.v1.2.3.hex", "1.2.3"},
	{"gate(1.2.3).hex", "1.2.3"},
	{"gate V7.bin", "7"},
	{"gate-7.hex", "7"},
	{"7.hex", "7"},
	{"v7", "7"},
	{"gate-1.2", "1.2"},
	{"gate.1.2.hex", "1.2"},
	{"gate-1.0.s19", "1.0"},
	{"v01.02.hex", "01.02"},
	{"gate-001.002.hex", "001.002"},
	{"gate-99999999999999999999999.1.hex", "99999999999999999999999.1"},
	{"g\xc3\xa4te-1.0.hex", "1.0"},
	{"gate-ver1.2.hex", "1.2"},
	{"gate_version_1_2_3.hex", "1.2.3"},
	{"gate-fw1.2.0.hex", "1.2.0"},
	{"gate-fw-12.hex", "12"},
	{"gate-release-7.hex", "7"},
	{"gate-build-77.hex", "77"},

	/* joined by "_" */
	{"gate_1_9_3.hex", "1.9.3"},
	{"gate_1_10_0.hex", "1.10.0"},
	{"gate_1_2_0_beta.hex", "1.2.0-beta"},
	{"gate_1_2_0_rc2.hex", "1.2.0-rc2"},
	{"gate_1_2_0_rc_2.hex", "1.2.0-rc-2"},
	{"gate_1_2_0rc1.hex", "1.2.0rc1"},
	{"gate_1_2_3a.hex", "1.2.3a"},
	{"gate_v1_9.hex", "1.9"},
	{"gate_v_1_9.hex", "1.9"},
	{"gate_1_9_3_hw2.hex", "1.9.3"},
	{"gate_1_9_3_64k.hex", "1.9.3"},
	{"gate_1_9_3_20240131.hex", "1.9.3"},
	{"gate_1_9_3_2024_01_31.hex", "1.9.3"},
	{"gate_1_9_3_115200.hex", "1.9.3"},
	{"1_9_3.hex", "1.9.3"},

	/* early releases, mended ones, commits */
	{"gate-1.0-rc2.hex", "1.0-rc2"},
	{"gate-1.2.0-rc1.hex", "1.2.0-rc1"},
	{"gate-1.0rc2.hex", "1.0rc2"},
	{"gate-1.0~rc2.hex", "1.0~rc2"},
	{"gate-1.0_rc2.hex", "1.0-rc2"},
	{"gate-1.0-rc.2.hex", "1.0-rc.2"},
	{"gate-1.0-RC2.hex", "1.0-RC2"},
	{"gate-1.0-beta.hex", "1.0-beta"},
	{"gate-7-beta.hex", "7-beta"},
	{"gate-1.0-alpha3-debug.hex", "1.0-alpha3"},
	{"gate-1.0-dev.hex", "1.0-dev"},
	{"gate-1.0-pre1.hex", "1.0-pre1"},
	{"gate-2.0-preview.hex", "2.0-preview"},
	{"gate-2.0-SNAPSHOT.hex", "2.0-SNAPSHOT"},
	{"gate-1.0-release.hex", "1.0"},
	{"gate-1.0-rcx.hex", "1.0"},
	{"gate-1.0-prerelease.hex", "1.0"},
	{"gate-1.3a.hex", "1.3a"},
	{"gate-v1.3b-final.hex", "1.3b"},
	{"gate-v12a.hex", "12a"},
	{"gate_fw12b.hex", "12b"},
	{"gate-v64k.hex", ""},
	{"gate-v1.2-4-gdeadbee.bin", "1.2-4-gdeadbee"},
	{"gate-1.10-5-g0123abc-dirty.bin", "1.10-5-g0123abc"},
	{"gate-1.10-rc1-5-gdeadbee.bin", "1.10-rc1-5-gdeadbee"},
	{"gate-g1a2b3c.hex", ""},
	{"gate-1.2-4-gate.bin", "1.2"},
	{"gate-1.2-4-gabcdefx.bin", "1.2"},
	{"gate-1.2.0-1a2b3c4.bin", "1.2.0"},

	/* what stands beside joined numbers and is none of them */
	{"gate-1.0_hw3.hex", "1.0"},
	{"gate-2-1.0.hex", "1.0"},
	{"gate-1.2-4.bin", "1.2"},
	{"gate-1.2.0+build5.hex", "1.2.0"},
	{"gate-1.2.0+5.hex", "1.2.0"},
	{"gate-1.2.0-b77.hex", "1.2.0"},
	{"gate-1.2.0-r123.hex", "1.2.0"},
	{"gate-1.2.0 (1).hex", "1.2.0"},
	{"gate-1.2.0_75_200.hex", "1.2.0"},
	{"gate-1.0-2024.hex", "1.0"},
	{"gate-1.2.0-20240131.hex", "1.2.0"},
	{"2024-01-31-gate-1.2.0.hex", "1.2.0"},
	{"gate-1.2.0-115200.hex", "1.2.0"},
	{"gate-3v3-1.2.hex", "1.2"},
	{"gate-3.3V-1.2.hex", "1.2"},
	{"gate-2.4GHz-1.2.hex", "1.2"},
	{"gate-v1.2.0-v1.2.0.hex", "1.2.0"},

	/* the hardware */
	{"stm32f103.hex", ""},
	{"stm32f103-1.1.hex", "1.1"},
	{"stm32f103c8-7.hex", UNSURE},
	{"gate-F103.hex", ""},
	{"gate-esp32-s3-1.2.hex", "1.2"},
	{"gate-esp32-7.hex", UNSURE},
	{"board2-64k.hex", ""},
	{"gate-hw3.hex", ""},
	{"gate-hw3-7.hex", "7"},
	{"gate-hw-3-v7.hex", "7"},
	{"gate-hw_v2-1.0.hex", "1.0"},
	{"gate-hw1.2-fw1.10.hex", "1.10"},
	{"gate-rev-b-1.2.hex", "1.2"},
	{"gate-rev2-7.hex", "7"},
	{"gate_rev_2_v7.hex", "7"},
	{"gate-pcb1.4.hex", ""},
	{"gate-115200.hex", ""},
	{"gate-7-115200.hex", "7"},

	/* dates */
	{"gate-20240131.hex", "20240131"},
	{"gate_20240131.hex", "20240131"},
	{"gate-2024-01-31.hex", "20240131"},
	{"gate_2024_01_31.hex", "20240131"},
	{"gate-v20240131.hex", "20240131"},
	{"gate-20240131-1530.hex", "20240131-1530"},
	{"gate-20240131T153000.hex", "20240131-153000"},
	{"gate-2024-01-31_15301.hex", UNSURE},
	{"gate-202401311530.hex", "202401311530"},
	{"gate-20240131-2.hex", "20240131-2"},
	{"gate-20240131.2.hex", "20240131.2"},
	{"gate-2024.01.31.hex", "2024.01.31"},
	{"gate-31.01.2024.hex", UNSURE},
	{"gate_01_31_2024.hex", UNSURE},
	{"gate-1.2.2024.hex", UNSURE},
	{"gate-1.2.2024.1.hex", "1.2.2024.1"},
	{"gate-1.2.2124.hex", "1.2.2124"},
	{"gate-1.32.2024.hex", "1.32.2024"},
	{"gate-31.01.2024-1.2.0.hex", UNSURE},
	{"gate-20241331.hex", "20241331"}, /* a number like another */
	{"gate-2024-01.hex", UNSURE},
	{"gate-v2-20240131.hex", UNSURE},
	{"gate-7-20240131.hex", UNSURE},
	{"gate-20240131-20240201.hex", UNSURE},

	/* several candidates, or one that may be something else */
	{"firmware_6.02-name_75_200_v2.bin", UNSURE},
	{"firmware_6.05-name_75_200_v2.bin", UNSURE},
	{"firmware_6.02-name_75_200.bin", "6.02"},
	{"name_75_200.bin", UNSURE},
	{"gate_1_9.hex", UNSURE},
	{"gate_1_9_3_v2.hex", UNSURE},
	{"gate-v2-1.0.hex", UNSURE},
	{"gate-v2-v3.hex", UNSURE},
	{"gate-v2-7.hex", UNSURE},
	{"gate-1.0-2.0.hex", UNSURE},
	{"gate-1-2.hex", UNSURE},
	{"gate-1-2-3.hex", UNSURE},
	{"gate-1..2.hex", UNSURE},
	{"gate_1_9.3.hex", UNSURE},
	{"gate1.9.3.hex", UNSURE},
	{"stm32.1.2.hex", UNSURE},
	{"stm32f103v1.2.3.hex", UNSURE},
	{"gate2v1.10.hex", UNSURE},
	{"24V1.2.hex", UNSURE},
	{"gate-3v1.2.3.hex", UNSURE},
	{"gate.16ch.1.2.hex", "1.2"},
	{"gate1_9.hex", UNSURE},
	{"gate1_9_3.hex", UNSURE},
	{"gate-1.2.0-gcc12.2.hex", UNSURE},
	{"gate-1.3ab.hex", UNSURE},
	{"gate-1.2.0final.hex", UNSURE},

	/* none */
	{"gate-new.hex", ""},
	{"gate-r123.hex", ""},
	{"gate-b77.hex", ""},
	{"gate-1x.hex", ""},
	{"gate-x1.hex", ""},
	{"gatev1.hex", ""},
	{"gate-.hex", ""},
	{"gate.hex", ""},
	{"v.hex", ""},
	{"", ""},
	{"9.9/gate.hex", ""},
	{"9.9/gate-1.0.hex", "1.0"},
};

static void the_version_is_found_in_a_name_or_none_is_certain(void **state)
{
	bool is_wrong = false;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool is_unsure = strcmp(rows[i].version, UNSURE) == 0;
		struct version_name found;

		version_from_name(NULL, rows[i].name, &found);
		if (strcmp(found.version, is_unsure ? "" : rows[i].version) != 0 ||
			(found.kind == VERSION_NAME_UNSURE) != is_unsure ||
			(found.kind == VERSION_NAME_NONE) != !*rows[i].version ||
			(found.why[0] != '\0') != is_unsure) {
			print_error("'%s': expected '%s', got '%s' (%d) %s\n", rows[i].name,
				rows[i].version, found.version, (int)found.kind, found.why);
			is_wrong = true;
		}
	}
	assert_false(is_wrong);
}

static void a_date_is_known_as_one(void **state)
{
	struct version_name found;

	(void)state;
	version_from_name(NULL, "gate-20240131.hex", &found);
	assert_int_equal(found.kind, VERSION_NAME_DATE);
	version_from_name(NULL, "gate-20241331.hex", &found);
	assert_int_equal(found.kind, VERSION_NAME_NUMBERS);
	version_from_name(NULL, "gate-2024.01.31.hex", &found);
	assert_int_equal(found.kind, VERSION_NAME_NUMBERS);
}

/* Rising: as their authors meant them. */
static void names_are_in_the_order_of_their_versions(void **state)
{
	static const char *const names[][2] = {
		{"gate_1_9_3.hex", "gate_1_10_0.hex"},
		{"gate_1_2_0_beta.hex", "gate_1_2_0.hex"},
		{"gate_1_2_0_rc_2.hex", "gate_1_2_0_rc_10.hex"},
		{"gate_1_2_0_rc9.hex", "gate_1_2_0_rc10.hex"},
		{"gate_1_9_3.hex", "gate-1.10.hex"},
		{"gate-v12.hex", "gate-v12a.hex"},
		{"gate-v9b.hex", "gate-v10a.hex"},
		{"gate-2024-01-31.hex", "gate-20240201.hex"},
		{"gate-20240131.hex", "gate-20240131-2.hex"},
		{"gate-20240131-2.hex", "gate-20240131-10.hex"},
		{"gate-20240131-0900.hex", "gate-20240131-1530.hex"},
		{"gate-20240131T1530.hex", "gate-2024-02-01.hex"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct version_name low, high;

		version_from_name(NULL, names[i][0], &low);
		version_from_name(NULL, names[i][1], &high);
		if (version_compare(low.version, high.version) >= 0)
			fail_msg("'%s' (%s) is not below '%s' (%s)", names[i][0], low.version,
				names[i][1], high.version);
	}
}

static void a_pattern_says_where_the_version_stands(void **state)
{
	static const struct {
		const char *pattern, *name, *version, *why;
	} patterns[] = {
		{"_([0-9]+\\.[0-9]+)-", "firmware_6.02-name_75_200_v2.bin", "6.02", ""},
		{"^gate_([0-9]+_[0-9]+)\\.", "x/gate_1_10.hex", "1.10", ""},
		{"[0-9]+-[0-9]+", "gate-1-2.hex", "1-2", ""},
		{"r([0-9]+)", "gate-r123.hex", "123", ""},
		{"v([0-9.]+)", "gate-1.2.hex", "", "does not fit version-in-name"},
		{"(v[0-9]+)?", "gate.hex", "", "does not fit version-in-name"},
		{"-([a-z]+)\\.", "gate-new.hex", "", "finds no version in its name, but 'new'"},
		{"-(.*)", "gate-1\"2.hex", "", "but '1\\x222.hex'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		CLEANUP(version_pattern_done) struct version_pattern pattern = {0};
		struct version_name found;

		assert_int_equal(version_pattern_init(&pattern, patterns[i].pattern), 0);
		version_from_name(&pattern, patterns[i].name, &found);
		if (strcmp(found.version, patterns[i].version) != 0 ||
			(found.kind == VERSION_NAME_UNSURE) != !*patterns[i].version ||
			!strstr(found.why, patterns[i].why))
			fail_msg("'%s' in '%s': '%s' '%s'", patterns[i].pattern, patterns[i].name,
				found.version, found.why);
	}
}

/* Names come from whoever may write to the image directory. */
static void random_names_give_versions_that_may_stand_in_a_manifest(void **state)
{
	static const char letters[] = "0019234.-~vVrcbetahwev_T+ /\x80\xff";
	unsigned seed = 1, n_found = 0;
	char name[100];

	(void)state;
	for (unsigned round = 0; round < 300000; round++) {
		size_t n = (size_t)rand_r(&seed) % (sizeof(name) - 1);
		struct version_name found;

		for (size_t i = 0; i < n; i++)
			name[i] = letters[(size_t)rand_r(&seed) % (sizeof(letters) - 1)];
		name[n] = '\0';
		version_from_name(NULL, name, &found);
		if (found.kind == VERSION_NAME_NONE || found.kind == VERSION_NAME_UNSURE) {
			assert_string_equal(found.version, "");
			continue;
		}
		n_found++;
		if (!version_is_fit(found.version))
			fail_msg("'%s': '%s'", name, found.version);
	}
	assert_true(n_found > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_version_is_found_in_a_name_or_none_is_certain),
		cmocka_unit_test(a_date_is_known_as_one),
		cmocka_unit_test(names_are_in_the_order_of_their_versions),
		cmocka_unit_test(a_pattern_says_where_the_version_stands),
		cmocka_unit_test(random_names_give_versions_that_may_stand_in_a_manifest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
