import type { ScannedImage, ScannedOwner, ScannedUse, ScanResult } from '../../scan/index.ts';
import { count } from '../count.ts';
import { findOwnerFindings } from '../owner-findings.ts';
import { labelled, type Page, table, whole, within, wrap } from './layout.ts';

/** Bounds of the details: a cluster may have 10,000 images, and an image 100,000 uses. */
const MAX_IMAGES = 50;
const MAX_USES = 8;
const MAX_VERIFIED = 200;

/** Columns of the labels. */
const LABEL = 10;

const TITLES = {
  refused: 'WOULD BE REFUSED',
  unknown: 'UNKNOWN',
  reported: 'WOULD BE REPORTED',
  exempt: 'EXEMPT',
} as const;
const STYLES = { refused: 'red', unknown: 'yellow', reported: 'yellow', exempt: 'green' } as const;

const podsOf = ({ pods }: ScannedUse): string =>
  pods === 0 ? 'no pod, the template alone' : count(pods, 'pod');

/** The effect of a use that is not denied, though the image would be denied elsewhere. */
const EFFECTS = { deny: '', warn: ', warned of', audit: ', recorded', exempt: ', exempt' } as const;

const effectOf = ({ effect }: ScannedUse): string => (effect === null ? ', allowed' : EFFECTS[effect]);

const useLine = (use: ScannedUse): string =>
  whole(`${use.namespace} ${use.owner}, container ${use.container}: ${podsOf(use)}${effectOf(use)}`);

const imageLines = (image: ScannedImage, page: Page): readonly string[] => {
  const uses = within(image.uses, MAX_USES, (use) => [useLine(use)], { more: image.omittedUses, indent: '' });
  const inside = { ...page, columns: page.columns - LABEL - 2 };
  return [
    '',
    `  ${page.paint(whole(image.reference), 'bold')}`,
    ...labelled('why', wrap(image.message, '', inside), LABEL),
    ...labelled('runs in', uses, LABEL),
    ...labelled('check', [whole(image.command)], LABEL),
  ];
};

const ownerLines = (
  { namespace, kind, name, message, pods }: ScannedOwner,
  page: Page,
): readonly string[] => {
  const inside = { ...page, columns: page.columns - LABEL - 2 };
  const running = pods === 0 ? 'no pod, the template alone' : count(pods, 'pod');
  return [
    '',
    `  ${page.paint(whole(`${namespace} ${kind}/${name}`), 'bold')}: ${running}`,
    ...labelled('why', wrap(message, '', inside), LABEL),
  ];
};

/**
 * Returns the images of a status that is not *verified*, each with its message and where it runs, then the workloads of
 * that status whose findings no image tells; nothing if there is none of either.
 */
export const imageSection = (
  status: keyof typeof TITLES,
  result: ScanResult,
  page: Page,
): readonly string[] => {
  const { images, summary } = result;
  const found = images.filter((image) => image.status === status);
  const owners = findOwnerFindings(result)
    .map(({ owner }) => owner)
    .filter((owner) => owner.status === status);
  if (found.length + owners.length === 0) return [];
  const title = `${TITLES[status]}: ${count(found.length, 'image')}, ${count(summary.pods[status], 'pod')}`;
  return [
    '',
    page.paint(title, STYLES[status]),
    ...within(found, MAX_IMAGES, (image) => imageLines(image, page)),
    ...within(owners, MAX_IMAGES, (owner) => ownerLines(owner, page)),
  ];
};

/** Returns the verified images, one a line. */
export const verifiedSection = ({ images, summary }: ScanResult, { paint }: Page): readonly string[] => {
  const verified = images.filter(({ status }) => status === 'verified');
  if (verified.length === 0) return [];
  const rows = verified
    .slice(0, MAX_VERIFIED)
    .map(({ pods, signedBy, reference }) => [
      String(pods),
      signedBy.map(({ source }) => source).join(', '),
      reference,
    ]);
  const title = `VERIFIED: ${count(verified.length, 'image')}, ${count(summary.pods.verified, 'pod')}`;
  return [
    '',
    paint(title, 'green'),
    '',
    ...table([{ title: 'PODS', isNumber: true }, { title: 'SIGNED BY' }, { title: 'IMAGE' }], rows),
    ...within(verified.slice(MAX_VERIFIED), 0, () => []),
  ];
};
