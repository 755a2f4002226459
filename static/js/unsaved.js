// Says beside a test of what is saved that the form above holds changes which are not.

document.addEventListener("input", (e) => {
	if (!e.target.closest("form[data-saved]")) return;
	for (const hint of document.querySelectorAll("[data-unsaved]")) hint.hidden = false;
});
