export { answerOf } from './answer.ts';
export { toJson } from './json.ts';
export type { Paint } from './text/layout.ts';
export { toText } from './text/text.ts';
