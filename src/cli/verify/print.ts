import { oneLine } from '../../base/index.ts';
import { repositoryFromName } from '../../image/index.ts';
import type { KeyRing } from '../../verification/index.ts';
import type { Io } from '../command-line/command.ts';
import { createPaint, type Paint } from '../shared/terminal.ts';
import {
  type CosignSettings,
  cosignCommand,
  cosignDifference,
  cosignLocalCommand,
} from './cosign-command.ts';
import { cosignJson } from './cosign-json.ts';
import type { ImageReport } from './report.ts';

export interface PrintContext {
  /** True if the images were given as directories. */
  readonly local: boolean;
  readonly cosign: CosignSettings;
}

/** Bounds the output for a long key ring: a few commands show how to verify with cosign. */
const MAX_COMMANDS = 3;

/** Bounds the output: references may come from an untrusted list. */
const MAX_REFERENCE_LENGTH = 512;

const COLOURS = { verified: 'green', rejected: 'red', refused: 'red', undetermined: 'yellow' } as const;

/** One element of `images`, as JSON.stringify would indent it in the whole document. */
const toJson = (report: ImageReport): string => {
  const image = {
    reference: report.reference,
    digest: report.digest,
    component: report.component,
    componentProven: report.componentProven,
    // Undefined is left out: there is nothing to say of a component that is not proven.
    componentProvenBy: report.componentProvenBy,
    outcome: report.outcome,
    reason: report.reason?.code ?? null,
    message: report.message,
    signedBy: report.signedBy,
    format: report.format,
    transparencyLog: logEntryOf(report),
    requests: report.requests,
    fromMemory: report.fromMemory,
    durationMs: report.durationMs,
  };
  return JSON.stringify(image, null, 2).replaceAll('\n', '\n    ');
};

/** The log entry of the first signature with a proof. `checked` is true if the log was required. */
const logEntryOf = ({ signatures }: ImageReport): object => {
  const checked = signatures.some(({ logged }) => logged !== undefined);
  const [proof] = signatures.flatMap(({ logged }) =>
    logged !== undefined && 'proof' in logged ? [logged.proof] : [],
  );
  const index = Number(proof?.logIndex);
  return {
    checked,
    logIndex: proof === undefined ? null : Number.isSafeInteger(index) ? index : proof.logIndex,
    integratedTime: proof?.integratedTime ?? null,
  };
};

const placesOf = ({ judgement }: ImageReport): readonly string[] =>
  judgement.class?.kind === 'istio' ? judgement.class.places : [];

/** The sources of the keys for the cosign commands: the keys that signed, or else all that may sign this image. */
const keySourcesOf = (report: ImageReport, ring: KeyRing): readonly string[] => {
  const signers = report.signedBy.flatMap(({ source }) => (source === null ? [] : [source]));
  const places = placesOf(report);
  const all = [...ring.keys.values()]
    .filter((key) => key.for === undefined || key.for.some((place) => places.includes(place)))
    .map(({ source }) => source);
  return (signers.length > 0 ? signers : all).slice(0, MAX_COMMANDS);
};

/** The cosign commands that reach the same verdict, or why cosign differs; empty if there is no verdict. */
const cosignLines = (
  report: ImageReport,
  ring: KeyRing,
  { cosign, local }: PrintContext,
): readonly string[] => {
  const { judgement, outcome, reason } = report;
  if (judgement.reference === undefined || outcome === 'undetermined') return [];
  const difference = reason === null ? undefined : cosignDifference(reason.code);
  if (difference !== undefined) return [`  ${difference}`];
  const { reference, class: imageClass } = judgement;
  const [classed = reference.repository] = imageClass?.kind === 'istio' ? imageClass.signaturesAt : [];
  const { signatureRepository } = cosign;
  const repository = signatureRepository === undefined ? classed : repositoryFromName(signatureRepository);
  return keySourcesOf(report, ring).map((source) => {
    const command = local
      ? cosignLocalCommand(report.reference, source, cosign)
      : cosignCommand(reference, repository, source, cosign);
    return `  the same with cosign: ${command}`;
  });
};

