// SPDX-License-Identifier: MIT
/*
 * zigbee-herdsman, which talks to these sticks below zigbee2mqtt, judges the simulated Z-Stack: its
 * driver of the Monitor and Test interface opens the port, gets past its ping, reads the version and
 * resets the stack.
 *
 * Its higher floors ask for a network in the chip's settings, which is nothing that a flasher needs.
 */
"use strict";
const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const path = require("node:path");

const { BUILD, Board, runTests } = require("./board-line.js");

const HERDSMAN = path.join(BUILD, "web/node_modules/zigbee-herdsman/dist");
const IMAGE = path.join(BUILD, "web/stick.bin");
const tests = [];

function test(name, body) {
	tests.push({ name, body });
}

/* With this version of the test's application in its flash, and the port open. */
async function withStack(chip, version, knobs, body) {
	const { Znp } = require(path.join(HERDSMAN, "adapter/z-stack/znp/znp"));
	const { setLogger } = require(path.join(HERDSMAN, "utils/logger"));
	const { Subsystem } = require(path.join(HERDSMAN, "adapter/z-stack/unpi/constants"));
	const stick = new Board(chip);
	const quiet = () => {};

	setLogger({ debug: quiet, info: quiet, warning: quiet, error: quiet });
	execFileSync(path.join(BUILD, "tests/tools/make-ti"), ["image", IMAGE, chip, version]);
	try {
		const znp = new Znp(await stick.path, 115200, false);

		await stick.obey(`load 0 ${IMAGE}`);
		for (const knob of knobs)
			await stick.obey(`knob ${knob}`);
		await stick.obey("power");
		await znp.open();
		await body((command, payload = {}) => znp.request(Subsystem.SYS, command, payload, undefined, 2000), stick);
		await znp.close();
	} finally {
		stick.end();
	}
}

/* ------------------------------------------------------------------ the tests */

for (const [chip, version] of [["cc2652p", "20240710"], ["cc2652rb", "20221226"], ["cc1352p7", "20230507"], ["cc2538", "20211222"]]) {
	test(`${chip}: the version is that of the image`, () => withStack(chip, version, [], async (ask, stick) => {
		const { payload } = await ask("version");

		assert.deepEqual(payload, { transportrev: 2, product: 1, majorrel: 2, minorrel: 7, maintrel: 1, revision: Number(version) });
		assert.equal((await stick.tell("state")).split(" ")[0], "application");
	}));
}

test("a reset is told, and the stack answers again", () => withStack("cc2652p", "20240710", [], async (ask) => {
	const { payload } = await ask("resetReq", { type: 1 });

	assert.deepEqual([payload.transportrev, payload.productid, payload.majorrel, payload.minorrel], [2, 1, 2, 7]);
	assert.equal((await ask("version")).payload.revision, 20240710);
}));

/* Whoever asks too early waits: its driver pings again, with the pause that a CC2531 needs. */
test("a stack that starts late answers in the end", () => withStack("cc2652p", "20240710", ["start-ms 700"], async (ask) => {
	assert.equal((await ask("version")).payload.revision, 20240710);
}));

/* Its pings unanswered it moves the lines, which a pseudo-terminal does not have. */
test("a mute stack is found to be mute", async () => {
	const nothing = () => assert.fail("a mute stack has answered");

	await assert.rejects(withStack("cc2652p", "20240710", ["mute 1"], nothing), /Inappropriate ioctl/);
});

runTests(tests);
