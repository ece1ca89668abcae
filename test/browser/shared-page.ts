import type { Browser, BrowserContext, Page } from 'playwright-core';
import { newPage, watch } from '../support/browser.ts';

/** Playwright's default. */
const defaultSize = { width: 1280, height: 720 };

/** The events that tests listen to. */
const pageEvents = [
  'console',
  'pageerror',
  'request',
  'response',
  'requestfailed',
  'dialog',
  'popup',
] as const;
const contextEvents = ['page', 'request', 'response', 'console'] as const;

/**
 * A page that the tests of a file use one after another, each as if it were new. A new page needs its own process, which
 * compiles the dashboard again. That takes longer than most tests.
 */
export class SharedPage {
  readonly page: Page;
  readonly #url: string;
  #problems: string[];

  private constructor(page: Page, problems: string[], url: string) {
    this.page = page;
    this.#problems = problems;
    this.#url = url;
  }

  /**
   * @param url URL of the server
   * @param scripts that run in each new document
   */
  static async open(
    browser: Browser,
    url: string,
    options: Parameters<typeof newPage>[1],
    scripts: string[],
  ): Promise<SharedPage> {
    const { page, problems } = await newPage(browser, options);
    for (const script of scripts) await page.context().addInitScript(script);
    return new SharedPage(page, problems, url);
  }

  get context(): BrowserContext {
    return this.page.context();
  }

  /** Console errors and uncaught exceptions during this test. */
  get problems(): string[] {
    return this.#problems;
  }

  /**
   * Removes the state that a test has left.
   *
   * @throws if the page cannot be left, for example because it asks first. Then it cannot be used again.
   */
  async clear(): Promise<void> {
    const { page, context } = this;
    for (const event of pageEvents) page.removeAllListeners(event);
    for (const event of contextEvents) context.removeAllListeners(event);
    for (const other of context.pages()) if (other !== page) await other.close();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await context.setOffline(false);
    // A page of the same server; otherwise the next page would get another process.
    await page.goto(`${this.#url}/healthz`);
    await page.evaluate('localStorage.clear(); sessionStorage.clear(); window.name = ""');
    await context.clearCookies();
    await page.setViewportSize(defaultSize);
    await page.emulateMedia({ colorScheme: null, reducedMotion: 'reduce' });
    await page.mouse.move(0, 0);
    this.#problems = watch(page);
  }
}
