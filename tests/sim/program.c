/* SPDX-License-Identifier: MIT */
#include "sim/program.h"

#include "sim/core.h"
#include "sim/stub-peer.h"

const struct program_ops *program_of(enum sim_program program)
{
	static const struct program_ops *const programs[] = {
		[SIM_PROGRAM_CORE] = &core_program,
		[SIM_PROGRAM_PEER] = &stub_peer_program,
	};

	return programs[program];
}
