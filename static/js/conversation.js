// What an open conversation needs beside HTML: the keys of the composer, a draft that survives leaving the page, read marks
// only while somebody looks, who is typing, and a way down to new messages. All of it listens on the document, because the
// conversation is replaced underneath.

const drafts = {
	key: (form) => `parley-draft:${form.id}`,
	save(form) {
		const body = form.elements.body.value;
		try {
			if (body.trim()) sessionStorage.setItem(this.key(form), body);
			else sessionStorage.removeItem(this.key(form));
		} catch { /* storage is blocked: the draft lives as long as the page */ }
	},
	restore(form) {
		try {
			const body = sessionStorage.getItem(this.key(form));
			if (body && !form.elements.body.value) form.elements.body.value = body;
		} catch { /* as above */ }
	},
};

document.addEventListener("input", (e) => {
	const form = e.target.closest("form[data-composer]");
	if (!form) return;
	if (e.target.name === "body") drafts.save(form);
	if (form.elements.body.value.trim() && !form.elements.note.checked) writes(form.dataset.writes);
	else rests();
});

// Who writes a reply is told to the visitor anew every few seconds, and taken back when the field is empty, was sent, became
// a note, or was left alone. A note for the team is nobody else's business. Requests go one after the other, the last word last.
const repeat = 3000, idle = 5000;
const writing = { url: "", since: 0, timer: 0, sent: Promise.resolve() };

function tell(url, on) {
	const request = { method: "POST", headers: { "HX-Request": "true" }, body: new URLSearchParams({ on }), keepalive: true };
	writing.sent = writing.sent.then(() => fetch(url, request)).catch(() => { /* the hint ends by itself */ });
}

function writes(url) {
	if (writing.url !== url) rests();
	if (Date.now() - writing.since >= repeat) {
		tell(url, "on");
		Object.assign(writing, { url, since: Date.now() });
	}
	clearTimeout(writing.timer);
	writing.timer = setTimeout(rests, idle);
}

function rests() {
	clearTimeout(writing.timer);
	if (writing.url) tell(writing.url, "");
	Object.assign(writing, { url: "", since: 0 });
}

addEventListener("pagehide", rests);

// Taking over leads into the composer: the button that was pressed is gone, and another stands in its place.
document.addEventListener("submit", (e) => {
	if (e.target.matches("form[data-action=takeover]")) document.querySelector("form[data-composer] textarea")?.focus();
});

document.addEventListener("keydown", (e) => {
	const form = e.target.closest?.("form[data-composer]");
	if (form && e.key === "Enter" && (e.ctrlKey || e.metaKey) && !e.isComposing) {
		e.preventDefault();
		form.requestSubmit();
	}
});

// A composer that was sent comes back empty; only then is its draft done with.
document.addEventListener("htmx:after:request", (e) => {
	const { sourceElement, response } = e.detail.ctx;
	if (sourceElement?.matches?.("form[data-composer]") && response.status < 300) {
		try { sessionStorage.removeItem(drafts.key(sourceElement)); } catch { /* as above */ }
		rests();
	}
});

// markSeen tells the server once per newest message that it was seen, and only if it can have been. Before htmx has got to the mark,
// which comes last in what it took in, nobody would hear it.
function markSeen() {
	const mark = document.querySelector("[data-unseen][data-htmx-powered]:not([data-told])");
	if (!mark || document.visibilityState !== "visible") return;
	mark.dataset.told = "";
	htmx.trigger(mark, "seen");
}

function arrived() {
	const forms = [...document.querySelectorAll("form[data-composer]")];
	for (const form of forms) {
		drafts.restore(form);
		if (form.elements.body.value.trim()) drafts.save(form); // a draft taken up, or words that came back, are as good as typed
	}
	if (writing.url && !forms.some((form) => form.dataset.writes === writing.url)) rests(); // another thread was opened
	markSeen();
}

document.addEventListener("visibilitychange", markSeen);
document.addEventListener("htmx:after:process", arrived);

// The stream's hints about typing carry a name, or nothing when it stopped.
let stopped;
document.addEventListener("typing", (e) => {
	const line = document.querySelector("[data-typing]");
	if (!line) return;
	const name = (e.detail.data ?? "").trim();
	clearTimeout(stopped);
	line.hidden = name === "";
	line.querySelector("[data-typing-name]").textContent = name ? `${name} is typing` : "";
	if (name) stopped = setTimeout(() => { line.hidden = true; }, 30_000);
});

// The list of lines is reversed: scrollTop 0 is its end, and reading older lines makes it negative.
const lastIn = (scroll) => [...scroll.querySelectorAll(".lines > :last-child, .happening")].at(-1)?.id ?? "";
const awayFromEnd = (scroll) => scroll.scrollTop < -160;

document.addEventListener("htmx:after:swap", (e) => {
	const scroll = e.target.closest?.("[data-lines]");
	if (!scroll || !awayFromEnd(scroll)) return;
	const last = lastIn(scroll);
	if (scroll.dataset.last && scroll.dataset.last !== last) offerNewer(scroll);
	scroll.dataset.last = last;
});

document.addEventListener("scroll", (e) => {
	const scroll = e.target;
	if (!scroll.matches?.("[data-lines]")) return;
	scroll.dataset.last = lastIn(scroll);
	if (!awayFromEnd(scroll)) scroll.parentElement.querySelector(".newer")?.remove();
}, true);

function offerNewer(scroll) {
	if (scroll.parentElement.querySelector(".newer")) return;
	const button = document.createElement("button");
	button.type = "button";
	button.className = "button small newer";
	button.textContent = "New messages below";
	button.addEventListener("click", () => {
		scroll.scrollTo({ top: 0, behavior: "smooth" });
		button.remove();
	});
	scroll.after(button);
}
