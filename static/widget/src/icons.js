// Path data for icon(), all drawn for the widget on a 24 by 24 grid.

export const CHAT = 'M12 3.5c-5 0-9 3.4-9 7.7 0 2.2 1.1 4.2 2.8 5.6-.1 1.3-.7 2.5-1.6 3.5 2 0 3.8-.6 5.2-1.6.8.2 1.7.2 2.6.2 5 0 9-3.4 9-7.7S17 3.5 12 3.5z';
export const DOWN = 'M6 9.5l6 6 6-6';
export const CLOSE = 'M6.5 6.5l11 11m0-11l-11 11';
export const SEND = 'M12 19.5v-15m0 0l-6.5 6.5M12 4.5l6.5 6.5';
export const SPARK = 'M12 4.5l1.7 5.8 5.8 1.7-5.8 1.7L12 19.5l-1.7-5.8L4.5 12l5.8-1.7z';
export const PERSON = 'M12 12.3a3.9 3.9 0 100-7.8 3.9 3.9 0 000 7.8zM4.8 20c.9-3.1 3.7-5 7.2-5s6.3 1.9 7.2 5';
export const STAR = 'M12 4l2.5 5.1 5.6.8-4 3.9.9 5.6-5-2.6-5 2.6.9-5.6-4-3.9 5.6-.8z';
export const CLIP = 'M18.5 11.5l-6.6 6.6a4.2 4.2 0 01-6-6l7-7a2.8 2.8 0 014 4l-7 7a1.4 1.4 0 01-2-2l6.4-6.4';
export const FILE = 'M13.5 3.5h-6a2 2 0 00-2 2v13a2 2 0 002 2h9a2 2 0 002-2v-10zm0 0v5h5';
export const BELL = 'M6.5 16.5v-5.7a5.5 5.5 0 0111 0v5.7l1.5 1.5H5zM10 20.5h4';
export const AGAIN = 'M18.5 8.5A7.2 7.2 0 105 13.8m13.7-9.3v4.2h-4.2';
