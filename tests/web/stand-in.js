// SPDX-License-Identifier: MIT
/*
 * A stand-in for plugflash-web: serves the page with the same strict headers, and streams the states
 * that a test gives it. As a program (`node tests/web/stand-in.js [PORT]`) it plays the scenes of
 * scenes.js one after the other, to look at the page while it is made.
 */
"use strict";
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");

const PAGE = path.join(__dirname, "../../src/web/page");
const TYPES = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml" };
const HEADERS = {
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
		"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"X-Content-Type-Options": "nosniff",
	"Referrer-Policy": "no-referrer",
	"Cache-Control": "no-store",
};

class StandIn {
	constructor() {
		this.streams = new Set();
		this.state = null;
		this.may = { retry: true, token: "0123456789abcdef", why: null };
		this.retries = []; /* what was asked for with the right token */
		this.retryAnswer = [200, { retried: 1 }];
		this.requests = [];
	}

	/* On 127.0.0.1; the port that was had. */
	start(port = 0) {
		this.server = http.createServer((request, response) => this.answer(request, response));
		return new Promise((resolve, reject) => {
			this.server.on("error", reject);
			this.server.listen(port, "127.0.0.1", () => {
				this.port = this.server.address().port;
				this.beat = setInterval(() => this.send("event: beat\ndata: 1\n\n"), 15000);
				resolve(this.port);
			});
		});
	}

	/* As when the service is stopped: streams end, and nobody listens. */
	stop() {
		clearInterval(this.beat);
		this.server.closeAllConnections();
		return new Promise((resolve) => this.server.close(resolve));
	}

	send(text) {
		for (const stream of this.streams)
			stream.write(text);
	}

	/* Ends the streams; others may be opened at once. */
	drop() {
		for (const stream of this.streams)
			stream.end();
		this.streams.clear();
	}

	/* The state from now on, to all who listen. */
	show(state) {
		this.state = { time_ms: Date.now(), ...state };
		this.send(`data: ${JSON.stringify(this.state)}\n\n`);
	}

	answer(request, response) {
		const name = new URL(request.url, "http://localhost").pathname;

		this.requests.push(`${request.method} ${request.url}`);
		if (name === "/api/events")
			return this.openStream(request, response);
		if (name === "/api/may")
			return this.say(response, 200, this.may);
		if (name === "/api/retry" && request.method === "POST")
			return this.takeRetry(request, response);
		const file = name === "/" ? "index.html" : name.slice(1);
		if (!/^[a-z]+\.[a-z]+$/.test(file) || !fs.existsSync(path.join(PAGE, file)))
			return this.say(response, 404, { error: "there is no such thing" });
		response.writeHead(200, { ...HEADERS, "Content-Type": TYPES[path.extname(file)] });
		response.end(fs.readFileSync(path.join(PAGE, file)));
	}

	say(response, status, body) {
		response.writeHead(status, { ...HEADERS, "Content-Type": "application/json" });
		response.end(JSON.stringify(body));
	}

	openStream(request, response) {
		response.writeHead(200, { ...HEADERS, "Content-Type": "text/event-stream" });
		this.streams.add(response);
		request.on("close", () => this.streams.delete(response));
		response.flushHeaders();
		if (this.state)
			response.write(`data: ${JSON.stringify({ ...this.state, time_ms: Date.now() })}\n\n`);
	}

	takeRetry(request, response) {
		if (request.headers["x-plugflash-token"] !== this.may.token)
			return this.say(response, 403, { error: "the token is of another page" });
		this.retries.push(Object.fromEntries(new URL(request.url, "http://localhost").searchParams));
		this.say(response, ...this.retryAnswer);
	}
}

module.exports = { StandIn };

if (require.main === module) {
	const { tour } = require("./scenes.js");
	const standIn = new StandIn();

	standIn.start(Number(process.argv[2] || 8474)).then((port) => {
		console.log(`http://127.0.0.1:${port}/`);
		tour(standIn);
	});
}
