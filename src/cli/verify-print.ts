import { styleText } from 'node:util';
import type { Config } from '../config/index.ts';
import type { KeyRing } from '../verification/index.ts';
import type { Io } from './command.ts';
import { cosignCommand, whyCosignDiffers } from './cosign-command.ts';
import { cosignJson } from './cosign-json.ts';
import type { ImageReport } from './verify-report.ts';

interface Printing {
  readonly io: Io;
  readonly ring: KeyRing;
  readonly registries: Config['registries'];
  readonly caFile: string | undefined;
}

/** A ring may be long; so many commands are enough to see how it is done. */
const MOST_COMMANDS = 3;

const COLOURS = { verified: 'green', rejected: 'red', refused: 'red', undetermined: 'yellow' } as const;

const colour = (text: string, name: 'green' | 'red' | 'yellow', { stdout, env }: Io): string =>
  stdout.isTTY === true && (env['NO_COLOR'] ?? '') === ''
    ? styleText(name, text, { validateStream: false })
    : text;

const toJson = (reports: readonly ImageReport[]): string => {
  const images = reports.map(({ judgement: _judgement, signatures: _signatures, reason, ...facts }) => ({
    reference: facts.reference,
    digest: facts.digest,
    component: facts.component,
    componentProven: facts.componentProven,
    outcome: facts.outcome,
    reason: reason?.code ?? null,
    message: facts.message,
    signedBy: facts.signedBy,
    format: facts.format,
    transparencyLog: { checked: false, logIndex: null, integratedTime: null },
    requests: facts.requests,
    fromMemory: facts.fromMemory,
    durationMs: facts.durationMs,
  }));
  return `${JSON.stringify({ schema: 'sailmark.dev/verification/v1', images }, null, 2)}\n`;
};

/** The keys whose cosign command tells the same: those that signed, or all that could have. */
const sourcesOf = (report: ImageReport, ring: KeyRing): readonly string[] => {
  const signers = report.signedBy.flatMap(({ source }) => (source === null ? [] : [source]));
  const all = [...ring.keys.values()].map(({ source }) => source);
  return (signers.length > 0 ? signers : all).slice(0, MOST_COMMANDS);
};

const cosignLines = (report: ImageReport, printing: Printing): readonly string[] => {
  const { reference } = report.judgement;
  if (reference === undefined) return [];
  const difference = report.reason === null ? undefined : whyCosignDiffers(report.reason.code);
  if (difference !== undefined) return [`  ${difference}`];
  return sourcesOf(report, printing.ring).map(
    (source) => `  the same with cosign: ${cosignCommand(reference, source, printing)}`,
  );
};

const CHECKS = [
  '  The following checks were performed on each of these signatures:',
  '    - The cosign claims were validated: the signed bytes name this digest',
  '    - The signatures were verified against a trusted public key',
];

const verifiedLines = (report: ImageReport): readonly string[] => [
  `  digest      ${report.digest}`,
  ...(report.component === null
    ? []
    : [`  component   ${report.component}${report.componentProven ? ', named in the signed bytes' : ''}`]),
  ...report.signedBy.map(
    ({ keyId, source }) => `  signed by   ${source ?? 'a key that has left the ring'} (key id ${keyId})`,
  ),
  ...CHECKS,
  ...(report.componentProven ? ['    - The signed bytes name this component'] : []),
];

const toText = (report: ImageReport, printing: Printing): string => {
  const { outcome, reference, message, reason } = report;
  const head = `${reference}: ${colour(outcome, COLOURS[outcome], printing.io)}`;
  const body = reason === null ? verifiedLines(report) : [];
  return `${[head, `  ${message}`, ...body, ...cosignLines(report, printing)].join('\n')}\n`;
};

/** As cosign: what was verified on standard output, in its JSON; what was checked, and what failed, on standard error. */
const printAsCosign = (report: ImageReport, { io }: Printing): void => {
  if (report.reason !== null) {
    io.stderr.write(`Error: ${report.reference}: ${report.message}\n`);
    return;
  }
  io.stderr.write(
    `\nVerification for ${report.reference} --\n${CHECKS.map((line) => line.slice(2)).join('\n')}\n`,
  );
  io.stdout.write(cosignJson(report.signatures));
};

/** Prints reports in the order the images were asked for. */
export const printReports = (
  reports: readonly ImageReport[],
  output: 'text' | 'json' | 'cosign',
  printing: Printing,
): void => {
  if (output === 'json') printing.io.stdout.write(toJson(reports));
  else if (output === 'cosign') for (const report of reports) printAsCosign(report, printing);
  else printing.io.stdout.write(reports.map((report) => toText(report, printing)).join('\n'));
};
