// The stream: frames down over one long answer. It is read with fetch because EventSource cannot send a token in a header.

import { downlink } from './downlink.js';

const HEARTBEAT = 40000; // ms; the server says something every 15 s

/** @type {import('./transport.js').Dial} */
export const dialStream = (line) =>
  downlink(line, async ({ get, expect, over }) => {
    const res = await get(`/events?after_seq=${line.after()}&thread=${line.thread() || ''}`, 'text/event-stream');
    const reader = /** @type {ReadableStream} */ (res.body).pipeThrough(new TextDecoderStream()).getReader();
    let [rest, first] = ['', true];
    for (;;) {
      expect(HEARTBEAT);
      const { value, done } = await reader.read();
      if (done) return;
      const events = (rest + value).split('\n\n');
      rest = events.pop() || '';
      for (const event of events) {
        const data = [...event.matchAll(/^data: ?(.*)$/gm)].map((m) => m[1]).join('\n');
        if (over() || !data) continue;
        if (first) line.opened();
        first = false;
        line.frame(JSON.parse(data));
      }
    }
  });
