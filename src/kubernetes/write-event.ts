import type { ClusterEvent } from '../observability/index.ts';
import type { CallApi } from './call-api.ts';
import type { Cluster } from './cluster.ts';
import type { Resource } from './resource.ts';

/** Returns a `MicroTime` (meta/v1), which always has six fractional digits. */
const microTime = (milliseconds: number): string => new Date(milliseconds).toISOString().replace('Z', '000Z');

const seriesOf = ({ series }: ClusterEvent): object =>
  series === undefined
    ? {}
    : { series: { count: series.count, lastObservedTime: microTime(series.lastObservedTime) } };

/** Returns the object of events.k8s.io/v1. */
const bodyOf = (event: ClusterEvent): object => {
  const { name, namespace, regarding, reason, action, note, type, eventTime } = event;
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name, namespace },
    eventTime: microTime(eventTime),
    regarding: { ...regarding, namespace },
    reason,
    action,
    note,
    type,
    reportingController: event.reportingController,
    reportingInstance: event.reportingInstance,
    ...seriesOf(event),
  };
};

/** Creates the function that writes Events, with the verbs `create` and, for series, `patch`. */
export const createWriteEvent = (callApi: CallApi): Cluster['writeEvent'] => {
  const create = async (event: ClusterEvent, signal: AbortSignal): Promise<void> => {
    const { namespace } = event;
    const resource: Resource = { group: 'events.k8s.io', plural: 'events', namespace };
    // 409: the name is unique to this Event, so it was written before.
    await callApi({ method: 'POST', resource, body: bodyOf(event), accept: [409] }, signal);
  };
  const patch = async (event: ClusterEvent, signal: AbortSignal): Promise<boolean> => {
    const { namespace, name } = event;
    const resource: Resource = { group: 'events.k8s.io', plural: 'events', namespace, name };
    const body = seriesOf(event);
    const contentType = 'application/merge-patch+json';
    const { status } = await callApi({ method: 'PATCH', resource, body, contentType, accept: [404] }, signal);
    return status !== 404;
  };
  return async (event, signal) => {
    const wasPatched = event.series !== undefined && (await patch(event, signal));
    if (!wasPatched) await create(event, signal);
  };
};
