// SPDX-License-Identifier: MIT
/* What the page shows and does, fed by the stand-in: states, ends, retry, sound, a server that goes. */
"use strict";
const { assert, test, figure, shoot, until, runTests, PHONE, SERVER_GONE } = require("./browser.js");
const { withPage, tileOf, expectLight, visibleText } = require("./with-page.js");
const { slot, waiting, working, good, bad, wrong, held, service, counters, batch, state, scenes } = require("./scenes.js");

/* ------------------------------------------------------------------ one board */

test("a board comes, is worked on, is good and goes, on one and the same tile", () =>
	withPage(state([slot("A1"), slot("A2")]), {}, async (page, standIn) => {
		await expectLight(page, "A1", "idle");
		await tileOf(page, "A1").evaluate((node) => { node.isTheSame = true; });
		standIn.show(state([waiting("A1", 1), slot("A2")]));
		await expectLight(page, "A1", "waiting");
		standIn.show(state([working("A1", 1, { percent: 7.9 }), slot("A2")]));
		await expectLight(page, "A1", "working");
		assert.equal(await visibleText(page, "A1", "percent"), "7\u202f%");
		assert.equal(await tileOf(page, "A1").locator("progress").evaluate((bar) => bar.value), 7);
		assert.match(await visibleText(page, "A1", "left"), /^1[0-9] s left$/);
		assert.equal(await visibleText(page, "A1", "phase"), "writing");
		assert.match(await visibleText(page, "A1", "small"), /gate · .*gate-1\.10\.0\.hex/);
		standIn.show(state([working("A1", 1, { percent: 100, phase: "verify", expected_end_ms: Date.now() - 1 }), slot("A2")]));
		await until(async () => await visibleText(page, "A1", "percent") === "100\u202f%", "100 percent");
		assert.equal(await visibleText(page, "A1", "left"), "nearly done");
		standIn.show(state([good("A1", 1), slot("A2")]));
		await expectLight(page, "A1", "good");
		assert.equal(await visibleText(page, "A1", "detail"), "updated");
		assert.equal(await tileOf(page, "A1").locator(".work").isVisible(), false);
		standIn.show(state([slot("A1"), slot("A2")]));
		await expectLight(page, "A1", "idle");
		assert.equal(await tileOf(page, "A1").evaluate((node) => node.isTheSame), true);
	}));

test("a bad board shows reason and next step in words, a wrong board and a held one as well", () =>
	withPage(state([bad("A1", 1), wrong("A2", 2), held("A3", 3, { held_until_ms: Date.now() + 60000 })]), {}, async (page) => {
		await expectLight(page, "A1", "bad");
		assert.equal(await visibleText(page, "A1", "reason"), "the boot loader does not answer at 115200 and 57600 baud");
		assert.equal(await visibleText(page, "A1", "next"), "Next: check the wiring of RESET and BOOT0, then plug the board in again");
		await expectLight(page, "A2", "wrong-board", "wrong board");
		assert.match(await visibleText(page, "A2", "reason"), /STM32F103xC/);
		await expectLight(page, "A3", "held");
		assert.match(await visibleText(page, "A3", "detail"), /^left alone until \d\d:\d\d:\d\d$/);
	}));

test("the longest reason that the service gives leaves its next step on the screen, among sixteen", () =>
	withPage(null, {}, async (page, standIn) => {
		const reason = "no boot loader: timeout, no answer, nothing at all was heard: check power, that TX and RX are crossed, `wiring`, " +
			"`reset` and `boot` (swapped or inverted they hold the chip in reset), and that no other program has the port open";
		const next = "plugflash probe --port PORT --wiring auto tries all circuits, --baud another rate";

		standIn.show(state(scenes.sixteen.slots.map((one, i) => i === 5 ? bad("A6", 6, { reason, next }) : one)));
		await expectLight(page, "A6", "bad");
		assert.ok(await tileOf(page, "A6").evaluate((tile) => {
			const box = tile.querySelector(".why").getBoundingClientRect();

			return tile.querySelector(".next").getBoundingClientRect().bottom <= box.bottom + 1;
		}));
		assert.ok(await tileOf(page, "A6").locator(".next").evaluate((node) => parseFloat(getComputedStyle(node).fontSize)) >= 14);
		await shoot(page, "sixteen-long-reason");
	}));

