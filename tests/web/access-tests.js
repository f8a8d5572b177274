// SPDX-License-Identifier: MIT
/*
 * Whether everybody can use the page: contrast and structure by axe-core, keys, large and small
 * screens, text that can be read from three metres, less motion, forced colours, eyes that do not tell
 * red from green; and what the page costs. Leaves pictures of it all in build/web, to be looked at.
 */
"use strict";
const { assert, test, figure, judge, shoot, until, runTests, HD, PHONE, UHD, SERVER_GONE } = require("./browser.js");
const { withPage, tileOf, expectLight, visibleText } = require("./with-page.js");
const { processorSeconds } = require("./cost.js");
const { slot, working, good, bad, state, many, scenes } = require("./scenes.js");

/* ------------------------------------------------------------------ axe-core */

const LONG_REASON = "the boot loader does not answer: ".repeat(40) + "the end";
const judged = (scene) => scene === "long"
	? state([bad("A1", 1, { reason: LONG_REASON }), bad("A2", 2), good("A3", 3), working("A4", 4)]) : scenes[scene];
const JUDGED = [...Object.keys(scenes), "long"];

for (const colorScheme of ["light", "dark"]) {
	for (const [name, viewport] of [["1920x1080", HD], ["390x844", PHONE]]) {
		test(`axe-core finds nothing in any state, ${colorScheme}, ${name}`, () =>
			withPage(scenes.all, { colorScheme, viewport }, async (page, standIn) => {
				let checks = 0;

				for (const scene of JUDGED) {
					const document = judged(scene);

					standIn.show(document);
					await until(() => page.evaluate((n) => globalThis.document.querySelectorAll(".tile").length === n || n === 0,
						document.slots.length), scene);
					await page.evaluate(() => new Promise(requestAnimationFrame));
					const result = await judge(page, scene);
					checks += result.passes.length;
					assert.ok(result.passes.some((one) => one.id === "color-contrast"), `${scene}: contrast was judged`);
				}
				assert.ok(checks > 20 * JUDGED.length);
				page.expected = SERVER_GONE;
		await standIn.stop();
				await page.locator("#lost-title:text-is('No connection')").waitFor();
				await judge(page, "lost");
				await standIn.start();
			}));
	}
}

/* The ratio of two colours by WCAG 2.2, "contrast ratio". */
function contrast(one, other) {
	const luminance = (text) => {
		const [r, g, b] = text.match(/[\d.]+/g).slice(0, 3).map((v) => v / 255)
			.map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);

		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);

	return (high + 0.05) / (low + 0.05);
}

for (const colorScheme of ["light", "dark"]) {
	test(`word, sign and bar of each state against their ground, and good against bad, ${colorScheme}`, () =>
		withPage(scenes.all, { colorScheme }, async (page) => {
			const looks = await page.locator(".tile").evaluateAll((tiles) => tiles.map((tile) => [tile.dataset.light,
				getComputedStyle(tile).backgroundColor, getComputedStyle(tile.querySelector(".word")).color]));
			const ground = new Map(looks.map(([light, back]) => [light, back]));
			const worst = Math.min(...looks.map(([, back, ink]) => contrast(back, ink)));
			const apart = contrast(ground.get("good"), ground.get("bad"));

			assert.ok(worst >= 4.5, `${worst}`);
			/* Differing in lightness alone, for who does not tell the hues apart. */
			assert.ok(apart >= 2, `${apart}`);
			figure(`${colorScheme}: lowest contrast of a state's word ${worst.toFixed(1)}:1; good and bad differ in lightness by ${apart.toFixed(1)}:1`);
		}));
}

/* ------------------------------------------------------------------ keys */

test("by Tab alone: skip link, sound, view, a long reason, retry; each shows that it has the focus", () =>
	withPage(state([good("A1", 1), bad("A2", 2, { reason: LONG_REASON }), bad("A3", 3), slot("A4")]), {}, async (page) => {
		const seen = [];

		await page.getByRole("button", { name: "Retry A3" }).waitFor();
		for (let i = 0; i < 6; i++) {
			await page.keyboard.press("Tab");
			const [name, shows] = await page.evaluate(() => {
				const node = document.activeElement, look = getComputedStyle(node), place = node.getBoundingClientRect();

				return [node.getAttribute("aria-label") || node.textContent.trim(), look.outlineStyle !== "none" &&
					parseFloat(look.outlineWidth) >= 2 && place.top >= 0 && place.bottom <= innerHeight];
			});
			seen.push(name);
			assert.ok(shows, `${name} shows its focus`);
		}
		assert.deepEqual(seen, ["Skip to the slots", "Sound: off", "View: auto", "reason and next step of A2", "Retry A2", "Retry A3"]);
	}));

