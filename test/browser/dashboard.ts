/** A server for one test file, and pages in the shared browser. Each page has its own context (cookies, storage). */
import assert from 'node:assert/strict';
import type { SQLInputValue } from 'node:sqlite';
import type { TestContext } from 'node:test';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { newPage, sharedBrowser, watch } from '../support/browser.ts';
import { shareAmongTestFiles } from '../support/end-of-run.ts';
import type { Person } from '../support/person.ts';
import { runSql } from '../support/run-sql.ts';
import { owner, startServer, type TestServer } from '../support/server.ts';
import { addAccount, openSession } from '../support/session.ts';
import { testTimeoutMs } from '../support/test-timeout.ts';
import { SharedPage } from './shared-page.ts';
import { recordToastsScript } from './toasts.ts';
import { translatorScript } from './translator.ts';

interface PageOptions extends BrowserContextOptions {
  /** Opens a new context and closes it after the test, for a test that leaves more than SharedPage removes (a clock). */
  alone?: boolean;
  /** Whether a translator continuously rewrites the page. */
  translated?: boolean;
}

interface OpenOptions extends PageOptions {
  /** Whose session the browser has: ada's by default, none if null. */
  as?: Person | null;
  /** Console messages that the test expects, such as Chromium's line for a rejected request. */
  expected?: RegExp[];
}

/** Chromium's own console message for a response with this status, which the page cannot suppress. */
export const httpErrorMessage = (status: number) =>
  new RegExp(`Failed to load resource: the server responded with a status of ${status}`);
export const networkErrorMessage = /Failed to load resource: net::ERR_(FAILED|INTERNET_DISCONNECTED|ABORTED)/;

type PageKind = 'plain' | 'translated';

/** The scripts that run in each new document of a page. */
const initScripts = { plain: [recordToastsScript], translated: [recordToastsScript, translatorScript] };

/** What all workspaces of a server use. */
interface Site {
  server: TestServer;
  browser: Browser;
  contexts: BrowserContext[];
  /** The pages that tests use one after another. */
  pages: Map<PageKind, SharedPage>;
  taken: Set<PageKind>;
  /** Sign-ins are limited per address, so each context and each session uses its own address. */
  addresses: number;
}

export class Dashboard {
  readonly server: TestServer;
  readonly #site: Site;
  readonly #ada: Person | undefined;
  /** The account of `ada`. */
  readonly account: { email: string };

  private constructor(site: Site, ada: Person | undefined, account: { email: string } = owner) {
    this.server = site.server;
    this.#site = site;
    this.#ada = ada;
    this.account = account;
  }

