import { duration, flag, list } from './value-types.ts';

const NAME = '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$';
const objectName = (object: string) =>
  ({ type: 'string', pattern: NAME, maxLength: 253, description: `the name of ${object}` }) as const;

/** The schema of `kubernetes`: access to the cluster's API. */
export const kubernetes = {
  type: 'object',
  additionalProperties: false,
  required: ['namespace'],
  description:
    'access to the API of the cluster: {namespace: sailmark, certificates: …, activation: …, evidence: …, scanResult: …, events: …, warmUp: …}',
  properties: {
    namespace: objectName('the namespace that the webhook runs in'),
    certificates: {
      type: 'object',
      additionalProperties: false,
      required: ['secret', 'webhookConfiguration', 'dnsNames'],
      description:
        'certificates that the webhook issues to itself: {secret: …, webhookConfiguration: …, dnsNames: […]}',
      properties: {
        secret: objectName('a Secret in that namespace'),
        webhookConfiguration: objectName('a ValidatingWebhookConfiguration'),
        mutatingWebhookConfiguration: objectName('a MutatingWebhookConfiguration'),
        dnsNames: {
          ...list({
            type: 'string',
            pattern: '^[0-9A-Za-z:]([-0-9A-Za-z.:]*[0-9A-Za-z:])?$',
            maxLength: 253,
            description: 'a host name, such as sailmark.sailmark.svc, or an IP address',
          } as const),
          minItems: 1,
        },
        caLifetime: duration,
        lifetime: duration,
        overlap: duration,
      },
    },
    activation: {
      type: 'object',
      additionalProperties: false,
      required: ['webhookConfiguration'],
      description:
        'what comes into force once a replica is ready: {webhookConfiguration: sailmark}, whose annotation sailmark.dev/rules-when-ready says how',
      properties: { webhookConfiguration: objectName('a ValidatingWebhookConfiguration') },
    },
    evidence: {
      type: 'object',
      additionalProperties: false,
      required: ['tags', 'images'],
      description: 'ConfigMaps in which replicas share evidence: {tags: …, images: […]}',
      properties: {
        tags: objectName('a ConfigMap in that namespace'),
        images: { ...list(objectName('a ConfigMap in that namespace')), minItems: 1, maxItems: 16 },
      },
    },
    scanResult: objectName('a ConfigMap in that namespace, which keeps the result of the last scan'),
    events: flag,
    warmUp: duration,
  },
} as const;
