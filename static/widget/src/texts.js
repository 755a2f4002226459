// Every word the widget says, in English. Other languages are files in locales/, fetched when they are wanted; what one of them
// lacks, and whatever is to be said before it has come, is said in English.
// {name} and {n} are filled in by say().

/** @typedef {Record<string, string>} Table */

/** @type {Table} `open` in every language there is: the launcher needs it before anything else is fetched */
const OPEN = {
  en: 'Open chat',
  de: 'Chat öffnen',
  fr: 'Ouvrir le chat',
  es: 'Abrir el chat',
  pt: 'Abrir o chat',
  ar: 'افتح المحادثة',
};

/** @param {string} locale */
export const openWord = (locale) => OPEN[language(locale)] || OPEN.en;

/** @type {Table} */
export const chatTexts = {
  open: 'Open chat',
  unread: '{n} unread',
  title: 'Chat with us',
  greeting: 'Hello! How can we help?',
  close: 'Close chat',
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
  opens: 'Back {time}',
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
  attach: 'Attach a file',
  drop: 'Drop files here to send them',
  settings: 'Notifications',
};

/** @type {Table} what few visitors ever read, kept with what says it */
export const moreTexts = {
  dismiss: 'Dismiss',
  intro: 'How can we reach you?',
  name: 'Name',
  email: 'Email',
  phone: 'Phone',
  message: 'Message',
  start: 'Continue',
  skip: 'Skip',
  unsaved: 'That did not work. Please try again.',
  leave: 'Leave us a message',
  leaving: 'Nobody is here right now. We will write back by email.',
  reach: 'It is taking a little longer',
  reaching: 'Where may we send the answer, in case you have to go?',
  noted: 'Thank you. The answer will also go to {name}.',
  sources: 'Sources',
  visit: 'Open the page',
  rate: 'How was this conversation?',
  stars: '{n} of 5',
  comment: 'Anything to add? (optional)',
  thanks: 'Thank you!',
  sound: 'Sound for new messages',
  badge: 'Count in the page title',
  files: 'Files to send',
  uploading: 'Uploading, {n} %',
  remove: 'Remove {name}',
  again: 'Try {name} again',
  large: 'Too large: at most {n}',
  kind: 'Files of this kind are not accepted',
  blank: 'This file is empty',
  many: 'At most {n} files at a time',
  unsent: 'Not uploaded',
};

/**
 * @callback Say
 * @param {string} key
 * @param {string | number} [value] for {name} or {n}
 * @returns {string}
 */

/**
 * @param {...(Table | undefined)} tables later ones win; what is added to one later counts
 * @returns {Say}
 */
export function speak(...tables) {
  return (key, value = '') => (tables.findLast((table) => table?.[key])?.[key] || key).replace(/\{\w+\}/, () => String(value));
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
