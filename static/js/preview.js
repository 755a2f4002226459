// Opens the widget on its preview page, as soon as its own script has come.

addEventListener("load", () => {
	if (typeof window.Parley.open === "function") window.Parley.open();
});
