// Closes an open menu when one clicks elsewhere, leaves it with the keyboard, or presses Escape.

const open = () => document.querySelector("details[data-menu][open]");

document.addEventListener("click", (e) => {
	const menu = open();
	if (menu && !menu.contains(e.target)) menu.open = false;
});

document.addEventListener("focusin", (e) => {
	const menu = open();
	if (menu && !menu.contains(e.target)) menu.open = false;
});

document.addEventListener("keydown", (e) => {
	const menu = open();
	if (menu && e.key === "Escape") {
		menu.open = false;
		menu.querySelector("summary").focus();
	}
});
