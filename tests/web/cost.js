// SPDX-License-Identifier: MIT
/* What the browser costs, by /proc. */
"use strict";
const fs = require("node:fs");

/* Processor time in seconds of our descendants with this in their command line, so far. */
function processorSeconds(filter) {
	const ticks = 100; /* a second, on every Linux that Debian runs on */
	const root = String(process.pid);
	const parents = new Map(), costs = new Map(), names = new Map();

	for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
		try {
			const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");

			parents.set(pid, fields[1]);
			costs.set(pid, Number(fields[11]) + Number(fields[12]));
			names.set(pid, fs.readFileSync(`/proc/${pid}/cmdline`, "utf8"));
		} catch {
			/* It ended meanwhile. */
		}
	}
	const isOurs = (pid) => pid !== undefined && pid !== "0" && (pid === root || isOurs(parents.get(pid)));
	return [...costs].filter(([pid]) => pid !== root && isOurs(pid) && names.get(pid).includes(filter))
		.reduce((sum, [, cost]) => sum + cost, 0) / ticks;
}

module.exports = { processorSeconds };
