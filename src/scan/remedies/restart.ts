import type { Drift, Remedy } from '../scan-result.ts';
import { shellCommand } from '../shell.ts';
import { countOf, withLines } from './draft.ts';

/** Kinds whose pods `kubectl rollout restart` replaces. */
const RESTARTABLE: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

const MAX_LINES = 40;

const restartOf = (namespace: string, owner: string): string | undefined => {
  const [kind = '', ...name] = owner.split('/');
  return RESTARTABLE.has(kind)
    ? shellCommand(
        ['kubectl', 'rollout', 'restart', '--namespace'],
        namespace,
        `${kind.toLowerCase()}/${name.join('/')}`,
      )
    : undefined;
};

/** Returns the remedy for containers that run another digest than the verified one; undefined if there is none. */
export const restartRemedy = (drift: readonly Drift[]): Remedy | undefined => {
  const drifted = drift.filter(({ status }) => status === 'drifted');
  if (drifted.length === 0) return undefined;
  const owners = new Map(
    drifted.map(({ namespace, owner }) => [`${namespace} ${owner}`, { namespace, owner }]),
  );
  const lines = [...owners.values()]
    .slice(0, MAX_LINES)
    .map(({ namespace, owner }) => restartOf(namespace, owner));
  const title = `Restart the pods of ${countOf(owners.size, 'owner')}, so that they run what is verified now`;
  return {
    kind: 'restart-pods',
    ...withLines(title, 'shell', [], lines),
    images: [...new Set(drifted.map(({ reference }) => reference))],
    owners: [...owners.keys()],
    pods: drifted.reduce((sum, { pods }) => sum + pods, 0),
  };
};
