// SPDX-License-Identifier: MIT
/*
 * One tile: what it says of its slot, and the button that asks for a retry.
 *
 * A tile is made once for a slot and then changed where something differs.
 */
import { TEXT } from "./words.js";
import { $, clockOf, numberOf, objectOf, say, setAttribute, setHidden, setProperty, setText, textOf } from "./tools.js";

const SHORT_LIGHTS = ["good", "idle", "waiting", "working"]; /* no reason to read */

/* The last part of "/dev/ttyUSB0": what stands on a tile whose socket has no name. */
export function nameOf(slot) {
	const port = textOf(slot.port);

	return textOf(slot.slot) || port.slice(port.lastIndexOf("/") + 1) || textOf(slot.path) || TEXT.noFigure;
}

export function keyOf(slot) {
	if (textOf(slot.slot))
		return `slot ${textOf(slot.slot)}`;
	return textOf(slot.object) ? `object ${textOf(slot.object)}` : `path ${textOf(slot.path)}`;
}

function lightOf(slot) {
	const light = textOf(slot.light);

	return Object.hasOwn(TEXT.lights, light) ? light : "held";
}

/* It has its turn once the pause ends; a reason of the attempt before says nothing of that. */
function waitsForPause(slot, light) {
	return light === "held" && (slot.state === "waiting" || slot.state === "settling");
}

/* One line between word and small print, where there is no reason. */
function detailOf(slot, light) {
	const held = numberOf(slot.held_until_ms);

	if (light === "idle")
		return slot.state === "empty" ? TEXT.plugIn : textOf(slot.reason);
	if (light === "waiting")
		return slot.state === "settling" ? TEXT.settling : TEXT.queued;
	if (light === "good") {
		const outcome = textOf(slot.outcome);
		const words = Object.hasOwn(TEXT.outcomes, outcome) ? TEXT.outcomes[outcome] : outcome;

		return [words, textOf(slot.version)].filter(Boolean).join(" · ");
	}
	if (light === "held" && held !== null)
		return TEXT.heldUntil(clockOf(held));
	return "";
}

function smallOf(slot, job) {
	const image = textOf(job ? job.image : slot.image);
	const version = textOf(job ? job.version : "");
	const attempt = job ? numberOf(job.attempt) : null;
	const last = job ? null : numberOf(slot.last_ms);

	return [
		textOf(slot.board),
		textOf(slot.unit),
		image.slice(image.lastIndexOf("/") + 1),
		image.includes(version) ? "" : version,
		attempt !== null && attempt > 1 ? TEXT.attempt(attempt) : "",
		last !== null && last > 0 ? TEXT.at(clockOf(last)) : "",
		slot.slot && slot.port ? textOf(slot.port).replace("/dev/", "") : "",
	].filter(Boolean).join(" · ");
}

export class Tile {
	constructor(key) {
		const node = $("tile").content.firstElementChild.cloneNode(true);

		this.key = key;
		this.node = node;
		this.parts = {};
		for (const name of ["inner", "name", "word", "work", "percent", "left", "bar", "phase", "why", "reason",
			"next", "detail", "small", "note", "retry"])
			this.parts[name] = node.querySelector(`.${name}`);
		this.use = node.querySelector("use");
		this.light = null;
		this.lastMs = null;
		this.endMs = null; /* when its work is expected to end, by the clock of this browser */
		this.asked = null; /* the state that a retry was asked for in */
		setText(this.parts.retry, TEXT.retry);
		this.parts.retry.addEventListener("click", () => this.askRetry());
	}

	/* Draws the slot. True where a unit has ended since the last time. */
	show(slot, offsetMs) {
		const light = lightOf(slot);
		const lastMs = numberOf(slot.last_ms);
		const job = light === "working" ? objectOf(slot.job) : null;
		const hasEnded = this.light !== null && (light !== this.light || lastMs !== this.lastMs) &&
			!SHORT_LIGHTS.slice(1).includes(light);

		this.slot = slot;
		this.name = nameOf(slot);
		if (light !== this.light) {
			setAttribute(this.node, "data-light", light);
			setAttribute(this.use, "href", `#sign-${light}`);
		}
		this.light = light;
		this.lastMs = lastMs;
		this.showWords(slot, light);
		this.showWork(job, offsetMs);
		this.showWhy(slot, light);
		this.showRetry(slot, light);
		setText(this.parts.detail, detailOf(slot, light));
		setText(this.parts.small, smallOf(slot, job));
		return hasEnded;
	}

	showWords(slot, light) {
		setText(this.parts.name, this.name);
		setText(this.parts.word, TEXT.lights[light]);
		setProperty(this.node, "--name", String(Math.max(2, this.name.length)));
		setProperty(this.node, "--word", String(TEXT.lights[light].length));
		setAttribute(this.parts.bar, "aria-label", TEXT.progressLabel(this.name));
		setAttribute(this.parts.retry, "aria-label", TEXT.retryLabel(this.name));
	}