  /** The caller must call `stop`. */
  static async start(env: Record<string, string | undefined> = {}): Promise<Dashboard> {
    // Receivers of webhooks are programs of the tests.
    const allowed = { TRUST_PROXY: '127.0.0.1', SOKU_WEBHOOK_ALLOW: '127.0.0.1' };
    const server = await startServer({ env: { ...allowed, ...env } });
    try {
      const hasOwner = !('SOKU_OWNER_EMAIL' in env);
      const ada = hasOwner ? await openSession(server) : undefined;
      return new Dashboard(siteOf(server, await sharedBrowser()), ada);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /**
   * A dashboard that all test files of this process share, for tests that need the owner's password. Use own keys, and
   * expect other keys beside them, with which a list takes longer to show than in a new workspace.
   */
  static readonly shared = shareAmongTestFiles(
    () => Dashboard.start(),
    (dashboard) => dashboard.stop(),
  );

  /**
   * An empty workspace on the shared server, for tests that expect no other keys. It takes a hundredth of the time that
   * a server takes, and its pages need no new process of the browser.
   */
  static async inNewWorkspace(): Promise<Dashboard> {
    const shared = await Dashboard.shared();
    const account = await addAccount(shared.server);
    return new Dashboard(shared.#site, await openSession(shared.server, account), account);
  }

  /** Uses a running server, which the caller stops. */
  static async attach(server: TestServer): Promise<Dashboard> {
    return new Dashboard(siteOf(server, await sharedBrowser()), await openSession(server));
  }

  /** The owner of the workspace, in a session that all tests in a file share. */
  get ada(): Person {
    assert.ok(this.#ada, 'this server has no owner');
    return this.#ada;
  }

  /** The owner in a separate session, for a test that ends or ages it. */
  async openSession(account = this.account): Promise<Person> {
    return openSession(this.server, account, this.#nextAddress());
  }

  /** Opens a page and leaves it after the test. Unexpected console messages fail the test. */
  async open(t: TestContext, path: string, options: OpenOptions = {}): Promise<Page> {
    const { as = this.#ada ?? null, expected = [], ...kind } = options;
    const { page, problems, leave } = await this.#page(kind);
    page.setDefaultTimeout(testTimeoutMs);
    await page.context().setExtraHTTPHeaders({ 'x-forwarded-for': this.#nextAddress() });
    if (as !== null) await this.signInAs(page.context(), as);
    page.context().on('page', (popup) => problems.push(...watch(popup)));
    t.after(async () => {
      await leave();
      const unexpected = problems.filter((problem) => !expected.some((pattern) => pattern.test(problem)));
      assert.deepEqual(unexpected, [], 'no unexpected console messages');
    });
    // A shared page is already at `/healthz`.
    if (page.url() !== this.server.url + path) await page.goto(this.server.url + path);
    return page;
  }

  /** A shared page if it is free and suits the options, otherwise a new one. */
  async #page({ alone = false, translated = false, ...context }: PageOptions) {
    const defaults = {
      // Avoids waiting for animations.
      reducedMotion: 'reduce' as const,
      permissions: ['clipboard-read', 'clipboard-write'],
    };
    const { viewport, ...others } = context;
    const site = this.#site;
    const kind = translated ? 'translated' : 'plain';
    if (!alone && Object.keys(others).length === 0 && !site.taken.has(kind)) {
      site.taken.add(kind);
      const shared =
        site.pages.get(kind) ??
        (await SharedPage.open(site.browser, this.server.url, defaults, initScripts[kind]));
      site.pages.set(kind, shared);
      if (viewport) await shared.page.setViewportSize(viewport);
      return { page: shared.page, problems: shared.problems, leave: () => release(site, kind, shared) };
    }
    const { page, problems } = await newPage(site.browser, { ...defaults, ...context });
    site.contexts.push(page.context());
    for (const script of initScripts[kind]) await page.context().addInitScript(script);
    return { page, problems, leave: () => page.context().close() };
  }

  /** Gives a browser the session of another person, as if they had signed in after the first one was gone. */
  async signInAs(context: BrowserContext, person: Person, url = this.server.url): Promise<void> {
    await context.clearCookies();
    await context.addCookies(cookiesFor(person, url));
  }

  /** Runs SQL on the server's database, to simulate the passage of time and manual changes. */
  async database(sql: string, ...values: SQLInputValue[]): Promise<void> {
    const changed = await runSql(this.server, `${sql} RETURNING 1`, ...values);
    assert.ok(changed.length > 0, `${sql} changed nothing`);
  }

  /**
   * Stops the server. Closes the pages first: a page that sends a request after its server has stopped would fail its
   * test.
   */
  async stop(): Promise<void> {
    const { browser, contexts, pages } = this.#site;
    if (browser.isConnected()) {
      for (const context of contexts) await context.close();
      for (const { context } of pages.values()) await context.close();
    }
    await this.server.stop();
  }

  #nextAddress(): string {
    this.#site.addresses += 1;
    const { addresses } = this.#site;
    return `198.18.${addresses >> 8}.${addresses & 255}`;
  }
}

function siteOf(server: TestServer, browser: Browser): Site {
  return { server, browser, contexts: [], pages: new Map(), taken: new Set(), addresses: 0 };
}

async function release(site: Site, kind: PageKind, shared: SharedPage): Promise<void> {
  try {
    await shared.clear();
  } catch {
    site.pages.delete(kind);
    await shared.context.close();
  } finally {
    site.taken.delete(kind);
  }
}

function cookiesFor(person: Person, url: string) {
  return person.cookie.split('; ').map((cookie) => {
    const [name = '', value = ''] = cookie.split(/=(.*)/);
    return { name, value, url };
  });
}
