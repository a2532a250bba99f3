import type { KeyRing } from '../verification/index.ts';
import { parseChoice } from './command-line/arguments.ts';
import type { Command, Flags, Io } from './command-line/command.ts';
import { keyFlags, readConfig } from './flags/core-flags.ts';
import { withCore } from './shared/with-core.ts';

const OUTPUTS = ['text', 'json'] as const;

interface KeyRow {
  readonly keyId: string | null;
  readonly spkiSha256: string | null;
  readonly source: string;
  readonly pinned: boolean | null;
  readonly state: string;
  readonly covers: string | null;
  readonly for: readonly string[] | null;
}

const toRows = ({ keys, missing }: KeyRing): readonly KeyRow[] => [
  ...[...keys.values()].map(({ keyId, spkiSha256, source, pinned, covers, for: places }) => ({
    keyId,
    spkiSha256,
    source,
    pinned,
    state: 'loaded',
    covers: covers ?? null,
    for: places ?? null,
  })),
  ...missing.map(({ source, problem }) => ({
    keyId: null,
    spkiSha256: null,
    source,
    pinned: null,
    state: `missing: ${problem}`,
    covers: null,
    for: null,
  })),
];

const toText = (row: KeyRow): string =>
  [
    row.source,
    `  state     ${row.state}`,
    ...(row.keyId === null ? [] : [`  key id    ${row.keyId}`, `  SPKI      sha256 ${row.spkiSha256}`]),
    ...(row.pinned === false
      ? [
          '  pinned    no: any key that the URL serves when a process starts is trusted; to pin it, add #sha256= and the SPKI above',
        ]
      : []),
    ...(row.pinned === true ? ['  pinned    yes'] : []),
    ...(row.covers === null ? [] : [`  covers    Istio ${row.covers}`]),
    ...(row.for === null ? [] : [`  only for  ${row.for.join(', ')}`]),
  ].join('\n');

const showKeys = async (flags: Flags, io: Io): Promise<number> => {
  const output = parseChoice(flags, 'output', OUTPUTS);
  return withCore(await readConfig(flags, io), io, async (core) => {
    const rows = toRows(core.ring());
    io.stdout.write(
      output === 'json'
        ? `${JSON.stringify({ schema: 'sailmark.dev/keys/v1', keys: rows }, null, 2)}\n`
        : `${rows.map(toText).join('\n\n')}\n`,
    );
    const named = new Set(flags.list('key').map((key) => key.replace(/#sha256=.*$/, '')));
    // Without a network, only a URL that the command line names is a failure.
    const failed = core
      .ring()
      .missing.filter(({ source, unfetched }) => unfetched !== true || named.has(source));
    return failed.length === 0 ? 0 : 1;
  });
};

export const command: Command = {
  usage: 'keys [flags]',
  description:
    'Shows the key ring: the id (RFC 7638 thumbprint), the SHA-256 of the SubjectPublicKeyInfo and the source of each key, whether it is pinned, and which Istio releases it covers. A key that could not be loaded is shown with the reason, and the exit code is 1; but not for a URL of the configuration, or of the default keys, that does not respond.',
  flags: [
    ...keyFlags,
    { name: 'output', short: 'o', value: OUTPUTS.join('|'), help: 'human-readable text (default), or json' },
  ],
  examples: [
    'sailmark keys',
    'sailmark keys --config sailmark.yaml',
    'sailmark keys --key https://istio.io/misc/istio-key.pub',
  ],
  maxOperands: 0,
  run: (flags, _operands, io) => showKeys(flags, io),
};
