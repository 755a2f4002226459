// Every word the widget says, in English. Other languages are files in locales/, fetched when they are wanted; what one of them
// lacks, and whatever is to be said before it has come, is said in English.
// {name} and {n} are filled in by say().

/** @typedef {Record<string, string>} Table */

/** @type {Table} what the launcher needs before the chat is loaded */
export const launcherTexts = {
  open: 'Open chat',
  close: 'Close chat',
  unread: '{n} unread',
};

/** @type {Table} */
export const chatTexts = {
  title: 'Chat with us',
  greeting: 'Hello! How can we help?',
  close: 'Close chat',
  dismiss: 'Dismiss',
  conversation: 'Conversation',
  write: 'Write a message…',
  send: 'Send',
  left: '{n} characters left',
  over: '{n} characters too many',
  sending: 'Sending…',
  failed: 'Not sent.',
  retry: 'Try again',
  discard: 'Discard',
  seen: 'Seen',
  you: 'You',
  agent: 'Assistant',
  human: 'Our team',
  system: 'Notice',
  typing: '{name} is typing',
  answering: '{name} answers right away',
  soon: 'We will answer here as soon as we can',
  waiting: 'Waiting for a person',
  away: 'Nobody is here right now. We will answer as soon as we can.',
  here: '{name} is here',
  closed: 'Conversation closed',
  joined: '{name} joined the conversation',
  back: '{name} is answering again',
  asked: 'Somebody from our team will be with you soon',
  arrived: 'Your message has arrived. A person will answer you here.',
  ended: 'This conversation was closed. Write to open it again.',
  person: 'Talk to a person',
  unseen: 'New messages',
  offline: 'You are offline. What you write is sent once you are back.',
  reconnecting: 'Connecting again…',
  gone: 'The chat is not available at the moment.',
  sources: 'Sources',
  visit: 'Open the page',
  intro: 'How can we reach you?',
  name: 'Name',
  email: 'Email',
  phone: 'Phone',
  start: 'Continue',
  skip: 'Skip',
  unsaved: 'That did not work. Please try again.',
  rate: 'How was this conversation?',
  stars: '{n} of 5',
  thanks: 'Thank you!',
};

/**
 * @callback Say
 * @param {string} key
 * @param {string | number} [value] for {name} or {n}
 * @returns {string}
 */

/**
 * @param {...(Table | undefined)} tables later ones win
 * @returns {Say}
 */
export function speak(...tables) {
  /** @type {Table} */
  const table = Object.assign({}, ...tables);
  return (key, value = '') => (table[key] || key).replace(/\{\w+\}/, () => String(value));
}

/**
 * The first tag the browser understands.
 * @param {...(string | undefined)} wanted in order of preference
 * @returns {string}
 */
export function chooseLocale(...wanted) {
  for (const tag of wanted) {
    try {
      if (tag) return Intl.getCanonicalLocales(tag)[0];
    } catch {
      // not a language tag; try the next
    }
  }
  return 'en';
}

/** @param {string} locale BCP 47 @returns {string} what a language's texts are filed under */
export const language = (locale) => locale.toLowerCase().split('-')[0];

/** @param {string} locale */
export const direction = (locale) => (/^(ar|fa|he|ur|ps|dv|yi|ckb|sd|ug)\b/.test(locale) ? 'rtl' : 'ltr');
