// SPDX-License-Identifier: MIT
/*
 * The page for the screen: one tile a slot, drawn from the state documents of api/events.
 *
 * Each event carries the whole state, so nothing has to be pieced together: a page that missed any
 * number of events is right after the next one. What is on the screen is changed by difference
 * alone. A tile lives as long as its slot, so focus, a scrolled reason and a half pressed button
 * survive each event, and an event that changes nothing costs a comparison.
 *
 * words.js has all words, tile.js a tile, sound.js the tones.
 *
 * Text from outside (names of products, reasons) reaches the page through textContent only.
 *
 * A stream that ends, or says nothing for 40 s, is given up: the tiles lose their colour, a band says
 * since when, and another stream is opened after 0.5 s, 1 s, 2 s ... 15 s, for as long as it takes.
 *
 * The address takes three words: ?slots=A1,A2 shows these alone, ?big leaves the small print out,
 * ?sound turns the tones on where nobody has chosen yet (for a screen without a keyboard).
 */
import { TEXT } from "./words.js";
import { soundBegin, soundEvent } from "./sound.js";
import { Tile, askMay, keyOf, may, nameOf } from "./tile.js";
import { $, clockOf, memory, numberOf, objectOf, say, setAttribute, setHidden, setProperty, setText, textOf } from "./tools.js";

const SILENCE_MS = 40_000; /* the server says something at least each 15 s */
const GRACE_MS = 1_000; /* a server that restarts is back within this */
const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 15_000;
const NARROW_PX = 640;
const LIST_BELOW_PX = 190;
const TILE_MIN_PX = { width: 150, height: 112 };
const address = new URLSearchParams(location.search);

/* ------------------------------------------------------------------ light and dark */

const VIEWS = ["auto", "light", "dark"];

function viewSet(view) {
	document.documentElement.dataset.view = view;
	setText($("view"), TEXT.views[view]);
}

function viewBegin() {
	const chosen = memory.get("view");

	viewSet(VIEWS.includes(chosen) ? chosen : "auto");
	$("view").addEventListener("click", () => {
		const now = document.documentElement.dataset.view;
		const view = VIEWS[(VIEWS.indexOf(now) + 1) % VIEWS.length];

		memory.set("view", view);
		viewSet(view);
	});
}

/* ------------------------------------------------------------------ the whole screen */

const station = {
	state: null, /* the last document */
	tiles: new Map(),
	link: "opening", /* opening, live, lost; of the stream */
	contactMs: null,
	countdown: 0,
	isFirst: true, /* the next document is the first of its stream: it tells nothing new */
	only: (address.get("slots") || "").split(",").map((name) => name.trim()).filter(Boolean),
	columns: 0,
};

/* The slots to be shown; with ?slots= these alone and in that order. */
function chosenSlots(state) {
	const all = (Array.isArray(state.slots) ? state.slots : []).filter(objectOf);

	if (station.only.length === 0)
		return all;
	return station.only.map((name) => all.find((slot) => slot.slot === name || (!slot.slot && nameOf(slot) === name)) ||
		{ slot: name, light: "held", reason: TEXT.unknownSlot });
}

/*
 * How the tiles lie: "grid", all on the screen, by the number of columns with which a tile twice as
 * wide as high is largest; "scroll", as many columns as can be read, where they are too many for that;
 * "list", each as high as its text, on a narrow screen such as a phone's.
 */
function arrange() {
	const list = $("slots");
	const n = Math.max(1, station.tiles.size);
	/* Measured by what does not depend on the layout, so that one does not lead to another and back. */
	const top = list.getBoundingClientRect().top + scrollY;
	const width = innerWidth, room = Math.max(innerHeight - top, innerHeight / 3);
	let best = { score: -1, columns: 1, rows: 1, layout: "grid" };

	for (let columns = 1; columns <= n && (columns === 1 || width / columns >= TILE_MIN_PX.width); columns++) {
		const rows = Math.ceil(n / columns);
		const isLow = room / rows < TILE_MIN_PX.height;
		const score = Math.min(width / columns / 2, isLow ? TILE_MIN_PX.height : room / rows) * (isLow ? 0.5 : 1);

		if (score > best.score)
			best = { score, columns, rows, layout: isLow ? "scroll" : "grid" };
	}
	if (width < NARROW_PX && room / n < LIST_BELOW_PX)
		best = { columns: 1, rows: n, layout: "list" };
	setProperty(list, "--columns", String(best.columns));
	setProperty(list, "--rows", String(best.rows));
	setAttribute(document.documentElement, "data-layout", best.layout);
	for (const tile of station.tiles.values())
		tile.showScroll();
}