test("the skip link leads behind the head", () =>
	withPage(state([bad("A1", 1)]), {}, async (page) => {
		await page.getByRole("button", { name: "Retry A1" }).waitFor();
		await page.keyboard.press("Tab");
		await page.keyboard.press("Enter");
		await page.keyboard.press("Tab");
		assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "Retry A1");
	}));

test("a reason that is longer than its tile is scrolled by the keys to its last word", () =>
	withPage(state(many(15).concat(bad("Z1", 99, { reason: LONG_REASON, next: "the last word" }))), {}, async (page) => {
		const why = tileOf(page, "Z1").locator(".why");

		assert.ok(await why.evaluate((node) => node.scrollHeight > node.clientHeight));
		await why.focus();
		await page.keyboard.press("End");
		await until(() => why.evaluate((node) => node.scrollTop + node.clientHeight >= node.scrollHeight - 1), "the end");
		assert.ok(await why.evaluate((node) => {
			const last = node.lastElementChild.getBoundingClientRect(), box = node.getBoundingClientRect();

			return last.bottom <= box.bottom + 1;
		}));
	}));

/* ------------------------------------------------------------------ sizes */

/* Texts that stand outside of their tile, or are cut, but for what may be (small print, a list's reasons). */
function cutTexts() {
	const cut = [];

	for (const tile of document.querySelectorAll(".tile")) {
		const box = tile.getBoundingClientRect();

		for (const part of tile.querySelectorAll(".name, .word, .percent, .left, .sign, .bar, .retry, .why")) {
			const place = part.getBoundingClientRect();

			if (place.width > 0 && (place.left < box.left - 1 || place.right > box.right + 1 || place.top < box.top - 1 ||
				place.bottom > box.bottom + 1 || (!part.matches(".sign, .why") && part.scrollWidth > part.clientWidth + 1 &&
				getComputedStyle(part).display !== "inline")))
				cut.push(`${tile.querySelector(".name").textContent} ${tile.dataset.light}: ${part.getAttribute("class")}`);
		}
	}
	return cut;
}

for (const [name, viewport] of [["1920x1080", HD], ["3840x2160", UHD], ["1280x720", { width: 1280, height: 720 }]]) {
	for (const count of [1, 2, 3, 4, 8, 16, 32, 60]) {
		if (name === "1280x720" && count > 32)
			continue;
		test(`${count} slots are all on ${name}, and no large text is cut`, () =>
			withPage(state(many(count), { batch: scenes.all.batch }), { viewport }, async (page, standIn) => {
				/* Each slot in each of the states, one after the other. */
				for (let turn = 0; turn < (count < 8 ? 10 : 1); turn++) {
					const kinds = many(60 + turn).slice(turn, turn + count);
					const names = many(count).map((one) => one.slot);

					standIn.show(state(kinds.map((one, i) => ({ ...one, slot: names[i] })), { batch: scenes.all.batch }));
					await page.evaluate(() => new Promise(requestAnimationFrame));
					assert.deepEqual(await page.evaluate(cutTexts), []);
				}
				assert.equal(await page.locator(":root").getAttribute("data-layout"), "grid");
				assert.ok(await page.evaluate(() => document.documentElement.scrollHeight <= innerHeight && document.documentElement.scrollWidth <= innerWidth));
			}));
	}
}

test("more slots than can be read at once scroll, downwards alone", () =>
	withPage(state(many(64).concat(many(64).map((one) => ({ ...one, slot: `${one.slot}b`, object: null })))), {}, async (page) => {
		assert.equal(await page.locator(":root").getAttribute("data-layout"), "scroll");
		assert.equal(await page.locator(".tile").count(), 128);
		/* A layout that is measured by what it does itself would go to and fro. */
		await page.evaluate(() => {
			window.seen.layouts = 0;
			new MutationObserver(() => window.seen.layouts++).observe(document.documentElement, { attributeFilter: ["data-layout"] });
		});
		await page.setViewportSize({ width: 1800, height: 1000 });
		await page.waitForTimeout(300);
		assert.equal(await page.evaluate(() => window.seen.layouts), 0);
		assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight > innerHeight));
		assert.deepEqual(await page.evaluate(cutTexts), []);
	}));