	showWork(job, offsetMs) {
		const percent = job ? numberOf(job.percent) : null;
		const end = job ? numberOf(job.expected_end_ms) : null;

		setHidden(this.parts.work, !job);
		this.endMs = end !== null && end > 0 ? end - offsetMs : null;
		if (!job) {
			setText(this.parts.left, "");
			return;
		}
		const shown = percent === null ? null : Math.min(100, Math.max(0, Math.floor(percent)));
		const phase = textOf(job.phase);
		const words = Object.hasOwn(TEXT.phases, phase) ? TEXT.phases[phase] : phase;
		const operation = Object.hasOwn(TEXT.operations, textOf(job.operation)) ? TEXT.operations[job.operation] : "";

		/* A bar without a value would move all the time: it is left out. */
		setHidden(this.parts.bar, shown === null);
		if (shown !== null && this.parts.bar.value !== shown)
			this.parts.bar.value = shown;
		setText(this.parts.percent, shown === null ? "" : TEXT.percent(shown));
		setText(this.parts.phase, [words, operation].filter(Boolean).join(", "));
		this.showLeft();
	}

	/* Counts down between two events, and once a second while something works. */
	showLeft() {
		const left = this.endMs === null ? null : Math.ceil((this.endMs - Date.now()) / 1000);

		setText(this.parts.left, left === null ? "" : left > 0 ? TEXT.left(left) : TEXT.leftSoon);
	}

	showWhy(slot, light) {
		const hasWhy = !SHORT_LIGHTS.includes(light);
		const reason = hasWhy && !waitsForPause(slot, light) ? textOf(slot.reason) ||
			(slot.state === "flapping" ? TEXT.flapping : textOf(slot.outcome)) : "";
		const next = hasWhy ? textOf(slot.next) : "";
		const length = reason.length + next.length;

		setHidden(this.parts.why, reason === "" && next === "");
		setText(this.parts.reason, reason);
		setText(this.parts.next, next ? TEXT.next(next) : "");
		setAttribute(this.node, "data-why", !hasWhy ? "none" : length > 240 ? "longest" : length > 150 ? "long" : "short");
	}

	showRetry(slot, light) {
		const can = may.retry && Boolean(slot.object) &&
			(light === "bad" || (light === "held" && slot.outcome === "quarantined"));
		const state = `${light} ${slot.last_ms}`;

		if (this.asked !== null && this.asked !== state) {
			this.asked = null;
			this.showNote("");
		}
		/* Who pressed it by the keyboard goes on from the tile, not from the top of the page. */
		if (!can && document.activeElement === this.parts.retry)
			this.parts.name.focus();
		setHidden(this.parts.retry, !can);
		setAttribute(this.parts.retry, "aria-disabled", String(this.asked !== null));
	}

	showNote(text) {
		setText(this.parts.note, text);
		if (text)
			say(`${this.name}: ${text}.`);
	}

	async askRetry() {
		if (this.asked !== null)
			return;
		this.asked = `${this.light} ${this.slot.last_ms}`;
		setAttribute(this.parts.retry, "aria-disabled", "true");
		this.showNote(TEXT.retryAsked);
		const problem = await postRetry(this.slot);
		if (problem === "")
			return;
		this.asked = null;
		setAttribute(this.parts.retry, "aria-disabled", "false");
		this.showNote(problem);
	}

	/* A text that does not fit is reached by Tab and scrolled by the keys; one that fits is no stop. */
	showScroll() {
		const why = this.parts.why;
		const scrolls = !why.hidden && why.scrollHeight > why.clientHeight + 1;

		if (scrolls && why.tabIndex !== 0) {
			why.tabIndex = 0;
			setAttribute(why, "role", "group");
			setAttribute(why, "aria-label", TEXT.reasonLabel(this.name));
		} else if (!scrolls && why.tabIndex === 0 && document.activeElement !== why) {
			for (const name of ["tabindex", "role", "aria-label"])
				why.removeAttribute(name);
		}
	}
}

/* ------------------------------------------------------------------ what this screen may do */

/*
 * What the server lets this screen do; `onChange` is called after each answer. `page` is the mark of
 * the page's files: another one means that the package was upgraded while the screen stayed on.
 */
export const may = { retry: false, token: "", page: "", onChange() {} };

export async function askMay() {
	try {
		const answer = await fetch("api/may", { cache: "no-store" });
		const body = answer.ok ? objectOf(await answer.json()) : null;

		may.retry = Boolean(body && body.retry === true && textOf(body.token));
		may.token = may.retry ? body.token : "";
		const mark = textOf(body && body.page);

		if (may.page && mark && mark !== may.page)
			location.reload();
		may.page = may.page || mark;
	} catch {
		may.retry = false;
	}
	may.onChange();
}

/* "" or what went wrong, in words. A server that was started again has another token: once more with it. */
async function postRetry(slot, isAgain = false) {
	const [name, value] = textOf(slot.slot) ? ["slot", slot.slot] : ["port", textOf(slot.port)];
	const { token } = may;

	try {
		const answer = await fetch(`api/retry?${name}=${encodeURIComponent(value)}`, {
			method: "POST",
			headers: { "X-Plugflash-Token": token },
		});
		const said = objectOf(await answer.json().catch(() => null));

		if (answer.ok)
			return said && said.retried === 0 ? TEXT.retryNothing : "";
		if (answer.status === 403 && !isAgain) {
			await askMay();
			if (may.retry && may.token !== token)
				return await postRetry(slot, true);
		}
		return TEXT.retryFailed((said && textOf(said.error)) || String(answer.status));
	} catch {
		return TEXT.retryFailed(TEXT.noAnswer);
	}
}
