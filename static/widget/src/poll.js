// The last resort, for networks that let neither sockets nor streams through: ask, wait, ask again.

import { downlink } from './downlink.js';

const WAIT = 25; // seconds the server may hold a question
const GRACE = 10; // seconds more until the answer counts as lost
const PAUSE = 1000; // ms between questions whose answers brought no message

/** @type {import('./transport.js').Dial} */
export const dialPoll = (line) =>
  downlink(line, async ({ get, expect, over }) => {
    let seen = line.after();
    let told = ''; // how the thread stood when the server last said so
    // The first question is not held: its answer says that the line is open.
    for (let wait = 0; !over(); wait = WAIT) {
      expect((wait + GRACE) * 1000);
      const { frames = [], standing } = await (
        await get(`/poll?after_seq=${seen}&thread=${line.thread() || ''}&standing=${told}&wait=${wait}`)
      ).json();
      if (over()) return;
      told = standing;
      expect(0);
      if (!wait) line.opened();
      const before = seen;
      for (const frame of frames) {
        if (frame.type === 'message') seen = Math.max(seen, frame.seq);
        line.frame(frame);
      }
      if (wait && seen === before) await new Promise((go) => setTimeout(go, PAUSE));
    }
  });