const checksOf = ({ signatures }: ImageReport): readonly string[] => [
  'The following checks were performed on each of these signatures:',
  '  - The cosign claims were validated: the signed bytes name this digest',
  ...(signatures.some(({ logged }) => logged !== undefined)
    ? ['  - Existence of the claims in the transparency log was verified offline']
    : []),
  '  - The signatures were verified against a trusted public key',
];

const COMPONENT_CHECKS = {
  signature: '    - The signed bytes name this component',
  configuration: '    - The configuration of the image starts this component',
} as const;

const verifiedLines = (report: ImageReport): readonly string[] => {
  const { digest, component, componentProvenBy, signedBy } = report;
  return [
    `  digest      ${digest}`,
    ...(component === null ? [] : [`  component   ${component}`]),
    ...signedBy.map(
      ({ keyId, source }) =>
        `  signed by   ${source ?? 'a key that has been removed from the key ring'} (key id ${keyId})`,
    ),
    ...checksOf(report).map((line) => `  ${line}`),
    ...(componentProvenBy === undefined ? [] : [COMPONENT_CHECKS[componentProvenBy]]),
  ];
};

const toText = (report: ImageReport, ring: KeyRing, context: PrintContext, paint: Paint): string => {
  const { outcome, reference, message, reason } = report;
  const head = `${oneLine(reference, MAX_REFERENCE_LENGTH)}: ${paint(outcome, COLOURS[outcome])}`;
  const details = reason === null ? verifiedLines(report) : [];
  return `${[head, `  ${message}`, ...details, ...cosignLines(report, ring, context)].join('\n')}\n`;
};

/** Prints as cosign does: the JSON of a verified image to standard output; checks and errors to standard error. */
const printAsCosign = (report: ImageReport, io: Io): void => {
  const reference = oneLine(report.reference, MAX_REFERENCE_LENGTH);
  if (report.reason !== null) {
    io.stderr.write(`Error: ${reference}: ${report.message}\n`);
    return;
  }
  io.stderr.write(`\nVerification for ${reference} --\n${checksOf(report).join('\n')}\n`);
  io.stdout.write(
    cosignJson(report.signatures, { reference: report.reference, digest: report.digest ?? '' }),
  );
};

/** Prints one report after the other, so that no output is kept; `end` prints what follows the last. */
export interface ReportPrinter {
  readonly print: (report: ImageReport, ring: KeyRing) => void;
  readonly end: () => void;
}

const createJsonPrinter = ({ stdout }: Io): ReportPrinter => {
  let before = '{\n  "schema": "sailmark.dev/verification/v1",\n  "images": [\n    ';
  return {
    print: (report) => {
      stdout.write(`${before}${toJson(report)}`);
      before = ',\n    ';
    },
    end: () => void stdout.write('\n  ]\n}\n'),
  };
};

/** `250 images: 240 verified, 10 rejected`; undefined for one image. */
const toSummary = (outcomes: ReadonlyMap<ImageReport['outcome'], number>): string | undefined => {
  const total = [...outcomes.values()].reduce((sum, count) => sum + count, 0);
  if (total < 2) return undefined;
  const counts = Object.keys(COLOURS).flatMap((outcome) => {
    const count = outcomes.get(outcome as ImageReport['outcome']);
    return count === undefined ? [] : [`${count} ${outcome}`];
  });
  return `${total} images: ${counts.join(', ')}`;
};

const createTextPrinter = (context: PrintContext, io: Io): ReportPrinter => {
  const paint = createPaint(io);
  const outcomes = new Map<ImageReport['outcome'], number>();
  return {
    print: (report, ring) => {
      io.stdout.write(`${outcomes.size === 0 ? '' : '\n'}${toText(report, ring, context, paint)}`);
      outcomes.set(report.outcome, (outcomes.get(report.outcome) ?? 0) + 1);
    },
    end: () => {
      const summary = toSummary(outcomes);
      if (summary !== undefined) io.stdout.write(`\n${summary}\n`);
    },
  };
};

/** Creates the printer of a run, which takes the reports in the order of the images on the command line. */
export const createPrinter = (
  output: 'text' | 'json' | 'cosign',
  context: PrintContext,
  io: Io,
): ReportPrinter => {
  if (output === 'json') return createJsonPrinter(io);
  if (output === 'cosign') return { print: (report) => printAsCosign(report, io), end: () => {} };
  return createTextPrinter(context, io);
};
