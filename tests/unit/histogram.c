/*
 * histogram.c - the latencies of operations: each falls below the bound of its bucket, quantiles are never too low and
 * less than a quarter too high.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fs/operation.h"

static struct operation_figures figures_of(const uint64_t *ns, size_t count)
{
	struct fs *fs = calloc(1, sizeof(*fs));
	struct operation_figures figures;

	for (size_t i = 0; i < count; i++)
		operation_count(fs, 1, ns[i]);
	operation_figures(fs, 1, &figures);
	free(fs);
	assert_int_equal(figures.count, count);
	return figures;
}

static void bounds_grow(void **state)
{
	(void)state;
	for (unsigned bucket = 1; bucket < FS_BUCKETS; bucket++)
		assert_true(operation_bound(bucket) > operation_bound(bucket - 1));
	assert_true(operation_bound(FS_BUCKETS - 2) > UINT64_C(60000000000)); /* a minute */
}

static void each_is_within_its_bounds(void **state)
{
	(void)state;
	for (uint64_t base = 1; base < UINT64_C(1) << 50; base *= 2) {
		for (int off = -1; off <= 1; off++) {
			uint64_t ns = base + (uint64_t)off;
			struct operation_figures figures = figures_of(&ns, 1);
			unsigned bucket = 0;

			while (!figures.buckets[bucket])
				bucket++;
			assert_true(ns <= operation_bound(bucket));
			if (bucket && bucket < FS_BUCKETS - 1)
				assert_true(ns > operation_bound(bucket - 1));
			assert_int_equal(operation_quantile(&figures, 0.5), ns); /* the highest there was */
		}
	}
}

static void quantiles_bound(void **state)
{
	static uint64_t ns[100000];
	struct operation_figures figures;

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		ns[i] = i + 1;
	figures = figures_of(ns, 100000);
	for (unsigned percent = 1; percent <= 100; percent++) {
		uint64_t told = operation_quantile(&figures, percent / 100.0), exact = percent * 1000;

		assert_true(told >= exact && told < exact + exact / 4 + 1);
	}
	assert_int_equal(operation_within(&figures, 10), 1024);
	assert_int_equal(operation_within(&figures, 16), 65536);
	assert_int_equal(operation_within(&figures, 30), 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_grow),
		cmocka_unit_test(each_is_within_its_bounds),
		cmocka_unit_test(quantiles_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
