// SPDX-License-Identifier: MIT
/* A stand-in and a page on it, for the length of a test; and what a person gets from a tile. */
"use strict";
const { assert, openPage, closePage } = require("./browser.js");
const { StandIn } = require("./stand-in.js");

/*
 * A stand-in that shows `first` (null: nothing yet), and a page on it: for `body(page, standIn)`, and
 * all ended after it. options: `query` and `may`, else those of openPage().
 */
async function withPage(first, options, body) {
	const standIn = new StandIn();
	const port = await standIn.start();
	const { query = "", may, ...pageOptions } = options;

	if (may)
		standIn.may = may;
	if (first)
		standIn.show(first);
	const page = await openPage(`http://127.0.0.1:${port}/${query}`, pageOptions);
	if (first && first.service.there)
		await page.locator(":root[data-link=live]").waitFor();
	try {
		await body(page, standIn);
		await closePage(page);
	} finally {
		await page.context().close();
		await standIn.stop();
	}
}

function tileOf(page, name) {
	return page.locator(".tile", { has: page.locator(`h2:text-is("${name}")`) });
}

async function expectLight(page, name, light, word = light) {
	await page.locator(`.tile[data-light="${light}"]`, { has: page.locator(`h2:text-is("${name}")`) }).waitFor();
	assert.equal(await tileOf(page, name).locator(".word").innerText(), word);
}

const visibleText = (page, name, part) => tileOf(page, name).locator(`.${part}`).innerText();

module.exports = { withPage, tileOf, expectLight, visibleText };
