import type { Browser, BrowserContext, Page } from 'playwright-core';
import { newPage, watch } from '../support/browser.ts';

/** Playwright's own. */
const usualSize = { width: 1280, height: 720 };

/** What tests listen to. */
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
 * A page that the tests of a file use one after the other, each as if it were new: a new one needs a process of its own,
 * which has to compile the dashboard again, and takes the machine longer than most tests do.
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

  /** @param url of the server */
  static async open(
    browser: Browser,
    url: string,
    options: Parameters<typeof newPage>[1],
  ): Promise<SharedPage> {
    const { page, problems } = await newPage(browser, options);
    return new SharedPage(page, problems, url);
  }

  get context(): BrowserContext {
    return this.page.context();
  }

  /** What goes wrong in the page during this test. */
  get problems(): string[] {
    return this.#problems;
  }

  /**
   * Removes what a test has left.
   *
   * @throws when the page does not let itself be left, such as one that asks first: then it is of no more use
   */
  async clear(): Promise<void> {
    const { page, context } = this;
    for (const event of pageEvents) page.removeAllListeners(event);
    for (const event of contextEvents) context.removeAllListeners(event);
    for (const other of context.pages()) if (other !== page) await other.close();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await context.setOffline(false);
    // On the same server, or the next page would get another process.
    await page.goto(`${this.#url}/healthz`);
    await page.evaluate('localStorage.clear(); sessionStorage.clear(); window.name = ""');
    await context.clearCookies();
    await page.setViewportSize(usualSize);
    await page.emulateMedia({ colorScheme: null, reducedMotion: 'reduce' });
    await page.mouse.move(0, 0);
    this.#problems = watch(page);
  }
}
