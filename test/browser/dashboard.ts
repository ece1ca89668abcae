/** A server and a browser for one test file, and pages in contexts (cookies, storage) of their own. */
import assert from 'node:assert/strict';
import type { SQLInputValue } from 'node:sqlite';
import type { TestContext } from 'node:test';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { launchBrowser, newPage, watch } from '../support/browser.ts';
import { inDatabase } from '../support/in-database.ts';
import { patience } from '../support/patience.ts';
import type { Person } from '../support/person.ts';
import { owner, startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { SharedPage } from './shared-page.ts';
import { translator } from './translator.ts';

interface PageOptions extends BrowserContextOptions {
  /** In a new context, which is closed: for a test that leaves more than SharedPage removes, such as a clock. */
  alone?: boolean;
  /** A translator rewrites the page, and goes on doing so. */
  translated?: boolean;
}

interface OpenOptions extends PageOptions {
  /** Whose session the browser has: ada's when nothing is said, nobody's when null. */
  as?: Person | null;
  /** Console messages that belong to the test, such as Chromium's line for a refused request. */
  expected?: RegExp[];
}

/** Chromium's own line for an answer of this status; the page cannot keep it from being written. */
export const answered = (status: number) =>
  new RegExp(`Failed to load resource: the server responded with a status of ${status}`);
export const noAnswer = /Failed to load resource: net::ERR_(FAILED|INTERNET_DISCONNECTED|ABORTED)/;

export class Dashboard {
  readonly server: TestServer;
  readonly #browser: Browser;
  readonly #ada: Person | undefined;
  /** Of two servers in front of one browser, the first one closes it. */
  readonly #closeBrowser: boolean;
  readonly #contexts: BrowserContext[] = [];
  #shared: SharedPage | undefined;
  #isSharing = false;
  /** Signing in is limited by address, so each context comes from another one. */
  #addresses = 0;

  private constructor(
    server: TestServer,
    ada: Person | undefined,
    { browser, close }: { browser: Browser; close: boolean },
  ) {
    this.server = server;
    this.#ada = ada;
    this.#browser = browser;
    this.#closeBrowser = close;
  }

  /** Whoever starts it must call `stop`. */
  static async start(env: Record<string, string | undefined> = {}, beside?: Dashboard): Promise<Dashboard> {
    const server = await startServer({ env: { TRUST_PROXY: '127.0.0.1', ...env } });
    try {
      const hasOwner = !('SOKU_OWNER_EMAIL' in env);
      const ada = hasOwner ? await openSession(server) : undefined;
      const browser = beside === undefined ? await launchBrowser() : beside.#browser;
      return new Dashboard(server, ada, { browser, close: beside === undefined });
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** In front of a server that runs already and that others stop; with the browser of another one. */
  static async before(server: TestServer, beside: Dashboard): Promise<Dashboard> {
    const shared = { browser: beside.#browser, close: false };
    return new Dashboard(server, await openSession(server), shared);
  }

  /** The owner, in a session that all tests of a file share. */
  get ada(): Person {
    assert.ok(this.#ada, 'this server has no owner');
    return this.#ada;
  }

  /** The owner in a session of its own, for a test that ends or ages it. */
  async openSession(account = owner): Promise<Person> {
    return openSession(this.server, account, this.#nextAddress());
  }

  /** A page that is left after the test, and fails it when something went wrong in its console. */
  async open(t: TestContext, path: string, options: OpenOptions = {}): Promise<Page> {
    const { as = this.#ada ?? null, expected = [], ...kind } = options;
    const { page, problems, leave } = await this.#page(kind);
    page.setDefaultTimeout(patience);
    await page.context().setExtraHTTPHeaders({ 'x-forwarded-for': this.#nextAddress() });
    if (as !== null) await page.context().addCookies(cookiesFor(as, this.server.url));
    page.context().on('page', (another) => problems.push(...watch(another)));
    t.after(async () => {
      await leave();
      const unexpected = problems.filter((problem) => !expected.some((pattern) => pattern.test(problem)));
      assert.deepEqual(unexpected, [], 'nothing went wrong in the console');
    });
    await page.goto(this.server.url + path);
    return page;
  }

  /** The shared page, if it is free and does, or else a new one. */
  async #page({ alone = false, translated = false, ...context }: PageOptions) {
    const usual = {
      // Motion would only be waited for.
      reducedMotion: 'reduce' as const,
      permissions: ['clipboard-read', 'clipboard-write'],
    };
    if (!alone && !translated && Object.keys(context).length === 0 && !this.#isSharing) {
      this.#isSharing = true;
      const shared = this.#shared ?? (await SharedPage.open(this.#browser, this.server.url, usual));
      return { page: shared.page, problems: shared.problems, leave: () => this.#giveBack(shared) };
    }
    const { page, problems } = await newPage(this.#browser, { ...usual, ...context });
    this.#contexts.push(page.context());
    if (translated) await page.context().addInitScript(translator);
    return { page, problems, leave: () => page.context().close() };
  }

  async #giveBack(shared: SharedPage): Promise<void> {
    try {
      await shared.clear();
      this.#shared = shared;
    } catch {
      this.#shared = undefined;
      await shared.context.close();
    } finally {
      this.#isSharing = false;
    }
  }

  /** Runs SQL on the server's own database, as time and operators do things that no interface can. */
  async database(sql: string, ...values: SQLInputValue[]): Promise<void> {
    const changed = await inDatabase(this.server, `${sql} RETURNING 1`, ...values);
    assert.ok(changed.length > 0, `${sql} changed nothing`);
  }

  /** Pages first: one that still asks when its server has gone would fail its test. */
  async stop(): Promise<void> {
    for (const context of this.#contexts) await context.close();
    await this.#shared?.context.close();
    if (this.#closeBrowser) await this.#browser.close();
    await this.server.stop();
  }

  #nextAddress(): string {
    this.#addresses += 1;
    return `192.0.2.${this.#addresses}`;
  }
}

function cookiesFor(person: Person, url: string) {
  return person.cookie.split('; ').map((cookie) => {
    const [name = '', value = ''] = cookie.split(/=(.*)/);
    return { name, value, url };
  });
}
