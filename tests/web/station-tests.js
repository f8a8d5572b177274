// SPDX-License-Identifier: MIT
/*
 * The page on the real service, as a child of station.c, which plugs boards in and out: one page, on
 * which one thing follows the other as in front of a real station.
 */
"use strict";
const fs = require("node:fs");
const net = require("node:net");
const readline = require("node:readline");
const { spawnSync } = require("node:child_process");
const { assert, test, figure, openPage, closePage, judge, shoot, until, runTests, HD, SERVER_GONE } = require("./browser.js");
const { tileOf, expectLight, visibleText } = require("./with-page.js");
const { processorSeconds } = require("./cost.js");

const ADDRESS = "http://127.0.0.1:8474/";
const LIMIT_MS = 300000; /* against hanging alone */

/* ------------------------------------------------------------------ the station */

/* As a socket: a stream of a file would read in a thread, and the end would wait for that. */
const answers = readline.createInterface({ input: new net.Socket({ fd: 4, readable: true, writable: false }) });
const waiting = [];

answers.on("line", (line) => waiting.shift()(line));

/* Words to station.c; those of its answer behind "ok". */
async function tell(...words) {
	const answer = new Promise((resolve) => waiting.push(resolve));

	fs.writeSync(3, `${words.join("\t")}\n`);
	const [head, ...rest] = (await answer).split(" ");
	assert.equal(head, "ok", `${words.join(" ")}: ${rest.join(" ")}`);
	return rest.map(Number);
}

/* Boards that are in; what a test that failed left is taken out after it, for the next. */
const boards = new Set();

async function plug(serial, place, ...more) {
	const [number, begin] = await tell("plug", serial, place, ...more);

	boards.add(number);
	return [number, begin];
}

async function unplug(number) {
	boards.delete(number);
	await tell("unplug", number);
}

function testStation(name, body) {
	test(name, async () => {
		try {
			await body();
		} finally {
			for (const number of [...boards])
				await unplug(number);
		}
	});
}

/* A call of the bus; its output. */
function call(method, ...words) {
	const done = spawnSync("busctl", ["--system", "call", "org.plugflash1", "/org/plugflash1", "org.plugflash1.Manager", method, ...words]);

	assert.equal(done.status, 0, String(done.stderr));
	return String(done.stdout);
}

/* ------------------------------------------------------------------ the page */

let page;

/*
 * Notes when each slot takes each state, by the clock that all of us have in common, and wakes who
 * waits for it: to ask again and again would cost more than what is to be measured.
 */
function watchLights() {
	const { seen } = window;

	seen.lights = [];
	seen.waits = [];
	new MutationObserver((changes) => {
		for (const { target } of changes)
			if (target.matches?.(".tile"))
				seen.lights.push([target.querySelector(".name").textContent, target.dataset.light, Date.now()]);
		seen.waits = seen.waits.filter((wait) => !wait());
	}).observe(document.getElementById("slots"), { subtree: true, attributeFilter: ["data-light"] });
}

/* When the slot took this state after that time. */
async function timeOf(name, light, after) {
	const time = await page.evaluate(([slot, word, since, limit]) => new Promise((resolve) => {
		const look = () => {
			const found = window.seen.lights.find((one) => one[0] === slot && one[1] === word && one[2] >= since);

			if (found)
				resolve(found[2]);
			return Boolean(found);
		};

		setTimeout(() => resolve(0), limit);
		if (!look())
			window.seen.waits.push(look);
	}), [name, light, after, LIMIT_MS]);

	assert.ok(time > 0, `in vain: ${name} ${light}`);
	return time;
}

const waitLight = (name, light, word) => expectLight(page, name, light, word);

testStation("sixteen sockets with names, and nothing in them", async () => {
	page = await openPage(ADDRESS, { viewport: HD });
	await until(async () => await page.locator(".tile").count() === 16, "16 tiles");
	assert.deepEqual(await page.locator(".tile .name").allInnerTexts(), Array.from({ length: 16 }, (_, i) => `S${i + 1}`));
	assert.equal(await page.locator(".tile[data-light=idle]").count(), 16);
	await page.evaluate(watchLights);
});

