export { answerOf } from './answer.ts';
export { scanToHtml } from './html/scan-to-html.ts';
export { toJson } from './json.ts';
export type { Paint } from './text/layout.ts';
export { toText } from './text/text.ts';
