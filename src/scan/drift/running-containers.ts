import { listMemberOf, memberOf, textOf } from '../../base/index.ts';

/** A container of a pod, and what its node says it runs. */
export interface RunningContainer {
  readonly container: string;
  /** The image as the pod's spec names it. */
  readonly reference: string;
  /** The status' `imageID` as written; empty: the node says nothing of a container that has started. */
  readonly imageId: string;
}

const LISTS: readonly (readonly [spec: string, status: string])[] = [
  ['initContainers', 'initContainerStatuses'],
  ['containers', 'containerStatuses'],
  ['ephemeralContainers', 'ephemeralContainerStatuses'],
];

const ENDED: ReadonlySet<unknown> = new Set(['Succeeded', 'Failed']);

const hasStarted = (status: unknown): boolean => {
  const state = memberOf(status, 'state');
  return memberOf(state, 'running') !== undefined || memberOf(state, 'terminated') !== undefined;
};

/** The statuses by the name of their container, the first of each name. */
const byName = (statuses: readonly unknown[]): ReadonlyMap<string, unknown> => {
  const found = new Map<string, unknown>();
  for (const status of statuses) {
    const name = textOf(memberOf(status, 'name'));
    if (name !== undefined && !found.has(name)) found.set(name, status);
  }
  return found;
};

/**
 * Finds the containers of a pod that have started, by the names in its spec. A container that has not started has no image ID
 * and is left out; so is every container of a pod that has ended. Anything malformed is as if it were not there.
 */
export const findRunningContainers = (pod: unknown): readonly RunningContainer[] => {
  const podStatus = memberOf(pod, 'status');
  if (ENDED.has(memberOf(podStatus, 'phase'))) return [];
  return LISTS.flatMap(([spec, field]) => {
    const statuses = byName(listMemberOf(podStatus, field) ?? []);
    if (statuses.size === 0) return [];
    return (listMemberOf(memberOf(pod, 'spec'), spec) ?? []).flatMap((item): readonly RunningContainer[] => {
      const container = textOf(memberOf(item, 'name')) ?? '';
      const reference = textOf(memberOf(item, 'image')) ?? '';
      const status = statuses.get(container);
      const imageId = textOf(memberOf(status, 'imageID')) ?? '';
      if (reference === '' || status === undefined) return [];
      return imageId === '' && !hasStarted(status) ? [] : [{ container, reference, imageId }];
    });
  });
};
