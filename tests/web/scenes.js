// SPDX-License-Identifier: MIT
/* State documents as plugflash-web streams them: the parts, and whole scenes made of them. */
"use strict";

const NOW = () => Date.now();

function slot(name, more) {
	return {
		slot: name, path: `pci-0000:00:14.0-usb-0:${name}:1.0`, object: null, port: null, usb_id: null, serial: null,
		product: null, board: null, match: null, light: "idle", state: "empty", since_ms: null, unit: null,
		outcome: null, reason: null, next: null, last_ms: null, held_until_ms: null, job: null, ...more,
	};
}

/* A bridge in the slot; `n` is its number. */
function plugged(name, n, more) {
	return slot(name, {
		object: `/org/plugflash1/bridge/${n}`, port: `/dev/ttyUSB${n}`, usb_id: "10c4:ea60",
		serial: `GATE-${String(n).padStart(4, "0")}`, product: "Gate", board: "gate", match: "one",
		unit: `0671FF3${String(n).padStart(5, "0")}48`, since_ms: NOW(), ...more,
	});
}

function job(n, more) {
	return {
		id: `j${n}`, object: `/org/plugflash1/job/j${n}`, operation: "flash", phase: "write", percent: 42, bytes: 262144,
		bytes_done: 110100, rate: 9200, baud: 115200, started_ms: NOW() - 9000, expected_end_ms: NOW() + 12400, attempt: 1,
		image: "gate/gate-1.10.0.hex", version: "1.10.0", cancelable: false, ...more,
	};
}

const settling = (name, n) => plugged(name, n, { light: "waiting", state: "settling", unit: null });
const waiting = (name, n, more) => plugged(name, n, { light: "waiting", state: "waiting", unit: null, ...more });
const working = (name, n, more) => plugged(name, n, { light: "working", state: "working", job: job(n, more) });
const good = (name, n, more) => plugged(name, n, { light: "good", state: "done", outcome: "updated", last_ms: NOW(), ...more });
const bad = (name, n, more) => plugged(name, n, {
	light: "bad", state: "done", outcome: "no-sync", last_ms: NOW(),
	reason: "the boot loader does not answer at 115200 and 57600 baud",
	next: "check the wiring of RESET and BOOT0, then plug the board in again", ...more,
});
const wrong = (name, n, more) => plugged(name, n, {
	light: "wrong-board", state: "done", outcome: "wrong-chip", last_ms: NOW(),
	reason: "the chip is an STM32F103xC (0x414), and the rule is for 0x410",
	next: "plug in the right board, or mend chip, or protocol, in the rule", ...more,
});
const held = (name, n, more) => plugged(name, n, {
	light: "held", state: "held", outcome: "quarantined", last_ms: NOW(), held_until_ms: null,
	reason: "failed 3 times with gate-1.10.0.hex", next: "plugflash retry, or a new image", ...more,
});

const service = (more) => ({
	there: true, state: "running", pause_reason: null, version: "0.1", jobs_running: 0, jobs_waiting: 0, rules: 3,
	bridges: 2, config_stale: false, config_error: null, image_dir: "/var/lib/plugflash/images", ...more,
});
const counters = (more) => ({
	day: "2026-11-28", first_pass: 117, retried: 3, bad: 2, yield_percent: 96,
	outcomes: { "updated": 117, "current": 3, "no-sync": 2 }, ...more,
});
const batch = (done, count = 500) => ({ board: "gate", count, done, started_ms: NOW() - 3600000 });

const state = (slots, more) => ({ service: service(), counters: counters(), batch: null, slots, ...more });

/* One slot after the other in each state, again and again. */
const KINDS = [
	(name) => slot(name), good, working, bad, (name, n) => good(name, n, { outcome: "current" }), waiting,
	(name, n) => working(name, n, { phase: "verify", percent: 91, expected_end_ms: NOW() + 2100 }), wrong, held, settling,
];

function many(count) {
	const rows = "ABCDEFGH";

	return Array.from({ length: count }, (_, i) =>
		KINDS[i % KINDS.length](`${rows[Math.floor(i / 8) % 8]}${i % 8 + 1}`, i));
}

/* Each is made when it is asked for, so that its times are of that moment. */
const scenes = {
	get all() { return state([slot("A1"), waiting("A2", 2), working("A3", 3), good("A4", 4), bad("B1", 5), wrong("B2", 6), held("B3", 7),
		settling("B4", 8)], { batch: batch(120) }); },
	get one() { return state([working("A1", 1)]); },
	get oneBad() { return state([bad("A1", 1)]); },
	get oneGood() { return state([good("A1", 1)], { batch: batch(499) }); },
	get four() { return state([good("A1", 1), bad("A2", 2), working("B1", 3), wrong("B2", 4)], { batch: batch(120) }); },
	get sixteen() { return state(many(16), { batch: batch(120) }); },
	get sixty() { return state(many(60), { batch: batch(120) }); },
	get paused() { return state(many(4), { service: service({ state: "paused", pause_reason: "shift change; lab: measuring the hub" }), batch: batch(120) }); },
	get done() { return state(many(4).map((one, i) => good(one.slot, i)), {
		service: service({ state: "paused", pause_reason: "batch gate: 500 of 500 done" }), batch: batch(500) }); },
	get notice() { return state(many(4), { service: service({ config_stale: true }) }); },
	get turnedOff() { return state(many(4), { service: service({ turned_off: "stub on STM32F10xxx medium-density: two updates differed" }) }); },
	get nothing() { return state([]); },
	get gone() { return { service: { there: false }, counters: null, batch: null, slots: [] }; },
};

/* All scenes, one each four seconds. */
function tour(standIn) {
	const names = Object.keys(scenes);
	let i = 0;

	standIn.show(scenes[names[0]]);
	setInterval(() => standIn.show(scenes[names[++i % names.length]]), 4000);
}

module.exports = { slot, plugged, job, settling, waiting, working, good, bad, wrong, held, service, counters, batch, state, many, scenes, tour };
