export { createWebhook, type Webhook, type WebhookDependencies } from './webhook.ts';