testStation("a board is plugged in, worked on with a bar that moves, and good", async () => {
	const [number, begin] = await plug("A0001", 1);

	await timeOf("S1", "working", begin);
	const shares = new Set();
	await until(async () => {
		const share = parseInt(await visibleText(page, "S1", "percent"), 10);

		if (share >= 0)
			shares.add(share);
		return shares.size >= 4 || await tileOf(page, "S1").getAttribute("data-light") === "good";
	}, "four shares of the work");
	assert.ok(shares.size >= 4, `${[...shares]}`);
	assert.match(await visibleText(page, "S1", "small"), /gate-1\.10\.0\.bin/);
	await shoot(page, "station-working");
	await timeOf("S1", "good", begin);
	await waitLight("S1", "good");
	assert.equal(await visibleText(page, "S1", "detail"), "updated");
	await until(async () => await page.locator("#first-pass").innerText() === "1", "the count");
	await unplug(number);
	await waitLight("S1", "idle");
});

testStation("the time from the plug-in to the tile is told", async () => {
	const times = [];

	for (let i = 0; i < 7; i++) {
		const [number, begin] = await plug(`A${100 + i}`, 2);

		times.push(await timeOf("S2", "working", begin) - begin);
		await timeOf("S2", "good", begin);
		await unplug(number);
		await waitLight("S2", "idle");
	}
	times.sort((a, b) => a - b);
	figure(`from the plug-in to the tile "working": ${times[3]} ms in the middle, ${times[0]} to ${times[6]} ms (7 boards, settle = 10ms of it)`);
	/* The aim is 250 ms; a machine that has other work may take longer, and is not judged here. */
	assert.ok(times[3] < 10000, `${times}`);
});

testStation("a board that does not answer is bad, with reason and next step; mended, it is good by retry", async () => {
	const [number, begin] = await plug("A0666", 3, "silent=yes", "product=<img src=x onerror=alert(1)> & more");

	await timeOf("S3", "bad", begin);
	assert.match(await visibleText(page, "S3", "reason"), /\S+ \S+ \S+/);
	assert.match(await visibleText(page, "S3", "next"), /^Next: \S+ \S+/);
	await judge(page, "bad");
	await shoot(page, "station-bad");
	await tell("mend", number);
	const pressed = Date.now();
	await page.getByRole("button", { name: "Retry S3" }).click();
	await timeOf("S3", "working", pressed);
	await timeOf("S3", "good", pressed);
	await until(async () => await page.locator("#retried").innerText() === "1", "the count of what was retried");
	await unplug(number);
	await waitLight("S3", "idle");
});

testStation("a board with another chip is a wrong board; so is one that no rule is for, which gets a tile of its own", async () => {
	const [number, begin] = await plug("A0007", 4, "chip=f103xc");

	await timeOf("S4", "wrong-board", begin);
	await waitLight("S4", "wrong-board", "wrong board");
	assert.match(await visibleText(page, "S4", "reason"), /0x414|F103xC/);
	const [stranger] = await plug("<b>LOGGER</b>", 20, "product=</p><script>alert(1)</script>");
	await until(async () => await page.locator(".tile").count() === 17, "its tile");
	const last = page.locator(".tile").last();
	assert.equal(await last.getAttribute("data-light"), "wrong-board");
	assert.equal(await page.locator(".tile b, .tile script, .tile img").count(), 0);
	await judge(page, "wrong board");
	await unplug(number);
	await unplug(stranger);
	await waitLight("S4", "idle");
	await until(async () => await page.locator(".tile").count() === 16, "its tile is gone");
});

