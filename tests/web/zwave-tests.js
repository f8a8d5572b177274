// SPDX-License-Identifier: MIT
/*
 * zwave-js, which talks to Z-Wave controllers, judges the simulated Gecko boot loader and the controller in front of it: it knows the
 * boot loader by its menu, starts the application behind it, uploads a GBL by XMODEM, hears how that went, and reads what the
 * controller can do.
 */
"use strict";
const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const { BUILD, Board, runTests } = require("./board-line.js");

const { Driver } = require(path.join(BUILD, "web/node_modules/zwave-js"));
const GBL = path.join(BUILD, "web/controller.gbl");
const ERASED = path.join(BUILD, "web/erased.bin");
const APPLICATION_AT = 0x4000;
const tests = [];

function test(name, body) {
	tests.push({ name, body });
}

/* A bridge hands on what has come once the line is silent; an erase page by page takes less than its patience. */
const LINE = ["latency-ms 3", "erase-ms 20"];

/* A controller with that application, or with none, and the driver that has met its boot loader. */
async function inLoader(hasApplication, knobs, body) {
	const stick = new Board("f103c8", "zwave", "7.18.1.140", "115200");
	const port = await stick.path;
	const driver = new Driver(port, {
		allowBootloaderOnly: true,
		enableSoftReset: false,
		logConfig: { enabled: false },
		storage: { cacheDir: path.join(BUILD, "web/zwave-cache") },
	});
	const said = [];

	fs.writeFileSync(ERASED, Buffer.alloc(8, 0xff));
	for (const knob of [...LINE, ...knobs])
		await stick.obey(`knob ${knob}`);
	if (!hasApplication)
		await stick.obey(`load ${APPLICATION_AT} ${ERASED}`);
	await stick.obey("power");
	if (hasApplication) {
		/* FUNC_ID 0x27, as any host would send it. */
		fs.writeFileSync(port, Buffer.from([0x01, 0x03, 0x00, 0x27, 0xdb]));
		await until(async () => await stateOf(stick) === "loader");
	}
	driver.on("error", (error) => said.push(error.message));
	try {
		const ready = new Promise((resolve) => driver.once("bootloader ready", resolve));
		const failed = new Promise((resolve) => driver.once("error", resolve));

		await driver.start();
		await Promise.race([ready, failed]);
		await body(driver, stick, said);
	} finally {
		await driver.destroy().catch(() => {});
		stick.end();
	}
}

async function stateOf(stick) {
	return (await stick.tell("state")).split(" ")[0];
}

/* The test's own limit ends it. */
async function until(holds) {
	while (!await holds())
		await new Promise((resolve) => setTimeout(resolve, 20));
}

function makeGbl(version) {
	execFileSync(path.join(BUILD, "tests/tools/make-ti"), ["gbl", GBL, "zwave_ncp", version]);
	return fs.readFileSync(GBL);
}

/* ------------------------------------------------------------------ the tests */

test("a boot loader without an application takes a GBL and starts it", () => inLoader(false, [], async (driver, stick) => {
	assert.equal(await stateOf(stick), "loader");
	assert.equal((await driver.controller.firmwareUpdateOTW(makeGbl("7.22.2"))).success, true);
	await until(async () => await stateOf(stick) === "application");
	assert.equal(await stick.tell("state"), "application 1 0");
}));

test("a file that it refuses is told", () => inLoader(false, ["gbl-error 4102"], async (driver, stick) => {
	assert.equal((await driver.controller.firmwareUpdateOTW(makeGbl("7.22.2"))).success, false);
	assert.equal(await stick.tell("state"), "loader 0 1");
}));

/* What the rest of its interview asks is more than a flasher's simulator has, so that ends it. */
test("it starts the application, and that says what it can do", () => inLoader(true, [], async (driver, stick, said) => {
	assert.equal(await stateOf(stick), "application");
	assert.match(said[0], /does not support the GetSerialApiInitData function/);
}));

runTests(tests);
