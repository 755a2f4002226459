// Says when the server cannot be reached or did not do what was asked, and keeps looking for it.

const lost = "Connection lost. Trying again…";

function say(text, lasting) {
	hush();
	const bar = document.createElement("div");
	bar.className = "notice red";
	bar.id = "connection-notice";
	bar.setAttribute("role", "alert");
	bar.textContent = text;
	document.querySelector(".main")?.prepend(bar);
	if (!lasting) setTimeout(() => bar.remove(), 8000);
}

function hush() {
	document.getElementById("connection-notice")?.remove();
}

// Only what somebody did by hand deserves an answer; what a page asks for by itself is asked for again soon.
const byHand = (ctx) => ["submit", "click"].includes(ctx?.sourceEvent?.type);

document.addEventListener("htmx:response:error", (e) => {
	const { ctx } = e.detail;
	if (ctx.response.status < 500) return;
	if (byHand(ctx)) say("The server could not do that just now. Nothing you typed is lost; please try again.");
	askAgain(ctx.sourceElement);
});

document.addEventListener("htmx:error", (e) => {
	const { ctx } = e.detail;
	if (byHand(ctx)) say("The server cannot be reached. Nothing you typed is lost; please try again.");
	askAgain(ctx?.sourceElement);
});

// What a page asks for by itself and does not get is asked for again, after growing pauses: the hint that made it ask comes only
// once. data-again is the event that makes an element ask.
const firstPause = 1000, longestPause = 30_000;
const waiting = new WeakMap();

function askAgain(el) {
	if (!el?.dataset?.again || waiting.get(el)?.timer) return;
	const pause = Math.min(2 * (waiting.get(el)?.pause ?? firstPause / 2), longestPause);
	if (pause > firstPause) say("This page could not be brought up to date. Trying again…", true);
	const timer = setTimeout(() => {
		waiting.set(el, { pause });
		if (el.isConnected) htmx.trigger(el, el.dataset.again);
	}, pause * (0.5 + Math.random() / 2)); // not all pages at the same time
	waiting.set(el, { pause, timer });
}

document.addEventListener("htmx:after:request", (e) => {
	const { sourceElement: el, response } = e.detail.ctx;
	if (response.status >= 500 || !waiting.has(el)) return;
	clearTimeout(waiting.get(el).timer);
	waiting.delete(el);
	hush();
});

document.addEventListener("htmx:sse:error", () => say(lost, true));
document.addEventListener("htmx:sse:after:connection", hush);

// A stream that never came about is not tried again by htmx: refused, unreachable, or answered with something that is none.
// Once it comes, it begins with hints, so that what happened meanwhile is fetched.
document.addEventListener("htmx:finally:request", (e) => {
	const el = e.detail.ctx?.sourceElement;
	if (!el?.hasAttribute?.("hx-sse:connect") || el._htmx?.sse || !el.isConnected) return;
	say(lost, true);
	setTimeout(() => el.isConnected && !el._htmx?.sse && htmx.process(el, true), 3000);
});
