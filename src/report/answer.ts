import type { ScanResult } from '../scan/index.ts';
import { count } from './count.ts';

/** True if there may be pods that were not seen, so that no sentence may speak of all of them. */
const isPartial = ({ complete, coverage }: ScanResult): boolean =>
  !complete ||
  coverage.cut.length > 0 ||
  coverage.notSeen.some(({ resource }) => resource === 'pods' || resource.startsWith('pods '));

const numberOf = (pods: number): string => (pods === 0 ? 'none' : String(pods));

/** ` if you enforced now`; of another mode, what its namespaces would be. */
const conditionOf = ({ policy }: ScanResult): string =>
  policy.mode === 'enforce' ? 'if you enforced now' : `in mode ${policy.mode}`;

const capitalised = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

/** `, but 2 would be reported, and for 3 it is unknown`; empty if there is no rest. */
const restOf = (rest: readonly string[], isContrast: boolean): string => {
  const [last = '', ...others] = rest.toReversed();
  if (rest.length < 2) return rest.map((one) => `, ${isContrast ? 'but' : 'and'} ${one}`).join('');
  return `${isContrast ? ', but ' : ', '}${others.toReversed().join(', ')}, and ${last}`;
};

/** The answer of a scan in one or two sentences: `If you enforced now, 9 of 60 pods would be refused.` */
export const answerOf = (result: ScanResult): string => {
  const { pods, ownersRefused } = result.summary;
  const { all, refused, unknown, reported } = pods;
  const interrupted = result.complete ? '' : 'The scan was interrupted. ';
  if (all === 0) return `${interrupted}No pod was seen.`;
  const condition = conditionOf(result);
  const rest = [
    // A template alone: nothing runs yet.
    ...(refused > 0 || ownersRefused === 0
      ? []
      : [`the next pods of ${count(ownersRefused, 'workload')} would be`]),
    ...(reported === 0 ? [] : [`${reported} would be reported`]),
    ...(unknown === 0 ? [] : [`for ${unknown} it is unknown`]),
  ];
  const more = restOf(rest, refused === 0);
  return isPartial(result)
    ? `${interrupted}Of the ${count(all, 'pod')} seen, ${numberOf(refused)} would be refused ${condition}${more}.`
    : `${capitalised(condition)}, ${numberOf(refused)} of ${count(all, 'pod')} would be refused${more}.`;
};
