// Offers the time zones that the browser knows where one is asked for, the viewer's own first.

const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const known = Intl.supportedValuesOf?.("timeZone") ?? [];
for (const list of document.querySelectorAll("datalist#time-zones")) {
	for (const zone of new Set([own, ...known])) list.append(new Option(zone, zone));
}
