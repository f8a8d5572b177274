// SPDX-License-Identifier: MIT
/*
 * Tones for what ends: off until somebody wants them, and remembered on this screen.
 */
import { TEXT } from "./words.js";
import { $, memory, setAttribute, setText } from "./tools.js";

/* Tones: start in seconds, duration, frequency. Good rises, bad is low and rough, wrong falls. */
const TONES = {
	"good": { wave: "sine", notes: [[0, 0.11, 880], [0.12, 0.2, 1319]] },
	"bad": { wave: "sawtooth", notes: [[0, 0.28, 165], [0.36, 0.28, 165], [0.72, 0.4, 131]] },
	"wrong-board": { wave: "square", notes: [[0, 0.14, 659], [0.18, 0.14, 523], [0.36, 0.3, 392]] },
};

const sound = { on: false, context: null, pending: new Set(), timer: 0 };

function playTones(kind) {
	const { wave, notes } = TONES[kind];
	const begin = sound.context.currentTime + 0.02;

	for (const [start, duration, frequency] of notes) {
		const tone = sound.context.createOscillator();
		const loudness = sound.context.createGain();

		tone.type = wave;
		tone.frequency.value = frequency;
		loudness.gain.setValueAtTime(0, begin + start);
		loudness.gain.linearRampToValueAtTime(0.25, begin + start + 0.015);
		loudness.gain.setValueAtTime(0.25, begin + start + duration - 0.03);
		loudness.gain.linearRampToValueAtTime(0, begin + start + duration);
		tone.connect(loudness).connect(sound.context.destination);
		tone.start(begin + start);
		tone.stop(begin + start + duration);
	}
}

/* Sixteen boards that end at once are one tone of each kind: the worst first, half a second apart. */
export function soundEvent(kind) {
	if (!sound.on || !TONES[kind])
		return;
	sound.pending.add(kind);
	if (sound.timer === 0)
		sound.timer = setTimeout(soundNext, 60);
}

function soundNext() {
	const kind = ["bad", "wrong-board", "good"].find((name) => sound.pending.has(name));

	sound.timer = 0;
	sound.pending.delete(kind);
	if (kind && sound.context && sound.context.state === "running")
		playTones(kind);
	if (sound.pending.size > 0)
		sound.timer = setTimeout(soundNext, 1200);
}

function showSound() {
	const blocked = sound.on && (!sound.context || sound.context.state !== "running");

	setAttribute($("sound"), "aria-pressed", String(sound.on));
	setAttribute($("sound"), "data-state", !sound.on ? "off" : blocked ? "blocked" : "on");
	setText($("sound"), !sound.on ? TEXT.soundOff : blocked ? TEXT.soundBlocked : TEXT.soundOn);
}

/* A browser lets a page sound once somebody has touched it; a kiosk can be told to let it at once. */
function soundOpen() {
	if (!sound.on)
		return;
	if (!sound.context) {
		if (typeof AudioContext !== "function")
			return;
		sound.context = new AudioContext();
		sound.context.addEventListener("statechange", showSound);
	}
	/* One that may sound at once begins by itself; to ask without a touch is refused with a warning. */
	if (sound.context.state === "suspended" && navigator.userActivation?.isActive !== false)
		sound.context.resume().then(showSound, showSound);
}

function soundSet(on) {
	sound.on = on;
	if (on)
		soundOpen();
	else if (sound.context)
		sound.context.suspend();
	showSound();
}

export function soundBegin(isWanted) {
	const chosen = memory.get("sound");

	soundSet(chosen !== null ? chosen === "on" : isWanted);
	$("sound").addEventListener("click", () => {
		/* A press while the browser keeps it silent is the touch that it waits for. */
		const wanted = $("sound").dataset.state === "blocked" ? true : !sound.on;

		memory.set("sound", wanted ? "on" : "off");
		soundSet(wanted);
		if (wanted && sound.context)
			sound.context.resume().then(() => soundEvent("good"), showSound);
	});
	/* Any touch will do; that of the button itself is its own affair. */
	for (const kind of ["pointerup", "keydown"])
		addEventListener(kind, (event) => {
			if (event.target !== $("sound"))
				soundOpen();
		});
}