testStation("sixteen boards at once are all good; what that costs", async () => {
	const debug = await page.context().newCDPSession(page);
	const metrics = async () => Object.fromEntries((await debug.send("Performance.getMetrics")).metrics.map((one) => [one.name, one.value]));

	await debug.send("Performance.enable", { timeDomain: "threadTicks" });
	const [serviceBefore, webBefore] = await tell("cost");
	const before = await metrics(), rendererBefore = processorSeconds("--type=renderer"), begin = Date.now();
	for (let i = 0; i < 16; i++)
		await plug(`A${1000 + i}`, i + 1);
	for (let i = 0; i < 16; i++)
		await timeOf(`S${i + 1}`, "good", begin);
	const seconds = (Date.now() - begin) / 1000;
	const [serviceAfter, webAfter] = await tell("cost");
	const after = await metrics();
	const share = (after.TaskDuration - before.TaskDuration) / seconds;

	figure(`16 boards at once, ${seconds.toFixed(1)} s: the page's own thread ${(share * 100).toFixed(1)} % of a core ` +
		`(its process with drawing ${((processorSeconds("--type=renderer") - rendererBefore) / seconds * 100).toFixed(1)} %), ` +
		`plugflash-web ${((webAfter - webBefore) / seconds / 10).toFixed(1)} %, plugflashd ${((serviceAfter - serviceBefore) / seconds / 10).toFixed(1)} %`);
	/* The aim is 5 %, and the figure tells; a slower machine is not judged. */
	assert.ok(share <= 0.25, `${share}`);
	assert.ok((webAfter - webBefore) / 1000 / seconds <= 0.05, `${webAfter - webBefore} ms in ${seconds} s`);
	await judge(page, "sixteen good");
	await shoot(page, "station-sixteen");
	for (const number of [...boards])
		await unplug(number);
	await until(async () => await page.locator(".tile[data-light=idle]").count() === 16, "all gone");
});

testStation("a pause is a band across the screen with its reason, until it ends", async () => {
	call("Pause", "sa{sv}", "shift change <b>7</b>", "0");
	try {
		await page.locator("#paused").waitFor();
		await until(async () => /shift change <b>7<\/b>/.test(await page.locator("#paused").innerText()), "its reason");
		const [, begin] = await plug("A0050", 5);
		await timeOf("S5", "held", begin);
		assert.match(await visibleText(page, "S5", "next"), /^Next: \S+ \S+/);
		await judge(page, "paused");
		await shoot(page, "station-paused");
		call("Resume", "a{sv}", "0");
		await page.locator("#paused").waitFor({ state: "hidden" });
		await timeOf("S5", "good", begin);
	} finally {
		call("Resume", "a{sv}", "0");
	}
});

testStation("the service goes and comes: the page says so, and is back by itself", async () => {
	await tell("service", "stop");
	await page.locator("#lost-title:text-is('The service is not running')").waitFor();
	assert.equal(await page.locator(":root").getAttribute("data-link"), "gone");
	await judge(page, "gone");
	await shoot(page, "station-gone");
	await tell("service", "start");
	await page.locator(":root[data-link=live]").waitFor();
	assert.equal(await page.locator("#lost").isVisible(), false);
	const [number, begin] = await plug("A0060", 6);
	await timeOf("S6", "good", begin);
	await unplug(number);
});

testStation("plugflash-web goes and comes: no connection, and back by itself, with a new token", async () => {
	page.expected = SERVER_GONE;
	await tell("web", "stop");
	await page.locator("#lost-title:text-is('No connection')").waitFor();
	await tell("web", "start");
	await page.locator(":root[data-link=live]").waitFor();
	const [number, begin] = await plug("A0070", 7, "silent=yes");
	await timeOf("S7", "bad", begin);
	await tell("polkit", "no");
	await page.reload();
	await waitLight("S7", "bad");
	await page.evaluate(watchLights);
	assert.equal(await page.locator(".retry:visible").count(), 0);
	await tell("polkit", "yes");
	await page.reload();
	await waitLight("S7", "bad");
	await page.evaluate(watchLights);
	await tell("mend", number);
	await page.getByRole("button", { name: "Retry S7" }).click();
	await timeOf("S7", "good", begin);
	await unplug(number);
});

testStation("nothing went wrong in the page all the while", async () => {
	await closePage(page);
});

runTests();
