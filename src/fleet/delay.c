/* SPDX-License-Identifier: MIT */
#include "fleet/delay.h"

#include <sys/random.h>

#include "base/clock.h"

uint64_t delay_usec(const struct delay *delay, unsigned n_failures, uint64_t random)
{
	uint64_t usec = delay->first_usec;

	for (unsigned i = 1; i < n_failures && usec < delay->most_usec; i++)
		usec = usec > delay->most_usec / 2 ? delay->most_usec : usec * 2;
	if (usec > delay->most_usec)
		usec = delay->most_usec;
	return usec - delay_within(usec / 2 + 1, random);
}

uint64_t delay_within(uint64_t usec, uint64_t random)
{
	return usec ? random % usec : 0;
}

uint64_t delay_random(void)
{
	uint64_t random;

	/* Early in the boot the kernel may have none yet, and nothing here is worth waiting for. */
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		random = monotonic_usec();
	return random;
}