test("a board that waits for the end of a pause says what it waits for, and no reason of before", () =>
	withPage(state([waiting("A1", 1, { light: "held", reason: "an old one", next: "it begins later", outcome: "no-sync" })]), {}, async (page) => {
		await expectLight(page, "A1", "held");
		assert.equal(await visibleText(page, "A1", "next"), "Next: it begins later");
		assert.equal(await visibleText(page, "A1", "reason"), "");
		assert.equal(await page.locator(".retry:visible").count(), 0);
	}));

test("each state has a colour, a sign and a word of its own", () =>
	withPage(scenes.all, {}, async (page) => {
		const looks = await page.locator(".tile").evaluateAll((tiles) => tiles.map((tile) => [tile.dataset.light,
			getComputedStyle(tile).backgroundColor, tile.querySelector("use").getAttribute("href"),
			tile.querySelector(".word").innerText]));
		const lights = new Map(looks.map(([light, ...look]) => [light, look]));

		assert.deepEqual([...lights.keys()].sort(), ["bad", "good", "held", "idle", "waiting", "working", "wrong-board"]);
		for (const i of [0, 1, 2])
			assert.equal(new Set([...lights.values()].map((look) => look[i])).size, 7, `column ${i} of ${JSON.stringify(looks)}`);
		for (const sign of await page.locator(".tile .sign").all())
			assert.ok(await sign.evaluate((svg) => svg.getBBox().width) > 10, "a sign is drawn");
	}));

test("seconds left are counted down between two events, and only while something works", () =>
	withPage(state([working("A1", 1, { expected_end_ms: Date.now() + 30500 })]), {}, async (page, standIn) => {
		const left = () => visibleText(page, "A1", "left").then((text) => parseInt(text, 10));
		const begin = await left();

		await until(async () => await left() === begin - 2, "two seconds");
		standIn.show(state([good("A1", 1)]));
		await expectLight(page, "A1", "good");
		assert.equal(await visibleText(page, "A1", "left"), "");
	}));

test("a clock of the server that is wrong does not make seconds left wrong", () =>
	withPage(state([slot("A1")]), {}, async (page, standIn) => {
		standIn.show({ ...state([working("A1", 1, { expected_end_ms: 5_020_000 })]), time_ms: 5_000_000 });
		await expectLight(page, "A1", "working");
		assert.match(await visibleText(page, "A1", "left"), /^(20|19) s left$/);
	}));

test("a job whose share is not known has no bar that moves", () =>
	withPage(state([working("A1", 1, { percent: null, expected_end_ms: null, phase: "sync" })]), {}, async (page) => {
		await expectLight(page, "A1", "working");
		assert.equal(await tileOf(page, "A1").locator("progress").isVisible(), false);
		assert.equal(await visibleText(page, "A1", "phase"), "calling");
	}));

/* ------------------------------------------------------------------ what comes from outside */

test("markup in names and reasons is shown as text", () =>
	withPage(null, {}, async (page, standIn) => {
		const evil = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>\u202e&amp;\"'";
		const slots = [bad(evil, 1, { reason: evil, next: evil, unit: evil, board: evil, product: evil }),
			working("B1", 2, { phase: evil, operation: "constructor", image: evil, version: evil }),
			good("B2", 3, { outcome: "__proto__" }), good("B3", 4, { light: "constructor" })];

		standIn.show(state(slots, {
			service: service({ pause_reason: evil, config_error: evil }),
			batch: { board: evil, count: 5, done: 5, started_ms: 1 },
		}));
		await page.locator(".tile").nth(3).waitFor();
		assert.equal(await page.locator(".tile .name").first().textContent(), evil);
		assert.equal(await page.locator(".tile .reason").first().textContent(), evil);
		assert.equal(await page.locator("#paused-text").textContent(), evil);
		assert.equal(await page.locator("img").count() + await page.locator("body script").count(), 0);
		assert.doesNotMatch(await page.title(), /owned/);
	}));

test("a document with other kinds of values than it should have harms nothing", () =>
	withPage(null, {}, async (page, standIn) => {
		standIn.show({
			service: { there: true, state: 7, pause_reason: {} }, counters: "no", batch: [1],
			slots: [null, 5, "A1", { slot: 9, light: 3, state: null, job: "x" }, { slot: "A2", light: "working", state: "working",
				job: { percent: "many", expected_end_ms: "soon", phase: null } }, { slot: "A2", light: "good" }],
		});
		await expectLight(page, "A2", "working");
		assert.equal(await tileOf(page, "A2").count(), 1);
		standIn.show({ service: null, slots: "none" });
		await page.locator(":root[data-link=gone]").waitFor();
		standIn.show(state([good("A2", 1)]));
		await expectLight(page, "A2", "good");
	}));

