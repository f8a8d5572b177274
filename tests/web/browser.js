// SPDX-License-Identifier: MIT
/*
 * What the tests of the page stand on: TAP, one browser, and pages that remember what went wrong in
 * them. A test fails where its page wrote to the console, broke the server's policy, threw, or asked
 * for anything of another server, besides what it asserts itself.
 */
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");

const BUILD = path.resolve(process.env.BUILD || "build");
const SHOTS = path.join(BUILD, "web");
const { chromium } = require(path.join(BUILD, "web/node_modules/playwright-core"));
const AXE = fs.readFileSync(path.join(BUILD, "web/node_modules/axe-core/axe.min.js"), "utf8");
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync"];
const HD = { width: 1920, height: 1080 };
const PHONE = { width: 390, height: 844 };
const UHD = { width: 3840, height: 2160 };
/* What a browser says of a server that is gone. */
const SERVER_GONE = /net::ERR_(CONNECTION_|INCOMPLETE_|EMPTY_)/;
const WAIT_MS = 300000; /* against hanging, on a machine that stands still now and then: all that is waited for comes at once */

const tests = [];
let browser;

function test(name, body) {
	tests.push({ name, body });
}

function figure(text) {
	console.log(`# figure: ${text}`);
}

/* Counts tones and breaches of the policy; runs before the page's own scripts. */
function watchPage() {
	window.seen = { violations: [], tones: [] };
	addEventListener("securitypolicyviolation", (event) => window.seen.violations.push(
		`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
	const create = AudioContext.prototype.createOscillator;
	AudioContext.prototype.createOscillator = function createOscillator() {
		const tone = create.call(this);

		window.seen.tones.push(tone);
		return tone;
	};
}

/*
 * A page at `url`. options: viewport, colorScheme, reducedMotion, forcedColors; `context` to open it
 * in one that there is. page.problems is what went wrong; what matches page.expected, set by a test
 * that takes the server away or lets it refuse, does not count.
 */
async function openPage(url, options = {}) {
	const { context: given, clock, ...contextOptions } = options;
	const context = given || await browser.newContext({ viewport: HD, colorScheme: "light", ...contextOptions });
	const page = await context.newPage();
	const origin = new URL(url).origin;

	page.problems = [];
	page.expected = /^$/;
	page.on("console", (message) => page.problems.push(`console: ${message.text()}`));
	page.on("pageerror", (error) => page.problems.push(`error: ${error.message}`));
	page.on("request", (request) => {
		if (new URL(request.url()).origin !== origin)
			page.problems.push(`request to elsewhere: ${request.url()}`);
	});
	page.setDefaultTimeout(WAIT_MS);
	await page.addInitScript(watchPage);
	if (clock)
		await page.clock.install();
	await page.goto(url);
	return page;
}

/* Ends the page; what went wrong in it fails the test. */
async function closePage(page) {
	const violations = await page.evaluate(() => window.seen.violations);

	await page.context().close();
	assert.deepEqual([...page.problems.filter((problem) => !page.expected.test(problem)), ...violations], []);
}

/* axe-core's verdict; it comes by the debugger's door, so the page's policy stays as it is. */
async function judge(page, what) {
	await page.evaluate(AXE);
	const result = await page.evaluate(() => window.axe.run(document, {
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
	}));
	const found = result.violations.map((one) =>
		`${what}: ${one.id}: ${one.help}: ${one.nodes.map((node) => `${node.target} ${node.failureSummary}`).join("; ")}`);

	assert.deepEqual(found, []);
	return result;
}

async function shoot(page, name) {
	await page.screenshot({ path: path.join(SHOTS, `${name}.png`) });
}

/* Resolves once `read` gives a true value; that value. */
async function until(read, what) {
	const end = Date.now() + WAIT_MS;

	for (;;) {
		const value = await read();

		if (value)
			return value;
		assert.ok(Date.now() < end, `in vain: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
}

/* Runs all tests in their order and exits. */
async function runTests() {
	let failures = 0;

	browser = await chromium.launch({ executablePath: process.env.PLUGFLASH_BROWSER, args: ARGUMENTS });
	for (const [i, { name, body }] of tests.entries()) {
		try {
			await body();
			console.log(`ok ${i + 1} - ${name}`);
		} catch (error) {
			failures++;
			console.log(`not ok ${i + 1} - ${name}`);
			console.log(String(error.stack || error).replace(/^/gm, "# "));
		}
	}
	console.log(`1..${tests.length}`);
	await browser.close();
	process.exit(failures > 0 || tests.length === 0 ? 1 : 0);
}

module.exports = { assert, test, figure, openPage, closePage, judge, shoot, until, runTests, HD, PHONE, UHD, SERVER_GONE };