function drawSlots(state, offsetMs) {
	const list = $("slots");
	const slots = chosenSlots(state);
	const seen = new Set();
	let place = list.firstElementChild;
	let isOther = false;

	for (const slot of slots) {
		const key = keyOf(slot);
		let tile = station.tiles.get(key);

		if (seen.has(key))
			continue;
		seen.add(key);
		if (!tile) {
			tile = new Tile(key);
			station.tiles.set(key, tile);
			isOther = true;
		}
		if (tile.node === place)
			place = place.nextElementSibling;
		else
			list.insertBefore(tile.node, place);
		if (tile.show(slot, offsetMs) && !station.isFirst)
			tellEnd(tile);
	}
	for (const [key, tile] of station.tiles) {
		if (!seen.has(key)) {
			tile.node.remove();
			station.tiles.delete(key);
			isOther = true;
		}
	}
	return isOther;
}

/* What has just ended is said, sounded, and marked for a moment. */
function tellEnd(tile) {
	tile.node.classList.remove("fresh");
	void tile.node.offsetWidth; /* lets the mark begin anew */
	tile.node.classList.add("fresh");
	say(TEXT.say(tile.name, TEXT.lights[tile.light], tile.parts.reason.textContent));
	soundEvent(tile.light);
}

function drawCounts(state) {
	const counters = objectOf(state.counters);
	const share = counters ? numberOf(counters.yield_percent) : null;
	const figure = (value) => String(numberOf(value) ?? TEXT.noFigure);

	setHidden($("counts"), !counters);
	if (!counters)
		return;
	setText($("first-pass"), figure(counters.first_pass));
	setText($("retried"), figure(counters.retried));
	setText($("bad-count"), figure(counters.bad));
	setText($("yield"), share === null ? TEXT.noFigure : TEXT.percent(share));
}

function drawBatch(state) {
	const batch = objectOf(state.batch);
	const done = batch ? numberOf(batch.done) || 0 : 0;
	const count = batch ? numberOf(batch.count) || 0 : 0;
	const isDone = count > 0 && done >= count;
	const board = batch ? textOf(batch.board) : "";

	setHidden($("batch"), count <= 0);
	setHidden($("done"), !isDone);
	if (count <= 0)
		return;
	setText($("batch-title"), TEXT.batch(board));
	setText($("batch-done"), String(done));
	setText($("batch-count"), String(count));
	if ($("batch-bar").max !== count)
		$("batch-bar").max = count;
	if ($("batch-bar").value !== Math.min(done, count))
		$("batch-bar").value = Math.min(done, count);
	setText($("done-title"), TEXT.batchDone(board, done, count));
}

function drawBands(service, isThere) {
	const state = textOf(service.state);
	const reason = textOf(service.pause_reason);
	const isLost = station.link === "lost";
	const blocks = isThere && (state === "paused" || state === "stopping" || reason !== "");
	const notice = textOf(service.config_error) ? TEXT.configError(textOf(service.config_error))
		: service.config_stale === true ? TEXT.configStale : "";
	const turnedOff = textOf(service.turned_off);

	setHidden($("lost"), !isLost && (isThere || station.link === "opening"));
	setText($("lost-title"), isLost ? TEXT.lost : TEXT.gone);
	setText($("lost-text"), !isLost ? TEXT.goneText
		: station.contactMs === null ? TEXT.lostFirst : TEXT.lostText(clockOf(station.contactMs)));
	setHidden($("paused"), !blocks || isLost);
	setText($("paused-title"), state === "stopping" ? TEXT.stopping : state === "paused" ? TEXT.paused : TEXT.inhibited);
	setText($("paused-text"), state === "stopping" ? TEXT.stoppingText : reason);
	setHidden($("notice"), !isThere || isLost || (notice === "" && turnedOff === ""));
	setText($("notice-text"), notice);
	setText($("turned-off"), turnedOff === "" ? "" : TEXT.turnedOff(turnedOff));
}

function drawSummary(isCurrent) {
	const counts = {};

	for (const tile of station.tiles.values())
		counts[tile.light] = (counts[tile.light] || 0) + 1;
	const text = isCurrent ? TEXT.summary(counts) : station.link === "opening" ? TEXT.opening
		: station.link === "lost" ? TEXT.lost : TEXT.gone;
	setText($("summary"), text);
	if (document.title !== TEXT.title(text))
		document.title = TEXT.title(text);
}