/* ------------------------------------------------------------------ the whole */

test("counts, yield and batch of the day", () =>
	withPage(state([slot("A1")], { batch: batch(120) }), {}, async (page, standIn) => {
		const texts = async () => Promise.all(["first-pass", "retried", "bad-count", "yield", "batch-done", "batch-count"]
			.map((id) => page.locator(`#${id}`).innerText()));

		assert.deepEqual(await texts(), ["117", "3", "2", "96\u202f%", "120", "500"]);
		assert.equal(await page.locator("#batch-bar").evaluate((bar) => bar.value / bar.max), 0.24);
		assert.equal(await page.locator("#done").isVisible(), false);
		standIn.show(state([slot("A1")], { counters: counters({ yield_percent: null }), batch: batch(500) }));
		await page.locator("#done").waitFor();
		assert.equal(await page.locator("#done").innerText(), "Batch gate is done: 500 of 500");
		assert.equal(await page.locator("#yield").innerText(), "–");
		standIn.show(state([slot("A1")]));
		await page.locator("#batch").waitFor({ state: "hidden" });
	}));

test("a pause says why across the screen, and goes with it", () =>
	withPage(scenes.paused, {}, async (page, standIn) => {
		assert.match(await page.locator("#paused").innerText(), /Paused: no board is begun\s+shift change; lab: measuring the hub/);
		standIn.show(state([slot("A1")], { service: service({ pause_reason: "lab: measuring" }) }));
		await until(async () => /No board is begun\s+lab: measuring/.test(await page.locator("#paused").innerText()), "the inhibitor");
		standIn.show(state([slot("A1")], { service: service({ config_stale: true }) }));
		await page.locator("#paused").waitFor({ state: "hidden" });
		assert.match(await page.locator("#notice").innerText(), /systemctl reload plugflashd/);
	}));

test("what is turned off by trust is said, beside the configuration, and goes with it", () =>
	withPage(scenes.turnedOff, {}, async (page, standIn) => {
		const notice = page.locator("#notice");

		assert.match(await notice.innerText(), /Turned off: stub on STM32F10xxx.*retry --trials/);
		standIn.show(state([slot("A1")], { service: service({ config_stale: true, turned_off: "bursts on STM32G0" }) }));
		await until(async () => /reload plugflashd\s+Turned off: bursts on STM32G0/.test(await notice.innerText()), "both");
		standIn.show(state([slot("A1")]));
		await notice.waitFor({ state: "hidden" });
	}));

test("the title says what needs a person", () =>
	withPage(scenes.all, {}, async (page) => {
		assert.equal(await page.title(), "plugflash: 1 bad, 1 wrong board, 1 held, 1 working, 2 waiting, 1 good");
	}));

test("bridges without a named slot come and go, in their order, and the others stay", () =>
	withPage(state([good("A1", 1)]), {}, async (page, standIn) => {
		const names = () => page.locator(".tile .name").allInnerTexts();
		const two = [good("A1", 1), bad(null, 7), good(null, 8)];

		standIn.show(state(two));
		await until(async () => (await names()).join() === "A1,ttyUSB7,ttyUSB8", "two more");
		await page.locator(".tile").nth(2).evaluate((node) => { node.isTheSame = true; });
		standIn.show(state([two[2], two[0]]));
		await until(async () => (await names()).join() === "ttyUSB8,A1", "one less, and in another order");
		assert.equal(await page.locator(".tile").first().evaluate((node) => node.isTheSame), true);
	}));

test("?slots= shows these alone, in that order, and says where there is none of the name; ?big leaves small print out", () =>
	withPage(scenes.sixteen, { query: "?slots=A4,A2,Z9&big" }, async (page) => {
		assert.deepEqual(await page.locator(".tile .name").allInnerTexts(), ["A4", "A2", "Z9"]);
		assert.equal(await visibleText(page, "Z9", "reason"), "not in the configuration");
		assert.equal(await tileOf(page, "A4").locator(".small").isVisible(), false);
	}));

test("where there is no slot it says so", () =>
	withPage(scenes.nothing, {}, async (page) => {
		assert.match(await page.locator("#empty").innerText(), /No bridge is plugged in/);
	}));

/* ------------------------------------------------------------------ a server that goes */

