// Shows the copy buttons, which without scripts would do nothing, and makes them copy.

for (const button of document.querySelectorAll("button[data-copy]")) button.hidden = false;

document.addEventListener("click", async (e) => {
	const button = e.target.closest("button[data-copy]");
	if (!button) return;
	const source = document.getElementById(button.dataset.copy);
	const label = button.querySelector("[data-copy-label]");
	try {
		await navigator.clipboard.writeText(source.textContent);
		label.textContent = "Copied";
		label.dataset.copied = "";
	} catch {
		// Without https the clipboard is out of reach: select the text instead.
		getSelection().selectAllChildren(source);
		label.textContent = "Press Ctrl+C";
	}
	setTimeout(() => {
		label.textContent = "Copy";
		delete label.dataset.copied;
	}, 2000);
});
