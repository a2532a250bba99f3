import { duration, flag, list } from './value-types.ts';

const NAME = '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$';
const objectName = (what: string) =>
  ({ type: 'string', pattern: NAME, maxLength: 253, description: `the name of ${what}` }) as const;

/** What may be asked of the cluster's API. */
export const kubernetes = {
  type: 'object',
  additionalProperties: false,
  required: ['namespace'],
  description:
    'access to the API of the cluster: {namespace: sailmark, certificates: …, events: …, warmUp: …}',
  properties: {
    namespace: objectName('the namespace that the webhook runs in'),
    certificates: {
      type: 'object',
      additionalProperties: false,
      required: ['secret', 'webhookConfiguration', 'dnsNames'],
      description: 'certificates issued by itself: {secret: …, webhookConfiguration: …, dnsNames: […]}',
      properties: {
        secret: objectName('a Secret in that namespace'),
        webhookConfiguration: objectName('a ValidatingWebhookConfiguration'),
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
    events: flag,
    warmUp: duration,
  },
} as const;
