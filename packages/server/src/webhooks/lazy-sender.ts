import type { WebhookSender } from './sender.ts';

/** Loads the sender with its HTTP client on demand: most deployments have no webhooks, and its code costs memory. */
export class LazySender implements Pick<WebhookSender, 'send' | 'close'> {
  readonly #options: ConstructorParameters<typeof WebhookSender>[0];
  #sender: Promise<WebhookSender> | undefined;

  constructor(options: ConstructorParameters<typeof WebhookSender>[0]) {
    this.#options = options;
  }

  async send(...request: Parameters<WebhookSender['send']>): ReturnType<WebhookSender['send']> {
    this.#sender ??= import('./sender.ts').then(({ WebhookSender }) => new WebhookSender(this.#options));
    return (await this.#sender).send(...request);
  }

  async close(): Promise<void> {
    await (await this.#sender)?.close();
  }
}
