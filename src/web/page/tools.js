// SPDX-License-Identifier: MIT
/* Small things that all parts of the page use: reading documents, changing nodes only where they differ. */

const TEXT_MAX = 2000; /* characters of one text that are shown */

export const $ = (id) => document.getElementById(id);

/* A text of the document, bounded; "" for whatever else stands there. */
export function textOf(value) {
	return typeof value === "string" ? value.slice(0, TEXT_MAX) : "";
}

export function numberOf(value) {
	return typeof value === "number" && Number.isFinite(value) ? value : null;
}

export function objectOf(value) {
	return value !== null && typeof value === "object" && !Array.isArray(value) ? value : null;
}

export function setText(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

export function setHidden(node, hidden) {
	if (node.hidden !== hidden)
		node.hidden = hidden;
}

export function setAttribute(node, name, value) {
	if (node.getAttribute(name) !== value)
		node.setAttribute(name, value);
}

export function setProperty(node, name, value) {
	if (node.style.getPropertyValue(name) !== value)
		node.style.setProperty(name, value);
}

export function clockOf(ms) {
	return new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
}

/* What was chosen on this screen; a browser that keeps nothing is no reason to stop. */
export const memory = {
	get(key) {
		try {
			return localStorage.getItem(`plugflash.${key}`);
		} catch {
			return null;
		}
	},
	set(key, value) {
		try {
			localStorage.setItem(`plugflash.${key}`, value);
		} catch {
			/* It holds until the page is loaded again. */
		}
	},
};

/* Said once by a screen reader, after what it is reading now. What comes together is said together. */
const speech = { pending: [], timer: 0 };

export function say(text) {
	speech.pending.push(text);
	if (speech.timer === 0) {
		speech.timer = setTimeout(() => {
			speech.timer = 0;
			$("say").textContent = speech.pending.splice(0).join(" ");
		}, 150);
	}
}