test("without its server it says so large, takes the colour off the tiles, and comes back by itself", () =>
	withPage(state([good("A1", 1), bad("A2", 2)]), {}, async (page, standIn) => {
		const colour = () => tileOf(page, "A1").evaluate((node) => getComputedStyle(node).backgroundColor);
		const before = await colour();
		const { port } = standIn;

		page.expected = SERVER_GONE;
		await standIn.stop();
		await page.locator("#lost").waitFor();
		assert.match(await page.locator("#lost").innerText(), /^No connection\s+This screen shows the state of \d\d:\d\d:\d\d/);
		assert.ok(await page.locator("#lost-title").evaluate((node) => parseFloat(getComputedStyle(node).fontSize)) >= 60);
		assert.notEqual(await colour(), before);
		assert.equal(await tileOf(page, "A2").locator(".retry").isVisible(), false);
		await page.locator("#summary:text-is('No connection')").waitFor();
		await standIn.start(port);
		standIn.show(state([bad("A1", 1), good("A2", 2)]));
		const begin = Date.now();
		await expectLight(page, "A1", "bad");
		figure(`the page is back ${Date.now() - begin} ms after its server (it asks each 0.5 to 15 s)`);
		assert.equal(await page.locator("#lost").isVisible(), false);
	}));

test("a server that is back within a second is not missed", () =>
	withPage(state([good("A1", 1)]), {}, async (page, standIn) => {
		await page.evaluate(() => {
			window.seen.links = [];
			new MutationObserver(() => window.seen.links.push(document.documentElement.dataset.link))
				.observe(document.documentElement, { attributeFilter: ["data-link"] });
		});
		standIn.drop();
		await until(() => standIn.streams.size > 0, "another stream");
		standIn.show(state([bad("A1", 1)]));
		await expectLight(page, "A1", "bad");
		assert.deepEqual(await page.evaluate(() => window.seen.links.filter((link) => link === "lost")), []);
	}));

test("a server that has never answered is told from one that is gone", () =>
	withPage(null, {}, async (page, standIn) => {
		page.expected = /503/;
		standIn.drop();
		standIn.openStream = (_, response) => standIn.say(response, 503, { error: "too many streams" });
		await page.locator("#lost").waitFor();
		assert.match(await page.locator("#lost").innerText(), /This screen has not had an answer yet/);
	}));

test("a service that is gone is told from a lost connection; its tiles stay, without colour", () =>
	withPage(state([good("A1", 1)]), {}, async (page, standIn) => {
		standIn.show(scenes.gone);
		await page.locator("#lost").waitFor();
		assert.match(await page.locator("#lost").innerText(), /^The service is not running\s+No board is updated/);
		assert.equal(await page.locator(":root").getAttribute("data-link"), "gone");
		assert.equal(await tileOf(page, "A1").count(), 1);
		standIn.show(state([good("A1", 9), slot("A2")]));
		await expectLight(page, "A2", "idle");
		assert.equal(await page.locator("#lost").isVisible(), false);
	}));

test("a stream that says nothing for 40 s is given up; one that beats is not", () =>
	withPage(state([good("A1", 1)]), { clock: true }, async (page, standIn) => {
		const opened = () => standIn.requests.filter((line) => line === "GET /api/events").length;

		const beat = async (name) => {
			standIn.send("event: beat\ndata: 1\n\n");
			standIn.show(state([good("A1", 1), slot(name)])); /* in order behind the beat */
			await expectLight(page, name, "idle");
		};

		/* Its clock goes by our word alone from here on: the machine may stand still. */
		await page.clock.pauseAt(new Date(Date.now() + 5000));
		await beat("A2");
		await page.clock.fastForward(39000);
		await beat("A3");
		await page.clock.fastForward(39000);
		assert.equal(opened(), 1);
		await page.clock.fastForward(2000);
		await page.clock.fastForward(1000);
		await until(() => opened() === 2, "a second stream");
		await expectLight(page, "A1", "good");
	}));

/* ------------------------------------------------------------------ retry */

