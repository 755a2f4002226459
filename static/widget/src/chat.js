// The chat, loaded when it is wanted: puts the panel into the launcher's frame and keeps it showing the visit.

import { adopt, painted, pause } from './dom.js';
import { createLater } from './later.js';
import { createPanel } from './panel.js';
import { arrange } from './rows.js';
import { fit, keys } from './stage.js';
import { openStore } from './store.js';
import { openTab } from './tab.js';
import { chatTexts, direction, speak } from './texts.js';
import { timeOf, when } from './time.js';
import { createTyping } from './typing.js';
import { createUnread } from './unread.js';
import { createVisit } from './visit.js';
import css from './chat.css';

/**
 * Builds the chat, closed, as shell.chat. The browser gets a word in between the steps, so that none holds the page up.
 * @param {import('./loader.js').Shell} shell
 */
export async function mount(shell) {
  await pause();
  const { launcher, looks } = shell;
  const store = (shell.store = openStore(shell.key));
  const tab = openTab(shell.key);
  const close = () => shell.set(false);
  let returning = store.kept();
  const later = createLater(shell, changed);
  const visit = createVisit(shell, later, changed);
  const typing = createTyping(visit.typing);
  const count = createUnread(shell, visit, later);
  let say = speak(chatTexts, shell.words, looks.texts);
  /** @type {ReturnType<import('./later.js').More['createBell']> | undefined} */
  let bell;
  /** @type {import('./panel.js').Tray | undefined} */
  let tray;
  let [open, begun, proposed] = [false, false, ''];
  /** @type {import('./panel.js').Panel} */
  let panel;
  /** @type {HTMLElement | null} */
  let before = null; // had the focus when the chat was opened
  /** @type {number | undefined} */
  let due;

  function changed() {
    due ||= setTimeout(render);
  }
  function render() {
    due = undefined;
    const view = look(visit, shell, returning, say);
    panel.render(view);
    if (begun && panel.log.render(view.rows, view.typing, view.loading)) void painted().then(changed);
    ring(count(open, say));
  }
  /** What waits until the panel is seen, each in a task of its own: the line to the server, and the log. */
  async function begin() {
    await painted();
    begun = true;
    visit.start();
    changed();
  }
  /** @param {number} unread */
  function ring(unread) {
    if (store.get('bell')) bell ||= later()?.createBell(store, unread);
    bell?.count(unread);
  }
  /** @param {Iterable<File>} files */
  function carry(files) {
    later(({ createTray }) => {
      if (!looks.attachments) return;
      tray ||= createTray({ say, locale: shell.locale, url: visit.url, token: visit.token, allowed: looks.attachments, changed: () => panel.composer.check(), focus: () => panel.focus() });
      panel.composer.carry(tray);
      tray.add(files);
    });
  }
  /** Not before the visitor has written something, here or ever. */
  function remember() {
    const draft = panel.composer.value === proposed ? '' : panel.composer.value;
    tab.set('draft', draft);
    tab.set('open', open && (draft || store.kept()) ? '1' : '');
  }
  function focus() {
    if (self === top || document.hasFocus()) panel.focus(); // a frame does not take the focus from the page around it
  }
  function build() {
    const draft = panel ? panel.composer.value : tab.get('draft');
    panel?.node.remove();
    panel = createPanel({ say, locale: shell.locale, base: shell.base, later, retry: visit.outbox.retry, discard: visit.outbox.discard }, looks, {
      close,
      send(text) {
        typing.sent();
        visit.say(text, tray?.take());
        remember();
        setTimeout(timeOf, 50, 0, shell.locale); // for its confirmation, once the words themselves are painted
      },
      typed(empty) {
        if (empty) typing.stop();
        else typing.touch();
        remember();
      },
      handoff: visit.handoff,
      files: carry,
      card: (what) => later()?.createCard({ visit, looks, say, locale: shell.locale, done: () => panel.composer.focus(), render }, what),
      menu(use) {
        later((more) => use((bell ||= more.createBell(store, visit.unread())).menu(say)));
      },
      older: visit.older,
    });
    if (tray) panel.composer.carry(tray);
    panel.composer.value = draft;
    panel.node.classList.toggle('on', open);
    launcher.frame.dir = direction(shell.locale);
    launcher.frame.lang = shell.locale;
    launcher.frame.append(panel.node);
    render();
  }

  adopt(launcher.root, css);
  launcher.speak(say);
  build();
  const over = new AbortController();
  keys(launcher.frame, () => panel.node, () => open, () => panel.menu(true) || close(), over.signal);
  for (const event of ['online', 'offline']) addEventListener(event, changed, over);
  document.addEventListener('visibilitychange', changed, over);
  if (returning) void begin();

  shell.chat = {
    open(quiet) {
      open = true;
      before = /** @type {HTMLElement | null} */ (document.activeElement);
      panel.node.classList.add('on');
      if (!quiet) focus();
      panel.log.bottom();
      remember();
      changed();
      void begin();
    },
    ask(text) {
      const { composer } = panel;
      if (text && (!composer.value || composer.value === proposed)) {
        composer.value = proposed = String(text);
        remember();
      }
      if (open) focus();
    },
    close() {
      const within = panel.node.contains(launcher.root.activeElement);
      open = false;
      typing.stop();
      panel.node.classList.remove('on');
      remember();
      if (within) (launcher.visible() ? launcher : before)?.focus();
    },
    identify(proof) {
      returning = true;
      visit.identify(proof);
      void begin();
    },
    setLocale() {
      say = speak(chatTexts, shell.words, looks.texts);
      launcher.speak(say);
      build();
    },
    moved: () => panel.log.back(),
    shutdown() {
      bell?.count(0);
      visit.stop();
      typing.stop();
      over.abort();
      store.clear();
    },
  };
  await pause(); // before it is opened
  fit(launcher.root, over.signal);
}

/**
 * The visit as the panel shows it.
 * @param {import('./visit.js').Visit} visit
 * @param {import('./loader.js').Shell} shell
 * @param {boolean} returning there may be a history to wait for
 * @param {import('./texts.js').Say} say
 * @returns {import('./panel.js').View}
 */
function look(visit, { looks, locale }, returning, say) {
  const { talk, refusal } = visit;
  const agent = talk.handling === 'agent';
  const wants = wanted(visit);
  return {
    rows: arrange(talk, visit.outbox.entries(), looks.greeting || say('greeting'), say),
    loading: returning && !talk.loaded && !refusal,
    typing: talk.draft ? null : talk.typing,
    handling: talk.handling,
    available: talk.available,
    who: talk.assignee?.name || (agent && talk.agent()) || '',
    face: talk.assignee ? talk.assignee.avatar_url : agent ? talk.face()?.avatar_url : undefined,
    back: when(looks.opens_at, locale),
    banner: refusal ? '' : !navigator.onLine ? say('offline') : visit.lost ? say('reconnecting') : '',
    gone: refusal ? refusal.message || say('gone') : '',
    limit: visit.limit,
    handoff: talk.known && agent && visit.up && !visit.asked && !/form|closed/.test(wants),
    wants,
  };
}

/** What is asked of the visitor now. @param {import('./visit.js').Visit} visit @returns {import('./panel.js').View['wants']} */
function wanted({ refusal, closed, questions, talk, rated, up, wants }) {
  if (refusal) return '';
  if (closed) return 'closed';
  if (questions.length) return 'form';
  if (wants.includes('email')) return 'reach';
  return talk.handling === 'closed' && !rated && up ? 'rating' : '';
}
