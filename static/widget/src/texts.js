// Every word the widget says. English is complete; another language may lack keys and falls back to it.
// {name} and {n} are filled in by say().

/** @typedef {Record<string, string>} Table */

/** @type {Record<string, Table>} what the launcher needs before the chat is loaded */
export const launcherTexts = {
  en: {
    open: 'Open chat',
    close: 'Close chat',
    unread: '{n} unread',
  },
  de: {
    open: 'Chat öffnen',
    close: 'Chat schließen',
    unread: '{n} ungelesen',
  },
};

/** @type {Record<string, Table>} */
export const chatTexts = {
  en: {
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
    waiting: 'Waiting for a person',
    away: 'Nobody is here right now. We will answer as soon as we can.',
    here: '{name} is here',
    closed: 'Conversation closed',
    joined: '{name} joined the conversation',
    back: '{name} is answering again',
    asked: 'Somebody from our team will be with you soon',
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
  },
  de: {
    title: 'Schreiben Sie uns',
    greeting: 'Guten Tag! Wie können wir helfen?',
    close: 'Chat schließen',
    dismiss: 'Ausblenden',
    conversation: 'Unterhaltung',
    write: 'Nachricht schreiben …',
    send: 'Senden',
    left: 'Noch {n} Zeichen',
    over: '{n} Zeichen zu viel',
    sending: 'Wird gesendet …',
    failed: 'Nicht gesendet.',
    retry: 'Nochmals senden',
    discard: 'Verwerfen',
    seen: 'Gelesen',
    you: 'Sie',
    agent: 'Assistent',
    human: 'Unser Team',
    system: 'Hinweis',
    typing: '{name} schreibt',
    answering: '{name} antwortet sofort',
    waiting: 'Sie werden gleich verbunden',
    away: 'Gerade ist niemand da. Wir antworten, sobald wir können.',
    here: '{name} ist da',
    closed: 'Unterhaltung beendet',
    joined: '{name} ist dazugekommen',
    back: '{name} antwortet wieder',
    asked: 'Gleich ist jemand aus unserem Team für Sie da',
    ended: 'Diese Unterhaltung wurde beendet. Schreiben Sie, um sie fortzusetzen.',
    person: 'Mit einem Menschen sprechen',
    unseen: 'Neue Nachrichten',
    offline: 'Sie sind offline. Ihre Nachrichten gehen hinaus, sobald Sie wieder verbunden sind.',
    reconnecting: 'Verbindung wird wiederhergestellt …',
    gone: 'Der Chat ist gerade nicht verfügbar.',
    sources: 'Quellen',
    visit: 'Seite öffnen',
    intro: 'Wie erreichen wir Sie?',
    name: 'Name',
    email: 'E-Mail',
    phone: 'Telefon',
    start: 'Weiter',
    skip: 'Überspringen',
    unsaved: 'Das hat nicht geklappt. Bitte versuchen Sie es noch einmal.',
    rate: 'Wie war diese Unterhaltung?',
    stars: '{n} von 5',
    thanks: 'Danke!',
  },
};

/**
 * @callback Say
 * @param {string} key
 * @param {string | number} [value] for {name} or {n}
 * @returns {string}
 */

/**
 * @param {Record<string, Table>} tables by primary language
 * @param {string} locale BCP 47
 * @param {Table} [own] the owner's wording, which wins
 * @returns {Say}
 */
export function speak(tables, locale, own) {
  const table = { ...tables.en, ...tables[locale.toLowerCase().split('-')[0]], ...own };
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

/** @param {string} locale */
export const direction = (locale) => (/^(ar|fa|he|ur|ps|dv|yi|ckb|sd|ug)\b/.test(locale) ? 'rtl' : 'ltr');
