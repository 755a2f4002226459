// The entry that a site embeds. It asks for the widget's config, draws the launcher and answers to window.Parley; the
// chat itself comes when it is wanted. Nothing here writes to storage or opens a connection.

import { install } from './api.js';
import { createLauncher } from './launcher.js';
import { chooseLocale, language, openWord } from './texts.js';

/**
 * How a widget looks, from its config; every field may be missing.
 * @typedef {object} Looks
 * @property {string} [title]
 * @property {string} [greeting]
 * @property {string} [primary_color] #rrggbb
 * @property {string} [text_color] #rrggbb
 * @property {'bottom_right' | 'bottom_left'} [position]
 * @property {string} [locale]
 * @property {'none' | 'optional' | 'required'} [contact_info_mode]
 * @property {string[]} [collect]
 * @property {Record<string, string>} [texts] wording of the owner's own
 * @property {Record<string, string>} [locale_urls] of the languages besides English
 * @property {string} [agent_name] of the agent that answers; empty when none does
 * @property {boolean} [available] whether anybody answers
 * @property {string | null} [opens_at] RFC 3339, when somebody is back, if the owner has set hours and it is outside them
 * @property {boolean} [offline_form] whether to ask for a message instead, while nobody answers a new visitor
 * @property {{max_bytes: number, accept: string[]} | null} [attachments] what may be sent besides words; without it nothing
 * @property {string} [more_url] path of what few visitors need: forms, stars, files, the bell
 */

/**
 * What the loader lends to the chat.
 * @typedef {object} Shell
 * @property {string} base where the server is, without a slash at the end
 * @property {string} key of the widget
 * @property {Looks} looks
 * @property {string} locale
 * @property {import('./texts.js').Table} [words] in its language, unless that is English
 * @property {import('./store.js').Store} [store] the chat brings it
 * @property {import('./launcher.js').Launcher} launcher
 * @property {Chat} [chat] once it is built
 * @property {(event: import('./api.js').EventName, detail?: any) => void} emit
 * @property {(open: boolean) => void} set opens or closes
 */

/**
 * What the chat offers to the loader.
 * @typedef {object} Chat
 * @property {(quiet?: boolean) => void} open quietly, it leaves the focus where it is
 * @property {() => void} close
 * @property {(text?: string) => void} ask takes the focus, and puts a question into the composer unless the visitor is writing something else
 * @property {(identity: object) => void} identify
 * @property {() => void} setLocale follows the shell's
 * @property {() => void} moved the page has put the widget elsewhere, which loses how far it was scrolled
 * @property {() => void} shutdown
 */

/** What lasts, and what lasts as long as the tab. */
const DISKS = /** @type {const} */ (['localStorage', 'sessionStorage']);

const script = /** @type {HTMLScriptElement | null} */ (
  document.currentScript?.hasAttribute('data-widget') ? document.currentScript : document.querySelector('script[data-widget]')
);
const key = script?.dataset.widget;
if (script && key) run(script.src.replace(/\/widget\.js.*$/, ''), key);
else console.warn('Parley: the script tag has no data-widget attribute.');

/**
 * @param {string} base
 * @param {string} key
 */
