export { messageOf, type ReportError, UserError } from './errors.ts';
export {
  isAbsent,
  isJsonObject,
  type JsonObject,
  listMemberOf,
  memberOf,
  parseJson,
  textOf,
} from './json.ts';
export { readFileWithin, readFirstBytes, readTextFile } from './read-file.ts';
export { recallOrElse } from './recall.ts';
export { isKnownFormat } from './stored-format.ts';
export { listWithin, oneLine, quoted } from './text.ts';
export { encodingOf } from './text-encoding.ts';
export { DAY_MS, HOUR_MS, MINUTE_MS, orAborted, SECOND_MS, timeoutSignal, untilAborted } from './time.ts';
export { createTokenBucket, type TokenBucket } from './token-bucket.ts';
export { ownTurn, turnToParse } from './turns.ts';
