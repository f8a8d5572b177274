/* SPDX-License-Identifier: MIT */
/*
 * rows.h - tables of rows, each of which is a test with the row's own name. Include after cmocka.h.
 */
#pragma once

#include "base/util.h"

/* Adds a test for every row; a row is a struct with a member `name`. */
#define ADD_ROWS(tests, n_tests, rows, function)                                              \
	do {                                                                                  \
		for (size_t row_ = 0; row_ < ARRAY_SIZE(rows); row_++) {                      \
			assert_true((n_tests) < ARRAY_SIZE(tests));                           \
			(tests)[(n_tests)++] = (struct CMUnitTest){.name = (rows)[row_].name, \
				.test_func = (function),                                      \
				.initial_state = (void *)&(rows)[row_]};                      \
		}                                                                             \
	} while (0)

#define ADD_TEST(tests, n_tests, function)                                               \
	do {                                                                             \
		assert_true((n_tests) < ARRAY_SIZE(tests));                              \
		(tests)[(n_tests)++] =                                                   \
			(struct CMUnitTest){.name = #function, .test_func = (function)}; \
	} while (0)

#define RUN_TESTS(name, tests, n_tests) \
	_cmocka_run_group_tests((name), (tests), (n_tests), NULL, NULL)
