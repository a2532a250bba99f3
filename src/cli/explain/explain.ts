import { explain, groupOf, type ImageUse, type ReasonCode, reasonCodes } from '../../policy/index.ts';
import { plainText, type RuleCode, ruleOf, rules } from '../../report/index.ts';
import { type Command, type Io, UsageError } from '../command-line/command.ts';
import { wrap } from '../command-line/help.ts';
import { suggest } from '../command-line/suggest.ts';
import { exitCodeOf, exitCodes } from '../shared/exit-codes.ts';
import { exampleReasons } from './example-reasons.ts';

const EXAMPLE_USE: ImageUse = {
  image: 'registry.corp.example/istio/proxyv2:1.28.1',
  path: 'spec.initContainers[1].image',
  name: 'istio-proxy',
  kind: 'init-container',
};

const codes: readonly RuleCode[] = rules.map(({ code }) => code);

const isReason = (code: RuleCode): code is ReasonCode => reasonCodes.some((reason) => reason === code);

const meaningOfExit = (code: ReasonCode): string => {
  const exitCode = exitCodeOf(code);
  const [, meaning] = exitCodes.find(([known]) => known === exitCode) ?? [];
  return `${exitCode} (${meaning})`;
};

const UNDETERMINED =
  'Undetermined: what it does to a pod is the choice of the configuration (docs/outages.md#undetermined).';

const reasonParts = (code: ReasonCode): readonly string[] => [
  `Exit code: ${meaningOfExit(code)}`,
  ...(groupOf(code) === 'undetermined' ? [wrap(UNDETERMINED, '')] : []),
  `A refusal says, for example:\n${wrap(explain(exampleReasons[code], EXAMPLE_USE), '  ')}`,
];

const describe = (code: RuleCode): string => {
  const { meaning, remedy } = ruleOf(code);
  const [page, parts] = isReason(code)
    ? ['docs/reasons.md', reasonParts(code)]
    : ['docs/commands.md#codes-of-reports', ['Only a report of review or scan has this code.']];
  return [
    code,
    wrap(`Meaning: ${plainText(meaning)}`, ''),
    wrap(`What to do: ${plainText(remedy)}`, ''),
    ...parts,
    `More: ${page}\n`,
  ].join('\n\n');
};

const list = (): string => {
  const width = Math.max(...codes.map((code) => code.length)) + 2;
  return rules.map(({ code, meaning }) => `${code.padEnd(width)}${plainText(meaning)}\n`).join('');
};

const run = (name: string | undefined, io: Io): number => {
  if (name === undefined) {
    io.stdout.write(list());
    return 0;
  }
  const code = codes.find((known) => known === name);
  if (code === undefined)
    throw new UsageError(
      `unknown reason ${JSON.stringify(name)}.${suggest(name, codes)} \`sailmark explain\` lists all.`,
    );
  io.stdout.write(describe(code));
  return 0;
};

export const command: Command = {
  usage: 'explain [REASON]',
  description:
    'Explains a reason, the word in brackets in a refusal: what it means, what to do, the exit code, and what such a refusal says. Without a reason it lists all, the most serious first, and then the codes that only reports have.',
  flags: [],
  examples: ['sailmark explain', 'sailmark explain signature-missing'],
  maxOperands: 1,
  operands: codes,
  run: async (_flags, [name], io) => run(name, io),
};