test("long names of slots and figures of large batches stay within their places", () =>
	withPage(state(many(4).map((one, i) => ({ ...one, slot: ["bench-left-upper-3", "Prüfplatz Süd 12", "W".repeat(64), "A"][i] })),
		{ batch: { board: "gateway-with-a-long-name", count: 1000000, done: 999999, started_ms: 1 } }), {}, async (page) => {
		assert.deepEqual((await page.evaluate(cutTexts)).filter((text) => !text.startsWith("WWWW")), []);
		assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
	}));

test("text of twice the size loses nothing", () =>
	withPage(scenes.sixteen, { viewport: { width: 960, height: 540 } }, async (page) => {
		assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
		assert.deepEqual(await page.evaluate(cutTexts), []);
	}));

/*
 * From three metres. A screen of 24 inches and 1920 pixels is 531 mm wide, a pixel 0.2767 mm. An eye of
 * 20/20 reads letters of 5 minutes of arc (4.36 mm from 3 m); ISO 9241-303 asks for 16 minutes where
 * one reads at ease. The cap height is that of the font in use.
 */
const MM_PER_PIXEL = 531.4 / 1920;
const minutesOf = (pixels) => Math.atan(pixels * MM_PER_PIXEL / 3000) * 180 / Math.PI * 60;

for (const [count, least] of [[1, 16], [4, 16], [16, 7.5], [60, 5]]) {
	test(`word and name of each of ${count} slots can be read from three metres`, () =>
		withPage(state(many(count), { batch: scenes.all.batch }), {}, async (page, standIn) => {
			let lowest = { word: Infinity, name: Infinity, sign: Infinity };

			for (let turn = 0; turn < (count < 8 ? 10 : 1); turn++) {
				standIn.show(state(many(60 + turn).slice(turn, turn + count).map((one, i) => ({ ...one, slot: `A${i + 1}` })),
					{ batch: scenes.all.batch }));
				await page.evaluate(() => new Promise(requestAnimationFrame));
				const heights = await page.locator(".tile").evaluateAll((tiles) => tiles.map((tile) => {
					const cap = (node) => {
						const look = getComputedStyle(node), brush = document.createElement("canvas").getContext("2d");

						brush.font = `${look.fontWeight} ${look.fontSize} ${look.fontFamily}`;
						return brush.measureText("H").actualBoundingBoxAscent;
					};

					return { word: cap(tile.querySelector(".word")), name: cap(tile.querySelector(".name")),
						sign: tile.querySelector(".sign").getBoundingClientRect().height };
				}));
				for (const key of Object.keys(lowest))
					lowest[key] = Math.min(lowest[key], ...heights.map((one) => one[key]));
			}
			assert.ok(minutesOf(lowest.word) >= least, `word: ${minutesOf(lowest.word)}'`);
			assert.ok(minutesOf(lowest.name) >= 5, `name: ${minutesOf(lowest.name)}'`);
			figure(`${count} slots on 24 inch from 3 m, at least: word ${lowest.word.toFixed(0)} px of cap height (${(lowest.word * MM_PER_PIXEL).toFixed(1)} mm, ` +
				`${minutesOf(lowest.word).toFixed(1)}'), name ${minutesOf(lowest.name).toFixed(1)}', sign ${minutesOf(lowest.sign).toFixed(1)}'; 20/20 reads 5'`);
		}));
}

/* ------------------------------------------------------------------ motion and forced colours */

for (const [reducedMotion, moves] of [["reduce", false], ["no-preference", true]]) {
	test(`prefers-reduced-motion: ${reducedMotion}: a tile that has become good ${moves ? "moves for a moment" : "does not move"}`, () =>
		withPage(state([working("A1", 1)]), { reducedMotion }, async (page, standIn) => {
			standIn.show(state([good("A1", 1)]));
			await expectLight(page, "A1", "good");
			const times = await page.evaluate(() => document.getAnimations().map((one) => one.effect.getComputedTiming().endTime));

			assert.equal(times.length > 0, moves);
			assert.ok(times.every((time) => time <= 2000), "it ends");
		}));
}

