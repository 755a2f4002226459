// Puts a question of the page into the chat.

for (const button of document.querySelectorAll(".ask button")) {
	button.addEventListener("click", () => window.Parley?.open({ ask: button.textContent }));
}
