// SPDX-License-Identifier: MIT
/* All words of the page: this is the file to translate. */

export const TEXT = {
	language: "en",
	title: (summary) => `plugflash: ${summary}`,
	skip: "Skip to the slots",
	/* One of these stands large on each tile. */
	lights: {
		"idle": "idle",
		"waiting": "waiting",
		"working": "working",
		"good": "good",
		"bad": "bad",
		"wrong-board": "wrong board",
		"held": "held",
	},
	/* How many tiles show what, in the head and in the title. */
	summary: (n) => {
		const parts = [];
		if (n["bad"]) parts.push(`${n["bad"]} bad`);
		if (n["wrong-board"]) parts.push(`${n["wrong-board"]} wrong board`);
		if (n["held"]) parts.push(`${n["held"]} held`);
		if (n["working"]) parts.push(`${n["working"]} working`);
		if (n["waiting"]) parts.push(`${n["waiting"]} waiting`);
		if (n["good"]) parts.push(`${n["good"]} good`);
		return parts.length > 0 ? parts.join(", ") : "ready";
	},
	phases: {
		waiting: "waiting",
		image: "choosing the image",
		open: "opening the port",
		enter: "resetting",
		sync: "calling",
		identify: "identifying",
		compare: "comparing",
		erase: "erasing",
		write: "writing",
		verify: "verifying",
		protect: "protecting",
		leave: "starting",
		confirm: "confirming",
		read: "reading",
	},
	operations: { verify: "comparing only", probe: "looking only", rollback: "going back" },
	outcomes: { updated: "updated", current: "up to date already" },
	percent: (n) => `${n}\u202f%`,
	left: (s) => s >= 100 ? `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")} min left` : `${s} s left`,
	leftSoon: "nearly done",
	plugIn: "plug a board in",
	settling: "the port comes to rest",
	queued: "waits for its turn",
	flapping: "comes and goes: check cable and contacts",
	heldUntil: (clock) => `left alone until ${clock}`,
	at: (clock) => `at ${clock}`,
	attempt: (n) => `attempt ${n}`,
	next: (text) => `Next: ${text}`,
	retry: "Retry",
	retryLabel: (slot) => `Retry ${slot}`,
	retryAsked: "asked for",
	retryNothing: "there was nothing to retry",
	retryFailed: (why) => `not asked for: ${why}`,
	noAnswer: "no answer",
	progressLabel: (slot) => `progress of ${slot}`,
	reasonLabel: (slot) => `reason and next step of ${slot}`,
	unknownSlot: "not in the configuration",
	countsTitle: "Today",
	firstPass: "first pass",
	retried: "retried",
	badCount: "bad",
	yield: "first-pass yield",
	noFigure: "–",
	batch: (board) => `Batch ${board}`,
	batchDone: (board, done, count) => `Batch ${board} is done: ${done} of ${count}`,
	soundOn: "Sound: on",
	soundOff: "Sound: off",
	soundBlocked: "Sound: on, press here once",
	views: { auto: "View: auto", light: "View: light", dark: "View: dark" },
	paused: "Paused: no board is begun",
	inhibited: "No board is begun",
	stopping: "The service is stopping",
	stoppingText: "Boards that are being written are finished. Do not plug in more.",
	lost: "No connection",
	lostText: (clock) => `This screen shows the state of ${clock}, which may have changed. It connects again by itself.`,
	lostFirst: "This screen has not had an answer yet. It connects by itself.",
	gone: "The service is not running",
	goneText: "No board is updated. plugflashd must be started; this screen comes back by itself.",
	back: "The connection is back",
	configError: (text) => `The configuration was not loaded: ${text}`,
	configStale: "The configuration on disk is newer than the one in force: systemctl reload plugflashd",
	opening: "Connecting",
	nothing: "No bridge is plugged in, and no slot is named in the configuration.",
	say: (slot, word, reason) => reason ? `${slot}: ${word}. ${reason}` : `${slot}: ${word}.`,
};
