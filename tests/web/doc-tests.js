// SPDX-License-Identifier: MIT
/*
 * The manual as HTML in a real browser, on a phone and on a wide screen, light and dark: nothing is cut
 * off, and axe-core finds nothing. Leaves pictures in build/web, to be looked at.
 */
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { assert, test, openPage, closePage, judge, shoot, runTests, PHONE } = require("./browser.js");

const DOC = path.resolve(process.argv[2]);
const WIDE = { width: 1440, height: 900 };
/* axe-core asks for the style sheet itself, which the browser lets no script have of a file. */
const ASKED_BY_AXE = /style\.css|preload assets|net::ERR_FAILED/;
const PAGES = fs.readdirSync(DOC, { recursive: true }).filter((name) => name.endsWith(".html")).sort();
/* One of each kind: Markdown, a manual page with drawings, a long one, tables of facts, a file as it is. */
const JUDGED = ["index.html", "plugflash-wiring.7.html", "plugflash.conf.5.html", "facts/stm32-chips.html", "config/examples.html"];

const address = (name) => pathToFileURL(path.join(DOC, name)).href;

async function withDocument(name, options, body) {
	const page = await openPage(address(name), options);

	await body(page);
	await closePage(page);
}

test("there are pages", () => assert.ok(PAGES.length > 25, `${PAGES.length}`));

for (const [size, viewport] of [["390", PHONE], ["1440", WIDE]]) {
	test(`no page is wider than the screen, ${size} pixels`, () =>
		withDocument("index.html", { viewport }, async (page) => {
			for (const name of PAGES) {
				await page.goto(address(name));
				const [wide, images] = await page.evaluate(() => [document.documentElement.scrollWidth,
					[...document.images].filter((image) => !image.complete || image.naturalWidth === 0).map((image) => image.src)]);

				assert.ok(wide <= viewport.width, `${name} is ${wide} pixels wide`);
				assert.deepEqual(images, [], `${name}: drawings that do not load`);
			}
		}));

	for (const colorScheme of ["light", "dark"]) {
		test(`axe-core finds nothing, ${size} pixels, ${colorScheme}`, async () => {
			for (const name of JUDGED) {
				await withDocument(name, { viewport, colorScheme }, async (page) => {
					page.expected = ASKED_BY_AXE;
					await judge(page, name);
					await shoot(page, `doc-${path.basename(name, ".html")}-${size}-${colorScheme}`);
				});
			}
		});
	}
}

runTests();
