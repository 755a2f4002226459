// How frames travel. There are three ways, best first; each gives the same frames, so that nothing above cares which it is.

import { dialSocket } from './ws.js';

/**
 * What a transport is given. It calls opened once, when the server has answered, frame for each frame in order, and ended
 * once, unless it was closed by close(). After either it calls nothing more.
 * @typedef {object} Line
 * @property {string} url of the widget's surface, …/w/{key}
 * @property {() => string} token
 * @property {import('./later.js').Later} later
 * @property {() => number} after the seq up to which everything is here
 * @property {() => string | null} thread whose seq that is; null: none yet
 * @property {() => void} opened
 * @property {(frame: any) => void} frame
 * @property {(why: Ending) => void} ended
 */

/**
 * @typedef {object} Ending
 * @property {number} [code] WebSocket close code
 * @property {boolean} [expired] the token is no longer good
 */

/**
 * @typedef {object} Transport
 * @property {(frame: object) => void} send a frame that may be lost; whoever needs to know waits for the ack
 * @property {() => void} probe finds out within seconds whether the line is still alive
 * @property {() => void} close
 */

/** @typedef {(line: Line) => Transport} Dial */

export const [SOCKET, STREAM, POLL] = [0, 1, 2];

/**
 * A way that few networks make necessary is fetched when it is.
 * @param {'dialStream' | 'dialPoll'} name
 * @returns {Dial}
 */
const lazy = (name) => (line) => {
  /** @type {Transport | undefined} */
  let way;
  let over = false;
  line.later((more) => over || (way = more[name](line)));
  return {
    send: (frame) => way?.send(frame),
    probe() {}, // they notice by themselves
    close() {
      over = true;
      way?.close();
    },
  };
};

/** @type {Dial[]} */
export const tiers = [dialSocket, lazy('dialStream'), lazy('dialPoll')];