test("with forced colours word, sign and border still tell the states", () =>
	withPage(scenes.all, { forcedColors: "active" }, async (page) => {
		for (const tile of await page.locator(".tile").all()) {
			assert.ok(await tile.evaluate((node) => parseFloat(getComputedStyle(node).borderWidth)) >= 2);
			assert.ok(await tile.locator(".word").isVisible());
		}
		const cut = await tileOf(page, "A4").locator(".sign").evaluate((sign) => getComputedStyle(sign).getPropertyValue("--under"));
		assert.match(cut, /canvas/i);
		await shoot(page, "forced-colors");
	}));

/* ------------------------------------------------------------------ cost */

test("16 slots that work, four events a second: what the page costs", () =>
	withPage(scenes.sixteen, {}, async (page, standIn) => {
		const debug = await page.context().newCDPSession(page);
		const metrics = async () => Object.fromEntries((await debug.send("Performance.getMetrics")).metrics.map((one) => [one.name, one.value]));
		const names = many(16).map((one) => one.slot);
		const n_events = 40;

		await debug.send("Performance.enable", { timeDomain: "threadTicks" });
		await page.waitForTimeout(1000);
		const before = await metrics(), cpuBefore = processorSeconds("--type=renderer"), begin = Date.now();
		for (let i = 0; i < n_events; i++) {
			standIn.show(state(names.map((name, n) => working(name, n, { percent: 10 + i, expected_end_ms: Date.now() + 30000 - i * 250 }))));
			await page.waitForTimeout(250);
		}
		const seconds = (Date.now() - begin) / 1000;
		const after = await metrics();
		const script = (after.ScriptDuration - before.ScriptDuration) / seconds;
		const main = (after.TaskDuration - before.TaskDuration) / seconds;
		const renderer = (processorSeconds("--type=renderer") - cpuBefore) / seconds;

		assert.equal(await visibleText(page, "A1", "percent"), "49\u202f%");
		figure(`16 working slots, 4 events a second: the page's own thread ${(main * 100).toFixed(1)} % of a core (script ${(script * 100).toFixed(1)} %), ` +
			`its process with drawing by the processor at 1920x1080 ${(renderer * 100).toFixed(1)} %`);
		/* The aim is 5 %, and the figure tells. A slower machine is not judged; a layout without rest took 128 %. */
		assert.ok(main <= 0.25, `${main}`);
	}));

test("a page at rest costs nothing", () =>
	withPage(state(many(16).filter((one) => one.light !== "working")), {}, async (page) => {
		await page.waitForTimeout(1500);
		const before = processorSeconds("--type=renderer");
		await page.waitForTimeout(5000);
		const share = (processorSeconds("--type=renderer") - before) / 5;

		figure(`at rest the page's process takes ${(share * 100).toFixed(1)} % of a core`);
		assert.ok(share <= 0.02, `${share}`);
	}));

/* ------------------------------------------------------------------ pictures */

const PICTURES = [
	["all", HD, "light"], ["all", HD, "dark"], ["one", HD, "dark"], ["oneBad", HD, "light"], ["oneGood", HD, "dark"],
	["four", HD, "light"], ["sixteen", HD, "light"], ["sixteen", HD, "dark"], ["sixty", HD, "dark"], ["paused", HD, "dark"],
	["done", HD, "light"], ["notice", HD, "dark"], ["nothing", HD, "light"], ["gone", HD, "dark"], ["long", HD, "light"],
	["all", PHONE, "light"], ["sixteen", PHONE, "dark"], ["one", PHONE, "light"], ["oneBad", PHONE, "dark"], ["paused", PHONE, "light"],
	["sixteen", UHD, "dark"], ["four", UHD, "light"], ["sixty", UHD, "light"],
];

test("pictures of it all", async () => {
	for (const [scene, viewport, colorScheme] of PICTURES) {
		await withPage(judged(scene), { viewport, colorScheme }, async (page) => {
			await page.evaluate(() => new Promise(requestAnimationFrame));
			await shoot(page, `${scene}-${viewport.width}x${viewport.height}-${colorScheme}`);
		});
	}
});

for (const [name, viewport] of [["1920x1080", HD], ["390x844", PHONE]]) {
	test(`a picture of the lost connection, ${name}`, () =>
		withPage(scenes.sixteen, { viewport }, async (page, standIn) => {
			page.expected = SERVER_GONE;
		await standIn.stop();
			await page.locator("#lost").waitFor();
			await shoot(page, `lost-${name}-light`);
			await standIn.start();
		}));
}

runTests();
