import type { PinRecord, ReviewRecord } from '../../admission/index.ts';
import { type Mode, reasonCodes, type Verdict } from '../../policy/index.ts';
import type { KeyEvent, Verification } from '../../verification/index.ts';

/** Returns the members of a union, each named once: a missing or unknown one does not compile. */
const membersOf = <Member extends string>(members: Readonly<Record<Member, true>>): readonly Member[] =>
  Object.keys(members) as Member[];

export const MODES = membersOf<Mode>({ enforce: true, warn: true, audit: true });
export const VERDICTS = membersOf<Verdict>({ allow: true, deny: true, warn: true, audit: true });
export const EFFECTS = membersOf<ReviewRecord['findings'][number]['effect']>({
  deny: true,
  warn: true,
  audit: true,
  exempt: true,
});
export const OPERATIONS = membersOf<ReviewRecord['operation']>({
  CREATE: true,
  UPDATE: true,
  DELETE: true,
  CONNECT: true,
});
export const OUTCOMES = membersOf<Verification['outcome']>({
  verified: true,
  rejected: true,
  undetermined: true,
});
export const PIN_SOURCES = membersOf<PinRecord['pinned'][number]['source']>({
  verified: true,
  exemption: true,
  outage: true,
  previous: true,
});
export const KEY_EVENTS = membersOf<KeyEvent['code']>({
  'key-url-changed': true,
  'key-file-invalid': true,
  'key-missing': true,
  'key-loaded': true,
});
export const REASONS = reasonCodes;
export const BOOLEANS = ['true', 'false'] as const;
/** Hosts that the configuration names; all others are `other`. */
export const REGISTRIES = 'registries of the configuration, `other`';
