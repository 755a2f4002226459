// The entry of the second part of the chat, see later.js.

export { createBell } from './bell.js';
export { createCard } from './cards.js';
export { createPreview } from './preview.js';
export { createTray } from './tray.js';
export { face, file } from './files.js';
export { dialPoll } from './poll.js';
export { sources } from './sources.js';
export { dialStream } from './sse.js';
export { moreTexts as texts } from './texts.js';
export { default as css } from './more.css';
