// Keeps relative times true and tells the server the viewer's time zone, so that the next page shows theirs.

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`parley_tz=${encodeURIComponent(zone)}`)) {
	document.cookie = `parley_tz=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax`;
}

const minute = 60_000, hour = 60 * minute, day = 24 * hour;

// ago mirrors the server's words; what is older than a week is a date and does not change any more.
function ago(ms) {
	if (ms < minute) return "now";
	if (ms < hour) return `${Math.floor(ms / minute)}m`;
	if (ms < day) return `${Math.floor(ms / hour)}h`;
	return ms < 7 * day ? `${Math.floor(ms / day)}d` : null;
}

function refresh() {
	for (const el of document.querySelectorAll("time[data-ago]")) {
		const text = ago(Date.now() - Date.parse(el.dateTime));
		if (text && text !== el.textContent) el.textContent = text;
	}
}

setInterval(refresh, 30_000);