/* Draws the last document again: after an event, and after a change of the stream. */
function draw() {
	const state = station.state || {};
	const service = objectOf(state.service) || {};
	const isThere = service.there === true;
	const isCurrent = station.link === "live" && isThere;
	const offsetMs = state.offsetMs || 0;
	let isOther = false;

	setAttribute(document.documentElement, "data-link",
		station.link !== "live" ? station.link : isThere ? "live" : "gone");
	/* Without a service the document has no slots: the tiles stay, without colour, as what was. */
	if (isThere) {
		isOther = drawSlots(state, offsetMs);
		drawCounts(state);
		drawBatch(state);
	}
	drawBands(service, isThere);
	drawSummary(isCurrent);
	const isEmpty = isThere && station.tiles.size === 0;
	setHidden($("empty"), !isEmpty);
	setText($("empty"), isEmpty ? TEXT.nothing : "");
	if (isOther)
		arrange();
	else
		for (const tile of station.tiles.values())
			tile.showScroll();
	countDown(isCurrent);
}

function countDown(isCurrent) {
	const isNeeded = isCurrent && [...station.tiles.values()].some((tile) => tile.endMs !== null);

	if (isNeeded && station.countdown === 0) {
		station.countdown = setInterval(() => {
			for (const tile of station.tiles.values())
				if (tile.endMs !== null)
					tile.showLeft();
		}, 1000);
	} else if (!isNeeded && station.countdown !== 0) {
		clearInterval(station.countdown);
		station.countdown = 0;
	}
}

/* ------------------------------------------------------------------ the stream */

const stream = { source: null, silence: 0, again: 0, grace: 0, delayMs: RETRY_FIRST_MS };

function setLink(link) {
	if (station.link === link)
		return;
	if (link === "lost")
		say(`${TEXT.lost}.`);
	else if (link === "live" && station.link === "lost")
		say(`${TEXT.back}.`);
	station.link = link;
}

function heard() {
	clearTimeout(stream.silence);
	stream.silence = setTimeout(streamFailed, SILENCE_MS);
	station.contactMs = Date.now();
}

function streamFailed() {
	if (stream.source)
		stream.source.close();
	stream.source = null;
	clearTimeout(stream.silence);
	clearTimeout(stream.again);
	stream.again = setTimeout(streamOpen, stream.delayMs);
	stream.delayMs = Math.min(RETRY_LAST_MS, stream.delayMs * 2);
	if (stream.grace === 0 && station.link !== "lost") {
		stream.grace = setTimeout(() => {
			setLink("lost");
			draw();
		}, GRACE_MS);
	}
}

function streamEvent(event) {
	let state;

	try {
		state = objectOf(JSON.parse(event.data));
	} catch {
		state = null;
	}
	if (!state) {
		streamFailed();
		return;
	}
	const wasThere = Boolean(station.state && objectOf(station.state.service)?.there);
	const isThere = objectOf(state.service)?.there === true;

	heard();
	clearTimeout(stream.grace);
	stream.grace = 0;
	stream.delayMs = RETRY_FIRST_MS;
	state.offsetMs = (numberOf(state.time_ms) ?? Date.now()) - Date.now();
	if (station.state && wasThere !== isThere)
		say(isThere ? `${TEXT.back}.` : `${TEXT.gone}.`);
	/* What a service that has just come shows is not news of the last second. */
	if (!wasThere)
		station.isFirst = true;
	station.state = state;
	setLink("live");
	draw();
	station.isFirst = false;
}

function streamOpen() {
	const source = new EventSource("api/events");

	stream.source = source;
	station.isFirst = true;
	clearTimeout(stream.silence);
	stream.silence = setTimeout(streamFailed, SILENCE_MS);
	source.addEventListener("open", () => askMay());
	source.addEventListener("message", streamEvent);
	source.addEventListener("beat", heard);
	source.addEventListener("error", () => {
		if (stream.source === source)
			streamFailed();
	});
}

/* ------------------------------------------------------------------ the beginning */

function begin() {
	document.documentElement.lang = TEXT.language;
	document.documentElement.dataset.print = address.has("big") ? "big" : "all";
	for (const node of document.querySelectorAll("[data-text]")) {
		const name = node.dataset.text.replace(/_(.)/g, (_, letter) => letter.toUpperCase());

		node.textContent = TEXT[name];
	}
	soundBegin(address.has("sound"));
	viewBegin();
	may.onChange = draw;
	draw();
	addEventListener("resize", arrange);
	const heads = new ResizeObserver(arrange);
	heads.observe(document.querySelector("header"));
	heads.observe($("bands"));
	streamOpen();
}

begin();
