import { type Digest, type ImageReference, repositoryFromName } from '../../src/image/index.ts';
import {
  createVerifier,
  type KeyRing,
  parseKeys,
  type TrustedKey,
  type Verification,
  type VerificationRequest,
  type VerifierDependencies,
} from '../../src/verification/index.ts';
import { createSigner, type Signer } from '../support/signing-kit.ts';
import { createStore } from './store.ts';

export const LIMITS: VerifierDependencies['limits'] = {
  signatureCandidates: 100,
  signatureBytes: 8 * 1024 * 1024,
  signatureManifestBytes: 1024 * 1024,
  referrerBytes: 64 * 1024,
  signaturesPerDigest: 8,
  payloadBytes: 64 * 1024,
  blobBytes: 1024 * 1024,
  verifiedBytes: 32 * 1024 * 1024,
  rejectedMemory: 10_000,
  rejectedEntries: 10_000,
  tagEntries: 10_000,
  flightDeadline: 30_000,
  registrySilence: 3_000,
  requestBudget: 60,
  requestBudgetPerSecond: 2,
};

export const FOREVER = new AbortController().signal;

export const trust = async (signer: Signer, changes: Partial<TrustedKey> = {}): Promise<TrustedKey> => {
  const parsed = await parseKeys(signer.publicPem);
  if (!parsed.ok) throw new Error(parsed.problem);
  return { ...parsed.keys[0], source: 'test', pinned: true, for: undefined, covers: undefined, ...changes };
};

export const ringOf = (keys: readonly TrustedKey[], missing: KeyRing['missing'] = []): KeyRing => ({
  keys: new Map(keys.map((key) => [key.keyId, key])),
  missing,
});

const COMPONENTS = new Set(['pilot', 'proxyv2', 'ztunnel']);
const STARTS = new Map([
  ['/usr/local/bin/pilot-discovery', 'pilot'],
  ['/usr/local/bin/ztunnel', 'ztunnel'],
]);

/** Parses `registry/path:tag` or `registry/path@digest`, both in normal form. */
const referenceTo = (text: string): ImageReference => {
  const [name = '', digest] = text.split('@');
  const [, repository = '', tag] = /^(.*?)(?::([^:/]+))?$/.exec(name) ?? [];
  return { text, repository: repositoryFromName(repository), tag, digest: digest as Digest | undefined };
};

export const requestFor = (text: string, changes: Partial<VerificationRequest> = {}): VerificationRequest => {
  const reference = referenceTo(text);
  const segment = reference.repository.path.split('/').at(-1) ?? '';
  return {
    reference,
    places: [reference.repository.name.slice(0, -segment.length - 1)],
    component: COMPONENTS.has(segment) ? segment : undefined,
    componentOf: (signed) => {
      const last = signed.split('/').at(-1) ?? '';
      return COMPONENTS.has(last) ? last : undefined;
    },
    componentOfStart: (word) => STARTS.get(word),
    isLikelyBundled: false,
    signaturesAt: [reference.repository],
    ...changes,
  };
};

export interface Harness {
  readonly store: ReturnType<typeof createStore>;
  readonly signer: Signer;
  readonly stranger: Signer;
  /** The trusted signer's key. */
  readonly key: TrustedKey;
  readonly reports: unknown[];
  ring: KeyRing;
  time: number;
  readonly verify: (
    text: string,
    changes?: Partial<VerificationRequest>,
    signal?: AbortSignal,
  ) => Promise<Verification>;
}

/** Creates a store, two signers of which one is trusted, a stopped clock, and a verifier over them. */
export const createHarness = async (changes: Partial<VerifierDependencies> = {}): Promise<Harness> => {
  const store = createStore();
  const [signer, stranger] = [createSigner(), createSigner()];
  const key = await trust(signer);
  const reports: unknown[] = [];
  const verifier = createVerifier({
    open: store.open,
    ring: () => harness.ring,
    limits: LIMITS,
    tagMemory: 10_000,
    now: () => harness.time,
    report: (error) => `incident-${reports.push(error)}`,
    ...changes,
  });
  const harness: Harness = {
    store,
    signer,
    stranger,
    key,
    reports,
    ring: ringOf([key]),
    time: 1_800_000_000_000,
    verify: (text, requestChanges, signal = FOREVER) =>
      verifier.verify(requestFor(text, requestChanges), signal),
  };
  return harness;
};

/** A verdict as one word: `verified`, or the code of its reason. */
export const wordOf = (verdict: Verification): string =>
  verdict.outcome === 'verified' ? 'verified' : verdict.reason.code;