test("retry stands on a bad tile where it is allowed, asks once with the token, and says what became of it", () =>
	withPage(state([bad("A 1/&", 1), bad(null, 2), wrong("A3", 3), good("A4", 4), held("A5", 5)]), {}, async (page, standIn) => {
		const shown = () => page.locator(".retry:visible").evaluateAll((list) => list.map((one) => one.getAttribute("aria-label")));

		await until(async () => (await shown()).join() === "Retry A 1/&,Retry ttyUSB2,Retry A5", "the buttons");
		await page.getByRole("button", { name: "Retry A 1/&" }).click();
		await page.getByRole("button", { name: "Retry A 1/&" }).click({ force: true });
		await page.getByRole("button", { name: "Retry ttyUSB2" }).click();
		await until(() => standIn.retries.length === 2, "both");
		assert.deepEqual(standIn.retries, [{ slot: "A 1/&" }, { port: "/dev/ttyUSB2" }]);
		assert.equal(await page.locator(".note").first().innerText(), "asked for");
		page.expected = /409/;
		standIn.retryAnswer = [409, { error: "<b>paused</b>: shift change" }];
		await page.getByRole("button", { name: "Retry A5" }).click();
		await until(async () => await visibleText(page, "A5", "note") === "not asked for: <b>paused</b>: shift change", "the refusal");
		assert.equal(await page.getByRole("button", { name: "Retry A5" }).getAttribute("aria-disabled"), "false");
	}));

test("a token that is no longer good is asked for anew", () =>
	withPage(state([bad("A1", 1)]), {}, async (page, standIn) => {
		const button = page.getByRole("button", { name: "Retry A1" });

		await button.waitFor();
		page.expected = /403/;
		standIn.may = { ...standIn.may, token: "another" };
		await button.click();
		await until(async () => await visibleText(page, "A1", "note") === "asked for", "the retry");
		await until(() => standIn.retries.length === 1, "the retry with the new token");
	}));

test("without the right there is no button", () =>
	withPage(state([bad("A1", 1)]), { may: { retry: false, token: null, why: "polkit" } }, async (page, standIn) => {
		await until(() => standIn.requests.includes("GET /api/may"), "the question");
		await page.evaluate(() => new Promise(requestAnimationFrame));
		assert.equal(await page.locator(".retry:visible").count(), 0);
	}));

test("who pressed retry by the keyboard goes on from the tile", () =>
	withPage(state([slot("A0"), bad("A1", 1)]), {}, async (page, standIn) => {
		await page.getByRole("button", { name: "Retry A1" }).focus();
		await page.keyboard.press("Enter");
		await until(() => standIn.retries.length === 1, "the retry");
		standIn.show(state([slot("A0"), working("A1", 1)]));
		await expectLight(page, "A1", "working");
		assert.equal(await page.evaluate(() => document.activeElement.textContent), "A1");
	}));

test("a screen that stays on over an upgrade takes the new page, and no other change makes it load again", () =>
	withPage(state([good("A1", 1)]), { may: { retry: true, token: "one", why: null, page: "0123456789abcdef" } }, async (page, standIn) => {
		const loads = () => standIn.requests.filter((line) => line === "GET /").length;
		const again = async () => {
			standIn.drop();
			await until(() => standIn.streams.size > 0, "another stream");
			standIn.show(state([slot("A1")]));
			await expectLight(page, "A1", "idle");
		};

		await until(() => standIn.requests.includes("GET /api/may"), "the first mark");
		standIn.may = { ...standIn.may, token: "two" };
		await again();
		assert.equal(loads(), 1);
		standIn.may = { ...standIn.may, page: "fedcba9876543210" };
		const loaded = page.waitForEvent("load");
		standIn.drop();
		await loaded;
		await expectLight(page, "A1", "idle");
		assert.equal(loads(), 2);
	}));

/* ------------------------------------------------------------------ sound, view, speech */

test("sound is off until it is wanted, says how it stands, and is remembered", () =>
	withPage(state([working("A1", 1), working("A2", 2)]), {}, async (page, standIn) => {
		const button = page.locator("#sound");
		const tones = () => page.evaluate(() => window.seen.tones.map((tone) => Math.round(tone.frequency.value)));

		assert.equal(await button.innerText(), "Sound: off");
		assert.equal(await button.getAttribute("aria-pressed"), "false");
		standIn.show(state([good("A1", 1), bad("A2", 2)]));
		await expectLight(page, "A2", "bad");
		await page.waitForTimeout(200);
		assert.deepEqual(await tones(), []);
		await button.click();
		await until(async () => await button.innerText() === "Sound: on", "on");
		assert.equal(await button.getAttribute("aria-pressed"), "true");
		await until(async () => (await tones()).join() === "880,1319", "the sample");
		standIn.show(state([working("A1", 1), working("A2", 2)]));
		standIn.show(state([good("A1", 3), bad("A2", 4)]));
		await until(async () => (await tones()).join() === "880,1319,165,165,131,880,1319", "bad, then good");
		await page.reload();
		await page.locator(":root[data-link=live]").waitFor();
		assert.equal(await button.innerText(), "Sound: on, press here once");
		await button.click();
		await until(async () => await button.innerText() === "Sound: on", "on after the touch");
		await button.click();
		assert.equal(await button.innerText(), "Sound: off");
		await page.reload();
		assert.equal(await button.innerText(), "Sound: off");
	}));

