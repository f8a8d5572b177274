// SPDX-License-Identifier: MIT
/* board-line.js - a simulated board for a peer: starts board-line.c and talks to it; and the tests of such a peer, one after the other. */
"use strict";
const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const path = require("node:path");
const readline = require("node:readline");

const BUILD = path.resolve(process.env.BUILD || "build");
const LIMIT_MS = 300000; /* against hanging alone */

class Board {
	constructor(chip, ...application) {
		this.child = spawn(path.join(BUILD, "tests/web/board-line"), [chip, ...application], { stdio: ["pipe", "pipe", "inherit"] });
		this.waiting = [];
		readline.createInterface({ input: this.child.stdout }).on("line", (line) => this.waiting.shift()(line));
		this.path = this.answer();
	}

	answer() {
		return new Promise((resolve) => this.waiting.push(resolve));
	}

	tell(line) {
		const answer = this.answer();

		this.child.stdin.write(`${line}\n`);
		return answer;
	}

	async obey(line) {
		assert.equal(await this.tell(line), "ok");
	}

	end() {
		this.child.stdin.end();
	}
}

/* Each has a name and a body; the process ends with the last. */
async function runTests(tests) {
	let failed = 0;

	for (const [i, { name, body }] of tests.entries()) {
		let timer;

		try {
			await Promise.race([body(), new Promise((resolve, reject) => {
				timer = setTimeout(() => reject(new Error("it does not end")), LIMIT_MS);
			})]);
			console.log(`ok ${i + 1} - ${name}`);
		} catch (error) {
			failed++;
			console.log(`not ok ${i + 1} - ${name}`);
			console.log(String(error && error.stack).replace(/^/gm, "# "));
		}
		clearTimeout(timer);
	}
	console.log(`1..${tests.length}`);
	process.exit(failed ? 1 : 0);
}

module.exports = { BUILD, Board, runTests };
