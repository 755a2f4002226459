// Files for the next message: chosen with the button, dropped on the form or pasted into it. They stay in the form's own file
// field, so sending them is an ordinary form; here they only get a face, and a way to be taken back. All of it listens on the
// document, because the composer is replaced underneath.

const most = 5, largest = 10 * 1024 * 1024;
const chosen = new WeakMap(); // file field → its files: a chooser forgets the earlier ones

const fieldOf = (form) => form.elements.files;
const kept = (form) => form.querySelectorAll("input[name=attachments]:checked").length;

function complain(form, text) {
	const line = form.querySelector("[data-files-problem]");
	line.hidden = !text;
	line.querySelector("span").textContent = text;
}

function hold(form, files) {
	const field = fieldOf(form), transfer = new DataTransfer();
	for (const file of files) transfer.items.add(file);
	field.files = transfer.files;
	chosen.set(field, files);
	form.elements.body.required = files.length === 0 && kept(form) === 0;
	show(form, files);
}

function add(form, more) {
	const files = [...(chosen.get(fieldOf(form)) ?? [])];
	let problem = "";
	for (const file of more) {
		if (file.size > largest) problem = `${file.name} is too large: a file may have up to 10 MB.`;
		else if (files.length + kept(form) >= most) problem = `A message takes ${most} files. Send the others with another one.`;
		else files.push(file);
	}
	complain(form, problem);
	hold(form, files);
}

function show(form, files) {
	const list = form.querySelector("[data-files]");
	for (const chip of list.querySelectorAll("[data-chosen]")) chip.remove();
	files.forEach((file, i) => {
		const chip = document.createElement("li"), name = document.createElement("span"), remove = document.createElement("button");
		chip.className = "composer-file";
		chip.dataset.chosen = "";
		name.className = "file-name";
		name.textContent = file.name;
		remove.type = "button";
		remove.textContent = "×";
		remove.setAttribute("aria-label", `Remove ${file.name}`);
		remove.addEventListener("click", () => {
			hold(form, files.filter((_, n) => n !== i));
			complain(form, "");
			form.elements.body.focus();
		});
		chip.append(name, remove);
		list.append(chip);
	});
}

document.addEventListener("change", (e) => {
	const form = e.target.closest?.("form[data-composer]");
	if (!form) return;
	if (e.target.name === "files") add(form, e.target.files);
	if (e.target.name === "attachments") hold(form, chosen.get(fieldOf(form)) ?? []);
});

document.addEventListener("paste", (e) => {
	const form = e.target.closest?.("form[data-composer]");
	if (!form || !e.clipboardData?.files.length) return;
	e.preventDefault();
	add(form, e.clipboardData.files);
});

const carriesFiles = (e) => e.dataTransfer?.types.includes("Files");
const composerFor = (e) => e.target.closest?.(".conversation")?.querySelector("form[data-composer]");

document.addEventListener("dragover", (e) => {
	const form = carriesFiles(e) && composerFor(e);
	if (!form) return;
	e.preventDefault(); // or the browser opens the file in place of the page
	form.classList.add("is-dropping");
});

document.addEventListener("dragleave", (e) => {
	if (!e.relatedTarget) document.querySelector(".is-dropping")?.classList.remove("is-dropping");
});

document.addEventListener("drop", (e) => {
	const form = carriesFiles(e) && composerFor(e);
	if (!form) return;
	e.preventDefault();
	form.classList.remove("is-dropping");
	add(form, e.dataTransfer.files);
	form.elements.body.focus();
});

// An empty message is not worth a round trip; only here is that said in the form, because without scripts a file alone is enough.
function arrived() {
	for (const form of document.querySelectorAll("form[data-composer]")) {
		if (!chosen.has(fieldOf(form))) hold(form, [...fieldOf(form).files]);
	}
}

document.addEventListener("htmx:after:process", arrived);
arrived();
