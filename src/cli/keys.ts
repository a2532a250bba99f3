import type { KeyRing } from '../verification/index.ts';
import { type Command, type Flags, type Io, UsageError } from './command.ts';
import { configOf, coreFlags, withCore } from './core-flags.ts';

interface KeyRow {
  readonly keyId: string | null;
  readonly spkiSha256: string | null;
  readonly source: string;
  readonly pinned: boolean | null;
  readonly state: string;
  readonly covers: string | null;
  readonly for: readonly string[] | null;
}

const rowsOf = ({ keys, missing }: KeyRing): readonly KeyRow[] => [
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

const describeRow = (row: KeyRow): string =>
  [
    row.source,
    `  state     ${row.state}`,
    ...(row.keyId === null ? [] : [`  key id    ${row.keyId}`, `  SPKI      sha256 ${row.spkiSha256}`]),
    ...(row.pinned === false
      ? [
          '  pinned    no: what the URL serves when a process starts is trusted; add #sha256= and the SPKI above to pin it',
        ]
      : []),
    ...(row.pinned === true ? ['  pinned    yes'] : []),
    ...(row.covers === null ? [] : [`  covers    Istio ${row.covers}`]),
    ...(row.for === null ? [] : [`  only for  ${row.for.join(', ')}`]),
  ].join('\n');

const showKeys = async (flags: Flags, io: Io): Promise<number> => {
  const output = flags.text('output') ?? 'text';
  if (output !== 'text' && output !== 'json')
    throw new UsageError(`--output must be text or json, and is ${JSON.stringify(output)}`);
  return withCore(await configOf(flags, io), { ...io, stderr: { write: () => true } }, async (core) => {
    const rows = rowsOf(core.ring());
    io.stdout.write(
      output === 'json'
        ? `${JSON.stringify({ schema: 'sailmark.dev/keys/v1', keys: rows }, null, 2)}\n`
        : `${rows.map(describeRow).join('\n\n')}\n`,
    );
    return core.ring().missing.length === 0 ? 0 : 1;
  });
};

const WANTED: ReadonlySet<string> = new Set(['key', 'config', 'ca-file']);

export const command: Command = {
  usage: 'keys [flags]',
  description:
    'Shows the key ring: key id (RFC 7638 thumbprint), SHA-256 of the SubjectPublicKeyInfo, where each key comes from, whether it is pinned, and which Istio releases it covers. A key that could not be loaded is shown with the reason, and the exit code is 1.',
  flags: [
    ...coreFlags.filter(({ name }) => WANTED.has(name)),
    { name: 'output', short: 'o', value: 'text|json', help: 'text for people (default), or json' },
  ],
  examples: [
    'sailmark keys',
    'sailmark keys --config sailmark.yaml',
    'sailmark keys --key https://istio.io/misc/istio-key.pub',
  ],
  operands: { least: 0, most: 0 },
  run: (flags, _operands, io) => showKeys(flags, io),
};
