// SPDX-License-Identifier: MIT
/*
 * zigbee-herdsman, which talks to these sticks below zigbee2mqtt, judges the simulated stick that speaks EZSP: its driver of ASH and
 * EZSP resets it, agrees on a version, asks what it is, and sends it into its boot loader, with frames that are lost and spoilt on
 * the way.
 */
"use strict";
const assert = require("node:assert/strict");
const path = require("node:path");

const { BUILD, Board, runTests } = require("./board-line.js");

const HERDSMAN = path.join(BUILD, "web/node_modules/zigbee-herdsman/dist");
const { Ezsp } = require(path.join(HERDSMAN, "adapter/ember/ezsp/ezsp"));
const { setLogger } = require(path.join(HERDSMAN, "utils/logger"));
const tests = [];

function test(name, body) {
	tests.push({ name, body });
}

/* A stick with that version of EmberZNet, and the driver behind its reset and the agreement. */
async function withStickOnce(version, ezspVersion, knobs, body) {
	const stick = new Board("f103c8", "ezsp", version, "115200");
	const quiet = () => {};

	setLogger({ debug: quiet, info: quiet, warning: quiet, error: quiet });
	try {
		const ezsp = new Ezsp({ path: await stick.path, baudRate: 115200, rtscts: false });

		await stick.obey("power");
		for (const knob of knobs)
			await stick.obey(`knob ${knob}`);
		assert.equal(await ezsp.start(), 0);
		assert.equal((await ezsp.ezspVersion(ezspVersion))[0], ezspVersion);
		ezsp.setProtocolVersion(ezspVersion);
		await body(ezsp, stick);
		await ezsp.stop();
	} finally {
		stick.end();
	}
}

/* The driver gives up by the clock of a machine that may stand still: then all of it once more, with another stick. */
async function withStick(...of) {
	for (let tries = 1; ; tries++)
		try {
			return await withStickOnce(...of);
		} catch (error) {
			if (tries === 4 || !`${error.message}`.includes("TIMEOUT"))
				throw error;
		}
}

async function stateOf(stick) {
	return (await stick.tell("state")).split(" ")[0];
}

/* ------------------------------------------------------------------ the tests */

async function asksVersion(ezsp) {
	const [status, version] = await ezsp.ezspGetVersionStruct();

	assert.equal(status, 0);
	assert.deepEqual([version.major, version.minor, version.patch, version.special], [7, 4, 3, 0]);
}

test("it agrees on a version and says what it is", () => withStick("7.4.3.0", 13, [], asksVersion));

test("it says which boot loader it has", () => withStick("7.4.3.0", 13, [], async (ezsp) => {
	assert.equal((await ezsp.ezspGetStandaloneBootloaderVersionPlatMicroPhy())[0], 0x1C01);
}));

/* A frame of its own that is lost it does not say again, so that is none of these. */
for (const knobs of [["drop-said 3"], ["spoil-said 3"], ["spoil-heard 3"], ["talks 1"]])
	test(`with ${knobs[0]} it says what it is all the same`, () => withStick("7.4.3.0", 13, knobs, asksVersion));

for (const [version, ezspVersion] of [["7.4.3.0", 13], ["8.0.2.0", 14]])
	test(`${version} leaves for its boot loader`, () => withStick(version, ezspVersion, [], async (ezsp, stick) => {
		assert.equal(await ezsp.ezspLaunchStandaloneBootloader(true), 0);
		for (const from = Date.now(); (await stateOf(stick)) !== "loader"; )
			assert.ok(Date.now() - from < 300000, "it is not in its boot loader");
	}));

test("a refusal is a status, and it stays", () => withStick("7.4.3.0", 13, ["launch-error 112"], async (ezsp, stick) => {
	assert.notEqual(await ezsp.ezspLaunchStandaloneBootloader(true), 0);
	assert.equal(await stateOf(stick), "application");
}));

runTests(tests);
