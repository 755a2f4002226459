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
	if (byHand(ctx) && ctx.response.status >= 500) say("The server could not do that just now. Nothing you typed is lost; please try again.");
});

document.addEventListener("htmx:error", (e) => {
	if (byHand(e.detail.ctx)) say("The server cannot be reached. Nothing you typed is lost; please try again.");
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