test("what was there when the page came makes no sound, and ?sound wants it for a screen without keys", () =>
	withPage(state([good("A1", 1), bad("A2", 2)]), { query: "?sound" }, async (page) => {
		assert.equal(await page.locator("#sound").innerText(), "Sound: on, press here once");
		await page.waitForTimeout(200);
		assert.deepEqual(await page.evaluate(() => window.seen.tones), []);
		await page.keyboard.press("Shift");
		await page.keyboard.press("a");
		await until(async () => await page.locator("#sound").innerText() === "Sound: on", "on after a key");
	}));

test("the view goes from auto to light to dark, and is remembered", () =>
	withPage(scenes.four, {}, async (page) => {
		const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
		const light = await ground();

		await page.locator("#view").click();
		assert.equal(await page.locator("#view").innerText(), "View: light");
		assert.equal(await ground(), light);
		await page.locator("#view").click();
		assert.equal(await page.locator("#view").innerText(), "View: dark");
		assert.notEqual(await ground(), light);
		await page.reload();
		assert.equal(await page.locator("#view").innerText(), "View: dark");
		assert.notEqual(await ground(), light);
	}));

test("a screen reader hears good and bad once, and no percent", () =>
	withPage(state([working("A1", 1), working("A2", 2)]), {}, async (page, standIn) => {
		await page.evaluate(() => {
			window.seen.said = [];
			new MutationObserver(() => window.seen.said.push(document.getElementById("say").textContent))
				.observe(document.getElementById("say"), { childList: true, characterData: true, subtree: true });
		});
		for (let percent = 43; percent < 60; percent++)
			standIn.show(state([working("A1", 1, { percent }), working("A2", 2)]));
		await until(async () => await visibleText(page, "A1", "percent") === "59\u202f%", "59 percent");
		const end = state([good("A1", 1), bad("A2", 2)]);
		standIn.show(end);
		standIn.show(end);
		await expectLight(page, "A2", "bad");
		await page.waitForTimeout(400);
		assert.deepEqual(await page.evaluate(() => window.seen.said),
			["A1: good. A2: bad. the boot loader does not answer at 115200 and 57600 baud"]);
		standIn.show(scenes.gone);
		await until(async () => (await page.locator("#say").textContent()) === "The service is not running.", "gone");
	}));

test("an event that changes nothing changes no node", () =>
	withPage(scenes.sixteen, {}, async (page, standIn) => {
		await until(() => standIn.requests.includes("GET /api/may"), "the question");
		await page.locator(".retry:visible").first().waitFor();
		await page.evaluate(() => {
			window.seen.changes = [];
			new MutationObserver((list) => window.seen.changes.push(...list.map((one) => `${one.type} ${one.target.className}`)))
				.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
		});
		const still = { ...scenes.sixteen, slots: scenes.sixteen.slots.filter((one) => !one.job) };
		standIn.show(still);
		await until(async () => await page.locator(".tile").count() === still.slots.length, "the tiles without work");
		/* What is still to be said is said 150 ms after its cause: a timer as long, begun later, ends later. */
		await page.evaluate(() => new Promise((done) => {
			setTimeout(done, 150);
		}));
		await page.evaluate(() => { window.seen.changes.length = 0; });
		for (let i = 0; i < 5; i++)
			standIn.show(still);
		standIn.show({ ...still, counters: counters({ first_pass: 118 }) });
		await page.locator("#first-pass:text-is('118')").waitFor();
		assert.deepEqual(await page.evaluate(() => window.seen.changes), ["childList "]);
	}));

test("on a phone a list, without anything beside the screen", () =>
	withPage(scenes.sixteen, { viewport: PHONE }, async (page) => {
		assert.equal(await page.locator(":root").getAttribute("data-layout"), "list");
		assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
		assert.equal(await page.locator(".why").evaluateAll((list) => list.filter((why) => why.scrollHeight > why.clientHeight + 1).length), 0);
	}));

runTests();