function run(base, key) {
  const prefix = `parley:${key}:`;
  /** @type {Shell | undefined} */
  let shell;
  /** @type {Promise<void> | undefined} */
  let loading;
  /** @type {boolean | undefined} */
  let wanted;
  let [shown, hidden, over, asked, tries] = [false, false, false, '', 0];

  const api = install({
    open,
    close: () => void set(false),
    toggle: () => void set(!wanted),
    show: () => visible(true),
    hide: () => visible(false),
    identify: (identity) => void load().then((c) => c?.identify(identity)),
    setLocale,
    shutdown,
  });
  if (!api) return;
  const { emit, retire } = api;
  const started = start();
  api.replay();

  async function start() {
    const config = await getConfig(`${base}/w/${key}/config`, () => over);
    if (!document.body) await new Promise((done) => addEventListener('DOMContentLoaded', done, { once: true }));
    if (!config || over) return;
    /** @type {Looks} */
    const looks = { ...config, ...config.appearance };
    const locale = chooseLocale(asked, looks.locale, navigator.language);
    const launcher = createLauncher(looks, () => (shown ? void set(false) : open()), () => void set(false)); // what is seen counts, not what is under way
    shell = { base, key, looks, locale, launcher, emit, set: (on) => void set(on) };
    greet(shell);
    launcher.visible(!hidden);
    const stay = new MutationObserver(put);
    put();
    emit('ready');
    if (wanted === undefined && kept(1, ':open')) void set(true, true); // as on the page before
    if (kept(0, '')) void load(); // a returning visitor may have an answer waiting, or something yet to be sent
    return base + config.chat_url;

    /** Sites that swap their body take the widget out with the old one; it goes on in the new one. */
    function put() {
      if (over || launcher.host.isConnected || !document.body) return;
      document.body.append(launcher.host);
      for (const node of [document.documentElement, document.body]) stay.observe(node, { childList: true });
      shell?.chat?.moved();
    }
  }

  /** Fetches the chat once; a failed attempt may be repeated. Resolves to nothing when there is no widget to show. */
  async function load() {
    const url = await started;
    if (!url || !shell || over) return;
    const lent = shell;
    loading ||= Promise.all([import(url + '#'.repeat(tries++)), learn(lent)]).then(([m]) => m.mount(lent));
    lent.launcher.busy(true);
    try {
      await loading;
      if (over) lent.chat?.shutdown();
      return lent.chat;
    } catch (err) {
      loading = undefined;
      console.error('Parley: the chat could not be loaded.', err);
    } finally {
      lent.launcher.busy(false);
    }
  }

  /** Opens for the visitor, who goes on there. @param {{ask?: string}} [opt] */
  function open(opt) {
    void set(true).then(() => over || shell?.chat?.ask(opt?.ask));
  }

  /** Opens or closes; of several calls in a row the last one counts. @param {boolean} on @param {boolean} [quiet] */
  async function set(on, quiet) {
    wanted = on;
    await started;
    if (on && !(await load())) wanted = false;
    if (on !== wanted || on === shown || !shell || over) return;
    shown = on;
    shell.launcher.expanded(on);
    if (on) shell.chat?.open(quiet);
    else shell.chat?.close();
    emit(on ? 'open' : 'close');
  }

  /** @param {boolean} on */
  function visible(on) {
    hidden = !on;
    if (hidden) void set(false);
    shell?.launcher.visible(on);
  }

  /** @param {string} locale */
  function setLocale(locale) {
    asked = locale;
    if (!shell) return;
    shell.locale = chooseLocale(locale, shell.locale);
    if (!loading) greet(shell);
    else void learn(shell).then(() => shell?.chat?.setLocale());
  }

  /** Names the launcher, which is all that is said before the chat is there. @param {Shell} shell */
  function greet({ launcher, locale, looks }) {
    launcher.speak(() => looks.texts?.open || openWord(locale));
  }

  /** Fetches the words of the shell's language, if there are any besides English. @param {Shell} shell @returns {Promise<void>} */
  async function learn(shell) {
    const { locale, looks } = shell;
    const path = looks.locale_urls?.[language(locale)];
    const words = path && (await import(base + path).catch(() => {}))?.default;
    if (locale !== shell.locale) return learn(shell); // another has been asked for meanwhile
    shell.words = words;
  }

  /** Whether something is remembered whose name ends so. @param {0 | 1} disk @param {string} end */
  function kept(disk, end) {
    try {
      return Object.keys(window[DISKS[disk]]).some((name) => name.startsWith(prefix) && name.endsWith(end));
    } catch {
      // blocked
    }
  }

  /** Ends the chat on this page and forgets the visitor on this browser, as a site wants when its user signs out. */
  function shutdown() {
    if (over) return;
    over = true;
    shell?.chat?.shutdown();
    for (const disk of DISKS) {
      try {
        for (const name of Object.keys(window[disk])) if (name.startsWith(prefix)) window[disk].removeItem(name);
      } catch {
        // blocked
      }
    }
    shell?.launcher.host.remove();
    retire();
  }
}

/**
 * Asks for the config until it is there; a refusal is final, an outage is not.
 * @param {string} url
 * @param {() => boolean} over
 * @returns {Promise<any>} undefined if the widget is not to be shown
 */
async function getConfig(url, over) {
  let told = false;
  for (let wait = 1000; !over(); wait = Math.min(wait * 2, 60000)) {
    try {
      const res = await fetch(url, { credentials: 'omit' });
      if (res.ok) return await res.json();
      if (res.status < 500 && res.status !== 429) {
        console.warn(`Parley: the widget is not shown here (${res.status}).`);
        return;
      }
    } catch {
      // offline, restarting, or a refusal that the browser keeps to itself
      if (!told) console.warn(`Parley: no answer from ${url}. Unless you are offline, ${location.origin} may not be among the widget's allowed origins.`);
      told = true;
    }
    await new Promise((done) => setTimeout(done, wait * (0.5 + Math.random())));
  }
}
